import { flushSync } from 'svelte';
import { afterEach, expect, it } from 'vitest';
import { byTestid, show } from '../../tests/fakes/mount.ts';
import { Stage } from '../../tests/fakes/salon.ts';
import App from '../app/App.svelte';

let stage: Stage;

afterEach(() => stage.salon.close());

it('lets a dialog neither cover nor silence what is told, and takes it back when it closes', () => {
  stage = new Stage(null);
  show(stage.salon, App, { salon: stage.salon });
  const region = byTestid('live-urgent');
  expect(region.closest('dialog')).toBeNull();
  window.dispatchEvent(new KeyboardEvent('keydown', { key: '?' }));
  flushSync();
  expect(region.closest('dialog')).toBe(byTestid('shortcuts'));
  stage.salon.announcer.sayNow('Ana muted you.');
  stage.salon.toasts.show('Ana muted you.');
  flushSync();
  expect(region.textContent.trim()).toBe('Ana muted you.');
  expect(byTestid('toast').closest('dialog')).toBe(byTestid('shortcuts'));
  byTestid('shortcuts').querySelector('button')?.click();
  flushSync();
  expect(region.isConnected).toBe(true);
  expect(region.closest('dialog')).toBeNull();
});
