//! Routes that two sessions' peers say are theirs, before either has proven it.
//!
//! A check does not prove its source: who has a session can send one in the name of an address that somebody else is about to use. So a
//! route that was only claimed keeps nobody out: who claims it as well is asked there, and whoever answers has it.

use std::collections::HashMap;

use crate::route::Route;
use crate::slab::SessionKey;

/// Sessions that were asked on a route which another session has. No more than sessions have paths.
#[derive(Debug, Default)]
pub(super) struct Challengers(HashMap<Route, Vec<SessionKey>>);

impl Challengers {
    pub(super) fn add(&mut self, route: Route, key: SessionKey) {
        let keys = self.0.entry(route).or_default();
        if !keys.contains(&key) {
            keys.push(key);
        }
    }

    pub(super) fn remove(&mut self, route: Route, key: SessionKey) {
        if let Some(keys) = self.0.get_mut(&route) {
            keys.retain(|present| *present != key);
            if keys.is_empty() {
                self.0.remove(&route);
            }
        }
    }

    pub(super) fn of(&self, route: Route) -> impl Iterator<Item = SessionKey> {
        self.0.get(&route).into_iter().flatten().copied()
    }

    #[cfg(feature = "fuzzing")]
    pub(super) fn iter(&self) -> impl Iterator<Item = (Route, SessionKey)> {
        self.0.iter().flat_map(|(route, keys)| keys.iter().map(|key| (*route, *key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slab::Slab;

    #[test]
    fn who_was_asked_twice_is_there_once_and_nothing_is_left_of_who_is_gone() {
        let mut sessions = Slab::default();
        let [ann, bob] = ["ann", "bob"].map(|person| sessions.insert(person));
        let route = Route::udp("192.0.2.7:4000".parse().expect("an address"));
        let mut challengers = Challengers::default();
        [ann, bob, ann].into_iter().for_each(|key| challengers.add(route, key));
        assert_eq!(challengers.of(route).collect::<Vec<_>>(), [ann, bob]);
        challengers.remove(route, ann);
        assert_eq!(challengers.of(route).collect::<Vec<_>>(), [bob]);
        challengers.remove(route, bob);
        assert!(challengers.0.is_empty());
    }
}
