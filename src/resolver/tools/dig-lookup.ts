import { Class, Flag } from '../../wire/index.js';
import { LAYOUT, type RecordLayout } from './bind-text.js';

/** One lookup of a dig command line, or what all of them start from. */
export interface DigLookup {
  name: string | undefined;
  type: number | undefined;
  class: number;
  flags: Record<'aa' | 'tc' | 'rd' | 'ra' | 'z' | 'ad' | 'cd', boolean>;
  edns: number | undefined;
  bufsize: number;
  dnssec: boolean;
  cookie: boolean | string;
  nsid: boolean;
  subnet: string | undefined;
  tcp: boolean | undefined;
  ignore: boolean;
  search: boolean;
  /** Stands for the whole search list. */
  domain: string | undefined;
  showSearch: boolean;
  ndots: number | undefined;
  timeout: number | undefined;
  tries: number | undefined;
  fail: boolean;
  short: boolean;
  identify: boolean;
  sendingToo: boolean;
  show: Record<'cmd' | 'comments' | 'question' | 'answer' | 'authority' | 'additional' | 'stats', boolean>;
  layout: RecordLayout;
}

/** A lookup before any option is read. */
export const base = (): DigLookup => ({
  name: undefined,
  type: undefined,
  class: Class.IN,
  flags: { aa: false, tc: false, rd: true, ra: false, z: false, ad: true, cd: false },
  edns: 0,
  bufsize: 1232,
  dnssec: false,
  cookie: true,
  nsid: false,
  subnet: undefined,
  tcp: undefined,
  ignore: false,
  search: false,
  domain: undefined,
  showSearch: false,
  ndots: undefined,
  timeout: undefined,
  tries: undefined,
  fail: true,
  short: false,
  identify: false,
  sendingToo: false,
  show: { cmd: true, comments: true, question: true, answer: true, authority: true, additional: true, stats: true },
  layout: LAYOUT,
});

export const copy = (lookup: DigLookup): DigLookup => ({
  ...lookup,
  flags: { ...lookup.flags },
  show: { ...lookup.show },
});

/** The flags of the header's second word that the lookup sends. */
export function flagsOf({ flags }: DigLookup): number {
  return (
    (flags.aa ? Flag.AA : 0) |
    (flags.tc ? Flag.TC : 0) |
    (flags.rd ? Flag.RD : 0) |
    (flags.ra ? Flag.RA : 0) |
    (flags.z ? Flag.Z : 0) |
    (flags.ad ? Flag.AD : 0) |
    (flags.cd ? Flag.CD : 0)
  );
}
