/**
 * What a listener, or a speaker, really gets, from the browser's statistics (https://www.w3.org/TR/webrtc-stats/): coarse, for whoever
 * helps a person whose sound is poor, and for the person themself.
 */

import type { Quality } from '../protocol/types.ts';
import type { Direction } from './signalling.ts';

export interface QualityWatchOptions {
  connection: RTCPeerConnection;
  direction: Direction;
  random: () => number;
  onQuality(quality: Quality): void;
  onWeak(isWeak: boolean): void;
}

const SAMPLE_MS = 5_000;
const FIRST_REPORT_MS = 10_000;
/** Between the others, give or take a sixth, so that a room that came back together does not report together for ever. */
const REPORT_MS = 60_000;
/** Over ten seconds. From here on words are lost; below the second it is good again. Between the two nothing changes. */
const WEAK_SHARE = 0.1;
const GOOD_SHARE = 0.05;
/** Less says nothing about a connection: at the end of each turn a tenth of a second or two is made up, and nobody misses it. */
const LEAST_AUDIBLE_SECS = 3;
const LEAST_PACKETS = 50;

/** Opus is decoded at 48 kHz. */
const SAMPLE_RATE = 48_000;

/** Counters since the session began; all of them only grow. */
interface Sample {
  atMs: number;
  packets: number;
  lost: number;
  /** Packets that were on their way, the lost ones included. */
  expected: number;
  audible: number;
  concealed: number;
  delaySecs: number;
  emitted: number;
  jitterSecs: number | null;
  roundTripSecs: number | null;
  transport: 'udp' | 'tcp' | null;
}

/** Watches one connection from the moment it has sound until `end`. */
export class QualityWatch {
  #options: QualityWatchOptions;
  #timer: ReturnType<typeof setInterval>;
  #reported: Sample = empty(0);
  #newest: Sample = empty(0);
  #before: Sample = empty(0);
  #dueMs = FIRST_REPORT_MS;
  #elapsedMs = 0;
  #isWeak = false;

  constructor(options: QualityWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#sample(), SAMPLE_MS);
  }

  /** Reports what is not reported yet, up to the last sample. */
  end(): void {
    clearInterval(this.#timer);
    if (this.#newest.atMs > this.#reported.atMs) this.#report();
    if (this.#isWeak) this.#options.onWeak(false);
    this.#isWeak = false;
  }

  async #sample(): Promise<void> {
    this.#elapsedMs += SAMPLE_MS;
    const atMs = this.#elapsedMs;
    const sample = read(await this.#options.connection.getStats(), this.#options.direction, atMs);
    if (atMs <= this.#newest.atMs) return;
    this.#judge(this.#before, sample);
    this.#before = this.#newest;
    this.#newest = sample;
    if (atMs >= this.#dueMs) {
      this.#report();
      this.#dueMs = atMs + REPORT_MS * (5 / 6 + this.#options.random() / 3);
    }
  }

  #report(): void {
    this.#options.onQuality(between(this.#reported, this.#newest));
    this.#reported = this.#newest;
  }

  #judge(before: Sample, after: Sample): void {
    const share = this.#options.direction === 'listen' ? concealedShare(before, after) : lostShare(before, after);
    if (share === null) return;
    const isWeak = share >= WEAK_SHARE || (this.#isWeak && share >= GOOD_SHARE);
    if (isWeak !== this.#isWeak) this.#options.onWeak((this.#isWeak = isWeak));
  }
}

function empty(atMs: number): Sample {
  return {
    atMs,
    packets: 0,
    lost: 0,
    expected: 0,
    audible: 0,
    concealed: 0,
    delaySecs: 0,
    emitted: 0,
    jitterSecs: null,
    roundTripSecs: null,
    transport: null,
  };
}

/** As much of the statistics as is used; every member may be missing. */
interface Stat {
  id: string;
  type: string;
  packetsReceived?: number;
  packetsSent?: number;
  packetsLost?: number;
  jitter?: number;
  totalSamplesReceived?: number;
  concealedSamples?: number;
  silentConcealedSamples?: number;
  jitterBufferDelay?: number;
  jitterBufferEmittedCount?: number;
  roundTripTime?: number;
  currentRoundTripTime?: number;
  selectedCandidatePairId?: string;
  localCandidateId?: string;
  protocol?: string;
}

function read(report: RTCStatsReport, direction: Direction, atMs: number): Sample {
  const stats = new Map(report as unknown as Map<string, Stat>);
  const sample = empty(atMs);
  for (const stat of stats.values()) {
    if (stat.type === 'transport') readPath(sample, stats, stat);
    else if (direction === 'listen' && stat.type === 'inbound-rtp') readInbound(sample, stat);
    else if (direction === 'speak' && stat.type === 'outbound-rtp') sample.packets += stat.packetsSent ?? 0;
    else if (direction === 'speak' && stat.type === 'remote-inbound-rtp') {
      sample.lost += Math.max(0, stat.packetsLost ?? 0);
      sample.jitterSecs = stat.jitter ?? null;
    }
  }
  sample.expected = direction === 'listen' ? sample.packets + sample.lost : sample.packets;
  return sample;
}

function readInbound(sample: Sample, slot: Stat): void {
  // A slot that nobody has spoken in yet plays silence, which is not what a connection makes.
  if (!slot.packetsReceived) return;
  sample.packets += slot.packetsReceived;
  // Duplicates make it negative (RFC 3550 section 6.4.1).
  sample.lost += Math.max(0, slot.packetsLost ?? 0);
  // What is made up in silence, between the turns of speakers, is heard by nobody.
  const silent = slot.silentConcealedSamples ?? 0;
  sample.audible += (slot.totalSamplesReceived ?? 0) - silent;
  sample.concealed += (slot.concealedSamples ?? 0) - silent;
  sample.delaySecs += slot.jitterBufferDelay ?? 0;
  sample.emitted += slot.jitterBufferEmittedCount ?? 0;
  sample.jitterSecs = Math.max(sample.jitterSecs ?? 0, slot.jitter ?? 0);
}

function readPath(sample: Sample, stats: Map<string, Stat>, transport: Stat): void {
  const pair = stats.get(transport.selectedCandidatePairId ?? '');
  if (!pair) return;
  sample.roundTripSecs = pair.currentRoundTripTime ?? null;
  const protocol = stats.get(pair.localCandidateId ?? '')?.protocol;
  sample.transport = protocol === 'udp' || protocol === 'tcp' ? protocol : null;
}

function between(before: Sample, after: Sample): Quality {
  const emitted = after.emitted - before.emitted;
  return {
    period_secs: Math.round((after.atMs - before.atMs) / 1_000),
    packets: Math.max(0, after.packets - before.packets),
    lost_share: rounded(lostShare(before, after), 4),
    jitter_ms: rounded(inMs(after.jitterSecs), 0),
    concealed_share: rounded(concealedShare(before, after), 4),
    delay_ms: rounded(emitted > 0 ? (1_000 * (after.delaySecs - before.delaySecs)) / emitted : null, 0),
    round_trip_ms: rounded(inMs(after.roundTripSecs), 0),
    transport: after.transport,
  };
}

function lostShare(before: Sample, after: Sample): number | null {
  const expected = after.expected - before.expected;
  return expected < LEAST_PACKETS ? null : share(after.lost - before.lost, expected);
}

function concealedShare(before: Sample, after: Sample): number | null {
  const audible = after.audible - before.audible;
  return audible < LEAST_AUDIBLE_SECS * SAMPLE_RATE ? null : share(after.concealed - before.concealed, audible);
}

function share(part: number, whole: number): number {
  return Math.min(1, Math.max(0, part / whole));
}

function inMs(secs: number | null): number | null {
  return secs === null ? null : secs * 1_000;
}

function rounded(value: number | null, digits: number): number | null {
  return value === null || !Number.isFinite(value) ? null : Number(Math.max(0, value).toFixed(digits));
}
