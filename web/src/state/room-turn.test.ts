import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TurnClock } from './room-turn.svelte.ts';

const NOW = Date.parse('2026-11-23T20:10:00Z');
let over: string[];
let clock: TurnClock;

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  over = [];
  clock = new TurnClock((person) => over.push(person));
});

afterEach(() => clock.close());

describe('a turn', () => {
  it('found on entering began when the server says', () => {
    clock.heard({ person: 'ana', since: '2026-11-23T20:09:30Z' });
    expect(clock.turn).toEqual({ person: 'ana', startedAtMs: NOW - 30_000 });
  });

  it('that begins before our eyes is timed by our own clock, however wrong', () => {
    clock.heard(null);
    vi.advanceTimersByTime(500);
    clock.heard({ person: 'ana', since: '2026-11-23T21:10:00Z' });
    expect(clock.turn).toEqual({ person: 'ana', startedAtMs: NOW + 500 });
    vi.advanceTimersByTime(500);
    clock.heard({ person: 'ana', since: '2026-11-23T21:10:00Z' });
    expect(clock.turn).toEqual({ person: 'ana', startedAtMs: NOW + 500 });
  });

  it('has no limit until the room has one', () => {
    clock.heard({ person: 'ana', since: '2026-11-23T20:00:00Z' });
    vi.advanceTimersByTime(3_600_000);
    expect([clock.overTime, over]).toEqual([null, []]);
  });

  it('is over after its time, told once, and not over any more when the next one speaks', () => {
    clock.limit(60);
    clock.heard({ person: 'ana', since: '2026-11-23T20:09:30Z' });
    vi.advanceTimersByTime(29_999);
    expect(clock.overTime).toBeNull();
    vi.advanceTimersByTime(1);
    clock.heard({ person: 'ana', since: '2026-11-23T20:09:30Z' });
    vi.advanceTimersByTime(60_000);
    expect([clock.overTime, over]).toEqual(['ana', ['ana']]);
    clock.heard({ person: 'bruno', since: '2026-11-23T20:11:30Z' });
    expect(clock.overTime).toBeNull();
  });

  it('gets longer with the limit', () => {
    clock.limit(60);
    clock.heard({ person: 'ana', since: '2026-11-23T20:10:00Z' });
    vi.advanceTimersByTime(60_000);
    clock.limit(120);
    expect(clock.overTime).toBeNull();
    vi.advanceTimersByTime(60_000);
    expect([clock.overTime, over]).toEqual(['ana', ['ana', 'ana']]);
  });
});
