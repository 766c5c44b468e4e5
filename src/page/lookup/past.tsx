import type { LookupAnswer } from '../../lab/web/api.js';
import { hitsOf } from '../frames.js';
import { past, show, story } from '../player.js';
import { shortName } from '../state.js';

const MODES: Readonly<Record<LookupAnswer['nodeCache'], string>> = {
  none: 'no node cache',
  iptables: 'iptables',
  idle: 'node cache unused',
  redirect: 'redirect policy',
};

/** How a lookup was made, in words: the node cache, the pod, whose resolver, and whether caches had any of it. */
const madeHow = (one: LookupAnswer): string =>
  [MODES[one.nodeCache], shortName(one.pod.id), one.profile, hitsOf(one) > 0 ? 'warm' : 'cold'].join(' · ');

const signed = (time: number): string => `${time < 0 ? '−' : '+'}${Math.abs(time).toFixed(1)}`;

/** Lookups so far with what each cost, to be compared with the one that is shown. */
export function Past() {
  if (past.value.length === 0) return null;
  const most = Math.max(...past.value.map(({ cost }) => cost.time));
  return (
    <table class="past">
      <caption>What lookups cost</caption>
      <thead>
        <tr>
          <th scope="col">Lookup</th>
          <th scope="col">Queries</th>
          <th scope="col">Packets</th>
          <th scope="col">Hits</th>
          <th scope="col" class="more">
            Visits
          </th>
          <th scope="col" class="time">
            Time, ms
          </th>
        </tr>
      </thead>
      <tbody>
        {past.value.map((one, i) => (
          <tr key={past.value.length - i} data-current={one === story.value || undefined}>
            <th scope="row">
              <button
                type="button"
                class="link"
                onClick={() => show(one)}
                aria-label={`show the lookup of ${one.asked} again`}
              >
                {one.asked}
              </button>
              <small>{madeHow(one)}</small>
            </th>
            <td>{one.cost.queries}</td>
            <td>{one.cost.packets}</td>
            <td>{hitsOf(one)}</td>
            <td class="more">{one.cost.visits}</td>
            <td class="time">
              <meter min={0} max={most} value={one.cost.time} aria-hidden="true" />
              {one.cost.time.toFixed(1)}
              {story.value && one !== story.value && (
                <small title="beside the lookup that is shown">{signed(one.cost.time - story.value.cost.time)}</small>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
