import { beforeEach, expect, it, vi } from 'vitest';
import { OnACall } from './on-a-call.ts';

let told: (string | null)[];
let call: OnACall;
const QUIET = { isTaken: false, isOnStage: true, isSaid: false };
const TAKEN = { ...QUIET, isTaken: true };

beforeEach(() => {
  vi.useFakeTimers();
  told = [];
  call = new OnACall((status) => told.push(status));
});

it('says it when the system keeps the microphone, and takes it back when it returns', () => {
  call.follow(TAKEN);
  vi.advanceTimersByTime(999);
  expect(told).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(told).toEqual(['on_a_call']);
  call.follow({ ...TAKEN, isSaid: true });
  call.follow({ ...QUIET, isSaid: true });
  call.follow({ ...QUIET, isSaid: true });
  expect(told).toEqual(['on_a_call', null]);
});

it('says nothing of a microphone that was away for a moment', () => {
  call.follow(TAKEN);
  vi.advanceTimersByTime(500);
  call.follow(QUIET);
  vi.advanceTimersByTime(5_000);
  expect(told).toEqual([]);
});

it('says nothing in the audience', () => {
  call.follow({ ...TAKEN, isOnStage: false });
  vi.advanceTimersByTime(5_000);
  expect(told).toEqual([]);
});

it('leaves what was said by hand to the hand', () => {
  call.saidByHand();
  call.follow({ ...QUIET, isSaid: true });
  call.follow({ ...QUIET, isSaid: true });
  expect(told).toEqual([]);
});

it('believes a person who is back before their system is', () => {
  call.follow(TAKEN);
  vi.advanceTimersByTime(1_000);
  call.saidByHand();
  call.follow(TAKEN);
  vi.advanceTimersByTime(5_000);
  expect(told).toEqual(['on_a_call']);
  call.follow(QUIET);
  call.follow(TAKEN);
  vi.advanceTimersByTime(1_000);
  expect(told).toEqual(['on_a_call', 'on_a_call']);
});
