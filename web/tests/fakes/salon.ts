import type { Signalling } from '../../src/media/signalling.ts';
import { ApiError } from '../../src/protocol/errors.ts';
import type {
  CommandName,
  ConversationState,
  Hand,
  Me,
  ModerationState,
  MyPlace,
  Person,
  PlaceChanged,
  RoomPresence,
  RoomState,
  SessionEnded,
} from '../../src/protocol/types.ts';
import { Salon } from '../../src/state/salon.svelte.ts';
import { FakeConnection } from './connection.ts';
import { ana, bruno, cleo, LISTENER, NO_CONVERSATION, NO_MODERATION, ROOM_ID, roomCard, roomState } from './people.ts';
import { FakeSignalling } from './signalling.ts';
import { FakeSocket } from './socket.ts';

interface Sent {
  name: string;
  data: unknown;
  key: string;
}

/**
 * A whole Salon with its server faked at the wire: `fetch`, the WebSocket and RTCPeerConnection.
 *
 * Everything between them is the real thing.
 */
export class Stage {
  readonly salon: Salon;
  readonly commands: Sent[] = [];
  readonly signalling = new FakeSignalling();
  /** Refuse the next command so. */
  refuseNext: { status: number; code: string; message: string; retryAfter?: number } | null = null;
  room: RoomState = roomState();
  place: MyPlace | null;
  hands: Hand[] = [];
  conversation: ConversationState = NO_CONVERSATION;
  moderation: ModerationState = NO_MODERATION;
  /** What else the server answers, by method and path; a number is a status without a body. */
  readonly answers = new Map<string, unknown>();
  /** Those of them that were asked for, in order, with the body where there was one. */
  readonly asked: string[] = [];
  #seq = 1;
  readonly #me: Me;

  constructor(person: Person | null, place: MyPlace | null = person === null ? null : LISTENER) {
    this.place = place;
    this.#me = { person, visitor: person === null, sign_up_policy: 'open', demo: false, anonymous_listening: true };
    globalThis.fetch = (input, init) => Promise.resolve(this.#answer(input as string, init));
    globalThis.WebSocket = FakeSocket as unknown as typeof WebSocket;
    globalThis.RTCPeerConnection = FakeConnection as unknown as typeof RTCPeerConnection;
    globalThis.AudioContext = FakeAudioContext as unknown as typeof AudioContext;
    this.salon = new Salon();
    Object.assign(this.salon, { signalling: this.signalling satisfies Signalling });
  }

  static person(face = bruno): Person {
    return { ...face, languages: ['en'] };
  }

  /** Signed in, connected, in the room and hearing it. */
  async enter(): Promise<void> {
    await this.salon.session.load();
    await settle();
    FakeSocket.latest.onopen?.();
    const hello = FakeSocket.latest.last('hello');
    FakeSocket.latest.receive({ type: 'welcome', reply_to: hello.id, person: this.#me.person?.id ?? null, heartbeat_secs: 20 });
    this.answerWatches();
    this.salon.enter(ROOM_ID);
    this.answerWatches();
    await settle();
    for (const connection of FakeConnection.made) connection.become('connected');
    await settle();
    this.answerWatches();
  }

  /** Snapshots for everything asked for and not yet answered. */
  answerWatches(): void {
    const socket = FakeSocket.latest;
    for (const watch of socket.all('watch').filter(({ id }) => !this.#answered.has(id))) {
      this.#answered.add(watch.id);
      socket.receive({ type: 'snapshot', reply_to: watch.id, stream: watch.stream, seq: this.#seq, state: this.#stateOf(watch.stream) });
    }
  }

  placeChanged(place: MyPlace | null, cause: string, by = ana, reason: string | null = null): void {
    this.place = place;
    const data: PlaceChanged = { room: ROOM_ID, place, cause, by, reason };
    this.event('person/me', 'place_changed', data);
  }

  sessionEnded(session: string, reason: SessionEnded['reason']): void {
    this.event('person/me', 'session_ended', { session, room: ROOM_ID, reason } satisfies SessionEnded);
  }

  event(stream: string, kind: string, data: unknown): void {
    const seq = (this.#seqs.get(stream) ?? this.#seq) + 1;
    this.#seqs.set(stream, seq);
    FakeSocket.latest.receive({ type: 'event', stream, seq, kind, data });
  }

  presence(audience: number, connected: string[], more: Partial<RoomPresence> = {}): void {
    FakeSocket.latest.receive({ type: 'presence', stream: `room/${ROOM_ID}`, audience, faces: [cleo], connected, ...more });
  }

  readonly #answered = new Set<number>();
  readonly #seqs = new Map<string, number>();

  #stateOf(stream: string): unknown {
    if (stream === 'hallway') return { rooms: [roomCard()] };
    if (stream === 'person/me') return { places: this.place === null ? {} : { [ROOM_ID]: this.place } };
    if (stream.startsWith('hands/')) return { hands: this.hands };
    if (stream.startsWith('conversation/')) return this.conversation;
    if (stream.startsWith('moderation/')) return this.moderation;
    return this.room;
  }

  #answer(path: string, init?: RequestInit): Response {
    const json = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });
    const question = `${init?.method ?? 'GET'} ${path}`;
    if (this.answers.has(question)) {
      this.asked.push(typeof init?.body === 'string' ? `${question} ${init.body}` : question);
      const answer = this.answers.get(question);
      return typeof answer === 'number' ? new Response(null, { status: answer }) : json(200, answer);
    }
    if (path === '/api/v1/me') return json(200, this.#me);
    if (path === '/api/v1/realtime/ticket') return json(200, { ticket: 't', expires_in: 60 });
    if (path.startsWith('/api/v1/hallway')) return json(200, { rooms: [roomCard()] });
    if (path === `/api/v1/rooms/${ROOM_ID}`) return json(200, { ...roomCard(), state: this.room, mine: this.place });
    if (init?.method !== 'POST') return json(404, { code: 'not_found', message: '', field: null });
    const command = path.split('/').at(-1) as CommandName;
    this.commands.push({
      name: command,
      data: JSON.parse(init?.body as string),
      key: new Headers(init?.headers).get('Idempotency-Key') ?? '',
    });
    if (this.refuseNext) {
      const { status, retryAfter, ...refusal } = this.refuseNext;
      this.refuseNext = null;
      const headers = new Headers(retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) });
      return new Response(JSON.stringify({ ...refusal, field: null }), { status, headers });
    }
    return json(200, { seq: 9 });
  }
}

class FakeAudioContext {
  state = 'running';
  createAnalyser() {
    return { fftSize: 0, getFloatTimeDomainData: () => undefined };
  }
  createMediaStreamSource() {
    return { connect: () => undefined };
  }
  close() {
    return Promise.resolve();
  }
}

export class FakeTrack {
  enabled = true;
  isStopped = false;
  muted = false;
  onended: (() => void) | null = null;
  onmute: (() => void) | null = null;
  onunmute: (() => void) | null = null;
  stop(): void {
    this.isStopped = true;
  }
}

/** A machine whose microphone gives these tracks in turn, then is missing. */
export function plugIn(...tracks: FakeTrack[]): void {
  const left = [...tracks];
  window.isSecureContext = true;
  Object.defineProperty(navigator, 'mediaDevices', {
    configurable: true,
    value: {
      enumerateDevices: () => Promise.resolve([]),
      getUserMedia: () => {
        const track = left.shift();
        return track
          ? Promise.resolve(new MediaStream([track as unknown as MediaStreamTrack]))
          : Promise.reject(new DOMException('', 'NotFoundError'));
      },
    },
  });
}

export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  await new Promise((resolve) => setTimeout(resolve, 0));
}

export const unavailable = new ApiError({ code: 'media_unavailable', message: '', field: null }, 503);
