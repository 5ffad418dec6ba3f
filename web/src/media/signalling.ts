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
}

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
}
