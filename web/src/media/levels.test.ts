import { describe, expect, it } from 'vitest';
import { ringLevel, SlotLevels, SpeakingHold } from './levels.ts';

interface Slot {
  contributing: { source: number; timestamp: number }[];
  synchronization: { audioLevel?: number }[];
  decoded: number;
}

function connectionOf(...slots: Slot[]): RTCPeerConnection {
  const receivers = slots.map((slot) => ({
    getContributingSources: () => slot.contributing,
    getSynchronizationSources: () => slot.synchronization,
    getStats: () => Promise.resolve(new Map([['a', { type: 'inbound-rtp', audioLevel: slot.decoded }]])),
  }));
  return { getReceivers: () => receivers } as unknown as RTCPeerConnection;
}

describe('SlotLevels', () => {
  it('names the speaker of each slot by its newest contributing source', async () => {
    const slot = {
      contributing: [
        { source: 11, timestamp: 1_000 },
        { source: 22, timestamp: 1_020 },
      ],
      synchronization: [{ audioLevel: 0.4 }],
      decoded: 0,
    };
    expect(await new SlotLevels().read(connectionOf(slot))).toEqual(new Map([[22, 0.4]]));
  });

  it('hears nobody where no packet came since the last call', async () => {
    const slot = { contributing: [{ source: 11, timestamp: 1_000 }], synchronization: [{ audioLevel: 0.4 }], decoded: 0 };
    const levels = new SlotLevels();
    const connection = connectionOf(slot);
    await levels.read(connection);
    expect(await levels.read(connection)).toEqual(new Map());
    slot.contributing = [{ source: 11, timestamp: 1_020 }];
    expect(await levels.read(connection)).toEqual(new Map([[11, 0.4]]));
  });

  it('takes the decoder’s level where the packets carry none', async () => {
    const slot = { contributing: [{ source: 11, timestamp: 1_000 }], synchronization: [{}], decoded: 0.25 };
    expect(await new SlotLevels().read(connectionOf(slot))).toEqual(new Map([[11, 0.25]]));
  });

  it('leaves out slots that nobody fills', async () => {
    expect(await new SlotLevels().read(connectionOf({ contributing: [], synchronization: [], decoded: 0 }))).toEqual(new Map());
  });
});

describe('ringLevel', () => {
  it.each([
    [0, 0],
    [0.001, 0],
    [0.0316, 0.5],
    [0.316, 1],
    [1, 1],
  ])('of %f is about %f', (linear, expected) => {
    expect(ringLevel(linear)).toBeCloseTo(expected, 1);
  });
});

describe('SpeakingHold', () => {
  it('holds over the gap between two words and lets go after it', () => {
    const hold = new SpeakingHold<string>();
    expect([...hold.update(new Map([['ana', 0.2]]), 1_000)]).toEqual(['ana']);
    expect([...hold.update(new Map([['ana', 0.001]]), 1_300)]).toEqual(['ana']);
    expect([...hold.update(new Map(), 1_400)]).toEqual([]);
  });

  it('takes breath for silence', () => {
    expect([...new SpeakingHold<string>().update(new Map([['ana', 0.005]]), 0)]).toEqual([]);
  });
});
