import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ana, cleo } from '../../../../tests/fakes/people.ts';
import type { LogEntry } from '../../../protocol/types.ts';
import { logSentence } from './log-sentences.ts';

const entry = (changes: Partial<LogEntry>): LogEntry => ({
  id: '1',
  action: 'mute_all',
  by: ana,
  target: null,
  reason: null,
  data: {},
  at: '2026-11-23T20:00:00Z',
  ...changes,
});

describe('a line of the log', () => {
  it.each<[Partial<LogEntry>, string]>([
    [{ action: 'hold_mute', target: cleo }, 'Ana held the mute of Cleo'],
    [{ action: 'revoke_moderator', target: cleo }, 'Ana took the role of moderator from Cleo'],
    [{ action: 'revoke_moderator', target: ana }, 'Ana gave up moderating'],
    [{ action: 'name_deputy', target: cleo }, 'Ana named Cleo deputy'],
    [{ action: 'name_deputy' }, 'Ana named nobody deputy any more'],
    [{ action: 'succession', by: null, target: cleo }, 'The role of host passed to Cleo'],
    [{ action: 'succession', by: null }, 'The host was away and nobody could take over: the stage was locked'],
    [{ action: 'edit_room', data: { stage_locked: true, chat: false } }, 'Ana changed: Lock the stage and Chat'],
    [{ action: 'edit_room', data: { wallpaper: 'blue' } }, 'Ana changed: wallpaper'],
    [{ action: 'open_window' }, 'Ana: open_window'],
    [{ action: 'remove_person', by: null }, 'Salon removed somebody'],
  ])('%o', (changes, sentence) => {
    expect(logSentence(entry(changes))).toBe(sentence);
  });

  /** Section 4: in these tables "a moderator" (or the host) may do it. */
  it('has words for every command that only moderators give', () => {
    const commands = (readFileSync('../docs/protocol.md', 'utf8').split('\n## 4. Commands')[1]?.split('\n### Settings')[0] ?? '')
      .split('\n')
      .map((line) => line.split('|').map((cell) => cell.trim()))
      .filter(([, names, , who]) => names?.startsWith('`') && /^(a moderator|the host)/.test(who ?? ''))
      .flatMap(([, names]) => [...(names ?? '').matchAll(/`([a-z_]+)`/g)].map(([, name]) => name ?? ''));
    expect(commands.length).toBeGreaterThan(20);
    const unsaid = commands.filter((action) => logSentence(entry({ action, target: cleo })) === `Ana: ${action}`);
    expect(unsaid).toEqual([]);
  });
});
