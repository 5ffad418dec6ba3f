import { describe, expect, it } from 'vitest';
import { answerAfterRestart, iceRestartFragment } from './sdp.ts';

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
