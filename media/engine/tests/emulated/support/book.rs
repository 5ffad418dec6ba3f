//! A session book in memory, which outlives its engine.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use salon_engine::{Book, Mark};

#[derive(Debug, Clone, Default)]
pub struct SharedBook(Arc<Mutex<Pages>>);

#[derive(Debug, Default)]
struct Pages {
    records: BTreeMap<usize, Vec<u8>>,
    marks: BTreeMap<usize, Mark>,
}

impl SharedBook {
    /// Everything in it that is not a number.
    pub fn bytes(&self) -> Vec<Vec<u8>> {
        self.0.lock().unwrap().records.values().cloned().collect()
    }

    /// Let a change happen to each record.
    pub fn tamper(&self, change: impl Fn(&mut Vec<u8>)) {
        self.0.lock().unwrap().records.values_mut().for_each(change);
    }
}

impl Book for SharedBook {
    fn slots(&self) -> usize {
        64
    }

    fn cells(&self) -> usize {
        32
    }

    fn write(&mut self, slot: usize, record: &[u8]) {
        self.0.lock().unwrap().records.insert(slot, record.to_vec());
    }

    fn erase(&mut self, slot: usize) {
        self.0.lock().unwrap().records.remove(&slot);
    }

    fn mark(&mut self, cell: usize, mark: Mark) {
        self.0.lock().unwrap().marks.insert(cell, mark);
    }

    fn records(&self) -> Vec<(usize, Vec<u8>)> {
        self.0.lock().unwrap().records.clone().into_iter().collect()
    }

    fn mark_of(&self, cell: usize) -> Mark {
        self.0.lock().unwrap().marks.get(&cell).copied().unwrap_or_default()
    }
}
