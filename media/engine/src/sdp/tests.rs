//! Offers of five stacks, and every way to be refused.

use super::*;

const CHROMIUM_LISTEN: &str = include_str!("corpus/chromium-listen.sdp");
const CHROMIUM_SPEAK: &str = include_str!("corpus/chromium-speak.sdp");
const FIREFOX_SPEAK: &str = include_str!("corpus/firefox-speak.sdp");
const AIORTC_LISTEN: &str = include_str!("corpus/aiortc-listen.sdp");
const PION_LISTEN: &str = include_str!("corpus/pion-listen.sdp");
const GSTREAMER_SPEAK: &str = include_str!("corpus/gstreamer-speak.sdp");

/// (mid, payload type, level extension) of each section to be used.
fn usable(sdp: &str, direction: Direction) -> Vec<(String, u8, Option<u8>)> {
    let offer = Offer::parse(sdp, direction).expect("usable");
    offer.audio().map(|audio| (audio.mid.clone(), audio.payload_type, audio.level_id)).collect()
}

fn section(mid: &str, payload_type: u8, level_id: Option<u8>) -> (String, u8, Option<u8>) {
    (mid.into(), payload_type, level_id)
}

fn refusal(sdp: &str, direction: Direction) -> String {
    Offer::parse(sdp, direction).expect_err("refused").0
}

fn answer(sdp: &str, direction: Direction, slots: &[SlotStream]) -> String {
    let offer = Offer::parse(sdp, direction).expect("usable");
    let ice = IceCredentials { ufrag: "engine12".into(), password: "password+of+the+engine+1".into() };
    let addresses = ["192.0.2.1", "2001:db8::1"].map(|text| text.parse().expect("an address")).to_vec();
    let candidates = Candidates { addresses, port: 8004, tcp_ports: vec![8004] };
    let fingerprint = crate::certificate::Fingerprint([0xab; 32]);
    Answer { offer: &offer, direction, ice: &ice, fingerprint, candidates: &candidates, id: 42, slots }.to_string()
}

#[test]
fn offers_of_five_stacks_are_understood() {
    assert_eq!(
        usable(CHROMIUM_LISTEN, Direction::Listen),
        [section("0", 111, Some(1)), section("1", 111, Some(1)), section("2", 111, Some(1))]
    );
    assert_eq!(usable(CHROMIUM_SPEAK, Direction::Speak), [section("0", 111, Some(1))]);
    assert_eq!(usable(FIREFOX_SPEAK, Direction::Speak), [section("0", 109, Some(1))]);
    assert_eq!(usable(AIORTC_LISTEN, Direction::Listen), [section("0", 96, Some(2)), section("1", 96, Some(2))]);
    assert_eq!(usable(PION_LISTEN, Direction::Listen), [section("0", 111, None)]);
    assert_eq!(usable(GSTREAMER_SPEAK, Direction::Speak), [section("audio0", 96, None)]);
}

#[test]
fn fingerprint_in_the_session_part_counts() {
    let offer = Offer::parse(FIREFOX_SPEAK, Direction::Speak).expect("usable");
    assert!(offer.fingerprint.to_string().starts_with("7B:8B:F0:65"));
    assert_eq!((offer.ice.ufrag.as_str(), offer.ice.password.as_str()), ("6f5b7d8e", "5ebe2a9c7ddbcfd1a4e5c0f3ab0b1f9c"));
}

#[test]
fn sha_256_is_found_among_other_fingerprints() {
    let offer = Offer::parse(AIORTC_LISTEN, Direction::Listen).expect("usable");
    assert!(offer.fingerprint.to_string().starts_with("2E:BE:09:94"));
}

#[test]
fn video_and_data_are_answered_with_port_zero_in_their_places() {
    let slots = [1, 2, 3].map(|ssrc| SlotStream { ssrc });
    let answer = answer(CHROMIUM_LISTEN, Direction::Listen, &slots);
    let sections: Vec<&str> = answer.lines().filter(|line| line.starts_with("m=")).collect();
    assert_eq!(sections.len(), 5);
    assert_eq!(sections[..3], ["m=audio 8004 UDP/TLS/RTP/SAVPF 111 63"; 3]);
    assert!(sections[3].starts_with("m=video 0 UDP/TLS/RTP/SAVPF "), "{}", sections[3]);
    assert_eq!(sections[4], "m=application 0 UDP/DTLS/SCTP webrtc-datachannel");
    assert!(answer.contains("a=group:BUNDLE 0 1 2\r\n"));
}

#[test]
fn answer_to_a_speaker_is_exactly_this() {
    let expected = "v=0\r\no=- 21 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=ice-lite\r\na=msid-semantic: WMS *\r\n\
        m=audio 8004 UDP/TLS/RTP/SAVPF 63 111\r\nc=IN IP4 192.0.2.1\r\na=mid:0\r\na=ice-ufrag:engine12\r\na=ice-pwd:password+of+the+engine+1\r\n\
        a=fingerprint:sha-256 AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB\r\n\
        a=setup:passive\r\na=recvonly\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=rtpmap:111 opus/48000/2\r\n\
        a=fmtp:111 minptime=20;useinbandfec=1;usedtx=1;stereo=0;sprop-stereo=0\r\n\
        a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n\
        a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n\
        a=candidate:1 1 udp 2130706431 192.0.2.1 8004 typ host\r\na=candidate:2 1 udp 2130706175 2001:db8::1 8004 typ host\r\n\
        a=candidate:3 1 tcp 1520434687 192.0.2.1 8004 typ host tcptype passive\r\n\
        a=candidate:4 1 tcp 1520434431 2001:db8::1 8004 typ host tcptype passive\r\n\
        a=end-of-candidates\r\n";
    assert_eq!(answer(CHROMIUM_SPEAK, Direction::Speak, &[]), expected);
}

#[test]
fn answer_to_a_listener_names_a_stream_per_slot() {
    let answer = answer(AIORTC_LISTEN, Direction::Listen, &[SlotStream { ssrc: 17 }, SlotStream { ssrc: 18 }]);
    assert_eq!(answer.matches("a=sendonly\r\n").count(), 2);
    assert!(answer.contains("a=msid:slot-0 slot-0\r\na=ssrc:17 cname:salon\r\n"));
    assert!(answer.contains("a=msid:slot-1 slot-1\r\na=ssrc:18 cname:salon\r\n"));
}

/// (payload type of redundant audio data, whether packets may be asked for again) of the first section.
fn repair(sdp: &str, direction: Direction) -> (Option<u8>, bool) {
    let offer = Offer::parse(sdp, direction).expect("usable");
    let audio = offer.audio().next().expect("one");
    (audio.red, audio.nack)
}

#[test]
fn repair_is_agreed_on_where_it_is_offered_and_only_there() {
    assert_eq!(repair(CHROMIUM_SPEAK, Direction::Speak), (Some(63), false));
    assert_eq!(repair(CHROMIUM_LISTEN, Direction::Listen), (Some(63), false));
    for (sdp, direction) in [(FIREFOX_SPEAK, Direction::Speak), (AIORTC_LISTEN, Direction::Listen), (PION_LISTEN, Direction::Listen)] {
        assert_eq!(repair(sdp, direction), (None, false));
        let answer = answer(sdp, direction, &[]);
        assert!(!answer.contains("red/") && !answer.contains("rtcp-fb"), "{answer}");
    }
    assert_eq!(repair(GSTREAMER_SPEAK, Direction::Speak), (None, true));
    assert!(answer(GSTREAMER_SPEAK, Direction::Speak, &[]).contains("a=rtcp-fb:96 nack\r\n"));
}

#[test]
fn formats_stand_in_the_order_in_which_they_are_wanted() {
    let line = |sdp: &str| sdp.lines().find(|line| line.starts_with("m=")).map(str::to_owned).expect("a section");
    assert_eq!(line(&answer(CHROMIUM_SPEAK, Direction::Speak, &[])), "m=audio 8004 UDP/TLS/RTP/SAVPF 63 111");
    assert_eq!(line(&answer(CHROMIUM_LISTEN, Direction::Listen, &[])), "m=audio 8004 UDP/TLS/RTP/SAVPF 111 63");
}

#[test]
fn redundant_audio_data_must_be_of_opus_and_of_two_blocks_at_least() {
    let with = |line: &str| repair(&CHROMIUM_SPEAK.replace("a=fmtp:63 111/111", line), Direction::Speak).0;
    assert_eq!(with("a=fmtp:63 111/111/111"), Some(63));
    for line in ["a=fmtp:63 111", "a=fmtp:63 111/0", "a=fmtp:63 ", "a=fmtp:63 /", "a=fmtp:64 111/111", "a=fmtp:63"] {
        assert_eq!(with(line), None, "{line}");
    }
    assert_eq!(repair(&CHROMIUM_SPEAK.replace("SAVPF 111 63", "SAVPF 111"), Direction::Speak).0, None, "not in the m= line");
}

#[test]
fn nack_counts_for_opus_alone_and_not_with_a_parameter() {
    let with = |line: &str| repair(&CHROMIUM_SPEAK.replace("a=rtcp-fb:111 transport-cc", line), Direction::Speak).1;
    assert!(with("a=rtcp-fb:111 nack") && with("a=rtcp-fb:* nack"));
    for line in ["a=rtcp-fb:111 nack pli", "a=rtcp-fb:63 nack", "a=rtcp-fb:nack", "a=rtcp-fb:111", "a=rtcp-fb:"] {
        assert!(!with(line), "{line}");
    }
}

#[test]
fn offer_with_lines_ended_by_line_feed_alone_is_understood() {
    assert!(Offer::parse(&CHROMIUM_SPEAK.replace("\r\n", "\n"), Direction::Speak).is_ok());
}

#[test]
fn every_refusal_names_what_is_wrong() {
    let speak = CHROMIUM_SPEAK.replace("\r\n", "\n");
    let without =
        |start: &str| -> String { speak.lines().filter(|line| !line.starts_with(start)).map(|line| format!("{line}\n")).collect() };
    let table = [
        ("".to_owned(), "This is not SDP: the first line must be v=0."),
        ("{\"sdp\": \"v=0\"}".to_owned(), "This is not SDP: the first line must be v=0."),
        (format!("{speak}{}", "a".repeat(32 * 1024)), "The SDP is longer than 32 KiB."),
        (format!("{speak}hello\n"), "Line 39 of the SDP is not of the form x=…."),
        (format!("{speak}{}", "a=x\n".repeat(1_000)), "The SDP has more than 1000 lines."),
        (format!("{speak}{}", "m=video 9 UDP/TLS/RTP/SAVPF 96\n".repeat(8)), "The SDP has more than 8 media sections."),
        (without("m="), "The offer has no audio section with direction sendonly or sendrecv."),
        (speak.replace("a=sendonly", "a=recvonly"), "The offer has no audio section with direction sendonly or sendrecv."),
        (speak.replace("m=audio 9 UDP", "m=audio 0 UDP"), "The offer has no audio section with direction sendonly or sendrecv."),
        (speak.replace("m=audio 9 UDP", "m=audio x UDP"), "The port of an m= line is no number from 0 to 65535."),
        (
            speak.replace("m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126", "m=audio"),
            "An m= line must name kind, port, protocol and formats.",
        ),
        (speak.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"), "The audio section must use UDP/TLS/RTP/SAVPF: sound is sent by DTLS-SRTP only."),
        (without("a=rtcp-mux"), "The line a=rtcp-mux is missing: sound and its control share one port."),
        (without("a=mid"), "The line a=mid is missing in an audio section."),
        (speak.replace("a=mid:0", "a=mid:0 1"), "An a=mid is longer than 64 characters or no word."),
        (
            speak.replace("opus/48000/2", "speex/8000"),
            "The audio section does not offer Opus at 48 kHz (a=rtpmap:… opus/48000/2), the only codec here.",
        ),
        (without("a=setup"), "The line a=setup is missing."),
        (speak.replace("a=setup:actpass", "a=setup:passive"), "a=setup must be actpass or active: the peer opens DTLS."),
        (without("a=ice-ufrag"), "The line a=ice-ufrag is missing."),
        (without("a=ice-pwd"), "The line a=ice-pwd is missing."),
        (speak.replace("a=ice-ufrag:POXT", "a=ice-ufrag:POX"), "a=ice-ufrag must have 4 to 256 characters."),
        (speak.replace("a=ice-ufrag:POXT", "a=ice-ufrag:PO:XT"), "a=ice-ufrag may hold letters, digits, + and / only."),
        (without("a=fingerprint"), "The line a=fingerprint is missing."),
        (speak.replace("fingerprint:sha-256", "fingerprint:sha-1"), "No a=fingerprint with sha-256."),
        (speak.replace("99:9F:0B", "99:9F"), "The a=fingerprint of sha-256 is not 32 bytes of hexadecimal."),
    ];
    for (sdp, expected) in table {
        assert_eq!(refusal(&sdp, Direction::Speak), expected);
    }
}

#[test]
fn number_of_audio_sections_is_limited_by_direction() {
    let two = AIORTC_LISTEN.replace("a=recvonly", "a=sendonly");
    assert_eq!(refusal(&two, Direction::Speak), "The offer has 2 audio sections; one speaks with one.");
    let media = PION_LISTEN.find("m=").expect("a section");
    let four: String = (1..4).map(|mid| PION_LISTEN[media..].replace("a=mid:0", &format!("a=mid:{mid}"))).collect();
    let four = format!("{PION_LISTEN}{four}").replace("BUNDLE 0", "BUNDLE 0 1 2 3");
    assert_eq!(refusal(&four, Direction::Listen), "The offer has 4 audio sections; at most 3 can be listened to.");
}

#[test]
fn sections_must_share_one_transport_and_have_names_of_their_own() {
    assert_eq!(
        refusal(&AIORTC_LISTEN.replace("BUNDLE 0 1", "BUNDLE 0"), Direction::Listen),
        "Every audio section must be in a=group:BUNDLE: all sound shares one transport."
    );
    assert_eq!(refusal(&AIORTC_LISTEN.replace("a=mid:1", "a=mid:0"), Direction::Listen), "Two sections have the same a=mid.");
}

#[test]
fn cut_and_garbled_offers_are_refused_without_panic() {
    for offer in [CHROMIUM_LISTEN, FIREFOX_SPEAK, GSTREAMER_SPEAK] {
        for cut in (0..offer.len()).step_by(5) {
            for direction in [Direction::Listen, Direction::Speak] {
                let _ = Offer::parse(&offer[..cut], direction);
                let _ = Fragment::parse(&offer[cut..]);
            }
        }
    }
}

#[test]
fn fragment_gives_its_credentials_wherever_they_stand() {
    let credentials = "a=ice-ufrag:new1\r\na=ice-pwd:new+password+of+the+peer\r\n";
    for fragment in [credentials.to_owned(), format!("a=ice-lite\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n{credentials}")] {
        assert_eq!(Fragment::parse(&fragment).expect("usable").ice.ufrag, "new1");
    }
    assert_eq!(Fragment::parse("a=ice-ufrag:new1\r\n").expect_err("half").0, "The line a=ice-pwd is missing.");
    assert_eq!(Fragment::parse("a=end-of-candidates\r\n").expect_err("nothing").0, "no new credentials");
}

#[test]
fn our_fragment_reads_back() {
    let ice = IceCredentials { ufrag: "engine12".into(), password: "password+of+the+engine+1".into() };
    let candidates = Candidates { addresses: vec!["192.0.2.1".parse().expect("an address")], port: 8004, tcp_ports: vec![443] };
    let fragment = write_fragment(&ice, "0", &candidates);
    assert_eq!(Fragment::parse(&fragment).expect("usable").ice, ice);
    let expected = "a=candidate:1 1 udp 2130706431 192.0.2.1 8004 typ host\r\n\
        a=candidate:2 1 tcp 1520434943 192.0.2.1 443 typ host tcptype passive\r\na=end-of-candidates\r\n";
    assert!(fragment.ends_with(expected), "{fragment}");
}
