/**
 * The WebSocket of section 6 of the protocol: one per page, kept up for as long as it is wanted.
 *
 * A watched stream is a value that arrives first as a snapshot and then moves by numbered events. After a drop every
 * stream is resumed from its last number; a gap is asked for again. Nothing here knows about the page.
 */

import { backoffMs } from './backoff.ts';
import { ApiError, errorFromFrame } from './errors.ts';
import type { Reducer } from './streams.ts';
import type {
  ClientFrame,
  HallwayPresence,
  PersonId,
  Quality,
  Reactions,
  RoomPresence,
  ServerFrame,
  SessionId,
  StreamEvent,
  Tally,
  Ticket,
} from './types.ts';

export const SUBPROTOCOL = 'salon.v1';

/** A reply that takes longer means the connection is dead, whatever the operating system believes. */
const REPLY_TIMEOUT_MS = 10_000;

export type ConnectionState =
  | { phase: 'idle' }
  | { phase: 'connecting' }
  | { phase: 'open' }
  /** Dropped; the next try comes by itself. `stopping`: the server said that it restarts. */
  | { phase: 'waiting'; stopping: boolean };

export interface StreamHandlers<S> {
  reduce: Reducer<S>;
  /** A new value: after a snapshot (`event` is null) or after one event. */
  onState(state: S, event: StreamEvent | null): void;
  onPresence?(presence: RoomPresence | HallwayPresence): void;
  onTally?(tally: Tally): void;
  onReactions?(reactions: Reactions): void;
  /** The stream is not there for us; it is no longer watched. Never called for what may pass. */
  onRefused(error: ApiError): void;
}

export interface RealtimeOptions {
  url: string;
  ticket: () => Promise<Ticket>;
  /** Whom the server takes us for, at each welcome: signing out elsewhere shows here. */
  onPerson?: (person: PersonId | null) => void;
  openSocket?: (url: string, subprotocol: string) => WebSocket;
  random?: () => number;
}

interface Watch {
  stream: string;
  handlers: StreamHandlers<unknown>;
  /** The last applied number and the state after it; null until the first snapshot. */
  held: { seq: number; state: unknown } | null;
  /** Events are dropped from the moment a `watch` is sent until it is answered: they will come again in order. */
  synchronised: boolean;
}

export class RealtimeClient {
  #options: Required<RealtimeOptions>;
  #watches = new Map<string, Watch>();
  #listeners = new Set<(state: ConnectionState) => void>();
  #state: ConnectionState = { phase: 'idle' };
  #socket: WebSocket | null = null;
  #attempt = 0;
  #isStopping = false;
  #nextId = 1;
  #pending = new Map<number, (frame: ServerFrame | null) => void>();
  #timers = new Set<ReturnType<typeof setTimeout>>();
  /** Raised by every connect and stop, so that what an older try still awaits is ignored when it comes. */
  #generation = 0;

  constructor(options: RealtimeOptions) {
    this.#options = {
      openSocket: (url, subprotocol) => new WebSocket(url, subprotocol),
      random: Math.random,
      onPerson: () => undefined,
      ...options,
    };
  }

  get state(): ConnectionState {
    return this.#state;
  }

  onState(listener: (state: ConnectionState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): void {
    if (this.#state.phase === 'idle') void this.#connect();
  }

  stop(): void {
    this.#drop();
    this.#setState({ phase: 'idle' });
  }

  /** Somebody else signed in: a socket is one person's, and what it showed was theirs. */
  restart(): void {
    this.#drop();
    for (const watch of this.#watches.values()) watch.held = null;
    this.#attempt = 0;
    void this.#connect();
  }

  /** The network came back, or the page was woken: do not wait for the timer. */
  wake(): void {
    if (this.#state.phase !== 'waiting') return;
    this.#attempt = 0;
    void this.#connect();
  }

  /** Watch a stream until the returned function is called. One watch per stream. */
  watch<S>(stream: string, handlers: StreamHandlers<S>): () => void {
    if (this.#watches.has(stream)) throw new Error(`${stream} is watched already`);
    const watch: Watch = { stream, handlers: handlers as StreamHandlers<unknown>, held: null, synchronised: false };
    this.#watches.set(stream, watch);
    if (this.#state.phase === 'open') this.#askFor(watch);
    return () => {
      if (this.#watches.get(stream) !== watch) return;
      this.#watches.delete(stream);
      if (this.#state.phase === 'open') this.#send({ type: 'unwatch', id: this.#id(), stream });
    };
  }

  /** Coarse, and for support only: what cannot be told now is not told later. */
  reportQuality(session: SessionId, quality: Quality): void {
    if (this.#state.phase === 'open') this.#request({ type: 'quality', id: this.#id(), session, ...quality }, () => undefined);
  }

  async #connect(): Promise<void> {
    this.#drop();
    const generation = this.#generation;
    this.#setState({ phase: 'connecting' });
    let ticket: string;
    try {
      ({ ticket } = await this.#options.ticket());
    } catch (error) {
      if (generation === this.#generation) this.#wait(false, error instanceof ApiError ? error.retryAfterSecs : null);
      return;
    }
    if (generation !== this.#generation) return;
    const socket = this.#options.openSocket(this.#options.url, SUBPROTOCOL);
    this.#socket = socket;
    const isCurrent = () => this.#socket === socket;
    this.#after(REPLY_TIMEOUT_MS, () => {
      if (isCurrent() && this.#state.phase === 'connecting') this.#wait(false);
    });
    socket.onopen = () => isCurrent() && this.#sayHello(ticket);
    socket.onmessage = (message: MessageEvent) => isCurrent() && this.#receive(String(message.data));
    socket.onclose = (event: CloseEvent) => isCurrent() && this.#wait(event.code === 4503);
  }

  #sayHello(ticket: string): void {
    const id = this.#id();
    this.#pending.set(id, (frame) => {
      if (frame?.type === 'welcome') this.#welcome(frame.person, frame.heartbeat_secs);
      else this.#wait(false);
    });
    this.#send({ type: 'hello', id, ticket });
  }

  #welcome(person: PersonId | null, heartbeatSecs: number): void {
    this.#attempt = 0;
    this.#isStopping = false;
    this.#setState({ phase: 'open' });
    for (const watch of this.#watches.values()) this.#askFor(watch);
    this.#pingEvery(heartbeatSecs * 750);
    this.#options.onPerson(person);
  }

  #pingEvery(intervalMs: number): void {
    this.#after(intervalMs, () => {
      this.#request({ type: 'ping', id: this.#id() }, () => undefined);
      this.#pingEvery(intervalMs);
    });
  }

  #askFor(watch: Watch): void {
    watch.synchronised = false;
    const id = this.#id();
    const frame: ClientFrame = { type: 'watch', id, stream: watch.stream };
    if (watch.held) frame.after = watch.held.seq;
    this.#request(frame, (reply) => {
      if (this.#watches.get(watch.stream) !== watch || reply === null) return;
      if (reply.type === 'snapshot') this.#takeSnapshot(watch, reply.seq, reply.state);
      else if (reply.type === 'resumed') watch.synchronised = true;
      else if (reply.type === 'error') this.#watchRefused(watch, errorFromFrame(reply));
    });
  }

  #takeSnapshot(watch: Watch, seq: number, state: unknown): void {
    watch.held = { seq, state };
    watch.synchronised = true;
    watch.handlers.onState(state, null);
  }

  #watchRefused(watch: Watch, error: ApiError): void {
    if (error.retry === 'later') {
      this.#after(backoffMs(1, this.#options.random()), () => {
        if (this.#watches.get(watch.stream) === watch) this.#askFor(watch);
      });
      return;
    }
    this.#watches.delete(watch.stream);
    watch.handlers.onRefused(error);
  }

  #receive(text: string): void {
    const frame = JSON.parse(text) as ServerFrame;
    switch (frame.type) {
      case 'event':
        this.#applyEvent(frame);
        break;
      case 'presence':
        this.#watches.get(frame.stream)?.handlers.onPresence?.(frame);
        break;
      case 'tally':
        this.#watches.get(frame.stream)?.handlers.onTally?.(frame);
        break;
      case 'reactions':
        this.#watches.get(frame.stream)?.handlers.onReactions?.(frame);
        break;
      case 'unwatched':
        this.#unwatched(frame.stream);
        break;
      default:
        if (typeof frame.reply_to === 'number') {
          this.#pending.get(frame.reply_to)?.(frame);
          this.#pending.delete(frame.reply_to);
        } else if (frame.type === 'snapshot') {
          // Unasked: the server itself had lost events.
          const watch = this.#watches.get(frame.stream);
          if (watch) this.#takeSnapshot(watch, frame.seq, frame.state);
        }
    }
  }

  /** The server took the stream away: removed from the room, or no moderator any more. */
  #unwatched(stream: string): void {
    const watch = this.#watches.get(stream);
    if (!watch) return;
    this.#watches.delete(stream);
    watch.handlers.onRefused(new ApiError({ code: 'unwatched', message: '', field: null }, 404));
  }

  #applyEvent(event: StreamEvent): void {
    const watch = this.#watches.get(event.stream);
    if (!watch?.synchronised || !watch.held) return;
    const { held } = watch;
    if (event.seq <= held.seq) return;
    if (event.seq > held.seq + 1) {
      this.#askFor(watch);
      return;
    }
    watch.held = { seq: event.seq, state: watch.handlers.reduce(held.state, event) };
    watch.handlers.onState(watch.held.state, event);
  }

  /** Send and expect an answer; without one in time the connection counts as dead. */
  #request(frame: ClientFrame, onReply: (frame: ServerFrame | null) => void): void {
    const socket = this.#socket;
    this.#pending.set(frame.id, onReply);
    this.#send(frame);
    this.#after(REPLY_TIMEOUT_MS, () => {
      if (this.#socket === socket && this.#pending.has(frame.id)) this.#wait(false);
    });
  }

  #send(frame: ClientFrame): void {
    this.#socket?.send(JSON.stringify(frame));
  }

  #id(): number {
    return this.#nextId++;
  }

  #wait(saidStopping: boolean, retryAfterSecs: number | null = null): void {
    this.#drop();
    // What the server said before it went holds until it is back.
    this.#isStopping ||= saidStopping;
    const delay = Math.max(backoffMs(this.#attempt, this.#options.random()), (retryAfterSecs ?? 0) * 1_000);
    this.#attempt += 1;
    this.#setState({ phase: 'waiting', stopping: this.#isStopping });
    this.#after(delay, () => void this.#connect());
  }

  #drop(): void {
    this.#generation += 1;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    for (const watch of this.#watches.values()) watch.synchronised = false;
    const socket = this.#socket;
    this.#socket = null;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const reply of pending) if (this.#state.phase === 'open') reply(null);
    socket?.close();
  }

  #after(delayMs: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, delayMs);
    this.#timers.add(timer);
  }

  #setState(state: ConnectionState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }
}
