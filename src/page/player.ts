import { computed, signal } from '@preact/signals';
import type { LookupAnswer, LookupRequest } from '../lab/web/api.js';
import { frameAt } from './address.js';
import { lookUp } from './connection.js';
import { endOf, framesOf, startOf } from './frames.js';

/** Time that a moment stands while the lookup plays, in milliseconds. */
const PACE = 320;
/** Lookups that are kept to be compared. */
const KEPT = 12;

export const story = signal<LookupAnswer | undefined>(undefined);
/** Lookups so far, the newest first. */
export const past = signal<readonly LookupAnswer[]>([]);
export const busy = signal(false);
export const problem = signal('');
export const index = signal(0);
export const playing = signal(false);

export const frames = computed(() => (story.value ? framesOf(story.value) : []));
export const frame = computed(() => frames.value[index.value]);
/** Queries that have been reached: they are lit in the table. */
export const reached = computed(() => {
  const now = frame.value;
  if (!now || now.kind === 'start') return -1;
  return now.kind === 'end' ? (story.value?.cost.queries ?? 0) - 1 : now.query;
});

let timer: ReturnType<typeof setTimeout> | undefined;
const still = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches;

/**
 * Asks, and plays the answer where motion is welcome. @param step a moment as an address names it, to stand at in
 * place of playing
 */
export async function ask(request: LookupRequest, step?: string): Promise<void> {
  pause();
  busy.value = true;
  problem.value = '';
  try {
    const answer = await lookUp(request);
    show(answer);
    past.value = [answer, ...past.value].slice(0, KEPT);
    if (step !== undefined) goTo(frameAt(frames.value, step));
    else if (!still()) play();
  } catch (error) {
    problem.value = (error as Error).message;
  } finally {
    busy.value = false;
  }
}

/** Puts a lookup on the stage, at its beginning. */
export function show(answer: LookupAnswer): void {
  pause();
  story.value = answer;
  index.value = 0;
}

/** Goes to a moment; what plays stops. */
export function goTo(place: number): void {
  pause();
  index.value = Math.max(0, Math.min(frames.value.length - 1, place));
}

export const goToQuery = (query: number): void => goTo(startOf(frames.value, query));

/** To the next query's end, or the one before. */
export function byQuery(direction: 1 | -1): void {
  const last = (story.value?.cost.queries ?? 0) - 1;
  const current = frame.value?.kind === 'end' ? last + 1 : (frame.value?.query ?? -1);
  const wanted = current + direction;
  goTo(wanted < 0 ? 0 : wanted > last ? frames.value.length - 1 : endOf(frames.value, wanted));
}

export function play(): void {
  if (frames.value.length === 0) return;
  if (index.value >= frames.value.length - 1) index.value = 0;
  playing.value = true;
  clearTimeout(timer);
  timer = setTimeout(tick, PACE);
}

export function pause(): void {
  playing.value = false;
  clearTimeout(timer);
}

function tick(): void {
  index.value++;
  if (index.value >= frames.value.length - 1) pause();
  else timer = setTimeout(tick, PACE);
}
