import type { en } from './en.ts';

type Source = typeof en;

export type MessageKey = keyof Source;

/** What every language provides: the same keys, and functions of the same parameters where English has one. */
export type Messages = {
  [K in MessageKey]: Source[K] extends (...args: infer A) => string ? (...args: A) => string : string;
};

export type MessageArguments<K extends MessageKey> = Source[K] extends (...args: infer A) => string ? A : [];
