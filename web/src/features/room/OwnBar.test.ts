import { flushSync } from 'svelte';
import { afterEach, describe, expect, it } from 'vitest';
import { byTestid, press, show, testids } from '../../../tests/fakes/mount.ts';
import { ana, bruno, HOST, LISTENER, SPEAKER } from '../../../tests/fakes/people.ts';
import { FakeTrack, plugIn, settle, Stage } from '../../../tests/fakes/salon.ts';
import OwnBar from './OwnBar.svelte';

let stage: Stage;

afterEach(() => stage.salon.close());

async function barFor(person: typeof bruno | null, place = person === null ? null : LISTENER): Promise<void> {
  plugIn(new FakeTrack());
  stage = new Stage(person === null ? null : Stage.person(person), place);
  await stage.enter();
  if (!stage.salon.room) throw new Error('not in a room');
  show(stage.salon, OwnBar, { connection: stage.salon.room, onqueue: () => undefined, oninvitation: null });
}

describe('the own bar', () => {
  it('offers a visitor the way out and the way to an account, and no hand', async () => {
    await barFor(null);
    expect(testids()).toEqual(['own-bar', 'leave-button', 'sign-in-to-speak']);
  });

  it('raises a listener’s hand and shows the place in the queue', async () => {
    await barFor(bruno);
    press('hand-button');
    await settle();
    expect(stage.commands.map(({ name }) => name)).toEqual(['raise_hand']);
    stage.placeChanged({ ...LISTENER, hand_raised_at: '2026-11-23T20:01:00Z', hand_position: 3 }, 'raise_hand');
    flushSync();
    expect(byTestid('hand-position').textContent).toBe('You are 3rd in line');
    expect(byTestid('hand-button').getAttribute('aria-pressed')).toBe('true');
    press('hand-button');
    await settle();
    expect(stage.commands.at(-1)?.name).toBe('lower_hand');
  });

  it('shows the server’s sentence when it refuses', async () => {
    await barFor(bruno);
    stage.refuseNext = { status: 409, code: 'hand_already_raised', message: 'Your hand is already up.' };
    press('hand-button');
    await settle();
    expect(stage.salon.toasts.items).toMatchObject([{ text: 'Your hand is already up.', tone: 'warning' }]);
  });

  it('gives a speaker the microphone and the way down', async () => {
    await barFor(bruno, SPEAKER);
    expect(testids()).toEqual(expect.arrayContaining(['mute-button', 'step-down-button']));
    expect(testids()).not.toContain('hand-button');
    expect(byTestid('mute-button').dataset['muted']).toBe('false');
    press('mute-button');
    await settle();
    flushSync();
    expect(byTestid('mute-button').dataset['muted']).toBe('true');
    expect(stage.commands.map(({ name }) => name)).toEqual(['mute']);
  });

  it('asks a host before the room ends for everybody', async () => {
    await barFor(bruno, HOST);
    press('end-room-button');
    expect(stage.commands).toEqual([]);
    press('confirm-end-room');
    await settle();
    expect(stage.commands.map(({ name }) => name)).toEqual(['end_room']);
  });

  it('has no microphone while another window plays the room', async () => {
    await barFor(bruno, SPEAKER);
    stage.sessionEnded('session1', 'taken_over');
    flushSync();
    expect(testids()).not.toContain('mute-button');
    expect(testids()).toContain('leave-button');
    stage.placeChanged(SPEAKER, 'unmute', ana);
    flushSync();
    expect(testids()).not.toContain('mute-button');
  });
});
