//! One session's DTLS: `dimpl` in the server's role, driven one datagram at a time.

use std::sync::Arc;
use std::time::Instant;

use dimpl::{Config, Dtls, DtlsCertificate, Output, SrtpProfile};
use rand::rngs::StdRng;

use crate::certificate::{Fingerprint, self_signed};
use crate::srtp::{MasterKeys, Profile};

/// A handshake takes a handful of round trips; the half-open session is reaped then anyway.
const RECORD_LEN: usize = 2048;

/// What came out of a step, besides datagrams.
#[derive(Default)]
pub(crate) struct DtlsProgress {
    pub peer: Option<Fingerprint>,
    /// (the peer's keys, ours).
    pub keys: Option<(Profile, MasterKeys, MasterKeys)>,
    pub connected: bool,
    /// The peer said goodbye, or the association failed for good.
    pub closed: bool,
}

/// What all associations of an engine share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct DtlsIdentity {
    config: Arc<Config>,
    certificate: Arc<DtlsCertificate>,
}

impl DtlsIdentity {
    /// A fresh key. The error is a sentence.
    pub(crate) fn new(random: &mut StdRng) -> Result<Self, String> {
        let certificate = self_signed(random).ok_or("The certificate could not be encoded.")?;
        let config = Config::builder()
            // Room for IP and UDP headers on any path that IPv6 may take (1280 bytes).
            .mtu(1_200)
            .handshake_timeout(crate::session::PATIENCE)
            .build()
            .map_err(|error| format!("DTLS could not be set up: {error}"))?;
        Ok(Self { config: Arc::new(config), certificate: Arc::new(certificate) })
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.certificate.certificate)
    }
}

/// The association of one session. It begins with the first datagram: to load the key takes a multiplication on the curve, which whoever
/// only sends offers shall not cost us.
pub(crate) struct DtlsServer {
    identity: DtlsIdentity,
    begun: Option<Association>,
}

struct Association {
    dtls: Dtls,
    deadline: Instant,
    /// Bytes that came, less those of requests for a cookie: until the peer has shown that it receives, no more may go than came.
    credit: usize,
}

impl DtlsServer {
    pub(crate) fn new(identity: DtlsIdentity) -> Self {
        Self { identity, begun: None }
    }

    /// When [`Self::handle_timeout`] is due; None while nothing has come.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.begun.as_ref().map(|association| association.deadline)
    }

    /// Take a datagram; `send` gets what is to be sent.
    pub(crate) fn handle_datagram(&mut self, now: Instant, datagram: &[u8], send: impl FnMut(&[u8])) -> DtlsProgress {
        let DtlsIdentity { config, certificate } = &self.identity;
        // The first ClientHello decides between DTLS 1.2 and 1.3.
        let begin =
            || Association { dtls: Dtls::new_auto(config.clone(), DtlsCertificate::clone(certificate), now), deadline: now, credit: 0 };
        let association = self.begun.get_or_insert_with(begin);
        association.credit += datagram.len();
        let failed = association.dtls.handle_timeout(now).and_then(|()| association.dtls.handle_packet(datagram)).is_err();
        association.drain(failed, send)
    }

    /// Time passed; `send` gets what is to be sent again.
    pub(crate) fn handle_timeout(&mut self, now: Instant, send: impl FnMut(&[u8])) -> DtlsProgress {
        let Some(association) = &mut self.begun else {
            return DtlsProgress::default();
        };
        let failed = association.dtls.handle_timeout(now).is_err();
        association.drain(failed, send)
    }

    /// Say goodbye.
    pub(crate) fn close(&mut self, send: impl FnMut(&[u8])) {
        if let Some(association) = &mut self.begun {
            let failed = association.dtls.close().is_err();
            association.drain(failed, send);
        }
    }
}

impl Association {
    fn drain(&mut self, failed: bool, mut send: impl FnMut(&[u8])) -> DtlsProgress {
        let mut progress = DtlsProgress { closed: failed, ..DtlsProgress::default() };
        if failed {
            return progress; // Every error of dimpl is final; it must not be polled again.
        }
        let mut buffer = [0; RECORD_LEN];
        loop {
            match self.dtls.poll_output(&mut buffer) {
                Output::Packet(packet) if asks_for_cookie(packet) => {
                    // The library repeats it by a timer. What a forged address is sent so is never more than what was sent in its name.
                    if let Some(left) = self.credit.checked_sub(packet.len()) {
                        self.credit = left;
                        send(packet);
                    }
                }
                Output::Packet(packet) => send(packet),
                Output::Timeout(at) => {
                    self.deadline = at;
                    return progress;
                }
                Output::Connected => progress.connected = true,
                Output::PeerCert(certificate) => progress.peer = Some(Fingerprint::of(certificate)),
                Output::KeyingMaterial(material, profile) => {
                    progress.keys = profile_of(profile).and_then(|profile| {
                        let (client, server) = MasterKeys::from_dtls(profile, &material)?;
                        Some((profile, client, server))
                    });
                }
                Output::CloseNotify => progress.closed = true,
                // Nothing is sent over DTLS itself; a record larger than any datagram of ours cannot be polled at all.
                Output::BufferTooSmall { .. } => {
                    progress.closed = true;
                    return progress;
                }
                _ => {}
            }
        }
    }
}

/// Whether a datagram is a HelloVerifyRequest of DTLS 1.2 or a HelloRetryRequest of DTLS 1.3: what is said before the peer has shown
/// that it receives.
fn asks_for_cookie(datagram: &[u8]) -> bool {
    const HANDSHAKE: u8 = 22;
    const SERVER_HELLO: u8 = 2;
    const HELLO_VERIFY_REQUEST: u8 = 3;
    /// Of 32 bytes; RFC 8446 section 4.1.3.
    const RETRY_RANDOM_BEGINS: [u8; 8] = [0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11];
    // A record's header has 13 bytes, a message's 12; the version before the random has 2.
    match (datagram.first(), datagram.get(13)) {
        (Some(&HANDSHAKE), Some(&HELLO_VERIFY_REQUEST)) => true,
        (Some(&HANDSHAKE), Some(&SERVER_HELLO)) => datagram.get(27..35) == Some(&RETRY_RANDOM_BEGINS[..]),
        _ => false,
    }
}

fn profile_of(profile: SrtpProfile) -> Option<Profile> {
    match profile {
        SrtpProfile::AES128_CM_SHA1_80 => Some(Profile::Aes128CmSha1),
        SrtpProfile::AEAD_AES_128_GCM => Some(Profile::Aes128Gcm),
        SrtpProfile::AEAD_AES_256_GCM => Some(Profile::Aes256Gcm),
        _ => None,
    }
}

impl std::fmt::Debug for DtlsServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DtlsServer").field("dtls", &self.begun.as_ref().map(|association| &association.dtls)).finish_non_exhaustive()
    }
}
