//! RFC 4571: datagrams in a stream of bytes, each behind its length in two bytes.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};
use std::time::{Duration, Instant};

/// Longest frame taken: the longest datagram the engine looks at, an Ethernet frame's worth.
pub(crate) const MAX_FRAME_LEN: usize = 1_500;
/// Shortest frame taken: an RTP header, than which no peer's packets of any kind are shorter. One read of two-byte frames would else be
/// thousands of inputs for the engine, and sound would wait behind them.
pub(crate) const MIN_FRAME_LEN: usize = 12;
const LENGTH_LEN: usize = 2;
/// Sound that has waited for longer is dropped: the listener has a gap instead of a delay that would stay.
const SOUND_KEPT_FOR: Duration = Duration::from_millis(100);
/// Most that waits for one reader. 100 ms of three voices are 4 kB; a handshake's flights are about as long.
const MAX_WAITING_BYTES: usize = 16 * 1024;

/// A frame longer than any datagram: this is no peer, or one that has lost count.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FrameTooLong;

/// Puts frames together from whatever the stream's reads bring.
#[derive(Debug, Default)]
pub(crate) struct Deframer {
    bytes: Vec<u8>,
    /// Of those, handed out already.
    taken: usize,
}

impl Deframer {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole frame's content, which stays until [`Self::advance`]; None: more must come. Of what was taken in, less than a frame
    /// is left then.
    pub(crate) fn peek(&self) -> Result<Option<&[u8]>, FrameTooLong> {
        let Some((length, rest)) = self.bytes[self.taken..].split_first_chunk::<LENGTH_LEN>() else {
            return Ok(None);
        };
        let len = usize::from(u16::from_be_bytes(*length));
        if len > MAX_FRAME_LEN { Err(FrameTooLong) } else { Ok(rest.get(..len)) }
    }

    /// Go on behind the frame that was peeked at.
    pub(crate) fn advance(&mut self) {
        if let Ok(Some(frame)) = self.peek() {
            self.taken += LENGTH_LEN + frame.len();
        }
    }
}

/// Every frame of a stream that came in pieces, up to the first that is too long; and whether one was.
#[cfg(feature = "fuzzing")]
#[must_use]
pub fn deframe<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, bool) {
    let (mut deframer, mut frames) = (Deframer::default(), Vec::new());
    for piece in pieces {
        deframer.push(piece);
        loop {
            match deframer.peek() {
                Ok(Some(frame)) => frames.push(frame.to_vec()),
                Ok(None) => break,
                Err(FrameTooLong) => return (frames, true),
            }
            deframer.advance();
        }
    }
    (frames, false)
}

/// What one connection has not taken yet: whole frames, the oldest sound dropped first.
#[derive(Debug, Default)]
pub(crate) struct SendQueue {
    frames: VecDeque<Waiting>,
    bytes: usize,
    /// Of the first frame, written already: the rest of it must follow whatever happens.
    written: usize,
}

#[derive(Debug)]
struct Waiting {
    since: Instant,
    /// With its length in front.
    frame: Vec<u8>,
}

impl Waiting {
    fn is_sound(&self) -> bool {
        matches!(self.frame.get(LENGTH_LEN), Some(128..=191)) // RFC 7983
    }
}

/// How one call fared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// Of frames that are now wholly written, without their lengths.
    pub bytes: u64,
    /// Frames given up.
    pub dropped: u64,
}

impl SendQueue {
    pub(crate) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Send a datagram, or let it wait behind what waits already.
    ///
    /// # Errors
    ///
    /// The stream's, when it can take nothing ever again.
    pub(crate) fn send(&mut self, now: Instant, datagram: &[u8], stream: &mut impl Write) -> io::Result<Written> {
        let Ok(length) = u16::try_from(datagram.len()) else {
            return Ok(Written { bytes: 0, dropped: 1 });
        };
        let length = length.to_be_bytes();
        if self.frames.is_empty() {
            let done = taken(stream.write_vectored(&[IoSlice::new(&length), IoSlice::new(datagram)]))?;
            if done == LENGTH_LEN + datagram.len() {
                return Ok(Written { bytes: datagram.len() as u64, dropped: 0 });
            }
            self.written = done;
        }
        let mut frame = Vec::with_capacity(LENGTH_LEN + datagram.len());
        frame.extend_from_slice(&length);
        frame.extend_from_slice(datagram);
        self.bytes += frame.len();
        self.frames.push_back(Waiting { since: now, frame });
        Ok(Written { bytes: 0, dropped: self.drop_old(now) })
    }

    /// Write on, now that the stream takes some.
    ///
    /// # Errors
    ///
    /// As [`Self::send`].
    pub(crate) fn flush(&mut self, now: Instant, stream: &mut impl Write) -> io::Result<Written> {
        let mut result = Written { bytes: 0, dropped: self.drop_old(now) };
        while let Some(first) = self.frames.front() {
            let (len, rest) = (first.frame.len(), &first.frame[self.written..]);
            let done = taken(stream.write(rest))?;
            if done == 0 {
                break;
            }
            self.written += done;
            if self.written == len {
                self.written = 0;
                self.bytes -= len;
                self.frames.pop_front();
                result.bytes += (len - LENGTH_LEN) as u64;
            }
        }
        Ok(result)
    }

    /// Drop sound that is too old, and whatever is too much. Never a frame of which a part is written.
    fn drop_old(&mut self, now: Instant) -> u64 {
        let before = self.frames.len();
        let begun = usize::from(self.written > 0);
        let mut at = 0;
        let mut bytes = self.bytes;
        self.frames.retain(|waiting| {
            let is_old = waiting.is_sound() && now.duration_since(waiting.since) > SOUND_KEPT_FOR;
            let keep = at < begun || !is_old;
            at += 1;
            bytes -= if keep { 0 } else { waiting.frame.len() };
            keep
        });
        self.bytes = bytes;
        while self.bytes > MAX_WAITING_BYTES {
            let oldest_sound = self.frames.iter().skip(begun).position(Waiting::is_sound).map(|at| at + begun);
            // Nothing but a handshake waits: its newest flight is repeated by itself.
            let Some(dropped) = self.frames.remove(oldest_sound.unwrap_or(self.frames.len() - 1)) else {
                break;
            };
            self.bytes -= dropped.frame.len();
        }
        (before - self.frames.len()) as u64
    }
}

/// How many bytes a stream that does not wait has taken.
fn taken(result: io::Result<usize>) -> io::Result<usize> {
    match result {
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(0),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream with room for so many bytes.
    struct Narrow {
        room: usize,
        got: Vec<u8>,
    }

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let done = bytes.len().min(self.room);
            if done == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.room -= done;
            self.got.extend_from_slice(&bytes[..done]);
            Ok(done)
        }

        fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
            let all: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
            self.write(&all)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Sound by its first byte, told apart by its last.
    fn sound(number: u8, len: usize) -> Vec<u8> {
        let mut datagram = vec![0; len];
        (datagram[0], datagram[len - 1]) = (0x80, number);
        datagram
    }

    /// The last byte of every frame that has arrived whole.
    fn arrived(stream: &Narrow) -> Vec<u8> {
        let mut deframer = Deframer::default();
        deframer.push(&stream.got);
        let frames = std::iter::from_fn(|| {
            let last = deframer.peek().expect("frames").map(|frame| frame[frame.len() - 1]);
            deframer.advance();
            last
        });
        frames.collect()
    }

    #[test]
    fn frames_come_out_whole_however_the_stream_is_cut() {
        let stream = [&[0, 3, 1, 2, 3][..], &[0, 0], &[0, 1, 9], &[5, 0xdc], &[7; 1_500]].concat();
        for cut in 1..stream.len() {
            let mut deframer = Deframer::default();
            let mut frames = Vec::new();
            for piece in stream.chunks(cut) {
                deframer.push(piece);
                while let Some(frame) = deframer.peek().expect("none is too long") {
                    frames.push(frame.to_vec());
                    deframer.advance();
                }
            }
            assert_eq!(frames, [vec![1, 2, 3], vec![], vec![9], vec![7; 1_500]], "cut into {cut}");
        }
    }

    #[test]
    fn frame_that_is_too_long_is_refused_by_its_length_alone() {
        let mut deframer = Deframer::default();
        deframer.push(&[0, 1, 9, 5]);
        assert_eq!(deframer.peek(), Ok(Some(&[9][..])));
        deframer.advance();
        assert_eq!(deframer.peek(), Ok(None));
        deframer.push(&[0xdd]);
        assert_eq!(deframer.peek(), Err(FrameTooLong));
    }

    #[test]
    fn part_of_a_frame_is_finished_before_anything_else() {
        let now = Instant::now();
        let (mut queue, mut stream) = (SendQueue::default(), Narrow { room: 50, got: vec![] });
        assert_eq!(queue.send(now, &sound(1, 100), &mut stream).expect("open"), Written::default());
        assert_eq!(queue.send(now + ms(10), &sound(2, 100), &mut stream).expect("open"), Written::default());
        assert_eq!(queue.send(now + ms(90), &sound(3, 100), &mut stream).expect("open"), Written::default());
        stream.room = 1_000;
        // By now the first two are too old. The first one's head is out, so its rest must follow.
        assert_eq!(queue.flush(now + ms(150), &mut stream).expect("open"), Written { bytes: 200, dropped: 1 });
        assert_eq!(arrived(&stream), [1, 3]);
        assert!(queue.is_empty());
    }

    #[test]
    fn nothing_overtakes_what_waits() {
        let now = Instant::now();
        let (mut queue, mut stream) = (SendQueue::default(), Narrow { room: 0, got: vec![] });
        queue.send(now, &sound(1, 100), &mut stream).expect("open");
        stream.room = 1_000;
        queue.send(now, &sound(2, 100), &mut stream).expect("open");
        queue.flush(now, &mut stream).expect("open");
        assert_eq!(arrived(&stream), [1, 2]);
    }

    #[test]
    fn reader_that_stands_still_costs_a_bounded_queue_and_gets_the_newest_sound_and_every_answer() {
        let now = Instant::now();
        let (mut queue, mut stream) = (SendQueue::default(), Narrow { room: 0, got: vec![] });
        let answer = [0, 1, 0, 0, 77];
        queue.send(now, &answer, &mut stream).expect("open");
        let mut dropped = 0;
        for number in 0..200 {
            dropped += queue.send(now + ms(20) * u32::from(number), &sound(number, 1_000), &mut stream).expect("open").dropped;
            assert!(queue.bytes <= MAX_WAITING_BYTES);
        }
        assert_eq!((dropped, queue.frames.len()), (194, 7));
        stream.room = usize::MAX;
        queue.flush(now + ms(20 * 199), &mut stream).expect("open");
        assert_eq!(arrived(&stream), [77, 194, 195, 196, 197, 198, 199]);
        assert_eq!(queue.bytes, 0);
    }

    #[test]
    fn what_comes_all_at_once_is_bounded_too() {
        let now = Instant::now();
        for first in [0x80, 0] {
            let (mut queue, mut stream) = (SendQueue::default(), Narrow { room: 10, got: vec![] });
            for number in 0..=255 {
                let datagram = [&[first; 999][..], &[number]].concat();
                queue.send(now, &datagram, &mut stream).expect("open");
            }
            assert!(queue.bytes <= MAX_WAITING_BYTES);
            stream.room = usize::MAX;
            queue.flush(now, &mut stream).expect("open");
            let kept = if first == 0 { (0..16).collect() } else { std::iter::once(0).chain(241..=255).collect::<Vec<u8>>() };
            assert_eq!(arrived(&stream), kept, "{first:#x}");
        }
    }

    #[test]
    fn closed_stream_is_an_error() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        assert!(SendQueue::default().send(Instant::now(), &sound(1, 100), &mut Closed).is_err());
    }
}
