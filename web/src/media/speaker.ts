import type { SoundPhase, SoundSessionOptions } from './session.ts';
import { SoundSession } from './session.ts';

export interface SpeakerOptions extends Omit<SoundSessionOptions, 'direction' | 'furnish'> {
  track: MediaStreamTrack;
}

/**
 * Is heard in a room: a WHIP session with the microphone's track.
 *
 * Muting switches the track off here at once, before the server knows: nobody should be heard a moment longer than they want.
 */
export class Speaker {
  #session: SoundSession;
  #track: MediaStreamTrack;

  constructor(options: SpeakerOptions) {
    this.#track = options.track;
    this.#session = new SoundSession({
      ...options,
      direction: 'speak',
      furnish: (connection) => {
        connection.addTransceiver(this.#track, { direction: 'sendonly' });
      },
    });
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
  }

  setMuted(muted: boolean): void {
    this.#track.enabled = !muted;
  }

  /** Another microphone within the running session. */
  async useTrack(track: MediaStreamTrack): Promise<void> {
    track.enabled = this.#track.enabled;
    this.#track = track;
    await this.#session.connection?.getSenders()[0]?.replaceTrack(track);
  }
}
