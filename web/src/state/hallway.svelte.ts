import type { Api } from '../protocol/api.ts';
import { backoffMs } from '../protocol/backoff.ts';
import type { RealtimeClient } from '../protocol/realtime.ts';
import { applyToHallway } from '../protocol/streams.ts';
import type { HallwayPresence, HallwayState, LanguageTag, RoomCard, RoomId } from '../protocol/types.ts';

/** The live rooms: ranked once by the server, kept current by the `hallway` stream. Followed while somebody looks. */
export class Hallway {
  language: LanguageTag | null = $state(null);
  /** Until the first answer there is nothing to say, not even "nobody is here". */
  isLoaded = $state(false);
  #cards: RoomCard[] = $state.raw([]);
  #rank: RoomId[] = $state.raw([]);
  #reasons: Record<RoomId, string> = $state.raw({});
  #counts: Record<RoomId, number> = $state.raw({});
  #api: Api;
  #realtime: RealtimeClient;
  #viewers = 0;
  #unwatch: (() => void) | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(api: Api, realtime: RealtimeClient) {
    this.#api = api;
    this.#realtime = realtime;
  }

  /** Everything, best first; rooms that opened since the ranking come before it, newest first. */
  get all(): RoomCard[] {
    const rank = new Map(this.#rank.map((id, index) => [id, index]));
    const place = (card: RoomCard) => rank.get(card.id) ?? -1;
    return this.#cards
      .map((card) => ({ ...card, audience: this.#counts[card.id] ?? card.audience, why: this.#reasons[card.id] ?? card.why }))
      .sort((a, b) => place(a) - place(b) || b.opened_at.localeCompare(a.opened_at));
  }

  get rooms(): RoomCard[] {
    return this.language === null ? this.all : this.all.filter((room) => room.language === this.language);
  }

  /** The languages spoken now, for the filter. */
  get languages(): LanguageTag[] {
    return [...new Set(this.#cards.map((room) => room.language))].sort();
  }

  card(id: RoomId): RoomCard | null {
    return this.#cards.find((card) => card.id === id) ?? null;
  }

  /** Follow the hallway until the returned function is called. */
  look(): () => void {
    this.#viewers += 1;
    if (this.#viewers === 1) this.#follow();
    return () => {
      this.#viewers -= 1;
      if (this.#viewers === 0) this.#unfollow();
    };
  }

  /** The ranking is for the one who asks, so it is asked again when that is somebody else. */
  async rank(): Promise<void> {
    clearTimeout(this.#retry);
    try {
      const { rooms } = await this.#api.hallway(null);
      this.#rank = rooms.map((room) => room.id);
      this.#reasons = Object.fromEntries(rooms.map((room) => [room.id, room.why]));
      if (!this.isLoaded) this.#cards = rooms;
      this.isLoaded = true;
    } catch {
      if (this.#viewers > 0) this.#retry = setTimeout(() => void this.rank(), 1_000 + backoffMs(1, Math.random()));
    }
  }

  #follow(): void {
    void this.rank();
    this.#unwatch = this.#realtime.watch<HallwayState>('hallway', {
      reduce: applyToHallway,
      onState: (state) => {
        this.#cards = state.rooms;
        this.isLoaded = true;
      },
      onPresence: (presence) => (this.#counts = { ...this.#counts, ...(presence as HallwayPresence).rooms }),
      onRefused: () => (this.#unwatch = null),
    });
  }

  #unfollow(): void {
    clearTimeout(this.#retry);
    this.#unwatch?.();
    this.#unwatch = null;
  }
}
