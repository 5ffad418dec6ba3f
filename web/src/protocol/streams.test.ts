import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ana, bruno, member, roomState } from '../../tests/fakes/people.ts';
import type { Reducer } from './streams.ts';
import { applyToHallway, applyToHands, applyToPerson, applyToRoom } from './streams.ts';

interface Vector {
  name: string;
  stream: string;
  snapshot: { seq: number; state: unknown };
  events: { seq: number; kind: string; data: unknown }[];
  expected: { seq: number; state: unknown };
}

/** The server's own reference replays the same file: both sides agree on what every event does. */
const { vectors } = JSON.parse(readFileSync('../tests/vectors/streams.json', 'utf8')) as { vectors: Vector[] };

function reducerFor(stream: string): Reducer<unknown> {
  const kind = stream.split('/')[0] ?? '';
  const reducers: Record<string, unknown> = { hallway: applyToHallway, room: applyToRoom, hands: applyToHands, person: applyToPerson };
  return reducers[kind] as Reducer<unknown>;
}

describe('the shared vectors', () => {
  it('are there', () => {
    expect(vectors.length).toBeGreaterThan(15);
  });

  it.each(vectors)('$name', ({ stream, snapshot, events, expected }) => {
    const apply = reducerFor(stream);
    const before = JSON.stringify(snapshot.state);
    const state = events.reduce((current, event) => apply(current, event), snapshot.state);
    expect(withSortedRooms(state)).toEqual(withSortedRooms(expected.state));
    expect(events.at(-1)?.seq ?? snapshot.seq).toBe(expected.seq);
    expect(JSON.stringify(snapshot.state)).toBe(before);
  });
});

/** The hallway is unordered. */
function withSortedRooms(state: unknown): unknown {
  if (typeof state !== 'object' || state === null || !('rooms' in state) || !Array.isArray(state.rooms)) return state;
  return { rooms: [...(state.rooms as { id: string }[])].sort((a, b) => a.id.localeCompare(b.id)) };
}

describe('applyToRoom', () => {
  it('leaves the state as it is for an event of an unknown kind', () => {
    const state = roomState();
    expect(applyToRoom(state, { kind: 'confetti', data: {} })).toBe(state);
  });

  it('changes only the member it is about', () => {
    const state = roomState({ stage: [member(ana, { role: 'host' }), member(bruno)] });
    const next = applyToRoom(state, { kind: 'mute_changed', data: { person: bruno.id, muted: true } });
    expect(next.stage.map((other) => [other.person.handle, other.muted])).toEqual([
      ['ana', false],
      ['bruno', true],
    ]);
  });
});
