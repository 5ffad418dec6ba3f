import type { Salon } from '../../state/salon.svelte.ts';
import { sentenceOf } from '../sentences.ts';

/** One press whose failure is a sentence that passes by. done: said when it worked. Returns whether it did. */
export async function act(salon: Salon, doing: () => Promise<unknown>, done: string | null = null): Promise<boolean> {
  try {
    await doing();
  } catch (error) {
    salon.toasts.show(sentenceOf(error), 'warning');
    return false;
  }
  if (done !== null) salon.toasts.show(done);
  return true;
}
