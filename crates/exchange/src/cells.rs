//! The cells of a line, as given.

use std::fmt;

/// The most columns a table may have.
pub(crate) const MOST_COLUMNS: usize = 1_024;
/// The most characters a cell may have; Excel's own bound.
pub(crate) const LONGEST_CELL: usize = 32_767;
/// The most bytes a line may have.
pub(crate) const LONGEST_LINE: usize = 1 << 20;

/// The cells of a line as given, in one piece of memory. They may hold personal data, so `Debug` shows
/// their number only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Cells {
    text: String,
    ends: Vec<usize>,
}

impl Cells {
    /// From the joined text of the cells and where each ends in it.
    pub(crate) fn new(text: String, ends: Vec<usize>) -> Self {
        Self { text, ends }
    }

    /// Adds a cell to the right.
    pub(crate) fn push(&mut self, cell: &str) {
        self.text.push_str(cell);
        self.ends.push(self.text.len());
    }

    /// Number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no cell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text of a cell, counted from 0; empty right of the last one.
    #[must_use]
    pub fn get(&self, column: usize) -> &str {
        match (column.checked_sub(1).map(|left| self.ends.get(left)), self.ends.get(column)) {
            (None, Some(&end)) => &self.text[..end],
            (Some(Some(&start)), Some(&end)) => &self.text[start..end],
            _ => "",
        }
    }

    /// All cells from left to right.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|column| self.get(column))
    }

    /// Whether nothing but white space stands in the line.
    pub(crate) fn is_blank(&self) -> bool {
        self.text.chars().all(char::is_whitespace)
    }

    /// All cells in one text.
    pub(crate) fn joined(&self) -> &str {
        &self.text
    }
}

impl<'a> FromIterator<&'a str> for Cells {
    fn from_iter<I: IntoIterator<Item = &'a str>>(cells: I) -> Self {
        let mut line = Self::default();
        cells.into_iter().for_each(|cell| line.push(cell));
        line
    }
}

impl fmt::Debug for Cells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cells({})", self.len())
    }
}
