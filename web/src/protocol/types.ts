/**
 * What the server says and is told: docs/protocol.md in TypeScript, names and shapes unchanged.
 *
 * Times are RFC 3339 strings in UTC, languages BCP 47, ids opaque.
 */

export type PersonId = string;
export type RoomId = string;
export type SessionId = string;
export type Time = string;
export type LanguageTag = string;

export interface Face {
  id: PersonId;
  handle: string;
  name: string;
  picture: string | null;
}

export interface Person extends Face {
  languages: LanguageTag[];
}

export interface Profile extends Person {
  bio: string;
  inviter: Face | null;
  joined_at: Time;
}

export interface MyProfile extends Profile {
  email: string | null;
  invitations_left: number;
}

export type SignUpPolicy = 'invite' | 'waitlist' | 'open';

export interface Me {
  person: Person | null;
  visitor: boolean;
  sign_up_policy: SignUpPolicy;
  demo: boolean;
  anonymous_listening: boolean;
}

export type Visibility = 'open' | 'social' | 'closed';

export interface RoomCard {
  id: RoomId;
  title: string;
  topic: string;
  language: LanguageTag;
  visibility: Visibility;
  host: Face;
  speakers: Face[];
  audience: number;
  opened_at: Time;
  why: string;
}

export type StageRole = 'host' | 'moderator' | 'speaker';
export type Role = StageRole | 'listener';

export interface StageMember {
  person: Face;
  role: StageRole;
  muted: boolean;
  /** How this person's packets are named to listeners, unique in the room. */
  csrc: number;
  since: Time;
}

export interface RoomState {
  id: RoomId;
  title: string;
  topic: string;
  language: LanguageTag;
  visibility: Visibility;
  phase: 'live' | 'ended';
  opened_at: Time;
  ended_at: Time | null;
  host: Face;
  /** In order of arrival. */
  stage: StageMember[];
  hand_count: number;
}

export interface MyPlace {
  role: Role;
  on_stage: boolean;
  hand_raised_at: Time | null;
  /** One's place in the hand queue, counted from 1. */
  hand_position: number | null;
  invited_by: Face | null;
  muted: boolean;
  muted_by: Face | null;
}

export interface Room extends RoomCard {
  state: RoomState;
  mine: MyPlace | null;
}

export interface Hand {
  person: Face;
  raised_at: Time;
  invited: boolean;
  has_spoken: boolean;
}

export interface HallwayState {
  rooms: RoomCard[];
}

export interface HandsState {
  hands: Hand[];
}

export interface PersonState {
  places: Record<RoomId, MyPlace>;
}

/** Fields of each command; see section 4 of the protocol. */
export interface Commands {
  raise_hand: Record<string, never>;
  lower_hand: Record<string, never>;
  invite_to_stage: { person: PersonId };
  accept_invitation: Record<string, never>;
  decline_invitation: Record<string, never>;
  mute: Record<string, never>;
  unmute: Record<string, never>;
  mute_speaker: { person: PersonId };
  step_down: Record<string, never>;
  move_to_audience: { person: PersonId };
  remove_person: { person: PersonId; reason?: string; minutes?: number };
  leave_room: Record<string, never>;
  end_room: Record<string, never>;
}

export type CommandName = keyof Commands;

export interface CommandAnswer {
  seq: number;
}

export interface Ticket {
  ticket: string;
  expires_in: number;
}

export type StageLeftReason = 'stepped_down' | 'moved' | 'removed' | 'left';
export type SessionEndReason = 'taken_over' | 'removed' | 'left_stage' | 'room_ended' | 'timed_out';

export interface PlaceChanged {
  room: RoomId;
  place: MyPlace | null;
  /** The command that changed the place, for the sentence to show. */
  cause: string;
  by: Face | null;
  reason: string | null;
}

export interface SessionEnded {
  session: SessionId;
  room: RoomId;
  reason: SessionEndReason;
}

export interface StreamEvent {
  stream: string;
  seq: number;
  kind: string;
  data: unknown;
  at?: Time;
}

export interface RoomPresence {
  stream: string;
  audience: number;
  faces: Face[];
  connected: PersonId[];
}

export interface HallwayPresence {
  stream: 'hallway';
  rooms: Record<RoomId, number>;
}

export type ClientFrame =
  | { type: 'hello'; id: number; ticket: string }
  | { type: 'watch'; id: number; stream: string; after?: number }
  | { type: 'unwatch'; id: number; stream: string }
  | { type: 'command'; id: number; room: RoomId; name: CommandName; data: object; key?: string }
  | { type: 'ping'; id: number };

export type ServerFrame =
  | { type: 'welcome'; reply_to: number; person: PersonId | null; heartbeat_secs: number }
  | { type: 'snapshot'; reply_to: number | null; stream: string; seq: number; state: unknown }
  | { type: 'resumed'; reply_to: number; stream: string; seq: number }
  | ({ type: 'event' } & StreamEvent)
  | { type: 'unwatched'; stream: string }
  | { type: 'done'; reply_to: number }
  | { type: 'reply'; reply_to: number; data: CommandAnswer }
  | { type: 'error'; reply_to?: number | null; code: string; message: string; field: string | null }
  | { type: 'pong'; reply_to: number }
  | ({ type: 'presence' } & (RoomPresence | HallwayPresence));

export interface Refusal {
  code: string;
  message: string;
  field: string | null;
}

/** Somebody of the demo community whom a newcomer can be. */
export interface DemoPerson extends Face {
  bio: string;
}

export interface Invitation {
  code: string;
  url: string;
  /** Only this address may spend it; null: whoever opens the link. */
  email: string | null;
  uses_allowed: number;
  uses_left: number;
  created_at: Time;
  expires_at: Time;
}

export interface InvitationOffer {
  code: string;
  /** Null: the operator. */
  inviter: Face | null;
  uses_left: number;
  expires_at: Time;
}

export interface AccessToken {
  id: string;
  name: string;
  created_at: Time;
  /** A date, without time of day. */
  last_used_on: string | null;
}

export interface NewAccessToken extends AccessToken {
  /** Shown this once. */
  secret: string;
}

/** What a development installation would have sent. */
export interface MailboxMessage {
  channel: string;
  recipient: string;
  subject: string;
  body: string;
  sent_at: Time;
}
