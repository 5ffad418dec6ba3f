import axe from 'axe-core';
import { flushSync } from 'svelte';
import { afterEach, describe, expect, it, vi } from 'vitest';
// Fetched when it is first wanted: here it is there already, so that no test waits for a machine.
import '../../src/features/conversation/ConversationPanel.svelte';
import ConversationDock from '../../src/features/conversation/ConversationDock.svelte';
import BringSomebody from '../../src/features/entering/BringSomebody.svelte';
import HouseRules from '../../src/features/entering/HouseRules.svelte';
import OpenRoomDialog from '../../src/features/hallway/OpenRoomDialog.svelte';
import CallNotice from '../../src/features/social/CallNotice.svelte';
import PersonPageSocial from '../../src/features/social/PersonPageSocial.svelte';
import { setLanguage } from '../../src/i18n/index.svelte.ts';
import type { ConversationTab } from '../../src/state/conversation.svelte.ts';
import { byTestid, press, show } from '../fakes/mount.ts';
import { ana, bruno, cleo, LISTENER, roomCard } from '../fakes/people.ts';
import { settle, Stage } from '../fakes/salon.ts';

let stage: Stage;

afterEach(() => stage.salon.close());

const at = '2026-11-23T20:01:00Z';

async function enter() {
  stage = new Stage(Stage.person(bruno), { ...LISTENER, role: 'moderator' });
  stage.conversation = {
    messages: [
      { id: 'm1', author: ana, text: 'Good evening', at },
      { id: 'm2', author: bruno, text: 'Hello', at },
    ],
    questions: [{ id: 'q1', author: ana, text: 'Why?', asked_at: at, state: 'open' }],
    links: [],
    poll: { id: 'p1', question: 'Tea?', options: ['Yes', 'No'], counts: null, opened_at: at, closed: false },
  };
  stage.answers.set('GET /api/v1/people/bruno/followers', { people: [cleo], next: null });
  stage.answers.set('GET /api/v1/people/cleo/relation', {
    followers: 4,
    following: 1,
    i_follow: true,
    follows_me: true,
    i_block: false,
    pings_muted: false,
    shielded: true,
  });
  await stage.enter();
  if (!stage.salon.room) throw new Error('not in a room');
  return stage.salon.room;
}

/** Of a piece of a page: it has no landmarks or heading of its own. Colours are checked by ui/tokens.test.ts. */
async function faults(): Promise<string[]> {
  const rules = Object.fromEntries(['color-contrast', 'region', 'page-has-heading-one'].map((rule) => [rule, { enabled: false }]));
  const { violations } = await axe.run(document.body, { rules });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

const onclose = () => undefined;

describe.each(['en', 'fr'] as const)('in %s, axe finds nothing wrong with', (language) => {
  it.each<ConversationTab>(['chat', 'questions', 'poll'])('the conversation, at %s', async (tab) => {
    const connection = await enter();
    setLanguage(language);
    show(stage.salon, ConversationDock, { connection, onchoose: onclose });
    expect(await faults()).toEqual([]);
    connection.conversation.open(tab);
    // The panel is a file of its own, fetched when it is first wanted.
    await vi.waitFor(() => byTestid('conversation-panel'));
    expect(byTestid('conversation-panel').dataset['tab']).toBe(tab);
    expect(await faults()).toEqual([]);
  });

  it('bringing somebody', async () => {
    const connection = await enter();
    setLanguage(language);
    show(stage.salon, BringSomebody, { connection, onclose });
    await settle();
    flushSync();
    expect(await faults()).toEqual([]);
  });

  it('how one stands to a person, and the question before a block', async () => {
    await enter();
    setLanguage(language);
    show(stage.salon, PersonPageSocial, { face: cleo });
    await settle();
    flushSync();
    expect(await faults()).toEqual([]);
    press('block-button');
    expect(await faults()).toEqual([]);
  });

  it('house rules, a call, and opening a room', async () => {
    await enter();
    setLanguage(language);
    show(stage.salon, HouseRules, { club: { id: 'k', name: 'Gardeners', rules: ['One at a time'] }, title: 'Roses', onaccept: onclose });
    show(stage.salon, CallNotice, {});
    stage.event('person/me', 'pinged', { room: roomCard({ id: 'q'.repeat(26) }), by: ana });
    flushSync();
    expect(await faults()).toEqual([]);
    show(stage.salon, OpenRoomDialog, { onclose });
    press('more-settings');
    expect(await faults()).toEqual([]);
  });
});
