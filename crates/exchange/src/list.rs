//! A list (名册): a file whose rows are no records but lines of a few columns, such as the staff of a
//! bureau. Recognised and read as the tables of the rulebook are.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use crate::cells::Cells;
use crate::fault::FileError;
use crate::header::{Role, list_header, refuse_duplicates};
use crate::prepass::{Prepass, prepass};
use crate::source::{Lines, Recogniser};

/// A column of a list.
#[derive(Clone, Copy, Debug)]
pub struct ListColumn {
    /// Headings under which it is known; messages use the first.
    pub headings: &'static [&'static str],
    /// Whether a file without it is refused.
    pub required: bool,
}

/// A row of a list.
#[derive(Debug)]
pub struct ListRow {
    /// Its number as an editor or a spreadsheet counts it.
    pub line: i64,
    /// Its cells as given, to be handed back when something is wrong.
    pub cells: Cells,
    /// The trimmed text of each column of the list, in the order in which the list names them.
    pub values: Vec<String>,
}

/// A list being read. Iterating gives its rows; after an error nothing more comes.
pub struct List {
    lines: Box<dyn Lines + Send>,
    header_line: i64,
    headings: Vec<String>,
    places: Vec<Option<usize>>,
    ended: bool,
}

impl List {
    /// Opens a file that holds a list of this title.
    ///
    /// # Errors
    /// One sentence that says why the file as a whole is not taken and what to do.
    pub fn open(path: &Path, title: &str, columns: &[ListColumn]) -> Result<Self, FileError> {
        let mut file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(std::io::Error::from(std::io::ErrorKind::IsADirectory).into());
        }
        let Prepass { content, .. } = prepass(&mut file)?;
        let best = |rows: &[(i64, Cells)]| list_header(columns, rows);
        let progress = Arc::default();
        let mut recognised = Recogniser { file, best: &best, progress: &progress }.recognise(content)?;
        let named = |column: &ListColumn| column.headings.first().copied().unwrap_or_default().to_owned();
        let Some(header) = recognised.matches.pop() else {
            let headings: Vec<String> = columns.iter().map(named).collect();
            return Err(FileError::NoHeader { candidates: vec![format!("{title}（{}）", headings.join("、"))] });
        };
        refuse_duplicates(&header)?;
        let place = |column| header.roles.iter().position(|role| *role == Role::Known(column));
        let places: Vec<Option<usize>> = (0..columns.len()).map(place).collect();
        let missing = columns.iter().zip(&places).filter(|(column, place)| column.required && place.is_none());
        let missing: Vec<String> = missing.map(|(column, _)| named(column)).collect();
        if !missing.is_empty() {
            return Err(FileError::MissingColumns { table: title.to_owned(), columns: missing });
        }
        Ok(Self { lines: recognised.lines, header_line: header.line, headings: header.headings, places, ended: false })
    }

    /// Headings as given, from left to right.
    #[must_use]
    pub fn headings(&self) -> &[String] {
        &self.headings
    }

    /// Where a column of the list stands in the file.
    #[must_use]
    pub fn place(&self, column: usize) -> Option<usize> {
        self.places.get(column).copied().flatten()
    }
}

impl Iterator for List {
    type Item = Result<ListRow, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            match self.lines.next_line() {
                Ok(Some((line, cells))) if line <= self.header_line || cells.is_blank() => {}
                Ok(Some((line, cells))) => {
                    let value = |place: &Option<usize>| place.map_or("", |place| cells.get(place)).trim().to_owned();
                    let values = self.places.iter().map(value).collect();
                    return Some(Ok(ListRow { line, cells, values }));
                }
                Ok(None) => self.ended = true,
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}
