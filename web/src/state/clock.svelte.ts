/** The time as far as screens care: "five minutes ago" need not be true to the second. */
export class Clock {
  nowMs = $state(Date.now());

  #timer = setInterval(() => (this.nowMs = Date.now()), 30_000);

  close(): void {
    clearInterval(this.#timer);
  }
}
