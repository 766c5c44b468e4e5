import { Type } from '../wire/index.js';
import type { NamePath } from './name-path.js';
import { NONE, type NameNode } from './tree.js';
import type { ZoneData } from './zone.js';

/** What a zone has for a name and type, as CoreDNS sees it. */
export type ZoneFinding =
  /** The name itself, with records of some type. */
  | { readonly kind: 'name'; readonly node: NameNode }
  /** A wildcard that its records are made from (RFC 4592); none where the wildcard is an empty non-terminal. */
  | { readonly kind: 'wildcard'; readonly node: NameNode | undefined }
  /** A name at or above it that is delegated. */
  | { readonly kind: 'cut'; readonly node: NameNode }
  /** A name above it whose subtree is redirected (RFC 6672). */
  | { readonly kind: 'redirection'; readonly node: NameNode }
  /** Nothing; `between` where names exist below it, and for the zone's own name. */
  | { readonly kind: 'none'; readonly between: boolean };

const STAR = Uint8Array.of(1, 0x2a);

/** Finds a name that is in the zone, from its origin down. */
export function find(zone: ZoneData, path: NamePath, type: number): ZoneFinding {
  const { tree, records } = zone;
  let node: NameNode = zone.head;
  let wildcard: NameNode = NONE;
  /** Labels of the name that the wildcard stands beside, and that name. */
  let besideLabels = 0;
  let beside: NameNode = NONE;
  for (let level = zone.labels; ; level++) {
    const last = level === path.count;
    if (node !== NONE && records.has(node)) {
      if (!last && records.hasType(node, Type.DNAME)) return { kind: 'redirection', node };
      // DS is a matter of the parent's side of a cut (RFC 4035 section 3.1.4.1).
      if (records.hasType(node, Type.NS) && !(last && type === Type.DS)) return { kind: 'cut', node };
      if (last) return { kind: 'name', node };
    }
    if (last) break;
    const parent: NameNode = node;
    node = tree.child(parent, path.bytes, path.label(level));
    if (node === NONE || !records.has(node)) {
      const star = tree.child(parent, STAR, 0);
      if (star !== NONE) [wildcard, beside, besideLabels] = [star, node, level + 1];
    }
    if (node === NONE) break;
  }
  // A name that exists below the wildcard's parent is closer (RFC 4592 section 3.3.1). The name that is asked for does
  // not count here if it only lies between others: CoreDNS answers it from the wildcard.
  const closer = besideLabels < path.count && beside !== NONE;
  if (wildcard !== NONE && !closer) return { kind: 'wildcard', node: records.has(wildcard) ? wildcard : undefined };
  return { kind: 'none', between: node !== NONE };
}

/** The delegation that a name is at or below; undefined where there is none. */
export function findCut(zone: ZoneData, path: NamePath, type: number): NameNode | undefined {
  const { tree, records } = zone;
  let node: NameNode = zone.head;
  for (let level = zone.labels; level < path.count; level++) {
    node = tree.child(node, path.bytes, path.label(level));
    if (node === NONE) return undefined;
    if (records.hasType(node, Type.NS) && !(level + 1 === path.count && type === Type.DS)) return node;
  }
  return undefined;
}
