import type { Visibility } from '../../../protocol/types.ts';

/** From the fewest people to the most. */
export const VISIBILITIES: readonly Visibility[] = ['closed', 'social', 'open'];
export const CAPACITIES = [10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];
/** Seconds. */
export const TURNS = [30, 60, 120, 180, 300, 600];
/** Seconds. */
export const SLOW_MODES = [5, 10, 30, 60, 120, 300];

/** The usual values, and the one that is set, wherever it came from. */
export function withCurrent(usual: readonly number[], current: number | null): number[] {
  return current === null || usual.includes(current) ? [...usual] : [...usual, current].sort((a, b) => a - b);
}
