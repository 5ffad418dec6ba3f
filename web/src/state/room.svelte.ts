/**
 * One's presence in one room: its state, one's own place, the sound in and out. It lives outside every component, so that the
 * sound goes on while one walks around; `CurrentRoom` owns it and ends it.
 *
 * Truth is the server's: place, role and mute come from its streams, and this file only makes the sound follow them.
 */

import { t } from '../i18n/index.svelte.ts';
import { onInterruption } from '../media/interruption.ts';
import { ringLevel, SpeakingHold } from '../media/levels.ts';
import { Listener } from '../media/listener.ts';
import { clearLockScreen, showOnLockScreen } from '../media/lock-screen.ts';
import { LevelMeter } from '../media/meter.ts';
import { onNetworkChange } from '../media/network.ts';
import type { SoundPhase } from '../media/session.ts';
import type { Signalling } from '../media/signalling.ts';
import { Speaker } from '../media/speaker.ts';
import { WakeLock } from '../media/wake-lock.ts';
import type { Api } from '../protocol/api.ts';
import { ApiError, asApiError } from '../protocol/errors.ts';
import type { RealtimeClient } from '../protocol/realtime.ts';
import { applyToRoom } from '../protocol/streams.ts';
import type {
  CommandAnswer,
  CommandName,
  Commands,
  Face,
  Hand,
  Line,
  MyPlace,
  PersonId,
  PlaceChanged,
  RoomId,
  RoomPresence,
  RoomState,
  SessionEnded,
  StageMember,
  Status,
  StreamEvent,
} from '../protocol/types.ts';
import type { Announcer } from './announcer.svelte.ts';
import { Conversation } from './conversation.svelte.ts';
import type { Microphone } from './microphone.svelte.ts';
import type { Places } from './places.svelte.ts';
import { randomKey } from './random-key.ts';
import { OnACall } from './on-a-call.ts';
import { RoomDesk } from './room-desk.svelte.ts';
import type { News } from './room-news.ts';
import { newsOfPlace, newsOfRoom } from './room-news.ts';
import { queueOrder } from './room-queue.ts';
import { TurnClock } from './room-turn.svelte.ts';
import type { Session } from './session.svelte.ts';
import type { Settings } from './settings.svelte.ts';
import type { Toasts } from './toasts.svelte.ts';

export type RoomPhase =
  | { name: 'inside' }
  /** Another window of the same person plays this room. */
  | { name: 'elsewhere' }
  | { name: 'ended' }
  | { name: 'removed'; by: Face | null; reason: string | null }
  | { name: 'gone' }
  /** line: one's place in it, where the server gave one. */
  | { name: 'full'; line: Line | null }
  | { name: 'locked' }
  | { name: 'sign_in_required' }
  | { name: 'refused'; error: ApiError }
  | { name: 'left' };

export interface RoomSurroundings {
  api: Api;
  realtime: RealtimeClient;
  signalling: Signalling;
  session: Session;
  places: Places;
  settings: Settings;
  microphone: Microphone;
  toasts: Toasts;
  announcer: Announcer;
}

/** Often enough for a ring that moves with the voice, seldom enough for a phone's battery. */
const LEVEL_INTERVAL_MS = 100;

/** A wait that is longer than this is for the person to see, not to be sat out behind their back. */
const LONGEST_SILENT_WAIT_SECS = 5;

const NO_LEVELS: Readonly<Record<PersonId, number>> = {};

export class RoomConnection {
  readonly id: RoomId;
  readonly conversation: Conversation;
  readonly desk: RoomDesk;
  readonly turns: TurnClock;
  phase: RoomPhase = $state.raw({ name: 'inside' });
  room: RoomState | null = $state.raw(null);
  presence: RoomPresence | null = $state.raw(null);
  /** When the role of host passes on, by this device's clock; null: nobody is missed. */
  graceEndsAtMs: number | null = $state.raw(null);
  listening: SoundPhase = $state.raw({ name: 'stopped' });
  speaking: SoundPhase = $state.raw({ name: 'stopped' });
  /** The browser wants a tap before it plays. */
  isBlocked = $state(false);
  isDeafened = $state(false);
  /** So much is lost on the way here, or on one's own way to the others, that words are missing. */
  isHearingPoorly = $state(false);
  isHeardPoorly = $state(false);
  /** 0..1 as a ring shows it, for those heard now. */
  levels: Readonly<Record<PersonId, number>> = $state.raw(NO_LEVELS);
  heard: ReadonlySet<PersonId> = $state.raw(new Set());

  #around: RoomSurroundings;
  #listener: Listener;
  #speaker: Speaker | null = null;
  #isOpeningMicrophone = false;
  /** It could not be opened. Asking again is the person's decision, or every event would bring the browser's question back. */
  #isWithoutMicrophone = false;
  #meter: LevelMeter | null = null;
  /** What one just pressed, until the server's word arrives; the sound obeys it at once. */
  #wantsMuted: boolean | null = $state(null);
  #muteTold: Promise<void> = Promise.resolve();
  #firstPlace: MyPlace | null = $state.raw(null);
  #placeBefore: MyPlace | null = null;
  #onACall: OnACall;
  #isInterrupted = false;
  #wakeLock = new WakeLock();
  #speakingHold = new SpeakingHold<PersonId>();
  #endings: (() => void)[] = [];
  #stopPlaces: () => void = () => undefined;

  constructor(id: RoomId, around: RoomSurroundings) {
    this.id = id;
    this.#around = around;
    this.conversation = new Conversation(id, around);
    this.desk = new RoomDesk(id, around);
    this.turns = new TurnClock((person) => this.#turnOver(person));
    this.#onACall = new OnACall((status) => void this.command('set_status', { status }).catch(() => undefined));
    this.#listener = new Listener({
      room: id,
      signalling: around.signalling,
      outputDevice: () => around.settings.output,
      onPhase: (phase) => this.#listeningChanged(phase),
      onBlocked: (blocked) => (this.isBlocked = blocked),
      onQuality: (quality, session) => around.realtime.reportQuality(session, quality),
      onWeak: (isWeak) => (this.isHearingPoorly = isWeak),
    });
  }

  /** One's place here, or null for a visitor and until the server has counted one in. */
  get mine(): MyPlace | null {
    return this.#around.places.in(this.id) ?? this.#firstPlace;
  }

  get isModerator(): boolean {
    return this.mine?.role === 'host' || this.mine?.role === 'moderator';
  }

  get isHost(): boolean {
    return this.mine?.role === 'host';
  }

  /** In the order in which they are invited. */
  get hands(): Hand[] {
    return queueOrder(this.desk.hands, this.room?.fair_floor ?? false);
  }

  get isHeld(): boolean {
    return this.mine?.held != null;
  }

  get isOnACall(): boolean {
    return this.mine?.status === 'on_a_call';
  }

  get isOnStage(): boolean {
    return this.mine?.on_stage === true;
  }

  get isMuted(): boolean {
    return this.isHeld || (this.#wantsMuted ?? this.mine?.muted ?? true);
  }

  get audience(): number {
    return this.presence?.audience ?? 0;
  }

  isConnected(member: StageMember): boolean {
    // Until the first count arrives nothing is known against anybody.
    return this.presence === null || this.presence.connected.includes(member.person.id);
  }

  enter(): void {
    this.#endings.push(
      this.#around.realtime.watch<RoomState>(`room/${this.id}`, {
        reduce: applyToRoom,
        onState: (room, event) => this.#roomChanged(room, event),
        onPresence: (presence) => this.#presenceCame(presence as RoomPresence),
        onRefused: (error) => this.#refused(error),
      }),
      this.conversation.follow(),
      this.#around.microphone.onChange(() => this.#microphoneChanged()),
      this.#everyInterval(),
      this.#onWake(),
      onInterruption((isInterrupted) => {
        this.#isInterrupted = isInterrupted;
        this.#followCall();
      }),
    );
    this.#stopPlaces = this.#around.places.onEvent((event) => this.#placeEvent(event));
    this.#listener.start();
    void this.#fetchRoom();
  }

  /** Quietly. The server is told; nobody else hears of it. */
  leave(): void {
    const wasInside = this.phase.name === 'inside';
    if (wasInside && this.mine !== null) void this.command('leave_room', {}).catch(() => undefined);
    this.#finish({ name: 'left' }, wasInside);
  }

  /** The page forgets this room without telling the server. An answer or a microphone that comes later finds it left. */
  close(): void {
    this.#finish({ name: 'left' }, false);
  }

  /** "Play here": take the sound back from the other window. */
  takeBack(): void {
    if (this.phase.name !== 'elsewhere') return;
    this.phase = { name: 'inside' };
    this.#listener.start();
    this.#follow();
  }

  allowSound(): Promise<void> {
    return this.#listener.allowSound();
  }

  deafen(isDeafened: boolean): void {
    this.isDeafened = isDeafened;
    this.#listener.deafen(isDeafened);
  }

  useOutput(deviceId: string | null): Promise<void> {
    return this.#listener.useOutput(deviceId);
  }

  /** One wish, sent until it is answered: retries carry the same key, so that it happens once. Throws ApiError. */
  async command<N extends CommandName>(name: N, data: Commands[N]): Promise<CommandAnswer> {
    const key = randomKey();
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#around.api.command(this.id, name, data, key);
      } catch (cause) {
        const error = asApiError(cause);
        const waitSecs = error.retryAfterSecs ?? 0;
        if (error.retry !== 'later' || attempt === 2 || waitSecs > LONGEST_SILENT_WAIT_SECS) throw error;
        await new Promise((resolve) => setTimeout(resolve, Math.max(waitSecs * 1_000, 700 * (attempt + 1))));
      }
    }
  }

  /** Said by hand. Whoever goes to a call closes the microphone; coming back leaves it to them to open it. Throws ApiError. */
  async setOnACall(isOnACall: boolean): Promise<void> {
    const status: Status | null = isOnACall ? 'on_a_call' : null;
    this.#onACall.saidByHand();
    if (isOnACall && !this.isMuted) await this.setMuted(true);
    await this.command('set_status', { status });
  }

  /** Throws ApiError. */
  async setMuted(muted: boolean): Promise<void> {
    if (!muted && this.isHeld) throw new ApiError({ code: 'mute_held', message: '', field: null }, 403);
    if (!muted && this.#around.microphone.stream === null) {
      await this.#startSpeaking();
      if (this.#around.microphone.stream === null) return;
    }
    this.#wantsMuted = muted;
    this.#applyMute();
    // One after the other: of two requests under way at once the older could arrive last, and would be what everybody hears.
    const telling = this.#muteTold.then(() => this.#tellMuted(muted));
    this.#muteTold = telling.catch(() => undefined);
    await telling;
  }

  async #tellMuted(muted: boolean): Promise<void> {
    try {
      await this.command(muted ? 'mute' : 'unmute', {});
    } catch (cause) {
      const error = asApiError(cause);
      // The server has it already: an answer got lost, or another window was faster.
      if (error.code !== 'already_muted' && error.code !== 'not_muted') {
        if (this.#wantsMuted === muted) this.#wantsMuted = null;
        this.#applyMute();
        throw error;
      }
    }
    if (this.#wantsMuted === muted && this.mine?.muted === muted) this.#wantsMuted = null;
  }

  async #fetchRoom(): Promise<void> {
    try {
      const room = await this.#around.api.room(this.id);
      if (this.phase.name !== 'inside') return;
      this.#firstPlace = room.mine;
      this.#placeBefore ??= room.mine;
      this.room ??= room.state;
      this.presence ??= {
        stream: `room/${this.id}`,
        audience: room.audience,
        faces: [],
        connected: room.state.stage.map((m) => m.person.id),
      };
      this.#follow();
    } catch (cause) {
      this.#refused(asApiError(cause));
    }
  }

  #refused(error: ApiError): void {
    if (this.phase.name !== 'inside' || (error.retry === 'later' && error.code !== 'room_full')) return;
    this.#finish(error.code === 'unwatched' ? { name: 'removed', by: null, reason: null } : phaseOfError(error), false);
  }

  #roomChanged(room: RoomState, event: StreamEvent | null): void {
    const before = this.room;
    this.room = room;
    if (room.phase === 'ended') {
      if (this.phase.name === 'inside' || this.phase.name === 'elsewhere') this.#finish({ name: 'ended' }, false);
      return;
    }
    this.turns.limit(room.turn_secs);
    this.#timeGrace(room, event);
    if (event && before) this.#pass(newsOfRoom(event, before, this.#around.session.person?.id ?? null));
    this.#follow();
  }

  /** Times the grace from the event's own time, so that a clock that is wrong here does not shorten it. */
  #timeGrace({ grace_ends_at: ends }: RoomState, event: StreamEvent | null): void {
    if (ends === null) this.graceEndsAtMs = null;
    else if (event === null) this.graceEndsAtMs = Date.parse(ends);
    else if (event.kind === 'room_changed' && 'grace_ends_at' in (event.data as object)) {
      this.graceEndsAtMs = event.at === undefined ? Date.parse(ends) : Date.now() + Date.parse(ends) - Date.parse(event.at);
    }
  }

  #presenceCame(presence: RoomPresence): void {
    this.presence = presence;
    this.turns.heard(presence.turn);
  }

  /** Calmly: the room hears nothing of it, only the speaker and who runs the room do. */
  #turnOver(person: PersonId): void {
    if (person === this.#around.session.person?.id) this.#around.announcer.say(t('turn.yours'));
    else if (this.isModerator) {
      const name = this.room?.stage.find((member) => member.person.id === person)?.person.name;
      if (name !== undefined) this.#around.announcer.say(t('turn.over', name));
    }
  }

  #placeEvent(event: StreamEvent | null): void {
    if (event?.kind === 'place_changed') {
      const change = event.data as PlaceChanged;
      if (change.room === this.id) this.#placeChanged(change);
    } else if (event?.kind === 'session_ended') {
      const { session, room, reason } = event.data as SessionEnded;
      if (room === this.id) {
        this.#listener.session.endedByServer(session, reason);
        this.#speaker?.session.endedByServer(session, reason);
      }
    }
    this.#placeBefore = this.mine;
    if (this.mine?.muted === this.#wantsMuted) this.#wantsMuted = null;
    this.#follow();
  }

  #placeChanged(change: PlaceChanged): void {
    const { place, cause, by, reason } = change;
    this.#firstPlace = null;
    if (cause === 'remove_person') {
      this.#finish({ name: 'removed', by, reason }, false);
      return;
    }
    if (place === null && cause === 'leave_room' && this.phase.name !== 'left') {
      this.#finish({ name: 'left' }, false);
      return;
    }
    // Even if one had just pressed "unmute": the moderator's word is newer.
    if (cause === 'mute_speaker' || cause === 'mute_all' || cause === 'hold_mute') this.#wantsMuted = null;
    this.#pass(newsOfPlace(change, this.#placeBefore));
  }

  /** Several at once become one sentence after the other, or only the last would be read. */
  #pass(news: News[]): void {
    const { announcer, toasts } = this.#around;
    for (const { text } of news.filter(({ isShown }) => isShown)) toasts.show(text);
    const wordsOf = (isUrgent: boolean) =>
      news
        .filter((one) => one.isUrgent === isUrgent)
        .map(({ text }) => text)
        .join(' ');
    if (wordsOf(true) !== '') announcer.sayNow(wordsOf(true));
    if (wordsOf(false) !== '') announcer.say(wordsOf(false));
  }

  /** Makes the sound and the watched streams follow one's place. */
  #follow(): void {
    if (this.phase.name !== 'inside') return;
    if (!this.isOnStage) this.#stopSpeaking(false);
    else if (!this.#isWithoutMicrophone) void this.#startSpeaking();
    this.#applyMute();
    this.desk.follow(this.isModerator);
    this.#wakeLock.want(this.isOnStage);
    this.#followCall();
    this.#showOnLockScreen();
  }

  #followCall(): void {
    if (this.phase.name !== 'inside') return;
    const isTaken = this.#isInterrupted || this.#around.microphone.isTaken;
    this.#onACall.follow({ isTaken, isOnStage: this.isOnStage, isSaid: this.isOnACall });
    // The system may have let the sessions die meanwhile.
    if (!isTaken && this.isOnACall) this.#wake();
  }

  async #startSpeaking(): Promise<void> {
    if (this.#speaker || this.#isOpeningMicrophone) return;
    this.#isOpeningMicrophone = true;
    try {
      await this.#around.microphone.hold(this);
    } catch {
      // The fault is shown from `microphone.fault`. The room should see that nothing will be heard.
      this.#isOpeningMicrophone = false;
      this.#isWithoutMicrophone = true;
      if (this.mine?.muted === false) void this.command('mute', {}).catch(() => undefined);
      return;
    }
    this.#isOpeningMicrophone = false;
    this.#isWithoutMicrophone = false;
    const track = this.#around.microphone.stream?.getAudioTracks()[0];
    if (!track || !this.isOnStage || this.phase.name !== 'inside') {
      this.#around.microphone.release(this);
      return;
    }
    this.#speaker = new Speaker({
      room: this.id,
      signalling: this.#around.signalling,
      track,
      onPhase: (phase) => this.#speakingChanged(phase),
      onQuality: (quality, session) => this.#around.realtime.reportQuality(session, quality),
      onWeak: (isWeak) => (this.isHeardPoorly = isWeak),
    });
    this.#useMeter();
    this.#applyMute();
    this.#speaker.start();
  }

  #stopSpeaking(tell: boolean): void {
    this.#isWithoutMicrophone = false;
    if (!this.#speaker) return;
    this.#speaker.stop(tell);
    this.#speaker = null;
    this.speaking = { name: 'stopped' };
    this.#wantsMuted = null;
    this.#useMeter();
    this.#around.microphone.release(this);
  }

  #speakingChanged(phase: SoundPhase): void {
    this.speaking = phase;
    if (phase.name === 'taken_over') this.#finishSound({ name: 'elsewhere' });
    // Refused for good, most often because the place on the stage was lost a moment ago: the next place event tells.
    if (phase.name === 'ended') this.#stopSpeaking(false);
  }

  #listeningChanged(phase: SoundPhase): void {
    this.listening = phase;
    if (phase.name === 'taken_over') this.#finishSound({ name: 'elsewhere' });
    if (phase.name !== 'ended' || this.phase.name !== 'inside') return;
    if (phase.error) this.#refused(phase.error);
    else if (phase.reason === 'removed') this.#finish({ name: 'removed', by: null, reason: null }, false);
    else this.#finish({ name: 'ended' }, false);
  }

  #microphoneChanged(): void {
    const track = this.#around.microphone.stream?.getAudioTracks()[0];
    this.#followCall();
    this.#useMeter();
    if (track && this.#speaker) void this.#speaker.useTrack(track);
    else if (track) {
      this.#isWithoutMicrophone = false;
      this.#follow();
    } else if (this.#speaker && this.mine?.muted === false) this.#muteWhileUnplugged();
  }

  /** A moment is given to the next microphone before the room is told. */
  #muteWhileUnplugged(): void {
    setTimeout(() => {
      if (this.#speaker && this.#around.microphone.stream === null && this.mine?.muted === false)
        void this.command('mute', {}).catch(() => undefined);
    }, 1_000);
  }

  #applyMute(): void {
    this.#speaker?.setMuted(this.isMuted);
  }

  #useMeter(): void {
    this.#meter?.close();
    const { stream } = this.#around.microphone;
    this.#meter = this.#speaker && stream ? new LevelMeter(stream) : null;
  }

  #everyInterval(): () => void {
    const timer = setInterval(() => void this.#readLevels(), LEVEL_INTERVAL_MS);
    return () => clearInterval(timer);
  }

  async #readLevels(): Promise<void> {
    const linear = new Map<PersonId, number>();
    const byCsrc = await this.#listener.levels();
    for (const member of this.room?.stage ?? []) {
      const level = byCsrc.get(member.csrc);
      if (level !== undefined) linear.set(member.person.id, level);
    }
    const me = this.#around.session.person?.id;
    if (me !== undefined && this.#meter && !this.isMuted) linear.set(me, this.#meter.read());
    const heard = this.#speakingHold.update(linear, performance.now());
    if (!isSameSet(heard, this.heard)) this.heard = heard;
    if (linear.size > 0 || this.levels !== NO_LEVELS) {
      this.levels = linear.size === 0 ? NO_LEVELS : Object.fromEntries([...linear].map(([id, level]) => [id, ringLevel(level)]));
    }
  }

  #wake(): void {
    this.#listener.session.wake();
    this.#speaker?.session.wake();
  }

  #onWake(): () => void {
    const wake = () => this.#wake();
    const unsubscribe = this.#around.realtime.onState((state) => state.phase === 'open' && wake());
    const stop = onNetworkChange(() => {
      this.#listener.session.networkChanged();
      this.#speaker?.session.networkChanged();
    });
    return () => {
      unsubscribe();
      stop();
    };
  }

  #showOnLockScreen(): void {
    if (!this.room) return;
    const people = this.room.stage.map((member) => member.person.name).slice(0, 3);
    showOnLockScreen(
      { title: this.room.title, people: people.join(', ') || this.room.host.name },
      {
        setDeafened: (isDeafened) => this.deafen(isDeafened),
        toggleMicrophone: () => void this.setMuted(!this.isMuted).catch(() => undefined),
        leave: () => this.leave(),
      },
    );
  }

  /** The sound stops here, but the room stays watched: it can be taken back. */
  #finishSound(phase: RoomPhase): void {
    this.phase = phase;
    this.#stopSpeaking(false);
    this.#listener.session.stop(false);
    this.#wakeLock.want(false);
    clearLockScreen();
  }

  #finish(phase: RoomPhase, tell: boolean): void {
    this.phase = phase;
    this.#stopSpeaking(tell);
    this.#listener.stop(tell);
    this.desk.follow(false);
    this.turns.close();
    this.#onACall.close();
    this.#wakeLock.close();
    for (const end of this.#endings.splice(0)) end();
    // Who removed one, and why, may come a moment after the removal itself.
    if (phase.name !== 'removed') this.#stopPlaces();
    this.levels = NO_LEVELS;
    this.heard = new Set();
    clearLockScreen();
  }
}

function phaseOfError(error: ApiError): RoomPhase {
  switch (error.code) {
    case 'not_found':
      return { name: 'gone' };
    case 'room_ended':
      return { name: 'ended' };
    case 'room_full':
      return { name: 'full', line: error.line };
    case 'room_locked':
      return { name: 'locked' };
    case 'sign_in_required':
      return { name: 'sign_in_required' };
    default:
      return error.retry === 'gone' ? { name: 'gone' } : { name: 'refused', error };
  }
}

function isSameSet<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): boolean {
  return a.size === b.size && [...a].every((item) => b.has(item));
}
