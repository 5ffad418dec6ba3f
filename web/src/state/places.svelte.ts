import type { RealtimeClient } from '../protocol/realtime.ts';
import { applyToPerson } from '../protocol/streams.ts';
import type { MyPlace, PersonState, RoomId, StreamEvent } from '../protocol/types.ts';

/** One's own places in live rooms: the stream `person/me`. */
export class Places {
  #places: Record<RoomId, MyPlace> = $state.raw({});
  #realtime: RealtimeClient;
  #unwatch: (() => void) | null = null;
  #listeners = new Set<(event: StreamEvent | null) => void>();

  constructor(realtime: RealtimeClient) {
    this.#realtime = realtime;
  }

  in(room: RoomId): MyPlace | null {
    return this.#places[room] ?? null;
  }

  /** Called after every snapshot (null) and event. */
  onEvent(listener: (event: StreamEvent | null) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Somebody signed in, or out. */
  follow(isSignedIn: boolean): void {
    this.#unwatch?.();
    this.#unwatch = null;
    this.#places = {};
    if (!isSignedIn) return;
    this.#unwatch = this.#realtime.watch<PersonState>('person/me', {
      reduce: applyToPerson,
      onState: (state, event) => {
        this.#places = state.places;
        for (const listener of this.#listeners) listener(event);
      },
      onRefused: () => (this.#unwatch = null),
    });
  }
}
