/** What people may say they speak, the two languages of the screens first. */
export const SPOKEN_LANGUAGES = ['fr', 'en', 'ar', 'de', 'es', 'it', 'ja', 'ko', 'nl', 'pl', 'pt', 'ru', 'tr', 'uk', 'zh'] as const;
