//! A file being imported: recognised at once, then read line by line.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use xinheng_core::ledger::Hash;
use xinheng_core::record::{Day, Draft};
use xinheng_core::rulebook::kind::Kind;
use xinheng_core::rulebook::table::Table;

use crate::cells::Cells;
use crate::fault::{Fault, FileError};
use crate::header::{HEADER_WITHIN, Match, Matcher, Role, refuse_duplicates};
use crate::json_lines::JsonLines;
use crate::mapping::{Mapping, is_complete};
use crate::prepass::{Content, prepass};
use crate::text::{TextLines, decoded};
use crate::value::FIRST_DAY;
use crate::workbook::Workbook;

/// What files are read by: the exchange tables and the kinds of record that they bring.
#[derive(Clone, Copy)]
pub struct Forms<'a> {
    /// Tables among which a file's is recognised.
    pub tables: &'a [&'a Table],
    /// Kinds of record in force.
    pub kinds: &'a [&'a Kind],
}

impl<'a> Forms<'a> {
    /// The kind of that id.
    pub(crate) fn kind(&self, id: &str) -> Option<&'a Kind> {
        self.kinds.iter().copied().find(|kind| kind.rule.id.value == id)
    }
}

/// How a file is read.
#[derive(Clone, Copy)]
pub struct ReadOptions<'a> {
    /// Id of the table, when it is not to be recognised.
    pub table: Option<&'a str>,
    /// A user's stored mapping, in place of the tables of the rulebook.
    pub mapping: Option<&'a Table>,
    /// The day of which the file is, for registers that do not say so row by row.
    pub edition: Option<Day>,
    /// Nothing can have happened after this day.
    pub today: Day,
    /// Lines up to this one were taken before: they are passed over.
    pub after_line: i64,
}

impl ReadOptions<'_> {
    /// Everything recognised, from the first line on.
    #[must_use]
    pub fn new(today: Day) -> Self {
        Self {
            table: None,
            mapping: None,
            edition: None,
            today,
            after_line: 0,
        }
    }
}

/// A line of a file.
#[derive(Debug)]
pub struct Row {
    /// Its number as an editor or a spreadsheet counts it.
    pub line: i64,
    /// Its cells as given, to be handed back when something is wrong.
    pub cells: Cells,
    /// The records it brings, or everything that is wrong with it.
    pub outcome: Result<Vec<Draft>, Vec<Fault>>,
}

/// Lines in the order of the file; blank ones may be among them.
pub(crate) trait Lines {
    /// The next line and its number.
    fn next_line(&mut self) -> Result<Option<(i64, Cells)>, FileError>;
}

/// A file being read. Iterating gives its rows; after an error nothing more comes.
pub struct Source {
    table: String,
    headings: Vec<String>,
    unknown_columns: Vec<String>,
    digest: Hash,
    mapping: Mapping,
    lines: Box<dyn Lines + Send>,
    /// The first row, which was looked for when the file was opened.
    pending: Option<(i64, Cells)>,
    after_line: i64,
    progress: Progress,
    ended: bool,
}

/// Progress of reading: bytes of a text, rows of a workbook.
struct Progress {
    total: u64,
    /// Bytes taken from the disk; stays 0 for a workbook, whose rows are counted as they are given.
    bytes: Arc<AtomicU64>,
    counts_rows: bool,
    rows: u64,
}

/// Opens a file: recognises its content, encoding, delimiter or sheet, its table and its columns.
///
/// # Errors
/// One sentence that says why the file as a whole is not taken and what to do.
pub fn open(path: &Path, forms: &Forms<'_>, options: &ReadOptions<'_>) -> Result<Source, FileError> {
    let mut file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(std::io::Error::from(std::io::ErrorKind::IsADirectory).into());
    }
    if let Some(edition) = options.edition.filter(|day| *day < FIRST_DAY || *day > options.today) {
        return Err(FileError::Edition(edition));
    }
    let tables = candidates(forms, options)?;
    let matcher = Matcher::new(&tables);
    let best = |rows: &[(i64, Cells)]| matcher.best(rows, |table, roles| is_complete(table, forms, roles));
    let prepass = prepass(&mut file)?;
    let bytes = Arc::new(AtomicU64::new(0));
    let mut total = file.metadata()?.len();
    let (lines, matches): (Box<dyn Lines + Send>, Vec<Match>) = match prepass.content {
        Content::Text { encoding, mark } => {
            let with =
                |delimiter| Ok::<_, FileError>(TextLines::new(decoded(&file, encoding, mark, &bytes)?, delimiter));
            let mut found: Option<(u8, Vec<Match>)> = None;
            let mut readable = Ok(());
            for delimiter in *b",\t;" {
                let (rows, result) = first_lines(&mut with(delimiter)?);
                readable = readable.and(result);
                let matches = best(&rows);
                let rank = |matches: &[Match]| matches.first().map(Match::rank);
                if found.as_ref().is_none_or(|(_, other)| rank(&matches) > rank(other)) {
                    found = Some((delimiter, matches));
                }
            }
            let Some((delimiter, matches)) = found.filter(|(_, matches)| !matches.is_empty()) else {
                return Err(readable.err().unwrap_or_else(|| no_header(&tables)));
            };
            with(delimiter)?.check()?;
            (Box::new(with(delimiter)?), matches)
        }
        Content::JsonLines { encoding, mark } => {
            let read = || decoded(&file, encoding, mark, &bytes);
            let lines = || JsonLines::new(read);
            let (rows, result) = first_lines(&mut lines()?);
            result?;
            (Box::new(lines()?), best(&rows))
        }
        Content::Zip | Content::CompoundFile => {
            let mut workbook = match prepass.content {
                Content::Zip => Workbook::open_xlsx(&file)?,
                _ => Workbook::open_compound_file(&file)?,
            };
            let mut found: Vec<(String, Vec<Match>)> = Vec::new();
            for sheet in workbook.sheets() {
                let matches = best(&workbook.first_rows(&sheet)?);
                if !matches.is_empty() {
                    found.push((sheet, matches));
                }
            }
            if found.len() > 1 {
                return Err(FileError::SeveralSheets(
                    found.into_iter().map(|(sheet, _)| sheet).collect(),
                ));
            }
            let Some((sheet, matches)) = found.pop() else {
                return Err(no_header(&tables));
            };
            let (lines, rows) = workbook.rows(sheet)?;
            total = rows;
            (lines, matches)
        }
    };
    let header = match matches.as_slice() {
        [] => return Err(no_header(&tables)),
        [header] => header,
        several => {
            return Err(FileError::SeveralTables {
                candidates: several.iter().map(|one| shown(tables[one.table])).collect(),
            });
        }
    };
    refuse_duplicates(header)?;
    let is_workbook = matches!(prepass.content, Content::Zip | Content::CompoundFile);
    let table = tables[header.table];
    let mapping = Mapping::new(table, forms, header, !is_workbook, options.edition, options.today)?;
    let unknown = header.roles.iter().zip(&header.headings);
    let mut source = Source {
        table: table.rule.id.value.clone(),
        unknown_columns: unknown
            .filter(|(role, heading)| **role == Role::Other && !heading.is_empty())
            .map(|(_, heading)| heading.clone())
            .collect(),
        headings: header.headings.clone(),
        digest: prepass.digest,
        mapping,
        lines,
        pending: None,
        after_line: options.after_line.max(header.line),
        progress: Progress {
            total,
            bytes,
            counts_rows: is_workbook,
            rows: 0,
        },
        ended: false,
    };
    source.require_a_row(header.line, &table.rule.title)?;
    Ok(source)
}

/// The tables among which the file's is to be recognised.
fn candidates<'a>(forms: &Forms<'a>, options: &ReadOptions<'a>) -> Result<Vec<&'a Table>, FileError> {
    if let Some(mapping) = options.mapping {
        return Ok(vec![mapping]);
    }
    let Some(id) = options.table else {
        return Ok(forms.tables.to_vec());
    };
    let named: Vec<&Table> = forms
        .tables
        .iter()
        .copied()
        .filter(|table| table.rule.id.value == id || table.rule.title == id)
        .collect();
    if named.is_empty() {
        return Err(FileError::UnknownTable {
            name: id.to_owned(),
            known: forms.tables.iter().map(|table| shown(table)).collect(),
        });
    }
    Ok(named)
}

fn shown(table: &Table) -> String {
    format!("{}（{}）", table.rule.title, table.rule.id.value)
}

fn no_header(tables: &[&Table]) -> FileError {
    FileError::NoHeader {
        candidates: tables.iter().map(|table| shown(table)).collect(),
    }
}

/// The first lines with content, among which the header is, as far as they can be read.
pub(crate) fn first_lines(lines: &mut dyn Lines) -> (Vec<(i64, Cells)>, Result<(), FileError>) {
    let mut first = Vec::with_capacity(HEADER_WITHIN);
    while first.len() < HEADER_WITHIN {
        match lines.next_line() {
            Ok(Some((_, cells))) if cells.is_blank() => {}
            Ok(Some(line)) => first.push(line),
            Ok(None) => break,
            Err(error) => return (first, Err(error)),
        }
    }
    (first, Ok(()))
}

impl Source {
    /// Id of the table that the file holds.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Headings as given, from left to right.
    #[must_use]
    pub fn headings(&self) -> &[String] {
        &self.headings
    }

    /// Headings that the table does not know; what stands under them is kept aside, sealed.
    #[must_use]
    pub fn unknown_columns(&self) -> &[String] {
        &self.unknown_columns
    }

    /// SM3 digest of the file.
    #[must_use]
    pub fn digest(&self) -> Hash {
        self.digest
    }

    /// How far reading is: bytes of a text, rows of a workbook.
    #[must_use]
    pub fn done(&self) -> u64 {
        if self.progress.counts_rows {
            self.progress.rows
        } else {
            self.progress.bytes.load(Ordering::Relaxed)
        }
    }

    /// How far reading will get, in the measure of [`Source::done`]; what a workbook says of itself.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.progress.total.max(self.done())
    }

    /// The next line below the header that holds anything, read or passed over before.
    fn next_filled(&mut self) -> Result<Option<(i64, Cells)>, FileError> {
        loop {
            let next = match self.pending.take() {
                Some(line) => Some(line),
                None => self.lines.next_line()?,
            };
            match next {
                Some((_, cells)) if cells.is_blank() => {}
                Some((line, _)) if line <= self.after_line => {}
                other => return Ok(other),
            }
        }
    }

    /// Refuses a file without any row below its header.
    fn require_a_row(&mut self, header: i64, title: &str) -> Result<(), FileError> {
        let resumed = std::mem::replace(&mut self.after_line, header);
        let Some(first) = self.next_filled()? else {
            return Err(FileError::HeaderOnly {
                table: title.to_owned(),
            });
        };
        self.pending = Some(first);
        self.after_line = resumed;
        Ok(())
    }
}

impl Iterator for Source {
    type Item = Result<Row, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.next_filled() {
            Ok(Some((line, cells))) => {
                self.progress.rows = u64::try_from(line).unwrap_or_default();
                let outcome = self.mapping.drafts(line, &cells);
                Some(Ok(Row { line, cells, outcome }))
            }
            Ok(None) => {
                self.ended = true;
                None
            }
            Err(error) => {
                self.ended = true;
                Some(Err(error))
            }
        }
    }
}
