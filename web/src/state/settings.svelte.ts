import type { Language } from '../i18n/index.svelte.ts';
import { LANGUAGES, preferredLanguage, setLanguage } from '../i18n/index.svelte.ts';

export type Theme = 'system' | 'light' | 'dark';

/** Also read by public/theme.js before the first paint. */
const STORAGE_KEY = 'salon.settings';

interface Stored {
  language: Language;
  theme: Theme;
  microphone: string | null;
  output: string | null;
  voiceProcessing: boolean;
  /** A screen reader says new messages of the chat by itself. */
  readsChat: boolean;
}

/** What one chose on this device, kept on this device. */
export class Settings {
  #stored: Stored = $state.raw(read());

  constructor() {
    this.#show();
  }

  get language(): Language {
    return this.#stored.language;
  }

  get theme(): Theme {
    return this.#stored.theme;
  }

  get microphone(): string | null {
    return this.#stored.microphone;
  }

  get output(): string | null {
    return this.#stored.output;
  }

  get voiceProcessing(): boolean {
    return this.#stored.voiceProcessing;
  }

  get readsChat(): boolean {
    return this.#stored.readsChat;
  }

  change(changes: Partial<Stored>): void {
    this.#stored = { ...this.#stored, ...changes };
    this.#show();
    try {
      localStorage.setItem(STORAGE_KEY, JSON.stringify(this.#stored));
    } catch {
      // Private windows of some browsers keep nothing: the choice then holds until the page is closed.
    }
  }

  #show(): void {
    setLanguage(this.#stored.language);
    if (this.#stored.theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = this.#stored.theme;
  }
}

function read(): Stored {
  const stored = readJson();
  return {
    language: isLanguage(stored.language) ? stored.language : preferredLanguage(navigator.languages),
    theme: stored.theme === 'light' || stored.theme === 'dark' ? stored.theme : 'system',
    microphone: typeof stored.microphone === 'string' ? stored.microphone : null,
    output: typeof stored.output === 'string' ? stored.output : null,
    voiceProcessing: stored.voiceProcessing !== false,
    readsChat: stored.readsChat === true,
  };
}

function readJson(): Partial<Stored> {
  try {
    return (JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '{}') ?? {}) as Partial<Stored>;
  } catch {
    return {};
  }
}

function isLanguage(value: unknown): value is Language {
  return typeof value === 'string' && value in LANGUAGES;
}
