/**
 * One sound session with the server, listening or speaking, kept up until it is stopped or the server says no for good.
 *
 * What it does when the sound breaks, in this order: an ICE restart within the running session (a change of network costs
 * nothing then), and a new session when the old one is gone or did not come back. A newer session of the same person takes
 * over from the older one on the server, so nothing has to be cleaned up first. Role and place live on the server.
 */

import { backoffMs } from '../protocol/backoff.ts';
import { ApiError, asApiError } from '../protocol/errors.ts';
import type { RoomId, SessionEndReason, SessionId } from '../protocol/types.ts';
import { answerAfterRestart, iceRestartFragment } from './sdp.ts';
import type { Direction, OpenedSession, Signalling } from './signalling.ts';

/** A short disconnection heals by itself more often than not. */
const DISCONNECTED_GRACE_MS = 1_500;
/** From an answer to sound is under 100 ms on a good network; ten seconds is a dead one. */
const CONNECT_TIMEOUT_MS = 8_000;
/** The server forgets a silent session after 15 s: asking for a restart later only costs a 404. */
const RESTART_WINDOW_MS = 12_000;

export type SoundPhase =
  | { name: 'connecting' }
  | { name: 'connected' }
  /** It was connected, or the server is away: coming back by itself. */
  | { name: 'reconnecting' }
  /** Another window of the same person has it now. */
  | { name: 'taken_over' }
  /** The server refused for good, or ended it. */
  | { name: 'ended'; error: ApiError | null; reason: SessionEndReason | null }
  | { name: 'stopped' };

export interface SoundSessionOptions {
  room: RoomId;
  direction: Direction;
  signalling: Signalling;
  /** Adds the media sections to a new connection and takes what comes out of it. */
  furnish(connection: RTCPeerConnection): void;
  onPhase(phase: SoundPhase): void;
  newConnection?: () => RTCPeerConnection;
  random?: () => number;
  now?: () => number;
}

export class SoundSession {
  #options: Required<SoundSessionOptions>;
  #phase: SoundPhase = { name: 'stopped' };
  #connection: RTCPeerConnection | null = null;
  #opened: OpenedSession | null = null;
  #wasConnected = false;
  #attempt = 0;
  #lostAtMs: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Raised by every new connection and by stopping, so that answers to older questions are ignored. */
  #generation = 0;
  #isRestarting = false;

  constructor(options: SoundSessionOptions) {
    this.#options = {
      // No ICE servers: the server is reached directly, and no other host is ever asked.
      newConnection: () => new RTCPeerConnection({ iceServers: [], bundlePolicy: 'max-bundle' }),
      random: Math.random,
      now: () => performance.now(),
      ...options,
    };
  }

  get phase(): SoundPhase {
    return this.#phase;
  }

  get connection(): RTCPeerConnection | null {
    return this.#connection;
  }

  get id(): SessionId | null {
    return this.#opened?.id ?? null;
  }

  start(): void {
    this.#attempt = 0;
    this.#wasConnected = false;
    this.#setPhase({ name: 'connecting' });
    void this.#connect();
  }

  /** tell: also end the session on the server. For a listening session that means leaving the room. */
  stop(tell: boolean): void {
    const opened = this.#opened;
    this.#tearDown();
    this.#setPhase({ name: 'stopped' });
    if (tell && opened) void this.#options.signalling.close(opened.location).catch(() => undefined);
  }

  /** The network came back, or the page woke: try now. */
  wake(): void {
    if (this.#phase.name !== 'reconnecting' || this.#isRestarting) return;
    this.#attempt = 0;
    this.#recover();
  }

  /** The server's `session_ended`. Of an older session of ours it means nothing. */
  endedByServer(session: SessionId, reason: SessionEndReason): void {
    if (session !== this.#opened?.id) return;
    if (reason === 'timed_out') {
      this.#setPhase({ name: 'reconnecting' });
      void this.#connect();
      return;
    }
    this.#tearDown();
    this.#setPhase(reason === 'taken_over' ? { name: 'taken_over' } : { name: 'ended', error: null, reason });
  }

  async #connect(): Promise<void> {
    this.#tearDown();
    const generation = this.#generation;
    const connection = this.#options.newConnection();
    this.#connection = connection;
    connection.onconnectionstatechange = () => this.#connectionChanged(connection);
    try {
      this.#options.furnish(connection);
      const offer = await connection.createOffer();
      await connection.setLocalDescription(offer);
      if (generation !== this.#generation) return;
      const opened = await this.#options.signalling.open(this.#options.room, this.#options.direction, offer.sdp ?? '');
      if (generation !== this.#generation) return this.#abandon(opened);
      this.#opened = opened;
      await connection.setRemoteDescription({ type: 'answer', sdp: opened.answer });
    } catch (error) {
      if (generation === this.#generation) this.#openFailed(error);
      return;
    }
    if (generation === this.#generation) this.#within(CONNECT_TIMEOUT_MS, () => this.#tryAgain(null));
  }

  /** Stopped while the server was opening: nobody else knows of that session, so it is ours to end. */
  #abandon(opened: OpenedSession): void {
    if (this.#phase.name === 'stopped') void this.#options.signalling.close(opened.location).catch(() => undefined);
  }

  #openFailed(cause: unknown): void {
    const error = asApiError(cause);
    // A full room is no fault that passes by asking: there is a line for it.
    if (error.retry === 'later' && error.code !== 'room_full') {
      this.#tryAgain(error);
      return;
    }
    this.#tearDown();
    this.#setPhase({ name: 'ended', error, reason: null });
  }

  #tryAgain(error: ApiError | null): void {
    this.#tearDown();
    this.#setPhase({ name: this.#wasConnected || error !== null ? 'reconnecting' : 'connecting' });
    const delay = Math.max(backoffMs(Math.min(this.#attempt, 3), this.#options.random()), (error?.retryAfterSecs ?? 0) * 1_000);
    this.#attempt += 1;
    this.#within(delay, () => void this.#connect());
  }

  #connectionChanged(connection: RTCPeerConnection): void {
    if (connection !== this.#connection) return;
    switch (connection.connectionState) {
      case 'connected':
        clearTimeout(this.#timer);
        this.#attempt = 0;
        this.#lostAtMs = null;
        this.#wasConnected = true;
        this.#setPhase({ name: 'connected' });
        break;
      case 'disconnected':
        this.#lostAtMs ??= this.#options.now();
        this.#setPhase({ name: 'reconnecting' });
        this.#within(DISCONNECTED_GRACE_MS, () => this.#recover());
        break;
      case 'failed':
      case 'closed':
        this.#lostAtMs ??= this.#options.now();
        this.#setPhase({ name: this.#wasConnected ? 'reconnecting' : 'connecting' });
        this.#recover();
        break;
    }
  }

  #recover(): void {
    const lostForMs = this.#lostAtMs === null ? Infinity : this.#options.now() - this.#lostAtMs;
    if (this.#opened && this.#connection && this.#connection.connectionState !== 'closed' && lostForMs < RESTART_WINDOW_MS) {
      void this.#restartIce(this.#connection, this.#opened);
    } else {
      void this.#connect();
    }
  }

  async #restartIce(connection: RTCPeerConnection, opened: OpenedSession): Promise<void> {
    if (this.#isRestarting) return;
    this.#isRestarting = true;
    const generation = this.#generation;
    try {
      const offer = await connection.createOffer({ iceRestart: true });
      await connection.setLocalDescription(offer);
      const fragment = await this.#options.signalling.restartIce(opened.location, opened.etag, iceRestartFragment(offer.sdp ?? ''));
      if (generation !== this.#generation) return;
      opened.answer = answerAfterRestart(opened.answer, fragment);
      await connection.setRemoteDescription({ type: 'answer', sdp: opened.answer });
      this.#within(CONNECT_TIMEOUT_MS, () => void this.#connect());
    } catch (error) {
      if (generation !== this.#generation) return;
      if (asApiError(error).retry === 'gone') void this.#connect();
      else this.#tryRestartAgain(connection);
    } finally {
      if (generation === this.#generation) this.#isRestarting = false;
    }
  }

  #tryRestartAgain(connection: RTCPeerConnection): void {
    const delay = backoffMs(Math.min(this.#attempt, 2), this.#options.random());
    this.#attempt += 1;
    this.#within(delay, () => {
      // The offer without answer has to be taken back, or the next one would be refused.
      if (connection.signalingState !== 'have-local-offer') return this.#recover();
      connection.setLocalDescription({ type: 'rollback' }).then(
        () => connection === this.#connection && this.#recover(),
        () => connection === this.#connection && void this.#connect(),
      );
    });
  }

  #tearDown(): void {
    this.#generation += 1;
    clearTimeout(this.#timer);
    this.#isRestarting = false;
    this.#opened = null;
    const connection = this.#connection;
    this.#connection = null;
    if (connection) {
      connection.onconnectionstatechange = null;
      connection.ontrack = null;
      connection.close();
    }
  }

  #within(delayMs: number, act: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, delayMs);
  }

  #setPhase(phase: SoundPhase): void {
    if (phase.name === this.#phase.name && phase.name !== 'ended') return;
    this.#phase = phase;
    this.#options.onPhase(phase);
  }
}
