import type { RoomConnection } from '../../state/room.svelte.ts';

/**
 * How somebody in the audience can come to the stage: by a hand, by stepping up themselves, or, as things stand, only by somebody
 * else's doing. A hand that is up can be lowered whatever the policy has become.
 */
export type WayUp = 'hand' | 'step_up' | 'locked' | 'closed';

export function wayUp(connection: RoomConnection): WayUp {
  const { room, mine } = connection;
  if (mine?.hand_raised_at != null) return 'hand';
  if (connection.isModerator) return 'step_up';
  if (room?.hand_policy === 'open_stage') return room.stage_locked || room.host_away ? 'locked' : 'step_up';
  return room?.hand_policy === 'nobody' ? 'closed' : 'hand';
}
