import type { Face } from '../../protocol/types.ts';
import type { Standing } from '../../state/room-powers.ts';
import type { RoomConnection } from '../../state/room.svelte.ts';

/** What this client knows of somebody in the room: from the stage for everybody, from the desk for whoever moderates. */
export function standingOf({ id }: Face, { room, desk }: RoomConnection): Standing {
  const member = room?.stage.find(({ person }) => person.id === id) ?? null;
  const moderator = desk.moderation.moderators.find(({ person }) => person.id === id) ?? null;
  return {
    role: moderator?.role ?? member?.role ?? 'listener',
    isOnStage: member !== null,
    isMuted: member?.muted ?? false,
    isHeld: member?.held ?? desk.isHeld(id),
    isInvited: desk.hands.some(({ person, invited }) => invited && person.id === id),
    isSilenced: desk.moderation.silenced.some((person) => person.id === id),
    isDeputy: room?.deputy === id,
  };
}
