import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeConnection } from '../../tests/fakes/connection.ts';
import { ROOM_ID } from '../../tests/fakes/people.ts';
import { FakeSignalling } from '../../tests/fakes/signalling.ts';
import { ApiError } from '../protocol/errors.ts';
import type { SoundPhase } from './session.ts';
import { SoundSession } from './session.ts';

const refusal = (code: string, status: number, retryAfterSecs: number | null = null) =>
  new ApiError({ code, message: '', field: null }, status, retryAfterSecs);

let signalling: FakeSignalling;
let phases: SoundPhase[];
let session: SoundSession;

beforeEach(() => {
  vi.useFakeTimers();
  signalling = new FakeSignalling();
  phases = [];
  session = new SoundSession({
    room: ROOM_ID,
    direction: 'listen',
    signalling,
    furnish: (connection) => connection.addTransceiver('audio', { direction: 'recvonly' }),
    onPhase: (phase) => phases.push(phase),
    newConnection: () => new FakeConnection() as unknown as RTCPeerConnection,
    random: () => 0.5,
    now: () => Date.now(),
  });
});

const names = () => phases.map(({ name }) => name);
const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

async function connect(): Promise<FakeConnection> {
  session.start();
  await settle();
  FakeConnection.latest.become('connected');
  return FakeConnection.latest;
}

describe('opening', () => {
  it('posts the offer and is connected once the connection says so', async () => {
    const connection = await connect();
    expect(signalling.asked).toEqual([
      { kind: 'open', room: ROOM_ID, direction: 'listen', body: expect.stringContaining('a=x-first') as string },
    ]);
    expect(connection.answers).toHaveLength(1);
    expect(session.id).toBe('session1');
    expect(names()).toEqual(['connecting', 'connected']);
  });

  it.each([
    ['not_found', 404],
    ['room_ended', 410],
    ['sign_in_required', 401],
    ['invalid_sdp', 400],
  ] as const)('ends for good on %s', async (code, status) => {
    signalling.failures.push(refusal(code, status));
    session.start();
    await settle(60_000);
    expect(phases.at(-1)).toMatchObject({ name: 'ended', error: { code } });
    expect(signalling.asked).toHaveLength(1);
    expect(FakeConnection.latest.isClosed).toBe(true);
  });

  it.each([
    ['media_unavailable', 503],
    ['too_many_requests', 429],
    ['unreachable', 0],
  ] as const)('tries again after %s, which says nothing about the room', async (code, status) => {
    signalling.failures.push(refusal(code, status), refusal(code, status));
    session.start();
    await settle();
    expect(names()).toEqual(['connecting', 'reconnecting']);
    await settle(1_000);
    await settle(2_000);
    expect(signalling.kinds()).toEqual(['open', 'open', 'open']);
    FakeConnection.latest.become('connected');
    expect(names().at(-1)).toBe('connected');
  });

  it('waits as long as the server asked for', async () => {
    signalling.failures.push(refusal('media_unavailable', 503, 9));
    session.start();
    await settle(8_900);
    expect(signalling.asked).toHaveLength(1);
    await settle(200);
    expect(signalling.asked).toHaveLength(2);
  });

  it('begins anew where nothing connects', async () => {
    session.start();
    await settle(8_000);
    await settle(1_000);
    expect(signalling.kinds()).toEqual(['open', 'open']);
    expect(FakeConnection.made[0]?.isClosed).toBe(true);
  });
});

describe('when the sound breaks', () => {
  it('does nothing about a disconnection that heals by itself', async () => {
    const connection = await connect();
    connection.become('disconnected');
    await settle(1_000);
    connection.become('connected');
    await settle(60_000);
    expect(names()).toEqual(['connecting', 'connected', 'reconnecting', 'connected']);
    expect(signalling.kinds()).toEqual(['open']);
  });

  it('leaves a disconnection alone for four seconds, and spreads what comes then over a fifth', async () => {
    const connection = await connect();
    connection.become('disconnected');
    await settle(4_499);
    expect(signalling.kinds()).toEqual(['open']);
    await settle(1);
    expect(signalling.kinds()).toEqual(['open', 'restart']);
  });

  it('restarts ICE within the running session', async () => {
    const connection = await connect();
    connection.become('disconnected');
    await settle(4_500);
    expect(signalling.asked.at(-1)).toEqual({
      kind: 'restart',
      location: '/api/v1/media/session1',
      body: expect.stringContaining('a=ice-ufrag:client2') as string,
    });
    expect(connection.answers.at(-1)).toContain('a=ice-ufrag:server2');
    connection.become('connected');
    expect(FakeConnection.made).toHaveLength(1);
    expect(names().at(-1)).toBe('connected');
  });

  it('opens a new session where the old one is gone', async () => {
    const connection = await connect();
    signalling.failures.push(refusal('not_found', 404));
    connection.become('failed');
    await settle(500);
    expect(signalling.kinds()).toEqual(['open', 'restart']);
    await settle(500);
    expect(signalling.kinds()).toEqual(['open', 'restart', 'open']);
    expect(session.id).toBe('session2');
    expect(connection.isClosed).toBe(true);
  });

  it('comes back after half a minute without any network, with one new session', async () => {
    const connection = await connect();
    const away = Array.from({ length: 100 }, () => refusal('unreachable', 0));
    signalling.failures.push(...away);
    connection.become('disconnected');
    await settle(30_000);
    expect(names().at(-1)).toBe('reconnecting');
    signalling.failures.length = 0;
    session.wake();
    await settle();
    expect(signalling.kinds().at(-1)).toBe('open');
    FakeConnection.latest.become('connected');
    expect(names().filter((name) => name === 'ended')).toEqual([]);
    expect(names().at(-1)).toBe('connected');
  });

  it('takes back an unanswered offer before it makes the next', async () => {
    const connection = await connect();
    signalling.failures.push(refusal('media_unavailable', 503));
    connection.become('failed');
    await settle(500);
    expect(connection.signalingState).toBe('have-local-offer');
    await settle(2_000);
    expect(signalling.kinds()).toEqual(['open', 'restart', 'restart']);
    expect(connection.signalingState).toBe('stable');
  });
});

describe('on another network', () => {
  it('restarts ICE at once, though the connection believes that it lives', async () => {
    const connection = await connect();
    session.networkChanged();
    await settle();
    expect(signalling.kinds()).toEqual(['open', 'restart']);
    expect(connection.answers.at(-1)).toContain('a=ice-ufrag:server2');
    // The old path carried sound all along: no change of state tells that the new one does.
    await settle(60_000);
    expect(signalling.kinds()).toEqual(['open', 'restart']);
    expect(names()).toEqual(['connecting', 'connected']);
  });

  it('restarts at once where the sound was lost already', async () => {
    const connection = await connect();
    connection.become('disconnected');
    await settle(1_000);
    session.networkChanged();
    await settle();
    expect(signalling.kinds()).toEqual(['open', 'restart']);
  });

  it('restarts once for one change that is told three times', async () => {
    await connect();
    session.networkChanged();
    session.networkChanged();
    await settle();
    session.networkChanged();
    await settle(1_999);
    expect(signalling.kinds()).toEqual(['open', 'restart']);
  });

  it('falls back to a new session where the restart brings no sound', async () => {
    const connection = await connect();
    session.networkChanged();
    await settle();
    connection.become('disconnected');
    await settle(4_000);
    expect(signalling.kinds()).toEqual(['open', 'restart']);
    await settle(500);
    expect(signalling.kinds()).toEqual(['open', 'restart', 'open']);
    expect(connection.isClosed).toBe(true);
  });

  it('does not get stuck where a restart helps for a moment only', async () => {
    const connection = await connect();
    session.networkChanged();
    await settle();
    connection.become('disconnected');
    connection.become('connected');
    connection.become('disconnected');
    await settle(4_500);
    expect(signalling.kinds()).toEqual(['open', 'restart', 'restart']);
  });

  it('never goes round in restarts: after three without lasting sound it opens anew, seldomer and seldomer', async () => {
    const connection = await connect();
    for (let round = 0; round < 3; round += 1) {
      connection.become('failed');
      await settle(2_000);
      connection.become('connected');
      await settle(1_000);
    }
    expect(signalling.kinds()).toEqual(['open', 'restart', 'restart', 'restart']);
    connection.become('failed');
    await settle(500);
    expect(connection.isClosed).toBe(true);
    await settle(1_000);
    expect(signalling.kinds().at(-1)).toBe('open');
    FakeConnection.latest.become('connected');
    FakeConnection.latest.become('failed');
    await settle(2_400);
    expect(signalling.kinds().filter((kind) => kind === 'open')).toHaveLength(2);
    await settle(100);
    expect(signalling.kinds()).toEqual(['open', 'restart', 'restart', 'restart', 'open', 'open']);
  });

  it('has forgotten old trouble once the sound has lasted', async () => {
    const connection = await connect();
    for (let change = 0; change < 6; change += 1) {
      session.networkChanged();
      await settle(15_000);
    }
    expect(signalling.kinds()).toEqual(['open', ...Array.from({ length: 6 }, () => 'restart')]);
    expect(FakeConnection.latest).toBe(connection);
  });
});

describe('where nothing comes and nobody tells', () => {
  let signs: ReturnType<typeof setInterval>;
  let count = 0;

  /** Signs of life four times a second, for as long as a session needs to count on them. */
  async function steady(connection: FakeConnection): Promise<void> {
    signs = setInterval(() => connection.stats.set('T', { type: 'transport', packetsReceived: ++count }), 250);
    await settle(6_000);
  }

  afterEach(() => clearInterval(signs));

  it('restarts ICE within a second and a half of the last packet', async () => {
    await steady(await connect());
    clearInterval(signs);
    await settle(700);
    expect(signalling.questions).toBe(0);
    await settle(700);
    expect(signalling.questions).toBe(1);
    expect(signalling.kinds()).toEqual(['open', 'restart']);
    expect(names()).toEqual(['connecting', 'connected']);
  });

  it('asks again and again where the server does not work, and restarts nothing', async () => {
    await steady(await connect());
    signalling.isServerReady = false;
    clearInterval(signs);
    await settle(3_500);
    expect(signalling.questions).toBe(3);
    expect(signalling.kinds()).toEqual(['open']);
    signalling.isServerReady = true;
    await settle(1_200);
    expect(signalling.kinds()).toEqual(['open', 'restart']);
  });

  it('restarts nothing where something came before the answer', async () => {
    const connection = await connect();
    await steady(connection);
    let answer: (isReady: boolean) => void = () => undefined;
    signalling.isReady = () => new Promise((resolve) => (answer = resolve));
    clearInterval(signs);
    await settle(1_400);
    connection.stats.set('T', { type: 'transport', packetsReceived: ++count });
    await settle(200);
    answer(true);
    await settle(500);
    expect(signalling.kinds()).toEqual(['open']);
  });

  it('restarts once in ten seconds at most, and opens nothing anew for it', async () => {
    const connection = await connect();
    for (let round = 0; round < 3; round += 1) {
      await steady(connection);
      clearInterval(signs);
      await settle(1_500);
    }
    expect(signalling.kinds()).toEqual(['open', 'restart', 'restart']);
    expect(FakeConnection.latest).toBe(connection);
  });

  it('asks nothing any more once it has stopped', async () => {
    await steady(await connect());
    clearInterval(signs);
    await settle(850);
    session.stop(false);
    await settle(5_000);
    expect(signalling.questions).toBe(0);
  });
});

describe('what is asked of the peer', () => {
  it('asks for retransmissions, also when ICE restarts', async () => {
    const connection = await connect();
    expect(signalling.asked[0]?.body).toContain('a=rtcp-fb:111 nack');
    expect(connection.offered.at(-1)).toContain('a=rtcp-fb:111 nack');
    session.networkChanged();
    await settle();
    expect(connection.offered).toHaveLength(2);
    expect(connection.offered.at(-1)).toContain('a=rtcp-fb:111 nack');
  });

  it('does without in a browser that takes no edited offer', async () => {
    FakeConnection.refusesEdits = true;
    await connect();
    FakeConnection.refusesEdits = false;
    expect(signalling.asked[0]?.body).not.toContain('nack');
    expect(names()).toEqual(['connecting', 'connected']);
  });
});

describe('when the server ends it', () => {
  it('says that another window took over, and keeps still', async () => {
    await connect();
    session.endedByServer('session1', 'taken_over');
    await settle(60_000);
    expect(names().at(-1)).toBe('taken_over');
    expect(signalling.kinds()).toEqual(['open']);
  });

  it('ignores the end of an older session of its own', async () => {
    await connect();
    session.endedByServer('session0', 'taken_over');
    expect(names().at(-1)).toBe('connected');
  });

  it('opens anew after it timed out', async () => {
    await connect();
    session.endedByServer('session1', 'timed_out');
    expect(names().at(-1)).toBe('reconnecting');
    await settle(500);
    expect(signalling.kinds()).toEqual(['open', 'open']);
  });

  it.each(['removed', 'room_ended', 'left_stage'] as const)('is over after %s', async (reason) => {
    await connect();
    session.endedByServer('session1', reason);
    await settle(60_000);
    expect(phases.at(-1)).toEqual({ name: 'ended', error: null, reason });
    expect(signalling.kinds()).toEqual(['open']);
  });
});

describe('stopping', () => {
  it('tells the server only where one leaves', async () => {
    await connect();
    session.stop(false);
    expect(signalling.kinds()).toEqual(['open']);
    session.start();
    await settle();
    session.stop(true);
    expect(signalling.asked.at(-1)).toEqual({ kind: 'close', location: '/api/v1/media/session2' });
  });

  it('ends a session that was opened while one stopped', async () => {
    session.start();
    session.stop(true);
    await settle();
    expect(signalling.kinds().filter((kind) => kind !== 'open')).toEqual([]);
    session.start();
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
    session.stop(true);
    await settle();
    const opened = signalling.asked.filter(({ kind }) => kind === 'open').length;
    expect(signalling.asked.filter(({ kind }) => kind === 'close')).toHaveLength(opened);
  });
});
