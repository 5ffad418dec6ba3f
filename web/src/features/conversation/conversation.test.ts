import { flushSync } from 'svelte';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { byTestid, press, show, testids } from '../../../tests/fakes/mount.ts';
import { ana, bruno, cleo, LISTENER, NO_CONVERSATION, ROOM_ID, roomState } from '../../../tests/fakes/people.ts';
import { settle, Stage } from '../../../tests/fakes/salon.ts';
import { FakeSocket } from '../../../tests/fakes/socket.ts';
import type { ConversationState, Face, Link, MyPlace, Poll, Question, RoomState } from '../../protocol/types.ts';
import ConversationDock from './ConversationDock.svelte';
import ConversationPanel from './ConversationPanel.svelte';
import { linkOf, typedUrl } from './links.ts';
import PinnedLinks from './PinnedLinks.svelte';

const STREAM = `conversation/${ROOM_ID}`;
const MODERATOR: MyPlace = { ...LISTENER, role: 'moderator' };

let stage: Stage;

afterEach(() => stage.salon.close());

interface Situation {
  as?: typeof bruno | null;
  place?: MyPlace;
  room?: Partial<RoomState>;
  written?: Partial<ConversationState>;
}

async function inside({ as = bruno, place = LISTENER, room = {}, written = {} }: Situation) {
  stage = new Stage(as === null ? null : Stage.person(as), as === null ? null : place);
  stage.room = roomState(room);
  stage.conversation = { ...NO_CONVERSATION, ...written };
  await stage.enter();
  if (!stage.salon.room) throw new Error('not in a room');
  return stage.salon.room;
}

async function panel(situation: Situation = {}, tab: 'chat' | 'questions' | 'poll' = 'chat'): Promise<HTMLElement> {
  const connection = await inside(situation);
  connection.conversation.tab = tab;
  return show(stage.salon, ConversationPanel, { connection, onchoose: () => undefined });
}

const message = (id: string, author: Face, text = 'Good evening') => ({ id, author, text, at: '2026-11-23T20:01:00Z' });
const question = (id: string, author: Face): Question => ({
  id,
  author,
  text: `Why ${id}?`,
  asked_at: '2026-11-23T20:01:00Z',
  state: 'open',
});
const poll: Poll = { id: 'p1', question: 'Tea?', options: ['Yes', 'No'], counts: null, opened_at: '2026-11-23T20:02:00Z', closed: false };

const sent = () => stage.commands.map(({ name, data }) => [name, data]);

function write(testid: string, text: string): void {
  const field = byTestid(testid) as HTMLTextAreaElement;
  field.value = text;
  field.dispatchEvent(new Event('input', { bubbles: true }));
  flushSync();
}

function enterKey(testid: string, shiftKey = false): void {
  byTestid(testid).dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', shiftKey, bubbles: true, cancelable: true }));
}

describe('the chat', () => {
  it('shows what people write as text, whatever they write', async () => {
    const text = '<img src=x onerror="alert(1)"> <b>bold</b> https://example.org javascript:alert(1)';
    await panel({ written: { messages: [message('m1', ana, text)] } });
    expect(byTestid('message-text').textContent).toBe(text);
    expect(byTestid('message-text').children).toHaveLength(0);
  });

  it('sends with Enter, breaks the line with Shift, and is empty afterwards', async () => {
    await panel();
    write('chat-text', '  Hello  ');
    enterKey('chat-text', true);
    await settle();
    expect(sent()).toEqual([]);
    enterKey('chat-text');
    await settle();
    flushSync();
    expect(sent()).toEqual([['post_message', { text: 'Hello' }]]);
    expect((byTestid('chat-text') as HTMLTextAreaElement).value).toBe('');
  });

  it('keeps what was written when it could not be sent, and says why', async () => {
    await panel();
    write('chat-text', 'Hello');
    stage.refuseNext = { status: 403, code: 'switched_off', message: 'The chat is off.' };
    press('chat-send');
    await settle();
    flushSync();
    expect((byTestid('chat-text') as HTMLTextAreaElement).value).toBe('Hello');
    expect(document.querySelector('[role="alert"]')?.textContent).toBe('The chat is off.');
  });

  it('counts the characters left from 400 on', async () => {
    await panel();
    write('chat-text', 'a'.repeat(399));
    expect(testids()).not.toContain('chat-left');
    write('chat-text', 'a'.repeat(400));
    expect(byTestid('chat-left').textContent).toBe('100 characters left');
    write('chat-text', 'a'.repeat(499));
    expect(byTestid('chat-left').textContent).toBe('1 character left');
  });

  it('lets one delete one’s own messages, and a moderator all of them', async () => {
    const messages = [message('m1', ana), message('m2', bruno)];
    await panel({ written: { messages } });
    expect([...document.querySelectorAll('[data-testid="delete-message"]')].map((it) => it.getAttribute('aria-label'))).toEqual([
      'Delete your message',
    ]);
    press('delete-message');
    await settle();
    expect(sent()).toEqual([['delete_message', { message: 'm2' }]]);
    stage.placeChanged(MODERATOR, 'appoint_moderator');
    flushSync();
    expect([...document.querySelectorAll('[data-testid="delete-message"]')].map((it) => it.getAttribute('aria-label'))).toEqual([
      'Delete the message of Ana',
      'Delete your message',
    ]);
  });

  it('says how long slow mode makes one wait, and lets one write on meanwhile', async () => {
    await panel({ room: { slow_mode_secs: 15 } });
    expect(byTestid('chat-hint').textContent).toBe('Slow mode: one message every 15 seconds.');
    vi.useFakeTimers({ now: Date.now() });
    write('chat-text', 'Hello');
    press('chat-send');
    await vi.advanceTimersByTimeAsync(1);
    flushSync();
    expect(byTestid('chat-hint').textContent).toBe('Slow mode: you can write again in 15 seconds.');
    write('chat-text', 'And');
    expect((byTestid('chat-send') as HTMLButtonElement).disabled).toBe(true);
    await vi.advanceTimersByTimeAsync(15_100);
    flushSync();
    expect(byTestid('chat-hint').textContent).toBe('Slow mode: one message every 15 seconds.');
    expect((byTestid('chat-send') as HTMLButtonElement).disabled).toBe(false);
  });

  it('has no slow mode for a moderator', async () => {
    await panel({ room: { slow_mode_secs: 15 }, place: MODERATOR });
    expect(testids()).not.toContain('chat-hint');
  });

  it.each<[string, Situation, string, string]>([
    ['a visitor may sign in', { as: null }, 'sign-in-to-write', 'Sign in to write here.'],
    [
      'one was silenced',
      { place: { ...LISTENER, silenced: true } },
      'silenced',
      'A moderator has silenced you in writing: you cannot write in this room for now. You still hear everything, and see what others write.',
    ],
    ['it is switched off', { room: { chat: false } }, 'chat-off', 'The chat is switched off in this room.'],
  ])('has a sentence in the place of the field where %s', async (_name, situation, testid, sentence) => {
    await panel(situation);
    expect(byTestid(testid).textContent.trim()).toBe(sentence);
    expect(testids()).not.toContain('chat-text');
  });
});

describe('questions', () => {
  it('are asked, voted for by others, and withdrawn by their author', async () => {
    await panel({ written: { questions: [question('q1', ana), question('q2', bruno)] } }, 'questions');
    const votes = [...document.querySelectorAll<HTMLButtonElement>('[data-testid="vote-question"]')];
    expect(votes.map(({ disabled }) => disabled)).toEqual([false, true]);
    votes[0]?.click();
    await settle();
    flushSync();
    expect(votes[0]?.getAttribute('aria-pressed')).toBe('true');
    expect(byTestid('close-question').textContent.trim()).toBe('Withdraw');
    press('close-question');
    write('ask-text', 'And why not?');
    press('ask-send');
    await settle();
    expect(sent()).toEqual([
      ['vote_question', { question: 'q1' }],
      ['close_question', { question: 'q2' }],
      ['ask_question', { text: 'And why not?' }],
    ]);
  });

  it('are counted by the tally', async () => {
    await panel({ written: { questions: [question('q1', ana)] } }, 'questions');
    FakeSocket.latest.receive({ type: 'tally', stream: STREAM, votes: { q1: 17 }, poll: null });
    flushSync();
    expect(byTestid('question-votes').textContent).toBe('17');
  });

  it('are taken up by a moderator, by inviting or by reading out, and read out also after inviting', async () => {
    await panel({ place: MODERATOR, written: { questions: [question('q1', ana)] } }, 'questions');
    press('take-question-invite');
    await settle();
    stage.event(STREAM, 'question_changed', { question: 'q1', state: 'invited' });
    flushSync();
    expect(byTestid('question').textContent).toContain('Ana is invited to ask it');
    expect(testids()).not.toContain('take-question-invite');
    press('take-question-read');
    await settle();
    stage.event(STREAM, 'question_changed', { question: 'q1', state: 'read' });
    flushSync();
    expect(testids()).not.toContain('take-question-read');
    press('close-question');
    await settle();
    expect(sent()).toEqual([
      ['take_question', { question: 'q1', how: 'invite' }],
      ['take_question', { question: 'q1', how: 'read' }],
      ['close_question', { question: 'q1' }],
    ]);
  });

  it('tell their author that they are invited to ask', async () => {
    await panel({ written: { questions: [{ ...question('q1', bruno), state: 'invited' }] } }, 'questions');
    expect(byTestid('question').textContent).toContain('You are invited to ask it on the stage.');
    expect(testids()).not.toContain('close-question');
  });
});

describe('the poll', () => {
  const results = () => [...document.querySelectorAll<HTMLElement>('[data-testid="poll-result"]')].map((it) => it.dataset['count']);

  it('asks first, and shows the live result after one’s vote', async () => {
    await panel({ written: { poll } }, 'poll');
    FakeSocket.latest.receive({ type: 'tally', stream: STREAM, votes: {}, poll: { id: 'p1', counts: [1, 3] } });
    flushSync();
    expect(results()).toEqual([]);
    press('poll-option');
    await settle();
    flushSync();
    expect(sent()).toEqual([['vote_poll', { poll: 'p1', option: 0 }]]);
    expect(results()).toEqual(['1', '3']);
    expect(byTestid('poll').textContent).toContain('25 %');
    FakeSocket.latest.receive({ type: 'tally', stream: STREAM, votes: {}, poll: { id: 'p1', counts: [2, 3] } });
    flushSync();
    expect(results()).toEqual(['2', '3']);
  });

  it('is opened by a moderator with two to four answers, and closed', async () => {
    await panel({ place: MODERATOR }, 'poll');
    press('open-poll');
    expect((byTestid('start-poll') as HTMLButtonElement).disabled).toBe(true);
    write('poll-question', 'Tea?');
    press('poll-add-answer');
    press('poll-add-answer');
    expect(testids()).not.toContain('poll-add-answer');
    const answers = [...document.querySelectorAll<HTMLInputElement>('[data-testid="poll-answer"]')];
    expect(answers).toHaveLength(4);
    for (const [index, text] of ['Yes', ' No ', ''].entries()) {
      const field = answers[index];
      if (!field) throw new Error('an answer is missing');
      field.value = text;
      field.dispatchEvent(new Event('input', { bubbles: true }));
    }
    flushSync();
    (byTestid('start-poll') as HTMLButtonElement).form?.dispatchEvent(new Event('submit', { cancelable: true }));
    await settle();
    stage.event(STREAM, 'poll_opened', poll);
    flushSync();
    press('close-poll');
    await settle();
    expect(sent()).toEqual([
      ['open_poll', { question: 'Tea?', options: ['Yes', 'No'] }],
      ['close_poll', { poll: 'p1' }],
    ]);
  });

  it('cannot be opened by others, nor where polls are off', async () => {
    await panel({}, 'poll');
    expect(byTestid('poll-panel').textContent).toContain('No poll right now.');
    expect(testids()).not.toContain('open-poll');
    stage.salon.close();
    document.body.replaceChildren();
    await panel({ place: MODERATOR, room: { polls: false } }, 'poll');
    expect(byTestid('polls-off').textContent).toBe('Polls are switched off in this room.');
    expect(testids()).not.toContain('open-poll');
  });
});

describe('a pinned link', () => {
  const pinned = (url: string, title = ''): Link => ({ id: url, url, title, by: ana });

  async function links(written: Link[], place = LISTENER) {
    const connection = await inside({ place, written: { links: written } });
    show(stage.salon, PinnedLinks, { connection });
  }

  it('shows where it leads beside what it is called, and opens without telling from where', async () => {
    await links([pinned('https://www.example.org/a?b=c', 'My bank')]);
    const anchor = document.querySelector('a');
    expect(anchor?.textContent.replace(/\s+/g, ' ')).toBe('My bankexample.org, opens another site');
    expect(anchor?.href).toBe('https://www.example.org/a?b=c');
    expect(anchor?.rel.split(' ').sort()).toEqual(['nofollow', 'noopener', 'noreferrer', 'ugc']);
    expect(anchor?.target).toBe('_blank');
  });

  it('is not shown where it is no web page', async () => {
    await links([pinned('javascript:alert(1)', 'Click'), pinned('data:text/html,x', 'Click')]);
    expect(document.querySelectorAll('a')).toHaveLength(0);
  });

  it('is pinned and unpinned by moderators, up to three', async () => {
    await links([pinned('https://a.example/'), pinned('https://b.example/')], MODERATOR);
    press('unpin-link');
    press('pin-link');
    write('link-url', 'example.org/x');
    byTestid('pin-link-dialog')
      .querySelector('form')
      ?.dispatchEvent(new Event('submit', { cancelable: true }));
    await settle();
    expect(sent()).toEqual([
      ['unpin_link', { link: 'https://a.example/' }],
      ['pin_link', { url: 'https://example.org/x' }],
    ]);
    stage.event(STREAM, 'link_pinned', pinned('https://c.example/'));
    flushSync();
    expect(testids()).not.toContain('pin-link');
  });

  it.each([
    ['example.org/x', 'https://example.org/x'],
    [' http://example.org ', 'http://example.org'],
    ['localhost:8000/x', 'https://localhost:8000/x'],
    ['javascript:alert(1)', null],
    ['', null],
    ['two words', null],
  ])('typed as %j is %j', (typed, expected) => {
    expect(typedUrl(typed)).toBe(expected);
  });

  it('without a title is called by its host', () => {
    expect(linkOf({ url: 'https://www.example.org/a', title: ' ' })).toEqual({
      href: 'https://www.example.org/a',
      host: 'example.org',
      title: 'example.org',
    });
  });
});

describe('on a narrow screen', () => {
  async function dock(situation: Situation = {}) {
    const connection = await inside(situation);
    show(stage.salon, ConversationDock, { connection, onchoose: () => undefined });
    return connection;
  }

  it('a strip counts what is new, and opens the sheet, which Escape closes', async () => {
    const connection = await dock();
    stage.event(STREAM, 'message_posted', message('m1', cleo));
    flushSync();
    expect(byTestid('open-chat').getAttribute('aria-label')).toBe('Chat, 1 new message');
    byTestid('open-chat').focus();
    press('open-chat');
    await vi.waitFor(() => byTestid('conversation-panel'));
    expect(connection.conversation.unread).toBe(0);
    expect(testids()).not.toContain('conversation-strip');
    byTestid('conversation-sheet').dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
    flushSync();
    expect(testids()).toContain('conversation-strip');
  });

  it('reactions are one press further, and rise without a word', async () => {
    await dock();
    expect(testids()).not.toContain('reaction-bar');
    press('show-reactions');
    const kinds = [...document.querySelectorAll<HTMLElement>('[data-testid="react"]')];
    expect(kinds.map((it) => [it.dataset['kind'], it.getAttribute('aria-label')])).toEqual([
      ['clap', 'Applaud'],
      ['heart', 'Send a heart'],
      ['laugh', 'Laugh'],
      ['wow', 'Be amazed'],
    ]);
    kinds[1]?.click();
    await settle();
    expect(sent()).toEqual([['react', { kind: 'heart' }]]);
    FakeSocket.latest.receive({ type: 'reactions', stream: STREAM, counts: { heart: 1 }, from: { heart: [bruno.id] } });
    flushSync();
    expect(byTestid('rising-reaction').dataset['kind']).toBe('heart');
    expect(byTestid('rising-reaction').closest('[aria-hidden="true"]')).not.toBeNull();
    expect(stage.salon.announcer.polite).toBe('');
  });

  it('has no reactions where they are off, nor for a visitor', async () => {
    await dock({ room: { reactions: false } });
    expect(testids()).not.toContain('show-reactions');
    stage.salon.close();
    document.body.replaceChildren();
    await dock({ as: null });
    expect(testids()).not.toContain('show-reactions');
  });
});
