import { language } from '../../i18n/index.svelte.ts';

/** Minutes and seconds, as a clock that counts up: 245 is "4:05". */
export function formatClock(secs: number): string {
  const whole = Math.max(0, Math.floor(secs));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** The same in words, in the one unit that says enough: "4 minutes". */
export function formatSpoken(secs: number): string {
  const unit = secs < 60 ? 'second' : 'minute';
  const value = unit === 'second' ? Math.max(0, Math.floor(secs)) : Math.round(secs / 60);
  return new Intl.NumberFormat(language(), { style: 'unit', unit, unitDisplay: 'long' }).format(value);
}
