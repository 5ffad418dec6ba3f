import axe from 'axe-core';
import { flushSync, mount, unmount } from 'svelte';
import { afterEach, describe, expect, it } from 'vitest';
import App from '../../src/app/App.svelte';
import { setLanguage } from '../../src/i18n/index.svelte.ts';
import { bruno, HOST } from '../fakes/people.ts';
import { FakeTrack, plugIn, settle, Stage } from '../fakes/salon.ts';

let stage: Stage;
let app: object;

afterEach(() => {
  void unmount(app);
  stage.salon.close();
  history.replaceState(null, '', '/');
});

async function open(path: string, person: typeof bruno | null): Promise<void> {
  plugIn(new FakeTrack());
  stage = new Stage(person === null ? null : Stage.person(person), person === null ? null : HOST);
  stage.salon.router.go(path);
  await stage.enter();
  app = mount(App, { target: document.body, props: { salon: stage.salon } });
  flushSync();
  await settle();
}

/** Colours are checked by ui/tokens.test.ts: jsdom lays nothing out. */
async function faults(): Promise<string[]> {
  const { violations } = await axe.run(document.body, { rules: { 'color-contrast': { enabled: false } } });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

describe.each(['en', 'fr'] as const)('in %s, axe finds nothing wrong with', (language) => {
  it.each([
    ['the hallway', '/', null],
    ['the room', `/room/${'r'.repeat(26)}`, bruno],
    ['signing in', '/sign-in', null],
    ['the settings', '/settings', null],
    ['a missing page', '/nowhere/at/all', null],
  ])('%s', async (_name, path, person) => {
    await open(path, person);
    setLanguage(language);
    flushSync();
    expect(await faults()).toEqual([]);
    expect(document.querySelectorAll('h1')).toHaveLength(1);
  });
});
