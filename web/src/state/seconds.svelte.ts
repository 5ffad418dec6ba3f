/** For a component, while it is made: the time in milliseconds, which moves every second for as long as `isNeeded` says so. */
export function everySecond(isNeeded: () => boolean): { readonly nowMs: number } {
  let nowMs = $state(Date.now());
  $effect(() => {
    if (!isNeeded()) return;
    nowMs = Date.now();
    const timer = setInterval(() => (nowMs = Date.now()), 1_000);
    return () => clearInterval(timer);
  });
  return {
    get nowMs() {
      return nowMs;
    },
  };
}
