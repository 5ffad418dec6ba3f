import type { PersonId, RoomId } from '../protocol/types.ts';

const STORAGE_KEY = 'salon.votes';
/** Rooms end; what one voted there is then of no use. */
const ROOMS_KEPT = 20;

interface Kept {
  /** Person and room. */
  of: string;
  questions: string[];
  poll: { id: string; option: number } | null;
}

/**
 * What one voted for in a room, kept on this device: the stream is the same for everybody and cannot say it.
 *
 * Only for the look of buttons. That a vote counts once is the server's business.
 */
export class OwnVotes {
  #of: string;
  #questions: Set<string>;
  #poll: Kept['poll'];

  constructor(room: RoomId, person: PersonId | null) {
    this.#of = `${person ?? ''} ${room}`;
    const kept = readAll().find(({ of }) => of === this.#of);
    this.#questions = new Set(kept?.questions);
    this.#poll = kept?.poll ?? null;
  }

  get votes(): ReadonlySet<string> {
    return new Set(this.#questions);
  }

  setVote(question: string, isCast: boolean): void {
    if (isCast) this.#questions.add(question);
    else this.#questions.delete(question);
    this.#keep();
  }

  /** Of the answers of that poll, or null where one has not voted. */
  choice(poll: string): number | null {
    return this.#poll?.id === poll ? this.#poll.option : null;
  }

  choose(poll: string, option: number): void {
    this.#poll = { id: poll, option };
    this.#keep();
  }

  /** The others are closed. */
  keepOnly(questions: readonly string[]): void {
    const gone = [...this.#questions].filter((id) => !questions.includes(id));
    if (gone.length === 0) return;
    for (const id of gone) this.#questions.delete(id);
    this.#keep();
  }

  #keep(): void {
    const mine: Kept = { of: this.#of, questions: [...this.#questions], poll: this.#poll };
    const all = [...readAll().filter(({ of }) => of !== this.#of), mine].slice(-ROOMS_KEPT);
    try {
      localStorage.setItem(STORAGE_KEY, JSON.stringify(all));
    } catch {
      // A private window that keeps nothing: the buttons then know it until the page is closed.
    }
  }
}

function readAll(): Kept[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter(isKept) : [];
  } catch {
    return [];
  }
}

function isKept(value: unknown): value is Kept {
  return typeof value === 'object' && value !== null && 'of' in value && 'questions' in value && Array.isArray(value.questions);
}
