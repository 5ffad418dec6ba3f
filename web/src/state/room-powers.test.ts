import { describe, expect, it } from 'vitest';
import type { Standing } from './room-powers.ts';
import { powersOver } from './room-powers.ts';

const LISTENER: Standing = {
  role: 'listener',
  isOnStage: false,
  isMuted: false,
  isHeld: false,
  isInvited: false,
  isSilenced: false,
  isDeputy: false,
};
const SPEAKER: Standing = { ...LISTENER, role: 'speaker', isOnStage: true };
const MODERATOR: Standing = { ...SPEAKER, role: 'moderator' };
const HOST: Standing = { ...SPEAKER, role: 'host' };

const over = (mine: Parameters<typeof powersOver>[0], them: Standing) => [...powersOver(mine, them)].sort();

describe('who does not moderate', () => {
  it.each(['listener', 'speaker'] as const)('has no power as %s', (mine) => {
    expect(over(mine, LISTENER)).toEqual([]);
    expect(over(mine, SPEAKER)).toEqual([]);
  });
});

describe('a moderator', () => {
  it('may do everything to a listener but what needs a stage', () => {
    expect(over('moderator', LISTENER)).toEqual(['appoint_moderator', 'hold_mute', 'invite_to_stage', 'remove_person', 'silence_person']);
  });

  it('may do everything to a speaker but invite them', () => {
    expect(over('moderator', SPEAKER)).toEqual([
      'appoint_moderator',
      'hold_mute',
      'move_to_audience',
      'mute_speaker',
      'remove_person',
      'silence_person',
    ]);
  });

  it.each([
    ['another moderator', MODERATOR],
    ['the host', HOST],
  ])('may only mute %s', (_who, them) => {
    expect(over('moderator', them)).toEqual(['mute_speaker']);
  });

  it('releases what is held, takes back a silence, and does neither twice', () => {
    const held = { ...SPEAKER, isMuted: true, isHeld: true, isSilenced: true };
    expect(over('moderator', held)).toEqual(['appoint_moderator', 'move_to_audience', 'release_mute', 'remove_person', 'unsilence_person']);
    expect(over('moderator', { ...LISTENER, isInvited: true })).not.toContain('invite_to_stage');
  });
});

describe('the host', () => {
  it('also acts on moderators, and names the deputy', () => {
    expect(over('host', MODERATOR)).toEqual([
      'hold_mute',
      'move_to_audience',
      'mute_speaker',
      'name_deputy',
      'remove_person',
      'revoke_moderator',
    ]);
    expect(over('host', LISTENER)).toContain('name_deputy');
    expect(over('host', { ...MODERATOR, isDeputy: true })).toContain('drop_deputy');
    expect(over('host', { ...MODERATOR, isDeputy: true })).not.toContain('name_deputy');
  });
});
