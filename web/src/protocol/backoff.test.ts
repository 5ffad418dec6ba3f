import { describe, expect, it } from 'vitest';
import { backoffMs } from './backoff.ts';

describe('backoffMs', () => {
  it.each([
    [0, 1, 2_000],
    [1, 1, 4_000],
    [3, 1, 16_000],
    [4, 1, 30_000],
    [40, 1, 30_000],
    [2, 0.25, 2_000],
    [5, 0, 0],
  ])('of attempt %i at %f is %i', (attempt, random, expected) => {
    expect(backoffMs(attempt, random)).toBe(expected);
  });
});
