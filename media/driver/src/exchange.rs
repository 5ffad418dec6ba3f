//! Between shards: what arrived at the wrong one, and what is said in rooms that several share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
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

/// What all shards share. Nothing of it is touched for a packet that arrives where it belongs and goes to listeners of the same shard.
#[derive(Debug)]
pub(crate) struct Exchange {
    doors: Vec<Door>,
    /// Which shard a route of UDP belongs to. The first one to say so has it until it gives it back.
    routes: RwLock<HashMap<Route, usize>>,
    /// Which shards have listeners of a room that is at home elsewhere, a bit for each.
    audiences: RwLock<HashMap<Arc<str>, u64>>,
}

#[derive(Debug)]
struct Door {
    queue: SyncSender<Transfer>,
    waker: Arc<Waker>,
    is_awake: Arc<AtomicBool>,
}

/// One shard's own end.
#[derive(Debug)]
pub(crate) struct Arrivals {
    queue: Receiver<Transfer>,
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
}

impl Exchange {
    pub(crate) fn new(wakers: &[Arc<Waker>]) -> (Self, Vec<Arrivals>) {
        let ends = wakers.iter().map(|waker| {
            let (queue, arrivals) = sync_channel(if wakers.len() > 1 { MAX_WAITING } else { 1 });
            let is_awake = Arc::new(AtomicBool::new(false));
            (Door { queue, waker: waker.clone(), is_awake: is_awake.clone() }, Arrivals { queue: arrivals, is_awake })
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
        if !door.is_awake.swap(true, Ordering::SeqCst) {
            door.waker.wake();
        }
        is_sent
    }

    pub(crate) fn owner_of(&self, route: Route) -> Option<usize> {
        self.routes.read().unwrap_or_else(PoisonError::into_inner).get(&route).copied()
    }

    /// Let `shard` have a route. False: another one has it.
    pub(crate) fn claim(&self, route: Route, shard: usize) -> bool {
        *self.routes.write().unwrap_or_else(PoisonError::into_inner).entry(route).or_insert(shard) == shard
    }

    /// Give back routes that `shard` had.
    pub(crate) fn give_back(&self, given_back: &[Route], shard: usize) {
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        for route in given_back {
            if routes.get(route) == Some(&shard) {
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
