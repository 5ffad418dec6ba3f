/**
 * Keeps the shell of the client, so that it opens at once and says something sensible without a network.
 *
 * Only files of the build are kept. What the API, the WebSocket or uploads answer is never stored: it is somebody's, and it is live.
 */

import { isServersPath } from '../protocol/server-paths.ts';

declare const self: ServiceWorkerGlobalScope;

/** Filled in by the build: the shell's paths; their hashed names make each build a cache of its own. */
declare const __SALON_SHELL__: string[];

const SHELL = __SALON_SHELL__;
const CACHE = `salon-shell-${fingerprint(SHELL.join('\n'))}`;

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(SHELL))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener('activate', (event) => {
  event.waitUntil(dropOtherCaches().then(() => self.clients.claim()));
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== location.origin) return;
  if (isKept(url.pathname)) event.respondWith(fromCacheFirst(request));
  else if (request.mode === 'navigate' && !isServersPath(url.pathname)) event.respondWith(page(request));
});

function isKept(path: string): boolean {
  return path !== '/' && path !== '/offline.html' && SHELL.includes(path);
}

async function fromCacheFirst(request: Request): Promise<Response> {
  return (await caches.match(request)) ?? fetch(request);
}

/** The network's page, because it names the newest build; without a network the kept shell, which then says that it is offline. */
async function page(request: Request): Promise<Response> {
  try {
    const response = await fetch(request);
    if (response.status < 500) return response;
  } catch {
    // Falls through to what is kept.
  }
  return (await caches.match('/')) ?? (await caches.match('/offline.html')) ?? Response.error();
}

async function dropOtherCaches(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith('salon-shell-') && name !== CACHE).map((name) => caches.delete(name)));
}

/** FNV-1a, enough to tell two builds apart. */
function fingerprint(text: string): string {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return (value >>> 0).toString(16);
}
