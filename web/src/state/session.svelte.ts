import type { Api } from '../protocol/api.ts';
import { backoffMs } from '../protocol/backoff.ts';
import type { RealtimeClient } from '../protocol/realtime.ts';
import type { Me, Person } from '../protocol/types.ts';
import type { Places } from './places.svelte.ts';

/** Who one is on this server. */
export class Session {
  me: Me | null = $state.raw(null);
  /** The first answer has not come, and at least one try failed. */
  isUnreachable = $state(false);
  #api: Api;
  #realtime: RealtimeClient;
  #places: Places;

  constructor(api: Api, realtime: RealtimeClient, places: Places) {
    this.#api = api;
    this.#realtime = realtime;
    this.#places = places;
  }

  get person(): Person | null {
    return this.me?.person ?? null;
  }

  /** Asks until the server answers: everything else waits for this. */
  async load(): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        this.me = await this.#api.me();
        break;
      } catch {
        this.isUnreachable = true;
        await passing(500 + backoffMs(Math.min(attempt, 2), Math.random()));
      }
    }
    this.#places.follow(this.me.person !== null);
    this.#realtime.start();
  }

  /** After signing in or out: the cookies are another's, so the socket must be too. */
  async changed(): Promise<void> {
    this.me = await this.#api.me();
    this.#places.follow(this.me.person !== null);
    this.#realtime.restart();
  }

  /** Own profile was edited. */
  changePerson(person: Person): void {
    if (this.me) this.me = { ...this.me, person };
  }
}

/** Until the time is over or the network is back, whichever is first. */
function passing(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, delayMs);
    window.addEventListener('online', done);
    function done() {
      clearTimeout(timer);
      window.removeEventListener('online', done);
      resolve();
    }
  });
}
