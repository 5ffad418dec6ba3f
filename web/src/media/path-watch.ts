/**
 * Notices within a second that nothing at all comes over a connection any more. A browser believes in a path for about five seconds
 * after its last packet, and where a router drops it in silence, or a desktop changes its address, nothing else tells either.
 *
 * It can be told so soon because the server gives signs of life: when a voice falls silent, be it a pause, a mute, or the speaker's own
 * network, a packet about nothing comes four times a second for a while. So stillness means this path, or the server itself.
 */

const LOOK_MS = 200;
/** Three signs in a row: on a path that loses every fifth packet they are lost once or twice in a minute of pause, speech never for so long. */
const STILL_MS = 800;
/** Signs come only after sound: they are counted on once something has come without a break for so long. */
const RELIABLE_AFTER_MS = 4_000;
/** A page that slept saw nothing, which says nothing: so often it must have looked since. */
const LEAST_LOOKS = 3;
const SLEPT_MS = 2_000;
/** Stillness goes on: told again so often. */
const REPEAT_MS = 1_000;

export interface PathWatchOptions {
  connection: RTCPeerConnection;
  /** Called when it has become still, and again every second while it is. */
  onStill(): void;
  now: () => number;
}

/** Watches one connection from the moment it is connected until `end`. */
export class PathWatch {
  #options: PathWatchOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hasEnded = false;
  /** Of all that only grows while something comes. */
  #count = 0;
  #newestSoundMs = 0;
  #lastSignMs: number;
  /** Since when signs have come without a break. */
  #steadySinceMs: number;
  #looksInVain = 0;
  #lookedMs: number;
  #toldMs = -Infinity;

  constructor(options: PathWatchOptions) {
    this.#options = options;
    this.#lastSignMs = this.#steadySinceMs = this.#lookedMs = options.now();
    this.#lookLater();
  }

  end(): void {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
  }

  /** Nothing has come for `STILL_MS` over a path on which something always would. */
  get isStill(): boolean {
    return (
      this.#lastSignMs - this.#steadySinceMs >= RELIABLE_AFTER_MS &&
      this.#looksInVain >= LEAST_LOOKS &&
      this.#options.now() - this.#lastSignMs >= STILL_MS
    );
  }

  #lookLater(): void {
    this.#timer = setTimeout(() => void this.#look(), LOOK_MS);
  }

  async #look(): Promise<void> {
    const cameSomething = this.#cameSound() || (await this.#cameAnything());
    if (this.#hasEnded) return;
    const nowMs = this.#options.now();
    if (cameSomething) this.#alive(nowMs);
    else this.#looksInVain = nowMs - this.#lookedMs < SLEPT_MS ? this.#looksInVain + 1 : 0;
    this.#lookedMs = nowMs;
    if (this.isStill && nowMs - this.#toldMs >= REPEAT_MS) {
      this.#toldMs = nowMs;
      this.#options.onStill();
    }
    if (!this.#hasEnded) this.#lookLater();
  }

  #alive(nowMs: number): void {
    if (nowMs - this.#lastSignMs >= STILL_MS) this.#steadySinceMs = nowMs;
    this.#lastSignMs = nowMs;
    this.#looksInVain = 0;
    this.#toldMs = -Infinity;
  }

  /** Costs next to nothing, and is true as long as somebody speaks. */
  #cameSound(): boolean {
    let newest = 0;
    for (const receiver of this.#options.connection.getReceivers()) {
      for (const { timestamp } of receiver.getSynchronizationSources()) newest = Math.max(newest, timestamp);
    }
    const isNew = newest > this.#newestSoundMs;
    this.#newestSoundMs = Math.max(newest, this.#newestSoundMs);
    return isNew;
  }

  async #cameAnything(): Promise<boolean> {
    const count = received(await this.#options.connection.getStats());
    const isMore = count > this.#count;
    this.#count = Math.max(count, this.#count);
    return isMore;
  }
}

/** As much of https://www.w3.org/TR/webrtc-stats/ as tells of arrivals; not every browser has every member. */
interface Arrivals {
  type: string;
  bytesReceived?: number;
  packetsReceived?: number;
  responsesReceived?: number;
  requestsReceived?: number;
  reportsSent?: number;
}

function received(report: RTCStatsReport): number {
  let count = 0;
  for (const stat of (report as unknown as Map<string, Arrivals>).values()) {
    if (!ARRIVALS.has(stat.type)) continue;
    const { bytesReceived = 0, packetsReceived = 0, responsesReceived = 0, requestsReceived = 0, reportsSent = 0 } = stat;
    count += bytesReceived + packetsReceived + responsesReceived + requestsReceived + reportsSent;
  }
  return count;
}

const ARRIVALS = new Set(['transport', 'candidate-pair', 'inbound-rtp', 'remote-outbound-rtp', 'remote-inbound-rtp']);
