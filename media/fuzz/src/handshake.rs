//! DTLS: a client's handshake through the engine, its datagrams changed, held back, repeated, or made up.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use dimpl::{Dtls, DtlsCertificate};
use salon_engine::{CloseReason, Config, Direction, Engine, Event, Input, NewOffer, Output, Route};

use crate::checks;
use crate::script::Script;
use crate::sdp;

const CERTIFICATE: &[u8] = include_bytes!("../../engine/tests/emulated/support/peer-certificate.der");
const KEY: &[u8] = include_bytes!("../../engine/tests/emulated/support/peer-key.der");
/// Its SHA-256 is not asked for here: a handshake that comes so far ends the session, which is as far as DTLS goes.
const FINGERPRINT: &str = "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F";
const PASSWORD: &str = "the+password+of+a+peer";
const MAX_STEPS: usize = 60;

struct Handshake {
    now: Instant,
    engine: Engine,
    route: Route,
    client: Dtls,
    is_broken: bool,
    /// From the client, not yet delivered.
    waiting: Vec<Vec<u8>>,
}

pub(crate) fn dtls(bytes: &[u8]) {
    let mut script = Script(bytes);
    let mut handshake = Handshake::new(script.byte());
    for _ in 0..MAX_STEPS {
        if script.is_over() {
            break;
        }
        handshake.step(&mut script);
    }
}

impl Handshake {
    fn new(version: u8) -> Self {
        let now = Instant::now();
        let config = Config {
            addresses: vec![[192, 0, 2, 1].into()],
            port: 8004,
            tcp_ports: vec![8004],
            shard: 0,
            seed: [7; 32],
            unix_time: Duration::ZERO,
            long_packets_from: None,
        };
        let mut engine = salon_engine::fuzzing::start(config, now);
        let offer = sdp::offer(Direction::Speak, 1, sdp::Repair::default(), "peer", PASSWORD, FINGERPRINT);
        let new = NewOffer { session: "session", room: "room", person: "ada", direction: Direction::Speak, offer: &offer };
        let answer = engine.open_session(now, new).unwrap().answer;
        let certificate = DtlsCertificate { certificate: CERTIFICATE.to_vec(), private_key: KEY.to_vec() };
        // Made once: making one tries every curve.
        static CONFIG: OnceLock<Arc<dimpl::Config>> = OnceLock::new();
        let config = CONFIG.get_or_init(|| Arc::new(dimpl::Config::builder().dangerously_set_rng_seed(7).build().unwrap())).clone();
        let mut client =
            if version.is_multiple_of(2) { Dtls::new_12(config, certificate, now) } else { Dtls::new_13(config, certificate, now) };
        client.set_active(true);
        let route = Route::udp(([198, 51, 100, 1], 10_000).into());
        let mut handshake = Self { now, engine, route, client, is_broken: false, waiting: Vec::new() };
        let value = |name| sdp::value(&answer, name).unwrap();
        let mut check = checks::request(&format!("{}:peer", value("ice-ufrag")), [1; 12], true, true, &[]);
        checks::sign(&mut check, value("ice-pwd"));
        handshake.inject(&check);
        handshake.tick();
        handshake
    }

    fn step(&mut self, script: &mut Script<'_>) {
        match script.below(8) {
            0..=2 => {
                if let Some(datagram) = self.next_datagram(script) {
                    self.inject(&datagram);
                }
            }
            3 => {
                if let Some(mut datagram) = self.next_datagram(script) {
                    let at = usize::from(script.word()) % datagram.len();
                    datagram[at] ^= script.byte().max(1);
                    self.inject(&datagram);
                }
            }
            4 => {
                // Cut short, or with something behind it; twice.
                if let Some(mut datagram) = self.next_datagram(script) {
                    datagram.truncate(usize::from(script.word()) % (datagram.len() + 1));
                    datagram.extend_from_slice(script.bytes());
                    self.inject(&datagram);
                    self.inject(&datagram);
                }
            }
            5 => {
                drop(self.next_datagram(script));
            }
            6 => self.inject(script.long_bytes()),
            _ => {
                self.now += Duration::from_millis(u64::from(script.word() % 5_000));
                self.engine.handle_input(self.now, Input::Timeout);
                self.drain();
                self.tick();
            }
        }
    }

    fn next_datagram(&mut self, script: &mut Script<'_>) -> Option<Vec<u8>> {
        if self.waiting.is_empty() {
            return None;
        }
        let at = script.below(self.waiting.len());
        Some(self.waiting.remove(at))
    }

    fn inject(&mut self, datagram: &[u8]) {
        self.engine.handle_input(self.now, Input::Datagram { from: self.route, bytes: datagram });
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            let mut came = Vec::new();
            match self.engine.poll_output(self.now) {
                Output::Transmit(batch) => came = batch.iter().map(|(_, bytes)| bytes.to_vec()).collect(),
                Output::Event(Event::Closed(closed)) => assert_ne!(closed.reason, CloseReason::Internal, "no panic in a session's code"),
                Output::Event(_) | Output::Speech(_) => {}
                Output::Deadline(_) => break,
            }
            for datagram in came.iter().filter(|datagram| (20..64).contains(&datagram[0])) {
                if !self.is_broken {
                    self.is_broken = self.client.handle_packet(datagram).is_err();
                    self.poll_client();
                }
            }
        }
        self.engine.check_books();
    }

    fn tick(&mut self) {
        if !self.is_broken {
            self.is_broken = self.client.handle_timeout(self.now).is_err();
            self.poll_client();
        }
    }

    fn poll_client(&mut self) {
        let mut buffer = [0; 2_048];
        while !self.is_broken {
            match self.client.poll_output(&mut buffer) {
                dimpl::Output::Packet(packet) => self.waiting.push(packet.to_vec()),
                dimpl::Output::Timeout(_) => return,
                _ => {}
            }
        }
    }
}
