import { afterEach, describe, expect, it, vi } from 'vitest';
import { MicrophoneError, openMicrophone } from './microphone.ts';

const getUserMedia = vi.fn<(constraints: MediaStreamConstraints) => Promise<MediaStream>>();

function withMicrophone(isSecure = true): void {
  vi.stubGlobal('isSecureContext', isSecure);
  Object.defineProperty(navigator, 'mediaDevices', { configurable: true, value: { getUserMedia } });
}

afterEach(() => {
  getUserMedia.mockReset();
  Reflect.deleteProperty(navigator, 'mediaDevices');
});

const faultOf = (promise: Promise<unknown>) => promise.catch((error: unknown) => (error instanceof MicrophoneError ? error.fault : error));

describe('openMicrophone', () => {
  it.each([
    ['NotAllowedError', 'refused'],
    ['NotFoundError', 'missing'],
    ['NotReadableError', 'busy'],
  ] as const)('tells %s as "%s"', async (name, fault) => {
    withMicrophone();
    getUserMedia.mockRejectedValue(new DOMException('', name));
    expect(await faultOf(openMicrophone({ deviceId: null, voiceProcessing: true }))).toBe(fault);
  });

  it('knows that plain http has no microphone', async () => {
    withMicrophone(false);
    expect(await faultOf(openMicrophone({ deviceId: null, voiceProcessing: true }))).toBe('insecure');
    expect(getUserMedia).not.toHaveBeenCalled();
  });

  it('asks for the chosen device, and for raw sound where it is music', async () => {
    withMicrophone();
    getUserMedia.mockResolvedValue(new MediaStream());
    await openMicrophone({ deviceId: 'usb', voiceProcessing: false });
    expect(getUserMedia).toHaveBeenCalledWith({
      audio: { deviceId: { ideal: 'usb' }, echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 1 },
    });
  });
});
