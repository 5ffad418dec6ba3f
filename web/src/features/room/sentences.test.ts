import { flushSync } from 'svelte';
import { afterEach, describe, expect, it } from 'vitest';
import { byTestid, press, show, testids } from '../../../tests/fakes/mount.ts';
import { ana, bruno, LISTENER, member, roomState, SPEAKER } from '../../../tests/fakes/people.ts';
import { FakeTrack, plugIn, settle, Stage } from '../../../tests/fakes/salon.ts';
import { ApiError } from '../../protocol/errors.ts';
import type { RoomConnection, RoomPhase } from '../../state/room.svelte.ts';
import RoomOver from './RoomOver.svelte';
import SoundNotice from './SoundNotice.svelte';

let stage: Stage;

afterEach(() => stage.salon.close());

async function enter(place = LISTENER): Promise<RoomConnection> {
  stage = new Stage(Stage.person(bruno), place);
  if (place.on_stage) stage.room = roomState({ stage: [member(bruno)] });
  await stage.enter();
  if (!stage.salon.room) throw new Error('not in a room');
  return stage.salon.room;
}

const refused = new ApiError({ code: 'invalid_sdp', message: 'This browser’s offer cannot be used.', field: null }, 400);

describe('a room that is over says what happened and what to do', () => {
  it.each<[RoomPhase, string, string]>([
    [{ name: 'ended' }, 'The room has ended', 'Chairs up, lamps out. There is always another door.'],
    [
      { name: 'removed', by: ana, reason: 'Too loud' },
      'You were removed from this room',
      'Ana asked you to leave. The reason given: “Too loud”',
    ],
    [{ name: 'removed', by: null, reason: null }, 'You were removed from this room', 'A moderator asked you to leave.'],
    [{ name: 'gone' }, 'No such room', 'It is over, or it is not for everyone. The hallway shows what is on.'],
    [
      { name: 'locked' },
      'The door is locked for now',
      'The moderators let no newcomers in at the moment. Whoever has been in may come back. Try again later.',
    ],
    [{ name: 'sign_in_required' }, 'This room is for members', 'Sign in to listen.'],
    [{ name: 'refused', error: refused }, 'That did not work', 'This browser’s offer cannot be used.'],
    [{ name: 'left' }, 'You have left', 'Nobody noticed. The door is still open.'],
  ])('%o', async (phase, title, text) => {
    const connection = await enter();
    connection.phase = phase;
    const page = show(stage.salon, RoomOver, { connection });
    expect(page.querySelector('h1')?.textContent).toBe(title);
    expect(page.querySelector('.empty p')?.textContent).toBe(text);
    expect(testids()).toContain('to-hallway');
  });
});

describe('the sound’s notice', () => {
  const kind = () => document.querySelector<HTMLElement>('[data-testid="sound-notice"]')?.dataset['kind'] ?? null;

  it('is silent while all is well', async () => {
    const connection = await enter();
    show(stage.salon, SoundNotice, { connection });
    expect(kind()).toBeNull();
  });

  it('asks for a tap where the browser wants one, and goes when it plays', async () => {
    const connection = await enter();
    connection.isBlocked = true;
    show(stage.salon, SoundNotice, { connection });
    expect(byTestid('tap-to-listen').textContent.trim()).toBe('Listen');
    connection.isBlocked = false;
    flushSync();
    expect(kind()).toBeNull();
  });

  it('tells who hears poorly, and who is heard poorly, for as long as that is so', async () => {
    const connection = await enter();
    show(stage.salon, SoundNotice, { connection });
    connection.isHearingPoorly = true;
    flushSync();
    expect(kind()).toBe('weak');
    expect(byTestid('sound-notice').textContent).toContain('Some words get lost on their way to you.');
    connection.isHearingPoorly = false;
    connection.isHeardPoorly = true;
    flushSync();
    expect(byTestid('sound-notice').textContent).toContain('Some of your words get lost on their way to the others.');
    connection.isHeardPoorly = false;
    flushSync();
    expect(kind()).toBeNull();
  });

  it('offers to take the sound back from another window', async () => {
    const connection = await enter();
    show(stage.salon, SoundNotice, { connection });
    stage.sessionEnded('session1', 'taken_over');
    flushSync();
    expect(kind()).toBe('elsewhere');
    press('play-here');
    expect(connection.phase).toEqual({ name: 'inside' });
  });

  it('tells a speaker without a microphone what to do, and tries again', async () => {
    plugIn();
    const connection = await enter(SPEAKER);
    await settle();
    show(stage.salon, SoundNotice, { connection });
    expect(kind()).toBe('microphone');
    expect(byTestid('sound-notice').textContent).toContain('No microphone found');
    plugIn(new FakeTrack());
    press('microphone-again');
    await settle();
    flushSync();
    expect(kind()).toBeNull();
    expect(stage.signalling.asked.map(({ direction }) => direction)).toEqual(['listen', 'speak']);
  });
});
