import { afterEach, beforeEach, expect, it } from 'vitest';
import { settle } from '../../tests/fakes/salon.ts';
import { WakeLock } from './wake-lock.ts';

class Sentinel {
  isReleased = false;
  onrelease: (() => void) | null = null;
  release(): Promise<void> {
    this.isReleased = true;
    this.onrelease?.();
    return Promise.resolve();
  }
}

let given: Sentinel[];
let lock: WakeLock;

beforeEach(() => {
  given = [];
  Object.defineProperty(navigator, 'wakeLock', {
    configurable: true,
    value: {
      request: () => {
        const sentinel = new Sentinel();
        given.push(sentinel);
        return Promise.resolve(sentinel);
      },
    },
  });
  lock = new WakeLock();
});

afterEach(() => {
  lock.close();
  Reflect.deleteProperty(navigator, 'wakeLock');
});

const held = () => given.filter(({ isReleased }) => !isReleased).length;

it('keeps the screen awake while it is wanted', async () => {
  lock.want(true);
  lock.want(true);
  await settle();
  expect([given.length, held()]).toEqual([1, 1]);
  lock.want(false);
  expect(held()).toBe(0);
});

it('asks again when the page is shown after the system took it', async () => {
  lock.want(true);
  await settle();
  await given[0]?.release();
  document.dispatchEvent(new Event('visibilitychange'));
  await settle();
  expect([given.length, held()]).toEqual([2, 1]);
});

it('lets go of one that comes after it was wanted', async () => {
  lock.want(true);
  lock.want(false);
  await settle();
  expect([given.length, held()]).toEqual([1, 0]);
});
