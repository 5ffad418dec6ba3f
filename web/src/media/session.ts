/**
 * One sound session with the server, listening or speaking, kept up until it is stopped or the server says no for good.
 *
 * What it does when the sound breaks, in this order: it waits, because a short disconnection heals by itself and so does a media
 * process that restarts and takes its sessions up again; then an ICE restart within the running session; then a new session. A change
 * of network that the browser tells of is not waited for, nor is a path on which nothing comes while the server works. A newer session of the same person takes over from the older one on the
 * server, so nothing has to be cleaned up first. Role and place live on the server.
 *
 * What breaks for one breaks for a whole room at once: everything that nobody pressed is spread over a second or more.
 */

import { backoffMs } from '../protocol/backoff.ts';
import { ApiError, asApiError } from '../protocol/errors.ts';
import type { Quality, RoomId, SessionEndReason, SessionId } from '../protocol/types.ts';
import { PathWatch } from './path-watch.ts';
import { QualityWatch } from './quality.ts';
import { answerAfterRestart, iceRestartFragment, withOpusNack } from './sdp.ts';
import type { Direction, OpenedSession, Signalling } from './signalling.ts';

/**
 * From "disconnected" (which browsers say some seconds after the last packet) to an ICE restart. A media process that restarts has its
 * sessions back within two seconds: whoever acts before that only adds to its work.
 */
const DISCONNECTED_GRACE_MS = 4_000;
/** What has broken for all is not mended by all in the same moment. */
const SPREAD_MS = 1_000;
/** The same for a question that costs the server next to nothing. */
const QUESTION_SPREAD_MS = 200;
/** From an answer to sound is under 100 ms on a good network; eight seconds is a dead one. */
const CONNECT_TIMEOUT_MS = 8_000;
/** An ICE restart whose checks get through takes two round trips. */
const RESTART_TIMEOUT_MS = 4_000;
/** Between two restarts: networks announce one change several times. */
const RESTART_SPACING_MS = 2_000;
/** In a row, without sound that lasted. Then the path is not what is broken. */
const MOST_RESTARTS = 3;
/** Sound for so long means that the last trouble is over. */
const LASTING_MS = 10_000;
/** The server forgets a silent session after 7 s: asking for a restart later only costs a 404. */
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
  /** What really arrives, now and then; see QualityWatch. */
  onQuality?(quality: Quality, session: SessionId): void;
  /** The sound has become poor to listen to, or is good again. */
  onWeak?(isWeak: boolean): void;
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
  #connectedAtMs: number | null = null;
  #restarts = 0;
  #restartedAtMs = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Raised by every new connection and by stopping, so that answers to older questions are ignored. */
  #generation = 0;
  #isRestarting = false;
  /** A restart is answered, and has not shown yet whether it helps. */
  #isJudging = false;
  #quality: QualityWatch | null = null;
  #path: PathWatch | null = null;
  /** It is being found out whether a still path is the path's fault. */
  #isAsking = false;

  constructor(options: SoundSessionOptions) {
    this.#options = {
      // No ICE servers: the server is reached directly, and no other host is ever asked.
      newConnection: () => new RTCPeerConnection({ iceServers: [], bundlePolicy: 'max-bundle' }),
      random: Math.random,
      now: () => performance.now(),
      onQuality: () => undefined,
      onWeak: () => undefined,
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
    this.#restarts = 0;
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

  /** Events came back, or the page woke: if the sound is away, try now. */
  wake(): void {
    if (this.#phase.name !== 'reconnecting') return;
    this.#attempt = 0;
    this.#recover();
  }

  /** This device is on another network, or on one again. The path may be dead though the connection has not noticed yet. */
  networkChanged(): void {
    if (this.#phase.name === 'connected') this.#recover();
    else this.wake();
  }

  /** The server's `session_ended`. Of an older session of ours it means nothing. */
  endedByServer(session: SessionId, reason: SessionEndReason): void {
    if (session !== this.#opened?.id) return;
    if (reason === 'timed_out') {
      this.#openAnew();
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
      const offer = await makeOffer(connection);
      if (generation !== this.#generation) return;
      const opened = await this.#options.signalling.open(this.#options.room, this.#options.direction, offer);
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
        this.#isJudging = false;
        this.#lostAtMs = null;
        this.#connectedAtMs ??= this.#options.now();
        this.#wasConnected = true;
        this.#watchQuality(connection);
        this.#watchPath(connection);
        this.#setPhase({ name: 'connected' });
        break;
      case 'disconnected':
        this.#lost();
        this.#setPhase({ name: 'reconnecting' });
        // A restart under way, or answered a moment ago, has a timer of its own.
        if (!this.#isRestarting && !this.#isJudging) this.#within(DISCONNECTED_GRACE_MS + this.#spreadMs(), () => this.#recover());
        break;
      case 'failed':
      case 'closed':
        this.#lost();
        this.#setPhase({ name: this.#wasConnected ? 'reconnecting' : 'connecting' });
        if (!this.#isRestarting) this.#within(this.#spreadMs(), () => this.#recover());
        break;
    }
  }

  #lost(): void {
    this.#lostAtMs ??= this.#options.now();
    this.#forgetOldTrouble();
    this.#connectedAtMs = null;
  }

  #forgetOldTrouble(): void {
    if (this.#connectedAtMs === null || this.#options.now() - Math.max(this.#connectedAtMs, this.#restartedAtMs) < LASTING_MS) return;
    this.#attempt = 0;
    this.#restarts = 0;
  }

  /** Restart ICE where that can help, else open anew. */
  #recover(): void {
    if (this.#isRestarting) return;
    this.#forgetOldTrouble();
    const connection = this.#connection;
    if (connection === null || this.#opened === null) {
      void this.#connect();
      return;
    }
    const lostForMs = this.#lostAtMs === null ? 0 : this.#options.now() - this.#lostAtMs;
    if (connection.connectionState === 'closed' || lostForMs >= RESTART_WINDOW_MS || this.#restarts >= MOST_RESTARTS) {
      this.#openAnew();
      return;
    }
    const earlyMs = RESTART_SPACING_MS - this.#sinceRestartMs();
    if (earlyMs > 0) this.#within(earlyMs, () => this.#recover());
    else void this.#restartIce(connection, this.#opened);
  }

  /** For once within a second; if that does not last, seldomer and seldomer. */
  #openAnew(): void {
    if (this.#restarts >= MOST_RESTARTS) this.#tryAgain(null);
    else {
      this.#setPhase({ name: 'reconnecting' });
      this.#within(this.#spreadMs(), () => void this.#connect());
    }
  }

  async #restartIce(connection: RTCPeerConnection, opened: OpenedSession): Promise<void> {
    clearTimeout(this.#timer);
    this.#isRestarting = true;
    this.#restarts += 1;
    this.#restartedAtMs = this.#options.now();
    const generation = this.#generation;
    try {
      const offer = await makeOffer(connection, { iceRestart: true });
      const fragment = await this.#options.signalling.restartIce(opened.location, iceRestartFragment(offer));
      if (generation !== this.#generation) return;
      opened.answer = answerAfterRestart(opened.answer, fragment);
      await connection.setRemoteDescription({ type: 'answer', sdp: opened.answer });
      if (generation !== this.#generation) return;
      this.#isRestarting = false;
      this.#isJudging = true;
      this.#within(RESTART_TIMEOUT_MS, () => this.#judgeRestart(connection));
    } catch (error) {
      if (generation !== this.#generation) return;
      this.#isRestarting = false;
      if (asApiError(error).retry === 'gone') this.#openAnew();
      else this.#tryRestartAgain(connection);
    }
  }

  /** A restart while the old path still carried sound is told by no change of state. */
  #judgeRestart(connection: RTCPeerConnection): void {
    this.#isJudging = false;
    if (connection.connectionState !== 'connected') this.#openAnew();
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
    this.#isJudging = false;
    this.#isAsking = false;
    this.#connectedAtMs = null;
    this.#quality?.end();
    this.#quality = null;
    this.#path?.end();
    this.#path = null;
    this.#opened = null;
    const connection = this.#connection;
    this.#connection = null;
    if (connection) {
      connection.onconnectionstatechange = null;
      connection.ontrack = null;
      connection.close();
    }
  }

  #watchQuality(connection: RTCPeerConnection): void {
    const id = this.#opened?.id;
    if (this.#quality !== null || id === undefined) return;
    const { direction, random, onQuality, onWeak } = this.#options;
    const told = { onQuality: (quality: Quality) => onQuality(quality, id), onWeak };
    this.#quality = new QualityWatch({ connection, direction, random, ...told });
  }

  #watchPath(connection: RTCPeerConnection): void {
    const { now } = this.#options;
    this.#path ??= new PathWatch({ connection, now, onStill: () => void this.#pathStill() });
  }

  /**
   * Nothing comes, and the browser has not noticed. A restart mends a dead path and is not heard on a living one; but where the server
   * itself has stopped, a restart from everybody is the last thing that it needs.
   */
  async #pathStill(): Promise<void> {
    const mayRestart = () => this.#phase.name === 'connected' && !this.#isRestarting && this.#sinceRestartMs() >= LASTING_MS;
    if (this.#isAsking || !mayRestart()) return;
    const generation = this.#generation;
    this.#isAsking = true;
    await new Promise((resolve) => setTimeout(resolve, this.#options.random() * QUESTION_SPREAD_MS));
    const isReady = generation === this.#generation && (await this.#options.signalling.isReady());
    if (generation !== this.#generation) return;
    this.#isAsking = false;
    if (isReady && this.#path?.isStill && mayRestart()) this.#recover();
  }

  #spreadMs(): number {
    return this.#options.random() * SPREAD_MS;
  }

  #sinceRestartMs(): number {
    return this.#options.now() - this.#restartedAtMs;
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

/** The SDP of an offer that asks for retransmissions, and is in force here. */
async function makeOffer(connection: RTCPeerConnection, options?: RTCOfferOptions): Promise<string> {
  const offer = await connection.createOffer(options);
  const asking = withOpusNack(offer.sdp ?? '');
  try {
    await connection.setLocalDescription({ type: 'offer', sdp: asking });
    return asking;
  } catch {
    // A browser that takes no offer but its own: it does without.
    await connection.setLocalDescription(offer);
    return offer.sdp ?? '';
  }
}
