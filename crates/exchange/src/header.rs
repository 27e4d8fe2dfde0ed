//! The header row: which exchange table a file holds, and which column is which.

use std::collections::HashMap;

use xinheng_core::rulebook::table::Table;

use crate::cells::Cells;
use crate::fault::FileError;
use crate::list::ListColumn;
use crate::value::folded;

/// Rows among which the header is looked for; titles often stand above it.
pub(crate) const HEADER_WITHIN: usize = 10;
/// Columns that must be known for a row to be taken as a table's header.
const FEWEST_KNOWN: usize = 3;

/// Heading of the error workbook's first column.
pub(crate) const LINE: &str = "行号";
/// Headings of the error workbook's last columns.
pub(crate) const REASON: &str = "不通过原因";
pub(crate) const MEND: &str = "修改办法";

/// Whether a column was added by our own error workbook, so that a mended one is taken as it is.
pub(crate) fn is_ours(heading: &str) -> bool {
    [LINE, REASON, MEND].contains(&heading_key(heading).as_str())
}

/// What a file's column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A column of the table, by its place there.
    Known(usize),
    /// A person's reason for a correction.
    Correction,
    /// Added by our own error workbook.
    Ours,
    /// Anything else: kept aside.
    Other,
}

/// A row taken as the header of a table.
#[derive(Clone, Debug)]
pub(crate) struct Match {
    /// Place of the table among those offered.
    pub(crate) table: usize,
    /// Line of the header row.
    pub(crate) line: i64,
    /// Headings as given.
    pub(crate) headings: Vec<String>,
    /// What each column is.
    pub(crate) roles: Vec<Role>,
    /// Columns known to the table.
    known: usize,
    /// Whether the columns without which no row is complete are there.
    complete: bool,
}

impl Match {
    /// The better match has more known columns, and among equals lacks none that is needed.
    pub(crate) fn rank(&self) -> (usize, bool) {
        (self.known, self.complete)
    }
}

/// Headings are compared in half width, lower case, without white space, asterisks and a final colon.
fn heading_key(heading: &str) -> String {
    let mut key = folded(heading);
    key.retain(|c| c != '*');
    key.make_ascii_lowercase();
    key.trim_end_matches(':').to_owned()
}

/// A table as people and `--table` know it.
pub(crate) fn shown(table: &Table) -> String {
    format!("{}（{}）", table.rule.title, table.rule.id.value)
}

/// The tables offered, by the headings of their columns.
pub(crate) struct Matcher<'a> {
    tables: Vec<(&'a Table, HashMap<String, usize>)>,
}

impl<'a> Matcher<'a> {
    pub(crate) fn new(tables: &[&'a Table]) -> Self {
        let by_heading = |table: &'a Table| {
            let mut columns = HashMap::new();
            for (place, column) in table.columns.iter().enumerate() {
                for heading in [&column.name.value, &column.title].into_iter().chain(&column.also) {
                    columns.entry(heading_key(heading)).or_insert(place);
                }
            }
            (table, columns)
        };
        Self { tables: tables.iter().copied().map(by_heading).collect() }
    }

    /// Says that none of the tables is known by its header.
    pub(crate) fn no_header(&self) -> FileError {
        FileError::NoHeader { candidates: self.tables.iter().map(|(table, _)| shown(table)).collect() }
    }

    /// The best matches among the first rows of a file: none, one, or several of equal rank.
    /// `complete` tells whether the known columns suffice for a table.
    pub(crate) fn best(&self, rows: &[(i64, Cells)], complete: impl Fn(&Table, &[Role]) -> bool) -> Vec<Match> {
        let mut best: Vec<Match> = Vec::new();
        for (line, cells) in rows {
            for (place, (table, columns)) in self.tables.iter().enumerate() {
                let roles: Vec<Role> = cells.iter().map(|heading| role(heading, columns)).collect();
                let known = roles.iter().filter(|role| matches!(role, Role::Known(_))).count();
                if known < FEWEST_KNOWN.min(table.columns.len()) {
                    continue;
                }
                let found = Match {
                    table: place,
                    line: *line,
                    headings: cells.iter().map(|heading| heading.trim().to_owned()).collect(),
                    complete: complete(table, &roles),
                    roles,
                    known,
                };
                let rank = best.first().map_or((0, false), Match::rank);
                if found.rank() > rank {
                    best.clear();
                }
                // The same table matches once: by its uppermost row.
                if found.rank() >= rank && best.iter().all(|other| other.table != place) {
                    best.push(found);
                }
            }
        }
        best
    }
}

/// The row that is the header of a list: the one with the most of its columns, at least two or all.
pub(crate) fn list_header(columns: &[ListColumn], rows: &[(i64, Cells)]) -> Vec<Match> {
    let places: HashMap<String, usize> = columns
        .iter()
        .enumerate()
        .flat_map(|(place, column)| column.headings.iter().map(move |heading| (heading_key(heading), place)))
        .collect();
    let mut best: Option<Match> = None;
    for (line, cells) in rows {
        let roles: Vec<Role> = cells.iter().map(|heading| role(heading, &places)).collect();
        let known = roles.iter().filter(|role| matches!(role, Role::Known(_))).count();
        if known >= columns.len().min(2) && best.as_ref().is_none_or(|best| known > best.known) {
            let headings = cells.iter().map(|heading| heading.trim().to_owned()).collect();
            best = Some(Match { table: 0, line: *line, headings, roles, known, complete: true });
        }
    }
    best.into_iter().collect()
}

fn role(heading: &str, columns: &HashMap<String, usize>) -> Role {
    let key = heading_key(heading);
    match columns.get(&key) {
        Some(&column) => Role::Known(column),
        None if key == "更正说明" || key == "correction" => Role::Correction,
        None if is_ours(heading) => Role::Ours,
        None => Role::Other,
    }
}

/// Refuses two columns under one heading, be it in two languages.
pub(crate) fn refuse_duplicates(header: &Match) -> Result<(), FileError> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (place, (heading, role)) in header.headings.iter().zip(&header.roles).enumerate() {
        let key = match role {
            Role::Known(column) => format!("\0{column}"),
            Role::Correction => "\0correction".into(),
            Role::Ours => continue,
            Role::Other if heading.is_empty() => continue,
            Role::Other => heading_key(heading),
        };
        if let Some(first) = seen.insert(key, place) {
            return Err(FileError::DuplicateHeading {
                heading: header.headings[first].clone(),
                first: first + 1,
                other: heading.clone(),
                second: place + 1,
            });
        }
    }
    Ok(())
}
