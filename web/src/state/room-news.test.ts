import { describe, expect, it } from 'vitest';
import { ana, bruno, HOST, LISTENER, member, MODERATOR, ROOM_ID, roomState, SPEAKER } from '../../tests/fakes/people.ts';
import type { Face, MyPlace, RoomState } from '../protocol/types.ts';
import { newsOfPlace, newsOfRoom } from './room-news.ts';

const told = (place: MyPlace | null, before: MyPlace | null, cause: string, by: Face | null = ana, reason: string | null = null) =>
  newsOfPlace({ room: ROOM_ID, place, cause, by, reason }, before).map(({ text, isShown }) => `${isShown ? 'shown' : 'said'}: ${text}`);

describe('what happens to oneself', () => {
  const held = { ...SPEAKER, muted: true, held: { by: ana, reason: 'Echo', since: '2026-11-23T20:01:00Z' } };

  it.each<[string, MyPlace, MyPlace, string[]]>([
    ['invite_to_stage', { ...LISTENER, invited_by: ana }, LISTENER, ['said: Ana invites you to the stage.']],
    ['invite_next', { ...LISTENER, invited_by: ana }, LISTENER, ['said: Ana invites you to the stage.']],
    ['take_question', { ...LISTENER, invited_by: ana }, LISTENER, ['said: Ana invites you to the stage.']],
    ['hand_queue', { ...LISTENER, invited_by: ana }, { ...LISTENER, invited_by: ana }, []],
    ['accept_invitation', SPEAKER, { ...LISTENER, invited_by: ana }, ['said: You are on the stage.']],
    ['step_up', { ...SPEAKER, muted: true }, LISTENER, ['said: You are on the stage.']],
    ['mute_speaker', { ...SPEAKER, muted: true }, SPEAKER, ['shown: Ana muted you. You can unmute whenever you like.']],
    ['mute_all', { ...SPEAKER, muted: true }, SPEAKER, ['shown: Ana muted you. You can unmute whenever you like.']],
    ['hold_mute', held, SPEAKER, ['shown: Ana keeps you muted until a moderator releases it. The reason given: “Echo”']],
    ['release_mute', { ...SPEAKER, muted: true }, held, ['shown: Ana released your mute. You can open your microphone now.']],
    ['move_to_audience', LISTENER, SPEAKER, ['shown: Ana moved you to the audience. You go on listening.']],
    ['appoint_moderator', MODERATOR, SPEAKER, ['shown: Ana made you a moderator of this room.']],
    ['revoke_moderator', SPEAKER, MODERATOR, ['shown: Ana took the role of moderator back. You stay in the room.']],
    [
      'silence_person',
      { ...LISTENER, silenced: true },
      LISTENER,
      ['shown: Ana has closed writing to you in this room. You go on hearing everything.'],
    ],
    [
      'clear_hands',
      LISTENER,
      { ...LISTENER, hand_raised_at: '2026-11-23T20:01:00Z' },
      ['shown: Ana cleared the hand queue: your hand is down. You may raise it again.'],
    ],
  ])('%s', (cause, place, before, expected) => {
    expect(told(place, before, cause)).toEqual(expected);
  });

  it('says nothing where nobody else did it', () => {
    expect(told(SPEAKER, MODERATOR, 'revoke_moderator', null)).toEqual([]);
    expect(told(LISTENER, SPEAKER, 'step_down', null)).toEqual([]);
    expect(told({ ...MODERATOR, on_stage: false, invited_by: bruno }, { ...MODERATOR, on_stage: false }, 'invite_to_stage', null)).toEqual(
      [],
    );
    expect(told(null, LISTENER, 'leave_room', null)).toEqual([]);
  });

  it('says who runs the room when the role of host passes on, and when it goes back', () => {
    expect(told(HOST, MODERATOR, 'succession', null)).toEqual(['shown: You are the host of this room now.']);
    expect(told(MODERATOR, HOST, 'enter_room', bruno)).toEqual(['shown: The host is back and runs the room again. You stay a moderator.']);
  });
});

describe('what happens to the room', () => {
  const room = roomState({ stage: [member(ana, { role: 'host' }), member(bruno)] });
  const said = (kind: string, data: unknown, before: RoomState = room, me: string | null = null) =>
    newsOfRoom({ stream: `room/${ROOM_ID}`, seq: 2, kind, data }, before, me).map(({ text }) => text);

  it('tells who has which role now, but nobody their own', () => {
    expect(said('role_changed', { person: bruno.id, role: 'moderator' })).toEqual(['Bruno is a moderator now.']);
    expect(said('role_changed', { person: bruno.id, role: 'host' })).toEqual(['Bruno is the host now.']);
    expect(said('role_changed', { person: ana.id, role: 'moderator' })).toEqual(['Ana is a moderator and no longer the host.']);
    expect(said('role_changed', { person: bruno.id, role: 'host' }, room, bruno.id)).toEqual([]);
    const moderated = roomState({ stage: [member(bruno, { role: 'moderator' })] });
    expect(said('role_changed', { person: bruno.id, role: 'speaker' }, moderated)).toEqual(['Bruno is no longer a moderator.']);
  });

  it('tells a host who is gone, the stage that is locked for it, and the way back', () => {
    expect(said('room_changed', { grace_ends_at: '2026-11-23T20:02:00Z' })).toEqual(['The host has gone for a moment.']);
    expect(said('room_changed', { grace_ends_at: null, host_away: true })).toEqual(['The host is away: the stage is locked.']);
    expect(said('room_changed', { host_away: false }, roomState({ host_away: true }))).toEqual(['A moderator is back.']);
  });

  it('tells the deputy, and nobody else, who that is', () => {
    expect(said('room_changed', { deputy: bruno.id }, room, bruno.id)).toEqual([
      'You are the deputy now: if the host is gone, you take over.',
    ]);
    expect(said('room_changed', { deputy: bruno.id }, room, ana.id)).toEqual([]);
  });
});
