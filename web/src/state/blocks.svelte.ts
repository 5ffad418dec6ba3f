import type { Api } from '../protocol/api.ts';
import type { Face, PersonId, RoomCard } from '../protocol/types.ts';
import type { Session } from './session.svelte.ts';

/** Whom one has blocked: asked once, changed here, shown to nobody else. */
export class Blocks {
  people: Face[] = $state.raw([]);
  #ids: ReadonlySet<PersonId> = $derived(new Set(this.people.map(({ id }) => id)));
  #of: PersonId | null = null;
  #api: Api;
  #session: Session;

  constructor(api: Api, session: Session) {
    this.#api = api;
    this.#session = session;
  }

  has(person: PersonId): boolean {
    return this.#ids.has(person);
  }

  /** The server says so of a room that it ranked; of one that was only announced since, the list does. */
  folds(room: RoomCard): boolean {
    return room.folded || this.has(room.host.id) || room.speakers.some(({ id }) => this.has(id));
  }

  /** Asks unless it is known. Without an answer nobody counts as blocked, and the next call asks again. */
  async load(): Promise<void> {
    const me = this.#session.person?.id ?? null;
    if (me === this.#of) return;
    this.people = [];
    this.#of = me;
    if (me === null) return;
    try {
      const { people } = await this.#api.blocks();
      if (this.#of === me) this.people = people;
    } catch {
      if (this.#of === me) this.#of = null;
    }
  }

  async set(person: Face, isBlocked: boolean): Promise<void> {
    await this.#api.setRelation(person.handle, 'block', isBlocked);
    const others = this.people.filter(({ id }) => id !== person.id);
    this.people = isBlocked ? [person, ...others] : others;
  }
}
