import { t } from '../i18n/index.svelte.ts';
import type { RealtimeClient } from '../protocol/realtime.ts';
import { applyToHands, applyToModeration } from '../protocol/streams.ts';
import type { Face, Hand, HandsState, ModerationState, PersonId, Request, RoomId, StreamEvent } from '../protocol/types.ts';
import type { Announcer } from './announcer.svelte.ts';
import type { Session } from './session.svelte.ts';
import type { Toasts } from './toasts.svelte.ts';

export interface DeskSurroundings {
  realtime: RealtimeClient;
  session: Session;
  toasts: Toasts;
  announcer: Announcer;
}

/** Hands that go up together are told as one number. */
const HANDS_SAID_AFTER_MS = 1_200;

const EMPTY: ModerationState = { moderators: [], removals: [], silenced: [], requests: [], log: [] };

export type DeskTab = 'hands' | 'people' | 'log' | 'settings';

/** What only the moderators of a room see: the streams `hands/ID` and `moderation/ID`, watched while one moderates. */
export class RoomDesk {
  /** Oldest first. */
  hands: Hand[] = $state.raw([]);
  moderation: ModerationState = $state.raw(EMPTY);
  tab: DeskTab = $state('hands');
  /** Whether it is on the screen; null: as the width of the screen has it. */
  isOpen: boolean | null = $state(null);
  /** It was asked for, and takes the focus once it is there. */
  wantsFocus = $state(false);
  #room: RoomId;
  #around: DeskSurroundings;
  #unwatchHands: (() => void) | null = null;
  #unwatchModeration: (() => void) | null = null;
  #sayHands: ReturnType<typeof setTimeout> | undefined;

  constructor(room: RoomId, around: DeskSurroundings) {
    this.#room = room;
    this.#around = around;
  }

  /** Requests of others: one's own wait for somebody else. */
  get requestsToAnswer(): Request[] {
    return this.moderation.requests.filter(({ by }) => by.id !== this.#me);
  }

  /**
   * Whether a moderator holds somebody's mute, on the stage or off it. Off the stage only the log says so: the newest word of a
   * hundred acts.
   */
  isHeld(person: PersonId): boolean {
    const last = this.moderation.log.findLast(
      ({ action, target }) => target?.id === person && (action === 'hold_mute' || action === 'release_mute'),
    );
    return last?.action === 'hold_mute';
  }

  open(tab: DeskTab = this.tab): void {
    this.tab = tab;
    this.isOpen = true;
    this.wantsFocus = true;
  }

  follow(isModerator: boolean): void {
    if (isModerator) {
      this.#unwatchHands ??= this.#watchHands();
      this.#unwatchModeration ??= this.#watchModeration();
      return;
    }
    this.#unwatchHands?.();
    this.#unwatchModeration?.();
    this.#unwatchHands = this.#unwatchModeration = null;
    clearTimeout(this.#sayHands);
    this.#sayHands = undefined;
    this.hands = [];
    this.moderation = EMPTY;
  }

  get #me(): PersonId | null {
    return this.#around.session.person?.id ?? null;
  }

  #watchHands(): () => void {
    return this.#around.realtime.watch<HandsState>(`hands/${this.#room}`, {
      reduce: applyToHands,
      onState: (state, event) => {
        this.hands = state.hands;
        if (event?.kind === 'hand_raised' && !(event.data as Hand).invited) this.#handRaised();
      },
      onRefused: () => (this.#unwatchHands = null),
    });
  }

  #handRaised(): void {
    this.#sayHands ??= setTimeout(() => {
      this.#sayHands = undefined;
      const waiting = this.hands.filter(({ invited }) => !invited).length;
      if (waiting > 0) this.#around.announcer.say(t('announce.hands', waiting));
    }, HANDS_SAID_AFTER_MS);
  }

  #watchModeration(): () => void {
    return this.#around.realtime.watch<ModerationState>(`moderation/${this.#room}`, {
      reduce: applyToModeration,
      onState: (state, event) => {
        const before = this.moderation;
        this.moderation = state;
        if (event === null) {
          for (const request of this.requestsToAnswer)
            if (!before.requests.some(({ id }) => id === request.id)) this.#tell(askingSentence(request));
        } else this.#requestChanged(event, before);
      },
      onRefused: () => (this.#unwatchModeration = null),
    });
  }

  #requestChanged({ kind, data }: StreamEvent, before: ModerationState): void {
    if (kind === 'request_opened') {
      const request = data as Request;
      this.#tell(request.by.id === this.#me ? t('request.waits') : askingSentence(request));
    } else if (kind === 'request_settled') {
      const { request, outcome } = data as { request: string; outcome: 'confirmed' | 'refused' | 'expired' };
      const settled = before.requests.find(({ id }) => id === request);
      if (settled?.by.id === this.#me) this.#tell(t(`request.${outcome}`));
    }
  }

  #tell(sentence: string): void {
    this.#around.toasts.show(sentence);
    this.#around.announcer.sayNow(sentence);
  }
}

export function askingSentence({ action, by, target }: { action: Request['action']; by: Face; target: Face | null }): string {
  return action === 'end_room' ? t('request.endRoom', by.name) : t('request.remove', by.name, target?.name ?? '');
}
