import type { Face, MyPlace, RoomCard, RoomState, StageMember } from '../../src/protocol/types.ts';

function face(id: string, name: string): Face {
  return { id: id.repeat(26).slice(0, 26), handle: name.toLowerCase(), name, picture: null };
}

export const ana = face('ana', 'Ana');
export const bruno = face('bruno', 'Bruno');
export const cleo = face('cleo', 'Cleo');

export const ROOM_ID = 'r'.repeat(26);

export function member(person: Face, changes: Partial<StageMember> = {}): StageMember {
  return { person, role: 'speaker', muted: false, csrc: person.handle.length, since: '2026-11-23T20:00:00Z', ...changes };
}

export function roomState(changes: Partial<RoomState> = {}): RoomState {
  return {
    id: ROOM_ID,
    title: 'Evening talk',
    topic: 'Lamps',
    language: 'en',
    visibility: 'open',
    phase: 'live',
    opened_at: '2026-11-23T20:00:00Z',
    ended_at: null,
    host: ana,
    stage: [member(ana, { role: 'host', csrc: 11 })],
    hand_count: 0,
    ...changes,
  };
}

export function roomCard(changes: Partial<RoomCard> = {}): RoomCard {
  const { id, title, topic, language, visibility, host, opened_at } = roomState();
  return { id, title, topic, language, visibility, host, opened_at, speakers: [ana], audience: 3, why: '', ...changes };
}

export const LISTENER: MyPlace = {
  role: 'listener',
  on_stage: false,
  hand_raised_at: null,
  hand_position: null,
  invited_by: null,
  muted: false,
  muted_by: null,
};

export const SPEAKER: MyPlace = { ...LISTENER, role: 'speaker', on_stage: true };
export const HOST: MyPlace = { ...LISTENER, role: 'host', on_stage: true };
