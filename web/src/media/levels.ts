/**
 * Who is speaking, read from the sound that arrives: the CSRC list names the speaker of a packet, the level comes with it or
 * from the decoder.
 */

/** Below this (0..1, linear) it is breath and room, not speech: about -40 dBov. */
export const SPEECH_LEVEL = 0.01;

/** Speech has gaps between words; the ring should not go out in each. */
const HOLD_MS = 350;

/** A level from 0 to 1 as a ring shows it: the ear is logarithmic, so -50 dB is nothing and -10 dB is everything. */
export function ringLevel(linear: number): number {
  if (linear <= 0) return 0;
  const decibels = 20 * Math.log10(linear);
  return Math.min(1, Math.max(0, (decibels + 50) / 40));
}

interface SlotReading {
  lastPacketAt: number;
}

/** Reads the receivers of one listening session. Ask often (about every 100 ms); each answer stands for the time since the last. */
export class SlotLevels {
  #readings = new WeakMap<RTCRtpReceiver, SlotReading>();

  /** By CSRC: linear level 0..1 of everyone whose packets arrived since the last call. */
  async read(connection: RTCPeerConnection): Promise<Map<number, number>> {
    const levels = new Map<number, number>();
    for (const receiver of connection.getReceivers()) {
      const csrc = this.#currentSpeaker(receiver);
      if (csrc === null) continue;
      const level = receiver.getSynchronizationSources()[0]?.audioLevel ?? (await decodedLevel(receiver));
      levels.set(csrc, Math.max(levels.get(csrc) ?? 0, level));
    }
    return levels;
  }

  #currentSpeaker(receiver: RTCRtpReceiver): number | null {
    const newest = receiver
      .getContributingSources()
      .reduce<RTCRtpContributingSource | null>(
        (found, source) => (found === null || source.timestamp > found.timestamp ? source : found),
        null,
      );
    if (newest === null) return null;
    const before = this.#readings.get(receiver)?.lastPacketAt ?? 0;
    this.#readings.set(receiver, { lastPacketAt: newest.timestamp });
    // Browsers keep a source for ten seconds after its last packet: only one that moved is heard now.
    return newest.timestamp > before ? newest.source : null;
  }
}

async function decodedLevel(receiver: RTCRtpReceiver): Promise<number> {
  for (const report of (await receiver.getStats()).values() as Iterable<{ type: string; audioLevel?: number }>) {
    if (report.type === 'inbound-rtp') return report.audioLevel ?? 0;
  }
  return 0;
}

/** Turns levels that flicker into "is speaking", held over the gaps between words. */
export class SpeakingHold<Key> {
  #lastHeardMs = new Map<Key, number>();

  update(levels: ReadonlyMap<Key, number>, nowMs: number): Set<Key> {
    for (const [key, level] of levels) if (level >= SPEECH_LEVEL) this.#lastHeardMs.set(key, nowMs);
    for (const [key, heardMs] of this.#lastHeardMs) if (nowMs - heardMs > HOLD_MS) this.#lastHeardMs.delete(key);
    return new Set(this.#lastHeardMs.keys());
  }
}
