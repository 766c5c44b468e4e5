import type { CacheNote, ReasonNote, TrailNote } from '../../chain/index.js';
import type { Story, TcpFinding } from './story.js';
import { askedOf, askedText, cacheText, errorText, placeText, timeText, type AskedUpstream } from './words.js';

/** Why a query came to what it came to. */
export interface Reason {
  /** Stays the same while words change. */
  readonly code: ReasonCode;
  /** In words, without a full stop. */
  readonly text: string;
  /** What to do about it, without a full stop; undefined where nothing is wrong. */
  readonly advice?: string;
}

/** All codes; docs/EXPLAIN.md tells what they say. */
export const REASON_CODES = [
  'answered',
  'blocked',
  'busy',
  'cache-disabled',
  'denied',
  'dropped',
  'fault',
  'loop',
  'no-block',
  'not-ready',
  'overdue',
  'remembered',
  'stale',
  'upstream-down',
  'upstream-error',
  'upstream-fails',
  'upstream-hung',
  'upstream-silent',
] as const;
export type ReasonCode = (typeof REASON_CODES)[number];

/** All that can be said about why, what weighs most first. At least one. */
export function reasonsOf(story: Story): readonly Reason[] {
  const asked = askedOf(story.notes.filter((note) => note.kind === 'attempt'));
  const found = [
    ...ended(story),
    ...ruled(story),
    ...unready(story),
    ...looped(story),
    ...upstreams(story, asked),
    ...kept(story),
  ];
  const failed = found.some(({ code }) => code !== 'cache-disabled');
  return failed && isFailure(story) ? found : [...found, ...plain(story, asked)];
}

const isFailure = ({ result }: Story): boolean =>
  result === undefined || !['NOERROR', 'NODATA', 'NXDOMAIN'].includes(result);

const reasonNotes = (notes: readonly TrailNote[], ...reasons: ReasonNote['reason'][]): ReasonNote[] =>
  notes.filter((note) => note.kind === 'reason').filter(({ reason }) => reasons.includes(reason));

const cacheNote = (notes: readonly TrailNote[]): CacheNote | undefined => notes.find((note) => note.kind === 'cache');

/** `forward (Corefile:4)`. */
const handlerText = (handler: Story['answeredBy']): string =>
  handler === undefined ? 'nobody' : handler.place ? `${handler.name} (${placeText(handler.place)})` : handler.name;

function ended({ end, name, answeredBy, cause, time, notes }: Story): Reason[] {
  switch (end) {
    case 'no-block':
      return [
        {
          code: 'no-block',
          text: `no server block serves ${name}: REFUSED`,
          advice: 'Add a block for the zone, or . for all names',
        },
      ];
    case 'fault':
      return [
        { code: 'fault', text: `a handler failed: ${cause}`, advice: 'Report it: that is a fault of the program' },
      ];
    case 'overdue':
      return [
        {
          code: 'overdue',
          text: `no handler came to an end within ${timeText(time)}`,
          advice: 'Look which plugin waits, and for what',
        },
      ];
    case 'dropped':
      if (reasonNotes(notes, 'blocked').length > 0) return [];
      return [{ code: 'dropped', text: `${handlerText(answeredBy)} leaves the query unanswered` }];
    case 'answered':
      return [];
  }
}

/** What rules and limits say. */
function ruled({ notes }: Story): Reason[] {
  return reasonNotes(notes, 'blocked', 'busy', 'remembered').map(({ plugin, reason, text, place }) => {
    const where = place === undefined ? '' : ` (${placeText(place)})`;
    switch (reason) {
      case 'blocked':
        return {
          code: 'blocked',
          text: `blocked by ${plugin}: "${text}"${where}`,
          advice: 'Change the rule, or put one that allows it before it',
        };
      case 'busy':
        return { code: 'busy', text: `${plugin}: ${text}`, advice: 'Look why upstreams are slow, or raise the limit' };
      default:
        return {
          code: 'remembered',
          text: `${plugin}: the same question came to nothing a moment ago: ${text}`,
          advice: 'Look at the upstream that is named, and ask again in 5 s',
        };
    }
  });
}

function unready({ unready: names, result }: Story): Reason[] {
  if (result !== undefined && result !== 'SERVFAIL') return [];
  return names.map((name) => ({
    code: 'not-ready',
    text: `${name} is not ready: it has not got yet what it answers from`,
    advice: name === 'kubernetes' ? 'Look whether the API answers, and whether its rights suffice' : `Look at ${name}`,
  }));
}

const looped = ({ loops }: Story): Reason[] =>
  loops === true
    ? [
        {
          code: 'loop',
          text: 'loop: what is sent upstream comes back to this server',
          advice: 'Name the resolvers of the network in forward, not one that forwards here',
        },
      ]
    : [];

function upstreams(story: Story, asked: readonly AskedUpstream[]): Reason[] {
  if (story.loops === true) return [];
  const down = reasonNotes(story.notes, 'down').map(({ plugin, text }): Reason => ({
    code: 'upstream-down',
    text: `${plugin}: ${text}`,
    advice: 'Look whether they run and can be reached from here',
  }));
  return [...asked.flatMap((one) => upstream(one, story)), ...down];
}

const OVER_TCP: Readonly<Record<TcpFinding, { text: string; advice: string }>> = {
  answers: {
    text: 'it answers over TCP',
    advice: 'UDP is lost on the way: look for rules that drop it, at conntrack and at the MTU',
  },
  hangs: {
    text: 'it takes TCP connections and answers none',
    advice: 'The process there hangs: look at it, and restart it',
  },
  refuses: {
    text: 'nothing listens there over TCP either',
    advice: 'The host is up and no DNS server runs there: start it, or name another one',
  },
  away: {
    text: 'nothing comes back over TCP either',
    advice: 'The host is gone, or something on the way drops packets: look at routes and firewalls',
  },
};

function upstream(one: AskedUpstream, { upstreams: states, result }: Story): Reason[] {
  const { to, protocol, times, time, result: came, outcome } = one;
  if (came === 'timeout') {
    const state = states?.[to];
    const over = state && OVER_TCP[state];
    return [
      {
        code: state === 'hangs' ? 'upstream-hung' : 'upstream-silent',
        text:
          `upstream ${to} is silent: timeout after ${timeText(time)} by ${protocol.toUpperCase()}` +
          `${times > 1 ? `, asked ${times} times` : ''}${over ? `; ${over.text}` : ''}`,
        advice: over?.advice ?? 'Look whether it runs and can be reached from here',
      },
    ];
  }
  if (came === 'error')
    return [
      { code: 'upstream-error', text: `upstream ${askedText(one)}`, advice: 'Look whether it runs and listens there' },
    ];
  if (came !== 'answered' || outcome !== result || ['NOERROR', 'NXDOMAIN'].includes(outcome)) return [];
  return [
    {
      code: 'upstream-fails',
      text: `upstream ${to} says ${outcome}`,
      advice: 'Ask that server why: its log, and the EDE where it tells one',
    },
  ];
}

function kept({ notes }: Story): Reason[] {
  const note = cacheNote(notes);
  if (note?.state === 'stale')
    return [
      {
        code: 'stale',
        text: `${cacheText(note).slice('cache: '.length)}: served although its time is over (serve_stale)`,
        advice: 'Look why it is not renewed: at the upstreams',
      },
    ];
  return note?.state === 'disabled'
    ? [{ code: 'cache-disabled', text: `${cacheText(note)}: each query is asked anew` }]
    : [];
}

/** Where an answer, or a denial, is from. */
function plain({ answeredBy, notes, result, cause, name, type }: Story, asked: readonly AskedUpstream[]): Reason[] {
  const note = cacheNote(notes);
  const from =
    note?.state === 'hit'
      ? `the cache (${cacheText(note).slice('cache hit, '.length)})`
      : (asked.findLast(({ result: came }) => came === 'answered')?.to.replace(/^/, 'upstream ') ??
        handlerText(answeredBy));
  if (result === 'NXDOMAIN') return [{ code: 'denied', text: `NXDOMAIN from ${from}: there is no name ${name}` }];
  if (result === 'NODATA')
    return [{ code: 'denied', text: `NODATA from ${from}: ${name} is there and has no ${type}` }];
  if (note?.state === 'stale') return [];
  const why = cause === undefined ? '' : `: ${errorText(cause)}`;
  return [{ code: 'answered', text: `${result ?? 'silence'} from ${from}${why}` }];
}
