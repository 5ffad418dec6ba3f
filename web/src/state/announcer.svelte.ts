/** What a screen reader says by itself. Rendered once, by `ui/LiveRegion.svelte`. */
export class Announcer {
  polite = $state('');
  urgent = $state('');
  #flip = false;

  say(text: string): void {
    this.polite = this.#distinct(text);
  }

  sayNow(text: string): void {
    this.urgent = this.#distinct(text);
  }

  /** The same sentence twice is no change to the page, so nothing would be read: a no-break space makes it one. */
  #distinct(text: string): string {
    this.#flip = !this.#flip;
    return this.#flip ? text : `${text}\u00a0`;
  }
}
