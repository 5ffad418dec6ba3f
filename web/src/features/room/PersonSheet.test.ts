import { flushSync } from 'svelte';
import { afterEach, describe, expect, it } from 'vitest';
import { byTestid, press, show, testids } from '../../../tests/fakes/mount.ts';
import { ana, bruno, cleo, HOST, LISTENER, member, MODERATOR, NO_MODERATION, roomState } from '../../../tests/fakes/people.ts';
import { FakeTrack, plugIn, settle, Stage } from '../../../tests/fakes/salon.ts';
import type { Face, ModerationState, MyPlace } from '../../protocol/types.ts';
import PersonSheet from './PersonSheet.svelte';

let stage: Stage;
let isClosed: boolean;

afterEach(() => stage.salon.close());

/** Bruno looks at somebody: Ana is the host, Cleo a speaker. */
async function sheetOf(face: Face, mine: MyPlace, moderation: Partial<ModerationState> = {}): Promise<void> {
  plugIn(new FakeTrack());
  stage = new Stage(Stage.person(bruno), mine);
  stage.room = roomState({ stage: [member(ana, { role: 'host' }), member(bruno), member(cleo)] });
  stage.moderation = { ...NO_MODERATION, ...moderation };
  await stage.enter();
  if (!stage.salon.room) throw new Error('not in a room');
  isClosed = false;
  show(stage.salon, PersonSheet, { connection: stage.salon.room, face, onclose: () => (isClosed = true) });
}

const sent = () => stage.commands.map(({ name, data }) => [name, data]);
const offered = () =>
  testids().filter((id) =>
    /^(invite-to|mute-speaker|hold-|release-|move-|appoint-|revoke-|name-|drop-|silence-|unsilence-|remove-)/.test(id),
  );

describe('the sheet of one person', () => {
  it('offers a listener nothing but the profile', async () => {
    await sheetOf(cleo, LISTENER);
    expect(offered()).toEqual([]);
    expect(testids()).toContain('see-profile');
  });

  it('offers a moderator what they may do to a speaker, and to the host only a mute', async () => {
    await sheetOf(cleo, MODERATOR);
    expect(offered()).toEqual(['mute-speaker', 'hold-mute', 'move-to-audience', 'silence-person', 'appoint-moderator', 'remove-person']);
    stage.salon.close();
    document.body.replaceChildren();
    await sheetOf(ana, MODERATOR);
    expect(offered()).toEqual(['mute-speaker']);
  });

  it('offers nothing against oneself', async () => {
    await sheetOf(bruno, HOST);
    expect(offered()).toEqual([]);
  });

  it('knows a moderator off the stage from the desk', async () => {
    const dan = { ...cleo, id: 'd'.repeat(26), name: 'Dan' };
    await sheetOf(dan, HOST, { moderators: [{ person: dan, role: 'moderator', here: true }] });
    expect(offered()).toEqual(['invite-to-stage', 'hold-mute', 'name-deputy', 'revoke-moderator', 'remove-person']);
  });

  it('does at once what can be taken back, and closes', async () => {
    await sheetOf(cleo, MODERATOR);
    press('mute-speaker');
    await settle();
    expect(sent()).toEqual([['mute_speaker', { person: cleo.id }]]);
    expect(isClosed).toBe(true);
  });

  it('stays open and says why when it is refused', async () => {
    await sheetOf(cleo, MODERATOR);
    stage.refuseNext = { status: 409, code: 'already_muted', message: 'Already muted.' };
    press('mute-speaker');
    await settle();
    expect(isClosed).toBe(false);
    expect(stage.salon.toasts.items.map(({ text }) => text)).toEqual(['Already muted.']);
  });

  it('holds a mute only with a reason', async () => {
    await sheetOf(cleo, MODERATOR);
    press('hold-mute');
    expect((byTestid('confirm-hold') as HTMLButtonElement).disabled).toBe(true);
    const reason = byTestid('hold-reason') as HTMLTextAreaElement;
    reason.value = ' Echo ';
    reason.dispatchEvent(new Event('input', { bubbles: true }));
    flushSync();
    press('confirm-hold');
    await settle();
    expect(sent()).toEqual([['hold_mute', { person: cleo.id, reason: 'Echo' }]]);
  });

  it('asks once before it gives or takes the role of a moderator', async () => {
    await sheetOf(cleo, HOST);
    press('appoint-moderator');
    expect(sent()).toEqual([]);
    press('confirm-appoint');
    await settle();
    expect(sent()).toEqual([['appoint_moderator', { person: cleo.id }]]);
  });

  it('removes for a time, with what one writes', async () => {
    await sheetOf(cleo, HOST);
    press('remove-person');
    const reason = byTestid('remove-reason') as HTMLTextAreaElement;
    reason.value = 'Shouting';
    reason.dispatchEvent(new Event('input', { bubbles: true }));
    const duration = byTestid('remove-duration') as HTMLSelectElement;
    duration.value = '10';
    duration.dispatchEvent(new Event('change', { bubbles: true }));
    flushSync();
    press('confirm-remove');
    await settle();
    expect(sent()).toEqual([['remove_person', { person: cleo.id, reason: 'Shouting', minutes: 10 }]]);
  });
});
