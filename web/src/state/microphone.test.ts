import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeTrack, settle } from '../../tests/fakes/salon.ts';
import { Microphone } from './microphone.svelte.ts';
import { Settings } from './settings.svelte.ts';

/** A browser's question that waits for the person's answer. */
interface Question {
  device: unknown;
  allow(track: FakeTrack): Promise<void>;
  deny(): Promise<void>;
}

const holder = {};
const another = {};
let questions: Question[];
let settings: Settings;
let microphone: Microphone;

beforeEach(() => {
  questions = [];
  window.isSecureContext = true;
  Object.defineProperty(navigator, 'mediaDevices', { configurable: true, value: { getUserMedia: ask } });
  settings = new Settings();
  microphone = new Microphone(settings);
});

afterEach(() => {
  Reflect.deleteProperty(navigator, 'mediaDevices');
});

function ask({ audio }: { audio: MediaTrackConstraints }): Promise<MediaStream> {
  return new Promise((resolve, reject) => {
    questions.push({
      device: audio.deviceId,
      allow: (track) => {
        resolve(new MediaStream([track as unknown as MediaStreamTrack]));
        return settle();
      },
      deny: () => {
        reject(new DOMException('', 'NotAllowedError'));
        return settle();
      },
    });
  });
}

function asked(index: number): Question {
  const question = questions[index];
  if (!question) throw new Error(`the browser was asked ${questions.length} times`);
  return question;
}

const openTrack = () => microphone.stream?.getAudioTracks()[0];

describe('let go before the browser has answered', () => {
  it('stops what comes, so that the recording sign goes out', async () => {
    const track = new FakeTrack();
    const held = microphone.hold(holder);
    microphone.release(holder);
    await asked(0).allow(track);
    await held;
    expect(track.isStopped).toBe(true);
    expect(microphone.stream).toBeNull();
  });

  it('keeps it for another who still waits', async () => {
    const track = new FakeTrack();
    void microphone.hold(holder);
    void microphone.hold(another);
    microphone.release(holder);
    await asked(0).allow(track);
    expect(openTrack()).toBe(track);
    expect(track.isStopped).toBe(false);
    expect(questions).toHaveLength(1);
  });

  it('shows nobody a fault', async () => {
    const held = microphone.hold(holder);
    microphone.release(holder);
    await asked(0).deny();
    await held;
    expect(microphone.fault).toBeNull();
  });

  it('asks anew the next time', async () => {
    const track = new FakeTrack();
    void microphone.hold(holder);
    microphone.release(holder);
    await asked(0).allow(new FakeTrack());
    void microphone.hold(holder);
    await asked(1).allow(track);
    expect(openTrack()).toBe(track);
  });
});

describe('another device chosen before the browser has answered', () => {
  it('opens that one, and stops the first', async () => {
    const [old, chosen] = [new FakeTrack(), new FakeTrack()];
    void microphone.hold(holder);
    settings.change({ microphone: 'usb' });
    const reopened = microphone.reopen();
    await asked(0).allow(old);
    expect(old.isStopped).toBe(true);
    expect(microphone.stream).toBeNull();
    await asked(1).allow(chosen);
    await reopened;
    expect(asked(1).device).toEqual({ ideal: 'usb' });
    expect(openTrack()).toBe(chosen);
  });

  it('opens it though the first could not be', async () => {
    const chosen = new FakeTrack();
    const held = microphone.hold(holder);
    settings.change({ microphone: 'usb' });
    void microphone.reopen();
    await asked(0).deny();
    await asked(1).allow(chosen);
    await held;
    expect(openTrack()).toBe(chosen);
    expect(microphone.fault).toBeNull();
  });
});

it('tells who holds it that the browser refused', async () => {
  const held = microphone.hold(holder);
  const refusal = expect(held).rejects.toMatchObject({ fault: 'refused' });
  await asked(0).deny();
  await refusal;
  expect(microphone.fault).toBe('refused');
});
