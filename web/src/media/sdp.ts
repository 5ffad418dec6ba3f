/** The few things this client reads and writes in SDP by itself; everything else is the browser's. */

/**
 * The body of a PATCH that restarts ICE: the new credentials of an offer as RFC 8840 fragment (RFC 9725 section 4.3.2).
 *
 * offer: what `createOffer({ iceRestart: true })` made. All media sections are bundled, so the first one's credentials are everybody's.
 */
export function iceRestartFragment(offer: string): string {
  const lines = offer.split(/\r?\n/);
  const attribute = (name: string) => lines.find((line) => line.startsWith(`a=${name}:`));
  const wanted = [
    attribute('group'),
    lines.find((line) => line.startsWith('m=')),
    attribute('mid'),
    attribute('ice-ufrag'),
    attribute('ice-pwd'),
  ];
  return wanted.filter((line) => line !== undefined).join('\r\n') + '\r\n';
}

/** The answer that goes with an ICE restart: the last one, with the credentials and candidates of the server's fragment. */
export function answerAfterRestart(lastAnswer: string, fragment: string): string {
  const fresh = fragment.split(/\r?\n/);
  const ufrag = fresh.find((line) => line.startsWith('a=ice-ufrag:'));
  const password = fresh.find((line) => line.startsWith('a=ice-pwd:'));
  if (!ufrag || !password) throw new Error('the fragment has no ICE credentials');
  const candidates = [...new Set(fresh.filter((line) => line.startsWith('a=candidate:')))];
  const lines: string[] = [];
  for (const line of lastAnswer.split(/\r?\n/)) {
    if (line.startsWith('a=ice-ufrag:')) lines.push(ufrag);
    else if (line.startsWith('a=ice-pwd:')) lines.push(password, ...candidates);
    else if (candidates.length > 0 && /^a=(candidate:|end-of-candidates)/.test(line)) continue;
    else lines.push(line);
  }
  return lines.join('\r\n');
}

/**
 * The offer, asking for retransmission of Opus packets (generic NACK, RFC 4585 section 6.2.1).
 *
 * Browsers answer NACKs for sound and send them, but offer so for video only. Where Opus is not offered, or asks already, nothing changes.
 */
export function withOpusNack(offer: string): string {
  return sections(offer).flatMap(askForNack).join('\r\n');
}

function askForNack(section: string[]): string[] {
  const opus = section.find((line) => /^a=rtpmap:\d+ opus\/48000\/2$/i.test(line));
  const type = opus && /\d+/.exec(opus)?.[0];
  if (section.includes(`a=rtcp-fb:${type} nack`) || section.includes('a=rtcp-fb:* nack')) return section;
  return section.flatMap((line) => (line === opus ? [line, `a=rtcp-fb:${type} nack`] : [line]));
}

/** Lines, from one `m=` to the next; the first is the session's. */
function sections(sdp: string): string[][] {
  const found: string[][] = [[]];
  for (const line of sdp.split(/\r?\n/)) {
    if (line.startsWith('m=')) found.push([]);
    found.at(-1)?.push(line);
  }
  return found;
}
