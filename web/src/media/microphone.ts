/** One microphone, opened once and shared by the check before the stage and the speaking session. */

export type MicrophoneFault = 'missing' | 'refused' | 'busy' | 'unplugged' | 'insecure';

export class MicrophoneError extends Error {
  readonly fault: MicrophoneFault;

  constructor(fault: MicrophoneFault) {
    super(fault);
    this.name = 'MicrophoneError';
    this.fault = fault;
  }
}

export interface MicrophoneChoice {
  /** Null: whatever the system offers first. */
  deviceId: string | null;
  /** Echo cancellation, noise suppression and gain control; off for music. */
  voiceProcessing: boolean;
}

export async function openMicrophone(choice: MicrophoneChoice): Promise<MediaStream> {
  // Browsers hide the whole interface from pages that came over plain HTTP.
  if (!('mediaDevices' in navigator) || !window.isSecureContext) throw new MicrophoneError('insecure');
  const processing = choice.voiceProcessing;
  const constraints: MediaTrackConstraints = {
    echoCancellation: processing,
    noiseSuppression: processing,
    autoGainControl: processing,
    channelCount: 1,
  };
  if (choice.deviceId !== null) constraints.deviceId = { ideal: choice.deviceId };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: constraints });
  } catch (error) {
    throw new MicrophoneError(faultOf(error));
  }
}

/** Named by the DOM exceptions of the Media Capture specification, section 10.2. */
function faultOf(error: unknown): MicrophoneFault {
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'refused';
  if (name === 'NotReadableError' || name === 'AbortError') return 'busy';
  return 'missing';
}

export interface SoundDevice {
  id: string;
  label: string;
}

/** Labels are empty until the microphone was allowed once. */
export async function listDevices(kind: 'audioinput' | 'audiooutput'): Promise<SoundDevice[]> {
  if (!('mediaDevices' in navigator)) return [];
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices
    .filter((device) => device.kind === kind && device.deviceId !== '')
    .map((device) => ({ id: device.deviceId, label: device.label }));
}

export function canChooseOutput(): boolean {
  return 'setSinkId' in HTMLMediaElement.prototype;
}
