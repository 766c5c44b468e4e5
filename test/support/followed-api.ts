import type { ApiRequest } from '../../src/kube/api/client.js';
import { ApiSource, type ApiSourceOptions } from '../../src/kube/api/source.js';
import { endpointConnection } from '../../src/kube/auth/connection.js';
import { DNS_FIELDS } from '../../src/kube/objects/objects.js';
import type { KubeChange } from '../../src/kube/store/change.js';
import { KubeStore } from '../../src/kube/store/store.js';
import { realClock } from '../../src/lib/clock.js';
import { seededRandom } from '../../src/lib/random.js';
import type { FakeApi } from './fake-api.js';
import { RecordedLog } from './kube.js';

/** Little patience, so that tests are quick. */
export const TIMING = {
  backoff: { min: 5, max: 40, reset: 10_000 },
  refused: 5,
  eager: 10_000,
  retell: 30_000,
  listSilence: 10_000,
  watch: 60_000,
  watchGrace: 1000,
  initialSilence: 10_000,
  initial: 10_000,
};

/** A store that follows an API, and what was seen of it. */
export interface FollowedApi {
  readonly store: KubeStore;
  readonly log: RecordedLog;
  readonly changes: KubeChange[];
  readonly requests: ApiRequest[];
  readonly source: ApiSource;
  readonly stop: AbortController;
}

/** Follows an API from now on, until stopped. */
export function followApi(
  fake: FakeApi,
  options: Partial<ApiSourceOptions> = {},
  store: KubeStore = new KubeStore(),
): FollowedApi {
  const log = new RecordedLog();
  const changes: KubeChange[] = [];
  const requests: ApiRequest[] = [];
  store.changes.subscribe((change) => changes.push(change));
  const source = new ApiSource({
    connection: endpointConnection({ url: fake.url, clock: realClock }),
    kinds: ['Namespace', 'Service', 'EndpointSlice'],
    fields: DNS_FIELDS,
    limits: { qps: 1000, burst: 1000 },
    timing: TIMING,
    onRequest: (request) => requests.push(request),
    clock: realClock,
    random: seededRandom(1),
    log,
    ...options,
  });
  const stop = new AbortController();
  source.start(store, stop.signal);
  return { store, log, changes, requests, source, stop };
}

/** Changes as `type kind name`. */
export const told = (changes: readonly KubeChange[]): string[] =>
  changes.map((change) => `${change.type} ${change.kind} ${(change.new ?? change.old)!.name}`);
