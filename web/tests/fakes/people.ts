import type { ConversationState, Face, ModerationState, MyPlace, RoomCard, RoomState, StageMember } from '../../src/protocol/types.ts';

function face(id: string, name: string): Face {
  return { id: id.repeat(26).slice(0, 26), handle: name.toLowerCase(), name, picture: null };
}

export const ana = face('ana', 'Ana');
export const bruno = face('bruno', 'Bruno');
export const cleo = face('cleo', 'Cleo');

export const ROOM_ID = 'r'.repeat(26);

export function member(person: Face, changes: Partial<StageMember> = {}): StageMember {
  return {
    person,
    role: 'speaker',
    muted: false,
    held: false,
    status: null,
    csrc: person.handle.length,
    since: '2026-11-23T20:00:00Z',
    ...changes,
  };
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
    club: null,
    locked: false,
    capacity: 1000,
    hand_policy: 'everyone',
    stage_locked: false,
    fair_floor: false,
    turn_secs: null,
    chat: true,
    questions: true,
    links: true,
    reactions: true,
    polls: true,
    slow_mode_secs: 0,
    deputy: null,
    grace_ends_at: null,
    host_away: false,
    ...changes,
  };
}

export function roomCard(changes: Partial<RoomCard> = {}): RoomCard {
  const { id, title, topic, language, visibility, host, opened_at, capacity } = roomState();
  return {
    id,
    title,
    topic,
    language,
    visibility,
    host,
    opened_at,
    capacity,
    speakers: [ana],
    audience: 3,
    why: '',
    folded: false,
    ...changes,
  };
}

export const LISTENER: MyPlace = {
  role: 'listener',
  on_stage: false,
  hand_raised_at: null,
  hand_position: null,
  invited_by: null,
  muted: false,
  muted_by: null,
  held: null,
  status: null,
  silenced: false,
};

export const SPEAKER: MyPlace = { ...LISTENER, role: 'speaker', on_stage: true };
export const HOST: MyPlace = { ...LISTENER, role: 'host', on_stage: true };
export const MODERATOR: MyPlace = { ...LISTENER, role: 'moderator', on_stage: true };

export const NO_CONVERSATION: ConversationState = { messages: [], questions: [], links: [], poll: null };
export const NO_MODERATION: ModerationState = { moderators: [], removals: [], silenced: [], requests: [], log: [] };
