import { flushSync } from 'svelte';
import { afterEach, describe, expect, it } from 'vitest';
import { byTestid, show, testids } from '../../tests/fakes/mount.ts';
import { bruno, HOST, LISTENER, ROOM_ID } from '../../tests/fakes/people.ts';
import { FakeTrack, plugIn, settle, Stage } from '../../tests/fakes/salon.ts';
import Shortcuts from './Shortcuts.svelte';

let stage: Stage;

afterEach(() => stage.salon.close());

async function enterAs(place: typeof HOST): Promise<void> {
  plugIn(new FakeTrack());
  stage = new Stage(Stage.person(bruno), place);
  await stage.enter();
  show(stage.salon, Shortcuts, {});
}

function type(key: string, more: Partial<KeyboardEventInit> = {}, target: EventTarget = document.body): void {
  target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more }));
  flushSync();
}

const sent = () => stage.commands.map(({ name }) => name);

describe('a moderator’s keys', () => {
  it('open and close the desk, and go to the hands from wherever one is', async () => {
    await enterAs(HOST);
    stage.salon.router.go('/settings');
    type('q');
    const desk = stage.salon.room?.desk;
    expect([desk?.isOpen, desk?.tab, stage.salon.router.path]).toEqual([true, 'hands', `/room/${ROOM_ID}`]);
    type('d');
    expect(desk?.isOpen).toBe(false);
    type('d');
    expect(desk?.isOpen).toBe(true);
  });

  it('invite the next and mute all, and are not the microphone’s', async () => {
    await enterAs(HOST);
    type('n');
    type('M', { shiftKey: true });
    await settle();
    expect(sent()).toEqual(['invite_next', 'mute_all']);
    type('M');
    await settle();
    expect(sent()).toEqual(['invite_next', 'mute_all', 'mute']);
  });

  it('do nothing in a text field', async () => {
    await enterAs(HOST);
    const field = document.body.appendChild(document.createElement('textarea'));
    for (const key of ['d', 'q', 'n', 'm']) type(key, {}, field);
    type('M', { shiftKey: true }, field);
    await settle();
    expect([sent(), stage.salon.room?.desk.isOpen]).toEqual([[], null]);
  });

  it('are nobody else’s', async () => {
    await enterAs(LISTENER);
    for (const key of ['d', 'q', 'n']) type(key);
    type('M', { shiftKey: true });
    await settle();
    expect([sent(), stage.salon.room?.desk.isOpen]).toEqual([[], null]);
  });

  it('are in the list', async () => {
    await enterAs(LISTENER);
    expect(testids()).toEqual([]);
    type('?', { shiftKey: true });
    const keys = [...byTestid('shortcuts').querySelectorAll('kbd')].map(({ textContent }) => textContent);
    expect(keys).toEqual(expect.arrayContaining(['d', 'q', 'n', 'Shift+M']));
  });
});
