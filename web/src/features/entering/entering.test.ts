import { flushSync } from 'svelte';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { byTestid, press, show, testids } from '../../../tests/fakes/mount.ts';
import { ana, bruno, cleo, LISTENER, ROOM_ID, roomCard, roomState } from '../../../tests/fakes/people.ts';
import { settle, Stage } from '../../../tests/fakes/salon.ts';
import { ApiError } from '../../protocol/errors.ts';
import type { Line, RoomState } from '../../protocol/types.ts';
import HallwayPage from '../hallway/HallwayPage.svelte';
import BringSomebody from './BringSomebody.svelte';
import Entrance from './Entrance.svelte';
import VisibilitySign from './VisibilitySign.svelte';

let stage: Stage;

afterEach(() => {
  stage.salon.close();
  Reflect.deleteProperty(navigator, 'share');
  Reflect.deleteProperty(navigator, 'clipboard');
});

const club = { id: 'k'.repeat(26), name: 'Night Gardeners', rules: ['One at a time', 'No shouting'] };
const opened = () => stage.signalling.asked.filter(({ kind }) => kind === 'open').length;

async function outside(room: Partial<RoomState> = {}): Promise<void> {
  stage = new Stage(Stage.person(bruno), null);
  stage.room = roomState(room);
  await stage.salon.session.load();
}

async function arrive(): Promise<void> {
  show(stage.salon, Entrance, { id: ROOM_ID });
  await settle();
  flushSync();
  await settle();
  flushSync();
}

function type(testid: string, text: string): void {
  const field = byTestid(testid) as HTMLInputElement;
  field.value = text;
  field.dispatchEvent(new Event('input', { bubbles: true }));
  flushSync();
}

describe('the entrance', () => {
  it('leads straight into a room without house rules', async () => {
    await outside();
    await arrive();
    expect(opened()).toBe(1);
    expect(testids()).toContain('room');
  });

  it('shows the club’s house rules before the first sound, and asks once', async () => {
    await outside({ club });
    await arrive();
    expect(opened()).toBe(0);
    expect(byTestid('rules-gate').querySelector('h1')?.textContent).toBe('House rules of Night Gardeners');
    expect([...document.querySelectorAll('li')].map(({ textContent }) => textContent)).toEqual(club.rules);
    press('accept-rules');
    await settle();
    expect(opened()).toBe(1);
    expect(testids()).toContain('room');

    stage.salon.close();
    document.body.replaceChildren();
    await outside({ club });
    await arrive();
    expect(testids()).not.toContain('rules-gate');
    expect(opened()).toBe(1);
  });

  it('asks again when the rules changed', async () => {
    await outside({ club });
    await arrive();
    press('accept-rules');
    stage.salon.close();
    document.body.replaceChildren();
    await outside({ club: { ...club, rules: [...club.rules, 'No selling'] } });
    await arrive();
    expect(testids()).toContain('rules-gate');
    expect(opened()).toBe(0);
  });

  it('shows the rules to nobody who is inside already', async () => {
    stage = new Stage(Stage.person(bruno));
    stage.room = roomState({ club });
    await stage.enter();
    await arrive();
    expect(testids()).not.toContain('rules-gate');
    expect(opened()).toBe(1);
  });

  it.each([
    ['room_locked', 403, 'locked', 'The door is locked for now'],
    ['not_found', 404, 'gone', 'No such room'],
    ['room_ended', 410, 'ended', 'The room has ended'],
  ])('says what is the matter where the door answers %s', async (code, status, phase, title) => {
    await outside();
    stage.answers.set(`GET /api/v1/rooms/${ROOM_ID}`, status === 403 ? { ...roomCard(), state: stage.room, mine: null } : status);
    stage.signalling.failures.push(new ApiError({ code, message: '', field: null }, status));
    await arrive();
    expect(byTestid('room-over').dataset['phase']).toBe(phase);
    expect(document.querySelector('h1')?.textContent).toBe(title);
  });

  it('shows the line of a full room, how long it is, and the way out of it', async () => {
    await outside();
    const line: Line = { position: 3, length: 12, admitted_until: null, retry_after: 8 };
    stage.answers.set(`DELETE /api/v1/rooms/${ROOM_ID}/line`, 204);
    stage.signalling.failures.push(new ApiError({ code: 'room_full', message: '', field: null, line }, 429, 8));
    await arrive();
    expect(byTestid('line').dataset['position']).toBe('3');
    expect(byTestid('line-position').textContent.trim()).toBe('You are 3rd');
    expect(byTestid('line-length').textContent).toBe('12 people are waiting.');
    press('leave-line');
    await settle();
    expect(stage.asked).toEqual([`DELETE /api/v1/rooms/${ROOM_ID}/line`]);
    expect(stage.salon.line).toBeNull();
    expect(stage.salon.router.path).toBe('/');
  });
});

describe('the sign of a room’s visibility', () => {
  it.each([
    [{ visibility: 'closed', locked: false }, ['Closed: Only people whom a moderator invited in. For everybody else it does not exist.']],
    [{ visibility: 'social', locked: false }, ['Social: Only people whom a moderator follows can see it and come in.']],
    [{ visibility: 'open', locked: true }, ['Locked: Newcomers stay out for now. Whoever has been in may come back.']],
    [{ visibility: 'open', locked: false }, []],
  ] as const)('of %o', async (room, expected) => {
    await outside();
    show(stage.salon, VisibilitySign, { room });
    const signs = [...document.querySelectorAll('details')];
    expect(signs.map((it) => `${it.querySelector('summary')?.textContent}: ${it.querySelector('p')?.textContent}`)).toEqual(expected);
  });
});

describe('bringing somebody', () => {
  async function bring(room: Partial<RoomState> = {}, role: 'listener' | 'moderator' = 'listener', followers = [cleo, ana]): Promise<void> {
    stage = new Stage(Stage.person(bruno), { ...LISTENER, role });
    stage.room = roomState(room);
    stage.answers.set('GET /api/v1/people/bruno/followers', { people: followers, next: null });
    await stage.enter();
    if (!stage.salon.room) throw new Error('not in a room');
    show(stage.salon, BringSomebody, { connection: stage.salon.room, onclose: () => undefined });
    await settle();
    flushSync();
  }

  const listed = () => [...document.querySelectorAll<HTMLElement>('[data-testid="follower"]')].map(({ dataset }) => dataset['handle']);

  it('hands the link to the system’s sheet where there is one', async () => {
    const share = vi.fn(() => Promise.resolve());
    Object.assign(navigator, { share });
    await bring();
    press('share-room');
    await settle();
    expect(share.mock.calls).toEqual([[{ title: 'Evening talk', url: `${location.origin}/room/${ROOM_ID}` }]]);
  });

  it('copies it where there is none, and shows it where it may not', async () => {
    const writeText = vi.fn(() => Promise.resolve());
    Object.defineProperty(navigator, 'clipboard', { configurable: true, value: { writeText } });
    await bring();
    press('share-room');
    await settle();
    expect(writeText.mock.calls).toEqual([[`${location.origin}/room/${ROOM_ID}`]]);
    expect(stage.salon.toasts.items.map(({ text }) => text)).toEqual(['Link copied.']);
    writeText.mockRejectedValueOnce(new Error('not allowed'));
    press('share-room');
    await settle();
    expect(stage.salon.toasts.items.at(-1)?.text).toBe(`${location.origin}/room/${ROOM_ID}`);
  });

  it('offers followers who are not there, finds them by what one types, and calls them', async () => {
    const zoe = { id: 'z'.repeat(26), handle: 'zz', name: 'Zoé Ångström', picture: null };
    await bring({}, 'listener', [cleo, ana, zoe]);
    // Ana is on the stage.
    expect(listed()).toEqual(['cleo', 'zz']);
    type('call-search', 'zoe ang');
    expect(listed()).toEqual(['zz']);
    press('call-person');
    await settle();
    flushSync();
    expect(stage.commands.map(({ name, data }) => [name, data])).toEqual([['ping', { person: zoe.id }]]);
    expect((byTestid('call-person') as HTMLButtonElement).disabled).toBe(true);
    type('call-search', 'nobody like that');
    expect(byTestid('call-followers').textContent).toContain('Nobody by that name follows you.');
  });

  it('says why somebody cannot be called, and lets one try another', async () => {
    await bring();
    stage.refuseNext = { status: 403, code: 'cannot_ping', message: 'They may not come in.' };
    press('call-person');
    await settle();
    flushSync();
    expect(stage.salon.toasts.items).toMatchObject([{ text: 'They may not come in.', tone: 'warning' }]);
    expect((byTestid('call-person') as HTMLButtonElement).disabled).toBe(false);
  });

  it('lets moderators of a room that is not for everybody invite in, by handle', async () => {
    await bring({ visibility: 'closed' }, 'moderator');
    stage.answers.set('GET /api/v1/people/cleo', cleo);
    type('invite-in-handle', ' @Cleo ');
    byTestid('bring-dialog')
      .querySelector('form')
      ?.dispatchEvent(new Event('submit', { cancelable: true }));
    await settle();
    expect(stage.commands.map(({ name, data }) => [name, data])).toEqual([['invite_in', { person: cleo.id }]]);
    expect(stage.salon.toasts.items.map(({ text }) => text)).toEqual(['Cleo may come in now.']);
  });

  it.each([
    ['open', 'moderator'],
    ['closed', 'listener'],
  ] as const)('has no inviting in for a room that is %s and a %s', async (visibility, role) => {
    await bring({ visibility }, role);
    expect(testids()).not.toContain('invite-in');
  });
});

describe('the hallway', () => {
  async function look(rooms: ReturnType<typeof roomCard>[]): Promise<void> {
    stage = new Stage(Stage.person(bruno), null);
    stage.answers.set('GET /api/v1/hallway', { rooms });
    await stage.salon.session.load();
    show(stage.salon, HallwayPage, {});
    await settle();
    flushSync();
  }

  const cards = () => [...document.querySelectorAll('[data-testid="room-card"]')].map(({ textContent }) => textContent);

  it('puts rooms with somebody one has blocked behind a line that reveals them', async () => {
    await look([roomCard(), roomCard({ id: 'b'.repeat(26), title: 'Next door', folded: true })]);
    expect(cards()).toEqual(['Evening talk']);
    expect(byTestid('folded-rooms').textContent).toContain('One room with somebody you blocked');
    press('unfold-rooms');
    expect(cards()).toEqual(['Evening talk', 'Next door']);
    expect(byTestid('unfold-rooms').getAttribute('aria-expanded')).toBe('true');
    press('unfold-rooms');
    expect(cards()).toEqual(['Evening talk']);
  });

  it('has a sign for a full room, and for one that is not for everybody', async () => {
    await look([roomCard({ audience: 9, capacity: 10, visibility: 'social' })]);
    expect(byTestid('room-full').textContent).toBe('full');
    expect(document.querySelector('article')?.textContent).toContain('Social');
    stage.salon.close();
    document.body.replaceChildren();
    await look([roomCard({ audience: 8, capacity: 10 })]);
    expect(testids()).not.toContain('room-full');
  });

  it('opens a room as one wants it', async () => {
    await look([]);
    (byTestid('open-room') as HTMLButtonElement).click();
    flushSync();
    type('room-title', 'Green room');
    document.querySelector<HTMLInputElement>('[data-testid="room-visibility-choice"][value="closed"]')?.click();
    type('room-capacity', '20');
    const policy = byTestid('room-hand-policy') as HTMLSelectElement;
    policy.value = 'open_stage';
    policy.dispatchEvent(new Event('change', { bubbles: true }));
    press('room-chat');
    expect(testids()).not.toContain('room-slow-mode');
    stage.answers.set('POST /api/v1/rooms', { ...roomCard(), state: roomState(), mine: null });
    byTestid('open-room-dialog')
      .querySelector('form')
      ?.dispatchEvent(new Event('submit', { cancelable: true }));
    await settle();
    const posted = stage.asked.find((question) => question.startsWith('POST /api/v1/rooms ')) ?? '';
    expect(JSON.parse(posted.slice('POST /api/v1/rooms '.length))).toEqual({
      title: 'Green room',
      topic: '',
      language: 'en',
      visibility: 'closed',
      capacity: 20,
      hand_policy: 'open_stage',
      chat: false,
    });
    expect(stage.salon.router.path).toBe(`/room/${ROOM_ID}`);
  });
});
