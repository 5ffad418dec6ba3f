// One mediasoup worker with one router, for the load client: POST /enter with {direction, fingerprint, ssrc, payloadType, levelExtension}
// makes a transport and a producer or a consumer on it, and answers with what the client needs in order to connect.
// node server.mjs PORT FOLDER, where FOLDER has mediasoup in its node_modules. Prints "ready" once it listens.
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [port, folder] = process.argv.slice(2);
const found = createRequire(path.join(path.resolve(folder), 'package.json')).resolve('mediasoup');
const loaded = await import(pathToFileURL(found));
const mediasoup = loaded.createWorker ? loaded : loaded.default;

const LEVEL = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level';
const opus = { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 };

const worker = await mediasoup.createWorker({ logLevel: 'warn' });
worker.on('died', () => process.exit(1));
const router = await worker.createRouter({ mediaCodecs: [opus] });
let producer;

async function enter({ direction, fingerprint, ssrc, payloadType, levelExtension }) {
  const transport = await router.createWebRtcTransport({ listenIps: [{ ip: '127.0.0.1' }], enableUdp: true, enableTcp: false });
  // The role is the client's: it shakes hands first.
  await transport.connect({ dtlsParameters: { role: 'client', fingerprints: [{ algorithm: 'sha-256', value: fingerprint }] } });
  const { iceParameters, iceCandidates, dtlsParameters } = transport;
  const answer = { iceParameters, iceCandidates, dtlsParameters, payloadType, levelExtension };
  if (direction === 'sendonly') {
    producer = await transport.produce({
      kind: 'audio',
      rtpParameters: {
        mid: '0',
        codecs: [{ mimeType: opus.mimeType, clockRate: opus.clockRate, channels: opus.channels, payloadType }],
        headerExtensions: [{ uri: LEVEL, id: levelExtension }],
        encodings: [{ ssrc }],
      },
    });
  } else {
    const consumer = await transport.consume({ producerId: producer.id, rtpCapabilities: router.rtpCapabilities });
    answer.payloadType = consumer.rtpParameters.codecs[0].payloadType;
  }
  return answer;
}

http
  .createServer(async (request, response) => {
    try {
      const parts = [];
      for await (const part of request) parts.push(part);
      const answer = await enter(JSON.parse(Buffer.concat(parts).toString()));
      response.setHeader('Content-Type', 'application/json').end(JSON.stringify(answer));
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  })
  .listen(Number(port), '127.0.0.1', () => console.log(`ready ${mediasoup.version}`));
