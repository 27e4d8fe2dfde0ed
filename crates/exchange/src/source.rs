//! A file being imported: recognised at once, then read line by line.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use encoding_rs::Encoding;
use xinheng_core::record::{Day, Draft};
use xinheng_core::rulebook::kind::Kind;
use xinheng_core::rulebook::load::Rulebook;
use xinheng_core::rulebook::table::Table;

use crate::cells::Cells;
use crate::fault::{Fault, FileError};
use crate::header::{HEADER_WITHIN, Match, Matcher, Role, refuse_duplicates, shown};
use crate::json_lines::JsonLines;
use crate::mapping::{Mapping, is_complete};
use crate::prepass::{Content, Prepass, prepass};
use crate::text::{TextLines, decoded};
use crate::value::FIRST_DAY;
use crate::workbook::Workbook;

/// What files are read by.
#[derive(Clone)]
pub struct Forms<'a> {
    /// Tables among which a file's is recognised.
    pub tables: Vec<&'a Table>,
    /// Kinds of record.
    pub kinds: Vec<&'a Kind>,
    /// Nothing can have happened after this day.
    pub today: Day,
}

impl<'a> Forms<'a> {
    /// The tables and kinds in force.
    #[must_use]
    pub fn new(rulebook: &'a Rulebook, today: Day) -> Self {
        Self { tables: rulebook.tables(today).collect(), kinds: rulebook.kinds(today).collect(), today }
    }

    /// The kind of that id.
    pub(crate) fn kind(&self, id: &str) -> Option<&'a Kind> {
        self.kinds.iter().copied().find(|kind| kind.rule.id.value == id)
    }
}

/// How a file is read; by default everything is recognised.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions<'a> {
    /// Id or title of the table, when it is not to be recognised.
    pub table: Option<String>,
    /// A user's stored mapping, in place of the tables of the rulebook.
    pub mapping: Option<&'a Table>,
    /// The day of which the file is, for registers that do not say so row by row.
    pub edition: Option<Day>,
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
    table: Table,
    headings: Vec<String>,
    unknown_columns: Vec<String>,
    digest: [u8; 32],
    mapping: Mapping,
    lines: Box<dyn Lines + Send>,
    header_line: i64,
    /// The first row, which was looked for when the file was opened.
    pending: Option<(i64, Cells)>,
    is_workbook: bool,
    total: u64,
    progress: Arc<AtomicU64>,
    ended: bool,
}

/// Opens a file: recognises its content, encoding, delimiter or sheet, its table and its columns.
///
/// # Errors
/// One sentence that says why the file as a whole is not taken and what to do.
pub fn open(path: &Path, forms: &Forms<'_>, options: &ReadOptions<'_>) -> Result<Source, FileError> {
    let mut file = File::open(path)?;
    let size = file.metadata()?;
    if size.is_dir() {
        return Err(std::io::Error::from(std::io::ErrorKind::IsADirectory).into());
    }
    if let Some(edition) = options.edition.filter(|day| *day < FIRST_DAY || *day > forms.today) {
        return Err(FileError::Edition(edition));
    }
    let tables = candidates(forms, options)?;
    let Prepass { digest, content } = prepass(&mut file)?;
    let matcher = Matcher::new(&tables);
    let progress = Arc::default();
    let best = |rows: &[(i64, Cells)]| matcher.best(rows, |table, roles| is_complete(table, forms, roles));
    let recogniser = Recogniser { file, best: &best, progress: &progress };
    let Recognised { lines, mut matches, rows } = recogniser.recognise(content)?;
    let header = match (matches.pop(), matches.is_empty()) {
        (None, _) => return Err(matcher.no_header()),
        (Some(header), true) => header,
        (Some(last), false) => {
            let named = |one: &Match| {
                let rule = &tables[one.table].rule;
                (rule.id.value.clone(), rule.title.clone())
            };
            return Err(FileError::SeveralTables { candidates: matches.iter().chain([&last]).map(named).collect() });
        }
    };
    refuse_duplicates(&header)?;
    let table = tables[header.table];
    let unknown = header.roles.iter().zip(&header.headings);
    let mut source = Source {
        table: table.clone(),
        unknown_columns: unknown
            .filter(|(role, heading)| **role == Role::Other && !heading.is_empty())
            .map(|(_, heading)| heading.clone())
            .collect(),
        digest,
        mapping: Mapping::new(table, forms, &header, rows.is_none(), options.edition)?,
        lines,
        header_line: header.line,
        headings: header.headings,
        pending: None,
        is_workbook: rows.is_some(),
        total: rows.unwrap_or(size.len()),
        progress,
        ended: false,
    };
    source.pending = source.next_filled()?;
    if source.pending.is_none() {
        return Err(FileError::HeaderOnly { table: table.rule.title.clone() });
    }
    Ok(source)
}

/// Finds the tables that fit the first rows of a file, the best first.
type Matching<'a> = dyn Fn(&[(i64, Cells)]) -> Vec<Match> + 'a;

/// Finds the header in files of each format.
pub(crate) struct Recogniser<'a> {
    pub(crate) file: File,
    /// The best headers among the first rows: none, one, or several of equal rank.
    pub(crate) best: &'a Matching<'a>,
    pub(crate) progress: &'a Arc<AtomicU64>,
}

/// A file's lines from its beginning, and the rows that may be its header.
pub(crate) struct Recognised {
    pub(crate) lines: Box<dyn Lines + Send>,
    /// None when no row is a header.
    pub(crate) matches: Vec<Match>,
    /// For a workbook: how many rows it says it has.
    pub(crate) rows: Option<u64>,
}

impl Recogniser<'_> {
    pub(crate) fn recognise(&self, content: Content) -> Result<Recognised, FileError> {
        match content {
            Content::Text { encoding, mark } => self.text(encoding, mark),
            Content::JsonLines { encoding, mark } => self.json_lines(encoding, mark),
            Content::Zip => self.workbook(Workbook::open_xlsx(&self.file)?),
            Content::CompoundFile => self.workbook(Workbook::open_compound_file(&self.file)?),
        }
    }

    /// Takes the delimiter under which the header is known best.
    fn text(&self, encoding: &'static Encoding, mark: usize) -> Result<Recognised, FileError> {
        let with = |delimiter| {
            let input = decoded(&self.file, encoding, mark, self.progress)?;
            Ok::<_, FileError>(TextLines::new(input, delimiter))
        };
        let (mut delimiter, mut matches, mut readable) = (b',', Vec::new(), Ok(()));
        for other in *b",\t;" {
            let (rows, result) = first_lines(&mut with(other)?);
            readable = readable.and(result);
            let found = (self.best)(&rows);
            if found.first().map(Match::rank) > matches.first().map(Match::rank) {
                (delimiter, matches) = (other, found);
            }
        }
        if matches.is_empty() {
            readable?;
        } else {
            with(delimiter)?.check()?;
        }
        Ok(Recognised { lines: Box::new(with(delimiter)?), matches, rows: None })
    }

    fn json_lines(&self, encoding: &'static Encoding, mark: usize) -> Result<Recognised, FileError> {
        let start = || decoded(&self.file, encoding, mark, self.progress);
        let mut lines = JsonLines::new(start)?;
        let (rows, result) = first_lines(&mut lines);
        result?;
        Ok(Recognised { lines: Box::new(lines.again(start()?)), matches: (self.best)(&rows), rows: None })
    }

    /// Takes the one visible sheet that has a header; others are notes.
    fn workbook(&self, mut workbook: Workbook) -> Result<Recognised, FileError> {
        let mut found: Vec<(String, Vec<Match>)> = Vec::new();
        for sheet in workbook.sheets() {
            let matches = (self.best)(&workbook.first_rows(&sheet)?);
            if !matches.is_empty() {
                found.push((sheet, matches));
            }
        }
        if found.len() > 1 {
            return Err(FileError::SeveralSheets(found.into_iter().map(|(sheet, _)| sheet).collect()));
        }
        let Some((sheet, matches)) = found.pop() else {
            return Ok(Recognised { lines: Box::new(Nothing), matches: Vec::new(), rows: None });
        };
        let (lines, rows) = workbook.rows(sheet)?;
        Ok(Recognised { lines, matches, rows: Some(rows) })
    }
}

/// Of a workbook without a header no line is read.
struct Nothing;

impl Lines for Nothing {
    fn next_line(&mut self) -> Result<Option<(i64, Cells)>, FileError> {
        Ok(None)
    }
}

/// The tables among which the file's is to be recognised.
fn candidates<'a>(forms: &Forms<'a>, options: &ReadOptions<'a>) -> Result<Vec<&'a Table>, FileError> {
    if let Some(mapping) = options.mapping {
        return Ok(vec![mapping]);
    }
    let Some(id) = &options.table else {
        return Ok(forms.tables.clone());
    };
    let named: Vec<&Table> =
        forms.tables.iter().copied().filter(|table| table.rule.id.value == *id || table.rule.title == *id).collect();
    if named.is_empty() {
        return Err(FileError::UnknownTable {
            name: id.clone(),
            known: forms.tables.iter().map(|table| shown(table)).collect(),
        });
    }
    Ok(named)
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
    /// The table that the file holds.
    #[must_use]
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Headings as given, from left to right.
    #[must_use]
    pub fn headings(&self) -> &[String] {
        &self.headings
    }

    /// Headings that the table does not know; what stands under them is kept aside, sealed.
    #[must_use]
    pub fn unknown_columns(&self) -> Vec<String> {
        self.unknown_columns.clone()
    }

    /// SHA-256 digest of the file: what every machine has a program for, and computes fast.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// How far reading is: bytes of a text, but rows of a workbook.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.progress.load(Ordering::Relaxed)
    }

    /// How far reading will get, in the measure of [`Source::bytes_read`].
    #[must_use]
    pub fn bytes_total(&self) -> u64 {
        self.total.max(self.bytes_read())
    }

    /// The next line below the header that holds anything.
    fn next_filled(&mut self) -> Result<Option<(i64, Cells)>, FileError> {
        loop {
            match self.lines.next_line()? {
                Some((line, cells)) if line <= self.header_line || cells.is_blank() => {}
                other => return Ok(other),
            }
        }
    }
}

impl Iterator for Source {
    type Item = Result<Row, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = match self.pending.take() {
            Some(first) => Ok(Some(first)),
            None => self.next_filled(),
        };
        match next {
            Ok(Some((line, cells))) => {
                if self.is_workbook {
                    self.progress.store(line.unsigned_abs(), Ordering::Relaxed);
                }
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
