import type {
  ClusterView,
  ExecAnswer,
  LiveEvents,
  LookupAnswer,
  LookupRequest,
  PartDetails,
  EntityId,
  Refusal,
} from '../lab/web/api.js';
import { MAX_FLOWS, MAX_SAMPLES, cluster, connected, flows, flowsLeft, samples } from './state.js';

type OnVisits = (visits: LiveEvents['visits']['visits']) => void;
type OnFlows = (flows: LiveEvents['flows']['flows']) => void;

const JSON_TYPE = { 'content-type': 'application/json' };

/** Follows what happens in the lab, and comes back by itself when the connection is lost. */
export function follow(onVisits: OnVisits, onFlows: OnFlows): void {
  const source = new EventSource('/api/events');
  const on = <Name extends keyof LiveEvents>(name: Name, take: (data: LiveEvents[Name]) => void): void =>
    source.addEventListener(name, (event) =>
      take(JSON.parse((event as MessageEvent<string>).data) as LiveEvents[Name]),
    );
  let fresh = true;
  source.addEventListener('open', () => {
    connected.value = true;
    fresh = true;
  });
  source.addEventListener('error', () => (connected.value = false));
  on('cluster', (view: ClusterView) => (cluster.value = view));
  on('samples', (list) => {
    // The first ones after the connection is made are all there are, and so are several at once.
    samples.value = (fresh || list.length > 1 ? list : [...samples.value, ...list]).slice(-MAX_SAMPLES);
    fresh = false;
  });
  on('flows', ({ flows: list, left }) => {
    flows.value = [...flows.value, ...list].slice(-MAX_FLOWS);
    flowsLeft.value += left;
    onFlows(list);
  });
  on('visits', ({ visits }) => onVisits(visits));
}

/** The answer as JSON. Rejects with the lab's words for a request that it refuses. */
async function read<Answer>(response: Response): Promise<Answer> {
  const answer = (await response.json()) as Answer | Refusal;
  if (!response.ok) throw new Error((answer as Refusal).error);
  return answer as Answer;
}

/** A fetch whose failure is told in words: the browser's own say nothing to a visitor. */
async function reach(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error;
    throw new Error('The lab does not answer.', { cause: error });
  }
}

export const lookUp = async (request: LookupRequest): Promise<LookupAnswer> =>
  read(await reach('/api/lookup', { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(request) }));

export const partDetails = async (id: EntityId, signal: AbortSignal): Promise<PartDetails> =>
  read(await reach(`/api/part?id=${encodeURIComponent(id)}`, { signal }));

/** Runs a command line and hands over its text as it comes; resolves with its exit code. Aborting ends the command. */
export async function execute(line: string, write: (text: string) => void, signal: AbortSignal): Promise<number> {
  const response = await reach('/api/exec', {
    method: 'POST',
    headers: JSON_TYPE,
    body: JSON.stringify({ line }),
    signal,
  });
  if (!response.ok || !response.body) return read<number>(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error('the lab has ended');
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) {
      const answer = JSON.parse(text) as ExecAnswer;
      if ('code' in answer) return answer.code;
      write(answer.text);
    }
  }
}
