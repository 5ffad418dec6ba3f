import type { Component } from 'svelte';
import { flushSync, mount, unmount } from 'svelte';
import type { Salon } from '../../src/state/salon.svelte.ts';
import Frame from './Frame.svelte';

const mounted: object[] = [];

/** After each test, by `tests/setup.ts`: this module is loaded once for all files, and a hook of its own would hold for the first only. */
export function unmountAll(): void {
  for (const component of mounted.splice(0)) void unmount(component);
}

/** Mounts one component with a Salon around it, and returns the page's body. */
export function show<Props extends Record<string, unknown>>(salon: Salon, component: Component<Props>, props: Props): HTMLElement {
  mounted.push(
    mount(Frame, { target: document.body, props: { salon, component: component as Component<Record<string, unknown>>, props } }),
  );
  flushSync();
  return document.body;
}

export function byTestid(id: string): HTMLElement {
  const element = document.querySelector<HTMLElement>(`[data-testid="${id}"]`);
  if (!element) throw new Error(`nothing on the page is called ${id}`);
  return element;
}

export function testids(): string[] {
  return [...document.querySelectorAll<HTMLElement>('[data-testid]')].map((element) => element.dataset['testid'] ?? '');
}

export function press(id: string): void {
  byTestid(id).click();
  flushSync();
}
