import { createSubscriber } from 'svelte/reactivity';

const subscribe = createSubscriber((update) => {
  const timer = setInterval(update, 1_000);
  return () => clearInterval(timer);
});

/** The time in milliseconds, read anew every second by whatever shows it, and by nothing while nothing does. */
export function nowBySeconds(): number {
  subscribe();
  return Date.now();
}
