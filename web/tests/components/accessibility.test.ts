import axe from 'axe-core';
import { flushSync, mount, unmount } from 'svelte';
import { afterEach, describe, expect, it } from 'vitest';
import App from '../../src/app/App.svelte';
// Loaded here, so that the page finds it at once.
import '../../src/features/room/desk/Desk.svelte';
import { setLanguage } from '../../src/i18n/index.svelte.ts';
import { byTestid } from '../fakes/mount.ts';
import { ana, bruno, cleo, HOST, ROOM_ID } from '../fakes/people.ts';
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
async function faults(part: HTMLElement = document.body): Promise<string[]> {
  const { violations } = await axe.run(part, { rules: { 'color-contrast': { enabled: false } } });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

// A machine that is busy takes its time over axe.
const TIMEOUT = 30_000;

describe.each(['en', 'fr'] as const)('in %s, axe finds nothing wrong with', { timeout: TIMEOUT }, (language) => {
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

describe('axe finds nothing wrong with the moderators’ desk', () => {
  it('at any of its parts', { timeout: TIMEOUT }, async () => {
    await open(`/room/${ROOM_ID}`, bruno);
    for (const person of [ana, cleo]) {
      stage.event(`hands/${ROOM_ID}`, 'hand_raised', { person, raised_at: '2026-11-23T20:01:00Z', invited: false, has_spoken: false });
    }
    const entry = { id: 'l1', action: 'hold_mute', by: bruno, target: cleo, reason: 'Echo', data: {}, at: '2026-11-23T20:01:00Z' };
    stage.event(`moderation/${ROOM_ID}`, 'action_logged', entry);
    stage.event(`moderation/${ROOM_ID}`, 'removal_added', { person: cleo, by: bruno, reason: '', at: '2026-11-23T20:01:00Z', until: null });
    const request = { id: 'q1', action: 'end_room', by: ana, target: null, expires_at: '2026-11-23T20:04:00Z' };
    stage.event(`moderation/${ROOM_ID}`, 'request_opened', request);
    for (const tab of ['hands', 'people', 'log', 'settings'] as const) {
      stage.salon.room?.desk.open(tab);
      flushSync();
      await settle();
      const desk = byTestid('desk-dialog');
      expect(byTestid('desk').dataset['tab']).toBe(tab);
      expect([tab, await faults(desk)]).toEqual([tab, []]);
    }
  });
});
