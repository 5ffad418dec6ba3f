import { t } from '../../i18n/index.svelte.ts';
import type { CommandName, Commands } from '../../protocol/types.ts';
import type { RoomConnection } from '../../state/room.svelte.ts';
import type { Salon } from '../../state/salon.svelte.ts';
import { asApiError } from '../../protocol/errors.ts';
import { sentenceOf } from '../sentences.ts';

/** One press of a button in a room: done, or a sentence that says why not. Returns whether it was done. */
export async function press<N extends CommandName>(salon: Salon, room: RoomConnection, name: N, data: Commands[N]): Promise<boolean> {
  try {
    await room.command(name, data);
    return true;
  } catch (error) {
    salon.toasts.show(sentenceIn(room, error), 'warning');
    return false;
  }
}

/** A refusal in the words of the room it happened in. */
function sentenceIn(room: RoomConnection, error: unknown): string {
  const policy = room.room?.hand_policy;
  if (asApiError(error).code === 'hands_not_allowed' && policy && policy !== 'everyone' && policy !== 'open_stage') {
    return t(`handsNotAllowed.${policy}`);
  }
  return sentenceOf(error);
}

export function pressMute(salon: Salon, room: RoomConnection): void {
  const muted = !room.isMuted;
  room.setMuted(muted).then(
    () => salon.announcer.sayNow(room.isMuted ? t('announce.muted') : t('announce.unmuted')),
    (error: unknown) => salon.toasts.show(sentenceOf(error), 'warning'),
  );
}

export function pressOnACall(salon: Salon, room: RoomConnection, isOnACall: boolean): void {
  room.setOnACall(isOnACall).catch((error: unknown) => salon.toasts.show(sentenceOf(error), 'warning'));
}

/** Onto the stage by oneself: where it is open to everybody, or for a moderator, who is invited by nobody else. */
export function pressStepUp(salon: Salon, room: RoomConnection): void {
  const me = salon.session.person;
  if (me === null) return;
  if (room.room?.hand_policy === 'open_stage') void press(salon, room, 'step_up', {});
  else void press(salon, room, 'invite_to_stage', { person: me.id });
}

export function pressInviteNext(salon: Salon, room: RoomConnection): void {
  void press(salon, room, 'invite_next', {}).then((done) => {
    if (done) salon.announcer.say(t('announce.invitedNext'));
  });
}

export function pressMuteAll(salon: Salon, room: RoomConnection): void {
  void press(salon, room, 'mute_all', {}).then((done) => {
    if (!done) return;
    salon.toasts.show(t('announce.mutedAll'));
    salon.announcer.say(t('announce.mutedAll'));
  });
}

export function pressHand(salon: Salon, room: RoomConnection): void {
  if (salon.session.person === null) {
    salon.router.go('/sign-in');
    return;
  }
  if (room.room?.hand_policy === 'open_stage') {
    pressStepUp(salon, room);
    return;
  }
  const isUp = room.mine?.hand_raised_at != null;
  void press(salon, room, isUp ? 'lower_hand' : 'raise_hand', {}).then((done) => {
    if (done) salon.announcer.say(isUp ? t('announce.handDown') : t('announce.handUp'));
  });
}
