import { afterEach, describe, expect, it, vi } from 'vitest';
import { FakeConnection } from '../../tests/fakes/connection.ts';
import { ana, bruno, cleo, HOST, LISTENER, member, ROOM_ID, roomState, SPEAKER } from '../../tests/fakes/people.ts';
import { FakeTrack, plugIn, settle, Stage, unavailable } from '../../tests/fakes/salon.ts';
import { FakeSocket } from '../../tests/fakes/socket.ts';
import type { RoomConnection } from './room.svelte.ts';

let stage: Stage;

afterEach(() => {
  stage.salon.close();
});

async function enterAs(person: typeof bruno | null, place = person === null ? null : LISTENER): Promise<RoomConnection> {
  stage = new Stage(person === null ? null : Stage.person(person), place);
  if (place?.on_stage) stage.room = roomState({ stage: [member(ana, { role: 'host' }), member(bruno)] });
  await stage.enter();
  const { room } = stage.salon;
  if (!room) throw new Error('not in a room');
  return room;
}

const HAND = { raised_at: '2026-11-23T20:01:00Z', invited: false, has_spoken: false };

const opened = () => stage.signalling.asked.filter(({ kind }) => kind === 'open').map(({ direction }) => direction);

describe('a visitor', () => {
  it('hears the room and has no place in it', async () => {
    const room = await enterAs(null);
    expect(room.phase).toEqual({ name: 'inside' });
    expect(room.listening).toEqual({ name: 'connected' });
    expect(room.mine).toBeNull();
    expect(opened()).toEqual(['listen']);
    expect(FakeConnection.latest.transceivers.map(({ direction }) => direction)).toEqual(['recvonly', 'recvonly', 'recvonly']);
  });
});

describe('going on stage', () => {
  it('opens a speaking session beside the listening one, which goes on', async () => {
    const track = new FakeTrack();
    plugIn(track);
    const room = await enterAs(bruno);
    stage.placeChanged({ ...LISTENER, invited_by: ana }, 'invite_to_stage');
    expect(opened()).toEqual(['listen']);
    expect(stage.salon.announcer.urgent.trim()).toBe('Ana invites you to the stage.');
    stage.placeChanged(SPEAKER, 'accept_invitation');
    await settle();
    expect(opened()).toEqual(['listen', 'speak']);
    expect(FakeConnection.made[0]?.isClosed).toBe(false);
    FakeConnection.latest.become('connected');
    expect(room.speaking).toEqual({ name: 'connected' });
    expect(track.enabled).toBe(true);
  });

  it('lets the microphone go when the stage is lost', async () => {
    const track = new FakeTrack();
    plugIn(track);
    const room = await enterAs(bruno, SPEAKER);
    await settle();
    stage.placeChanged(LISTENER, 'move_to_audience');
    expect(track.isStopped).toBe(true);
    expect(room.speaking).toEqual({ name: 'stopped' });
    expect(room.listening).toEqual({ name: 'connected' });
    expect(stage.salon.toasts.items.map(({ text }) => text)).toEqual(['Ana moved you to the audience. You go on listening.']);
  });
});

describe('muting', () => {
  it('silences the microphone before the server has answered', async () => {
    const track = new FakeTrack();
    plugIn(track);
    const room = await enterAs(bruno, SPEAKER);
    await settle();
    const done = room.setMuted(true);
    expect(track.enabled).toBe(false);
    expect(room.isMuted).toBe(true);
    await done;
    stage.placeChanged({ ...SPEAKER, muted: true }, 'mute');
    expect(room.isMuted).toBe(true);
    expect(stage.commands.map(({ name }) => name)).toEqual(['mute']);
  });

  it('follows a moderator, and the person may unmute at once', async () => {
    const track = new FakeTrack();
    plugIn(track);
    const room = await enterAs(bruno, SPEAKER);
    await settle();
    stage.placeChanged({ ...SPEAKER, muted: true, muted_by: ana }, 'mute_speaker');
    expect(track.enabled).toBe(false);
    expect(stage.salon.toasts.items.map(({ text }) => text)).toEqual(['Ana muted you. You can unmute whenever you like.']);
    await room.setMuted(false);
    expect(stage.commands.at(-1)?.name).toBe('unmute');
    expect(track.enabled).toBe(true);
  });

  it('goes back to what it was when the server refuses', async () => {
    const track = new FakeTrack();
    plugIn(track);
    const room = await enterAs(bruno, { ...SPEAKER, muted: true });
    await settle();
    stage.refuseNext = { status: 403, code: 'not_on_stage', message: 'No.' };
    await expect(room.setMuted(false)).rejects.toMatchObject({ code: 'not_on_stage' });
    expect(room.isMuted).toBe(true);
    expect(track.enabled).toBe(false);
  });
});

describe('a held mute', () => {
  const HELD = { ...SPEAKER, muted: true, muted_by: ana, held: { by: ana, reason: 'Echo', since: '2026-11-23T20:01:00Z' } };

  it('cannot be undone by the one it is about, not even in the sound', async () => {
    const track = new FakeTrack();
    plugIn(track);
    const room = await enterAs(bruno, SPEAKER);
    await settle();
    const unmuting = room.setMuted(true).then(() => room.setMuted(false));
    stage.placeChanged(HELD, 'hold_mute', ana, 'Echo');
    await expect(unmuting).rejects.toMatchObject({ code: 'mute_held' });
    expect([room.isMuted, track.enabled]).toEqual([true, false]);
    expect(stage.commands.map(({ name }) => name)).toEqual(['mute']);
    stage.placeChanged({ ...SPEAKER, muted: true }, 'release_mute');
    await room.setMuted(false);
    expect([room.isMuted, track.enabled]).toEqual([false, true]);
  });
});

describe('a phone call', () => {
  it('is told to the room, and taken back when the system returns the microphone: the stage was kept', async () => {
    const track = new FakeTrack();
    plugIn(track);
    const room = await enterAs(bruno, SPEAKER);
    await settle();
    vi.useFakeTimers();
    track.onmute?.();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(stage.commands).toMatchObject([{ name: 'set_status', data: { status: 'on_a_call' } }]);
    stage.placeChanged({ ...SPEAKER, status: 'on_a_call' }, 'set_status');
    expect(room.isOnACall).toBe(true);
    track.onunmute?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(stage.commands.at(-1)).toMatchObject({ name: 'set_status', data: { status: null } });
    expect(opened()).toEqual(['listen', 'speak']);
    expect(track.enabled).toBe(true);
  });

  it('said by hand closes the microphone', async () => {
    const track = new FakeTrack();
    plugIn(track);
    const room = await enterAs(bruno, SPEAKER);
    await settle();
    await room.setOnACall(true);
    expect(stage.commands.map(({ name, data }) => [name, data])).toEqual([
      ['mute', {}],
      ['set_status', { status: 'on_a_call' }],
    ]);
    expect(track.enabled).toBe(false);
  });
});

describe('the grace of a host who is gone', () => {
  it('is counted from the server’s event, whatever the clock here says', async () => {
    const room = await enterAs(bruno);
    const before = Date.now();
    FakeSocket.latest.receive({
      type: 'event',
      stream: `room/${ROOM_ID}`,
      seq: 2,
      kind: 'room_changed',
      data: { grace_ends_at: '2031-01-01T00:00:30Z' },
      at: '2031-01-01T00:00:00Z',
    });
    const left = (room.graceEndsAtMs ?? 0) - before;
    expect(left).toBeGreaterThanOrEqual(30_000);
    expect(left).toBeLessThan(40_000);
    expect(stage.salon.announcer.polite.trim()).toBe('The host has gone for a moment.');
    FakeSocket.latest.receive({ type: 'event', stream: `room/${ROOM_ID}`, seq: 3, kind: 'room_changed', data: { grace_ends_at: null } });
    expect(room.graceEndsAtMs).toBeNull();
  });
});

describe('the microphone', () => {
  it('missing: says so, and tells the room that one is muted', async () => {
    plugIn();
    const room = await enterAs(bruno, SPEAKER);
    await settle();
    expect(stage.salon.microphone.fault).toBe('missing');
    expect(stage.commands.map(({ name }) => name)).toEqual(['mute']);
    expect(room.listening).toEqual({ name: 'connected' });
  });

  it('unplugged: goes on with the next one in the running session', async () => {
    const [first, second] = [new FakeTrack(), new FakeTrack()];
    plugIn(first, second);
    await enterAs(bruno, SPEAKER);
    await settle();
    first.onended?.();
    await settle();
    expect(FakeConnection.latest.senders[0]?.track).toBe(second);
    expect(opened()).toEqual(['listen', 'speak']);
    expect(stage.salon.microphone.fault).toBeNull();
  });

  it('unplugged and the only one: says so', async () => {
    const only = new FakeTrack();
    plugIn(only);
    await enterAs(bruno, SPEAKER);
    await settle();
    only.onended?.();
    await settle();
    expect(stage.salon.microphone.fault).toBe('unplugged');
  });
});

describe('a command', () => {
  it('is sent again with the same key when no answer came', async () => {
    const room = await enterAs(bruno);
    vi.useFakeTimers();
    stage.refuseNext = { status: 503, code: 'starting', message: '' };
    const done = room.command('raise_hand', {});
    await vi.advanceTimersByTimeAsync(1_000);
    await done;
    expect(stage.commands.map(({ name }) => name)).toEqual(['raise_hand', 'raise_hand']);
    expect(stage.commands[0]?.key).toMatch(/^[0-9a-f]{32}$/);
    expect(stage.commands[1]?.key).toBe(stage.commands[0]?.key);
  });

  it('is not held back behind one’s back when the wait is long', async () => {
    const room = await enterAs(bruno);
    stage.refuseNext = { status: 429, code: 'slow_mode', message: 'Slow.', retryAfter: 30 };
    await expect(room.command('post_message', { text: 'x' })).rejects.toMatchObject({ code: 'slow_mode', retryAfterSecs: 30 });
    expect(stage.commands).toHaveLength(1);
  });

  it('is not sent again when it was refused', async () => {
    const room = await enterAs(bruno);
    stage.refuseNext = { status: 409, code: 'hand_already_raised', message: 'Your hand is already up.' };
    await expect(room.command('raise_hand', {})).rejects.toMatchObject({ code: 'hand_already_raised' });
    expect(stage.commands).toHaveLength(1);
  });
});

describe('a moderator', () => {
  it('watches the hands, and stops when that is over', async () => {
    plugIn(new FakeTrack());
    const room = await enterAs(bruno, HOST);
    expect(FakeSocket.latest.all('watch').map(({ stream }) => stream)).toContain(`hands/${ROOM_ID}`);
    stage.event(`hands/${ROOM_ID}`, 'hand_raised', { person: cleo, raised_at: '2026-11-23T20:01:00Z', invited: false, has_spoken: false });
    expect(room.hands.map(({ person }) => person.name)).toEqual(['Cleo']);
    stage.placeChanged(SPEAKER, 'revoke_moderator');
    expect(FakeSocket.latest.all('unwatch').map(({ stream }) => stream)).toEqual([`hands/${ROOM_ID}`, `moderation/${ROOM_ID}`]);
    expect(room.hands).toEqual([]);
  });

  it('hears how many hands are up, not each by itself', async () => {
    plugIn(new FakeTrack());
    await enterAs(bruno, HOST);
    vi.useFakeTimers();
    for (const person of [ana, cleo]) stage.event(`hands/${ROOM_ID}`, 'hand_raised', { ...HAND, person });
    vi.advanceTimersByTime(1_200);
    expect(stage.salon.announcer.polite.trim()).toBe('2 hands are up.');
  });

  it('hears of another’s request, and of what became of their own', async () => {
    plugIn(new FakeTrack());
    const room = await enterAs(bruno, HOST);
    const request = { id: 'q1', action: 'end_room', by: ana, target: null, expires_at: '2026-11-23T20:04:00Z' };
    stage.event(`moderation/${ROOM_ID}`, 'request_opened', request);
    expect(stage.salon.announcer.urgent.trim()).toBe('Ana wants to end the room. A second moderator has to agree.');
    expect(room.desk.requestsToAnswer.map(({ id }) => id)).toEqual(['q1']);
    stage.event(`moderation/${ROOM_ID}`, 'request_opened', { ...request, id: 'q2', by: bruno });
    expect(stage.salon.announcer.urgent.trim()).toBe('Another moderator has to confirm this within two minutes.');
    stage.event(`moderation/${ROOM_ID}`, 'request_settled', { request: 'q2', outcome: 'refused' });
    expect(stage.salon.announcer.urgent.trim()).toBe('Another moderator has refused it. Nothing was changed.');
    expect(room.desk.requestsToAnswer.map(({ id }) => id)).toEqual(['q1']);
  });

  it('knows from the log whose mute is held off the stage', async () => {
    plugIn(new FakeTrack());
    const room = await enterAs(bruno, HOST);
    const entry = { id: 'l1', action: 'hold_mute', by: ana, target: cleo, reason: 'Echo', data: {}, at: '2026-11-23T20:01:00Z' };
    stage.event(`moderation/${ROOM_ID}`, 'action_logged', entry);
    expect([room.desk.isHeld(cleo.id), room.desk.isHeld(ana.id)]).toEqual([true, false]);
    stage.event(`moderation/${ROOM_ID}`, 'action_logged', { ...entry, id: 'l2', action: 'release_mute' });
    expect(room.desk.isHeld(cleo.id)).toBe(false);
  });
});

describe('the end', () => {
  it('comes with the reason one was removed, whichever word arrives first', async () => {
    const room = await enterAs(bruno);
    stage.sessionEnded('session1', 'removed');
    expect(room.phase).toEqual({ name: 'removed', by: null, reason: null });
    stage.placeChanged(null, 'remove_person', ana, 'Too loud');
    expect(room.phase).toEqual({ name: 'removed', by: ana, reason: 'Too loud' });
    expect(FakeConnection.made.every(({ isClosed }) => isClosed)).toBe(true);
  });

  it('comes for everybody when the room ends', async () => {
    const room = await enterAs(bruno);
    stage.event(`room/${ROOM_ID}`, 'room_ended', { ended_at: '2026-11-23T21:00:00Z', reason: 'ended' });
    expect(room.phase).toEqual({ name: 'ended' });
    expect(FakeSocket.latest.all('unwatch').map(({ stream }) => stream)).toEqual([`room/${ROOM_ID}`, `conversation/${ROOM_ID}`]);
  });

  it('is quiet when one leaves: the server is told once', async () => {
    const room = await enterAs(bruno);
    stage.salon.leave();
    await settle();
    expect(room.phase).toEqual({ name: 'left' });
    expect(stage.commands.map(({ name }) => name)).toEqual(['leave_room']);
    expect(stage.signalling.asked.at(-1)).toEqual({ kind: 'close', location: '/api/v1/media/session1' });
    expect(document.querySelectorAll('audio')).toHaveLength(0);
  });
});

describe('a room the page forgot', () => {
  it('opens no speaking session when the microphone comes later', async () => {
    const track = new FakeTrack();
    let allow: () => void = () => undefined;
    plugIn(track);
    const { getUserMedia } = navigator.mediaDevices;
    navigator.mediaDevices.getUserMedia = async () => {
      await new Promise<void>((resolve) => (allow = resolve));
      return getUserMedia();
    };
    const room = await enterAs(bruno, SPEAKER);
    room.close();
    allow();
    await settle();
    expect(room.phase).toEqual({ name: 'left' });
    expect(opened()).toEqual(['listen']);
    expect(track.isStopped).toBe(true);
  });

  it('watches nothing when its first answer comes later', async () => {
    stage = new Stage(Stage.person(bruno), HOST);
    plugIn(new FakeTrack());
    await stage.salon.session.load();
    const room = stage.salon.enter(ROOM_ID);
    room.close();
    await settle();
    FakeSocket.latest.welcome();
    expect(FakeSocket.latest.all('watch').map(({ stream }) => stream)).not.toContain(`hands/${ROOM_ID}`);
    expect(opened()).toEqual([]);
    expect(room.room).toBeNull();
  });

  it('gives way to the same room, entered anew', async () => {
    stage = new Stage(Stage.person(bruno), SPEAKER);
    plugIn(new FakeTrack(), new FakeTrack());
    await stage.salon.session.load();
    stage.salon.enter(ROOM_ID);
    stage.salon.enterAgain(ROOM_ID);
    await settle();
    expect(stage.salon.room?.phase).toEqual({ name: 'inside' });
    expect(opened().filter((direction) => direction === 'speak')).toEqual(['speak']);
  });
});

describe('two windows', () => {
  it('the older one says so, stays silent, and can take the sound back', async () => {
    const room = await enterAs(bruno);
    stage.sessionEnded('session1', 'taken_over');
    expect(room.phase).toEqual({ name: 'elsewhere' });
    expect(FakeConnection.latest.isClosed).toBe(true);
    expect(opened()).toEqual(['listen']);
    room.takeBack();
    await settle();
    expect(opened()).toEqual(['listen', 'listen']);
    expect(room.phase).toEqual({ name: 'inside' });
  });
});

describe('trouble that passes', () => {
  it('a busy media server is no end of the room', async () => {
    stage = new Stage(Stage.person(bruno));
    stage.signalling.failures.push(unavailable, unavailable);
    await stage.salon.session.load();
    const room = stage.salon.enter(ROOM_ID);
    await settle();
    expect(room.phase).toEqual({ name: 'inside' });
    expect(room.listening).toEqual({ name: 'reconnecting' });
  });

  it('a socket that drops leaves everything in place', async () => {
    const room = await enterAs(bruno);
    FakeSocket.latest.drop(4503);
    expect(room.phase).toEqual({ name: 'inside' });
    expect(room.room?.title).toBe('Evening talk');
    expect(room.listening).toEqual({ name: 'connected' });
  });

  it('a change of network restarts ICE in both sessions, and nothing else', async () => {
    plugIn(new FakeTrack());
    const room = await enterAs(bruno, SPEAKER);
    for (const connection of FakeConnection.made) connection.become('connected');
    window.dispatchEvent(new Event('online'));
    await settle();
    expect(stage.signalling.kinds()).toEqual(['open', 'open', 'restart', 'restart']);
    expect([room.listening, room.speaking]).toEqual([{ name: 'connected' }, { name: 'connected' }]);
  });

  it('what sound really arrives is told over the socket', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    await enterAs(bruno);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(FakeSocket.latest.last('quality')).toMatchObject({ session: 'session1', period_secs: 10, packets: 0, lost_share: null });
    vi.useRealTimers();
  });
});
