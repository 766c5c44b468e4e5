import { curveBumpX, curveBumpY, link } from 'd3-shape';

/** A rectangle on the picture, in pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

type Point = [number, number];
const across = link(curveBumpX);
const down = link(curveBumpY);
/** Boxes that are this far apart from left to right are joined at their sides, others above and below. */
const APART = 12;
/** Room between the end of a line and its box. */
const GAP = 3;

const middle = (low: number, high: number): number => (low + high) / 2;

/** Places that are tried for a straight line down, across what both of its boxes share. */
const TRIES = 13;

/**
 * The path of a line from one box to another, as SVG path data (d3-shape's curves). A straight one goes where the
 * fewest of the others are in its way.
 */
export function pathBetween(from: Box, to: Box, others: Iterable<Box> = []): string {
  const [x1, y1, x2, y2] = [
    middle(from.left, from.right),
    middle(from.top, from.bottom),
    middle(to.left, to.right),
    middle(to.top, to.bottom),
  ];
  let source: Point;
  let target: Point;
  if (to.left - from.right >= APART)
    [source, target] = [
      [from.right + GAP, y1],
      [to.left - GAP, y2],
    ];
  else if (from.left - to.right >= APART)
    [source, target] = [
      [from.left - GAP, y1],
      [to.right + GAP, y2],
    ];
  else {
    const below = y2 > y1;
    // What overlaps is joined straight, within the part that both have.
    const [low, high] = [Math.max(from.left, to.left), Math.min(from.right, to.right)];
    const straight = high - low > 2 * APART;
    const shared = straight
      ? freest(low, high, below ? from.bottom : to.bottom, below ? to.top : from.top, [...others])
      : 0;
    [source, target] = [
      [straight ? shared : x1, below ? from.bottom + GAP : from.top - GAP],
      [straight ? shared : x2, below ? to.top - GAP : to.bottom + GAP],
    ];
    return down({ source, target }) ?? '';
  }
  return across({ source, target }) ?? '';
}

/**
 * The place between `low` and `high`, the nearest to the middle, where a line from `top` to `bottom` crosses the
 * fewest boxes.
 */
function freest(low: number, high: number, top: number, bottom: number, others: readonly Box[]): number {
  const crossed = (x: number): number =>
    others.filter((box) => x > box.left - GAP && x < box.right + GAP && box.top < bottom && box.bottom > top).length;
  const center = middle(low, high);
  const places = Array.from({ length: TRIES }, (_, i) => low + ((i + 0.5) * (high - low)) / TRIES).sort(
    (a, b) => Math.abs(a - center) - Math.abs(b - center),
  );
  return places.reduce((best, place) => (crossed(place) < crossed(best) ? place : best));
}
