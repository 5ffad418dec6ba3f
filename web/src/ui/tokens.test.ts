import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const css = readFileSync('src/ui/tokens.css', 'utf8');

/** Both values of a colour token: by day and by night. */
function token(name: string): [day: string, night: string] {
  const [, day, night] = new RegExp(`--${name}: light-dark\\((#[0-9a-f]{6}), (#[0-9a-f]{6})\\)`).exec(css) ?? [];
  if (!day || !night) throw new Error(`no colour token --${name}`);
  return [day, night];
}

/** Relative luminance, WCAG 2.2. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

const TEXT_ON_GROUND = [
  ['ink', 'ground'],
  ['ink', 'surface'],
  ['ink', 'raised'],
  ['ink', 'sunken'],
  ['ink', 'accent-wash'],
  ['ink', 'calm-wash'],
  ['ink', 'danger-wash'],
  ['ink-soft', 'ground'],
  ['ink-soft', 'surface'],
  ['ink-soft', 'raised'],
  ['ink-soft', 'calm-wash'],
  ['accent-ink', 'ground'],
  ['accent-ink', 'surface'],
  ['accent-ink', 'raised'],
  ['on-accent', 'accent'],
  ['on-accent', 'accent-hover'],
  ['calm', 'ground'],
  ['calm', 'surface'],
  ['calm', 'calm-wash'],
  ['on-calm', 'calm'],
  ['danger', 'ground'],
  ['danger', 'surface'],
  ['danger', 'danger-wash'],
] as const;

describe.each([
  ['day', 0],
  ['night', 1],
] as const)('by %s', (_name, index) => {
  it.each(TEXT_ON_GROUND)('%s can be read on %s', (text, ground) => {
    expect(contrast(token(text)[index], token(ground)[index])).toBeGreaterThanOrEqual(4.5);
  });

  it.each([
    ['line-strong', 'raised'],
    ['line-strong', 'surface'],
    ['focus', 'ground'],
    ['focus', 'surface'],
  ])('the edge %s can be seen on %s', (edge, ground) => {
    expect(contrast(token(edge)[index], token(ground)[index])).toBeGreaterThanOrEqual(3);
  });
});

describe('cards', () => {
  it.each(['ui/Panel', 'features/hallway/RoomCard', 'features/sign-in/BeSomebody'])('%s keeps the padding they share', (name) => {
    const [, style = ''] = readFileSync(`src/${name}.svelte`, 'utf8').split('<style>');
    // The first rule of each is that of the card itself.
    const [card = ''] = style.split('}');
    expect(/ padding: (.+);/.exec(card)?.[1]).toBe('var(--card-padding)');
  });
});
