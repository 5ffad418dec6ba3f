import type { Api } from '../protocol/api.ts';
import { backoffMs } from '../protocol/backoff.ts';
import type { RealtimeClient } from '../protocol/realtime.ts';
import { applyToHallway } from '../protocol/streams.ts';
import type { HallwayPresence, HallwayState, LanguageTag, RoomCard, RoomId } from '../protocol/types.ts';
import type { Blocks } from './blocks.svelte.ts';

/** How old the ranking may be, and what the stream does not tell: rooms that are not for everybody. */
const RANK_EVERY_MS = 30_000;

/** As many as a ranking has at most: from here on, a room that is not in it may be just not among the best. */
const LONGEST_RANKING = 200;

/**
 * The live rooms: ranked by the server, kept current by the `hallway` stream. Followed while somebody looks.
 *
 * The stream is the same for everybody, so it holds open rooms only. A social or closed room that one may enter is in the
 * ranked list alone, and stays from one of these to the next. The other way round, an open room that was known before the
 * ranking and is missing in it is not for us: we were removed from it.
 */
export class Hallway {
  language: LanguageTag | null = $state(null);
  /** Until the first answer there is nothing to say, not even "nobody is here". */
  isLoaded = $state(false);
  #cards: RoomCard[] = $state.raw([]);
  #notForAll: RoomCard[] = $state.raw([]);
  #rank: RoomId[] = $state.raw([]);
  #isRanked = false;
  #notForUs: ReadonlySet<RoomId> = $state.raw(new Set());
  #reasons: Record<RoomId, string> = $state.raw({});
  #counts: Record<RoomId, number> = $state.raw({});
  #folded: ReadonlySet<RoomId> = $state.raw(new Set());
  #api: Api;
  #realtime: RealtimeClient;
  #blocks: Blocks;
  #viewers = 0;
  #unwatch: (() => void) | null = null;
  #next: ReturnType<typeof setTimeout> | undefined;
  #endings: (() => void)[] = [];

  constructor(api: Api, realtime: RealtimeClient, blocks: Blocks) {
    this.#api = api;
    this.#realtime = realtime;
    this.#blocks = blocks;
  }

  /** Everything, best first; rooms that opened since the ranking come before it, newest first. */
  get all(): RoomCard[] {
    const rank = new Map(this.#rank.map((id, index) => [id, index]));
    const place = (card: RoomCard) => rank.get(card.id) ?? -1;
    const listed = new Set(this.#cards.map(({ id }) => id));
    return [...this.#cards, ...this.#notForAll.filter(({ id }) => !listed.has(id))]
      .filter(({ id }) => !this.#notForUs.has(id))
      .map((card) => this.#current(card))
      .sort((a, b) => place(a) - place(b) || b.opened_at.localeCompare(a.opened_at));
  }

  /** Those of the chosen language. */
  get rooms(): RoomCard[] {
    return this.language === null ? this.all : this.all.filter((room) => room.language === this.language);
  }

  /** The languages spoken now, for the filter. */
  get languages(): LanguageTag[] {
    return [...new Set([...this.#cards, ...this.#notForAll].map((room) => room.language))].sort();
  }

  card(id: RoomId): RoomCard | null {
    return [...this.#cards, ...this.#notForAll].find((card) => card.id === id) ?? null;
  }

  #current(card: RoomCard): RoomCard {
    return {
      ...card,
      audience: this.#counts[card.id] ?? card.audience,
      why: this.#reasons[card.id] ?? card.why,
      folded: this.#folded.has(card.id) || this.#blocks.folds(card),
    };
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
    clearTimeout(this.#next);
    let delayMs = RANK_EVERY_MS;
    void this.#blocks.load();
    const known = this.#cards;
    try {
      const { rooms } = await this.#api.hallway(null);
      this.#rank = rooms.map((room) => room.id);
      this.#reasons = Object.fromEntries(rooms.map((room) => [room.id, room.why]));
      this.#folded = new Set(rooms.filter(({ folded }) => folded).map(({ id }) => id));
      this.#notForAll = rooms.filter(({ visibility }) => visibility !== 'open');
      this.#isRanked = rooms.length < LONGEST_RANKING;
      this.#notForUs = this.#isRanked ? this.#unranked(known) : new Set();
      if (!this.isLoaded) this.#cards = rooms;
      this.isLoaded = true;
    } catch {
      delayMs = 1_000 + backoffMs(1, Math.random());
    }
    clearTimeout(this.#next);
    if (this.#viewers > 0) this.#next = setTimeout(() => void this.rank(), delayMs);
  }

  /** A snapshot came after the ranking: what is only in the snapshot has opened this moment, or is not for us. A new ranking knows. */
  #doubt(cards: RoomCard[]): void {
    this.#notForUs = this.#unranked(cards);
    if (this.#notForUs.size > 0) void this.rank();
  }

  #unranked(cards: RoomCard[]): ReadonlySet<RoomId> {
    const ranked = new Set(this.#rank);
    return new Set(cards.map(({ id }) => id).filter((id) => !ranked.has(id)));
  }

  close(): void {
    this.#viewers = 0;
    this.#unfollow();
  }

  #follow(): void {
    void this.rank();
    const rank = () => document.visibilityState === 'visible' && void this.rank();
    window.addEventListener('focus', rank);
    this.#endings.push(() => window.removeEventListener('focus', rank));
    this.#unwatch = this.#realtime.watch<HallwayState>('hallway', {
      reduce: applyToHallway,
      onState: (state, event) => {
        this.#cards = state.rooms;
        this.isLoaded = true;
        if (event === null && this.#isRanked) this.#doubt(state.rooms);
      },
      onPresence: (presence) => (this.#counts = { ...this.#counts, ...(presence as HallwayPresence).rooms }),
      onRefused: () => (this.#unwatch = null),
    });
  }

  #unfollow(): void {
    clearTimeout(this.#next);
    for (const end of this.#endings.splice(0)) end();
    this.#unwatch?.();
    this.#unwatch = null;
  }
}
