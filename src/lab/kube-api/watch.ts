import type { ServerResponse } from 'node:http';
import type { RawObject } from '../../kube/objects/raw.js';
import { repeat } from '../../lib/clock.js';
import type { Clock } from '../../lib/clock.js';
import type { Milliseconds } from '../../lib/units.js';
import { ApiFault } from './fault.js';
import { metadataOnly } from './form.js';
import type { Form } from './form.js';
import type { ObjectJournal, JournalEvent } from './journal.js';
import type { ObjectReader } from './reader.js';
import type { ResourcePath } from './route.js';
import { selectionOf } from './selection.js';
import type { Selects } from './selection.js';
import { metadataOfOne } from './tables.js';

/** How often a client that takes bookmarks is told how far it is. */
const BOOKMARKS: Milliseconds = 60_000;
const LONGEST_SECONDS = 3600;
/** What a client may leave unread before its watch is ended. */
const BACKLOG = 16 * 1024 * 1024;

/** What a watch needs of the server. */
export interface WatchHost {
  readonly journal: ObjectJournal;
  readonly reader: ObjectReader;
  readonly clock: Clock;
}

/**
 * Answers a watch: changes after a resource version, or all there is and then what changes
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes). Throws an ApiFault
 * before anything is written, also for a version that is too old.
 */
export function watch(
  path: ResourcePath,
  form: Form,
  query: URLSearchParams,
  response: ServerResponse,
  { journal, reader, clock }: WatchHost,
): void {
  const { kind, apiVersion } = path.resource;
  const selects = selectionOf(path, query);
  const asked = query.get('resourceVersion') ?? '';
  const initial = query.get('sendInitialEvents') === 'true';
  const fresh = initial || asked === '' || asked === '0';
  const missed = fresh ? [] : journal.since(kind, Number(asked));
  if (!missed) throw new ApiFault('Expired', `too old resource version: ${asked} (${journal.newest})`);
  const bookmarks = query.get('allowWatchBookmarks') === 'true';

  const tables = form.as === 'table' ? reader.tables(path.resource, form, query) : undefined;
  const shown = (object: RawObject): RawObject =>
    tables?.of([object], metadataOfOne(object)) ?? (form.as === 'metadata' ? metadataOnly(object, form) : object);
  response.writeHead(200, { 'content-type': 'application/json;stream=watch', 'cache-control': 'no-cache, private' });
  const say = (type: string, object: RawObject): void => {
    response.write(`${JSON.stringify({ type, object })}\n`);
    if (response.writableLength > BACKLOG) response.destroy();
  };
  const tell = (event: JournalEvent): void => {
    const type = typeFor(event, selects);
    if (type !== undefined) say(type, shown(event.object));
  };
  const bookmark = (annotations?: RawObject): void => {
    const metadata = { resourceVersion: String(journal.newest), creationTimestamp: null };
    say('BOOKMARK', {
      ...(tables ? tables.of([], metadata) : { kind, apiVersion, metadata }),
      metadata: { ...metadata, ...(annotations && { annotations }) },
    });
  };

  if (fresh) for (const object of journal.list(kind).filter(selects)) say('ADDED', shown(object));
  missed.forEach(tell);
  if (initial && bookmarks) bookmark({ 'k8s.io/initial-events-end': 'true' });
  response.flushHeaders();
  const unfollow = journal.follow(kind, tell);
  const seconds = Math.min(Number(query.get('timeoutSeconds')) || LONGEST_SECONDS, LONGEST_SECONDS);
  const end = clock.setTimeout(() => {
    if (bookmarks) bookmark();
    response.end();
  }, seconds * 1000);
  const timer = bookmarks ? repeat(clock, BOOKMARKS, () => bookmark()) : undefined;
  response.once('close', () => {
    unfollow();
    end.cancel();
    timer?.cancel();
  });
}

/** An object that comes into a selection by a change is new to its watcher, and one that leaves it is gone. */
function typeFor({ type, object, old }: JournalEvent, selects: Selects): JournalEvent['type'] | undefined {
  const [before, after] = [old !== undefined && selects(old), type !== 'DELETED' && selects(object)];
  if (before) return after ? 'MODIFIED' : 'DELETED';
  return after ? 'ADDED' : undefined;
}
