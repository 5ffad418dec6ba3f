import type { ConnectionState, RealtimeClient } from '../protocol/realtime.ts';

/** A drop shorter than this is nobody's business. */
const SHOW_AFTER_MS = 2_000;

/** How the line to the server is, for the banner. */
export class Link {
  #isRestarting = $state(false);
  #isLong = $state(false);
  isOnline = $state(navigator.onLine);

  #timer: ReturnType<typeof setTimeout> | undefined;
  #ending = new AbortController();

  constructor(realtime: RealtimeClient) {
    const { signal } = this.#ending;
    signal.addEventListener(
      'abort',
      realtime.onState((state) => this.#changed(state)),
    );
    window.addEventListener('offline', () => (this.isOnline = false), { signal });
    window.addEventListener(
      'online',
      () => {
        this.isOnline = true;
        realtime.wake();
      },
      { signal },
    );
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && realtime.wake(), { signal });
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#ending.abort();
  }

  #changed(state: ConnectionState): void {
    if (state.phase === 'waiting') this.#isRestarting = state.stopping;
    if (state.phase === 'open' || state.phase === 'idle') {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#isLong = false;
    } else {
      this.#timer ??= setTimeout(() => (this.#isLong = true), SHOW_AFTER_MS);
    }
  }

  /** What to tell: nothing, that this device is offline, that the server restarts, or that it does not answer. */
  get trouble(): 'offline' | 'restarting' | 'unreachable' | null {
    if (!this.isOnline) return 'offline';
    if (!this.#isLong) return null;
    return this.#isRestarting ? 'restarting' : 'unreachable';
  }
}
