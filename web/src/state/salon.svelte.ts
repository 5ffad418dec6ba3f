import { getContext, setContext, untrack } from 'svelte';
import { HttpSignalling } from '../media/signalling.ts';
import type { Signalling } from '../media/signalling.ts';
import { Api } from '../protocol/api.ts';
import { HttpClient } from '../protocol/http.ts';
import { RealtimeClient } from '../protocol/realtime.ts';
import { SignIn } from '../protocol/sign-in.ts';
import { t } from '../i18n/index.svelte.ts';
import type { Line, RoomId } from '../protocol/types.ts';
import { Announcer } from './announcer.svelte.ts';
import { Blocks } from './blocks.svelte.ts';
import { Calls } from './calls.svelte.ts';
import { Clock } from './clock.svelte.ts';
import { Hallway } from './hallway.svelte.ts';
import { LineWait } from './line.svelte.ts';
import { Link } from './link.svelte.ts';
import { Microphone } from './microphone.svelte.ts';
import { Places } from './places.svelte.ts';
import { RoomConnection } from './room.svelte.ts';
import { Router } from './router.svelte.ts';
import { Session } from './session.svelte.ts';
import { Settings } from './settings.svelte.ts';
import { Toasts } from './toasts.svelte.ts';

/** Everything that outlives a page of the client, put together once. Views reach it by `useSalon()`. */
export class Salon {
  readonly settings = new Settings();
  readonly clock = new Clock();
  readonly router = new Router();
  readonly toasts = new Toasts();
  readonly announcer = new Announcer();
  readonly api: Api;
  readonly signIn: SignIn;
  readonly signalling: Signalling;
  readonly realtime: RealtimeClient;
  readonly link: Link;
  readonly places: Places;
  readonly session: Session;
  readonly blocks: Blocks;
  readonly calls: Calls;
  readonly hallway: Hallway;
  readonly microphone: Microphone;
  /** The room one is in: at most one at a time. */
  room: RoomConnection | null = $state.raw(null);
  /** The line one waits in, be the page of its room shown or not. */
  line: LineWait | null = $state.raw(null);
  #stopMindingDoor: () => void;

  constructor() {
    const http = new HttpClient(() => this.settings.language);
    this.api = new Api(http);
    this.signIn = new SignIn(http);
    this.signalling = new HttpSignalling(http);
    this.realtime = new RealtimeClient({
      url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`,
      ticket: () => this.api.ticket(),
      onPerson: (person) => {
        if (person !== (this.session.person?.id ?? null)) void this.personChanged().catch(() => undefined);
      },
    });
    this.link = new Link(this.realtime);
    this.places = new Places(this.realtime);
    this.session = new Session(this.api, this.realtime, this.places);
    this.blocks = new Blocks(this.api, this.session);
    this.calls = new Calls(this.api, this.places, this.announcer);
    this.hallway = new Hallway(this.api, this.realtime, this.blocks);
    this.microphone = new Microphone(this.settings);
    this.#stopMindingDoor = $effect.root(() => {
      $effect(() => {
        const phase = this.room?.phase;
        if (phase?.name === 'full') untrack(() => this.#waitInLine(phase.line));
      });
    });
  }

  /** Ends everything this began; the page itself never does that, its tests do. */
  close(): void {
    this.#stopMindingDoor();
    this.#leaveLine(false);
    this.room?.close();
    this.room = null;
    this.realtime.stop();
    for (const part of [this.router, this.clock, this.link, this.hallway]) part.close();
  }

  /** Into a room, out of the one before. Entering where one already is changes nothing. */
  enter(id: RoomId): RoomConnection {
    if (this.room?.id === id && (isGoingOn(this.room) || this.line?.room === id)) return this.room;
    this.#leaveLine(true);
    this.room?.leave();
    this.room = new RoomConnection(id, this);
    this.room.enter();
    return this.room;
  }

  leave(): void {
    this.#leaveLine(true);
    this.room?.leave();
    this.room = null;
  }

  /** After a refusal that may have passed, such as a full room. */
  enterAgain(id: RoomId): void {
    this.#leaveLine(false);
    this.room?.close();
    this.room = null;
    this.enter(id);
  }

  /** Signing in or out makes one somebody else, in the room as well. */
  async personChanged(): Promise<void> {
    const inside = this.room && ['inside', 'sign_in_required', 'full'].includes(this.room.phase.name) ? this.room.id : null;
    this.#leaveLine(false);
    this.calls.clear();
    this.room?.close();
    this.room = null;
    await this.session.changed();
    void this.hallway.rank();
    if (inside !== null) this.enter(inside);
  }

  #waitInLine(first: Line | null): void {
    if (!this.room || this.line?.room === this.room.id) return;
    const title = this.room.room?.title ?? this.hallway.card(this.room.id)?.title ?? '';
    this.line = new LineWait(this.room.id, {
      api: this.api,
      places: this.places,
      onDoor: ({ room, line }) => {
        if (line?.admitted_until != null) this.#say(title === '' ? t('line.admitted') : t('line.admittedTo', title));
        this.enterAgain(room);
      },
      onGone: ({ room }) => this.enterAgain(room),
    });
    this.line.start(first);
  }

  /** tell: also give the place up. */
  #leaveLine(tell: boolean): void {
    if (tell) this.line?.leave();
    else this.line?.stop();
    this.line = null;
  }

  #say(sentence: string): void {
    this.toasts.show(sentence);
    this.announcer.sayNow(sentence);
  }
}

/** The room is on, and so is one's own part in it, be it in another window. */
function isGoingOn(room: RoomConnection): boolean {
  return room.phase.name === 'inside' || room.phase.name === 'elsewhere';
}

const KEY = Symbol('salon');

export function provideSalon(salon: Salon): void {
  setContext(KEY, salon);
}

export function useSalon(): Salon {
  return getContext<Salon>(KEY);
}
