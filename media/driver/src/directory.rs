//! Who is where: which shard a room is at home on, and where each session is.

use std::collections::HashMap;
use std::sync::Arc;

use salon_engine::Direction;

type PersonKey = (Arc<str>, Arc<str>, Direction);

/// Of all shards. Kept by the commands and by the shards' events.
#[derive(Debug)]
pub(crate) struct Directory {
    sessions: HashMap<Arc<str>, Entry>,
    by_person: HashMap<PersonKey, Arc<str>>,
    rooms: HashMap<Arc<str>, Placement>,
    /// Sessions by shard.
    loads: Vec<usize>,
    listeners_at_home: usize,
}

#[derive(Debug, Clone)]
struct Entry {
    shard: usize,
    person: PersonKey,
}

#[derive(Debug)]
struct Placement {
    home: usize,
    /// By shard.
    listeners: Vec<usize>,
    sessions: usize,
    /// A session is being opened: the room does not end meanwhile.
    is_expecting: bool,
    has_stage: bool,
}

/// Where a session is to be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub shard: usize,
    pub home: usize,
}

impl Directory {
    pub(crate) fn new(shards: usize, listeners_at_home: usize) -> Self {
        let loads = vec![0; shards];
        Self { sessions: HashMap::new(), by_person: HashMap::new(), rooms: HashMap::new(), loads, listeners_at_home }
    }

    /// Where a new session belongs: where the one is that it takes over; on the room's home shard if it speaks, or while few listen
    /// there; else where fewest of the room listen.
    pub(crate) fn place(&self, room: &str, person: &str, direction: Direction) -> Place {
        let least = |counts: &[usize]| (0..counts.len()).min_by_key(|shard| counts[*shard]).unwrap_or(0);
        let Some(placement) = self.rooms.get(room) else {
            let shard = least(&self.loads);
            return Place { shard, home: shard };
        };
        let home = placement.home;
        let older = self.by_person.get(&(room.into(), person.into(), direction)).and_then(|session| self.sessions.get(session));
        let shard = match older {
            Some(older) => older.shard,
            None if direction == Direction::Speak || placement.listeners[home] < self.listeners_at_home => home,
            None => least(&placement.listeners),
        };
        Place { shard, home }
    }

    /// A session of `room` is about to be opened there.
    pub(crate) fn expect(&mut self, room: &str, place: Place) {
        self.placement(room.into(), place.home).is_expecting = true;
    }

    /// It was opened, or refused. True if that ends the room.
    pub(crate) fn expected(&mut self, room: &str) -> bool {
        if let Some(placement) = self.rooms.get_mut(room) {
            placement.is_expecting = false;
        }
        self.drop_if_empty(room)
    }

    fn placement(&mut self, room: Arc<str>, home: usize) -> &mut Placement {
        let listeners = vec![0; self.loads.len()];
        self.rooms.entry(room).or_insert(Placement { home, listeners, sessions: 0, is_expecting: false, has_stage: false })
    }

    pub(crate) fn opened(&mut self, session: &str, room: &str, person: &str, direction: Direction, place: Place) {
        let (session, room): (Arc<str>, Arc<str>) = (session.into(), room.into());
        let person: PersonKey = (room.clone(), person.into(), direction);
        let placement = self.placement(room, place.home);
        placement.sessions += 1;
        placement.listeners[place.shard] += usize::from(direction == Direction::Listen);
        self.loads[place.shard] += 1;
        self.by_person.insert(person.clone(), session.clone());
        self.sessions.insert(session, Entry { shard: place.shard, person });
    }

    /// True if that was the last of its room.
    pub(crate) fn closed(&mut self, session: &str) -> bool {
        let Some(Entry { shard, person }) = self.sessions.remove(session) else {
            return false;
        };
        self.loads[shard] -= 1;
        if self.by_person.get(&person).is_some_and(|present| **present == *session) {
            self.by_person.remove(&person);
        }
        if let Some(placement) = self.rooms.get_mut(&person.0) {
            placement.sessions -= 1;
            placement.listeners[shard] -= usize::from(person.2 == Direction::Listen);
        }
        self.drop_if_empty(&person.0)
    }

    /// True if that ends the room.
    pub(crate) fn staged(&mut self, room: &str, has_stage: bool) -> bool {
        let home = self.place(room, "", Direction::Speak).home;
        self.placement(room.into(), home).has_stage = has_stage;
        self.drop_if_empty(room)
    }

    fn drop_if_empty(&mut self, room: &str) -> bool {
        let is_empty =
            self.rooms.get(room).is_some_and(|placement| placement.sessions == 0 && !placement.has_stage && !placement.is_expecting);
        is_empty && self.rooms.remove(room).is_some()
    }

    pub(crate) fn shard_of(&self, session: &str) -> Option<usize> {
        self.sessions.get(session).map(|entry| entry.shard)
    }

    pub(crate) fn rooms(&self) -> usize {
        self.rooms.len()
    }

    #[cfg(test)]
    pub(crate) fn home_of(&self, room: &str) -> Option<usize> {
        self.rooms.get(room).map(|placement| placement.home)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(directory: &mut Directory, session: &str, room: &str, person: &str, direction: Direction) -> usize {
        let place = directory.place(room, person, direction);
        directory.opened(session, room, person, direction, place);
        place.shard
    }

    #[test]
    fn rooms_begin_on_the_least_loaded_shard_and_stay_together() {
        let mut directory = Directory::new(2, 256);
        assert_eq!(open(&mut directory, "s1", "a", "ada", Direction::Listen), 0);
        assert_eq!(open(&mut directory, "s2", "b", "ada", Direction::Listen), 1);
        for number in 0..10 {
            assert_eq!(open(&mut directory, &format!("t{number}"), "a", &format!("p{number}"), Direction::Listen), 0);
        }
        assert_eq!(open(&mut directory, "s3", "c", "ada", Direction::Listen), 1);
    }

    #[test]
    fn large_audience_is_spread_evenly_and_its_speakers_stay_at_home() {
        let mut directory = Directory::new(3, 10);
        let mut counts = [0; 3];
        for number in 0..100 {
            counts[open(&mut directory, &format!("s{number}"), "a", &format!("p{number}"), Direction::Listen)] += 1;
        }
        assert_eq!(counts, [34, 33, 33]);
        assert_eq!(open(&mut directory, "speak", "a", "ada", Direction::Speak), 0);
    }

    #[test]
    fn session_that_takes_over_goes_where_the_older_one_is() {
        let mut directory = Directory::new(2, 0);
        let first = open(&mut directory, "s1", "a", "ada", Direction::Listen);
        assert_ne!(open(&mut directory, "s2", "a", "bob", Direction::Listen), first);
        assert_eq!(open(&mut directory, "s3", "a", "ada", Direction::Listen), first);
        assert!(!directory.closed("s1"));
        assert_eq!(open(&mut directory, "s4", "a", "ada", Direction::Listen), first, "s3's, which s1's end left where it was");
    }

    #[test]
    fn room_ends_with_its_last_session_and_stage() {
        let mut directory = Directory::new(2, 1);
        assert!(!directory.staged("a", true));
        open(&mut directory, "s1", "a", "ada", Direction::Listen);
        assert!(!directory.staged("a", false));
        assert_eq!((directory.rooms(), directory.home_of("a"), directory.shard_of("s1")), (1, Some(0), Some(0)));
        assert!(directory.closed("s1"));
        assert!(!directory.closed("s1"));
        assert_eq!((directory.rooms(), directory.loads.clone()), (0, vec![0, 0]));
    }
}
