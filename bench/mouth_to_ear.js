// One page speaks tones, another hears them; both note the wall time of a tone's first sample in the audio thread.
const RATE_HZ = 48000;
const heard = [];
let mouth;

const WORKLETS = `
  const TONE_SAMPLES = 0.06 * sampleRate;
  // The moment of a sample of this block: the audio thread runs a block at a time, so this is true to a block (3 ms).
  const momentOf = (index) => Date.now() + (index / sampleRate) * 1000;

  registerProcessor('mouth', class extends AudioWorkletProcessor {
    constructor() {
      super();
      this.left = 0;
      this.port.onmessage = () => { this.left = TONE_SAMPLES; this.port.postMessage(momentOf(0)); };
    }
    process(_, [[samples]]) {
      for (let at = 0; at < samples.length && this.left > 0; at++, this.left--) {
        samples[at] = 0.5 * Math.sin((2 * Math.PI * 1000 * (TONE_SAMPLES - this.left)) / sampleRate);
      }
      return true;
    }
  });

  registerProcessor('ear', class extends AudioWorkletProcessor {
    constructor() { super(); this.quiet = 0; }
    process([[samples]]) {
      for (let at = 0; samples && at < samples.length; at++) {
        if (Math.abs(samples[at]) < 0.05) { this.quiet++; continue; }
        // A tenth of a second of quiet before it: the beginning of a tone, and not its next wave.
        if (this.quiet > 0.1 * sampleRate) this.port.postMessage(momentOf(at));
        this.quiet = 0;
      }
      return true;
    }
  });
`;

const newContext = async () => {
  const context = new AudioContext({sampleRate: RATE_HZ, latencyHint: 'interactive'});
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([WORKLETS], {type: 'text/javascript'})));
  await context.resume();
  return context;
};

const post = async (token, path, contentType, body) => {
  const answer = await fetch(`/api/v1/rooms${path}`, {
    method: 'POST',
    headers: {authorization: `Bearer ${token}`, 'content-type': contentType},
    body,
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer;
};

const connect = async (token, path, peer) => {
  await peer.setLocalDescription();
  const answer = await post(token, path, 'application/sdp', peer.localDescription.sdp);
  await peer.setRemoteDescription({type: 'answer', sdp: await answer.text()});
  await new Promise((resolve, reject) => {
    const look = () => {
      if (peer.connectionState === 'connected') resolve();
      if (peer.connectionState === 'failed') reject(new Error('no connection'));
    };
    peer.addEventListener('connectionstatechange', look);
    look();
  });
};

const openRoom = async (token) => {
  const answer = await post(token, '', 'application/json', JSON.stringify({title: 'Mouth to ear', language: 'en'}));
  return (await answer.json()).id;
};

const speak = async (token, room) => {
  await listen(token, room); // one enters a room by listening
  const context = await newContext();
  mouth = new AudioWorkletNode(context, 'mouth', {numberOfInputs: 0, outputChannelCount: [1]});
  const microphone = context.createMediaStreamDestination();
  mouth.connect(microphone);
  const peer = new RTCPeerConnection();
  peer.addTransceiver(microphone.stream.getAudioTracks()[0], {direction: 'sendonly', streams: [microphone.stream]});
  await connect(token, `/${room}/speak`, peer);
};

const listen = async (token, room) => {
  const context = await newContext();
  const peer = new RTCPeerConnection();
  peer.addTransceiver('audio', {direction: 'recvonly'});
  peer.addEventListener('track', ({track}) => {
    const stream = new MediaStream([track]);
    // Chromium hands a remote track's sound to a context only while an element plays it.
    document.querySelector('audio').srcObject = stream;
    const ear = new AudioWorkletNode(context, 'ear', {numberOfOutputs: 0});
    ear.port.onmessage = ({data}) => heard.push(data);
    context.createMediaStreamSource(stream).connect(ear);
  });
  await connect(token, `/${room}/listen`, peer);
};

// Resolves to the moments of the tones. Their distances are uneven, or all would fall on one phase of the 20 ms frames.
const makeTones = async (count) => {
  const moments = [];
  mouth.port.onmessage = ({data}) => moments.push(data);
  for (let made = 0; made < count; made++) {
    mouth.port.postMessage('tone');
    await new Promise((resolve) => setTimeout(resolve, 500 + Math.random() * 100));
  }
  return moments;
};
