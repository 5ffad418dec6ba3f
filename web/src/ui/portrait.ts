/**
 * The portrait of somebody without a picture: a small evening scene drawn from their id, always the same for the same person.
 *
 * Ten pairs of dyes, each dark enough under light letters (4.5:1), and four motifs.
 */

export interface Portrait {
  ground: string;
  motif: string;
  kind: 'moon' | 'arches' | 'hills' | 'rays';
  turnDeg: number;
  initials: string;
}

const DYES: readonly (readonly [ground: string, motif: string])[] = [
  ['#7a2e1d', '#a94a2b'],
  ['#24504a', '#35736a'],
  ['#4a2f5e', '#6d4788'],
  ['#1f4568', '#2f6391'],
  ['#6d3b12', '#98571f'],
  ['#5c2440', '#87385f'],
  ['#3d4a1e', '#5a6d2e'],
  ['#2c3a6b', '#435596'],
  ['#6b2737', '#993d52'],
  ['#2f4a3a', '#466d56'],
];

const KINDS = ['moon', 'arches', 'hills', 'rays'] as const;

export function portraitOf(id: string, name: string): Portrait {
  const seed = hash(id);
  const [ground, motif] = DYES[seed % DYES.length] as (typeof DYES)[number];
  return {
    ground,
    motif,
    kind: KINDS[(seed >>> 8) % KINDS.length] as Portrait['kind'],
    turnDeg: ((seed >>> 16) % 8) * 45,
    initials: initialsOf(name),
  };
}

/** First letters of the first and last word, by character and not by code unit. */
export function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : words.slice(0, 1);
  return letters.map((word) => [...(word ?? '')][0]?.toLocaleUpperCase() ?? '').join('') || '·';
}

/** FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}
