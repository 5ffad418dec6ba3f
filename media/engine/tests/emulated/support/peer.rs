//! One WebRTC peer: checks, DTLS client, SRTP, a microphone, and a memory of what it heard.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dimpl::{Dtls, DtlsCertificate, Output};
use hmac::{Hmac, KeyInit, Mac};
use is::stun::{StunMessage, TransId};
use salon_engine::{Direction, Route};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::repair::{Receiver, Sender, read_red, write_red};
use super::srtp::Keys;
use super::{ROOM, sdp};

const CERTIFICATE: &[u8] = include_bytes!("peer-certificate.der");
const KEY: &[u8] = include_bytes!("peer-key.der");
pub const PASSWORD: &str = "a+password+of+the+peer+0123456789";
pub const LEVEL_ID: u8 = 3;

pub struct Peer {
    pub route: Route,
    pub session: String,
    pub room: &'static str,
    pub person: String,
    pub direction: Direction,
    pub slots: usize,
    pub repair: sdp::Repair,
    /// Copies in a speaker's packets, where redundant audio data was agreed on.
    pub copies: usize,
    pub ufrag: String,
    /// What it announces; its certificate's unless a test says otherwise.
    pub fingerprint: String,
    /// (ufrag, password) of the engine.
    pub theirs: (String, String),
    pub ssrcs: Vec<u32>,
    pub heard: Vec<Heard>,
    /// Frames that came as copies in later packets.
    pub copied: Vec<Heard>,
    /// What a listener does about loss, or a speaker about being asked.
    pub receiver: Receiver,
    pub sender: Sender,
    /// Every datagram of sound that came, as it came.
    pub datagrams: Vec<Vec<u8>>,
    pub reports: Vec<(Instant, Vec<u8>)>,
    /// When reports about nobody came: signs of life.
    pub signs: Vec<Instant>,
    /// Datagrams whose tag did not match.
    pub undecipherable: usize,
    pub password: String,
    /// Checks of the engine's that were answered.
    pub checked: usize,
    /// Unlike a full agent.
    pub ignores_checks: bool,
    /// What is meant for others comes to its address as well, and it passes over that.
    pub is_impersonated: bool,
    pub checks_answered: usize,
    pub said_goodbye: bool,
    /// False: it only answers.
    pub checks_by_itself: bool,
    /// Gone from the network without a word.
    pub is_unplugged: bool,
    pub microphone: Option<Microphone>,
    pub last_rtp: Vec<u8>,
    agreed_red: bool,
    dtls: Option<Dtls>,
    dtls_due: Option<Instant>,
    keys: Option<(Keys, Keys)>,
    next_check: Option<Instant>,
    outbox: Vec<Vec<u8>>,
}

/// A packet that came and could be decrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    pub at: Instant,
    pub ssrc: u32,
    pub index: u64,
    pub timestamp: u32,
    pub marker: bool,
    pub csrc: u32,
    pub level: Option<u8>,
    pub payload: Vec<u8>,
}

pub struct Microphone {
    pub ssrc: u32,
    /// RFC 6464; None: the extension is left out.
    pub level: Option<u8>,
    pub index: u64,
    pub timestamp: u32,
    pub next_at: Instant,
    /// From one packet to the next.
    pub interval: Duration,
    /// Zeros after the payload's text.
    pub stuffing: usize,
    /// Frames to be sent instead of text; after the last come empty ones.
    pub recording: Option<VecDeque<Vec<u8>>>,
}

fn hmac_sha1(key: &[u8], parts: &[&[u8]]) -> [u8; 20] {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// A binding request with the peer's nomination.
pub fn check(username: &str, password: &str) -> Vec<u8> {
    binding_request(username, password, true)
}

pub fn binding_request(username: &str, password: &str, nominates: bool) -> Vec<u8> {
    let mut bytes = vec![0; 256];
    let message = StunMessage::binding_request(username, TransId::new(), true, 1, 100, nominates);
    let len = message.to_bytes(Some(password.as_bytes()), &mut bytes, hmac_sha1).unwrap();
    bytes.truncate(len);
    bytes
}

impl Peer {
    pub fn new(route: Route, person: &str, direction: Direction, slots: usize) -> Self {
        let word = match direction {
            Direction::Listen => "listen",
            Direction::Speak => "speak",
        };
        let fingerprint: Vec<String> = Sha256::digest(CERTIFICATE).iter().map(|byte| format!("{byte:02X}")).collect();
        Self {
            route,
            session: format!("{word}-{person}"),
            room: ROOM,
            person: person.into(),
            direction,
            slots,
            repair: sdp::Repair::default(),
            copies: 1,
            ufrag: "peer".into(),
            fingerprint: fingerprint.join(":"),
            theirs: Default::default(),
            ssrcs: Vec::new(),
            heard: Vec::new(),
            copied: Vec::new(),
            receiver: Receiver::default(),
            sender: Sender::default(),
            datagrams: Vec::new(),
            reports: Vec::new(),
            signs: Vec::new(),
            undecipherable: 0,
            password: PASSWORD.into(),
            checked: 0,
            ignores_checks: false,
            is_impersonated: false,
            checks_answered: 0,
            said_goodbye: false,
            checks_by_itself: true,
            is_unplugged: false,
            microphone: None,
            last_rtp: Vec::new(),
            agreed_red: false,
            dtls: None,
            dtls_due: None,
            keys: None,
            next_check: None,
            outbox: Vec::new(),
        }
    }

    pub fn offer(&self) -> String {
        sdp::offer(self.direction, self.slots, self.repair, &self.ufrag, &self.password, &self.fingerprint)
    }

    pub fn take_answer(&mut self, now: Instant, answer: &str) {
        let value = |name| sdp::value(answer, name).unwrap().to_owned();
        self.theirs = (value("ice-ufrag"), value("ice-pwd"));
        self.ssrcs = sdp::ssrcs(answer);
        self.agreed_red = answer.contains("a=rtpmap:63 red/48000/2");
        self.next_check = Some(now);
    }

    /// Go on with the engine's new credentials, beginning with a check.
    pub fn restart(&mut self, now: Instant, fragment: &str) {
        let value = |name| sdp::value(fragment, name).unwrap().to_owned();
        self.theirs = (value("ice-ufrag"), value("ice-pwd"));
        self.next_check = Some(now);
    }

    pub fn username(&self) -> String {
        format!("{}:{}", self.theirs.0, self.ufrag)
    }

    pub fn is_connected(&self) -> bool {
        self.keys.is_some()
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        if self.is_unplugged {
            return None;
        }
        let microphone = self.microphone.as_ref().map(|microphone| microphone.next_at);
        [self.next_check, self.dtls_due, microphone, self.receiver.deadline()].into_iter().flatten().min()
    }

    pub fn open_microphone(&mut self, now: Instant, level: Option<u8>) {
        // Near the rollover of the sequence number, so that every test that runs for a second passes it.
        self.microphone = Some(Microphone {
            ssrc: 0x5eed,
            level,
            index: 65_500,
            timestamp: 0xffff_f000,
            next_at: now,
            interval: Duration::from_millis(20),
            stuffing: 0,
            recording: None,
        });
    }

    /// Packets of one slot.
    pub fn heard_in(&self, slot: usize) -> Vec<&Heard> {
        self.heard.iter().filter(|heard| heard.ssrc == self.ssrcs[slot]).collect()
    }

    /// CSRCs heard since `since`, each once, in order of number.
    pub fn voices_since(&self, since: Instant) -> Vec<u32> {
        let mut voices: Vec<u32> = self.heard.iter().filter(|heard| heard.at >= since).map(|heard| heard.csrc).collect();
        voices.sort_unstable();
        voices.dedup();
        voices
    }

    /// CSRCs of the packets after the first `count`.
    pub fn voices_after(&self, count: usize) -> Vec<u32> {
        let mut voices: Vec<u32> = self.heard[count..].iter().map(|heard| heard.csrc).collect();
        voices.sort_unstable();
        voices.dedup();
        voices
    }

    pub fn say_goodbye(&mut self) {
        self.dtls.as_mut().unwrap().close().unwrap();
        self.poll_dtls();
    }

    pub fn send_rtcp(&mut self, packet: &[u8]) {
        let packet = self.keys.as_mut().unwrap().0.protect_rtcp(packet);
        self.outbox.push(packet);
    }

    /// What is due now.
    pub fn take_datagrams(&mut self, now: Instant) -> Vec<Vec<u8>> {
        if self.next_check.is_some_and(|at| at <= now) && !self.checks_by_itself {
            self.next_check = None;
        }
        if self.next_check.is_some_and(|at| at <= now) {
            self.outbox.push(check(&self.username(), &self.theirs.1));
            let often = if self.checks_answered == 0 { 100 } else { 2_500 };
            self.next_check = Some(now + Duration::from_millis(often));
        }
        if self.dtls_due.is_some_and(|at| at <= now) {
            self.dtls.as_mut().unwrap().handle_timeout(now).unwrap();
            self.poll_dtls();
        }
        while self.microphone.as_ref().is_some_and(|microphone| microphone.next_at <= now) {
            let packet = self.speak_a_frame();
            self.outbox.push(packet);
        }
        let reports = self.receiver.take_due(now);
        for report in reports {
            self.send_rtcp(&report);
        }
        std::mem::take(&mut self.outbox)
    }

    /// Encrypt the microphone's next frame into `last_rtp`, without sending it.
    pub fn next_frame(&mut self) {
        self.speak_a_frame();
    }

    fn speak_a_frame(&mut self) -> Vec<u8> {
        let microphone = self.microphone.as_mut().unwrap();
        let red = self.agreed_red && self.copies > 0;
        let mut header = vec![if microphone.level.is_some() { 0x90 } else { 0x80 }, if red { 63 } else { 111 }];
        header.extend_from_slice(&microphone.index.to_be_bytes()[6..]);
        header.extend_from_slice(&microphone.timestamp.to_be_bytes());
        header.extend_from_slice(&microphone.ssrc.to_be_bytes());
        if let Some(level) = microphone.level {
            header.extend_from_slice(&[0xbe, 0xde, 0, 1, LEVEL_ID << 4, level, 0, 0]);
        }
        let mut frame = match &mut microphone.recording {
            Some(recording) => recording.pop_front().unwrap_or_default(),
            None => format!("{} {}", self.person, microphone.index).into_bytes(),
        };
        frame.resize(frame.len() + microphone.stuffing, 0);
        let payload = if red { write_red(&self.sender.frames, microphone.timestamp, self.copies, &frame) } else { frame.clone() };
        self.sender.frames.push_back((microphone.timestamp, frame));
        if self.sender.frames.len() > 8 {
            self.sender.frames.pop_front();
        }
        let packet = self.keys.as_ref().unwrap().0.protect(&header, &payload, microphone.ssrc, microphone.index);
        self.sender.keep(microphone.index, &packet);
        microphone.index += 1;
        microphone.timestamp = microphone.timestamp.wrapping_add(960);
        microphone.next_at += microphone.interval;
        self.last_rtp.clone_from(&packet);
        packet
    }

    pub fn receive(&mut self, now: Instant, bytes: &[u8]) {
        match bytes[0] {
            0..=3 => self.receive_stun(now, bytes),
            20..=63 => {
                let Some(dtls) = &mut self.dtls else { return };
                dtls.handle_timeout(now).unwrap();
                dtls.handle_packet(bytes).unwrap();
                self.poll_dtls();
            }
            128..=191 if (192..=223).contains(&bytes[1]) => match self.keys.as_ref().and_then(|(_, theirs)| theirs.unprotect_rtcp(bytes)) {
                Some(report) if report.len() == 8 && report[1] == 201 => self.signs.push(now),
                Some(report) => {
                    let again = self.sender.asked_again(&report);
                    self.receiver.on_rtcp(now, &report);
                    self.outbox.extend(again);
                    self.reports.push((now, report));
                }
                None => self.undecipherable += 1,
            },
            _ => self.receive_rtp(now, bytes),
        }
    }

    fn receive_stun(&mut self, now: Instant, bytes: &[u8]) {
        let message = StunMessage::parse(bytes).unwrap();
        let password = if message.is_binding_request() { &self.password } else { &self.theirs.1 };
        if self.is_impersonated && !message.verify(password.as_bytes(), hmac_sha1) {
            return;
        }
        if message.is_binding_request() {
            self.answer_check(&message);
            return;
        }
        assert!(message.verify(self.theirs.1.as_bytes(), hmac_sha1), "the answer is signed with the engine's password");
        assert!(message.is_successful_binding_response());
        assert_eq!(message.mapped_address(), Some(self.route.peer));
        self.checks_answered += 1;
        if self.dtls.is_none() {
            let certificate = DtlsCertificate { certificate: CERTIFICATE.to_vec(), private_key: KEY.to_vec() };
            let mut dtls = Dtls::new_12(Arc::new(dimpl::Config::default()), certificate, now);
            dtls.set_active(true);
            dtls.handle_timeout(now).unwrap();
            self.dtls = Some(dtls);
            self.poll_dtls();
        }
    }

    /// As every full agent does (RFC 8445 section 7.3).
    fn answer_check(&mut self, message: &StunMessage<'_>) {
        assert_eq!(message.split_username(), Some((self.ufrag.as_str(), self.theirs.0.as_str())));
        assert!(message.verify(self.password.as_bytes(), hmac_sha1), "the engine's check is signed with the peer's password");
        assert!(message.ice_controlled().is_some() && message.prio().is_some());
        if self.ignores_checks {
            return;
        }
        self.checked += 1;
        let mut bytes = vec![0; 256];
        let len =
            StunMessage::binding_reply(message.trans_id(), self.route.peer).to_bytes(Some(self.password.as_bytes()), &mut bytes, hmac_sha1);
        bytes.truncate(len.unwrap());
        self.outbox.push(bytes);
    }

    fn poll_dtls(&mut self) {
        let mut buffer = [0; 2_048];
        let dtls = self.dtls.as_mut().unwrap();
        loop {
            match dtls.poll_output(&mut buffer) {
                Output::Packet(packet) => self.outbox.push(packet.to_vec()),
                Output::Timeout(at) => {
                    self.dtls_due = Some(at);
                    return;
                }
                Output::KeyingMaterial(material, _) => self.keys = Some(Keys::from_dtls(&material)),
                Output::CloseNotify => self.said_goodbye = true,
                _ => {}
            }
        }
    }

    fn receive_rtp(&mut self, now: Instant, packet: &[u8]) {
        assert_eq!(packet[0] & 0x0f, 1, "one CSRC");
        let has_extension = packet[0] & 0x10 != 0;
        let header_len = if has_extension { 24 } else { 16 };
        let word = |at: usize| u32::from_be_bytes(packet[at..at + 4].try_into().unwrap());
        let Some((index, payload)) = self.keys.as_mut().and_then(|(_, theirs)| theirs.unprotect(packet, header_len)) else {
            self.undecipherable += 1;
            return;
        };
        self.datagrams.push(packet.to_vec());
        let (newest, copies) = match packet[1] & 0x7f {
            111 => (payload, vec![]),
            63 if self.agreed_red => read_red(&payload),
            other => panic!("payload type {other} was not agreed on"),
        };
        self.receiver.on_packet(now, word(8), index, self.repair.nack);
        let heard = Heard {
            at: now,
            ssrc: word(8),
            index,
            timestamp: word(4),
            marker: packet[1] & 0x80 != 0,
            csrc: word(12),
            level: has_extension.then(|| packet[21]),
            payload: newest,
        };
        for (behind, (offset, payload)) in (1..).zip(copies) {
            let timestamp = heard.timestamp.wrapping_sub(offset);
            self.copied.push(Heard { index: index - behind, timestamp, marker: false, level: None, payload, ..heard.clone() });
        }
        self.heard.push(heard);
    }
}
