/**
 * The table of section 7 of the protocol as pure functions: state and event in, next state out.
 *
 * An event of an unknown kind leaves the state as it is: a newer server may say more than this client knows.
 * States are never changed in place, so a view may hold on to one.
 */

import type { HallwayState, Hand, HandsState, PersonState, PlaceChanged, RoomCard, RoomState, StageMember, StageRole } from './types.ts';

export interface KindedEvent {
  kind: string;
  data: unknown;
}

export type Reducer<S> = (state: S, event: KindedEvent) => S;

export const applyToHallway: Reducer<HallwayState> = (state, { kind, data }) => {
  switch (kind) {
    case 'room_listed': {
      const card = data as RoomCard;
      return { rooms: replaceOrAppend(state.rooms, card, (room) => room.id === card.id) };
    }
    case 'room_unlisted': {
      const { id } = data as { id: string };
      return { rooms: state.rooms.filter((room) => room.id !== id) };
    }
    default:
      return state;
  }
};

export const applyToRoom: Reducer<RoomState> = (state, { kind, data }) => {
  switch (kind) {
    case 'stage_joined':
      return { ...state, stage: [...state.stage, data as StageMember] };
    case 'stage_left': {
      const { person } = data as { person: string };
      return { ...state, stage: state.stage.filter((member) => member.person.id !== person) };
    }
    case 'mute_changed': {
      const { person, muted } = data as { person: string; muted: boolean };
      return { ...state, stage: changeMember(state.stage, person, { muted }) };
    }
    case 'role_changed': {
      const { person, role } = data as { person: string; role: StageRole };
      return { ...state, stage: changeMember(state.stage, person, { role }) };
    }
    case 'hand_count_changed':
      return { ...state, hand_count: (data as { hand_count: number }).hand_count };
    case 'room_changed':
      return { ...state, ...(data as Partial<Pick<RoomState, 'title' | 'topic' | 'language' | 'visibility' | 'host'>>) };
    case 'room_ended':
      return { ...state, phase: 'ended', ended_at: (data as { ended_at: string }).ended_at, stage: [], hand_count: 0 };
    default:
      return state;
  }
};

export const applyToHands: Reducer<HandsState> = (state, { kind, data }) => {
  switch (kind) {
    case 'hand_raised':
      return { hands: [...state.hands, data as Hand] };
    case 'hand_lowered': {
      const { person } = data as { person: string };
      return { hands: state.hands.filter((hand) => hand.person.id !== person) };
    }
    case 'hand_invited': {
      const { person, invited } = data as { person: string; invited: boolean };
      return { hands: state.hands.map((hand) => (hand.person.id === person ? { ...hand, invited } : hand)) };
    }
    case 'hands_cleared':
      return { hands: [] };
    default:
      return state;
  }
};

export const applyToPerson: Reducer<PersonState> = (state, { kind, data }) => {
  if (kind !== 'place_changed') return state;
  const { room, place } = data as PlaceChanged;
  const others = Object.entries(state.places).filter(([id]) => id !== room);
  return { places: Object.fromEntries(place === null ? others : [...others, [room, place]]) };
};

function replaceOrAppend<T>(items: T[], item: T, isSame: (other: T) => boolean): T[] {
  return items.some(isSame) ? items.map((other) => (isSame(other) ? item : other)) : [...items, item];
}

function changeMember(stage: StageMember[], person: string, change: Partial<StageMember>): StageMember[] {
  return stage.map((member) => (member.person.id === person ? { ...member, ...change } : member));
}
