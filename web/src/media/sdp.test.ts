import { describe, expect, it } from 'vitest';
import { answerAfterRestart, iceRestartFragment, withOpusNack } from './sdp.ts';

const lines = (...each: string[]) => each.join('\r\n');

describe('iceRestartFragment', () => {
  it('holds the group, the first section and its credentials, and nothing else', () => {
    const offer = lines(
      'v=0',
      'a=group:BUNDLE 0 1',
      'm=audio 9 UDP/TLS/RTP/SAVPF 111',
      'a=mid:0',
      'a=ice-ufrag:abcd',
      'a=ice-pwd:secret',
      'a=candidate:1 1 udp 1 10.0.0.1 9 typ host',
      'm=audio 9 UDP/TLS/RTP/SAVPF 111',
      'a=mid:1',
      'a=ice-ufrag:abcd',
      'a=ice-pwd:secret',
    );
    expect(iceRestartFragment(offer)).toBe(
      lines('a=group:BUNDLE 0 1', 'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=mid:0', 'a=ice-ufrag:abcd', 'a=ice-pwd:secret', ''),
    );
  });
});

describe('answerAfterRestart', () => {
  const answer = lines(
    'm=audio 9 x 111',
    'a=ice-ufrag:old',
    'a=ice-pwd:older',
    'a=candidate:1 1 udp 1 127.0.0.1 8004 typ host',
    'a=end-of-candidates',
    'm=audio 9 x 111',
    'a=ice-ufrag:old',
    'a=ice-pwd:older',
    '',
  );

  it('puts the new credentials into every section and keeps the candidates where none came', () => {
    expect(answerAfterRestart(answer, 'a=ice-ufrag:new\r\na=ice-pwd:newer\r\n')).toBe(
      answer.replaceAll('a=ice-ufrag:old', 'a=ice-ufrag:new').replaceAll('a=ice-pwd:older', 'a=ice-pwd:newer'),
    );
  });

  it('takes the new candidates where some came', () => {
    const fragment = lines('a=ice-ufrag:new', 'a=ice-pwd:newer', 'a=candidate:2 1 udp 1 192.0.2.7 8004 typ host');
    const next = answerAfterRestart(answer, fragment);
    expect(next).not.toContain('127.0.0.1');
    expect(next.match(/a=candidate:2 /g)).toHaveLength(2);
  });

  it('refuses a fragment without credentials', () => {
    expect(() => answerAfterRestart(answer, 'a=mid:0')).toThrow('no ICE credentials');
  });
});

const opus = ['a=rtpmap:111 opus/48000/2', 'a=rtcp-fb:111 transport-cc', 'a=fmtp:111 minptime=10;useinbandfec=1'];
const red = ['a=rtpmap:63 red/48000/2', 'a=fmtp:63 111/111'];

describe('withOpusNack', () => {
  it('asks in each section, by its own payload type, and leaves RED and everything else as it was', () => {
    const offer = lines('v=0', 'm=audio 9 x 111 63', ...opus, ...red, 'm=audio 9 x 96', 'a=rtpmap:96 OPUS/48000/2', '');
    expect(withOpusNack(offer)).toBe(
      lines(
        'v=0',
        'm=audio 9 x 111 63',
        'a=rtpmap:111 opus/48000/2',
        'a=rtcp-fb:111 nack',
        'a=rtcp-fb:111 transport-cc',
        'a=fmtp:111 minptime=10;useinbandfec=1',
        ...red,
        'm=audio 9 x 96',
        'a=rtpmap:96 OPUS/48000/2',
        'a=rtcp-fb:96 nack',
        '',
      ),
    );
  });

  it.each([
    ['asks already', lines('m=audio 9 x 111', ...opus, 'a=rtcp-fb:111 nack', '')],
    ['asks for everything', lines('m=audio 9 x 111', ...opus, 'a=rtcp-fb:* nack', '')],
    ['has no Opus', lines('v=0', 'm=audio 9 x 0', 'a=rtpmap:0 PCMU/8000', '')],
    ['is empty', ''],
  ])('changes nothing in an offer that %s', (_, offer) => {
    expect(withOpusNack(offer)).toBe(offer);
  });
});
