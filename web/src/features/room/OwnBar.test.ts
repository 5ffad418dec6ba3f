import { flushSync } from 'svelte';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { byTestid, press, show, testids } from '../../../tests/fakes/mount.ts';
import { ana, bruno, HOST, LISTENER, MODERATOR, roomState, SPEAKER } from '../../../tests/fakes/people.ts';
import { FakeTrack, plugIn, settle, Stage } from '../../../tests/fakes/salon.ts';
import type { MyPlace, RoomState } from '../../protocol/types.ts';
import OwnBar from './OwnBar.svelte';

let stage: Stage;

afterEach(() => {
  stage.salon.close();
  vi.restoreAllMocks();
});

/** A window wider than a phone. */
function spacious(): void {
  vi.spyOn(window, 'matchMedia').mockImplementation(
    (media) =>
      ({ media, matches: media.includes('36rem'), addEventListener: () => undefined, removeEventListener: () => undefined }) as never,
  );
}

async function barFor(
  person: typeof bruno | null,
  place: MyPlace | null = person === null ? null : LISTENER,
  settings: Partial<RoomState> = {},
): Promise<void> {
  plugIn(new FakeTrack());
  stage = new Stage(person === null ? null : Stage.person(person), place);
  stage.room = roomState(settings);
  await stage.enter();
  if (!stage.salon.room) throw new Error('not in a room');
  show(stage.salon, OwnBar, { connection: stage.salon.room, isDeskOpen: false, ondesk: () => undefined, oninvitation: null });
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
    expect(testids()).toEqual(['own-bar', 'leave-button', 'mute-button', 'own-menu-button']);
    expect(byTestid('mute-button').dataset['muted']).toBe('false');
    press('mute-button');
    await settle();
    flushSync();
    expect(byTestid('mute-button').dataset['muted']).toBe('true');
    press('own-menu-button');
    press('step-down-button');
    await settle();
    expect(stage.commands.map(({ name }) => name)).toEqual(['mute', 'step_down']);
  });

  it('has the way down beside the microphone where there is room', async () => {
    spacious();
    await barFor(bruno, SPEAKER);
    press('step-down-button');
    await settle();
    expect(stage.commands.map(({ name }) => name)).toEqual(['step_down']);
    press('own-menu-button');
    expect(testids().filter((id) => id === 'step-down-button')).toHaveLength(1);
  });

  it('explains a held mute instead of opening the microphone', async () => {
    const held = { by: ana, reason: 'Echo on your line', since: '2026-11-23T20:00:00Z' };
    await barFor(bruno, { ...SPEAKER, muted: true, muted_by: ana, held });
    expect(byTestid('mute-button').dataset).toMatchObject({ muted: 'true', held: 'true' });
    expect(byTestid('mute-button').getAttribute('aria-label')).toBe('Muted by a moderator: why?');
    press('mute-button');
    await settle();
    expect(stage.commands).toEqual([]);
    expect(byTestid('mute-held-sheet').textContent).toContain('Echo on your line');
    expect(byTestid('mute-held-sheet').textContent).toContain('By Ana');
    stage.placeChanged({ ...SPEAKER, muted: true }, 'release_mute');
    flushSync();
    expect(testids()).not.toContain('mute-held-sheet');
    press('mute-button');
    await settle();
    expect(stage.commands.map(({ name }) => name)).toEqual(['unmute']);
  });

  it('tells the room about a call, and closes the microphone for it', async () => {
    await barFor(bruno, SPEAKER);
    press('own-menu-button');
    press('on-a-call');
    await settle();
    expect(stage.commands.map(({ name, data }) => [name, data])).toEqual([
      ['mute', {}],
      ['set_status', { status: 'on_a_call' }],
    ]);
    stage.placeChanged({ ...SPEAKER, muted: true, status: 'on_a_call' }, 'set_status');
    flushSync();
    expect(byTestid('on-a-call').getAttribute('aria-checked')).toBe('true');
    press('on-a-call');
    await settle();
    expect(stage.commands.at(-1)).toMatchObject({ name: 'set_status', data: { status: null } });
  });

  it.each([
    ['nobody', 'No hands here: moderators invite.'],
    ['open_stage', 'The stage is locked.'],
  ] as const)('says why there is no way up with %s and a locked stage', async (hand_policy, sentence) => {
    await barFor(bruno, LISTENER, { hand_policy, stage_locked: true });
    expect(byTestid('hands-closed').textContent).toBe(sentence);
    expect(testids()).not.toContain('hand-button');
    expect(testids()).not.toContain('step-up-button');
  });

  it('lets a hand that is up be lowered whatever the policy has become', async () => {
    await barFor(bruno, { ...LISTENER, hand_raised_at: '2026-11-23T20:01:00Z', hand_position: 1 }, { hand_policy: 'nobody' });
    press('hand-button');
    await settle();
    expect(stage.commands.map(({ name }) => name)).toEqual(['lower_hand']);
  });

  it('steps up where the stage is open', async () => {
    await barFor(bruno, LISTENER, { hand_policy: 'open_stage' });
    expect(testids()).not.toContain('hand-button');
    press('step-up-button');
    await settle();
    expect(stage.commands.map(({ name, data }) => [name, data])).toEqual([['step_up', {}]]);
  });

  it('brings a moderator back to the stage by their own invitation', async () => {
    await barFor(bruno, { ...LISTENER, role: 'moderator' }, { stage_locked: true });
    press('step-up-button');
    await settle();
    expect(stage.commands.map(({ name, data }) => [name, data])).toEqual([['invite_to_stage', { person: bruno.id }]]);
  });

  it('names the policy that keeps a hand down', async () => {
    await barFor(bruno, LISTENER, { hand_policy: 'followed_by_speakers' });
    stage.refuseNext = { status: 403, code: 'hands_not_allowed', message: 'Hands are not open to you in this room.' };
    press('hand-button');
    await settle();
    expect(stage.salon.toasts.items).toMatchObject([{ text: 'Only people whom somebody on the stage follows raise a hand here.' }]);
  });

  it('lets a moderator, but not the host, give the role up', async () => {
    await barFor(bruno, MODERATOR);
    press('own-menu-button');
    press('give-up-moderating');
    expect(stage.commands).toEqual([]);
    press('confirm-give-up');
    await settle();
    expect(stage.commands.map(({ name, data }) => [name, data])).toEqual([['revoke_moderator', { person: bruno.id }]]);
    stage.placeChanged(HOST, 'succession', ana);
    flushSync();
    press('own-menu-button');
    expect(testids()).not.toContain('give-up-moderating');
  });

  it('asks a host before the room ends for everybody', async () => {
    await barFor(bruno, HOST);
    press('own-menu-button');
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
