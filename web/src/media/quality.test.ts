import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeConnection } from '../../tests/fakes/connection.ts';
import type { Quality } from '../protocol/types.ts';
import { QualityWatch } from './quality.ts';
import type { Direction } from './signalling.ts';

let connection: FakeConnection;
let reports: Quality[];
let weak: boolean[];

beforeEach(() => {
  vi.useFakeTimers();
  connection = new FakeConnection();
  reports = [];
  weak = [];
});

function watch(direction: Direction = 'listen'): QualityWatch {
  return new QualityWatch({
    connection: connection as unknown as RTCPeerConnection,
    direction,
    random: () => 0.5,
    onQuality: (quality) => reports.push(quality),
    onWeak: (isWeak) => weak.push(isWeak),
  });
}

const passSecs = (secs: number) => vi.advanceTimersByTimeAsync(secs * 1_000);

/** So much more came in the first slot. Seconds of sound; `silent` ones of them were made up where nobody spoke. */
function hear(more: { packets?: number; lost?: number; heardSecs?: number; concealedSecs?: number; silentSecs?: number }): void {
  const { packets = 0, lost = 0, heardSecs = 0, concealedSecs = 0, silentSecs = 0 } = more;
  const before = connection.stats.get('in') as Record<string, number> | undefined;
  const add = (name: string, value: number) => (before?.[name] ?? 0) + value;
  connection.stats.set('in', {
    id: 'in',
    type: 'inbound-rtp',
    jitter: 0.0124,
    packetsReceived: add('packetsReceived', packets),
    packetsLost: add('packetsLost', lost),
    totalSamplesReceived: add('totalSamplesReceived', (heardSecs + silentSecs) * 48_000),
    concealedSamples: add('concealedSamples', (concealedSecs + silentSecs) * 48_000),
    silentConcealedSamples: add('silentConcealedSamples', silentSecs * 48_000),
    jitterBufferDelay: add('jitterBufferDelay', heardSecs * 48_000 * 0.09),
    jitterBufferEmittedCount: add('jitterBufferEmittedCount', heardSecs * 48_000),
  });
}

function path(protocol: string): void {
  connection.stats.set('t', { id: 't', type: 'transport', selectedCandidatePairId: 'p' });
  connection.stats.set('p', { id: 'p', type: 'candidate-pair', localCandidateId: 'l', currentRoundTripTime: 0.0406 });
  connection.stats.set('l', { id: 'l', type: 'local-candidate', protocol });
}

describe('what is reported', () => {
  it('is what came since the last report', async () => {
    path('udp');
    watch();
    hear({ packets: 495, lost: 5, heardSecs: 10, concealedSecs: 0.1 });
    await passSecs(10);
    expect(reports).toEqual([
      {
        period_secs: 10,
        packets: 495,
        lost_share: 0.01,
        jitter_ms: 12,
        concealed_share: 0.01,
        delay_ms: 90,
        round_trip_ms: 41,
        transport: 'udp',
      },
    ]);
    hear({ packets: 2_700, lost: 300, heardSecs: 60, concealedSecs: 3 });
    await passSecs(60);
    expect(reports[1]).toMatchObject({ period_secs: 60, packets: 2_700, lost_share: 0.1, concealed_share: 0.05 });
  });

  it('comes ten seconds after the sound began, then each minute, and at the end', async () => {
    const watching = watch();
    await passSecs(9);
    expect(reports).toHaveLength(0);
    await passSecs(1);
    expect(reports).toHaveLength(1);
    await passSecs(59);
    expect(reports).toHaveLength(1);
    await passSecs(16);
    watching.end();
    expect(reports.map(({ period_secs: secs }) => secs)).toEqual([10, 60, 15]);
    await passSecs(300);
    expect(reports).toHaveLength(3);
  });

  it('says nothing of a session that ended before anything was measured', async () => {
    const watching = watch();
    await passSecs(4);
    watching.end();
    expect(reports).toEqual([]);
  });

  it('leaves out what is unknown, or too little to judge by', async () => {
    path('tcp');
    connection.stats.delete('p');
    watch();
    hear({ packets: 49, heardSecs: 2, concealedSecs: 1 });
    await passSecs(10);
    expect(reports[0]).toMatchObject({ lost_share: null, concealed_share: null, round_trip_ms: null, transport: null });
  });

  it('counts neither slots in which nobody spoke, nor silence that was made up', async () => {
    watch();
    hear({ packets: 500, heardSecs: 10, silentSecs: 30 });
    connection.stats.set('idle', { id: 'idle', type: 'inbound-rtp', totalSamplesReceived: 480_000, concealedSamples: 480_000 });
    await passSecs(10);
    expect(reports[0]).toMatchObject({ packets: 500, concealed_share: 0 });
  });

  it('tells duplicates, which browsers count as negative loss, from better than none', async () => {
    watch();
    hear({ packets: 500, lost: -20, heardSecs: 10 });
    await passSecs(10);
    expect(reports[0]?.lost_share).toBe(0);
  });

  it('is, for a speaker, what the server says it got', async () => {
    path('tcp');
    connection.stats.set('out', { id: 'out', type: 'outbound-rtp', packetsSent: 450 });
    connection.stats.set('remote', { id: 'remote', type: 'remote-inbound-rtp', packetsLost: 50, jitter: 0.03 });
    watch('speak');
    await passSecs(10);
    expect(reports).toEqual([
      {
        period_secs: 10,
        packets: 450,
        lost_share: 0.1111,
        jitter_ms: 30,
        concealed_share: null,
        delay_ms: null,
        round_trip_ms: 41,
        transport: 'tcp',
      },
    ]);
  });
});

describe('a weak connection', () => {
  it('is one that loses a tenth of what is heard, until it loses less than half of that', async () => {
    watch();
    for (const concealedSecs of [0, 0, 0.5, 0.6, 0.3, 0.3, 0.1, 0.1]) {
      hear({ packets: 250, heardSecs: 5, concealedSecs });
      await passSecs(5);
    }
    // Over ten seconds each: 0, 0, 5 %, 11 %, 9 %, 6 %, 4 %, 2 %.
    expect(weak).toEqual([true, false]);
  });

  it('is not judged by the ends of short turns', async () => {
    watch();
    for (let turn = 0; turn < 6; turn += 1) {
      hear({ packets: 50, heardSecs: 1.2, concealedSecs: 0.2, silentSecs: 3.8 });
      await passSecs(5);
    }
    expect(weak).toEqual([]);
  });

  it('is forgotten with its session', async () => {
    const watching = watch();
    hear({ packets: 200, heardSecs: 5, concealedSecs: 2 });
    await passSecs(5);
    watching.end();
    expect(weak).toEqual([true, false]);
  });
});
