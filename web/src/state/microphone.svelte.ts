import type { MicrophoneFault } from '../media/microphone.ts';
import { MicrophoneError, openMicrophone } from '../media/microphone.ts';
import type { Settings } from './settings.svelte.ts';

/**
 * The one open microphone. It is held by whoever needs it (the check, the settings page, the stage) and let go by the last,
 * so that the browser's recording sign goes out when nobody listens to it any more.
 */
export class Microphone {
  stream: MediaStream | null = $state.raw(null);
  fault: MicrophoneFault | null = $state.raw(null);
  #settings: Settings;
  #holders = new Set<object>();
  #opening: Promise<MediaStream> | null = null;
  #watchers = new Set<() => void>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Throws MicrophoneError, whose fault is then shown here too. */
  async hold(holder: object): Promise<MediaStream> {
    this.#holders.add(holder);
    try {
      return this.stream ?? (await this.#open());
    } catch (error) {
      this.#holders.delete(holder);
      throw error;
    }
  }

  release(holder: object): void {
    this.#holders.delete(holder);
    if (this.#holders.size === 0) this.#close();
  }

  /** Called whenever the stream becomes another one, or none. */
  onChange(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** After another device was chosen, or on "try again". */
  async reopen(): Promise<void> {
    this.#close();
    if (this.#holders.size > 0) await this.#open().catch(() => undefined);
  }

  async #open(): Promise<MediaStream> {
    this.#opening ??= openMicrophone({ deviceId: this.#settings.microphone, voiceProcessing: this.#settings.voiceProcessing });
    try {
      const stream = await this.#opening;
      if (this.stream !== stream) this.#take(stream);
      return stream;
    } catch (error) {
      this.fault = error instanceof MicrophoneError ? error.fault : 'missing';
      throw error;
    } finally {
      this.#opening = null;
    }
  }

  #take(stream: MediaStream): void {
    this.fault = null;
    this.stream = stream;
    const track = stream.getAudioTracks()[0];
    if (track) track.onended = () => void this.#unplugged(stream);
    this.#changed();
  }

  /** The device went away: another one, if there is any, is better than silence. */
  async #unplugged(stream: MediaStream): Promise<void> {
    if (this.stream !== stream) return;
    this.#close();
    try {
      await this.#open();
    } catch {
      this.fault = 'unplugged';
    }
  }

  #close(): void {
    const stream = this.stream;
    if (!stream) return;
    this.stream = null;
    for (const track of stream.getTracks()) {
      track.onended = null;
      track.stop();
    }
    this.#changed();
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
