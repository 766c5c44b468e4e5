import { NodensError } from '../../lib/errors.js';
import { parseIp } from '../../lib/cidr.js';
import type { EdnsOption } from '../../wire/index.js';
import type { DigLookup } from './dig-lookup.js';
import { whyNoNumber } from './tool.js';

/** A value that dig cannot use; `message` is what it prints. */
export class OptionFault extends NodensError {
  override readonly name = 'OptionFault';

  constructor(text: string, exitCode: number) {
    super('NODENS_OPTION', text, { exitCode });
  }
}

type PlusOption = (lookup: DigLookup, on: boolean, value: string | undefined) => boolean | void;

/** The number in `value`, from 0 to `most`; `what` is how dig calls it. */
export function counted(value: string | undefined, what: string, most = 0xffff, exitCode = 10): number {
  const why = whyNoNumber(value ?? '', most);
  if (why !== undefined)
    throw new OptionFault(`invalid ${what} '${value ?? ''}': ${why}\ndig: Couldn't parse ${what}`, exitCode);
  return Number(value);
}

const section =
  (name: keyof DigLookup['show']): PlusOption =>
  (lookup, on) =>
    void (lookup.show[name] = on);
const flag =
  (name: keyof DigLookup['flags']): PlusOption =>
  (lookup, on) =>
    void (lookup.flags[name] = on);

/**
 * Query options in alphabetical order; each may be cut short to any start of its name that no earlier one has, as dig
 * reads them.
 */
const PLUS: readonly (readonly [string, PlusOption])[] = [
  ['aaflag', flag('aa')],
  ['aaonly', flag('aa')],
  ['additional', section('additional')],
  ['adflag', flag('ad')],
  [
    'all',
    (lookup, on) => {
      for (const name of Object.keys(lookup.show) as (keyof DigLookup['show'])[])
        if (name !== 'cmd' || on === false) lookup.show[name] = on;
      lookup.show.cmd = on;
    },
  ],
  ['answer', section('answer')],
  ['authority', section('authority')],
  [
    'bufsize',
    (lookup, on, value) => {
      lookup.bufsize = on ? counted(value, 'buffer size') : 0;
      lookup.edns ??= 0;
    },
  ],
  ['cdflag', flag('cd')],
  ['class', (lookup, on) => void (lookup.layout = { ...lookup.layout, showClass: on })],
  ['cmd', section('cmd')],
  ['comments', section('comments')],
  ['cookie', (lookup, on, value) => void (lookup.cookie = on ? (value ?? true) : false)],
  [
    'dnssec',
    (lookup, on) => {
      lookup.dnssec = on;
      if (on) lookup.edns ??= 0;
    },
  ],
  [
    'domain',
    (lookup, on, value) => {
      lookup.domain = on ? value : undefined;
      lookup.search = on;
      return !on || value !== undefined;
    },
  ],
  ['edns', (lookup, on, value) => void (lookup.edns = on ? counted(value ?? '0', 'edns', 255) : undefined)],
  ['fail', (lookup, on) => void (lookup.fail = on)],
  ['identify', (lookup, on) => void (lookup.identify = on)],
  ['ignore', (lookup, on) => void (lookup.ignore = on)],
  ['multiline', (lookup, on) => void (lookup.layout = { ...lookup.layout, multiline: on })],
  ['ndots', (lookup, _on, value) => void (lookup.ndots = counted(value, 'ndots', 128))],
  ['nsid', (lookup, on) => void (lookup.nsid = on)],
  ['qr', (lookup, on) => void (lookup.sendingToo = on)],
  ['question', section('question')],
  ['recurse', flag('rd')],
  ['rdflag', flag('rd')],
  ['retry', (lookup, _on, value) => void (lookup.tries = counted(value, 'retries') + 1)],
  ['search', (lookup, on) => void (lookup.search = on)],
  [
    'short',
    (lookup, on) => {
      lookup.short = on;
      Object.assign(
        lookup.show,
        on
          ? {
              cmd: false,
              comments: false,
              question: false,
              answer: true,
              authority: false,
              additional: false,
              stats: false,
            }
          : {},
      );
    },
  ],
  [
    'showsearch',
    (lookup, on) => {
      lookup.showSearch = on;
      lookup.search = on;
    },
  ],
  [
    'split',
    (lookup, on, value) =>
      void (lookup.layout = { ...lookup.layout, split: on ? Math.ceil(counted(value ?? '56', 'split') / 4) * 4 : 0 }),
  ],
  ['stats', section('stats')],
  [
    'subnet',
    (lookup, on, value) => {
      if (on && ecsOption(value ?? '') === undefined) throw new OptionFault(`dig: invalid address '${value ?? ''}'`, 1);
      lookup.subnet = on ? value : undefined;
    },
  ],
  ['tcflag', flag('tc')],
  ['tcp', (lookup, on) => void (lookup.tcp = on)],
  ['time', timeout],
  ['timeout', timeout],
  ['tries', (lookup, _on, value) => void (lookup.tries = Math.max(1, counted(value, 'tries')))],
  ['ttlid', (lookup, on) => void (lookup.layout = { ...lookup.layout, showTtl: on })],
  [
    'ttlunits',
    (lookup, on) => void (lookup.layout = { ...lookup.layout, ttlUnits: on, showTtl: lookup.layout.showTtl || on }),
  ],
  ['vc', (lookup, on) => void (lookup.tcp = on)],
  ['zflag', flag('z')],
];

function timeout(lookup: DigLookup, _on: boolean, value: string | undefined): void {
  lookup.timeout = Math.max(1, counted(value, 'timeout'));
}

/** Shortest forms that stand for an option although others start alike (dig(1) takes them so). */
const SHORT_FORMS = new Map([
  ['rec', 'recurse'],
  ['ad', 'adflag'],
  ['cd', 'cdflag'],
  ['do', 'dnssec'],
  ['aa', 'aaflag'],
  ['tc', 'tcflag'],
  ['z', 'zflag'],
  ['rd', 'rdflag'],
]);

/** Puts `+text` to use; false where there is no such option. */
export function plusOption(text: string, lookup: DigLookup): boolean {
  const [written, value] = text.split(/=(.*)/s) as [string, string | undefined];
  const on = !(written.startsWith('no') && !PLUS.some(([name]) => name === written));
  const word = on ? written : written.slice(2);
  const wanted = SHORT_FORMS.get(word) ?? word;
  const entry =
    PLUS.find(([name]) => name === wanted) ??
    (wanted.length >= 2 ? PLUS.find(([name]) => name.startsWith(wanted)) : undefined);
  if (entry === undefined) return false;
  return entry[1](lookup, on, value) !== false;
}

/** EDNS client subnet (RFC 7871 section 6) for `10.1.0.0/16`, an address alone, or `0`; undefined for other text. */
export function ecsOption(text: string): EdnsOption | undefined {
  const [address, bits] = text.split('/') as [string, string | undefined];
  const ip = address === '0' ? Uint8Array.of(0, 0, 0, 0) : parseIp(address);
  if (ip === undefined) return undefined;
  const prefix = address === '0' ? 0 : bits === undefined ? ip.length * 8 : Number(bits);
  if (whyNoNumber(String(prefix), ip.length * 8) !== undefined) return undefined;
  const kept = ip.slice(0, Math.ceil(prefix / 8));
  if (prefix % 8 !== 0) kept[kept.length - 1]! &= 0xff << (8 - (prefix % 8));
  return { code: 8, data: Uint8Array.of(0, ip.length === 4 ? 1 : 2, prefix, 0, ...kept) };
}
