import { flushSync } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bruno, ROOM_ID } from '../../tests/fakes/people.ts';
import { settle, Stage } from '../../tests/fakes/salon.ts';
import { ApiError } from '../protocol/errors.ts';
import type { Line } from '../protocol/types.ts';

const PATH = `/api/v1/rooms/${ROOM_ID}/line`;
const third: Line = { position: 3, length: 12, admitted_until: null, retry_after: 8 };
const admitted: Line = { position: null, length: 11, admitted_until: '2026-11-23T20:05:00Z', retry_after: 1 };

let stage: Stage;

const asked = (method: string) => stage.asked.filter((question) => question.startsWith(`${method} ${PATH}`)).length;
/** How often the door was tried since one arrived at it. */
const opened = () => stage.signalling.asked.filter(({ kind }) => kind === 'open').length - 1;
const phase = () => stage.salon.room?.phase.name;

function full(line: Line | null): ApiError {
  return new ApiError({ code: 'room_full', message: 'The room is full.', field: null, ...(line && { line }) }, 429, 8);
}

/** At the door of a full room, with time in one’s hands. */
async function arrive(line: Line | null = third): Promise<void> {
  stage = new Stage(Stage.person(bruno), null);
  stage.answers.set(`GET ${PATH}`, third);
  stage.answers.set(`DELETE ${PATH}`, 204);
  await stage.enter();
  vi.useFakeTimers();
  stage.salon.leave();
  stage.signalling.failures.push(full(line));
  stage.salon.enter(ROOM_ID);
  stage.answerWatches();
  await vi.advanceTimersByTimeAsync(0);
  flushSync();
}

beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});

afterEach(() => {
  vi.restoreAllMocks();
  stage.salon.close();
});

describe('waiting in line', () => {
  it('begins with the place that the door gave, and asks again when it was told to', async () => {
    await arrive();
    expect(phase()).toBe('full');
    expect(stage.salon.line?.line).toEqual(third);
    expect(asked('GET')).toBe(0);
    await vi.advanceTimersByTimeAsync(7_999);
    expect(asked('GET')).toBe(0);
    stage.answers.set(`GET ${PATH}`, { ...third, position: 2 });
    await vi.advanceTimersByTimeAsync(1);
    expect(asked('GET')).toBe(1);
    expect(stage.salon.line?.line?.position).toBe(2);
    await vi.advanceTimersByTimeAsync(8_000);
    expect(asked('GET')).toBe(2);
    expect(opened()).toBe(1);
  });

  it('asks at once where the door gave no place', async () => {
    await arrive(null);
    await vi.advanceTimersByTimeAsync(0);
    expect(asked('GET')).toBe(1);
    expect(stage.salon.line?.line).toEqual(third);
  });

  it('asks within half a minute, whatever it was told: else the place would be given away', async () => {
    await arrive({ ...third, retry_after: 600 });
    await vi.advanceTimersByTimeAsync(28_000);
    expect(asked('GET')).toBe(1);
  });

  it('enters by itself when admitted, and says so', async () => {
    await arrive();
    stage.answers.set(`GET ${PATH}`, admitted);
    await vi.advanceTimersByTimeAsync(8_000);
    expect(opened()).toBe(2);
    expect(phase()).toBe('inside');
    expect(stage.salon.line).toBeNull();
    expect(stage.salon.toasts.items.map(({ text }) => text)).toEqual(['A chair is free: you are coming into “Evening talk”.']);
  });

  it('enters at once when the server says it by itself', async () => {
    await arrive();
    stage.event('person/me', 'line_changed', { room: 'another', line: admitted });
    expect(phase()).toBe('full');
    stage.event('person/me', 'line_changed', { room: ROOM_ID, line: admitted });
    await vi.advanceTimersByTimeAsync(0);
    expect(phase()).toBe('inside');
    expect(asked('GET')).toBe(0);
  });

  it('goes on from the end where the line has forgotten one, without saying that a chair is free', async () => {
    await arrive();
    stage.signalling.failures.push(full({ ...third, position: 12 }));
    stage.answers.set(`GET ${PATH}`, { ...third, position: null });
    await vi.advanceTimersByTimeAsync(8_000);
    flushSync();
    expect(phase()).toBe('full');
    expect(stage.salon.line?.line?.position).toBe(12);
    expect(stage.salon.toasts.items).toEqual([]);
  });

  it('is kept up through a network that is away', async () => {
    await arrive();
    stage.answers.set(`GET ${PATH}`, 503);
    await vi.advanceTimersByTimeAsync(8_000);
    stage.answers.set(`GET ${PATH}`, admitted);
    expect(phase()).toBe('full');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(phase()).toBe('inside');
  });

  it('goes on while one walks around, and gives the place up only for another room', async () => {
    await arrive();
    const { line } = stage.salon;
    stage.salon.router.go('/');
    stage.salon.enter(ROOM_ID);
    expect(stage.salon.line).toBe(line);
    expect(opened()).toBe(1);
    stage.salon.enter('s'.repeat(26));
    await vi.advanceTimersByTimeAsync(0);
    expect(asked('DELETE')).toBe(1);
    expect(stage.salon.line).toBeNull();
  });

  it('ends when one leaves it', async () => {
    await arrive();
    stage.salon.leave();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([asked('DELETE'), asked('GET'), opened()]).toEqual([1, 0, 1]);
  });

  it('ends when the room does', async () => {
    await arrive();
    stage.signalling.failures.push(new ApiError({ code: 'room_ended', message: '', field: null }, 410));
    stage.answers.set(`GET ${PATH}`, 410);
    await vi.advanceTimersByTimeAsync(8_000);
    vi.useRealTimers();
    await settle();
    expect(phase()).toBe('ended');
    expect(stage.salon.line).toBeNull();
  });
});
