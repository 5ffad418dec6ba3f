//! Storage for sessions: small keys that never point at a later session by mistake.

/// Names a session inside the engine. A key of a session that is gone finds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SessionKey {
    index: u32,
    generation: u32,
}

impl SessionKey {
    /// As one number, for others to tell keys apart by.
    pub(crate) fn to_bits(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }
}

/// Values by [`SessionKey`].
#[derive(Debug)]
pub(crate) struct Slab<T> {
    entries: Vec<(u32, Option<T>)>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    pub(crate) fn insert(&mut self, value: T) -> SessionKey {
        let index = self.free.pop().unwrap_or_else(|| {
            self.entries.push((0, None));
            #[allow(clippy::cast_possible_truncation)] // 2^32 sessions do not fit into memory.
            let index = (self.entries.len() - 1) as u32;
            index
        });
        let (generation, entry) = &mut self.entries[index as usize];
        *entry = Some(value);
        SessionKey { index, generation: *generation }
    }

    pub(crate) fn remove(&mut self, key: SessionKey) -> Option<T> {
        let (generation, entry) = self.entries.get_mut(key.index as usize)?;
        if *generation != key.generation {
            return None;
        }
        let value = entry.take()?;
        *generation = generation.wrapping_add(1);
        self.free.push(key.index);
        Some(value)
    }

    pub(crate) fn get(&self, key: SessionKey) -> Option<&T> {
        let (generation, entry) = self.entries.get(key.index as usize)?;
        entry.as_ref().filter(|_| *generation == key.generation)
    }

    pub(crate) fn get_mut(&mut self, key: SessionKey) -> Option<&mut T> {
        let (generation, entry) = self.entries.get_mut(key.index as usize)?;
        entry.as_mut().filter(|_| *generation == key.generation)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (SessionKey, &T)> {
        (0_u32..)
            .zip(&self.entries)
            .filter_map(|(index, (generation, entry))| entry.as_ref().map(|value| (SessionKey { index, generation: *generation }, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_of_a_removed_value_finds_nothing_even_when_its_place_is_taken() {
        let mut slab = Slab::default();
        let first = slab.insert("first");
        assert_eq!(slab.remove(first), Some("first"));
        let second = slab.insert("second");
        assert_eq!(slab.get(first), None);
        assert_eq!(slab.get_mut(first), None);
        assert_eq!(slab.remove(first), None);
        assert_eq!((slab.get(second), slab.len()), (Some(&"second"), 1));
    }
}
