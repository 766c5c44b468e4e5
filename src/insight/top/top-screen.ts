import { SORTS, type TopReport, type TopWish } from '../../top/report.js';
import { LISTS, listLines, topHead, type List } from './top-page.js';

/** A key that was pressed: its name, and what it types, as `node:readline` tells them. */
export interface Pressed {
  readonly name: string | undefined;
  readonly text: string | undefined;
  readonly ctrl: boolean;
}

/** What is to be done after a key. */
export type Effect = 'quit' | 'ask' | 'draw';

const KEYS = 'a all  1-6 one list  s sort  / filter  space pause  q quit';
const ESCAPE = 0x1b;

/** What a terminal shows of a server, and what its keys do. */
export class TopScreen {
  paused = false;
  private list: List | 'all' = 'all';
  private sort: TopWish['sort'];
  private filter: string;
  /** What is being typed as filter; undefined where nothing is. */
  private typed: string | undefined;

  constructor(
    private readonly server: string,
    { sort, filter }: Pick<TopWish, 'sort' | 'filter'>,
  ) {
    this.sort = sort;
    this.filter = filter;
  }

  /** What the server is to be asked. */
  get wish(): Omit<TopWish, 'rows'> {
    return { sort: this.sort, filter: this.filter };
  }

  press(key: Pressed): Effect {
    if (key.ctrl && key.name === 'c') return 'quit';
    if (this.typed !== undefined) return this.type(this.typed, key);
    const { text = '' } = key;
    if (text === 'q') return 'quit';
    if (text === ' ' || text === 'p') {
      this.paused = !this.paused;
      return this.paused ? 'draw' : 'ask';
    }
    if (text === 's') {
      this.sort = SORTS[(SORTS.indexOf(this.sort) + 1) % SORTS.length]!;
      return 'ask';
    }
    if (text === '/') this.typed = this.filter;
    else if (text === 'a') this.list = 'all';
    else this.list = LISTS[Number(text) - 1] ?? this.list;
    return 'draw';
  }

  /** At most `height` lines of at most `width` characters; a fault takes the place of what was to be asked. */
  lines(report: TopReport | undefined, fault: string | undefined, width: number, height: number): string[] {
    const state = [
      this.server,
      `sorted by ${this.sort}`,
      ...(this.filter === '' ? [] : [`only '${this.filter}'`]),
      ...(this.paused ? ['PAUSED'] : []),
      ...(fault === undefined ? [] : [fault]),
    ].join('  ');
    const last = this.typed === undefined ? KEYS : `filter: ${this.typed}_`;
    const room = height - 4;
    const body = report === undefined ? [] : ['', ...this.body(report, width, room)];
    return [state, ...(report === undefined ? [] : topHead(report)), ...body.slice(0, height - 3), last].map((line) =>
      line.slice(0, width),
    );
  }

  private body(report: TopReport, width: number, room: number): string[] {
    if (this.list !== 'all') return listLines(report, this.list, Math.max(0, room - 1), width);
    const filled = LISTS.filter((list) => report[list].length > 0);
    const rows = Math.max(1, Math.floor(room / Math.max(1, filled.length)) - 2);
    return filled.flatMap((list) => [...listLines(report, list, rows, width), '']);
  }

  private type(typed: string, { name, text = '' }: Pressed): Effect {
    if (name === 'return' || name === 'escape') {
      if (name === 'return') this.filter = typed.toLowerCase();
      this.typed = undefined;
      return 'ask';
    }
    if (name === 'backspace') this.typed = typed.slice(0, -1);
    else if (text.length === 1 && text > ' ' && text.charCodeAt(0) !== ESCAPE) this.typed = typed + text;
    return 'draw';
  }
}

/** What shows lines in place of those before, without a flicker; and what goes before the first and after the last. */
export const frame = (lines: readonly string[]): string => `\x1b[H${lines.join('\x1b[K\r\n')}\x1b[K\x1b[J`;
export const ENTER = '\x1b[?1049h\x1b[?25l';
export const LEAVE = '\x1b[?25h\x1b[?1049l';
