import { effect, signal } from '@preact/signals';
import { keep, read } from './kept.js';

/** `auto` is as the machine has it. */
export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'nodens-theme';
const store = (): Storage => localStorage;

export const theme = signal<Theme>('auto');
/** Rises when colours change: canvases have to be drawn again. */
export const repainted = signal(0);

/** Takes the theme that was chosen last, and follows changes of it and of the machine's. */
export function followTheme(): void {
  const kept = read<Theme>(store, KEY);
  if (kept && THEMES.includes(kept)) theme.value = kept;
  effect(() => {
    document.documentElement.dataset.theme = theme.value;
    keep(store, KEY, theme.value);
    repainted.value = repainted.peek() + 1;
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => repainted.value++);
}

/**
 * The colour that a property of the style sheet stands for now. @param probe an element without an outline; the style of
 * the root would be worked out anew for the whole page
 */
export function colourOf(property: string, probe: HTMLElement): string {
  const before = probe.style.outlineColor;
  probe.style.outlineColor = `var(${property})`;
  const colour = getComputedStyle(probe).outlineColor;
  probe.style.outlineColor = before;
  return colour;
}
