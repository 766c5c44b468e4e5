import { CorefileError, CorefileFaults } from './errors.js';

/** What is wrong with a Corefile, gathered so that all of it can be told at once. */
export class FaultList {
  private readonly found = new Map<string, CorefileError>();

  /** What a snippet brings into several blocks is wrong once. */
  add(fault: CorefileError): void {
    const all = fault instanceof CorefileFaults ? fault.faults : [fault];
    for (const one of all) if (!this.found.has(one.message)) this.found.set(one.message, one);
  }

  /** Does some work, and keeps the CorefileError that it ends with; undefined then. Other errors pass. */
  attempt<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof CorefileError)) throw error;
      this.add(error);
      return undefined;
    }
  }

  /** Throws a CorefileError with all that was found, in the order of files and lines; returns where there is nothing. */
  throwAny(): void {
    const [first, ...others] = inOrder([...this.found.values()]);
    if (first !== undefined) throw others.length === 0 ? first : new CorefileFaults([first, ...others]);
  }
}

/** Files in the order in which they turn up, lines as they stand in them. */
function inOrder(faults: readonly CorefileError[]): CorefileError[] {
  const files = [...new Set(faults.map(({ file }) => file))];
  return faults.toSorted((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line);
}
