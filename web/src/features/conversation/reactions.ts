import type { ReactionKind } from '../../protocol/types.ts';

/** Few and calm; their order on the bar. */
export const REACTIONS = ['clap', 'heart', 'laugh', 'wow'] as const satisfies readonly ReactionKind[];
