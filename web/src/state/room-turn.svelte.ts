import type { PersonId, RoomPresence } from '../protocol/types.ts';

export interface Turn {
  person: PersonId;
  /** By this device's clock, in milliseconds since the epoch. */
  startedAtMs: number;
}

/** Presence comes twice a second; what is older than this was not seen as it happened. */
const LIVE_MS = 2_000;

/** Who has the floor, and whether for longer than the room gives them. */
export class TurnClock {
  turn: Turn | null = $state.raw(null);
  overTime: PersonId | null = $state.raw(null);
  #since: string | null = null;
  #turnSecs: number | null = null;
  #heardAtMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #onOver: (person: PersonId) => void;

  constructor(onOver: (person: PersonId) => void) {
    this.#onOver = onOver;
  }

  heard(turn: RoomPresence['turn']): void {
    const nowMs = Date.now();
    const isLive = nowMs - this.#heardAtMs < LIVE_MS;
    this.#heardAtMs = nowMs;
    if (!turn) {
      this.#set(null, null);
    } else if (turn.person !== this.turn?.person || turn.since !== this.#since) {
      // A turn that began before our eyes is timed by our own clock, which may go differently from the server's.
      this.#set({ person: turn.person, startedAtMs: isLive ? nowMs : Math.min(nowMs, Date.parse(turn.since)) }, turn.since);
    }
  }

  /** secs: how long one speaks; null: as long as one likes. */
  limit(secs: number | null): void {
    if (secs === this.#turnSecs) return;
    this.#turnSecs = secs;
    this.#watch();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #set(turn: Turn | null, since: string | null): void {
    this.#since = since;
    if (turn === null && this.turn === null) return;
    this.turn = turn;
    this.#watch();
  }

  #watch(): void {
    clearTimeout(this.#timer);
    this.overTime = null;
    const { turn } = this;
    if (turn === null || this.#turnSecs === null) return;
    this.#timer = setTimeout(
      () => {
        this.overTime = turn.person;
        this.#onOver(turn.person);
      },
      Math.max(0, turn.startedAtMs + this.#turnSecs * 1_000 - Date.now()),
    );
  }
}
