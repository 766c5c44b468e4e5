/** Small faults that change nothing which anybody could notice, each with its reason: a list to be reviewed. */
import { equivalence, type Mutation } from './mutations.js';

/** A small fault of the list, found by its line's text wherever that has moved to in its file. */
export interface EquivalentFault {
  readonly file: string;
  /** The line where the fault begins, without the white space around it. */
  readonly line: string;
  /** What becomes what, as a fault's title says it; `*` for all changes of the line. */
  readonly change: string;
  readonly why: string;
}

/** What a fault puts in the place of what, in one line. */
export function changeOf({ start, end, to }: Mutation, text: string): string {
  const before = text.slice(start, end).replace(/\s+/g, ' ');
  return `${before.slice(0, 60)} -> ${to.slice(0, 60)}`;
}

function lineAt(text: string, offset: number): string {
  const end = text.indexOf('\n', offset);
  return text.slice(text.lastIndexOf('\n', offset - 1) + 1, end < 0 ? undefined : end).trim();
}

/** The reason that the list gives for a fault, if it holds it. */
export function listedReason(text: string, mutation: Mutation, list: readonly EquivalentFault[]): string | undefined {
  return list.find(
    ({ file, line, change }) =>
      file === mutation.file &&
      line === lineAt(text, mutation.start) &&
      (change === '*' || change === changeOf(mutation, text)),
  )?.why;
}

/** Why nobody could notice a fault: by its form, or by the list; undefined for all others. */
export const whyEquivalent = (text: string, mutation: Mutation, list: readonly EquivalentFault[]): string | undefined =>
  listedReason(text, mutation, list) ?? equivalence(text, mutation);
