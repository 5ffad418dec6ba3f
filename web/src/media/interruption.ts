/** The Audio Session API, which so far only Safari has: https://www.w3.org/TR/audio-session/ */
interface AudioSession extends EventTarget {
  readonly state: 'inactive' | 'active' | 'interrupted';
}

/**
 * Tells when the system takes a page's sound away, for a phone call most often, and when it gives it back.
 *
 * Where there is no such interface nothing is told here; the microphone's own `mute` event then says the same of the microphone.
 */
export function onInterruption(changed: (isInterrupted: boolean) => void): () => void {
  const session = (navigator as Navigator & { audioSession?: AudioSession }).audioSession;
  if (!session) return () => undefined;
  const tell = () => changed(session.state === 'interrupted');
  session.addEventListener('statechange', tell);
  return () => session.removeEventListener('statechange', tell);
}
