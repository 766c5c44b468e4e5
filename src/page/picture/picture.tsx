import type { ComponentChildren } from 'preact';
import { useComputed } from '@preact/signals';
import { useMemo, useRef } from 'preact/hooks';
import type { ClusterView, EntityId } from '../../lab/web/api.js';
import { asker } from '../lookup/choice.js';
import { story } from '../player.js';
import { fileName, save } from '../save.js';
import { selected } from '../state.js';
import type { CellGroup, CellItem } from './fold.js';
import { STAGES, lanesOf } from './lanes.js';
import type { Lane, Lanes } from './lanes.js';
import { Lines } from './lines.js';
import { opened, toggle } from './opened.js';
import { AgentBox, HostBox, NodeTile, PodBox, PodGroupBox, ServiceBox, ServiceGroupBox } from './part-box.js';
import { svgOf } from './svg.js';

/** Lanes from which on they are drawn low. */
const MANY = 4;

/** The cluster as lanes: a node each, the services between them, the world outside beside them. */
export function Picture({ view, children }: { readonly view: ClusterView; readonly children: ComponentChildren }) {
  const root = useRef<HTMLDivElement>(null);
  // What the lookup passes is never folded, nor is the pod that asks.
  const kept = useComputed(
    () =>
      new Set<EntityId>(
        [
          asker.value?.id,
          story.value?.pod.id,
          ...(story.value?.steps.flatMap(({ queries }) => queries.flatMap(({ hops }) => hops.map(({ at }) => at))) ??
            []),
        ].filter((id) => id !== undefined),
      ),
  );
  const choice = { keep: kept.value, open: opened.value };
  const drawn = useMemo(() => lanesOf(view, choice), [view, choice.keep, choice.open]);
  const { lanes, folded } = drawn;
  const [first, ...rest] = lanes;
  const without = lanes.every(({ stages }) => stages.cache.length === 0);
  const saveSvg = (): void => {
    const title = `${view.name}${story.value ? `: ${story.value.asked}` : ''}`;
    save(fileName('picture', title, 'svg'), 'image/svg+xml', svgOf(root.current!, title));
  };
  return (
    <>
      <div
        class="lanes"
        ref={root}
        style={{ '--nodes': lanes.length, '--rows': lanes.length + 1 }}
        data-caches={without ? 'none' : 'some'}
        data-many={lanes.length >= MANY || undefined}
      >
        {first && <LaneView lane={first} number={0} />}
        <Services services={drawn.services} />
        {rest.map((lane, i) => (
          <LaneView key={lane.id} lane={lane} number={i + 1} />
        ))}
        <Outside drawn={drawn} />
        {folded.length > 0 && (
          <div class="more-nodes">
            <h3>{folded.length} more nodes, with the number of their pods</h3>
            {folded.map((node) => (
              <NodeTile key={node.id} node={node} />
            ))}
          </div>
        )}
        <Lines root={root} view={view} standIns={drawn.standIns} />
      </div>
      <div class="foot">
        {children}
        <button type="button" onClick={saveSvg}>
          Save as SVG
        </button>
      </div>
    </>
  );
}

/** Folded namespaces stand in a row over what is drawn by itself. */
const namespacesIn = <Item,>(items: readonly CellItem<Item>[]): readonly CellGroup<Item>[] =>
  items.filter((item) => item.kind === 'group').filter(({ what }) => what === 'namespace');
const apartFromNamespaces = <Item,>(items: readonly CellItem<Item>[]): readonly CellItem<Item>[] =>
  items.filter((item) => item.kind === 'one' || item.what !== 'namespace');

function Services({ services }: Pick<Lanes, 'services'>) {
  return (
    <div class="band">
      <div class="heading">
        <h3>Service addresses, on every node</h3>
        {STAGES.flatMap((stage) => namespacesIn(services[stage])).map((group) => (
          <ServiceGroupBox key={group.id} group={group} />
        ))}
      </div>
      {STAGES.map((stage) => (
        <div key={stage} class="cell" data-stage={stage}>
          {services[stage].map((item) => item.kind === 'one' && <ServiceBox key={item.item.id} service={item.item} />)}
        </div>
      ))}
    </div>
  );
}

function Outside({ drawn: { lanes, hosts } }: { readonly drawn: Lanes }) {
  return (
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
        {STAGES.flatMap((stage) => namespacesIn(lane.stages[stage])).map((group) => (
          <PodGroupBox key={group.id} group={group} />
        ))}
        {lane.opened && (
          <button
            type="button"
            class="close-lane"
            onClick={() => toggle(lane.id)}
            aria-label={`Fold node ${lane.node}`}
          >
            fold
          </button>
        )}
      </div>
      {STAGES.map((stage) => (
        <div key={stage} class="cell" data-stage={stage}>
          {apartFromNamespaces(lane.stages[stage]).map((item) =>
            item.kind === 'one' ? (
              <PodBox key={item.item.id} pod={item.item} />
            ) : (
              <PodGroupBox key={item.id} group={item} />
            ),
          )}
        </div>
      ))}
    </div>
  );
}
