import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeConnection } from '../../tests/fakes/connection.ts';
import { PathWatch } from './path-watch.ts';

let connection: FakeConnection;
let told: number[];
let watch: PathWatch;
let began: number;

beforeEach(() => {
  vi.useFakeTimers();
  connection = new FakeConnection();
  told = [];
  began = Date.now();
  watch = new PathWatch({
    connection: connection as unknown as RTCPeerConnection,
    onStill: () => told.push(Date.now() - began),
    now: () => Date.now(),
  });
});

let arrivals = 0;
const sign = () => connection.stats.set('T', { type: 'transport', packetsReceived: ++arrivals });

/** Something comes every so often, for so long; then nothing. */
async function signs(everyMs: number, forMs: number): Promise<void> {
  for (let passed = 0; passed < forMs; passed += everyMs) {
    sign();
    await vi.advanceTimersByTimeAsync(everyMs);
  }
}

const nothing = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe('PathWatch', () => {
  it('tells of stillness within a second, and again every second while it lasts', async () => {
    await signs(250, 5_000);
    await nothing(3_000);
    expect(told).toEqual([5_600, 6_600, 7_600]);
    expect(watch.isStill).toBe(true);
    sign();
    await nothing(200);
    expect(watch.isStill).toBe(false);
    await nothing(5_000);
    expect(told).toHaveLength(3);
  });

  it('takes what comes now and then for a path that works', async () => {
    await signs(600, 60_000);
    expect(told).toEqual([]);
  });

  it('counts on nothing before signs have come for four seconds without a break', async () => {
    await nothing(10_000);
    await signs(250, 3_500);
    await nothing(5_000);
    await signs(250, 3_500);
    await nothing(5_000);
    expect(told).toEqual([]);
  });

  it('asks for no statistics while sound comes', async () => {
    const asked = vi.spyOn(connection, 'getStats');
    const source = { timestamp: 0 };
    connection.receivers = [{ getSynchronizationSources: () => [source] }];
    for (let frame = 0; frame < 300; frame += 1) {
      source.timestamp = Date.now();
      await nothing(20);
    }
    expect(asked).not.toHaveBeenCalled();
    await nothing(1_000);
    expect(told).toHaveLength(1);
  });

  it('takes sound for a sign that the statistics do not show', async () => {
    const source = { timestamp: 0 };
    connection.receivers = [{ getSynchronizationSources: () => [] }, { getSynchronizationSources: () => [source] }];
    for (let second = 0; second < 60; second += 1) {
      source.timestamp = Date.now();
      await nothing(500);
    }
    expect(told).toEqual([]);
  });

  it('learns nothing from a time in which the page slept', async () => {
    await signs(250, 5_000);
    vi.setSystemTime(Date.now() + 60_000);
    await nothing(400);
    sign();
    await nothing(400);
    expect(told).toEqual([]);
  });

  it.each([
    ['candidate-pair', 'responsesReceived'],
    ['candidate-pair', 'bytesReceived'],
    ['inbound-rtp', 'packetsReceived'],
    ['remote-outbound-rtp', 'reportsSent'],
  ])('takes %s.%s for a sign, where a browser has no better', async (type, member) => {
    for (let at = 1; at < 40; at += 1) {
      connection.stats.set('S', { type, [member]: at });
      await nothing(250);
    }
    expect(told).toEqual([]);
    await nothing(1_000);
    expect(told).toHaveLength(1);
  });

  it('takes nothing of what is sent for a sign', async () => {
    await signs(250, 5_000);
    for (let at = 1; at < 20; at += 1) {
      connection.stats.set('O', { type: 'outbound-rtp', packetsSent: at, packetsReceived: at });
      await nothing(100);
    }
    expect(told).toHaveLength(2);
  });

  it('is still after its end', async () => {
    await signs(250, 5_000);
    watch.end();
    await nothing(60_000);
    expect(told).toEqual([]);
  });

  it('says nothing of statistics that come after its end', async () => {
    await signs(250, 5_000);
    await nothing(400);
    let answer: (stats: Map<string, object>) => void = () => undefined;
    vi.spyOn(connection, 'getStats').mockReturnValue(new Promise((resolve) => (answer = resolve)));
    await nothing(400);
    watch.end();
    answer(new Map(connection.stats));
    await nothing(1_000);
    expect(told).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
