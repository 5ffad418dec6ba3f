//! Handing a batch to the kernel: what to do about the datagrams it does not take.

use std::io;

/// How a batch fared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    pub bytes: u64,
    pub errors: u64,
}

impl std::ops::AddAssign for Sent {
    fn add_assign(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.errors += other.errors;
    }
}

/// Whether the send buffer stayed full through the last wait: then nothing waits for it again before it has taken something, or a link
/// that is down would hold up every batch.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    is_stuck: bool,
}

impl Backlog {
    /// Hand over datagrams of `lens` bytes.
    ///
    /// offer: give the kernel those from an index on; how many it took, or why it refused the first of them.
    /// wait_writable: wait a little for room in the send buffer; whether there is some. Called once at most: without it, the listeners at
    /// the end of the batch would always be the ones to lose; with more of it, sound would queue here.
    pub(crate) fn hand_over(
        &mut self,
        lens: &[usize],
        mut offer: impl FnMut(usize) -> io::Result<usize>,
        wait_writable: impl FnOnce() -> bool,
    ) -> Sent {
        let mut sent = Sent::default();
        let mut wait_writable = Some(wait_writable).filter(|_| !self.is_stuck);
        let mut done = 0;
        while done < lens.len() {
            match offer(done) {
                Ok(taken) if taken > 0 => {
                    sent.bytes += lens[done..done + taken].iter().map(|len| *len as u64).sum::<u64>();
                    done += taken;
                    self.is_stuck = false;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let waited = wait_writable.take().map(|wait_writable| wait_writable());
                    if waited != Some(true) {
                        self.is_stuck |= waited == Some(false);
                        sent.errors += (lens.len() - done) as u64;
                        return sent;
                    }
                }
                // The first one alone was refused: too long, no route. Leave it out and go on with the next.
                _ => {
                    sent.errors += 1;
                    done += 1;
                }
            }
        }
        sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENS: [usize; 64] = [100; 64];

    /// A send buffer with room for so many datagrams.
    struct Buffer {
        room: usize,
        offers: usize,
    }

    impl Buffer {
        fn offer(&mut self, from: usize) -> io::Result<usize> {
            self.offers += 1;
            let taken = self.room.min(LENS.len() - from);
            self.room -= taken;
            if taken == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(taken) }
        }
    }

    /// Hand over a batch to a buffer with `room`, which has room for `later` once waited for; (outcome, offers, whether it waited).
    fn hand_over(backlog: &mut Backlog, room: usize, later: usize) -> (Sent, usize, bool) {
        let buffer = std::cell::RefCell::new(Buffer { room, offers: 0 });
        let mut waited = false;
        let wait = || {
            waited = true;
            buffer.borrow_mut().room = later;
            later > 0
        };
        let sent = backlog.hand_over(&LENS, |from| buffer.borrow_mut().offer(from), wait);
        (sent, buffer.into_inner().offers, waited)
    }

    #[test]
    fn tail_of_a_batch_is_sent_once_a_full_buffer_has_room_again() {
        let (sent, offers, waited) = hand_over(&mut Backlog::default(), 40, 64);
        assert_eq!((sent, offers, waited), (Sent { bytes: 6_400, errors: 0 }, 3, true));
    }

    #[test]
    fn buffer_that_stays_full_loses_the_rest_in_one_step() {
        let (sent, offers, waited) = hand_over(&mut Backlog::default(), 40, 0);
        assert_eq!((sent, offers, waited), (Sent { bytes: 4_000, errors: 24 }, 2, true));
    }

    #[test]
    fn buffer_that_fills_up_again_is_not_waited_for_twice() {
        let (sent, offers, waited) = hand_over(&mut Backlog::default(), 40, 10);
        assert_eq!((sent, offers, waited), (Sent { bytes: 5_000, errors: 14 }, 4, true));
    }

    #[test]
    fn stuck_buffer_is_waited_for_again_only_after_it_took_something() {
        let mut backlog = Backlog::default();
        hand_over(&mut backlog, 0, 0);
        assert_eq!(hand_over(&mut backlog, 0, 64), (Sent { bytes: 0, errors: 64 }, 1, false));
        assert_eq!(hand_over(&mut backlog, 64, 0), (Sent { bytes: 6_400, errors: 0 }, 1, false));
        assert_eq!(hand_over(&mut backlog, 0, 64), (Sent { bytes: 6_400, errors: 0 }, 2, true));
    }

    #[test]
    fn datagram_that_is_refused_for_its_own_sake_is_left_out_alone() {
        let offer = |from| match from {
            1 => Err(io::ErrorKind::NetworkUnreachable.into()),
            0 => Ok(1),
            _ => Ok(LENS.len() - from),
        };
        let sent = Backlog::default().hand_over(&LENS, offer, || panic!("nothing to wait for"));
        assert_eq!(sent, Sent { bytes: 6_300, errors: 1 });
    }
}
