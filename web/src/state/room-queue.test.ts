import { expect, it } from 'vitest';
import { ana, bruno, cleo } from '../../tests/fakes/people.ts';
import { queueOrder } from './room-queue.ts';

const hands = [
  { person: ana, raised_at: '2026-11-23T20:01:00Z', invited: false, has_spoken: true },
  { person: bruno, raised_at: '2026-11-23T20:02:00Z', invited: false, has_spoken: false },
  { person: cleo, raised_at: '2026-11-23T20:03:00Z', invited: true, has_spoken: false },
];
const names = (isFairFloor: boolean) => queueOrder(hands, isFairFloor).map(({ person }) => person.name);

it('is oldest first, and with the fair floor whoever has not spoken comes before', () => {
  expect(names(false)).toEqual(['Ana', 'Bruno', 'Cleo']);
  expect(names(true)).toEqual(['Bruno', 'Cleo', 'Ana']);
});
