import type { Explanation } from '../../lab/web/api.js';
import { past, show, story } from '../player.js';

const hits = (one: Explanation): number =>
  one.steps
    .flatMap(({ queries }) => queries)
    .filter(({ hops }) => hops.find((hop) => hop.kind === 'visit')?.cache === 'hit').length;

/** Lookups so far with what each cost, to be compared. */
export function Past() {
  if (past.value.length === 0) return null;
  const most = Math.max(...past.value.map(({ cost }) => cost.time));
  return (
    <table class="past">
      <caption>What lookups cost</caption>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Queries</th>
          <th scope="col">Packets</th>
          <th scope="col">Hits</th>
          <th scope="col" class="more">
            Visits
          </th>
          <th scope="col">Time</th>
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
            </th>
            <td>{one.cost.queries}</td>
            <td>{one.cost.packets}</td>
            <td>{hits(one)}</td>
            <td class="more">{one.cost.visits}</td>
            <td class="time">
              <meter min={0} max={most} value={one.cost.time} aria-hidden="true" />
              {one.cost.time.toFixed(1)} ms
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
