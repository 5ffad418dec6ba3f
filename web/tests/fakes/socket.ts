import type { ClientFrame, ServerFrame } from '../../src/protocol/types.ts';

/** The server's end of a WebSocket: says what was sent, and sends what a test wants. */
export class FakeSocket {
  static opened: FakeSocket[] = [];

  readonly sent: ClientFrame[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  isClosed = false;
  readonly url: string;
  readonly subprotocol: string;

  constructor(url: string, subprotocol: string) {
    this.url = url;
    this.subprotocol = subprotocol;
    FakeSocket.opened.push(this);
  }

  static get latest(): FakeSocket {
    const socket = FakeSocket.opened.at(-1);
    if (!socket) throw new Error('no socket was opened');
    return socket;
  }

  static open = (url: string, subprotocol: string): WebSocket => new FakeSocket(url, subprotocol) as unknown as WebSocket;

  send(text: string): void {
    this.sent.push(JSON.parse(text) as ClientFrame);
  }

  close(): void {
    this.isClosed = true;
  }

  /** The connection is up and the ticket was good. */
  welcome(heartbeatSecs = 20): void {
    this.onopen?.();
    this.receive({ type: 'welcome', reply_to: this.last('hello').id, person: null, heartbeat_secs: heartbeatSecs });
  }

  receive(frame: ServerFrame): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  drop(code: number): void {
    this.onclose?.({ code });
  }

  last<T extends ClientFrame['type']>(type: T): Extract<ClientFrame, { type: T }> {
    const frame = this.all(type).at(-1);
    if (!frame) throw new Error(`no ${type} was sent`);
    return frame;
  }

  all<T extends ClientFrame['type']>(type: T): Extract<ClientFrame, { type: T }>[] {
    return this.sent.filter((frame): frame is Extract<ClientFrame, { type: T }> => frame.type === type);
  }
}
