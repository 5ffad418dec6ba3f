import { flushSync } from 'svelte';
import { afterEach, describe, expect, it } from 'vitest';
import { byTestid, press, show, testids } from '../../../tests/fakes/mount.ts';
import { ana, bruno, cleo, roomCard } from '../../../tests/fakes/people.ts';
import { settle, Stage } from '../../../tests/fakes/salon.ts';
import type { Relation } from '../../protocol/types.ts';
import OwnShield from '../settings/OwnShield.svelte';
import Separations from '../settings/Separations.svelte';
import CallNotice from './CallNotice.svelte';
import PersonPageSocial from './PersonPageSocial.svelte';
import PersonSheetSocial from './PersonSheetSocial.svelte';

let stage: Stage;

afterEach(() => stage.salon.close());

const STRANGERS: Relation = {
  followers: 4,
  following: 1,
  i_follow: false,
  follows_me: false,
  i_block: false,
  pings_muted: false,
  shielded: false,
};

async function signedIn(relation: Partial<Relation> = {}): Promise<void> {
  stage = new Stage(Stage.person(bruno));
  stage.answers.set('GET /api/v1/people/cleo/relation', { ...STRANGERS, ...relation });
  for (const what of ['follow', 'block', 'ping-mute']) {
    stage.answers.set(`PUT /api/v1/people/cleo/${what}`, 204);
    stage.answers.set(`DELETE /api/v1/people/cleo/${what}`, 204);
  }
  await stage.enter();
}

async function page(relation: Partial<Relation> = {}, face = cleo): Promise<void> {
  await signedIn(relation);
  show(stage.salon, PersonPageSocial, { face });
  await settle();
  flushSync();
}

async function done(): Promise<void> {
  await settle();
  flushSync();
}

const changes = () => stage.asked.filter((question) => /^(PUT|DELETE)/.test(question));

describe('how one stands to a person', () => {
  it('follows and stops following, and the count moves along', async () => {
    await page();
    expect(byTestid('followers-count').textContent).toBe('4 followers');
    press('follow-button');
    await done();
    expect(byTestid('follow-button').getAttribute('aria-pressed')).toBe('true');
    expect(byTestid('followers-count').textContent).toBe('5 followers');
    press('follow-button');
    await done();
    expect(byTestid('followers-count').textContent).toBe('4 followers');
    expect(changes()).toEqual(['PUT /api/v1/people/cleo/follow', 'DELETE /api/v1/people/cleo/follow']);
  });

  it('stays as it is when the server does not do it', async () => {
    await page();
    stage.answers.set('PUT /api/v1/people/cleo/follow', 503);
    press('follow-button');
    await done();
    expect(byTestid('follow-button').getAttribute('aria-pressed')).toBe('false');
    expect(stage.salon.toasts.items).toMatchObject([{ tone: 'warning' }]);
  });

  it('asks once before a block, and says to the letter what it does', async () => {
    await page({ i_follow: true });
    press('block-button');
    expect(changes()).toEqual([]);
    expect([...byTestid('block-dialog').querySelectorAll('li')].map(({ textContent }) => textContent)).toEqual([
      'Cleo no longer sees or enters a room that you opened, moderate or speak in, nor your profile.',
      'Rooms in which Cleo speaks are folded away in your hallway, behind a line that reveals them.',
      'While you are on a stage, Cleo cannot come up to it. Where you moderate, Cleo is removed at once.',
      'Nobody is told. If you both only listen, nothing happens. It silences nobody for anybody else.',
    ]);
    stage.answers.set('GET /api/v1/people/cleo/relation', { ...STRANGERS, i_block: true });
    press('confirm-block');
    await done();
    expect(changes()).toEqual(['PUT /api/v1/people/cleo/block']);
    expect(testids()).toEqual(expect.arrayContaining(['you-blocked', 'unblock-button']));
    expect(testids()).not.toContain('follow-button');
    expect(stage.salon.blocks.has(cleo.id)).toBe(true);
    stage.answers.set('GET /api/v1/people/cleo/relation', STRANGERS);
    press('unblock-button');
    await done();
    expect(testids()).toContain('follow-button');
    expect(stage.salon.blocks.has(cleo.id)).toBe(false);
  });

  it('mutes the calls of whom one follows, and allows them again', async () => {
    await page({ i_follow: true });
    press('ping-mute-button');
    await done();
    expect(byTestid('ping-mute-button').textContent.trim()).toBe('Allow calls again');
    press('ping-mute-button');
    await done();
    expect(changes()).toEqual(['PUT /api/v1/people/cleo/ping-mute', 'DELETE /api/v1/people/cleo/ping-mute']);
  });

  it('says who follows one, and explains the shield', async () => {
    await page({ follows_me: true, shielded: true });
    expect(byTestid('follows-you').textContent).toBe('follows you');
    expect(byTestid('shield-sign').textContent).toContain('Only you see this sign');
  });

  it('has the lists of both sides, a page at a time', async () => {
    await page();
    stage.answers.set('GET /api/v1/people/cleo/followers', { people: [ana], next: 'n1' });
    stage.answers.set('GET /api/v1/people/cleo/followers?after=n1', { people: [bruno], next: null });
    press('followers-count');
    await done();
    press('more-people');
    await done();
    const listed = [...document.querySelectorAll<HTMLAnchorElement>('[data-testid="listed-person"]')];
    expect(listed.map((link) => link.getAttribute('href'))).toEqual(['/people/ana', '/people/bruno']);
    expect(testids()).not.toContain('more-people');
  });

  it('of oneself is two counts and nothing to press', async () => {
    await signedIn();
    stage.answers.set('GET /api/v1/people/bruno/relation', { ...STRANGERS, followers: 2 });
    show(stage.salon, PersonPageSocial, { face: bruno });
    await done();
    expect(testids()).toEqual(['followers-count', 'following-count']);
  });

  it('is in the sheet of a room as well, and a block closes it', async () => {
    await signedIn();
    let closed = 0;
    show(stage.salon, PersonSheetSocial, { face: cleo, onclose: () => (closed += 1) });
    await done();
    expect(testids()).toEqual(['person-social', 'follow-button', 'block-button']);
    press('block-button');
    press('confirm-block');
    await done();
    expect(closed).toBe(1);
  });
});

describe('a call', () => {
  async function called(kind: 'pinged' | 'invited_in', id = 'q'.repeat(26)): Promise<void> {
    await signedIn();
    show(stage.salon, CallNotice, {});
    stage.event('person/me', kind, { room: roomCard({ id, title: 'Next door' }), by: cleo });
    flushSync();
  }

  it.each([
    ['pinged', 'Cleo calls you into Next door'],
    ['invited_in', 'Cleo invites you into Next door'],
  ] as const)('of kind %s says who and where, and leads there', async (kind, sentence) => {
    await called(kind);
    expect(byTestid('call').querySelector('p')?.textContent.replace(/\s+/g, ' ').trim()).toBe(sentence);
    press('call-enter');
    expect(stage.salon.router.path).toBe(`/room/${'q'.repeat(26)}`);
    expect(testids()).not.toContain('call');
  });

  it('can be put aside, or be the last of that person', async () => {
    await called('pinged');
    press('call-later');
    expect(testids()).not.toContain('call');
    stage.event('person/me', 'pinged', { room: roomCard({ id: 's'.repeat(26) }), by: cleo });
    flushSync();
    press('call-mute');
    await done();
    expect(changes()).toEqual(['PUT /api/v1/people/cleo/ping-mute']);
    expect(testids()).not.toContain('call');
  });

  it('into the room one is in is not shown', async () => {
    await called('pinged', 'r'.repeat(26));
    expect(testids()).not.toContain('call');
    expect(stage.salon.calls.current).toBeNull();
  });
});

describe('the settings', () => {
  it('list whom one blocked and whose calls one does not want, and undo both', async () => {
    await signedIn();
    stage.answers.set('GET /api/v1/me/blocks', { people: [cleo] });
    stage.answers.set('GET /api/v1/me/ping-mutes', { people: [cleo] });
    show(stage.salon, Separations, {});
    await done();
    expect(byTestid('unblock').getAttribute('aria-label')).toBe('Unblock Cleo');
    press('unblock');
    press('allow-calls');
    await done();
    expect(changes()).toEqual(['DELETE /api/v1/people/cleo/block', 'DELETE /api/v1/people/cleo/ping-mute']);
    expect(byTestid('blocked-people').textContent).toBe('You have blocked nobody.');
    expect(testids()).not.toContain('muted-caller');
  });

  it('show a shield to who has one, with the way to contest it', async () => {
    await signedIn();
    stage.answers.set('GET /api/v1/me/shield', { shielded: true, contested_at: null });
    show(stage.salon, OwnShield, {});
    await done();
    const field = byTestid('shield-text') as HTMLTextAreaElement;
    field.value = ' It was a quarrel. ';
    field.dispatchEvent(new Event('input', { bubbles: true }));
    stage.answers.set('PUT /api/v1/me/shield', { shielded: true, contested_at: '2026-11-23T20:00:00Z' });
    field.form?.dispatchEvent(new Event('submit', { cancelable: true }));
    await done();
    expect(stage.asked.at(-1)).toBe('PUT /api/v1/me/shield {"text":"It was a quarrel."}');
    expect(byTestid('shield-contested').textContent).toBe('You contested it on November 23, 2026. Staff decide.');
    expect(testids()).not.toContain('contest-shield');
  });

  it('say nothing of a shield to who has none', async () => {
    await signedIn();
    stage.answers.set('GET /api/v1/me/shield', { shielded: false, contested_at: null });
    show(stage.salon, OwnShield, {});
    await done();
    expect(testids()).toEqual([]);
  });
});
