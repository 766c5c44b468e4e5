import type { ArithmeticFor, Case, CompoundList, For, If, While } from 'unbash';
import { sleep } from '../../lib/clock.js';
import type { Clock } from '../../lib/clock.js';
import type { Expander } from './expand.js';
import type { ShellIo } from './io.js';
import { LineError } from './parse.js';
import { fits } from './pattern.js';
import type { Scope } from './scope.js';
import { Unwind } from './unwind.js';

/** What loops and conditions need of the shell that they stand in. */
export interface CompoundHost {
  readonly clock: Clock;
  readonly scope: Scope;
  list(list: CompoundList, io: ShellIo, source: string): Promise<number>;
  /** The same for a condition: that it fails is no failure. */
  clause(list: CompoundList, io: ShellIo, source: string): Promise<number>;
  expanderFor(io: ShellIo): Expander;
}

/** `if`, `for`, `while`, `until` and `case`. */
export class Compound {
  constructor(private readonly host: CompoundHost) {}

  async condition(node: If, io: ShellIo, source: string): Promise<number> {
    for (const branch of [node, ...node.elif])
      if ((await this.host.clause(branch.clause, io, source)) === 0) return this.host.list(branch.then, io, source);
    return node.else ? this.host.list(node.else, io, source) : 0;
  }

  async each(node: For, io: ShellIo, source: string): Promise<number> {
    const values = node.wordlist ? await this.host.expanderFor(io).fields(node.wordlist) : this.host.scope.args;
    let code = 0;
    for (const value of values) {
      if (io.signal.aborted) break;
      this.host.scope.set(node.name.value, value);
      const turn = await this.turn(node.body, io, source);
      code = turn.code;
      if (turn.leaves) break;
    }
    return code;
  }

  async loop(node: While, io: ShellIo, source: string): Promise<number> {
    if (!io.endless && neverEnds(node, source))
      throw new LineError(
        'the loop would never end here: put & at the end of the line, and print its output later with: fg',
      );
    let code = 0;
    while (
      !io.signal.aborted &&
      ((await this.host.clause(node.clause, io, source)) === 0) === (node.kind === 'while')
    ) {
      const turn = await this.turn(node.body, io, source);
      code = turn.code;
      if (turn.leaves) break;
      // A body that waits for nothing must let others run.
      await sleep(this.host.clock, 1, io.signal).catch(() => undefined);
    }
    return code;
  }

  async count(node: ArithmeticFor, io: ShellIo, source: string): Promise<number> {
    const expand = this.host.expanderFor(io);
    await expand.arithmetic(node.initialize);
    let code = 0;
    while (!io.signal.aborted && (!node.test || (await expand.arithmetic(node.test)) !== 0)) {
      const turn = await this.turn(node.body, io, source);
      code = turn.code;
      if (turn.leaves) break;
      await expand.arithmetic(node.update);
    }
    return code;
  }

  /** One turn of a loop, which may end in break or continue. */
  private async turn(
    body: CompoundList,
    io: ShellIo,
    source: string,
  ): Promise<{ readonly code: number; readonly leaves: boolean }> {
    try {
      return { code: await this.host.list(body, io, source), leaves: false };
    } catch (error) {
      if (!(error instanceof Unwind) || (error.kind !== 'break' && error.kind !== 'continue')) throw error;
      if (error.levels > 1) throw new Unwind(error.kind, error.code, error.levels - 1);
      return { code: 0, leaves: error.kind === 'break' };
    }
  }

  async choose(node: Case, io: ShellIo, source: string): Promise<number> {
    const expand = this.host.expanderFor(io);
    const text = await expand.text(node.word);
    let code = 0;
    let through = false;
    for (const item of node.items) {
      let hit = through;
      for (const pattern of item.pattern) hit ||= fits(await expand.pieces(pattern), text);
      if (!hit) continue;
      code = await this.host.list(item.body, io, source);
      if (item.terminator !== ';&' && item.terminator !== ';;&') return code;
      through = item.terminator === ';&';
    }
    return code;
  }
}

/** Whether a loop has a condition that is always true, and nothing in it that leaves. */
function neverEnds(node: While, source: string): boolean {
  const [only, more] = node.clause.commands;
  if (more || only?.command.type !== 'Command') return false;
  const constant = node.kind === 'while' ? ['true', ':'] : ['false'];
  return (
    constant.includes(only.command.name?.value ?? '') &&
    !/\b(break|exit|return)\b/.test(source.slice(node.body.pos, node.body.end))
  );
}
