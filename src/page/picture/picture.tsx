import { useRef } from 'preact/hooks';
import type { ClusterView } from '../../lab/web/api.js';
import { selected } from '../state.js';
import { lanesOf } from './lanes.js';
import type { Lane, LaneStage } from './lanes.js';
import { Lines } from './lines.js';
import { AgentBox, HostBox, PodBox, ServiceBox } from './part-box.js';

const STAGES: readonly LaneStage[] = ['work', 'cache', 'dns'];

/** The cluster as lanes: a node each, the services between them, the world outside beside them. */
export function Picture({ view }: { readonly view: ClusterView }) {
  const root = useRef<HTMLDivElement>(null);
  const { lanes, services, hosts } = lanesOf(view);
  const [first, ...rest] = lanes;
  const without = lanes.every(({ stages }) => stages.cache.length === 0);
  return (
    <div
      class="lanes"
      ref={root}
      style={{ '--nodes': lanes.length, '--rows': lanes.length + 1 }}
      data-caches={without ? 'none' : 'some'}
    >
      {first && <LaneView lane={first} number={0} />}
      <div class="band">
        <h3>Service addresses, on every node</h3>
        {STAGES.map((stage) => (
          <div key={stage} class="cell" data-stage={stage}>
            {services[stage].map((service) => (
              <ServiceBox key={service.id} service={service} />
            ))}
          </div>
        ))}
      </div>
      {rest.map((lane, i) => (
        <LaneView key={lane.id} lane={lane} number={i + 1} />
      ))}
      <div class="outside">
        <h3>Outside</h3>
        {lanes.map(({ node }, i) => (
          <div key={node} class="cell" data-lane={i} style={{ '--lane': i }}>
            {hosts
              .filter((host) => host.node === node)
              .map((host) => (
                <HostBox key={host.id} host={host} />
              ))}
          </div>
        ))}
        <div class="cell" data-lane="lan">
          {hosts
            .filter((host) => host.node === undefined)
            .map((host) => (
              <HostBox key={host.id} host={host} />
            ))}
        </div>
      </div>
      <Lines root={root} view={view} />
    </div>
  );
}

function LaneView({ lane, number }: { readonly lane: Lane; readonly number: number }) {
  return (
    <div class="lane" data-above={number === 0 || undefined} style={{ '--lane': number }}>
      <div class="node">
        <button
          type="button"
          class="node-name"
          onClick={() => (selected.value = lane.id)}
          aria-label={`node ${lane.node}, ${lane.ip}`}
        >
          <b>{lane.node}</b> <span>{lane.ip}</span>
        </button>
        {lane.agents.map((pod) => (
          <AgentBox key={pod.id} pod={pod} />
        ))}
      </div>
      {STAGES.map((stage) => (
        <div key={stage} class="cell" data-stage={stage}>
          {lane.stages[stage].map((pod) => (
            <PodBox key={pod.id} pod={pod} />
          ))}
        </div>
      ))}
    </div>
  );
}
