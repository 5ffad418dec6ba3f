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

/** Widest first; of a live room it only widens. */
export type Visibility = 'open' | 'social' | 'closed';
export type HandPolicy = 'everyone' | 'followed_by_speakers' | 'club_members' | 'nobody' | 'open_stage';
export type Status = 'on_a_call';

/** What moderators set of a room; section 4 of the protocol, "Settings". */
export interface RoomSettings {
  title: string;
  topic: string;
  language: LanguageTag;
  visibility: Visibility;
  locked: boolean;
  capacity: number;
  hand_policy: HandPolicy;
  stage_locked: boolean;
  fair_floor: boolean;
  /** How long one speaks before a calm notice, 30 to 3600 seconds; null: as long as one likes. */
  turn_secs: number | null;
  chat: boolean;
  questions: boolean;
  links: boolean;
  reactions: boolean;
  polls: boolean;
  /** Between two chat messages of one person; 0: none. */
  slow_mode_secs: number;
}

/** `POST /rooms`. `club` can be given at opening only. */
export interface RoomDraft extends Partial<RoomSettings> {
  title: string;
  language: LanguageTag;
  club?: string;
}

export interface RoomCard {
  id: RoomId;
  title: string;
  topic: string;
  language: LanguageTag;
  visibility: Visibility;
  host: Face;
  speakers: Face[];
  audience: number;
  capacity: number;
  opened_at: Time;
  why: string;
  /** Somebody speaks there whom one has blocked. */
  folded: boolean;
}

export type StageRole = 'host' | 'moderator' | 'speaker';
export type Role = StageRole | 'listener';

export interface StageMember {
  person: Face;
  role: StageRole;
  muted: boolean;
  /** Only a moderator can end this mute. */
  held: boolean;
  status: Status | null;
  /** How this person's packets are named to listeners, unique in the room. */
  csrc: number;
  since: Time;
}

export interface ClubOfRoom {
  id: string;
  name: string;
  /** House rules, up to three. */
  rules: string[];
}

export interface RoomState extends RoomSettings {
  id: RoomId;
  phase: 'live' | 'ended';
  opened_at: Time;
  ended_at: Time | null;
  /** Who opened the room; the role "host" is with who holds it now. */
  host: Face;
  /** In order of arrival. */
  stage: StageMember[];
  hand_count: number;
  club: ClubOfRoom | null;
  deputy: PersonId | null;
  /** Somebody who runs the room went; this is when the role passes on. */
  grace_ends_at: Time | null;
  /** No moderator is left: the stage is locked until one returns. */
  host_away: boolean;
}

export interface HeldMute {
  by: Face | null;
  reason: string;
  since: Time;
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
  held: HeldMute | null;
  status: Status | null;
  /** Writes nothing in this room. */
  silenced: boolean;
}

export interface Room extends RoomCard {
  state: RoomState;
  mine: MyPlace | null;
}

/** One's place in line for a full room. */
export interface Line {
  /** Counted from 1; null: not in line. */
  position: number | null;
  length: number;
  /** Until then one may enter; null: not yet. */
  admitted_until: Time | null;
  /** Seconds. */
  retry_after: number;
}

export interface Relation {
  followers: number;
  following: number;
  i_follow: boolean;
  follows_me: boolean;
  i_block: boolean;
  pings_muted: boolean;
  /** At least three people whom one follows, independent of each other, have blocked this person. */
  shielded: boolean;
}

export interface Shield {
  shielded: boolean;
  contested_at: Time | null;
}

export interface PeoplePage {
  people: Face[];
  /** For `after` of the next page; null: this is the last. */
  next: string | null;
}

export interface Hand {
  person: Face;
  /** When they were invited, if they never raised it. */
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

export interface Message {
  id: string;
  author: Face;
  text: string;
  at: Time;
}

export interface Question {
  id: string;
  author: Face;
  text: string;
  asked_at: Time;
  state: 'open' | 'invited' | 'read';
}

export interface Link {
  id: string;
  url: string;
  title: string;
  by: Face;
}

export interface Poll {
  id: string;
  question: string;
  options: string[];
  /** Once it is closed; before that they come with the tally. */
  counts: number[] | null;
  opened_at: Time;
  closed: boolean;
}

/** As one person sees it: the stream is the same for everybody. */
export interface QuestionForMe extends Question {
  votes: number;
  mine: boolean;
  voted: boolean;
}

/** The newest poll, its counts as they stand, and whether one has voted; for what is kept nowhere. */
export interface PollForMe {
  poll: Poll | null;
  counts: number[] | null;
  voted: boolean;
}

export interface ConversationState {
  /** The newest 100, oldest first. */
  messages: Message[];
  /** Not closed ones, oldest first. */
  questions: Question[];
  links: Link[];
  poll: Poll | null;
}

export interface Moderator {
  person: Face;
  role: 'host' | 'moderator';
  here: boolean;
}

export interface Removal {
  person: Face;
  by: Face | null;
  reason: string;
  at: Time;
  /** Null: for good. */
  until: Time | null;
}

/** A large act that waits for a second moderator. */
export interface Request {
  id: string;
  action: 'end_room' | 'remove_person';
  by: Face;
  target: Face | null;
  expires_at: Time;
}

export interface LogEntry {
  id: string;
  /** A command's name; a newer server may know more of them. */
  action: string;
  by: Face | null;
  target: Face | null;
  reason: string | null;
  data: Record<string, unknown>;
  at: Time;
}

export interface ModerationState {
  moderators: Moderator[];
  removals: Removal[];
  silenced: Face[];
  requests: Request[];
  /** The newest 100, oldest first. */
  log: LogEntry[];
}

export interface PersonState {
  places: Record<RoomId, MyPlace>;
}

type Nothing = Record<string, never>;
interface About {
  person: PersonId;
}

export type ReactionKind = 'clap' | 'heart' | 'laugh' | 'wow';

/** Fields of each command; see section 4 of the protocol. */
export interface Commands {
  raise_hand: Nothing;
  lower_hand: Nothing;
  step_up: Nothing;
  invite_to_stage: About;
  invite_next: { count?: number };
  invite_several: { people: PersonId[] };
  clear_hands: Nothing;
  accept_invitation: Nothing;
  decline_invitation: Nothing;
  step_down: Nothing;
  move_to_audience: About;
  set_status: { status: Status | null };

  mute: Nothing;
  unmute: Nothing;
  mute_speaker: About;
  mute_all: Nothing;
  hold_mute: About & { reason: string };
  release_mute: About;

  remove_person: About & { reason?: string; minutes?: number };
  undo_removal: About;
  invite_in: About;
  ping: About;
  silence_person: About;
  unsilence_person: About;
  leave_room: Nothing;
  end_room: Nothing;

  appoint_moderator: About;
  revoke_moderator: About;
  name_deputy: { person: PersonId | null };
  edit_room: Partial<RoomSettings>;
  confirm_request: { request: string };
  refuse_request: { request: string };

  post_message: { text: string };
  delete_message: { message: string };
  ask_question: { text: string };
  vote_question: { question: string };
  unvote_question: { question: string };
  take_question: { question: string; how: 'invite' | 'read' };
  close_question: { question: string };
  pin_link: { url: string; title?: string };
  unpin_link: { link: string };
  react: { kind: ReactionKind };
  open_poll: { question: string; options: string[] };
  vote_poll: { poll: string; option: number };
  close_poll: { poll: string };
}

export type CommandName = keyof Commands;

export interface CommandAnswer {
  seq: number;
  /** Of what was made: a message, a question, a link, a poll, a request to a second moderator. */
  id?: string;
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

/** Somebody calls one into a room; `invited_in` also opens its door. */
export interface Called {
  room: RoomCard;
  by: Face;
}

export interface LineChanged {
  room: RoomId;
  line: Line;
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
  /** Seconds each of the stage has spoken. */
  talk?: Record<PersonId, number>;
  /** Who has the floor, and since when. */
  turn?: { person: PersonId; since: Time } | null;
}

export interface HallwayPresence {
  stream: 'hallway';
  rooms: Record<RoomId, number>;
}

/** The latest holds. */
export interface Tally {
  stream: string;
  votes: Record<string, number>;
  poll: { id: string; counts: number[] } | null;
}

/** What was sent within half a second, added up. */
export interface Reactions {
  stream: string;
  counts: Partial<Record<ReactionKind, number>>;
  /** At most five people a kind. */
  from: Partial<Record<ReactionKind, PersonId[]>>;
}

/** What really arrived of a session, over the time since its last report. A share is 0..1; null: unknown, or nothing to measure. */
export interface Quality {
  period_secs: number;
  /** Received by a listener, sent by a speaker. */
  packets: number;
  /** Of packets, on the way here; of a speaker, on the way to the server. */
  lost_share: number | null;
  jitter_ms: number | null;
  /** Of the sound that was played: how much was made up for what did not come in time. */
  concealed_share: number | null;
  /** How long sound waited in the jitter buffer. */
  delay_ms: number | null;
  round_trip_ms: number | null;
  transport: 'udp' | 'tcp' | null;
}

export type ClientFrame =
  | { type: 'hello'; id: number; ticket: string }
  | { type: 'watch'; id: number; stream: string; after?: number }
  | { type: 'unwatch'; id: number; stream: string }
  | { type: 'command'; id: number; room: RoomId; name: CommandName; data: object; key?: string }
  | ({ type: 'quality'; id: number; session: SessionId } & Quality)
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
  | ({ type: 'presence' } & (RoomPresence | HallwayPresence))
  | ({ type: 'tally' } & Tally)
  | ({ type: 'reactions' } & Reactions);

export interface Refusal {
  code: string;
  message: string;
  field: string | null;
  /** With `room_full`: one is in line now. */
  line?: Line;
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
