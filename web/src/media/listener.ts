import { SlotLevels } from './levels.ts';
import type { SoundPhase, SoundSessionOptions } from './session.ts';
import { SoundSession } from './session.ts';

/** As many as the server forwards at once; see section 5 of the protocol. */
const SLOTS = 3;

export interface ListenerOptions extends Omit<SoundSessionOptions, 'direction' | 'furnish'> {
  /** The browser wants a tap before it plays (true), or plays (false). */
  onBlocked(blocked: boolean): void;
  outputDevice(): string | null;
}

/**
 * Hears a room: a WHEP session and one `<audio>` element per slot.
 *
 * The elements outlive reconnections, so that a browser's leave to play, once given by a tap, is kept. They are needed even where levels
 * are read elsewhere: a remote track stays silent in Chromium until an element plays it.
 */
export class Listener {
  #session: SoundSession;
  #options: ListenerOptions;
  #elements: HTMLAudioElement[] = [];
  #levels = new SlotLevels();
  #isDeafened = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#session = new SoundSession({ ...options, direction: 'listen', furnish: (connection) => this.#furnish(connection) });
  }

  get phase(): SoundPhase {
    return this.#session.phase;
  }

  get session(): SoundSession {
    return this.#session;
  }

  start(): void {
    this.#session.start();
  }

  stop(tell: boolean): void {
    this.#session.stop(tell);
    for (const element of this.#elements) {
      element.srcObject = null;
      element.remove();
    }
    this.#elements = [];
  }

  /** From a tap: the browser lets the sound begin. */
  async allowSound(): Promise<void> {
    await Promise.all(this.#elements.map((element) => this.#play(element)));
  }

  /** The lock screen's pause: silence here, while one stays in the room. */
  deafen(isDeafened: boolean): void {
    this.#isDeafened = isDeafened;
    for (const element of this.#elements) element.muted = isDeafened;
  }

  async useOutput(deviceId: string | null): Promise<void> {
    await Promise.all(this.#elements.map((element) => setOutput(element, deviceId)));
  }

  /** Linear level 0..1 by CSRC of those heard since the last call. */
  levels(): Promise<Map<number, number>> {
    const connection = this.#session.connection;
    return connection ? this.#levels.read(connection) : Promise.resolve(new Map());
  }

  #furnish(connection: RTCPeerConnection): void {
    const transceivers = Array.from({ length: SLOTS }, () => connection.addTransceiver('audio', { direction: 'recvonly' }));
    connection.ontrack = ({ track, transceiver }) => {
      const slot = transceivers.indexOf(transceiver);
      if (slot >= 0) this.#attach(slot, track);
    };
  }

  #attach(slot: number, track: MediaStreamTrack): void {
    const element = (this.#elements[slot] ??= this.#makeElement(slot));
    element.srcObject = new MediaStream([track]);
    void this.#play(element);
  }

  #makeElement(slot: number): HTMLAudioElement {
    const element = document.createElement('audio');
    element.autoplay = true;
    element.muted = this.#isDeafened;
    element.dataset['testid'] = 'slot-audio';
    element.dataset['slot'] = String(slot);
    document.body.append(element);
    void setOutput(element, this.#options.outputDevice());
    return element;
  }

  async #play(element: HTMLAudioElement): Promise<void> {
    try {
      await element.play();
      this.#options.onBlocked(false);
    } catch (error) {
      // AbortError: a newer stream was set while this one began; that one's own play() answers.
      if (error instanceof DOMException && error.name === 'NotAllowedError') this.#options.onBlocked(true);
    }
  }
}

async function setOutput(element: HTMLAudioElement, deviceId: string | null): Promise<void> {
  if (!('setSinkId' in element)) return;
  // A headset that is not there any more: the system's own output is what one expects then.
  await element.setSinkId(deviceId ?? '').catch(() => undefined);
}
