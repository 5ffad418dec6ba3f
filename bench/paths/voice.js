// Beside mouth_to_ear.js: a voice that makes no pause, so that every silence is the path's.
const hum = async (token, room) => {
  await listen(token, room); // one enters a room by listening
  const context = await newContext();
  const voice = new OscillatorNode(context, {frequency: 440});
  const microphone = context.createMediaStreamDestination();
  voice.connect(microphone);
  voice.start();
  const peer = new RTCPeerConnection();
  peer.addTransceiver(microphone.stream.getAudioTracks()[0], {direction: 'sendonly', streams: [microphone.stream]});
  await connect(token, `/${room}/speak`, peer);
};
