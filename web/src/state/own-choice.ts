import type { PersonId } from '../protocol/types.ts';

const STORAGE_KEY = 'salon.polls';
/** Polls end; what one chose there is then of no use. */
const KEPT = 20;

interface Kept {
  poll: string;
  person: PersonId;
  option: number;
}

/**
 * What one chose in a poll, kept on this device alone: votes are secret, and the server says only that one has voted.
 *
 * Only for the look of the result. That a vote counts once is the server's business.
 */
export function keepChoice(poll: string, person: PersonId, option: number): void {
  const all = [...readAll().filter((kept) => kept.poll !== poll || kept.person !== person), { poll, person, option }];
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(all.slice(-KEPT)));
  } catch {
    // A private window that keeps nothing: after a reload the result is there, without one's own mark.
  }
}

export function keptChoice(poll: string, person: PersonId): number | null {
  return readAll().find((kept) => kept.poll === poll && kept.person === person)?.option ?? null;
}

function readAll(): Kept[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '[]');
    return Array.isArray(kept) ? (kept as Kept[]).filter((one) => typeof one?.option === 'number') : [];
  } catch {
    return [];
  }
}
