import { refusalSentence, t } from '../i18n/index.svelte.ts';
import type { MicrophoneFault } from '../media/microphone.ts';
import { asApiError } from '../protocol/errors.ts';

/** What to show for any failed request: the server's sentence where it has one, else ours for its code. */
export function sentenceOf(cause: unknown): string {
  const error = asApiError(cause);
  if (error.code === 'unreachable') return t('error.unreachable');
  if (error.code === 'too_many_requests') return t('error.tooFast');
  if (error.message !== '') return error.message;
  const sentence = refusalSentence(error.code);
  if (sentence !== null) return sentence;
  return error.retry === 'later' ? t('error.later') : t('error.unexpected');
}

/** The sentence for one field of a form, or null when the failure is about something else. */
export function fieldSentence(cause: unknown, field: string): string | null {
  if (cause === null || cause === undefined) return null;
  return asApiError(cause).field === field ? sentenceOf(cause) : null;
}

/** The sentence for a form as a whole: whatever none of its fields shows. */
export function formSentence(cause: unknown, fields: readonly string[]): string | null {
  if (cause === null || cause === undefined) return null;
  const { field } = asApiError(cause);
  return field !== null && fields.includes(field) ? null : sentenceOf(cause);
}

export function microphoneSentence(fault: MicrophoneFault): { title: string; text: string } {
  switch (fault) {
    case 'missing':
      return { title: t('microphone.missing.title'), text: t('microphone.missing.text') };
    case 'refused':
      return { title: t('microphone.refused.title'), text: t('microphone.refused.text') };
    case 'busy':
      return { title: t('microphone.busy.title'), text: t('microphone.busy.text') };
    case 'unplugged':
      return { title: t('microphone.unplugged.title'), text: t('microphone.unplugged.text') };
    case 'insecure':
      return { title: t('microphone.insecure.title'), text: t('microphone.insecure.text') };
  }
}
