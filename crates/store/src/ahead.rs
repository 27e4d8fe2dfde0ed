//! What a writer asks the database ahead: the answers come in the order of the questions, and whoever needs one need not
//! wait for all that the database was given since.

use std::collections::{HashSet, VecDeque};
use std::hash::Hash;

/// Questions about sets of keys, each with what waits for its answer, those first that come first.
pub(crate) struct Ahead<K, T>(VecDeque<(HashSet<K>, T)>);

impl<K, T> Default for Ahead<K, T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<K: Clone + Eq + Hash, T> Ahead<K, T> {
    /// Notes what was asked.
    pub(crate) fn note(&mut self, keys: &[K], waiting: T) {
        self.0.push_back((keys.iter().cloned().collect(), waiting));
    }

    /// What waits for the answer about all of these keys; earlier questions nobody will come back to.
    pub(crate) fn take(&mut self, keys: &[K]) -> Option<T> {
        let at = self.0.iter().position(|(asked, _)| keys.iter().all(|key| asked.contains(key)))?;
        self.0.drain(..=at).next_back().map(|(_, waiting)| waiting)
    }

    /// All of them.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&HashSet<K>, &mut T)> {
        self.0.iter_mut().map(|(asked, waiting)| (&*asked, waiting))
    }

    /// Nobody will come back to any of them.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
