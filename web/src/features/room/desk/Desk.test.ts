import { flushSync } from 'svelte';
import { afterEach, describe, expect, it } from 'vitest';
import { byTestid, press, show, testids } from '../../../../tests/fakes/mount.ts';
import { ana, bruno, cleo, HOST, NO_MODERATION, ROOM_ID, roomState } from '../../../../tests/fakes/people.ts';
import { FakeTrack, plugIn, settle, Stage } from '../../../../tests/fakes/salon.ts';
import type { Hand, ModerationState, Request, RoomState } from '../../../protocol/types.ts';
import type { DeskTab } from '../../../state/room-desk.svelte.ts';
import Desk from './Desk.svelte';

let stage: Stage;

afterEach(() => stage.salon.close());

interface Given {
  tab?: DeskTab;
  hands?: Hand[];
  moderation?: Partial<ModerationState>;
  room?: Partial<RoomState>;
}

/** Bruno is the host. */
async function deskWith({ tab = 'hands', hands = [], moderation = {}, room = {} }: Given): Promise<void> {
  plugIn(new FakeTrack());
  stage = new Stage(Stage.person(bruno), HOST);
  stage.hands = hands;
  stage.moderation = { ...NO_MODERATION, ...moderation };
  stage.room = roomState(room);
  await stage.enter();
  if (!stage.salon.room) throw new Error('not in a room');
  stage.salon.room.desk.tab = tab;
  show(stage.salon, Desk, { connection: stage.salon.room, onchoose: () => undefined });
}

const sent = () => stage.commands.map(({ name, data }) => [name, data]);
const all = (id: string) => [...document.querySelectorAll<HTMLElement>(`[data-testid="${id}"]`)];

function choose(id: string, value: string): void {
  const list = byTestid(id) as HTMLSelectElement;
  list.value = value;
  list.dispatchEvent(new Event('change', { bubbles: true }));
  flushSync();
}

const HANDS: Hand[] = [
  { person: ana, raised_at: '2026-11-23T20:01:00Z', invited: false, has_spoken: true },
  { person: cleo, raised_at: '2026-11-23T20:02:00Z', invited: false, has_spoken: false },
];

describe('the tabs', () => {
  it('go round with the arrow keys, and carry the focus', async () => {
    await deskWith({ hands: HANDS });
    const [hands, people] = ['desk-tab-hands', 'desk-tab-people'].map(byTestid);
    expect(hands?.getAttribute('aria-label')).toBe('Hands: 2');
    hands?.focus();
    hands?.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }));
    flushSync();
    await settle();
    expect([byTestid('desk').dataset['tab'], document.activeElement]).toEqual(['people', people]);
    people?.dispatchEvent(new KeyboardEvent('keydown', { key: 'End', bubbles: true }));
    flushSync();
    expect(byTestid('desk').dataset['tab']).toBe('settings');
  });

  it('take the focus when the desk was asked for', async () => {
    await deskWith({});
    stage.salon.room?.desk.open('log');
    flushSync();
    expect(document.activeElement).toBe(byTestid('desk-tab-log'));
  });
});

describe('the hands', () => {
  const order = () => all('hand').map(({ dataset }) => dataset['handle']);

  it('stand in the order in which they are invited, and say who has not spoken', async () => {
    await deskWith({ hands: HANDS });
    expect(order()).toEqual(['ana', 'cleo']);
    expect(all('hand').map(({ textContent }) => textContent.includes('has not spoken yet'))).toEqual([false, true]);
    stage.event(`room/${ROOM_ID}`, 'room_changed', { fair_floor: true });
    flushSync();
    expect(order()).toEqual(['cleo', 'ana']);
  });

  it('are invited one by one, the next, or several chosen', async () => {
    await deskWith({ hands: HANDS });
    press('invite-next');
    all('invite-button')[1]?.click();
    for (const box of all('select-hand')) box.click();
    flushSync();
    press('invite-selected');
    await settle();
    expect(sent()).toEqual([
      ['invite_next', {}],
      ['invite_to_stage', { person: cleo.id }],
      ['invite_several', { people: [ana.id, cleo.id] }],
    ]);
  });

  it('drop from the choice whoever lowers the hand', async () => {
    await deskWith({ hands: HANDS });
    for (const box of all('select-hand')) box.click();
    flushSync();
    stage.event(`hands/${ROOM_ID}`, 'hand_lowered', { person: ana.id });
    flushSync();
    press('invite-selected');
    await settle();
    expect(sent()).toEqual([['invite_several', { people: [cleo.id] }]]);
  });

  it('are cleared only after a question', async () => {
    await deskWith({ hands: HANDS });
    press('clear-hands');
    expect(sent()).toEqual([]);
    press('confirm-clear-hands');
    await settle();
    expect(sent()).toEqual([['clear_hands', {}]]);
  });

  it('can be put on the fair floor from here', async () => {
    await deskWith({ room: { fair_floor: true } });
    expect(byTestid('fair-floor').getAttribute('aria-checked')).toBe('true');
    press('fair-floor');
    await settle();
    expect(sent()).toEqual([['edit_room', { fair_floor: false }]]);
  });
});

describe('the people', () => {
  it('lists moderators, the removed and the silenced, and undoes', async () => {
    await deskWith({
      tab: 'people',
      moderation: {
        moderators: [
          { person: bruno, role: 'host', here: true },
          { person: ana, role: 'moderator', here: false },
        ],
        removals: [{ person: cleo, by: bruno, reason: 'Shouting', at: '2026-11-23T20:00:00Z', until: null }],
        silenced: [ana],
      },
      room: { deputy: ana.id },
    });
    expect(all('moderator').map(({ dataset }) => [dataset['role'], dataset['here']])).toEqual([
      ['host', 'true'],
      ['moderator', 'false'],
    ]);
    expect(all('moderator')[1]?.textContent).toContain('Deputy · not in the room');
    expect(byTestid('removal').textContent).toContain('“Shouting”');
    expect(byTestid('removal').textContent).toContain('for good');
    press('undo-removal');
    press('unsilence');
    await settle();
    expect(sent()).toEqual([
      ['undo_removal', { person: cleo.id }],
      ['unsilence_person', { person: ana.id }],
    ]);
  });

  it('are muted all at once, and the answer is told', async () => {
    await deskWith({ tab: 'people' });
    press('mute-all');
    await settle();
    expect(sent()).toEqual([['mute_all', {}]]);
    expect(stage.salon.announcer.polite.trim()).toBe('Everybody else is muted.');
    stage.refuseNext = { status: 409, code: 'nobody_to_mute', message: '' };
    press('mute-all');
    await settle();
    expect(stage.salon.toasts.items.at(-1)?.text).toBe('Everybody else is muted already.');
  });
});

describe('the log', () => {
  it('is newest first, in words, with the reason', async () => {
    const entry = { by: ana, target: cleo, reason: null, data: {}, at: '2026-11-23T20:00:00Z' };
    await deskWith({
      tab: 'log',
      moderation: {
        log: [
          { ...entry, id: '1', action: 'mute_speaker' },
          { ...entry, id: '2', action: 'remove_person', reason: 'Shouting' },
        ],
      },
    });
    expect(all('log-entry').map(({ children }) => [...children].map(({ textContent }) => textContent).slice(0, -1))).toEqual([
      ['Ana removed Cleo', '“Shouting”'],
      ['Ana muted Cleo'],
    ]);
  });
});

describe('requests of a second moderator', () => {
  const request: Request = { id: 'q1', action: 'remove_person', by: ana, target: cleo, expires_at: '2026-11-23T20:04:00Z' };

  it('are answered from every part of the desk', async () => {
    await deskWith({ tab: 'log', moderation: { requests: [request] } });
    expect(byTestid('request').textContent).toContain('Ana wants to remove Cleo');
    press('refuse-request');
    press('confirm-request');
    await settle();
    expect(sent()).toEqual([
      ['refuse_request', { request: 'q1' }],
      ['confirm_request', { request: 'q1' }],
    ]);
  });

  it('of one’s own wait for somebody else', async () => {
    await deskWith({ moderation: { requests: [{ ...request, by: bruno }] } });
    expect(testids()).not.toContain('confirm-request');
    expect(byTestid('request').textContent).toContain('Another moderator has to confirm this');
  });
});

describe('the settings', () => {
  it('change one thing at a press', async () => {
    await deskWith({ tab: 'settings' });
    for (const name of ['locked', 'stage-locked', 'fair-floor', 'chat', 'questions', 'links', 'reactions', 'polls'])
      press(`setting-${name}`);
    choose('setting-hand-policy', 'nobody');
    choose('setting-turn', '120');
    choose('setting-turn', '');
    choose('setting-slow-mode', '30');
    choose('setting-capacity', '50');
    await settle();
    expect(sent().map(([, data]) => data)).toEqual([
      { locked: true },
      { stage_locked: true },
      { fair_floor: true },
      { chat: false },
      { questions: false },
      { links: false },
      { reactions: false },
      { polls: false },
      { hand_policy: 'nobody' },
      { turn_secs: 120 },
      { turn_secs: null },
      { slow_mode_secs: 30 },
      { capacity: 50 },
    ]);
  });

  it('show what is, not what was wished, after a refusal', async () => {
    await deskWith({ tab: 'settings' });
    stage.refuseNext = { status: 400, code: 'invalid', message: 'At most 40 people can be in one room here.' };
    choose('setting-capacity', '50');
    await settle();
    flushSync();
    expect((byTestid('setting-capacity') as HTMLSelectElement).value).toBe('1000');
    expect(stage.salon.toasts.items.map(({ text }) => text)).toEqual(['At most 40 people can be in one room here.']);
  });

  it('widen the room only after a question, and never narrow it', async () => {
    await deskWith({ tab: 'settings', room: { visibility: 'social' } });
    const options = [...(byTestid('setting-visibility') as HTMLSelectElement).options].map(({ value }) => value);
    expect(options).toEqual(['social', 'open']);
    choose('setting-visibility', 'open');
    await settle();
    expect(sent()).toEqual([]);
    press('confirm-widen');
    await settle();
    expect(sent()).toEqual([['edit_room', { visibility: 'open' }]]);
  });

  it('keep the values that nobody would choose from the list', async () => {
    await deskWith({ tab: 'settings', room: { turn_secs: 45, capacity: 77, slow_mode_secs: 7 } });
    expect(['setting-turn', 'setting-capacity', 'setting-slow-mode'].map((id) => (byTestid(id) as HTMLSelectElement).value)).toEqual([
      '45',
      '77',
      '7',
    ]);
  });

  it('rename the room, and put a fault to its field', async () => {
    await deskWith({ tab: 'settings' });
    const title = byTestid('setting-title') as HTMLInputElement;
    expect((byTestid('save-about') as HTMLButtonElement).disabled).toBe(true);
    title.value = ' Night talk ';
    title.dispatchEvent(new Event('input', { bubbles: true }));
    flushSync();
    press('save-about');
    await settle();
    expect(sent()).toEqual([['edit_room', { title: 'Night talk', topic: 'Lamps', language: 'en' }]]);
    expect(stage.salon.toasts.items.map(({ text }) => text)).toEqual(['Saved. Everybody sees it.']);
  });
});
