/**
 * Sentences in the reader's language.
 *
 * English defines the keys and each sentence's parameters; the other languages have the type `Messages`, so that a missing or
 * misshapen sentence fails the build. Numbers, dates and lists are `Intl`'s.
 */

import { en } from './en.ts';
import { fr } from './fr.ts';
import type { MessageArguments, MessageKey, Messages } from './messages.ts';

export const LANGUAGES = { en: 'English', fr: 'Français' } as const;
export type Language = keyof typeof LANGUAGES;

const MESSAGES: Record<Language, Messages> = { en, fr };

let current = $state<Language>('en');

export function language(): Language {
  return current;
}

export function setLanguage(next: Language): void {
  current = next;
  document.documentElement.lang = next;
}

export function t<K extends MessageKey>(key: K, ...args: MessageArguments<K>): string {
  const message: unknown = MESSAGES[current][key];
  return typeof message === 'function' ? (message as (...values: unknown[]) => string)(...args) : (message as string);
}

/** Our own sentence for a refusal, by its code; null for one that a newer server has. */
export function refusalSentence(code: string): string | null {
  const message: unknown = MESSAGES[current][`refusal.${code}` as MessageKey];
  return typeof message === 'string' ? message : null;
}

/** The first of the reader's wishes that Salon speaks. */
export function preferredLanguage(wishes: readonly string[]): Language {
  for (const wish of wishes) {
    const base = wish.toLowerCase().split('-')[0];
    if (base !== undefined && base in LANGUAGES) return base as Language;
  }
  return 'en';
}

export function formatNumber(value: number): string {
  return new Intl.NumberFormat(current).format(value);
}

/** For counts that change by themselves: 12,400 listeners are "12K". */
export function formatCount(value: number): string {
  return new Intl.NumberFormat(current, value < 10_000 ? {} : { notation: 'compact', maximumFractionDigits: 1 }).format(value);
}

export function formatDate(time: string): string {
  return new Intl.DateTimeFormat(current, { dateStyle: 'long' }).format(new Date(time));
}

/** The time of day. */
export function formatTime(time: string): string {
  return new Intl.DateTimeFormat(current, { timeStyle: 'short' }).format(new Date(time));
}

export function formatList(items: readonly string[]): string {
  return new Intl.ListFormat(current, { type: 'conjunction' }).format(items);
}

/** How long ago, in the one unit that says enough. */
export function formatSince(time: string, nowMs: number): string {
  const minutes = Math.max(0, Math.round((nowMs - new Date(time).getTime()) / 60_000));
  if (minutes === 0) return t('common.justNow');
  const format = new Intl.RelativeTimeFormat(current, { numeric: 'auto', style: 'long' });
  if (minutes < 60) return format.format(-minutes, 'minute');
  if (minutes < 60 * 24) return format.format(-Math.round(minutes / 60), 'hour');
  return format.format(-Math.round(minutes / 60 / 24), 'day');
}

/** A language's own name in the reader's language: `fr` is "French" or "français". */
export function languageName(tag: string): string {
  try {
    return new Intl.DisplayNames(current, { type: 'language' }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}
