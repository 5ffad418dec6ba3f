import type { ConnectionState, RealtimeClient } from '../protocol/realtime.ts';

/** A drop shorter than this is nobody's business. */
const SHOW_AFTER_MS = 2_000;

/** How the line to the server is, for the banner. */
export class Link {
  #state: ConnectionState = $state.raw({ phase: 'idle' });
  #isLong = $state(false);
  isOnline = $state(navigator.onLine);

  constructor(realtime: RealtimeClient) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    realtime.onState((state) => {
      this.#state = state;
      if (state.phase === 'open' || state.phase === 'idle') {
        clearTimeout(timer);
        timer = undefined;
        this.#isLong = false;
      } else {
        timer ??= setTimeout(() => (this.#isLong = true), SHOW_AFTER_MS);
      }
    });
    window.addEventListener('offline', () => (this.isOnline = false));
    window.addEventListener('online', () => {
      this.isOnline = true;
      realtime.wake();
    });
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') realtime.wake();
    });
  }

  /** What to tell: nothing, that this device is offline, that the server restarts, or that it does not answer. */
  get trouble(): 'offline' | 'restarting' | 'unreachable' | null {
    if (!this.isOnline) return 'offline';
    if (!this.#isLong) return null;
    return this.#state.phase === 'waiting' && this.#state.stopping ? 'restarting' : 'unreachable';
  }
}
