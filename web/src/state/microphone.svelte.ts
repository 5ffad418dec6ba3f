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
  /** The system has taken it, for a phone call most often, and will give it back. */
  isTaken = $state(false);
  #settings: Settings;
  #holders = new Set<object>();
  #opening: Promise<void> | null = null;
  /** Another device was chosen while one was being opened. */
  #isOutdated = false;
  #watchers = new Set<() => void>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Resolves with `stream` open, or without one if `holder` let go meanwhile. Throws MicrophoneError, whose fault is then shown here too. */
  async hold(holder: object): Promise<void> {
    this.#holders.add(holder);
    try {
      if (!this.stream) await this.#open();
    } catch (error) {
      this.#holders.delete(holder);
      throw error;
    }
  }

  release(holder: object): void {
    this.#holders.delete(holder);
    if (this.#holders.size === 0) this.#close();
  }

  /** Called whenever the stream becomes another one, or none, and when the system takes the microphone or gives it back. */
  onChange(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** After another device was chosen, or on "try again". */
  async reopen(): Promise<void> {
    this.#close();
    this.#isOutdated = this.#opening !== null;
    if (this.#holders.size > 0) await this.#open().catch(() => undefined);
  }

  #open(): Promise<void> {
    return (this.#opening ??= this.#openChosen());
  }

  /**
   * The browser's question may stay open for minutes, and nothing takes it back. What it gives is kept only if it is still the chosen
   * device and somebody still holds on; one question is asked after the other, never two at once.
   */
  async #openChosen(): Promise<void> {
    try {
      do {
        this.#isOutdated = false;
        const opened = await openMicrophone({
          deviceId: this.#settings.microphone,
          voiceProcessing: this.#settings.voiceProcessing,
        }).catch(asMicrophoneError);
        if (!this.#isOutdated && this.#holders.size > 0) return this.#opened(opened);
        if (!(opened instanceof MicrophoneError)) stopTracks(opened);
      } while (this.#holders.size > 0);
    } finally {
      this.#opening = null;
    }
  }

  #opened(opened: MediaStream | MicrophoneError): void {
    if (opened instanceof MicrophoneError) {
      this.fault = opened.fault;
      throw opened;
    }
    this.#take(opened);
  }

  #take(stream: MediaStream): void {
    this.fault = null;
    this.stream = stream;
    const track = stream.getAudioTracks()[0];
    if (track) {
      track.onended = () => void this.#unplugged(stream);
      track.onmute = () => this.#taken(true);
      track.onunmute = () => this.#taken(false);
    }
    this.isTaken = track?.muted ?? false;
    this.#changed();
  }

  #taken(isTaken: boolean): void {
    this.isTaken = isTaken;
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
    this.isTaken = false;
    stopTracks(stream);
    this.#changed();
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
  }
}

function asMicrophoneError(error: unknown): MicrophoneError {
  return error instanceof MicrophoneError ? error : new MicrophoneError('missing');
}

/** Only this puts the browser's recording sign out. */
function stopTracks(stream: MediaStream): void {
  for (const track of stream.getTracks()) {
    track.onended = null;
    track.onmute = null;
    track.onunmute = null;
    track.stop();
  }
}
