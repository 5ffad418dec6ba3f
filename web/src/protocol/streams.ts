/**
 * The table of section 7 of the protocol as pure functions: state and event in, next state out.
 *
 * An event of an unknown kind leaves the state as it is: a newer server may say more than this client knows.
 * States are never changed in place, so a view may hold on to one.
 */

import type {
  ConversationState,
  Face,
  HallwayState,
  Hand,
  HandsState,
  Link,
  LogEntry,
  Message,
  ModerationState,
  Moderator,
  PersonState,
  PlaceChanged,
  Poll,
  Question,
  Removal,
  Request,
  RoomCard,
  RoomState,
  StageMember,
  StageRole,
  Status,
} from './types.ts';

/** Of a conversation's messages, and of a room's log. */
const NEWEST = 100;

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
      return { ...state, stage: withoutPerson(state.stage, person) };
    }
    case 'mute_changed': {
      const { person, muted, held } = data as { person: string; muted: boolean; held: boolean };
      return { ...state, stage: changeMember(state.stage, person, { muted, held }) };
    }
    case 'role_changed': {
      const { person, role } = data as { person: string; role: StageRole };
      return { ...state, stage: changeMember(state.stage, person, { role }) };
    }
    case 'status_changed': {
      const { person, status } = data as { person: string; status: Status | null };
      return { ...state, stage: changeMember(state.stage, person, { status }) };
    }
    case 'hand_count_changed':
      return { ...state, hand_count: (data as { hand_count: number }).hand_count };
    case 'room_changed':
      return { ...state, ...(data as Partial<Omit<RoomState, 'id' | 'stage' | 'phase' | 'opened_at' | 'ended_at'>>) };
    case 'room_ended':
      return {
        ...state,
        phase: 'ended',
        ended_at: (data as { ended_at: string }).ended_at,
        stage: [],
        hand_count: 0,
        grace_ends_at: null,
        host_away: false,
      };
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
      return { hands: withoutPerson(state.hands, person) };
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

export const applyToConversation: Reducer<ConversationState> = (state, { kind, data }) => {
  switch (kind) {
    case 'message_posted':
      return { ...state, messages: [...state.messages, data as Message].slice(-NEWEST) };
    case 'message_deleted': {
      const { message } = data as { message: string };
      return { ...state, messages: state.messages.filter(({ id }) => id !== message) };
    }
    case 'question_asked':
      return { ...state, questions: [...state.questions, data as Question] };
    case 'question_changed': {
      const { question, ...change } = data as { question: string; state: Question['state'] };
      return { ...state, questions: state.questions.map((other) => (other.id === question ? { ...other, ...change } : other)) };
    }
    case 'question_closed': {
      const { question } = data as { question: string };
      return { ...state, questions: state.questions.filter(({ id }) => id !== question) };
    }
    case 'link_pinned':
      return { ...state, links: [...state.links, data as Link] };
    case 'link_unpinned': {
      const { link } = data as { link: string };
      return { ...state, links: state.links.filter(({ id }) => id !== link) };
    }
    case 'poll_opened':
    case 'poll_closed':
      return { ...state, poll: data as Poll };
    default:
      return state;
  }
};

export const applyToModeration: Reducer<ModerationState> = (state, { kind, data }) => {
  switch (kind) {
    case 'moderators_changed':
      return { ...state, moderators: (data as { moderators: Moderator[] }).moderators };
    case 'removal_added': {
      const removal = data as Removal;
      return { ...state, removals: [...withoutPerson(state.removals, removal.person.id), removal] };
    }
    case 'removal_lifted':
      return { ...state, removals: withoutPerson(state.removals, (data as { person: string }).person) };
    case 'silenced_changed':
      return { ...state, silenced: (data as { silenced: Face[] }).silenced };
    case 'request_opened':
      return { ...state, requests: [...state.requests, data as Request] };
    case 'request_settled': {
      const { request } = data as { request: string };
      return { ...state, requests: state.requests.filter(({ id }) => id !== request) };
    }
    case 'action_logged':
      return { ...state, log: [...state.log, data as LogEntry].slice(-NEWEST) };
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

function withoutPerson<T extends { person: Face }>(items: T[], person: string): T[] {
  return items.filter((item) => item.person.id !== person);
}

function changeMember(stage: StageMember[], person: string, change: Partial<StageMember>): StageMember[] {
  return stage.map((member) => (member.person.id === person ? { ...member, ...change } : member));
}
