//! The session book in memory shared with the processes before and after this one: a memfd that a supervisor holds.
//!
//! ```text
//!   page 0     MAGIC, the format, how it is divided, how many starts since it last proved good
//!   section n  (one for each shard)
//!              cells: two words each
//!              slots: 2 KiB each: length (0: nothing here), checksum, record
//! ```
//!
//! All of it is read and written as atomic words, so that it does not matter what another process does meanwhile. A process that is killed
//! leaves a record of length 0 or, from a torn store, of another checksum: both are no record. Ours is the only machine's memory in which
//! it lies: it is never a file on a disk, and core dumps leave it out.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering, fence};

use salon_engine::{Book, Mark, RECORD_FORMAT, RECORD_LEN};

const MAGIC: u64 = u64::from_le_bytes(*b"salon\0sb");
const WORD: usize = size_of::<u64>();
const HEADER_WORDS: usize = 4_096 / WORD;
const SLOT_WORDS: usize = 2 + RECORD_LEN.div_ceil(WORD);
const CELL_WORDS: usize = 2;
/// Sessions of a shard; memory is only taken for those that were ever used.
const SLOTS: usize = 16_384;
/// Lanes and speakers of a shard: at three lanes a view, of as many rooms with their views.
const CELLS: usize = 65_536;
const SECTION_WORDS: usize = CELLS * CELL_WORDS + SLOTS * SLOT_WORDS;
/// After so many starts in a row that came to nothing, what the book says is the likely reason.
const TRUSTED_STARTS: u64 = 2;

const AT_MAGIC: usize = 0;
const AT_FORMAT: usize = 1;
const AT_SECTIONS: usize = 2;
const AT_STARTS: usize = 3;
/// One word for each section: how many of its slots were ever written to. The others' pages are not even looked at, or they would be made.
const AT_USED: usize = 16;
const MAX_SECTIONS: usize = HEADER_WORDS - AT_USED;

/// The whole book, mapped.
#[derive(Debug, Clone)]
pub(crate) struct SharedBook {
    mapping: Arc<Mapping>,
    emptied: Option<Emptied>,
}

/// Why what was in a book was of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Emptied {
    /// It was written by another version.
    OtherFormat,
    /// Sessions of shards that there are no more: their peers go on naming those.
    FewerShards { then: u64, now: usize },
    /// So many starts with it in a row did not last.
    Distrusted,
}

impl fmt::Display for Emptied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherFormat => f.write_str("Another version of the engine wrote it."),
            Self::FewerShards { then, now } => write!(f, "The engine ran {then} threads and runs {now} now."),
            Self::Distrusted => write!(f, "The last {TRUSTED_STARTS} starts with it did not last."),
        }
    }
}

/// One shard's part of it.
#[derive(Debug)]
pub(crate) struct Section {
    mapping: Arc<Mapping>,
    number: usize,
}

#[derive(Debug)]
struct Mapping {
    start: NonNull<AtomicU64>,
    words: usize,
}

// SAFETY: all access is by atomic words.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    fn new(memory: &OwnedFd, words: usize) -> io::Result<Self> {
        let file = File::from(memory.try_clone()?);
        let present = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)? / WORD;
        if present < words {
            file.set_len((words * WORD) as u64)?;
        }
        // Sections beyond those in use, too: there may be keys in them, to be wiped.
        let words = words.max(present);
        let len = words * WORD;
        // A file that cannot become shorter cannot end this process by SIGBUS. One that knows no seals is not a memfd: its maker's affair.
        // SAFETY: no pointers.
        unsafe { libc::fcntl(memory.as_raw_fd(), libc::F_ADD_SEALS, libc::F_SEAL_SHRINK) };
        // SAFETY: a new shared mapping of a file that is long enough; the kernel chooses where.
        let start =
            unsafe { libc::mmap(std::ptr::null_mut(), len, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED, memory.as_raw_fd(), 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // Keys are in it. Where the kernel does not know this advice, nothing is lost but the care.
        // SAFETY: the range was mapped just now.
        unsafe { libc::madvise(start, len, libc::MADV_DONTDUMP) };
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::other("mapped at null"))?;
        Ok(Self { start, words })
    }

    fn words(&self) -> &[AtomicU64] {
        // SAFETY: the mapping has so many words, begins on a page, lives as long as self, and is only used as atomics.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.words) }
    }

    fn get(&self, at: usize) -> u64 {
        self.words()[at].load(Ordering::Acquire)
    }

    fn set(&self, at: usize, value: u64) {
        self.words()[at].store(value, Ordering::Release);
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped in `new`, and nothing borrows from it any more.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.words * WORD) };
    }
}

impl SharedBook {
    /// Map it, and make it empty if it is new, of another format or more sections, or if the last starts with it came to nothing. One of
    /// fewer sections gets more, which are empty.
    pub(crate) fn open(memory: &OwnedFd, sections: usize) -> io::Result<Self> {
        if sections > MAX_SECTIONS {
            return Err(io::Error::other("more threads than the book has sections"));
        }
        let mapping = Mapping::new(memory, HEADER_WORDS + sections * SECTION_WORDS)?;
        let (format, then) = (u64::from(RECORD_FORMAT), mapping.get(AT_SECTIONS));
        let is_new = mapping.get(AT_MAGIC) == 0;
        let is_ours = (mapping.get(AT_MAGIC), mapping.get(AT_FORMAT)) == (MAGIC, format);
        let starts = if is_ours { mapping.get(AT_STARTS) } else { 0 };
        let emptied = match () {
            () if is_new => None,
            () if !is_ours => Some(Emptied::OtherFormat),
            () if then > sections as u64 => Some(Emptied::FewerShards { then, now: sections }),
            () if starts >= TRUSTED_STARTS => Some(Emptied::Distrusted),
            () => None,
        };
        let book = Self { mapping: Arc::new(mapping), emptied };
        if is_new || emptied.is_some() {
            book.clear()?;
        }
        for (at, value) in [(AT_FORMAT, format), (AT_SECTIONS, sections as u64), (AT_MAGIC, MAGIC)] {
            book.mapping.set(at, value);
        }
        // A start with nothing in the book is not the book's affair.
        let is_empty = (0..sections).all(|number| book.section(number).records().is_empty());
        book.mapping.set(AT_STARTS, if is_empty { 0 } else { starts + 1 });
        Ok(book)
    }

    /// The process that has it runs well.
    pub(crate) fn settle(&self) {
        self.mapping.set(AT_STARTS, 0);
    }

    /// Why what was in it is gone.
    pub(crate) fn emptied(&self) -> Option<Emptied> {
        self.emptied
    }

    pub(crate) fn section(&self, number: usize) -> Section {
        Section { mapping: self.mapping.clone(), number }
    }

    fn clear(&self) -> io::Result<()> {
        // Gives the pages back, too: what is read there afterwards is zeros.
        // SAFETY: the range is mapped, and all that is ever read from it are words, for which zero is as good as any value.
        let result = unsafe { libc::madvise(self.mapping.start.as_ptr().cast(), self.mapping.words * WORD, libc::MADV_REMOVE) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

impl Section {
    fn first(&self) -> usize {
        HEADER_WORDS + self.number * SECTION_WORDS
    }

    fn used(&self) -> usize {
        usize::try_from(self.mapping.get(AT_USED + self.number)).map_or(SLOTS, |used| used.min(SLOTS))
    }

    fn slot(&self, slot: usize) -> &[AtomicU64] {
        let start = self.first() + CELLS * CELL_WORDS + slot * SLOT_WORDS;
        &self.mapping.words()[start..start + SLOT_WORDS]
    }

    fn cell(&self, cell: usize) -> usize {
        self.first() + cell * CELL_WORDS
    }
}

impl Book for Section {
    fn slots(&self) -> usize {
        SLOTS
    }

    fn cells(&self) -> usize {
        CELLS
    }

    fn write(&mut self, slot: usize, record: &[u8]) {
        debug_assert!(record.len() <= RECORD_LEN);
        if slot >= self.used() {
            self.mapping.set(AT_USED + self.number, slot as u64 + 1);
        }
        let words = self.slot(slot);
        words[0].store(0, Ordering::Relaxed);
        fence(Ordering::SeqCst); // Neither the compiler nor the processor may let the record's words go first.
        for (word, bytes) in words[2..].iter().zip(record.chunks(WORD)) {
            let mut padded = [0; WORD];
            padded[..bytes.len()].copy_from_slice(bytes);
            word.store(u64::from_le_bytes(padded), Ordering::Relaxed);
        }
        words[1].store(checksum(record), Ordering::Relaxed);
        words[0].store(record.len() as u64, Ordering::Release);
    }

    fn erase(&mut self, slot: usize) {
        self.slot(slot).iter().for_each(|word| word.store(0, Ordering::Relaxed));
        fence(Ordering::SeqCst);
    }

    fn mark(&mut self, cell: usize, mark: Mark) {
        let at = self.cell(cell);
        self.mapping.set(at, mark.index);
        self.mapping.set(at + 1, u64::from(mark.timestamp) << 32 | u64::from(mark.at_ms));
    }

    fn records(&self) -> Vec<(usize, Vec<u8>)> {
        let read = |slot| {
            let words = self.slot(slot);
            let len = usize::try_from(words[0].load(Ordering::Acquire)).ok().filter(|len| (1..=RECORD_LEN).contains(len))?;
            let mut bytes: Vec<u8> =
                words[2..2 + len.div_ceil(WORD)].iter().flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes()).collect();
            bytes.truncate(len);
            (checksum(&bytes) == words[1].load(Ordering::Relaxed)).then_some((slot, bytes))
        };
        (0..self.used()).filter_map(read).collect()
    }

    #[allow(clippy::cast_possible_truncation)] // The halves are meant.
    fn mark_of(&self, cell: usize) -> Mark {
        let at = self.cell(cell);
        let time = self.mapping.get(at + 1);
        Mark { index: self.mapping.get(at), timestamp: (time >> 32) as u32, at_ms: time as u32 }
    }
}

/// FNV-1a, 64 bits: against accidents, not against people; who can write here has the keys anyway.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::fd::FromRawFd;

    fn memory() -> OwnedFd {
        // SAFETY: a name that lives through the call, and a descriptor that is nobody else's.
        unsafe { OwnedFd::from_raw_fd(libc::memfd_create(c"session-book".as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING)) }
    }

    fn reopened(memory: &OwnedFd) -> Section {
        SharedBook::open(memory, 1).unwrap().section(0)
    }

    #[test]
    fn records_and_marks_are_there_for_the_next_process() {
        let memory = memory();
        let longest = vec![7; RECORD_LEN];
        {
            let book = SharedBook::open(&memory, 1).unwrap();
            let mut section = book.section(0);
            section.write(3, b"a record");
            section.write(SLOTS - 1, &longest);
            section.write(4, b"erased");
            section.erase(4);
            section.mark(CELLS - 1, Mark { index: u64::MAX, timestamp: 1, at_ms: u32::MAX });
            book.settle();
        }
        let section = reopened(&memory);
        assert_eq!(section.records(), [(3, b"a record".to_vec()), (SLOTS - 1, longest)]);
        assert_eq!(section.mark_of(CELLS - 1), Mark { index: u64::MAX, timestamp: 1, at_ms: u32::MAX });
        assert_eq!(section.mark_of(0), Mark::default());
    }

    #[test]
    fn erased_record_leaves_no_byte() {
        let memory = memory();
        let book = SharedBook::open(&memory, 1).unwrap();
        let mut section = book.section(0);
        section.write(0, &[0xff; RECORD_LEN]);
        section.write(0, b"shorter");
        section.erase(0);
        assert!(section.slot(0).iter().all(|word| word.load(Ordering::Relaxed) == 0));
    }

    #[test]
    fn torn_record_is_none() {
        let memory = memory();
        let mut section = reopened(&memory);
        section.write(0, b"whole, and long enough for words");
        section.write(1, b"untouched");
        for word in 0..5 {
            let before = section.slot(0)[word].fetch_xor(1 << 33, Ordering::Relaxed);
            assert_eq!(section.records(), [(1, b"untouched".to_vec())], "word {word}");
            section.slot(0)[word].store(before, Ordering::Relaxed);
        }
        assert_eq!(section.records().len(), 2);
    }

    #[test]
    fn sections_do_not_overlap() {
        let memory = memory();
        let book = SharedBook::open(&memory, 2).unwrap();
        let [mut first, mut second] = [0, 1].map(|number| book.section(number));
        first.write(SLOTS - 1, &[1; RECORD_LEN]);
        second.mark(0, Mark { index: 9, ..Mark::default() });
        second.write(0, b"second");
        assert_eq!((first.records(), second.records()), (vec![(SLOTS - 1, vec![1; RECORD_LEN])], vec![(0, b"second".to_vec())]));
    }

    #[test]
    fn book_goes_on_with_more_sections_and_not_with_fewer() {
        let memory = memory();
        reopened(&memory).write(0, b"of one shard");
        let wider = SharedBook::open(&memory, 3).unwrap();
        assert_eq!((wider.section(0).records(), wider.emptied()), (vec![(0, b"of one shard".to_vec())], None));
        wider.section(2).write(5, b"of the third");
        wider.settle();
        let narrower = SharedBook::open(&memory, 2).unwrap();
        assert_eq!([0, 1].map(|number| narrower.section(number).records()), [vec![], vec![]]);
        assert_eq!(narrower.emptied().unwrap().to_string(), "The engine ran 3 threads and runs 2 now.");
        let wiped = Section { mapping: narrower.mapping.clone(), number: 2 };
        assert!(wiped.slot(5).iter().all(|word| word.load(Ordering::Relaxed) == 0), "no key is left where nobody looks");
    }

    #[test]
    fn book_of_another_format_is_emptied() {
        let memory = memory();
        reopened(&memory).write(0, b"of this format");
        SharedBook::open(&memory, 1).unwrap().mapping.set(AT_FORMAT, 0);
        let book = SharedBook::open(&memory, 1).unwrap();
        assert_eq!((book.section(0).records(), book.emptied()), (vec![], Some(Emptied::OtherFormat)));
        assert_eq!(SharedBook::open(&memory, 1).unwrap().emptied(), None);
    }

    #[test]
    fn book_is_emptied_at_the_third_start_with_it_of_which_none_came_to_anything() {
        let memory = memory();
        reopened(&memory).write(0, b"deadly");
        for _ in 0..2 {
            assert_eq!(reopened(&memory).records().len(), 1);
        }
        let third = SharedBook::open(&memory, 1).unwrap();
        assert_eq!(third.emptied(), Some(Emptied::Distrusted));
        let mut third = third.section(0);
        assert_eq!(third.records(), [], "two crashes are enough");
        third.write(0, b"good");
        SharedBook::open(&memory, 1).unwrap().settle();
        for _ in 0..2 {
            assert_eq!(reopened(&memory).records().len(), 1);
        }
    }

    #[test]
    fn book_cannot_be_cut_short() {
        let memory = memory();
        reopened(&memory);
        assert!(File::from(memory.try_clone().unwrap()).set_len(1).is_err());
    }
}
