import { t } from '../i18n/index.svelte.ts';
import type { Api } from '../protocol/api.ts';
import type { Called, StreamEvent } from '../protocol/types.ts';
import type { Announcer } from './announcer.svelte.ts';
import type { Places } from './places.svelte.ts';

export interface Call extends Called {
  kind: 'pinged' | 'invited_in';
}

/** Who calls more than this many times at once is noise; the oldest go. */
const KEPT = 5;

/** Pings and invitations into rooms that wait for an answer. One is shown at a time. */
export class Calls {
  #waiting: Call[] = $state.raw([]);
  #api: Api;
  #announcer: Announcer;

  constructor(api: Api, places: Places, announcer: Announcer) {
    this.#api = api;
    this.#announcer = announcer;
    places.onEvent((event) => this.#came(event));
  }

  get current(): Call | null {
    return this.#waiting[0] ?? null;
  }

  dismiss(call: Call): void {
    this.#waiting = this.#waiting.filter((other) => other !== call);
  }

  /** Signed out, or in as somebody else. */
  clear(): void {
    this.#waiting = [];
  }

  /** No more calls from this person: neither those to come nor those that wait. */
  async mute(call: Call): Promise<void> {
    await this.#api.setRelation(call.by.handle, 'ping-mute', true);
    this.#waiting = this.#waiting.filter(({ by }) => by.id !== call.by.id);
  }

  #came(event: StreamEvent | null): void {
    if (event?.kind !== 'pinged' && event?.kind !== 'invited_in') return;
    const call: Call = { kind: event.kind, ...(event.data as Called) };
    const isSame = ({ room, by }: Call) => room.id === call.room.id && by.id === call.by.id;
    if (this.#waiting.some(isSame)) return;
    this.#waiting = [...this.#waiting, call].slice(-KEPT);
    this.#announcer.say(t('call.announce', call.by.name, call.room.title));
  }
}
