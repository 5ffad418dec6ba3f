/**
 * Keeps the screen awake while it is wanted: a phone that sleeps takes the microphone with it.
 *
 * The Screen Wake Lock API, where there is one. The system ends a lock with every change to another page, so it is asked for
 * again when ours is shown.
 */
export class WakeLock {
  #isWanted = false;
  #lock: WakeLockSentinel | null = null;
  #isAsking = false;
  #ending = new AbortController();

  constructor() {
    const { signal } = this.#ending;
    document.addEventListener('visibilitychange', () => void this.#ask(), { signal });
  }

  want(isWanted: boolean): void {
    if (isWanted === this.#isWanted) return;
    this.#isWanted = isWanted;
    if (isWanted) void this.#ask();
    else this.#release();
  }

  close(): void {
    this.#ending.abort();
    this.want(false);
  }

  async #ask(): Promise<void> {
    if (!this.#isWanted || this.#lock || this.#isAsking || !('wakeLock' in navigator) || document.visibilityState !== 'visible') return;
    this.#isAsking = true;
    try {
      const lock = await navigator.wakeLock.request('screen');
      lock.onrelease = () => {
        if (this.#lock === lock) this.#lock = null;
      };
      this.#lock = lock;
    } catch {
      // A battery that runs low refuses it. The screen then sleeps when it would anyway.
    }
    this.#isAsking = false;
    if (!this.#isWanted) this.#release();
  }

  #release(): void {
    const lock = this.#lock;
    this.#lock = null;
    void lock?.release().catch(() => undefined);
  }
}
