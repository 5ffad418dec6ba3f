import type { Status } from '../protocol/types.ts';

export interface CallFacts {
  /** The system has taken the microphone. */
  isTaken: boolean;
  isOnStage: boolean;
  /** The room shows one as on a call. */
  isSaid: boolean;
}

/** A microphone that comes back within this was no call. */
const SAID_AFTER_MS = 1_000;

/**
 * Tells the room that one is on a call when the system takes the microphone, and that one is back when it returns it.
 *
 * What was said by hand is taken back by hand.
 */
export class OnACall {
  #tell: (status: Status | null) => void;
  #isOurs = false;
  /** Said by hand while the microphone was taken: until it comes back the person knows better than the system. */
  #isOverruled = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(tell: (status: Status | null) => void) {
    this.#tell = tell;
  }

  follow({ isTaken, isOnStage, isSaid }: CallFacts): void {
    if (!isTaken) this.#isOverruled = false;
    if (isTaken && isOnStage && !isSaid && !this.#isOurs && !this.#isOverruled) {
      this.#timer ??= setTimeout(() => this.#say(), SAID_AFTER_MS);
      return;
    }
    if (!isTaken || !isOnStage) this.#cancel();
    if (!isOnStage) this.#isOurs = false;
    else if (!isTaken && this.#isOurs) {
      this.#isOurs = false;
      this.#tell(null);
    }
  }

  saidByHand(): void {
    this.#cancel();
    this.#isOurs = false;
    this.#isOverruled = true;
  }

  close(): void {
    this.#cancel();
  }

  #say(): void {
    this.#timer = undefined;
    this.#isOurs = true;
    this.#tell('on_a_call');
  }

  #cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
