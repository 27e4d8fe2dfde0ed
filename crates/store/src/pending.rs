//! What the newest records make of the projections, until the database is given it.

use std::collections::VecDeque;

use xinheng_core::collect::{Identity, Standing};
use xinheng_core::record::Day;

use crate::entry::Entry;
use crate::projection::{Changes, Part};

/// Records whose projections are written together. Their rows lie anywhere in the trees: the more are written in the
/// order of their keys, the fewer times each page is.
pub(crate) const TOGETHER: usize = 32_768;

/// In so many parts they are written, one after each batch of records: while the database is busy with one, the next
/// batch is made ready.
const PARTS: usize = 32;

/// Changes in the order of the records.
pub(crate) struct Pending {
    /// Of records before the newest, part by part in the order of their keys.
    parts: VecDeque<Part>,
    newest: Changes,
}

impl Pending {
    /// None yet, where the ledger has reached a day.
    pub(crate) fn after(last_day: Option<Day>) -> Self {
        Self { parts: VecDeque::new(), newest: Changes::after(last_day) }
    }

    /// The latest day that has a head.
    #[cfg(feature = "testing")]
    pub(crate) fn last_day(&self) -> Option<Day> {
        self.newest.last_day()
    }

    /// Carries the next record of the ledger into the projections.
    pub(crate) fn take(&mut self, entry: &Entry) {
        self.newest.take(entry);
    }

    /// Those of the newest records, for whoever takes more records in elsewhere and gives them back.
    pub(crate) fn lend(&mut self) -> Changes {
        std::mem::take(&mut self.newest)
    }

    pub(crate) fn give_back(&mut self, newest: Changes) {
        self.newest = newest;
    }

    /// Whether the newest records are as many as are written together.
    pub(crate) fn are_enough(&self) -> bool {
        self.newest.records() >= TOGETHER
    }

    /// Lets what the newest records make be written part by part, after all parts that are left.
    pub(crate) fn divide(&mut self) {
        let newest = self.take_newest();
        self.parts.extend(newest.divided(PARTS));
    }

    /// Whether there is nothing to be written.
    pub(crate) fn is_empty(&self) -> bool {
        self.newest.records() == 0 && self.parts.is_empty()
    }

    /// The next part to be written.
    pub(crate) fn next_part(&mut self) -> Option<Part> {
        self.parts.pop_front()
    }

    /// All that there is, to be written now.
    pub(crate) fn take_all(&mut self) -> Vec<Part> {
        let newest = self.take_newest();
        let newest = (newest.records() > 0).then(|| newest.divided(1));
        self.parts.drain(..).chain(newest.into_iter().flatten()).collect()
    }

    /// The current row of an identity, if they change it.
    pub(crate) fn standing(&self, identity: Identity) -> Option<Standing> {
        let stored_next = || self.parts.iter().find(|part| part.reaches(identity))?.standing(identity);
        self.newest.standing(identity).or_else(stored_next)
    }

    /// Whether they register enterprises, or strike them off.
    pub(crate) fn registers(&self) -> bool {
        self.newest.registers() || self.parts.iter().any(Part::registers)
    }

    /// Whether they have records that wait for their enterprise, or no longer do.
    pub(crate) fn waits(&self) -> bool {
        self.newest.waits() || self.parts.iter().any(Part::waits)
    }

    fn take_newest(&mut self) -> Changes {
        let next = Changes::after(self.newest.last_day());
        std::mem::replace(&mut self.newest, next)
    }
}
