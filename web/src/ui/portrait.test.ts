import { describe, expect, it } from 'vitest';
import { initialsOf, portraitOf } from './portrait.ts';

describe('portraitOf', () => {
  it('is the same for the same person, whatever the name', () => {
    const [before, after] = [portraitOf('id1', 'Ana'), portraitOf('id1', 'Anna')];
    expect({ ...after, initials: before.initials }).toEqual(before);
  });

  it('differs between people', () => {
    const drawn = Array.from({ length: 40 }, (_, index) => portraitOf(`person${index}`, '')).map(
      ({ ground, kind, turnDeg }) => `${ground}${kind}${turnDeg}`,
    );
    expect(new Set(drawn).size).toBeGreaterThan(30);
  });
});

describe('initialsOf', () => {
  it.each([
    ['Ana Maria de Souza', 'AS'],
    ['bruno', 'B'],
    ['  ', '·'],
    ['Élodie Ünal', 'ÉÜ'],
    ['李 小龙', '李小'],
    ['🦊 Fox', '🦊F'],
  ])('of %j are %s', (name, expected) => {
    expect(initialsOf(name)).toBe(expected);
  });
});
