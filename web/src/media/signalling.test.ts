import { beforeEach, describe, expect, it, vi } from 'vitest';
import { HttpClient } from '../protocol/http.ts';
import { HttpSignalling } from './signalling.ts';

let fetcher: ReturnType<typeof vi.fn<typeof fetch>>;
let aborted: number;

beforeEach(() => {
  vi.useFakeTimers();
  aborted = 0;
  fetcher = vi.fn<typeof fetch>();
});

const signalling = () => new HttpSignalling(new HttpClient(() => 'en', fetcher));

/** As over a connection that is dead and does not know it: no answer, until whoever asked gives up. */
const dead: typeof fetch = (_, init) =>
  new Promise((_resolve, reject) => {
    init?.signal?.addEventListener('abort', () => {
      aborted += 1;
      reject(new DOMException('', 'AbortError'));
    });
  });
const says =
  (status: number): typeof fetch =>
  () =>
    Promise.resolve(new Response('{}', { status }));

async function answer(): Promise<{ isReady: boolean; afterMs: number }> {
  const began = Date.now();
  const asked = signalling().isReady();
  await vi.advanceTimersByTimeAsync(10_000);
  const isReady = await asked;
  return { isReady, afterMs: Date.now() - began };
}

describe('isReady', () => {
  it.each([
    [200, true],
    [503, false],
  ])('takes %i for %s', async (status, isReady) => {
    fetcher.mockImplementation(says(status));
    expect((await answer()).isReady).toBe(isReady);
    expect(fetcher).toHaveBeenCalledTimes(1);
    expect(fetcher.mock.calls[0]?.[0]).toBe('/healthz?question=0');
  });

  it('asks over the next connection where those before are dead, and closes them', async () => {
    fetcher.mockImplementationOnce(dead).mockImplementationOnce(dead).mockImplementation(says(200));
    const asked = signalling().isReady();
    await vi.advanceTimersByTimeAsync(499);
    expect(fetcher).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(await asked).toBe(true);
    expect(fetcher).toHaveBeenCalledTimes(3);
    expect(aborted).toBe(2);
  });

  it('gives up where nothing answers, and asks no faster where that is known at once', async () => {
    fetcher.mockImplementation(() => Promise.reject(new TypeError('no network')));
    const asked = signalling().isReady();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(fetcher).toHaveBeenCalledTimes(5);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await asked).toBe(false);
    expect(fetcher).toHaveBeenCalledTimes(6);
  });

  it('is no for any other answer', async () => {
    fetcher.mockImplementation(says(404));
    expect((await answer()).isReady).toBe(false);
  });
});
