import { afterEach, beforeEach, vi } from 'vitest';
import { setLanguage } from '../src/i18n/index.svelte.ts';
import { FakeConnection } from './fakes/connection.ts';
import { unmountAll } from './fakes/mount.ts';
import { FakeSocket } from './fakes/socket.ts';

// What jsdom lacks and the client needs to be mounted at all.
HTMLDialogElement.prototype.showModal = function showModal(this: HTMLDialogElement) {
  this.open = true;
};
HTMLDialogElement.prototype.close = function close(this: HTMLDialogElement) {
  this.open = false;
};
HTMLMediaElement.prototype.play = () => Promise.resolve();
window.scrollTo = () => undefined;
window.matchMedia = (media: string) =>
  ({ media, matches: false, addEventListener: () => undefined, removeEventListener: () => undefined }) as unknown as MediaQueryList;
vi.stubGlobal(
  'MediaStream',
  class {
    readonly #tracks: unknown[];
    constructor(tracks: unknown[] = []) {
      this.#tracks = tracks;
    }
    getAudioTracks() {
      return this.#tracks;
    }
    getTracks() {
      return this.#tracks;
    }
  },
);

beforeEach(() => {
  setLanguage('en');
  localStorage.clear();
  FakeSocket.opened = [];
  FakeConnection.made = [];
});

afterEach(() => {
  unmountAll();
  vi.useRealTimers();
  document.body.replaceChildren();
});
