//! One path to the peer: a route that a genuine check came from, and whether the peer is known to receive there.

use is::stun::{StunMessage, TransId};
use rand::{RngExt, rngs::StdRng};

use super::{hmac_sha1, signed};
use crate::route::{Route, Transport};

/// Of our checks. It chooses nothing: a lite agent has no other candidate.
const PRIORITY: u32 = 1;

#[derive(Debug)]
pub(super) struct Path {
    pub route: Route,
    /// The peer has answered a check of ours there, or opened the connection that the route is.
    pub is_proved: bool,
    /// The peer has nominated it, or restarts and has not yet: it is to be selected once it is proven.
    pub is_nominated: bool,
    /// Bytes that genuine checks brought, less those that were sent there before it was proven.
    pub credit: usize,
    /// A check of ours, not answered yet.
    pub question: Option<Question>,
    /// The peer's last check, to be answered when it has answered ours: its transaction, and our password.
    pub waiting: Option<(TransId, String)>,
}

/// A check of ours. It stays the same until it is answered.
pub(super) struct Question {
    transaction: TransId,
    bytes: Vec<u8>,
    /// The peer's: it signs the answer too.
    pub(super) password: String,
}

impl Path {
    pub(super) fn new(route: Route) -> Self {
        // Whoever opened a connection has received what it took to open it.
        let is_proved = route.transport == Transport::Tcp;
        Self { route, is_proved, is_nominated: false, credit: 0, question: None, waiting: None }
    }

    /// Whether `len` bytes may be sent to a route not yet proven; they count then.
    pub(super) fn spend(&mut self, len: usize) -> bool {
        let left = self.credit.checked_sub(len);
        self.credit = left.unwrap_or(self.credit);
        left.is_some()
    }

    /// The check to be sent, again if it was sent before, unless the peer's own have not brought as many bytes.
    pub(super) fn ask(&mut self, username: &str, password: String, random: &mut StdRng) -> Option<Vec<u8>> {
        // A restart brings another password, and outdates what was asked with the one before.
        if self.question.as_ref().is_none_or(|question| question.password != password) {
            self.question = Question::new(username, password, random);
        }
        let bytes = self.question.as_ref()?.bytes.clone();
        (self.is_proved || self.spend(bytes.len())).then_some(bytes)
    }
}

impl Question {
    /// username: theirs, a colon, and ours.
    fn new(username: &str, password: String, random: &mut StdRng) -> Option<Self> {
        let (_, ours) = username.rsplit_once(':')?;
        let transaction = unpredictable(*ours.as_bytes().first()?, random)?;
        let bytes = signed(StunMessage::binding_request(username, transaction, false, random.random(), PRIORITY, false), &password)?;
        Some(Self { transaction, bytes, password })
    }

    pub(super) fn is_named_by(&self, message: &StunMessage<'_>) -> bool {
        message.trans_id() == self.transaction
    }

    pub(super) fn is_answered_by(&self, message: &StunMessage<'_>) -> bool {
        self.is_named_by(message) && message.verify(self.password.as_bytes(), hmac_sha1)
    }
}

/// A transaction that nobody can guess who does not receive it: the peer knows everything else that an answer needs. (Those that the codec
/// makes come from a generator not meant for secrets; so this one is read from a header of our own.)
///
/// Its first byte is the character that says which shard asks, as in our ufrag: an answer has no user name, and must find its way all the
/// same. The other 88 bits are nobody's to guess.
fn unpredictable(shard: u8, random: &mut StdRng) -> Option<TransId> {
    let mut header = [0x00, 0x11, 0, 0, 0x21, 0x12, 0xa4, 0x42, shard, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    header[9..].copy_from_slice(&random.random::<[u8; 11]>());
    Some(StunMessage::parse(&header).ok()?.trans_id())
}

impl std::fmt::Debug for Question {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Question").field("transaction", &self.transaction).finish_non_exhaustive()
    }
}
