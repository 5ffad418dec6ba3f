import { t } from '../../i18n/index.svelte.ts';
import type { RoomId } from '../../protocol/types.ts';
import type { Salon } from '../../state/salon.svelte.ts';

/** With the system's own sheet where there is one, else into the clipboard. */
export async function shareRoom(salon: Salon, room: RoomId, title: string): Promise<void> {
  const url = new URL(`/room/${room}`, location.origin).href;
  if ('share' in navigator && typeof navigator.share === 'function') {
    try {
      await navigator.share({ title, url });
      return;
    } catch (error) {
      // Put aside by the person: nothing to say.
      if (error instanceof DOMException && error.name === 'AbortError') return;
    }
  }
  try {
    await navigator.clipboard.writeText(url);
    salon.toasts.show(t('bring.copied'));
  } catch {
    // No leave to write there, as on plain http: shown, to be copied by hand.
    salon.toasts.show(url);
  }
}
