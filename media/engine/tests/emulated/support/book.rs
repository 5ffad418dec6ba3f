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
    /// Changes that its writer lives to make; None: it lives on.
    changes_left: Option<usize>,
    cells: Option<usize>,
}

impl Pages {
    /// Whether the writer still lives to make a change.
    fn lives(&mut self) -> bool {
        let lives = self.changes_left != Some(0);
        self.changes_left = self.changes_left.map(|left| left.saturating_sub(1));
        lives
    }
}

impl SharedBook {
    /// With so many cells.
    pub fn with_cells(cells: usize) -> Self {
        Self(Arc::new(Mutex::new(Pages { cells: Some(cells), ..Pages::default() })))
    }

    /// Everything in it that is not a number.
    pub fn bytes(&self) -> Vec<Vec<u8>> {
        self.0.lock().unwrap().records.values().cloned().collect()
    }

    /// Let the writer die after so many changes from now on; None: let another one live. False if the one before died.
    pub fn let_live_for(&self, changes: Option<usize>) -> bool {
        std::mem::replace(&mut self.0.lock().unwrap().changes_left, changes) != Some(0)
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
        self.0.lock().unwrap().cells.unwrap_or(32)
    }

    fn write(&mut self, slot: usize, record: &[u8]) {
        let mut pages = self.0.lock().unwrap();
        if pages.lives() {
            pages.records.insert(slot, record.to_vec());
        }
    }

    fn erase(&mut self, slot: usize) {
        let mut pages = self.0.lock().unwrap();
        if pages.lives() {
            pages.records.remove(&slot);
        }
    }

    fn mark(&mut self, cell: usize, mark: Mark) {
        let mut pages = self.0.lock().unwrap();
        if pages.lives() {
            pages.marks.insert(cell, mark);
        }
    }

    fn records(&self) -> Vec<(usize, Vec<u8>)> {
        self.0.lock().unwrap().records.clone().into_iter().collect()
    }

    fn mark_of(&self, cell: usize) -> Mark {
        self.0.lock().unwrap().marks.get(&cell).copied().unwrap_or_default()
    }
}
