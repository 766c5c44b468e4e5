import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ClusterView, EntityId } from '../../lab/web/api.js';
import { frame, story } from '../player.js';
import { pathBetween } from './edges.js';
import type { Box } from './edges.js';
import { onPulse } from './pulses.js';
import type { Pulse } from './pulses.js';

/** Time that a dot takes along a line, in milliseconds, and how many run at a time. */
const RUN = 650;
const MAX_DOTS = 40;
const SVG = 'http://www.w3.org/2000/svg';

type Boxes = ReadonlyMap<EntityId, Box>;

function measure(root: HTMLElement): Boxes {
  const origin = root.getBoundingClientRect();
  const boxes = new Map<EntityId, Box>();
  for (const element of root.querySelectorAll<HTMLElement>('[data-part]')) {
    const { left, top, right, bottom } = element.getBoundingClientRect();
    boxes.set(element.dataset.part!, {
      left: left - origin.left,
      top: top - origin.top,
      right: right - origin.left,
      bottom: bottom - origin.top,
    });
  }
  return boxes;
}

const SIDES = ['left', 'top', 'right', 'bottom'] as const;
const same = (a: Boxes, b: Boxes): boolean =>
  a.size === b.size && [...a].every(([id, box]) => SIDES.every((side) => b.get(id)?.[side] === box[side]));

interface LinesProps {
  readonly root: RefObject<HTMLDivElement>;
  readonly view: ClusterView;
  /** What is drawn in place of an entity that is not. */
  readonly standIns: ReadonlyMap<EntityId, string>;
}

/**
 * The lines between entities: who may query whom, the path of the lookup on the stage, and dots for live queries.
 */
export function Lines({ root, view, standIns }: LinesProps) {
  const [boxes, setBoxes] = useState<Boxes>(new Map());
  const dots = useRef<SVGGElement>(null);
  const known = useRef({ boxes, standIns });
  known.current = { boxes, standIns };
  const remeasure = (): void => {
    if (!root.current) return;
    const found = measure(root.current);
    if (!same(found, known.current.boxes)) setBoxes(found);
  };
  useLayoutEffect(remeasure);
  useEffect(() => {
    const observer = new ResizeObserver(remeasure);
    observer.observe(root.current!);
    return () => observer.disconnect();
  }, []);
  useEffect(() => onPulse((pulse) => run(pulse, dots.current, known.current)), []);
  const path = (from: EntityId, to: EntityId): string | undefined => pathOf(from, to, { boxes, standIns });
  const now = frame.value;
  const mayLines = useMemo(() => <MayLines view={view} boxes={boxes} />, [view, boxes]);
  return (
    <svg
      class="lines"
      aria-hidden="true"
      data-busy={now ? true : undefined}
      data-found={now?.kind === 'reply' || now?.kind === 'end' ? now.marks[story.value!.pod.id]?.tone : undefined}
    >
      <defs>
        <marker
          id="tip"
          viewBox="0 0 8 8"
          refX="6"
          refY="4"
          markerWidth="9"
          markerHeight="9"
          markerUnits="userSpaceOnUse"
          orient="auto"
        >
          <path d="M0 0L8 4L0 8z" />
        </marker>
      </defs>
      {mayLines}
      {now?.trail.map(({ from, to }, i) => {
        const d = path(from, to);
        return d && <path key={`trail ${i}`} class="trail" marker-end="url(#tip)" d={d} />;
      })}
      {now?.now && path(now.now.from, now.now.to) && (
        <path
          key={`${now.query} ${now.hop}`}
          class="now"
          marker-end="url(#tip)"
          pathLength={1}
          d={path(now.now.from, now.now.to)}
        />
      )}
      <g ref={dots} />
    </svg>
  );
}

/** Who may ask whom, of those that are drawn by themselves. */
function MayLines({ view, boxes }: { readonly view: ClusterView; readonly boxes: Boxes }) {
  const redirected = new Set(view.links.filter((link) => link.kind === 'redirect').map((link) => link.from));
  return (
    <g>
      {view.links.map(({ from, to, kind }) => {
        const [a, b] = [boxes.get(from), boxes.get(to)];
        return (
          a &&
          b && (
            <path
              key={`${from} ${to} ${kind}`}
              class="may"
              data-kind={kind}
              data-aside={kind === 'backend' && redirected.has(from) ? true : undefined}
              d={pathBetween(a, b, boxes.values())}
            />
          )
        );
      })}
    </g>
  );
}

interface Drawn {
  readonly boxes: Boxes;
  readonly standIns: ReadonlyMap<EntityId, string>;
}

/** The line between two entities, or what is drawn in their place; undefined where it is the same for both. */
function pathOf(from: EntityId, to: EntityId, { boxes, standIns }: Drawn): string | undefined {
  const boxOf = (id: EntityId): Box | undefined => boxes.get(id) ?? boxes.get(standIns.get(id) ?? '');
  const [a, b] = [boxOf(from), boxOf(to)];
  return a && b && a !== b ? pathBetween(a, b, boxes.values()) : undefined;
}

/** Lets a dot run along the line of something that just happened. */
function run({ edges, tone }: Pulse, group: SVGGElement | null, drawn: Drawn): void {
  if (
    !group ||
    group.childElementCount >= MAX_DOTS ||
    document.hidden ||
    matchMedia('(prefers-reduced-motion: reduce)').matches
  )
    return;
  edges.forEach(({ from, to }, i) => {
    const path = pathOf(from, to, drawn);
    if (path === undefined) return;
    const dot = document.createElementNS(SVG, 'circle');
    dot.setAttribute('r', '4');
    dot.setAttribute('class', 'dot');
    dot.dataset.tone = tone;
    // Not seen before its turn.
    dot.style.opacity = '0';
    dot.style.offsetPath = `path("${path}")`;
    group.append(dot);
    dot.animate(
      [
        { offsetDistance: '0%', opacity: 1 },
        { offsetDistance: '100%', opacity: 1 },
      ],
      { duration: RUN, delay: i * RUN, easing: 'ease-in-out' },
    ).onfinish = () => dot.remove();
  });
}
