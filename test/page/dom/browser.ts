import type { ComponentChild } from 'preact';
import { h, render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeEach, vi } from 'vitest';

/** What a test of components does as a visitor, and what stands for the lab behind them. */

const roots: HTMLElement[] = [];

/** Puts components on the page, with the effects that they have at once. */
export function mount(...children: readonly ComponentChild[]): HTMLElement {
  const root = document.createElement('div');
  document.body.append(root);
  roots.push(root);
  void act(() => render(h('div', {}, ...children), root));
  return root;
}

/** Takes care of what another has put on the page. */
export const adopt = (root: HTMLElement): void => void roots.push(root);

export function unmount(): void {
  void act(() => roots.splice(0).forEach((root) => (render(null, root), root.remove())));
}

/** A text as it is read: white space is one space. */
export const textOf = (element: Element | null | undefined): string =>
  (element?.textContent ?? '').replace(/\s+/g, ' ').trim();
export const textsOf = (root: ParentNode, selector: string): readonly string[] =>
  [...root.querySelectorAll(selector)].map(textOf);
export const find = <Found extends HTMLElement = HTMLElement>(root: ParentNode, selector: string): Found => {
  const found = root.querySelector<Found>(selector);
  if (!found) throw new Error(`nothing matches ${selector}`);
  return found;
};
/** A button by what is read to a visitor of it. */
export function button(root: ParentNode, name: string): HTMLButtonElement {
  const all = [...root.querySelectorAll('button')];
  const nameOf = (one: Element): string => one.getAttribute('aria-label') ?? textOf(one);
  const found = all.find((one) => nameOf(one) === name);
  if (!found) throw new Error(`no button "${name}" among ${all.map(nameOf).join(', ')}`);
  return found;
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};
/** Does something, and all that follows from it at once: what is drawn, and what is asked when it is drawn. */
export async function doing(work: () => unknown): Promise<void> {
  await act(async () => {
    await work();
    await turns();
  });
  await act(turns);
}
/** Waits until what is streamed has come. */
export async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !condition(); i++) await doing(() => new Promise((resolve) => setTimeout(resolve)));
  if (!condition()) throw new Error('it does not come');
}
export const click = (element: HTMLElement): Promise<void> => doing(() => element.click());
/** Whether the browser may do with the key what it does by itself. */
export async function press(element: HTMLElement, key: string): Promise<boolean> {
  const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true });
  await doing(() => element.dispatchEvent(event));
  return !event.defaultPrevented;
}
/** Types a text into a field, or chooses it in a list. */
export const enter = (field: HTMLInputElement | HTMLSelectElement, text: string): Promise<void> =>
  doing(() => {
    field.value = text;
    field.dispatchEvent(new Event(field instanceof HTMLInputElement ? 'input' : 'change', { bubbles: true }));
  });
/** Whether the browser would send the form away by itself. */
export async function submit(form: HTMLElement): Promise<boolean> {
  const event = new Event('submit', { bubbles: true, cancelable: true });
  await doing(() => form.dispatchEvent(event));
  return !event.defaultPrevented;
}

/** What the lab was asked: method, path, and body or undefined. */
export type Asked = readonly [method: string, path: string, body: unknown];
export const asked: Asked[] = [];
/** How the lab answers. A test sets it. */
export const lab = { answers: (_asked: Asked, _signal?: AbortSignal | null): Response | Promise<Response> => json({}) };
export const json = (answer: unknown, status = 200): Response =>
  ({ ok: status === 200, json: async () => structuredClone(answer) }) as Response;
/** An answer that comes in pieces. */
export function lines(...pieces: readonly string[]): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const piece of pieces) controller.enqueue(encoder.encode(piece));
      controller.close();
    },
  });
  return { ok: true, body } as Response;
}

/** What is told when its width changes. */
export interface Observer {
  readonly targets: readonly Element[];
  readonly changed: () => void;
  readonly ended: boolean;
}
export const observers: Observer[] = [];
class WidthObserver implements Observer {
  readonly targets: Element[] = [];
  ended = false;

  constructor(readonly changed: () => void) {
    observers.push(this);
  }

  observe(target: Element): void {
    this.targets.push(target);
  }

  disconnect(): void {
    this.ended = true;
  }
}

/** Media queries that match, by a part of their text. */
export const media = new Set<string>();

/** As browsers keep texts; Node 26 has a global of the name that keeps none. */
function emptyStorage(): Pick<Storage, 'getItem' | 'setItem'> {
  const kept = new Map<string, string>();
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, text) => void kept.set(key, text) };
}

/** For every test: a lab that has not been asked, nothing kept, no component. */
export function everyTest(): void {
  beforeEach(() => {
    // Properties that browsers have and this one does not.
    Object.defineProperty(HTMLElement.prototype, 'spellcheck', { value: true, writable: true, configurable: true });
    asked.length = 0;
    lab.answers = () => json({});
    media.clear();
    observers.length = 0;
    vi.stubGlobal('ResizeObserver', WidthObserver);
    vi.stubGlobal('localStorage', emptyStorage());
    vi.stubGlobal('sessionStorage', emptyStorage());
    vi.stubGlobal('fetch', async (url: string, init: RequestInit = {}) => {
      const body: unknown = typeof init.body === 'string' ? JSON.parse(init.body) : undefined;
      const one: Asked = [init.method ?? 'GET', url, body];
      asked.push(one);
      return lab.answers(one, init.signal);
    });
    vi.stubGlobal('matchMedia', (query: string) => ({
      matches: [...media].some((part) => query.includes(part)),
      addEventListener: () => {},
    }));
  });
  afterEach(() => {
    unmount();
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });
}
