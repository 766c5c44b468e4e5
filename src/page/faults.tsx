import { useSignal } from '@preact/signals';
import type { ClusterView, PodView } from '../lab/web/api.js';
import { runLine } from './console.js';
import { shortName } from './state.js';

const isServer = ({ kind }: PodView): boolean => kind === 'dns' || kind === 'node-cache';
const named = ({ namespace, name }: PodView): string => `-n ${namespace} ${name}`;

/** What can go wrong with a pod, and the command that does it; the other ones end it. */
function actionsOf(pod: PodView): readonly (readonly [text: string, line: string])[] {
  const down = pod.state === 'Crashed' || pod.faults.includes('hangs');
  return [
    ...(down
      ? ([['Restart', `restart ${named(pod)}`]] as const)
      : ([
          ['Crash', `crash ${named(pod)}`],
          ['Hang', `hang ${named(pod)}`],
        ] as const)),
    pod.faults.includes('drops packets')
      ? ['Let packets pass', `drop --off ${named(pod)}`]
      : ['Drop packets', `drop ${named(pod)}`],
  ];
}

/** What is wrong now because somebody did it. */
const wrongNow = ({ pods, apiAway }: ClusterView): readonly string[] => [
  ...pods
    .map(({ id, state, faults }) => ({ id, wrong: [...(state === 'Crashed' ? ['crashed'] : []), ...faults] }))
    .filter(({ wrong }) => wrong.length > 0)
    .map(({ id, wrong }) => `${shortName(id)} ${wrong.join(' and ')}`),
  ...(apiAway ? ['the API server is away'] : []),
];

/** Faults at a click: of one DNS server, or of the API server. The console shows the commands. */
export function Faults({ view }: { readonly view: ClusterView }) {
  const chosen = useSignal('');
  const busy = useSignal(false);
  const servers = view.pods.filter(isServer);
  const pod = servers.find(({ id }) => id === chosen.value) ?? servers[0];
  const run = async (line: string): Promise<void> => {
    busy.value = true;
    await runLine(line);
    busy.value = false;
  };
  const wrong = wrongNow(view);
  return (
    <fieldset class="faults" disabled={busy.value}>
      <legend>Faults</legend>
      {pod && (
        <>
          <select
            aria-label="DNS server that has the fault"
            value={pod.id}
            onChange={(event) => (chosen.value = event.currentTarget.value)}
          >
            {servers.map((one) => (
              <option key={one.id} value={one.id}>
                {shortName(one.id)} on {one.node}
              </option>
            ))}
          </select>
          {actionsOf(pod).map(([text, line]) => (
            <button key={text} type="button" onClick={() => void run(line)}>
              {text}
            </button>
          ))}
        </>
      )}
      <button type="button" onClick={() => void run(`api-server ${view.apiAway ? 'back' : 'away'}`)}>
        {view.apiAway ? 'API back' : 'API away'}
      </button>
      <p role="status">{wrong.length === 0 ? '' : `Now: ${wrong.join(', ')}.`}</p>
    </fieldset>
  );
}
