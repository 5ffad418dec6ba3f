//! Between shards: what arrived at the wrong one, and what is said in rooms that several share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use salon_engine::{Route, Speech};

use crate::socket::Waker;
use crate::tcp::Connection;

/// What may wait for one shard; more than it takes in a second. What is beyond is lost, as on any full link.
pub(crate) const MAX_WAITING: usize = 4_096;

/// For another shard.
#[derive(Debug)]
pub(crate) enum Transfer {
    /// The kernel handed it to the wrong one.
    Datagram { from: Route, bytes: Box<[u8]>, arrived: Option<Duration> },
    /// Its first frame is addressed there.
    Connection(Box<Connection>),
    /// There are listeners of the room. arrived: when its packet did, if it came as one.
    Speech { speech: Arc<Speech>, arrived: Option<Duration> },
    /// The room has ended everywhere.
    Unshare(Arc<str>),
}

/// Which shard's session has a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner {
    pub shard: usize,
    /// Its peer is known to receive there; else it has only been said.
    pub is_proved: bool,
}

/// What all shards share. Nothing of it is touched for a packet that arrives where it belongs and goes to listeners of the same shard.
#[derive(Debug)]
pub(crate) struct Exchange {
    doors: Vec<Door>,
    /// Whom a route of UDP belongs to: until it is given back the first one to prove it, and before that the first one to claim it.
    routes: RwLock<HashMap<Route, Owner>>,
    /// Which shards have listeners of a room that is at home elsewhere, a bit for each.
    audiences: RwLock<HashMap<Arc<str>, u64>>,
}

#[derive(Debug)]
struct Door {
    queue: SyncSender<Transfer>,
    /// Without a bound of its own, since no word of it may be lost: each is of a route that the shard has claimed since the word before.
    lost: Sender<Route>,
    waker: Arc<Waker>,
    is_awake: Arc<AtomicBool>,
}

impl Door {
    fn knock(&self) {
        if !self.is_awake.swap(true, Ordering::SeqCst) {
            self.waker.wake();
        }
    }
}

/// One shard's own end.
#[derive(Debug)]
pub(crate) struct Arrivals {
    queue: Receiver<Transfer>,
    lost: Receiver<Route>,
    is_awake: Arc<AtomicBool>,
}

impl Arrivals {
    /// To be called after waking up, before [`Self::next`].
    pub(crate) fn begin(&self) {
        self.is_awake.store(false, Ordering::SeqCst);
    }

    pub(crate) fn next(&self) -> Option<Transfer> {
        self.queue.try_recv().ok()
    }

    /// A route that the shard had claimed, and another one has proven.
    pub(crate) fn next_lost(&self) -> Option<Route> {
        self.lost.try_recv().ok()
    }
}

impl Exchange {
    pub(crate) fn new(wakers: &[Arc<Waker>]) -> (Self, Vec<Arrivals>) {
        let ends = wakers.iter().map(|waker| {
            let (queue, arrivals) = sync_channel(if wakers.len() > 1 { MAX_WAITING } else { 1 });
            let (lose, lost) = channel();
            let is_awake = Arc::new(AtomicBool::new(false));
            let door = Door { queue, lost: lose, waker: waker.clone(), is_awake: is_awake.clone() };
            (door, Arrivals { queue: arrivals, lost, is_awake })
        });
        let (doors, arrivals) = ends.unzip();
        (Self { doors, routes: RwLock::default(), audiences: RwLock::default() }, arrivals)
    }

    pub(crate) fn shards(&self) -> usize {
        self.doors.len()
    }

    /// False: it is lost, since too much waits there.
    pub(crate) fn send(&self, shard: usize, transfer: Transfer) -> bool {
        let Some(door) = self.doors.get(shard) else {
            return false;
        };
        let is_sent = door.queue.try_send(transfer).is_ok();
        door.knock();
        is_sent
    }

    pub(crate) fn owner_of(&self, route: Route) -> Option<Owner> {
        self.routes.read().unwrap_or_else(PoisonError::into_inner).get(&route).copied()
    }

    /// Let `claimant` have a route, or say anew whether it has proven it. False: another one has it, and only who has proven it can take it
    /// from one that has not, which is told so.
    pub(crate) fn claim(&self, route: Route, claimant: Owner) -> bool {
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        let owner = routes.entry(route).or_insert(claimant);
        if owner.shard != claimant.shard && (owner.is_proved || !claimant.is_proved) {
            return false;
        }
        let before = std::mem::replace(owner, claimant);
        drop(routes);
        if let Some(door) = self.doors.get(before.shard).filter(|_| before.shard != claimant.shard) {
            let _ = door.lost.send(route); // Without a shard behind it nobody has the route.
            door.knock();
        }
        true
    }

    /// Give back routes that `shard` had.
    pub(crate) fn give_back(&self, given_back: &[Route], shard: usize) {
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        for route in given_back {
            if routes.get(route).is_some_and(|owner| owner.shard == shard) {
                routes.remove(route);
            }
        }
    }

    /// Bring to a room's other shards what is said at `home`. How many were too full to take it.
    ///
    /// arrived: when its packet did, if it came as one.
    pub(crate) fn tell(&self, home: usize, speech: Speech, arrived: Option<Duration>) -> u64 {
        let audience = self.audiences.read().unwrap_or_else(PoisonError::into_inner).get(&speech.room).copied().unwrap_or(0);
        let speech = Arc::new(speech);
        let others = (0..self.shards()).filter(|shard| *shard != home && audience & (1 << shard) != 0);
        others.filter(|shard| !self.send(*shard, Transfer::Speech { speech: speech.clone(), arrived })).count() as u64
    }

    pub(crate) fn add_audience(&self, room: &str, shard: usize) {
        *self.audiences.write().unwrap_or_else(PoisonError::into_inner).entry(room.into()).or_default() |= 1 << shard;
    }

    /// False if it had none.
    pub(crate) fn forget_audience(&self, room: &str) -> bool {
        self.audiences.write().unwrap_or_else(PoisonError::into_inner).remove(room).is_some()
    }
}
