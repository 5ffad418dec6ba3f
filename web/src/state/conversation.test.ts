import { afterEach, describe, expect, it, vi } from 'vitest';
import { ana, bruno, cleo, LISTENER, NO_CONVERSATION, ROOM_ID } from '../../tests/fakes/people.ts';
import { settle, Stage } from '../../tests/fakes/salon.ts';
import { FakeSocket } from '../../tests/fakes/socket.ts';
import type { Face, Message, Poll, Question, ReactionKind } from '../protocol/types.ts';
import type { Conversation } from './conversation.svelte.ts';
import { RISING_MS } from './conversation.svelte.ts';

const STREAM = `conversation/${ROOM_ID}`;

let stage: Stage;

afterEach(() => stage.salon.close());

async function enter(prepare: (stage: Stage) => void = () => undefined, place = LISTENER): Promise<Conversation> {
  stage = new Stage(Stage.person(bruno), place);
  prepare(stage);
  await stage.enter();
  if (!stage.salon.room) throw new Error('not in a room');
  return stage.salon.room.conversation;
}

function message(number: number, author: Face = ana): Message {
  return { id: `m${number}`, author, text: `Word ${number}`, at: `2026-11-23T20:01:${String(number).padStart(2, '0')}Z` };
}

function question(id: string, author: Face = ana, minute = 1): Question {
  return { id, author, text: `Why ${id}?`, asked_at: `2026-11-23T20:0${minute}:00Z`, state: 'open' };
}

const poll: Poll = {
  id: 'p1',
  question: 'Tea?',
  options: ['Yes', 'No'],
  counts: null,
  opened_at: '2026-11-23T20:02:00Z',
  closed: false,
};

function tally(votes: Record<string, number>, counts: number[] | null = null): void {
  FakeSocket.latest.receive({ type: 'tally', stream: STREAM, votes, poll: counts && { id: 'p1', counts } });
}

function reactions(counts: Partial<Record<ReactionKind, number>>, from: Partial<Record<ReactionKind, string[]>> = {}): void {
  FakeSocket.latest.receive({ type: 'reactions', stream: STREAM, counts, from });
}

const sent = () => stage.commands.map(({ name, data }) => [name, data]);

describe('unread messages', () => {
  it('are those of others that came since one entered and were not on the screen', async () => {
    const conversation = await enter((it) => (it.conversation = { ...NO_CONVERSATION, messages: [message(1)] }));
    expect(conversation.unread).toBe(0);
    stage.event(STREAM, 'message_posted', message(2));
    stage.event(STREAM, 'message_posted', message(3, bruno));
    stage.event(STREAM, 'message_posted', message(4, cleo));
    expect(conversation.unread).toBe(2);
    stage.event(STREAM, 'message_deleted', { message: 'm2' });
    expect(conversation.unread).toBe(1);
  });

  it('are none while somebody looks, and count again afterwards', async () => {
    const conversation = await enter();
    stage.event(STREAM, 'message_posted', message(1));
    const end = conversation.look();
    expect(conversation.unread).toBe(0);
    stage.event(STREAM, 'message_posted', message(2));
    expect(conversation.unread).toBe(0);
    end();
    stage.event(STREAM, 'message_posted', message(3));
    expect(conversation.unread).toBe(1);
  });

  it('are told to a screen reader only where one asked for it', async () => {
    await enter();
    stage.event(STREAM, 'message_posted', message(1));
    expect(stage.salon.announcer.polite).toBe('');
    stage.salon.settings.change({ readsChat: true });
    stage.event(STREAM, 'message_posted', message(2));
    expect(stage.salon.announcer.polite.trim()).toBe('Ana: Word 2');
  });
});

describe('writing', () => {
  it('waits as long as slow mode wants after a message', async () => {
    const conversation = await enter();
    vi.useFakeTimers({ now: 1_000_000 });
    await conversation.post('Hello', 15);
    expect(sent()).toEqual([['post_message', { text: 'Hello' }]]);
    expect(conversation.waitsUntilMs).toBe(1_015_000);
  });

  it('waits what the server says where it refuses, and sends nothing later behind one’s back', async () => {
    const conversation = await enter();
    vi.useFakeTimers({ now: 1_000_000 });
    stage.refuseNext = { status: 429, code: 'slow_mode', message: 'Slow mode.', retryAfter: 7 };
    await expect(conversation.post('Hello', 15)).rejects.toMatchObject({ code: 'slow_mode' });
    expect(conversation.waitsUntilMs).toBe(1_007_000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(stage.commands).toHaveLength(1);
  });

  it('asks again after a lost answer, as the same wish', async () => {
    const conversation = await enter();
    vi.useFakeTimers();
    stage.refuseNext = { status: 503, code: 'message_undelivered', message: '' };
    const posted = conversation.post('Hello', 0);
    await vi.advanceTimersByTimeAsync(1_000);
    await posted;
    const [first, second, ...others] = stage.commands;
    expect([second?.name, second?.key, others]).toEqual(['post_message', first?.key, []]);
  });
});

describe('questions', () => {
  it('stand in the order of their votes, and of equally many the older first', async () => {
    const conversation = await enter(
      (it) => (it.conversation = { ...NO_CONVERSATION, questions: [question('a', ana, 1), question('b', ana, 2), question('c', ana, 3)] }),
    );
    tally({ c: 3, b: 1 });
    expect(conversation.questions.map((it) => [it.id, conversation.votesOf(it)])).toEqual([
      ['c', 3],
      ['b', 1],
      ['a', 0],
    ]);
    tally({ c: 1, b: 1 });
    expect(conversation.questions.map(({ id }) => id)).toEqual(['b', 'c', 'a']);
  });

  it('take one’s vote and give it back', async () => {
    const asked = question('a');
    const conversation = await enter((it) => (it.conversation = { ...NO_CONVERSATION, questions: [asked] }));
    await conversation.toggleVote(asked);
    expect(conversation.hasVotedFor(asked)).toBe(true);
    await conversation.toggleVote(asked);
    expect(conversation.hasVotedFor(asked)).toBe(false);
    expect(sent()).toEqual([
      ['vote_question', { question: 'a' }],
      ['unvote_question', { question: 'a' }],
    ]);
  });

  it('know a vote that was cast elsewhere, from the server’s list and from its refusal', async () => {
    const [a, b] = [question('a'), question('b')];
    const conversation = await enter((it) => {
      it.conversation = { ...NO_CONVERSATION, questions: [a, b] };
      it.answers.set(`GET /api/v1/rooms/${ROOM_ID}/questions`, {
        questions: [
          { ...a, votes: 1, mine: false, voted: true },
          { ...b, votes: 1, mine: false, voted: false },
        ],
      });
    });
    await settle();
    expect([conversation.hasVotedFor(a), conversation.hasVotedFor(b)]).toEqual([true, false]);
    stage.refuseNext = { status: 409, code: 'already_voted', message: '' };
    await conversation.toggleVote(b);
    expect(conversation.hasVotedFor(b)).toBe(true);
  });

  it('tell their author, and nobody else, that they were taken up', async () => {
    await enter((it) => (it.conversation = { ...NO_CONVERSATION, questions: [question('a', bruno), question('b', cleo)] }));
    stage.event(STREAM, 'question_changed', { question: 'b', state: 'read' });
    expect(stage.salon.toasts.items).toEqual([]);
    stage.event(STREAM, 'question_changed', { question: 'a', state: 'invited' });
    expect(stage.salon.toasts.items.map(({ text }) => text)).toEqual([
      'Your question was taken up: you are invited to ask it on the stage.',
    ]);
  });
});

describe('a poll', () => {
  it('shows no counts before one has voted, and the newest of them afterwards', async () => {
    const conversation = await enter((it) => (it.conversation = { ...NO_CONVERSATION, poll }));
    tally({}, [4, 9]);
    expect(conversation.counts).toBeNull();
    await conversation.vote(poll, 1);
    expect([conversation.choice, conversation.counts]).toEqual([1, [4, 9]]);
    tally({}, [4, 10]);
    expect(conversation.counts).toEqual([4, 10]);
  });

  it('shows its result to everybody once it is closed', async () => {
    const conversation = await enter((it) => (it.conversation = { ...NO_CONVERSATION, poll }));
    stage.event(STREAM, 'poll_closed', { ...poll, closed: true, counts: [2, 3] });
    expect([conversation.hasVoted, conversation.counts]).toEqual([false, [2, 3]]);
  });

  it('remembers one’s choice on this device, for this person', async () => {
    const first = await enter((it) => (it.conversation = { ...NO_CONVERSATION, poll }));
    await first.vote(poll, 0);
    stage.salon.close();
    const again = await enter((it) => (it.conversation = { ...NO_CONVERSATION, poll }));
    expect([again.hasVoted, again.choice]).toEqual([true, 0]);
  });

  it('counts as voted where the server says so, without knowing for what', async () => {
    const conversation = await enter((it) => {
      it.conversation = { ...NO_CONVERSATION, poll };
      it.answers.set(`GET /api/v1/rooms/${ROOM_ID}/poll`, { poll, counts: [1, 0], voted: true });
    });
    await settle();
    expect([conversation.hasVoted, conversation.choice]).toEqual([true, null]);
  });

  it('is a new question to everybody when the next one opens', async () => {
    const conversation = await enter((it) => (it.conversation = { ...NO_CONVERSATION, poll }));
    await conversation.vote(poll, 0);
    stage.event(STREAM, 'poll_opened', { ...poll, id: 'p2' });
    expect([conversation.hasVoted, conversation.counts]).toEqual([false, null]);
  });
});

describe('reactions', () => {
  it('rise from who sent them, a few at a time, and are gone soon', async () => {
    const conversation = await enter();
    vi.useFakeTimers();
    reactions({ clap: 40, heart: 1 }, { clap: [ana.id, cleo.id], heart: [cleo.id] });
    expect(conversation.rising.map(({ kind, person }) => [kind, person])).toEqual([
      ['clap', ana.id],
      ['clap', cleo.id],
      ['clap', null],
      ['heart', cleo.id],
    ]);
    vi.advanceTimersByTime(RISING_MS);
    expect(conversation.rising).toEqual([]);
  });

  it('never cover the screen, however many there are', async () => {
    const conversation = await enter();
    for (let round = 0; round < 10; round += 1) reactions({ clap: 100, heart: 100, laugh: 100, wow: 100 });
    expect(conversation.rising).toHaveLength(8);
  });

  it('of one’s own are sent once for two presses at once', async () => {
    const conversation = await enter();
    await Promise.all([conversation.react('clap'), conversation.react('clap')]);
    expect(sent()).toEqual([['react', { kind: 'clap' }]]);
  });
});

describe('moderators', () => {
  it('take up, close, pin, unpin and ask everybody', async () => {
    const conversation = await enter(undefined, { ...LISTENER, role: 'moderator' });
    await conversation.take(question('a'), 'invite');
    await conversation.close(question('a'));
    await conversation.pin('https://example.org/', '');
    await conversation.pin('https://example.org/', 'A page');
    await conversation.unpin({ id: 'l1', url: 'https://example.org/', title: 'A page', by: ana });
    await conversation.openPoll('Tea?', ['Yes', 'No']);
    await conversation.closePoll(poll);
    await conversation.delete(message(1));
    expect(sent()).toEqual([
      ['take_question', { question: 'a', how: 'invite' }],
      ['close_question', { question: 'a' }],
      ['pin_link', { url: 'https://example.org/' }],
      ['pin_link', { url: 'https://example.org/', title: 'A page' }],
      ['unpin_link', { link: 'l1' }],
      ['open_poll', { question: 'Tea?', options: ['Yes', 'No'] }],
      ['close_poll', { poll: 'p1' }],
      ['delete_message', { message: 'm1' }],
    ]);
  });
});
