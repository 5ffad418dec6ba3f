/** What the lock screen, headset buttons and the system's media panel show and do: the Media Session API, where there is one. */

export interface LockScreenContent {
  title: string;
  /** Who speaks, or who hosts. */
  people: string;
}

export interface LockScreenActions {
  setDeafened(isDeafened: boolean): void;
  toggleMicrophone(): void;
  leave(): void;
}

type Action = MediaSessionAction | 'togglemicrophone' | 'hangup';

export function showOnLockScreen(content: LockScreenContent, actions: LockScreenActions): void {
  if (!('mediaSession' in navigator)) return;
  navigator.mediaSession.metadata = new MediaMetadata({
    title: content.title,
    artist: content.people,
    album: 'Salon',
    artwork: [{ src: '/icons/icon-512.png', sizes: '512x512', type: 'image/png' }],
  });
  navigator.mediaSession.playbackState = 'playing';
  const setPlaying = (isPlaying: boolean) => {
    actions.setDeafened(!isPlaying);
    navigator.mediaSession.playbackState = isPlaying ? 'playing' : 'paused';
  };
  setAction('play', () => setPlaying(true));
  setAction('pause', () => setPlaying(false));
  setAction('stop', () => actions.leave());
  setAction('togglemicrophone', () => actions.toggleMicrophone());
  setAction('hangup', () => actions.leave());
}

export function clearLockScreen(): void {
  if (!('mediaSession' in navigator)) return;
  navigator.mediaSession.metadata = null;
  navigator.mediaSession.playbackState = 'none';
  for (const action of ['play', 'pause', 'stop', 'togglemicrophone', 'hangup'] as const) setAction(action, null);
}

function setAction(action: Action, handler: (() => void) | null): void {
  try {
    navigator.mediaSession.setActionHandler(action as MediaSessionAction, handler);
  } catch {
    // A browser that does not know the action says so by throwing; it just will not offer that button.
  }
}
