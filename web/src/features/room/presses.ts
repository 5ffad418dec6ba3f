import { t } from '../../i18n/index.svelte.ts';
import type { CommandName, Commands } from '../../protocol/types.ts';
import type { RoomConnection } from '../../state/room.svelte.ts';
import type { Salon } from '../../state/salon.svelte.ts';
import { sentenceOf } from '../sentences.ts';

/** One press of a button in a room: done, or a sentence that says why not. Returns whether it was done. */
export async function press<N extends CommandName>(salon: Salon, room: RoomConnection, name: N, data: Commands[N]): Promise<boolean> {
  try {
    await room.command(name, data);
    return true;
  } catch (error) {
    salon.toasts.show(sentenceOf(error), 'warning');
    return false;
  }
}

export function pressMute(salon: Salon, room: RoomConnection): void {
  const muted = !room.isMuted;
  room.setMuted(muted).then(
    () => salon.announcer.sayNow(room.isMuted ? t('announce.muted') : t('announce.unmuted')),
    (error: unknown) => salon.toasts.show(sentenceOf(error), 'warning'),
  );
}

export function pressHand(salon: Salon, room: RoomConnection): void {
  if (salon.session.person === null) {
    salon.router.go('/sign-in');
    return;
  }
  const isUp = room.mine?.hand_raised_at != null;
  void press(salon, room, isUp ? 'lower_hand' : 'raise_hand', {}).then((done) => {
    if (done) salon.announcer.say(isUp ? t('announce.handDown') : t('announce.handUp'));
  });
}
