import type { AttemptNote, CacheNote, Client, ReasonNote } from '../../chain/index.js';
import { hostPort } from '../../lib/cidr.js';
import type { FilePlace } from '../../lib/errors.js';
import type { Milliseconds } from '../../lib/units.js';
import type { InspectedSharing, Inspection } from '../../server/inspection.js';
import { formatRr, rcodeName, typeName, type Message } from '../../wire/index.js';
import { toldErrors } from './ede.js';
import { reasonsOf, type Reason } from './reasons.js';
import type { Story, ToldError } from './story.js';
import { askedOf, askedText, cacheText, count, timeText } from './words.js';

/** Records of one answer that are told. */
const MOST_RECORDS = 50;

/** What one handler did, in words. */
export interface ExplainedHandler {
  readonly plugin: string;
  readonly place: FilePlace | undefined;
  /** `records`: not asked, as it keeps records of clients' queries. `unasked`: another one answered before. */
  readonly state: 'answered' | 'passed' | 'unasked' | 'records';
  readonly time: Milliseconds | undefined;
  /** Without full stops; at least one. */
  readonly texts: readonly string[];
}

/** One query at a running server, explained. Plain data. */
export interface LiveExplanation {
  readonly name: string;
  readonly type: string;
  readonly client: { readonly address: string; readonly transport: string };
  /** Where the query would come in. */
  readonly server: string;
  readonly block:
    { readonly zones: readonly string[]; readonly place: FilePlace | undefined; readonly view: string } | undefined;
  readonly handlers: readonly ExplainedHandler[];
  /** Rcode, or NODATA; undefined for silence. */
  readonly result: string | undefined;
  readonly records: readonly string[];
  /** The whole answer as a client would get it, in base64; undefined for silence. */
  readonly message: string | undefined;
  readonly errors: readonly ToldError[];
  readonly time: Milliseconds;
  readonly reasons: readonly Reason[];
  /** Who else gets the same answer without the chain being asked, in words. */
  readonly sharing: { readonly shared: boolean; readonly text: string };
}

/** The part of it from which reasons come. */
export function storyOf(inspection: Inspection, question: { name: string; type: number }): Story {
  const { handlers, notes, answer, cause, end, started, ended } = inspection;
  const answered = handlers.findLast(({ state }) => state === 'asked');
  return {
    name: question.name,
    type: typeName(question.type),
    answeredBy: answered && { name: answered.name, place: answered.place },
    cached: handlers.some(({ name }) => name === 'cache'),
    unready: handlers.filter(({ ready, state }) => ready === false && state === 'asked').map(({ name }) => name),
    notes,
    result: resultOf(answer),
    errors: answer === undefined ? [] : toldErrors(answer),
    end,
    cause,
    time: ended - started,
  };
}

/** Puts an inspection into words; `story` has what was found out beside it. */
export function explained(inspection: Inspection, story: Story): LiveExplanation {
  const { client, block, view, answer, sharing } = inspection;
  const { name, type, result, errors, time } = story;
  return {
    name,
    type,
    client: { address: client.remote.address, transport: client.transport },
    server: serverText(client),
    block: block && { ...block, view },
    handlers: handlersOf(inspection),
    result,
    records: answer === undefined ? [] : recordsOf(answer),
    message: inspection.bytes?.toString('base64'),
    errors,
    time,
    reasons: reasonsOf(story),
    sharing: { shared: sharing.shared, text: sharingText(sharing) },
  };
}

export const resultOf = (answer: Message | undefined): string | undefined =>
  answer && (answer.rcode === 0 && answer.answer.length === 0 ? 'NODATA' : rcodeName(answer.rcode));

function recordsOf({ answer, authority }: Message): string[] {
  const records = answer.length > 0 ? answer : authority;
  const left = records.length - MOST_RECORDS;
  const texts = records.slice(0, MOST_RECORDS).map((record) => formatRr(record).replaceAll('\t', ' '));
  return left > 0 ? [...texts, `and ${left} more`] : texts;
}

const serverText = ({ server, local }: Client): string =>
  server.standsFor?.label ?? `${server.scheme}://${hostPort(local.address, local.port)}`;

function handlersOf({ handlers, notes }: Inspection): ExplainedHandler[] {
  const last = handlers.findLastIndex(({ state }) => state === 'asked');
  return handlers.map(({ name, place, state, time }, i) => {
    const did = state === 'asked' ? (i === last ? 'answered' : 'passed') : state;
    return { plugin: name, place, state: did, time, texts: textsOf(name, did, notes) };
  });
}

const DID: Readonly<Record<ExplainedHandler['state'], string>> = {
  answered: 'answered',
  passed: 'asked the next',
  unasked: 'not asked',
  records: 'keeps records of clients’ queries: passed by',
};

function textsOf(plugin: string, did: ExplainedHandler['state'], notes: Inspection['notes']): string[] {
  const own = notes.filter((note) => note.plugin === plugin);
  const cache = own.find((note): note is CacheNote => note.kind === 'cache');
  const asked = askedOf(own.filter((note): note is AttemptNote => note.kind === 'attempt'));
  const reasons = own.filter((note): note is ReasonNote => note.kind === 'reason');
  const texts = [
    ...(cache === undefined ? [] : [cacheText(cache)]),
    ...asked.map(askedText),
    ...reasons.map(({ text }) => text),
  ];
  return texts.length > 0 ? texts : [DID[did]];
}

function sharingText(sharing: InspectedSharing): string {
  if (sharing.shared) {
    const { networks, left } = sharing;
    const who =
      networks === undefined ? 'all clients' : `clients of one /${networks.ipv4} or /${networks.ipv6} network`;
    return `with ${who}, ${left === Infinity ? 'until what it is made from changes' : `for ${timeText(left)}`}`;
  }
  switch (sharing.why) {
    case 'handlers':
      return `with nobody: every query has to reach ${sharing.names.join(', ')}`;
    case 'sees-each':
      return `with nobody: ${sharing.names.join(', ')} has to see each query like this one`;
    case 'views':
      return 'with nobody: which block answers depends on more than question and client';
    case 'no-answer':
      return 'with nobody: no handler made an answer';
    case 'fresh':
      return 'not yet: from its first hit in the cache on';
    case 'no-promise':
      return 'with nobody: there is no cache, and who made it does not say how long it holds';
  }
}

/** The page that a terminal shows, a step a line; `all` has the handlers too that did nothing. */
export function liveText(explanation: LiveExplanation, all = false): string {
  const { name, type, client, server, block, result, records, errors, time, reasons, sharing } = explanation;
  const where =
    block === undefined
      ? 'no server block'
      : `block ${block.zones.join(' ')}${block.view === '' ? '' : `, view ${block.view}`}${placed(block.place)}`;
  const told = explanation.handlers.filter(({ state, texts }) => all || state === 'answered' || !isDull(state, texts));
  const width = Math.max(...told.map(({ plugin }) => plugin.length));
  const lines = told.flatMap(({ plugin, place, time: took, texts }) =>
    texts.map(
      (text, i) =>
        `  ${(i === 0 ? plugin : '').padEnd(width)}  ${text}` +
        (i > 0 ? '' : `${all && took !== undefined ? `, ${timeText(took)}` : ''}${placed(place)}`),
    ),
  );
  const more = explanation.handlers.length - told.length;
  return [
    `${name} ${type} as ${client.address} by ${client.transport.toUpperCase()} at ${server}: ${where}`,
    ...lines,
    ...(more > 0 ? [`  and ${count(more, 'plugin')} that had no part in it (-v shows them)`] : []),
    `${result ?? 'no answer'} after ${timeText(time)}`,
    ...records.map((record) => `  ${record}`),
    ...errors.map((error) => `  EDE ${error.code} (${error.name})${error.text === '' ? '' : `: ${error.text}`}`),
    ...reasons.map(({ text }, i) => `${i === 0 ? 'why:    ' : '        '}${text}`),
    `shared: ${sharing.text}`,
    ...adviceOf(reasons).map((advice, i) => `${i === 0 ? 'try:    ' : '        '}${advice}`),
    '',
  ].join('\n');
}

export const adviceOf = (reasons: readonly Reason[]): string[] => [
  ...new Set(reasons.flatMap(({ advice }) => advice ?? [])),
];

const isDull = (state: ExplainedHandler['state'], texts: readonly string[]): boolean => texts[0] === DID[state];

const placed = (place: FilePlace | undefined): string =>
  place === undefined ? '' : ` (${place.file}${place.line === undefined ? '' : `:${place.line}`})`;
