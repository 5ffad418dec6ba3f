export interface Toast {
  id: number;
  text: string;
  tone: 'calm' | 'warning';
}

/** Long enough to read two short sentences. */
const SHOWN_MS = 6_000;

/** Short sentences that pass by. Anything that needs an answer is not a toast. */
export class Toasts {
  items: Toast[] = $state.raw([]);
  #nextId = 1;

  show(text: string, tone: Toast['tone'] = 'calm'): void {
    if (text === '') return;
    const toast = { id: this.#nextId++, text, tone };
    this.items = [...this.items.filter((other) => other.text !== text), toast].slice(-3);
    setTimeout(() => this.dismiss(toast.id), SHOWN_MS);
  }

  dismiss(id: number): void {
    this.items = this.items.filter((toast) => toast.id !== id);
  }
}
