//! Datagrams to be sent, in batches that a driver can hand to `sendmmsg` as they are.

use crate::route::Route;

/// A batch: bytes back to back in one buffer that is used again and again.
#[derive(Debug, Default)]
pub struct Transmits {
    bytes: Vec<u8>,
    datagrams: Vec<Datagram>,
}

#[derive(Debug, Clone, Copy)]
struct Datagram {
    to: Route,
    start: usize,
    end: usize,
}

impl Transmits {
    /// How many datagrams.
    #[must_use]
    pub fn len(&self) -> usize {
        self.datagrams.len()
    }

    /// Whether there is nothing to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.datagrams.is_empty()
    }

    /// The datagrams in the order they are to be sent.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Route, &[u8])> {
        self.datagrams.iter().map(|datagram| (datagram.to, &self.bytes[datagram.start..datagram.end]))
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.datagrams.clear();
    }

    /// Add a datagram.
    pub fn push(&mut self, to: Route, bytes: &[u8]) {
        self.push_with(to, |buffer, _| buffer.extend_from_slice(bytes));
    }

    /// Add a datagram that `write` appends to the buffer from the offset it is told.
    pub(crate) fn push_with(&mut self, to: Route, write: impl FnOnce(&mut Vec<u8>, usize)) {
        let start = self.bytes.len();
        write(&mut self.bytes, start);
        self.datagrams.push(Datagram { to, start, end: self.bytes.len() });
    }

    /// Cut off bytes without a datagram, left by a writer that did not finish.
    pub(crate) fn discard_unfinished(&mut self) {
        self.bytes.truncate(self.datagrams.last().map_or(0, |datagram| datagram.end));
    }
}
