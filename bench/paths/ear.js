// Runs before the client's own scripts: notes when sound begins and ends in what the page receives. A tenth of a second without any is an end.
(() => {
  const WORKLET = `
    registerProcessor('ear', class extends AudioWorkletProcessor {
      constructor() { super(); this.quiet = Infinity; }
      process([[samples]]) {
        for (let at = 0; samples && at < samples.length; at++) {
          const isLoud = Math.abs(samples[at]) >= 0.02;
          // The audio thread runs a block at a time, so this is true to a block (3 ms).
          if (isLoud && this.quiet > 0.1 * sampleRate) this.port.postMessage(Date.now() + (at / sampleRate) * 1000);
          this.quiet = isLoud ? 0 : this.quiet + 1;
          if (this.quiet === Math.ceil(0.1 * sampleRate)) this.port.postMessage(null);
        }
        return true;
      }
    });
  `;
  window.soundBegan = [];
  const sounding = new Set();
  window.isSounding = () => sounding.size > 0;
  const context = new AudioContext({latencyHint: 'interactive'});
  const ready = context.audioWorklet.addModule(URL.createObjectURL(new Blob([WORKLET], {type: 'text/javascript'})));

  const listenTo = async (track) => {
    await ready;
    await context.resume();
    const ear = new AudioWorkletNode(context, 'ear', {numberOfOutputs: 0});
    ear.port.onmessage = ({data: began}) => {
      if (began === null) return void sounding.delete(track);
      sounding.add(track);
      soundBegan.push(began);
    };
    // The client itself plays the track, without which Chromium gives a context silence.
    context.createMediaStreamSource(new MediaStream([track])).connect(ear);
  };

  const Native = window.RTCPeerConnection;
  const peers = (window.peers = []);
  window.RTCPeerConnection = class extends Native {
    constructor(...options) {
      super(...options);
      peers.push(this);
      this.addEventListener('track', ({track}) => void listenTo(track));
    }
  };

  window.transportOfSound = async () => {
    const report = await peers.at(-1).getStats();
    const transport = [...report.values()].find(({type, selectedCandidatePairId}) => type === 'transport' && selectedCandidatePairId);
    const pair = transport && report.get(transport.selectedCandidatePairId);
    return pair ? {protocol: report.get(pair.localCandidateId).protocol, port: report.get(pair.remoteCandidateId).port} : null;
  };
})();
