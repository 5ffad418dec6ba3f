import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { en } from './en.ts';
import { fr } from './fr.ts';
import { formatCount, formatSince, language, preferredLanguage, refusalSentence, setLanguage, t } from './index.svelte.ts';

const entries = Object.entries(en) as [keyof typeof en, unknown][];

describe('every sentence', () => {
  it('exists in French, is no copy by accident, and takes the same kind of thing', () => {
    expect(Object.keys(fr).sort()).toEqual(Object.keys(en).sort());
    for (const [key, message] of entries) expect([key, typeof fr[key]]).toEqual([key, typeof message]);
  });

  it('is not empty, and uses typographic apostrophes and a space before French double signs', () => {
    for (const [key, message] of Object.entries(fr)) {
      if (typeof message !== 'string') continue;
      expect([key, message.trim()]).not.toEqual([key, '']);
      expect([key, /'/.test(message)]).toEqual([key, false]);
      expect([key, /[^\s\u202f\u00a0][:;!?]/.test(message)]).toEqual([key, false]);
    }
  });

  it('is the same in both languages only where the word is', () => {
    const same = entries.filter(([key, message]) => typeof message === 'string' && fr[key] === message).map(([key]) => key);
    expect(same).toEqual(['nav.invitations', 'conversation.questions', 'signUp.invitation', 'invitations.title']);
  });
});

describe('t', () => {
  it('follows the language and says so to the page', () => {
    expect(t('nav.signIn')).toBe('Sign in');
    setLanguage('fr');
    expect(t('nav.signIn')).toBe('Se connecter');
    expect(document.documentElement.lang).toBe('fr');
    expect(language()).toBe('fr');
  });

  it('counts as each language does', () => {
    expect([0, 1, 2].map((count) => t('hallway.others', count))).toEqual(['0 more', '1 more', '2 more']);
    expect([1, 2, 3, 4, 11, 22].map((count) => t('bar.position', count, String(count)))).toEqual([
      'You are 1st in line',
      'You are 2nd in line',
      'You are 3rd in line',
      'You are 4th in line',
      'You are 11th in line',
      'You are 22nd in line',
    ]);
    setLanguage('fr');
    expect(t('hallway.others', 1)).toBe('1 autre');
    expect(t('hallway.others', 2)).toBe('2 autres');
  });

  it('elides in French', () => {
    setLanguage('fr');
    expect([t('invitation.title', 'Ana'), t('invitation.title', 'Bruno')]).toEqual(['Une invitation d’Ana', 'Une invitation de Bruno']);
  });
});

describe('refusalSentence', () => {
  /** The table of section 8. */
  const codes = (readFileSync('../docs/protocol.md', 'utf8').split('\n## 8. Errors')[1] ?? '')
    .split('\n')
    .filter((line) => /^\| \d{3} \|/.test(line))
    .flatMap((line) => [...line.replace('(with `field`)', '').matchAll(/`([a-z_]+)`/g)].map(([, code]) => code ?? ''));

  it.each(['en', 'fr'] as const)('has one in %s for every code of the protocol', (tongue) => {
    setLanguage(tongue);
    expect(codes.length).toBeGreaterThan(60);
    expect(codes.filter((code) => refusalSentence(code) === null)).toEqual([]);
  });

  it('has none for a code it does not know', () => {
    expect(refusalSentence('moon_is_full')).toBeNull();
  });
});

describe('preferredLanguage', () => {
  it.each([
    [['fr-CA', 'en'], 'fr'],
    [['de', 'fr'], 'fr'],
    [['de'], 'en'],
    [[], 'en'],
  ] as const)('of %j is %s', (wishes, expected) => {
    expect(preferredLanguage(wishes)).toBe(expected);
  });
});

describe('formats', () => {
  it('writes big crowds short', () => {
    expect([formatCount(999), formatCount(9_999), formatCount(12_400)]).toEqual(['999', '9,999', '12.4K']);
  });

  it('says how long ago in one unit', () => {
    const now = Date.parse('2026-11-23T20:00:00Z');
    const since = (time: string) => formatSince(time, now);
    expect([
      since('2026-11-23T19:59:50Z'),
      since('2026-11-23T19:55:00Z'),
      since('2026-11-23T17:00:00Z'),
      since('2026-11-22T17:00:00Z'),
    ]).toEqual(['just now', '5 minutes ago', '3 hours ago', 'yesterday']);
  });
});
