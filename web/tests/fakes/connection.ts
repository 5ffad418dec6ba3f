/** As much of an RTCPeerConnection as a sound session uses; a test moves its state. */
export class FakeConnection {
  static made: FakeConnection[] = [];
  /** This browser takes no offer that somebody edited. */
  static refusesEdits = false;

  connectionState: RTCPeerConnectionState = 'new';
  signalingState: RTCSignalingState = 'stable';
  onconnectionstatechange: (() => void) | null = null;
  ontrack: ((event: unknown) => void) | null = null;
  readonly offered: string[] = [];
  readonly answers: string[] = [];
  readonly senders: { track: unknown; replaceTrack(track: unknown): Promise<void> }[] = [];
  readonly transceivers: { direction: string; track: unknown }[] = [];
  receivers: unknown[] = [];
  /** What `getStats` answers, by id. */
  stats = new Map<string, object>();
  isClosed = false;
  #offers = 0;

  constructor() {
    FakeConnection.made.push(this);
  }

  static get latest(): FakeConnection {
    const connection = FakeConnection.made.at(-1);
    if (!connection) throw new Error('no connection was made');
    return connection;
  }

  addTransceiver(trackOrKind: unknown, init: { direction: string }): object {
    const transceiver = { direction: init.direction, track: trackOrKind };
    this.transceivers.push(transceiver);
    if (typeof trackOrKind !== 'string') {
      const sender = {
        track: trackOrKind,
        replaceTrack: (track: unknown) => {
          sender.track = track;
          return Promise.resolve();
        },
      };
      this.senders.push(sender);
    }
    return transceiver;
  }

  getSenders(): unknown[] {
    return this.senders;
  }

  getStats(): Promise<Map<string, object>> {
    return Promise.resolve(new Map(this.stats));
  }

  getReceivers(): unknown[] {
    return this.receivers;
  }

  createOffer(options?: { iceRestart?: boolean }): Promise<{ type: 'offer'; sdp: string }> {
    this.#offers += 1;
    const sdp = [
      'v=0',
      'a=group:BUNDLE 0',
      'm=audio 9 UDP/TLS/RTP/SAVPF 111',
      'a=mid:0',
      'a=rtpmap:111 opus/48000/2',
      `a=ice-ufrag:client${this.#offers}`,
      `a=ice-pwd:secret${this.#offers}`,
      options?.iceRestart ? 'a=x-restart' : 'a=x-first',
    ].join('\r\n');
    return Promise.resolve({ type: 'offer', sdp });
  }

  setLocalDescription(description: { type: string; sdp?: string }): Promise<void> {
    if (FakeConnection.refusesEdits && description.sdp?.includes('nack'))
      return Promise.reject(new DOMException('', 'InvalidModificationError'));
    if (description.type === 'offer') this.offered.push(description.sdp ?? '');
    this.signalingState = description.type === 'offer' ? 'have-local-offer' : 'stable';
    return Promise.resolve();
  }

  setRemoteDescription(description: { sdp: string }): Promise<void> {
    this.signalingState = 'stable';
    this.answers.push(description.sdp);
    return Promise.resolve();
  }

  close(): void {
    this.isClosed = true;
    this.connectionState = 'closed';
  }

  become(state: RTCPeerConnectionState): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }
}
