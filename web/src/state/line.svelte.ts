import type { Api } from '../protocol/api.ts';
import { backoffMs } from '../protocol/backoff.ts';
import { asApiError } from '../protocol/errors.ts';
import type { Line, LineChanged, RoomId } from '../protocol/types.ts';
import type { Places } from './places.svelte.ts';

/** A place that is not asked for within half a minute is given away; see section 5 of the protocol. */
const ASK_WITHIN_MS = 28_000;

export interface LineSurroundings {
  api: Api;
  places: Places;
  /** One may enter now; or the line forgot one, and the door says what holds instead. */
  onDoor: (wait: LineWait) => void;
  /** The room is over, or not for us any more. */
  onGone: (wait: LineWait) => void;
  random?: () => number;
}

/**
 * Waiting in line for a full room: asks again and again, since asking keeps the place.
 *
 * The server knows the place by person or by its cookie, so that a page that was loaded anew finds itself where it was.
 */
export class LineWait {
  readonly room: RoomId;
  line: Line | null = $state.raw(null);
  #around: LineSurroundings;
  #random: () => number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  #isOver = false;
  #endings: (() => void)[] = [];

  constructor(room: RoomId, around: LineSurroundings) {
    this.room = room;
    this.#around = around;
    this.#random = around.random ?? Math.random;
  }

  /** first: what the door said, or null where it said nothing. */
  start(first: Line | null): void {
    this.#endings.push(
      this.#around.places.onEvent((event) => {
        if (event?.kind !== 'line_changed') return;
        const { room, line } = event.data as LineChanged;
        if (room === this.room) this.#take(line);
      }),
    );
    const wake = () => void this.#ask();
    window.addEventListener('online', wake);
    this.#endings.push(() => window.removeEventListener('online', wake));
    if (first === null) void this.#ask();
    else this.#take(first);
  }

  /** Quietly: whoever stands behind moves up. */
  leave(): void {
    this.stop();
    void this.#around.api.leaveLine(this.room).catch(() => undefined);
  }

  /** No more asking; the server forgets the place by itself. */
  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    for (const end of this.#endings.splice(0)) end();
  }

  #take(line: Line): void {
    if (this.#isOver) return;
    this.line = line;
    if (line.admitted_until !== null || line.position === null) {
      this.stop();
      this.#around.onDoor(this);
      return;
    }
    // A little earlier or later than asked: a room of people who were turned away together must not come back together.
    const wantedMs = line.retry_after * 1_000 * (0.75 + this.#random() / 2);
    this.#askIn(Math.min(ASK_WITHIN_MS, wantedMs));
  }

  async #ask(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      const line = await this.#around.api.line(this.room);
      this.#attempt = 0;
      this.#take(line);
    } catch (cause) {
      if (this.#isOver) return;
      const error = asApiError(cause);
      if (error.retry === 'gone') {
        this.stop();
        this.#around.onGone(this);
        return;
      }
      const delay = Math.max(1_000 + backoffMs(Math.min(this.#attempt, 3), this.#random()), (error.retryAfterSecs ?? 0) * 1_000);
      this.#attempt += 1;
      this.#askIn(delay);
    }
  }

  #askIn(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(), delayMs);
  }
}
