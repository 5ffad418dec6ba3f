import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ana, bruno, cleo, member, NO_CONVERSATION, NO_MODERATION, roomState } from '../../tests/fakes/people.ts';
import type { Reducer } from './streams.ts';
import { applyToConversation, applyToHallway, applyToHands, applyToModeration, applyToPerson, applyToRoom } from './streams.ts';

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
  const reducers: Record<string, unknown> = {
    hallway: applyToHallway,
    room: applyToRoom,
    conversation: applyToConversation,
    hands: applyToHands,
    moderation: applyToModeration,
    person: applyToPerson,
  };
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
    const next = applyToRoom(state, { kind: 'mute_changed', data: { person: bruno.id, muted: true, held: true } });
    expect(next.stage.map((other) => [other.person.handle, other.muted, other.held])).toEqual([
      ['ana', false, false],
      ['bruno', true, true],
    ]);
  });
});

describe('applyToConversation', () => {
  const question = { id: 'q1', author: bruno, text: 'Why lamps?', asked_at: '2026-11-23T20:01:00Z', state: 'open' as const };

  it('keeps the newest hundred messages', () => {
    const post = (state: typeof NO_CONVERSATION, number: number) =>
      applyToConversation(state, { kind: 'message_posted', data: { id: `m${number}`, author: ana, text: '', at: '2026-11-23T20:01:00Z' } });
    const numbers = Array.from({ length: 101 }, (_, index) => index);
    const { messages } = numbers.reduce(post, NO_CONVERSATION);
    expect([messages.length, messages[0]?.id, messages.at(-1)?.id]).toEqual([100, 'm1', 'm100']);
  });

  it('changes a question in its place, and takes nothing but its state', () => {
    const state = { ...NO_CONVERSATION, questions: [question, { ...question, id: 'q2' }] };
    const next = applyToConversation(state, { kind: 'question_changed', data: { question: 'q1', state: 'read' } });
    expect(next.questions).toEqual([
      { ...question, state: 'read' },
      { ...question, id: 'q2' },
    ]);
  });
});

describe('applyToModeration', () => {
  const removal = { person: cleo, by: ana, reason: 'Shouting', at: '2026-11-23T20:02:00Z', until: null };

  it('knows one removal of a person: the newest', () => {
    const state = { ...NO_MODERATION, removals: [removal, { ...removal, person: bruno }] };
    const newer = { ...removal, reason: 'Again', until: '2026-11-23T21:00:00Z' };
    expect(applyToModeration(state, { kind: 'removal_added', data: newer }).removals).toEqual([{ ...removal, person: bruno }, newer]);
  });

  it('drops a request once it is settled', () => {
    const request = { id: 'a', action: 'end_room' as const, by: ana, target: null, expires_at: '2026-11-23T20:04:00Z' };
    const state = { ...NO_MODERATION, requests: [request, { ...request, id: 'b' }] };
    const next = applyToModeration(state, { kind: 'request_settled', data: { request: 'a', outcome: 'expired' } });
    expect(next.requests).toEqual([{ ...request, id: 'b' }]);
  });
});
