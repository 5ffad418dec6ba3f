import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeConnection } from '../../tests/fakes/connection.ts';
import { ROOM_ID } from '../../tests/fakes/people.ts';
import { settle } from '../../tests/fakes/salon.ts';
import { FakeSignalling } from '../../tests/fakes/signalling.ts';
import { Listener } from './listener.ts';

let blocked: boolean[];
let listener: Listener;

beforeEach(() => {
  blocked = [];
  listener = new Listener({
    room: ROOM_ID,
    signalling: new FakeSignalling(),
    onPhase: () => undefined,
    onBlocked: (isBlocked) => blocked.push(isBlocked),
    outputDevice: () => null,
    newConnection: () => new FakeConnection() as unknown as RTCPeerConnection,
    random: () => 0,
  });
});

const audios = () => [...document.querySelectorAll('audio')];

/** A slot of the connection gets its track, as the browser tells. */
function trackArrives(slot: number): void {
  const connection = FakeConnection.latest;
  connection.ontrack?.({ track: { id: `track${slot}` }, transceiver: connection.transceivers[slot] });
}

describe('Listener', () => {
  it('offers three slots, and plays each in an element of its own', async () => {
    listener.start();
    await settle();
    expect(FakeConnection.latest.transceivers.map(({ direction }) => direction)).toEqual(['recvonly', 'recvonly', 'recvonly']);
    trackArrives(0);
    trackArrives(2);
    await settle();
    expect(audios().map(({ dataset }) => [dataset['testid'], dataset['slot']])).toEqual([
      ['slot-audio', '0'],
      ['slot-audio', '2'],
    ]);
    expect(blocked).toEqual([false, false]);
  });

  it('says that the browser wants a tap, and plays after it', async () => {
    const play = vi.spyOn(HTMLMediaElement.prototype, 'play').mockRejectedValueOnce(new DOMException('', 'NotAllowedError'));
    listener.start();
    await settle();
    trackArrives(0);
    await settle();
    expect(blocked).toEqual([true]);
    await listener.allowSound();
    expect(blocked).toEqual([true, false]);
    play.mockRestore();
  });

  it('keeps its elements over a reconnection, and with them the leave to play', async () => {
    listener.start();
    await settle();
    trackArrives(0);
    const [element] = audios();
    listener.session.endedByServer('session1', 'timed_out');
    await settle();
    trackArrives(0);
    expect(FakeConnection.made).toHaveLength(2);
    expect(audios()).toEqual([element]);
  });

  it('is deaf while paused, in elements that come later too, and leaves nothing behind', async () => {
    listener.start();
    await settle();
    trackArrives(0);
    listener.deafen(true);
    trackArrives(1);
    expect(audios().map(({ muted }) => muted)).toEqual([true, true]);
    listener.stop(false);
    expect(audios()).toEqual([]);
  });
});
