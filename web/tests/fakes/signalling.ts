import type { Direction, OpenedSession, Signalling } from '../../src/media/signalling.ts';

export interface Asked {
  kind: 'open' | 'restart' | 'close';
  room?: string;
  direction?: Direction;
  location?: string;
  body?: string;
}

/** WHIP and WHEP without a server: answers what the test put in line, else agrees. */
export class FakeSignalling implements Signalling {
  readonly asked: Asked[] = [];
  /** Errors to throw instead of the next answers, first in line first. */
  readonly failures: unknown[] = [];
  /** What is answered to who asks, and how often that was. */
  isServerReady = true;
  questions = 0;
  #sessions = 0;

  open(room: string, direction: Direction, offer: string): Promise<OpenedSession> {
    this.asked.push({ kind: 'open', room, direction, body: offer });
    return this.#answer(() => {
      this.#sessions += 1;
      const id = `session${this.#sessions}`;
      const answer = ['v=0', 'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=ice-ufrag:server1', 'a=ice-pwd:key1', ''].join('\r\n');
      return { id, location: `/api/v1/media/${id}`, answer };
    });
  }

  restartIce(location: string, fragment: string): Promise<string> {
    this.asked.push({ kind: 'restart', location, body: fragment });
    return this.#answer(() => 'a=ice-ufrag:server2\r\na=ice-pwd:key2\r\n');
  }

  close(location: string): Promise<void> {
    this.asked.push({ kind: 'close', location });
    return this.#answer(() => undefined);
  }

  isReady(): Promise<boolean> {
    this.questions += 1;
    return Promise.resolve(this.isServerReady);
  }

  kinds(): string[] {
    return this.asked.map(({ kind }) => kind);
  }

  #answer<T>(make: () => T): Promise<T> {
    const failure = this.failures.shift();
    return failure === undefined ? Promise.resolve(make()) : Promise.reject(failure as Error);
  }
}
