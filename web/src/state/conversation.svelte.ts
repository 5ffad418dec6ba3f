import { t } from '../i18n/index.svelte.ts';
import { asApiError } from '../protocol/errors.ts';
import type { Api } from '../protocol/api.ts';
import type { RealtimeClient } from '../protocol/realtime.ts';
import { applyToConversation } from '../protocol/streams.ts';
import type {
  CommandName,
  Commands,
  ConversationState,
  Link,
  Message,
  PersonId,
  Poll,
  Question,
  ReactionKind,
  Reactions,
  RoomId,
  StreamEvent,
  Tally,
} from '../protocol/types.ts';
import type { Announcer } from './announcer.svelte.ts';
import { keepChoice, keptChoice } from './own-choice.ts';
import { randomKey } from './random-key.ts';
import type { Session } from './session.svelte.ts';
import type { Settings } from './settings.svelte.ts';
import type { Toasts } from './toasts.svelte.ts';

export interface ConversationSurroundings {
  api: Api;
  realtime: RealtimeClient;
  session: Session;
  settings: Settings;
  toasts: Toasts;
  announcer: Announcer;
}

export type ConversationTab = 'chat' | 'questions' | 'poll';

/** One reaction on its way up the screen. */
export interface RisingReaction {
  id: number;
  kind: ReactionKind;
  /** Whose portrait it rises from, where the server said so. */
  person: PersonId | null;
}

/** How long a reaction is on the screen, and how many are at most: a hall that applauds must not cover who speaks. */
export const RISING_MS = 2_600;
const RISING_AT_MOST = 8;
const RISING_AT_MOST_A_FRAME = 3;
/** Between two reactions of one's own. */
const REACTION_PAUSE_MS = 400;
/** A lost answer is asked for again, with the same key. */
const ATTEMPTS = 3;

const EMPTY: ConversationState = { messages: [], questions: [], links: [], poll: null };

/** What is written in one room: the stream `conversation/ID`, its tallies, and one's own part in it. */
export class Conversation {
  #state: ConversationState = $state.raw(EMPTY);
  #votes: Record<string, number> = $state.raw({});
  #pollCounts: Tally['poll'] = $state.raw(null);
  /** The time of the newest message that was on the screen; null until the first snapshot. */
  #seenAt: string | null = $state(null);
  /** Until when slow mode keeps one from writing, on the clock of `Date.now`. */
  waitsUntilMs = $state(0);
  rising: RisingReaction[] = $state.raw([]);
  /** What of it one looks at, and on a narrow screen whether one does. */
  tab: ConversationTab = $state('chat');
  isOpen = $state(false);
  /** Raised when the keyboard asked for it: the panel then takes the focus. */
  focusAsked = $state(0);
  #room: RoomId;
  #around: ConversationSurroundings;
  #voted: ReadonlySet<string> = $state.raw(new Set());
  /** The poll one has voted in, and the answer, where this device knows it. */
  #chosen: { poll: string; option: number | null } | null = $state.raw(null);
  #viewers = 0;
  #nextRising = 1;
  #reactedAtMs = 0;
  #timers = new Set<ReturnType<typeof setTimeout>>();

  constructor(room: RoomId, around: ConversationSurroundings) {
    this.#room = room;
    this.#around = around;
  }

  get messages(): Message[] {
    return this.#state.messages;
  }

  get links(): Link[] {
    return this.#state.links;
  }

  get poll(): Poll | null {
    return this.#state.poll;
  }

  /** Most wanted first; among equals, the older one. */
  get questions(): Question[] {
    return [...this.#state.questions].sort((a, b) => this.votesOf(b) - this.votesOf(a) || a.asked_at.localeCompare(b.asked_at));
  }

  votesOf({ id }: Question): number {
    return this.#votes[id] ?? 0;
  }

  hasVotedFor({ id }: Question): boolean {
    return this.#voted.has(id);
  }

  get hasVoted(): boolean {
    return this.poll !== null && this.#chosen?.poll === this.poll.id;
  }

  /** The answer one chose in the poll that is shown; null also where one chose it on another device. */
  get choice(): number | null {
    return this.hasVoted ? (this.#chosen?.option ?? null) : null;
  }

  /** Votes of each answer, or null until one may see them: after voting, or once the poll is closed. */
  get counts(): number[] | null {
    const { poll } = this;
    if (poll === null) return null;
    if (poll.counts !== null) return poll.counts;
    if (!this.hasVoted) return null;
    return this.#pollCounts?.id === poll.id ? this.#pollCounts.counts : poll.options.map(() => 0);
  }

  /** Messages of others that were not on the screen yet. */
  get unread(): number {
    const seenAt = this.#seenAt;
    if (seenAt === null) return 0;
    return this.messages.filter(({ at, author }) => at > seenAt && author.id !== this.#me).length;
  }

  get #me(): PersonId | null {
    return this.#around.session.person?.id ?? null;
  }

  /** Until the returned function is called. */
  follow(): () => void {
    const unwatch = this.#around.realtime.watch<ConversationState>(`conversation/${this.#room}`, {
      reduce: applyToConversation,
      onState: (state, event) => this.#changed(state, event),
      onTally: (tally) => {
        this.#votes = tally.votes;
        this.#pollCounts = tally.poll;
      },
      onReactions: (reactions) => this.#rise(reactions),
      // The room itself says why; what was written stays readable until its page is left.
      onRefused: () => undefined,
    });
    return () => {
      unwatch();
      for (const timer of this.#timers) clearTimeout(timer);
      this.#timers.clear();
      this.rising = [];
    };
  }

  open(tab: ConversationTab): void {
    this.tab = tab;
    this.isOpen = true;
    this.focusAsked += 1;
  }

  /** The messages are on the screen, until the returned function is called: nothing is unread meanwhile. */
  look(): () => void {
    this.#viewers += 1;
    this.#seeAll();
    return () => (this.#viewers -= 1);
  }

  async post(text: string, slowModeSecs: number): Promise<void> {
    try {
      await this.#send('post_message', { text });
      if (slowModeSecs > 0) this.waitsUntilMs = Date.now() + slowModeSecs * 1_000;
    } catch (cause) {
      const error = asApiError(cause);
      if (error.code === 'slow_mode') this.waitsUntilMs = Date.now() + (error.retryAfterSecs ?? slowModeSecs) * 1_000;
      throw error;
    }
  }

  delete(message: Message): Promise<void> {
    return this.#send('delete_message', { message: message.id });
  }

  ask(text: string): Promise<void> {
    return this.#send('ask_question', { text });
  }

  /** One vote each: pressed again it is taken back. */
  async toggleVote(question: Question): Promise<void> {
    const wants = !this.hasVotedFor(question);
    try {
      await this.#send(wants ? 'vote_question' : 'unvote_question', { question: question.id });
    } catch (cause) {
      const { code } = asApiError(cause);
      // Cast on another device, or by a press whose answer was lost: it is as one wants it.
      if (code !== 'already_voted' && code !== 'not_voted') throw cause;
    }
    const others = [...this.#voted].filter((id) => id !== question.id);
    this.#voted = new Set(wants ? [...others, question.id] : others);
  }

  take(question: Question, how: 'invite' | 'read'): Promise<void> {
    return this.#send('take_question', { question: question.id, how });
  }

  close(question: Question): Promise<void> {
    return this.#send('close_question', { question: question.id });
  }

  pin(url: string, title: string): Promise<void> {
    return this.#send('pin_link', title === '' ? { url } : { url, title });
  }

  unpin(link: Link): Promise<void> {
    return this.#send('unpin_link', { link: link.id });
  }

  openPoll(question: string, options: string[]): Promise<void> {
    return this.#send('open_poll', { question, options });
  }

  closePoll(poll: Poll): Promise<void> {
    return this.#send('close_poll', { poll: poll.id });
  }

  async vote(poll: Poll, option: number): Promise<void> {
    try {
      await this.#send('vote_poll', { poll: poll.id, option });
    } catch (cause) {
      // On another device one chose already; what, only that device knows.
      if (asApiError(cause).code === 'already_voted') this.#chosen = { poll: poll.id, option: null };
      throw cause;
    }
    this.#chosen = { poll: poll.id, option };
    if (this.#me !== null) keepChoice(poll.id, this.#me, option);
  }

  /** Pressed too fast it does nothing: a reaction that hammers is none. */
  async react(kind: ReactionKind): Promise<void> {
    const nowMs = performance.now();
    if (this.#reactedAtMs !== 0 && nowMs - this.#reactedAtMs < REACTION_PAUSE_MS) return;
    this.#reactedAtMs = nowMs;
    await this.#send('react', { kind });
  }

  #changed(state: ConversationState, event: StreamEvent | null): void {
    this.#state = state;
    if (this.#viewers > 0 || this.#seenAt === null) this.#seeAll();
    if (event !== null) this.#say(event);
    else void this.#askForOwnVotes(state).catch(() => undefined);
  }

  /** The stream is the same for everybody. Without an answer the buttons look as if one had not voted, and a vote still counts once. */
  async #askForOwnVotes({ questions, poll }: ConversationState): Promise<void> {
    const me = this.#me;
    if (me === null) return;
    if (poll !== null) {
      const option = keptChoice(poll.id, me);
      if (option !== null) this.#chosen = { poll: poll.id, option };
      else if ((await this.#around.api.poll(this.#room)).voted) this.#chosen ??= { poll: poll.id, option: null };
    }
    if (questions.length > 0) {
      const answer = await this.#around.api.questions(this.#room);
      this.#voted = new Set(answer.questions.filter(({ voted }) => voted).map(({ id }) => id));
    }
  }

  #seeAll(): void {
    this.#seenAt = this.messages.at(-1)?.at ?? this.#seenAt ?? '';
  }

  #say({ kind, data }: StreamEvent): void {
    const { announcer, settings, toasts } = this.#around;
    if (kind === 'message_posted') {
      const { author, text } = data as Message;
      if (settings.readsChat && author.id !== this.#me) announcer.say(t('chat.said', author.name, text));
    } else if (kind === 'poll_opened') {
      announcer.say(t('poll.announce', (data as Poll).question));
    } else if (kind === 'question_changed') {
      const { question, state } = data as { question: string; state: Question['state'] };
      const changed = this.#state.questions.find(({ id }) => id === question);
      if (changed?.author.id !== this.#me || state === 'open') return;
      const sentence = t(state === 'invited' ? 'questions.announceInvited' : 'questions.announceRead');
      toasts.show(sentence);
      announcer.say(sentence);
    }
  }

  #rise({ counts, from }: Reactions): void {
    for (const kind of Object.keys(counts) as ReactionKind[]) {
      const people = from[kind] ?? [];
      const number = Math.min(counts[kind] ?? 0, RISING_AT_MOST_A_FRAME);
      for (let index = 0; index < number && this.rising.length < RISING_AT_MOST; index += 1) {
        const reaction = { id: this.#nextRising++, kind, person: people[index] ?? null };
        this.rising = [...this.rising, reaction];
        this.#after(RISING_MS, () => (this.rising = this.rising.filter(({ id }) => id !== reaction.id)));
      }
    }
  }

  #after(delayMs: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, delayMs);
    this.#timers.add(timer);
  }

  /** Only a lost answer is asked for again: "too fast" is for the person to see, not to be sent later behind their back. */
  async #send<N extends CommandName>(name: N, data: Commands[N]): Promise<void> {
    const key = randomKey();
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#around.api.command(this.#room, name, data, key);
        return;
      } catch (cause) {
        const error = asApiError(cause);
        if (error.retry !== 'later' || error.status === 429 || attempt === ATTEMPTS) throw error;
        await new Promise((resolve) => setTimeout(resolve, 700 * attempt));
      }
    }
  }
}
