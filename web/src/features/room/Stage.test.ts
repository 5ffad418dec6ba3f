import { flushSync } from 'svelte';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { byTestid, press, show, testids } from '../../../tests/fakes/mount.ts';
import { ana, bruno, HOST, LISTENER, member, NO_MODERATION, ROOM_ID, roomState, SPEAKER } from '../../../tests/fakes/people.ts';
import { FakeTrack, plugIn, settle, Stage as FakeStage } from '../../../tests/fakes/salon.ts';
import type { MyPlace, RoomState } from '../../protocol/types.ts';
import type { RoomConnection } from '../../state/room.svelte.ts';
import Stage from './Stage.svelte';
import StageNotice from './StageNotice.svelte';

let stage: FakeStage;

afterEach(() => stage.salon.close());

/** Bruno's window; Ana is on the stage with him. */
async function enterWith(place: MyPlace, room: Partial<RoomState> = {}): Promise<RoomConnection> {
  plugIn(new FakeTrack());
  stage = new FakeStage(FakeStage.person(bruno), place);
  stage.room = roomState({ stage: [member(ana, { role: 'host' }), member(bruno)], ...room });
  await stage.enter();
  const { room: connection } = stage.salon;
  if (!connection) throw new Error('not in a room');
  return connection;
}

const members = () => [...document.querySelectorAll<HTMLElement>('[data-testid="stage-member"]')];
const spoken = () => members().map((element) => element.getAttribute('aria-label'));
const kind = () => document.querySelector<HTMLElement>('[data-testid="stage-notice"]')?.dataset['kind'] ?? null;

describe('a place on the stage', () => {
  it('says of everybody what keeps them from being heard', async () => {
    const connection = await enterWith(LISTENER, {
      stage: [member(ana, { role: 'host', status: 'on_a_call' }), member(bruno, { muted: true, held: true })],
    });
    stage.presence(3, [ana.id, bruno.id]);
    show(stage.salon, Stage, { connection, onchoose: () => undefined });
    expect(spoken()).toEqual(['Ana, on a call', 'You, mute held']);
    expect(members().map(({ dataset }) => [dataset['status'], dataset['held']])).toEqual([
      ['on_a_call', 'false'],
      [undefined, 'true'],
    ]);
  });

  it('shows the deputy', async () => {
    const connection = await enterWith(LISTENER, { stage: [member(ana, { role: 'moderator' })], deputy: ana.id });
    stage.presence(1, [ana.id]);
    show(stage.salon, Stage, { connection, onchoose: () => undefined });
    expect(spoken()).toEqual(['Ana, Deputy']);
  });

  it.each<[string, MyPlace, string[]]>([
    ['a moderator: of everybody', HOST, ['245', '30']],
    ['a speaker: only their own', SPEAKER, ['30']],
    ['a listener: of nobody', LISTENER, []],
  ])('shows how long people have spoken, to %s', async (_who, place, times) => {
    const connection = await enterWith(place, place === LISTENER ? { stage: [member(ana, { role: 'host' })] } : {});
    stage.presence(3, [ana.id, bruno.id], { talk: { [ana.id]: 245.4, [bruno.id]: 30 }, turn: null });
    show(stage.salon, Stage, { connection, onchoose: () => undefined });
    expect([...document.querySelectorAll<HTMLElement>('[data-testid="talk-time"]')].map(({ dataset }) => dataset['secs'])).toEqual(times);
  });

  it('marks a turn that is over, calmly, and says when the stage is locked', async () => {
    const connection = await enterWith(HOST, { turn_secs: 30, stage_locked: true });
    vi.useFakeTimers({ now: Date.parse('2026-11-23T20:10:00Z') });
    stage.presence(3, [ana.id, bruno.id], { talk: {}, turn: { person: ana.id, since: '2026-11-23T20:09:40Z' } });
    show(stage.salon, Stage, { connection, onchoose: () => undefined });
    expect(byTestid('turn-time').dataset['secs']).toBe('20');
    expect(byTestid('stage-lock-sign').textContent).toBe('Stage locked');
    vi.advanceTimersByTime(10_000);
    flushSync();
    expect(members().map(({ dataset }) => dataset['overTime'])).toEqual(['true', 'false']);
    expect(byTestid('turn-time').textContent).toBe('0:30 of 0:30');
    expect(stage.salon.announcer.polite.trim()).toBe('Ana has had the floor for longer than a turn.');
  });
});

describe('the notice above the stage', () => {
  const held = { by: ana, reason: 'Echo', since: '2026-11-23T20:00:00Z' };

  it('is not there while there is nothing to say', async () => {
    show(stage.salon, StageNotice, { connection: await enterWith(SPEAKER), ondesk: null });
    expect(kind()).toBeNull();
  });

  it('explains a held mute', async () => {
    const connection = await enterWith({ ...SPEAKER, muted: true, held });
    show(stage.salon, StageNotice, { connection, ondesk: null });
    expect(kind()).toBe('held');
    expect(byTestid('stage-notice').textContent).toContain('“Echo”');
  });

  it('offers the way back from a call', async () => {
    const connection = await enterWith({ ...SPEAKER, status: 'on_a_call' });
    show(stage.salon, StageNotice, { connection, ondesk: null });
    expect(kind()).toBe('on-a-call');
    press('back-from-call');
    await settle();
    expect(stage.commands.map(({ name, data }) => [name, data])).toEqual([['set_status', { status: null }]]);
  });

  it('counts the grace down, by the name of the deputy, and tells when the host stays away', async () => {
    const connection = await enterWith(LISTENER, { stage: [member(ana, { role: 'moderator' })], deputy: ana.id });
    vi.useFakeTimers();
    show(stage.salon, StageNotice, { connection, ondesk: null });
    connection.graceEndsAtMs = Date.now() + 30_000;
    flushSync();
    expect([kind(), byTestid('grace-countdown').textContent]).toEqual(['succession', 'If nobody is back in 30 seconds, Ana takes over.']);
    vi.advanceTimersByTime(12_000);
    flushSync();
    expect(byTestid('grace-countdown').textContent).toBe('If nobody is back in 18 seconds, Ana takes over.');
    stage.event(`room/${ROOM_ID}`, 'room_changed', { grace_ends_at: null, host_away: true });
    flushSync();
    expect(kind()).toBe('host-away');
  });

  it('tells the speaker alone that their turn is over', async () => {
    const connection = await enterWith(SPEAKER, { turn_secs: 30 });
    connection.turns.overTime = ana.id;
    show(stage.salon, StageNotice, { connection, ondesk: null });
    expect(kind()).toBeNull();
    connection.turns.overTime = bruno.id;
    flushSync();
    expect(kind()).toBe('turn-over');
  });

  it('leads to a request while the desk is closed', async () => {
    const connection = await enterWith(HOST);
    stage.moderation = NO_MODERATION;
    let isOpened = false;
    show(stage.salon, StageNotice, { connection, ondesk: () => (isOpened = true) });
    const request = { id: 'q1', action: 'end_room', by: ana, target: null, expires_at: '2026-11-23T20:04:00Z' };
    stage.event(`moderation/${ROOM_ID}`, 'request_opened', request);
    flushSync();
    expect(kind()).toBe('request');
    press('to-the-desk');
    expect(isOpened).toBe(true);
    stage.event(`moderation/${ROOM_ID}`, 'request_settled', { request: 'q1', outcome: 'expired' });
    flushSync();
    expect(testids()).not.toContain('stage-notice');
  });
});
