import type { ComponentChildren } from 'preact';
import type { HostView, EntityId, PodView, ServiceView } from '../../lab/web/api.js';
import { frame } from '../player.js';
import { namesOf, recent, selected } from '../state.js';
import { isWell } from './fold.js';
import type { CellGroup } from './fold.js';
import type { FoldedNode } from './lanes.js';
import { toggle } from './opened.js';

interface BoxProps {
  readonly id: EntityId;
  /** What it is, for its colour: `idle`, `web`, `node-cache`, `dns`, `host`, `service`. */
  readonly kind: string;
  readonly label: string;
  readonly warning?: boolean;
  readonly children: ComponentChildren;
}

/** A part of the picture: a button that opens its details, lit while a lookup is at it. */
function Box({ id, kind, label, warning, children }: BoxProps) {
  const now = frame.value;
  const mark = now?.marks[id];
  const lit =
    now !== undefined &&
    (now.now?.to === id ||
      now.now?.from === id ||
      mark !== undefined ||
      now.trail.some((edge) => edge.to === id || edge.from === id));
  return (
    <button
      type="button"
      class="box"
      data-part={id}
      data-kind={kind}
      data-lit={lit || undefined}
      data-here={now?.now?.to === id || undefined}
      data-warning={warning || undefined}
      onClick={() => (selected.value = id)}
    >
      <span class="sr">{label}. </span>
      {children}
      {mark && (
        <span class="mark" data-tone={mark.tone}>
          {mark.text}
        </span>
      )}
    </button>
  );
}

/** What a server did of late: its hit ratio as a bar, or how many queries it had. */
function Load({ id, caches }: { readonly id: EntityId; readonly caches: boolean }) {
  const own = recent.value.get(id);
  if (!own || own.queries === 0) return <span class="load">no queries yet</span>;
  const cached = own.hits + own.misses;
  if (!caches || cached === 0) return <span class="load">{own.queries} queries / 30 s</span>;
  const ratio = Math.round((100 * own.hits) / cached);
  return (
    <span class="load">
      <meter min={0} max={100} value={ratio} aria-hidden="true" /> {ratio} % hits of {cached}
    </span>
  );
}

const KIND_TEXT: Readonly<Record<string, string>> = {
  idle: 'client',
  web: 'web',
  dns: 'CoreDNS',
  'node-cache': 'node cache',
};

export function PodBox({ pod }: { readonly pod: PodView }) {
  const [name, suffix] = namesOf(pod.name, pod.workload);
  const serves = pod.kind === 'dns' || pod.kind === 'node-cache';
  const well = pod.state === 'Running' && pod.ready;
  const wrong = [...(well ? [] : [pod.state]), ...pod.faults];
  const kind = KIND_TEXT[pod.kind] ?? pod.kind;
  return (
    <Box
      id={pod.id}
      kind={pod.kind}
      warning={!isWell(pod)}
      label={[`pod ${pod.namespace}/${pod.name}`, kind, pod.ip, ...wrong].join(', ')}
    >
      <span class="name">
        <b>{name}</b>
        {suffix !== '' && <i>{suffix}</i>}
      </span>
      <span class="sub">
        {pod.ip}
        {wrong.map((word) => ` · ${word}`)}
      </span>
      {serves && <Load id={pod.id} caches />}
    </Box>
  );
}

export function AgentBox({ pod }: { readonly pod: PodView }) {
  return (
    <Box id={pod.id} kind="agent" label={`pod ${pod.namespace}/${pod.name}, agent in the node's network`}>
      <span class="name">{pod.workload}</span>
    </Box>
  );
}

export function HostBox({ host }: { readonly host: HostView }) {
  return (
    <Box id={host.id} kind="host" label={`host ${host.name} outside the cluster, ${host.addresses.join(', ')}`}>
      <span class="name">
        <b>{host.name}</b>
      </span>
      <span class="sub">{host.addresses.length > 1 ? `${host.addresses[1]} …` : host.addresses[0]}</span>
      {host.dns && <Load id={host.id} caches={false} />}
    </Box>
  );
}

export function ServiceBox({ service }: { readonly service: ServiceView }) {
  const led = service.redirects.length > 0;
  return (
    <Box
      id={service.id}
      kind="service"
      label={
        `service ${service.namespace}/${service.name}, ` +
        `${service.ips.join(', ')}${led ? `, redirected by ${service.redirects[0]!.policy}` : ''}`
      }
    >
      <span class="name">
        <b>{service.name}</b>
      </span>
      <span class="sub">{service.ips[0]}</span>
      {led && <span class="tag">redirect</span>}
    </Box>
  );
}

/** The one kind that all pods have, for the colour. */
const kindOf = (pods: readonly PodView[]): string =>
  pods.every(({ kind }) => kind === pods[0]?.kind) ? (pods[0]?.kind ?? 'mixed') : 'mixed';

/** Pods that stand as one: a click shows them, or hides them again. */
export function PodGroupBox({ group: { id, name, what, items, open } }: { readonly group: CellGroup<PodView> }) {
  const node = items[0]!.node;
  return (
    <FoldButton id={id} kind={kindOf(items)} open={open}>
      <b>{name}</b> {what === 'replicas' ? `×${items.length}` : items.length}
      <span class="sr">
        {' '}
        {what === 'replicas' ? 'replicas' : 'pods'} on {node}
      </span>
    </FoldButton>
  );
}

export function ServiceGroupBox({ group: { id, name, items, open } }: { readonly group: CellGroup<ServiceView> }) {
  return (
    <FoldButton id={id} kind="service" open={open}>
      <b>{name}</b> {items.length}
      <span class="sr"> services</span>
    </FoldButton>
  );
}

/** A node without a lane: a click gives it one. */
export function NodeTile({ node }: { readonly node: FoldedNode }) {
  const ill = node.pods.filter((pod) => !isWell(pod)).length;
  return (
    <FoldButton id={node.id} kind="mixed" open={false}>
      <b>{node.name}</b> {node.pods.length}
      <span class="sr"> pods</span>
      {ill > 0 && <em> {ill} not well</em>}
    </FoldButton>
  );
}

interface FoldButtonProps {
  readonly id: string;
  readonly kind: string;
  readonly open: boolean;
  readonly children: ComponentChildren;
}

function FoldButton({ id, kind, open, children }: FoldButtonProps) {
  return (
    <button type="button" class="fold" data-part={id} data-kind={kind} aria-expanded={open} onClick={() => toggle(id)}>
      {children} <span aria-hidden="true">{open ? '▾' : '▸'}</span>
    </button>
  );
}
