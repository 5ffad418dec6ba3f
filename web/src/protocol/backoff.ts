/**
 * How long to wait before the n-th try, in milliseconds: random within a window of 2 s that doubles up to 30 s.
 *
 * The whole window is random ("full jitter") so that everyone a restart threw out does not come back at once.
 * attempt: counted from 0. random: 0..1.
 */
export function backoffMs(attempt: number, random: number): number {
  return Math.round(random * Math.min(30_000, 2_000 * 2 ** attempt));
}
