import { t } from '../../i18n/index.svelte.ts';
import type { HandPolicy, Visibility } from '../../protocol/types.ts';

/** Widest first. */
export const VISIBILITIES = ['open', 'social', 'closed'] as const satisfies readonly Visibility[];

export function visibilityWord(visibility: Visibility): string {
  return { open: t('visibility.open'), social: t('visibility.social'), closed: t('visibility.closed') }[visibility];
}

/** One line: who may come in. */
export function visibilityText(visibility: Visibility): string {
  return { open: t('visibility.openText'), social: t('visibility.socialText'), closed: t('visibility.closedText') }[visibility];
}

export function handPolicyWord(policy: HandPolicy): string {
  return {
    everyone: t('handPolicy.everyone'),
    followed_by_speakers: t('handPolicy.followed_by_speakers'),
    club_members: t('handPolicy.club_members'),
    nobody: t('handPolicy.nobody'),
    open_stage: t('handPolicy.open_stage'),
  }[policy];
}
