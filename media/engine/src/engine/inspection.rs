//! What fuzz targets do to an engine and ask of it, and nobody else.

use std::collections::HashMap;
use std::time::Instant;

use super::Engine;
use crate::fuzzing::Cipher;
use crate::route::Route;

impl Engine {
    /// As if the session's checks and handshake with the peer at `route` were done. False if there is no such session, or it is done.
    pub fn pretend_connected(&mut self, now: Instant, session: &str, route: Route, cipher: Cipher) -> bool {
        let Some(key) = self.session_keys.get(session).copied() else {
            return false;
        };
        let Some(session) = self.sessions.get_mut(key).filter(|session| !session.is_connected) else {
            return false;
        };
        let (profile, keys) = cipher.keys();
        session.pretend_connected(route, profile, &keys);
        self.challengers.remove(route, key);
        self.by_route.insert(route, key);
        self.on_connected(now, key);
        self.schedule(now, key);
        true
    }

    /// Whether all tables agree with each other.
    ///
    /// # Panics
    ///
    /// With what does not agree.
    #[allow(clippy::expect_used)]
    pub fn check_books(&self) {
        assert_eq!(self.session_keys.len(), self.sessions.len(), "one id per session");
        let mut half_open: HashMap<&str, usize> = HashMap::new();
        for (id, key) in &self.session_keys {
            let session = self.sessions.get(*key).expect("an id leads to a session");
            assert_eq!(*id, session.id);
            assert!(session.ice.ufrags().all(|ufrag| self.by_ufrag.get(ufrag) == Some(key)), "every ufrag leads to its session");
            let room = self.rooms[session.room].as_ref().expect("a session's room exists");
            assert!(room.listeners.values().chain(room.speakers.values()).any(|member| member == key), "a room knows its sessions");
            if !session.is_connected {
                *half_open.entry(&session.person).or_default() += 1;
            }
        }
        assert_eq!(self.by_ufrag.len(), self.sessions.iter().map(|(_, session)| session.ice.ufrags().count()).sum::<usize>());
        assert_eq!(self.half_open.len(), half_open.len(), "who has unfinished sessions");
        assert!(half_open.iter().all(|(person, count)| self.half_open[*person] == *count), "how many unfinished sessions");
        for (route, key) in &self.by_route {
            let session = self.sessions.get(*key).expect("a route leads to a session");
            assert!(session.ice.has_validated(*route), "a route leads to who has validated it");
        }
        for (route, key) in self.challengers.iter() {
            let session = self.sessions.get(key).expect("a challenger is a session");
            assert!(session.ice.has_validated(route) && self.by_route.get(&route) != Some(&key), "who challenges does not have the route");
        }
        for room in self.rooms.iter().flatten() {
            assert_eq!(self.rooms[self.room_at[&room.id]].as_ref().map(|room| &room.id), Some(&room.id));
            assert!(room.listeners.values().chain(room.speakers.values()).all(|key| self.sessions.get(*key).is_some()));
        }
    }
}
