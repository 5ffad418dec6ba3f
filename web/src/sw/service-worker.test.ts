import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

const KEPT = '/assets/app-1.js';

const listeners = new Map<string, (event: unknown) => void>();
let isOnline: boolean;

beforeAll(async () => {
  vi.stubGlobal('__SALON_SHELL__', ['/', '/offline.html', KEPT]);
  vi.stubGlobal('self', { addEventListener: (name: string, listener: (event: unknown) => void) => listeners.set(name, listener) });
  vi.stubGlobal('caches', {
    match: (wanted: Request | string) => Promise.resolve(new Response(`kept ${typeof wanted === 'string' ? wanted : wanted.url}`)),
  });
  await import('./service-worker.ts');
  return () => vi.unstubAllGlobals();
});

beforeEach(() => {
  isOnline = true;
  vi.stubGlobal('fetch', () => (isOnline ? Promise.resolve(new Response('from the network')) : Promise.reject(new TypeError('offline'))));
});

/** What the worker answers, or null where it leaves the request to the browser. */
async function answer(path: string, { mode = 'navigate', method = 'GET' } = {}): Promise<string | null> {
  let answered: Promise<Response> | null = null;
  const request = { url: new URL(path, location.href).href, mode, method };
  listeners.get('fetch')?.({ request, respondWith: (response: Promise<Response>) => (answered = response) });
  return answered === null ? null : (await (answered as Promise<Response>)).text();
}

describe('the service worker', () => {
  it.each(['/staff/', '/development/mailbox', '/api/v1/docs', '/uploads/a.webp', '/healthz'])('leaves %s to the server', async (path) => {
    isOnline = false;
    expect(await answer(path)).toBeNull();
  });

  it.each(['/', '/room/abc', '/admin/', '/accounts/login'])('opens %s without a network from what it kept', async (path) => {
    isOnline = false;
    expect(await answer(path)).toBe('kept /');
  });

  it('prefers the page of the network, which names the newest build', async () => {
    expect(await answer('/room/abc')).toBe('from the network');
  });

  it('gives files of the build without asking the network', async () => {
    expect(await answer(KEPT, { mode: 'cors' })).toBe(`kept ${new URL(KEPT, location.href).href}`);
  });

  it('keeps out of what is sent to the server, and to another host', async () => {
    expect(await answer('/room/abc', { method: 'POST' })).toBeNull();
    expect(await answer('https://elsewhere.example/')).toBeNull();
  });
});
