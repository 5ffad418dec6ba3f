import { ApiError } from '../protocol/errors.ts';
import type { HttpClient } from '../protocol/http.ts';
import type { RoomId, SessionId } from '../protocol/types.ts';

export type Direction = 'listen' | 'speak';

export interface OpenedSession {
  id: SessionId;
  location: string;
  answer: string;
}

/** WHIP and WHEP as one port, so that sessions can be tested without a server; see section 5 of the protocol. */
export interface Signalling {
  open(room: RoomId, direction: Direction, offer: string): Promise<OpenedSession>;
  /** Returns the server's fragment. Whatever restart came last holds: an answer that was lost is no reason to refuse the next. */
  restartIce(location: string, fragment: string): Promise<string>;
  close(location: string): Promise<void>;
  /** Whether the server could restart a session now. Soon known, also where what is open to the server is as dead as a path of sound. */
  isReady(): Promise<boolean>;
}

/** Connections that are kept open may be dead without knowing it, several of them: each question that is not answered takes the next. */
const ASK_EVERY_MS = 250;
const MOST_QUESTIONS = 6;
const ANSWER_TIMEOUT_MS = 2_000;

export class HttpSignalling implements Signalling {
  #http: HttpClient;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  async open(room: RoomId, direction: Direction, offer: string): Promise<OpenedSession> {
    const response = await this.#http.send(`/api/v1/rooms/${encodeURIComponent(room)}/${direction}`, {
      method: 'POST',
      body: offer,
      headers: { 'Content-Type': 'application/sdp', Accept: 'application/sdp, application/json' },
    });
    const location = response.headers.get('Location');
    if (!location) throw new ApiError({ code: 'invalid_answer', message: '', field: 'Location' }, 502);
    const path = new URL(location, document.baseURI).pathname;
    return { id: path.slice(path.lastIndexOf('/') + 1), location: path, answer: await response.text() };
  }

  async restartIce(location: string, fragment: string): Promise<string> {
    const response = await this.#http.send(location, {
      method: 'PATCH',
      body: fragment,
      headers: {
        'Content-Type': 'application/trickle-ice-sdpfrag',
        Accept: 'application/trickle-ice-sdpfrag, application/json',
        'If-Match': '*',
      },
      timeoutMs: 5_000,
    });
    return response.text();
  }

  async close(location: string): Promise<void> {
    await this.#http.send(location, { method: 'DELETE' });
  }

  async isReady(): Promise<boolean> {
    const answered = new AbortController();
    const questions: Promise<boolean>[] = [];
    try {
      while (questions.length < MOST_QUESTIONS) {
        questions.push(this.#askWhetherReady(questions.length, answered.signal));
        const first = await Promise.race([Promise.any(questions).catch(() => after(ASK_EVERY_MS)), after(ASK_EVERY_MS)]);
        if (first !== undefined) return first;
      }
      return await Promise.any(questions).catch(() => false);
    } finally {
      // Dead connections are closed by that, and nobody waits on them again.
      answered.abort();
    }
  }

  /** Rejects where no answer comes. number: a browser's cache lets equal questions wait for each other. */
  async #askWhetherReady(number: number, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#http.send(`/healthz?question=${number}`, { signal, timeoutMs: ANSWER_TIMEOUT_MS });
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 503) return false;
      throw error;
    }
  }
}

function after(delayMs: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, delayMs, undefined));
}
