import type { Hand } from '../protocol/types.ts';

/**
 * The hand queue in the order in which "invite the next" goes through it.
 *
 * The stream is always oldest first; with the fair floor, who has not spoken yet comes before who has, each group oldest first.
 */
export function queueOrder(hands: readonly Hand[], isFairFloor: boolean): Hand[] {
  if (!isFairFloor) return [...hands];
  return [...hands.filter((hand) => !hand.has_spoken), ...hands.filter((hand) => hand.has_spoken)];
}
