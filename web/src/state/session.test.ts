import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bruno } from '../../tests/fakes/people.ts';
import { Stage } from '../../tests/fakes/salon.ts';
import { FakeSocket } from '../../tests/fakes/socket.ts';

let stage: Stage;

beforeEach(() => vi.useFakeTimers());
afterEach(() => stage.salon.close());

describe('arriving', () => {
  it('asks until the server answers, and at once when the network is back', async () => {
    stage = new Stage(Stage.person(bruno));
    const answering = globalThis.fetch;
    globalThis.fetch = () => Promise.reject(new TypeError('Failed to fetch'));
    const loaded = stage.salon.session.load();
    await vi.advanceTimersByTimeAsync(0);
    expect([stage.salon.session.isUnreachable, stage.salon.session.me]).toEqual([true, null]);
    globalThis.fetch = answering;
    window.dispatchEvent(new Event('online'));
    await loaded;
    expect(stage.salon.session.person?.name).toBe('Bruno');
  });

  it('asks who one is when the server takes one for somebody else', async () => {
    stage = new Stage(null);
    await stage.salon.session.load();
    await vi.advanceTimersByTimeAsync(0);
    FakeSocket.latest.onopen?.();
    FakeSocket.latest.receive({ type: 'welcome', reply_to: FakeSocket.latest.last('hello').id, person: bruno.id, heartbeat_secs: 20 });
    await vi.advanceTimersByTimeAsync(0);
    expect(FakeSocket.opened).toHaveLength(2);
  });

  it('watches one’s own places only where there is a person', async () => {
    stage = new Stage(null);
    await stage.salon.session.load();
    await vi.advanceTimersByTimeAsync(0);
    FakeSocket.latest.welcome();
    expect(FakeSocket.latest.all('watch')).toEqual([]);
  });
});
