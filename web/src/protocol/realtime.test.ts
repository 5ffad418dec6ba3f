import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeSocket } from '../../tests/fakes/socket.ts';
import { ApiError } from './errors.ts';
import type { StreamHandlers } from './realtime.ts';
import { RealtimeClient } from './realtime.ts';
import type { ServerFrame, StreamEvent } from './types.ts';

/** A stream whose state is the list of what its events carried. */
function recorder() {
  const seen: { state: string[]; event: StreamEvent | null }[] = [];
  const refused: string[] = [];
  const presences: unknown[] = [];
  const handlers: StreamHandlers<string[]> = {
    reduce: (state, event) => [...state, event.data as string],
    onState: (state, event) => seen.push({ state, event }),
    onPresence: (presence) => presences.push(presence),
    onRefused: (error) => refused.push(error.code),
  };
  return { handlers, seen, refused, presences, latest: () => seen.at(-1)?.state };
}

const event = (seq: number, data: string) => ({ type: 'event', stream: 'room/x', seq, kind: 'said', data }) as const;

let tickets: number;
let ticketFailure: ApiError | null;
let client: RealtimeClient;

beforeEach(() => {
  vi.useFakeTimers();
  tickets = 0;
  ticketFailure = null;
  client = new RealtimeClient({
    url: 'ws://salon/ws',
    ticket: () => {
      if (ticketFailure) return Promise.reject(ticketFailure);
      tickets += 1;
      return Promise.resolve({ ticket: `ticket${tickets}`, expires_in: 60 });
    },
    openSocket: FakeSocket.open,
    random: () => 0.5,
  });
});

async function start(): Promise<void> {
  client.start();
  await vi.advanceTimersByTimeAsync(0);
  FakeSocket.latest.welcome();
}

/** Let the wait before the next try pass: half of 2 s doubled `attempt` times. */
async function reconnect(attempt = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(1_000 * 2 ** attempt);
  FakeSocket.latest.welcome();
}

describe('connecting', () => {
  it('says hello with a fresh ticket over the named subprotocol', async () => {
    client.start();
    await vi.advanceTimersByTimeAsync(0);
    FakeSocket.latest.onopen?.();
    expect(FakeSocket.latest.url).toBe('ws://salon/ws');
    expect(FakeSocket.latest.subprotocol).toBe('salon.v1');
    expect(FakeSocket.latest.last('hello').ticket).toBe('ticket1');
    expect(client.state).toEqual({ phase: 'connecting' });
    FakeSocket.latest.welcome();
    expect(client.state).toEqual({ phase: 'open' });
  });

  it('pings before the heartbeat is over', async () => {
    await start();
    await vi.advanceTimersByTimeAsync(15_000);
    expect(FakeSocket.latest.all('ping')).toHaveLength(1);
  });

  it('counts a connection that leaves a ping unanswered as dead', async () => {
    await start();
    await vi.advanceTimersByTimeAsync(15_000 + 10_000);
    expect(client.state).toEqual({ phase: 'waiting', stopping: false });
  });

  it('keeps a connection whose pings are answered', async () => {
    await start();
    await vi.advanceTimersByTimeAsync(15_000);
    FakeSocket.latest.receive({ type: 'pong', reply_to: FakeSocket.latest.last('ping').id });
    await vi.advanceTimersByTimeAsync(14_000);
    expect(client.state).toEqual({ phase: 'open' });
  });
});

describe('after a drop', () => {
  it('waits twice as long each time, up to 30 s', async () => {
    await start();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 6; attempt += 1) {
      FakeSocket.latest.drop(1006);
      const openedBefore = FakeSocket.opened.length;
      let waited = 0;
      while (FakeSocket.opened.length === openedBefore) {
        await vi.advanceTimersByTimeAsync(500);
        waited += 500;
      }
      waits.push(waited);
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
  });

  it('takes a new ticket and begins again with short waits once it is welcome', async () => {
    await start();
    FakeSocket.latest.drop(1006);
    await reconnect();
    expect(tickets).toBe(2);
    FakeSocket.latest.drop(1006);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(FakeSocket.opened).toHaveLength(3);
  });

  it('knows a server that restarts from one that vanished', async () => {
    await start();
    FakeSocket.latest.drop(4503);
    expect(client.state).toEqual({ phase: 'waiting', stopping: true });
    await vi.advanceTimersByTimeAsync(1_000);
    FakeSocket.latest.drop(1006);
    expect(client.state).toEqual({ phase: 'waiting', stopping: true });
    await reconnect(1);
    FakeSocket.latest.drop(1006);
    expect(client.state).toEqual({ phase: 'waiting', stopping: false });
  });

  it('waits as long as the server asked for', async () => {
    ticketFailure = new ApiError({ code: 'starting', message: '', field: null }, 503, 7);
    client.start();
    await vi.advanceTimersByTimeAsync(0);
    ticketFailure = null;
    await vi.advanceTimersByTimeAsync(6_900);
    expect(FakeSocket.opened).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(200);
    expect(FakeSocket.opened).toHaveLength(1);
  });

  it('does not wait once the network is back', async () => {
    await start();
    FakeSocket.latest.drop(1006);
    client.wake();
    await vi.advanceTimersByTimeAsync(0);
    expect(FakeSocket.opened).toHaveLength(2);
  });

  it('ignores what a socket it gave up still says', async () => {
    await start();
    const old = FakeSocket.latest;
    old.drop(1006);
    await reconnect();
    old.drop(1006);
    expect(client.state).toEqual({ phase: 'open' });
  });
});

describe('a watched stream', () => {
  it('is a snapshot and then its events in order', async () => {
    const stream = recorder();
    client.watch('room/x', stream.handlers);
    await start();
    const watch = FakeSocket.latest.last('watch');
    expect(watch).toEqual({ type: 'watch', id: watch.id, stream: 'room/x' });
    FakeSocket.latest.receive({ type: 'snapshot', reply_to: watch.id, stream: 'room/x', seq: 4, state: ['four'] });
    FakeSocket.latest.receive(event(5, 'five'));
    expect(stream.seen.map(({ state }) => state)).toEqual([['four'], ['four', 'five']]);
    expect(stream.seen.map((change) => change.event?.seq ?? null)).toEqual([null, 5]);
  });

  it('drops an event it has already', async () => {
    const stream = recorder();
    client.watch('room/x', stream.handlers);
    await start();
    FakeSocket.latest.receive({
      type: 'snapshot',
      reply_to: FakeSocket.latest.last('watch').id,
      stream: 'room/x',
      seq: 4,
      state: ['four'],
    });
    FakeSocket.latest.receive(event(4, 'again'));
    expect(stream.latest()).toEqual(['four']);
  });

  it('asks again from its last number when there is a gap, and ignores what comes before the answer', async () => {
    const stream = recorder();
    client.watch('room/x', stream.handlers);
    await start();
    const socket = FakeSocket.latest;
    socket.receive({ type: 'snapshot', reply_to: socket.last('watch').id, stream: 'room/x', seq: 4, state: ['four'] });
    socket.receive(event(6, 'six'));
    const again = socket.last('watch');
    expect(again.after).toBe(4);
    socket.receive(event(7, 'seven'));
    expect(stream.latest()).toEqual(['four']);
    expect(socket.all('watch')).toHaveLength(2);
    socket.receive({ type: 'resumed', reply_to: again.id, stream: 'room/x', seq: 7 });
    for (const [seq, word] of [
      [5, 'five'],
      [6, 'six'],
      [7, 'seven'],
    ] as const)
      socket.receive(event(seq, word));
    expect(stream.latest()).toEqual(['four', 'five', 'six', 'seven']);
  });

  it('resumes after a drop, and takes a snapshot where too much was missed', async () => {
    const stream = recorder();
    client.watch('room/x', stream.handlers);
    await start();
    FakeSocket.latest.receive({
      type: 'snapshot',
      reply_to: FakeSocket.latest.last('watch').id,
      stream: 'room/x',
      seq: 4,
      state: ['four'],
    });
    FakeSocket.latest.drop(1006);
    await reconnect();
    const resumed = FakeSocket.latest.last('watch');
    expect(resumed.after).toBe(4);
    FakeSocket.latest.receive({ type: 'snapshot', reply_to: resumed.id, stream: 'room/x', seq: 90, state: ['ninety'] });
    FakeSocket.latest.receive(event(91, 'next'));
    expect(stream.latest()).toEqual(['ninety', 'next']);
  });

  it('begins anew when somebody else signed in', async () => {
    const stream = recorder();
    client.watch('room/x', stream.handlers);
    await start();
    FakeSocket.latest.receive({
      type: 'snapshot',
      reply_to: FakeSocket.latest.last('watch').id,
      stream: 'room/x',
      seq: 4,
      state: ['mine'],
    });
    client.restart();
    await vi.advanceTimersByTimeAsync(0);
    FakeSocket.latest.welcome();
    expect(FakeSocket.latest.last('watch').after).toBeUndefined();
  });

  it('is given up where it is not for us, and asked for again where that may pass', async () => {
    const gone = recorder();
    client.watch('room/x', gone.handlers);
    const busy = recorder();
    client.watch('hallway', busy.handlers);
    await start();
    const socket = FakeSocket.latest;
    const [first, second] = socket.all('watch');
    socket.receive({ type: 'error', reply_to: first?.id ?? 0, code: 'not_found', message: '', field: null });
    socket.receive({ type: 'error', reply_to: second?.id ?? 0, code: 'starting', message: '', field: null });
    expect(gone.refused).toEqual(['not_found']);
    expect(busy.refused).toEqual([]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(socket.all('watch').map(({ stream }) => stream)).toEqual(['room/x', 'hallway', 'hallway']);
  });

  it('ends when its owner says so', async () => {
    const stream = recorder();
    const end = client.watch('room/x', stream.handlers);
    await start();
    FakeSocket.latest.receive({ type: 'snapshot', reply_to: FakeSocket.latest.last('watch').id, stream: 'room/x', seq: 4, state: [] });
    end();
    expect(FakeSocket.latest.last('unwatch').stream).toBe('room/x');
    FakeSocket.latest.receive(event(5, 'five'));
    expect(stream.seen).toHaveLength(1);
  });

  it('takes a snapshot that comes unasked', async () => {
    const stream = recorder();
    client.watch('room/x', stream.handlers);
    await start();
    FakeSocket.latest.receive({
      type: 'snapshot',
      reply_to: FakeSocket.latest.last('watch').id,
      stream: 'room/x',
      seq: 4,
      state: ['four'],
    });
    FakeSocket.latest.receive({ type: 'snapshot', reply_to: null, stream: 'room/x', seq: 9, state: ['nine'] });
    FakeSocket.latest.receive(event(10, 'ten'));
    expect(stream.latest()).toEqual(['nine', 'ten']);
  });

  it('ends when the server takes it away', async () => {
    const stream = recorder();
    client.watch('room/x', stream.handlers);
    await start();
    FakeSocket.latest.receive({ type: 'snapshot', reply_to: FakeSocket.latest.last('watch').id, stream: 'room/x', seq: 4, state: [] });
    FakeSocket.latest.receive({ type: 'unwatched', stream: 'room/x' });
    expect(stream.refused).toEqual(['unwatched']);
    FakeSocket.latest.drop(1006);
    await reconnect();
    expect(FakeSocket.latest.all('watch')).toEqual([]);
  });

  it('has one owner at a time', () => {
    client.watch('room/x', recorder().handlers);
    expect(() => client.watch('room/x', recorder().handlers)).toThrow('room/x is watched already');
  });

  it('passes presence on without numbers', async () => {
    const stream = recorder();
    client.watch('room/x', stream.handlers);
    await start();
    FakeSocket.latest.receive({ type: 'presence', stream: 'room/x', audience: 7, faces: [], connected: [] });
    expect(stream.presences).toEqual([{ type: 'presence', stream: 'room/x', audience: 7, faces: [], connected: [] }]);
  });

  it('passes tallies and reactions to whom they are about, and drops the others', async () => {
    const seen: unknown[] = [];
    const handlers = {
      ...recorder().handlers,
      onTally: (tally: unknown) => seen.push(tally),
      onReactions: (sent: unknown) => seen.push(sent),
    };
    client.watch('conversation/x', handlers);
    await start();
    const tally: ServerFrame = { type: 'tally', stream: 'conversation/x', votes: { q1: 3 }, poll: null };
    const reactions: ServerFrame = { type: 'reactions', stream: 'conversation/x', counts: { clap: 2 }, from: { clap: ['p1', 'p2'] } };
    for (const frame of [tally, reactions]) {
      FakeSocket.latest.receive(frame);
      FakeSocket.latest.receive({ ...frame, stream: 'conversation/other' });
    }
    expect(seen).toEqual([tally, reactions]);
  });
});
