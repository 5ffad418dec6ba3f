//! Offers as peers write them, and the few values a peer needs of an answer.

use salon_engine::Direction;

/// What a peer offers against loss.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repair {
    pub red: bool,
    pub nack: bool,
}

/// A small offer with `slots` audio sections.
pub fn offer(direction: Direction, slots: usize, repair: Repair, ufrag: &str, password: &str, fingerprint: &str) -> String {
    let mids: Vec<String> = (0..slots).map(|slot| slot.to_string()).collect();
    let way = match direction {
        Direction::Listen => "recvonly",
        Direction::Speak => "sendonly",
    };
    let mut sdp = format!("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {}\r\n", mids.join(" "));
    for mid in mids {
        sdp += &format!(
            "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 0\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\na={way}\r\na=rtcp-mux\r\na=setup:actpass\r\n\
             a=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\na=fingerprint:sha-256 {fingerprint}\r\na=rtpmap:111 opus/48000/2\r\n\
             a=rtpmap:0 PCMU/8000\r\na=extmap:3 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
        );
        if repair.red {
            sdp += "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n";
        }
        if repair.nack {
            sdp += "a=rtcp-fb:111 nack\r\n";
        }
    }
    sdp
}

/// The first value of an attribute.
pub fn value<'a>(sdp: &'a str, name: &str) -> Option<&'a str> {
    let prefix = format!("a={name}:");
    sdp.lines().find_map(|line| line.strip_prefix(&prefix))
}

/// The SSRC of each slot, in order.
pub fn ssrcs(sdp: &str) -> Vec<u32> {
    let cnames = sdp.lines().filter_map(|line| line.strip_prefix("a=ssrc:")?.strip_suffix(" cname:salon"));
    cnames.map(|ssrc| ssrc.parse().unwrap()).collect()
}
