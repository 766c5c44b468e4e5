import { signal } from '@preact/signals';

/** Ids of groups and nodes that are shown part by part. */
export const opened = signal<ReadonlySet<string>>(new Set());

/** Opens a group or a node, or folds it again. */
export function toggle(id: string): void {
  const next = new Set(opened.value);
  if (!next.delete(id)) next.add(id);
  opened.value = next;
}
