import type { ClubOfRoom } from '../../protocol/types.ts';

const STORAGE_KEY = 'salon.house-rules';

/** Whether this device's user has promised to keep to the rules as they stand: new rules are a new promise. */
export function hasAccepted(club: ClubOfRoom): boolean {
  return club.rules.length === 0 || readAll()[club.id] === fingerprint(club);
}

export function accept(club: ClubOfRoom): void {
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify({ ...readAll(), [club.id]: fingerprint(club) }));
  } catch {
    // A private window that keeps nothing asks once a page.
    here[club.id] = fingerprint(club);
  }
}

const here: Record<string, string> = {};

function fingerprint({ rules }: ClubOfRoom): string {
  return rules.join('\n');
}

function readAll(): Record<string, string> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '{}');
    return { ...here, ...(typeof kept === 'object' ? (kept as Record<string, string>) : {}) };
  } catch {
    return here;
  }
}
