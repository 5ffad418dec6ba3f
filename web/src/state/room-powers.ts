import type { Role } from '../protocol/types.ts';

/** What is known of somebody in the room, as far as what one may do to them depends on it. */
export interface Standing {
  role: Role;
  isOnStage: boolean;
  isMuted: boolean;
  isHeld: boolean;
  isInvited: boolean;
  isSilenced: boolean;
  isDeputy: boolean;
}

export type Power =
  | 'invite_to_stage'
  | 'mute_speaker'
  | 'hold_mute'
  | 'release_mute'
  | 'move_to_audience'
  | 'appoint_moderator'
  | 'revoke_moderator'
  | 'name_deputy'
  | 'drop_deputy'
  | 'silence_person'
  | 'unsilence_person'
  | 'remove_person';

/**
 * What somebody of role `mine` is offered to do to another; section 4 of the protocol, "Who may act on whom".
 *
 * The server decides. This spares people buttons whose only answer would be a refusal.
 */
export function powersOver(mine: Role, them: Standing): ReadonlySet<Power> {
  const powers = new Set<Power>();
  if (mine !== 'host' && mine !== 'moderator') return powers;
  const isHost = mine === 'host';
  const theyModerate = them.role === 'host' || them.role === 'moderator';
  const mayAct = them.role !== 'host' && (!theyModerate || isHost);

  if (them.isOnStage && !them.isMuted) powers.add('mute_speaker');
  if (!them.isOnStage && !them.isInvited) powers.add('invite_to_stage');
  if (them.isHeld) powers.add('release_mute');
  if (them.isSilenced) powers.add('unsilence_person');
  if (!theyModerate) powers.add('appoint_moderator');
  if (isHost && them.role !== 'host') powers.add(them.isDeputy ? 'drop_deputy' : 'name_deputy');
  if (mayAct) {
    if (!them.isHeld) powers.add('hold_mute');
    if (them.isOnStage) powers.add('move_to_audience');
    if (theyModerate) powers.add('revoke_moderator');
    if (!them.isSilenced && !theyModerate) powers.add('silence_person');
    powers.add('remove_person');
  }
  return powers;
}
