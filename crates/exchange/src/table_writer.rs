//! Tables out: CSV in the encodings that people's programs expect, or a workbook of text cells.

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use encoding_rs::GB18030;
use rust_xlsxwriter::{Format, Workbook, XlsxError};

use crate::cells::LONGEST_CELL;
use crate::fault::{FileError, io_problem};

/// Last row of a sheet, counted from 0.
pub(crate) const LAST_ROW: u32 = 1_048_575;

/// Encoding of a text file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextEncoding {
    /// For machines.
    Utf8,
    /// For Excel.
    Utf8WithBom,
    /// For older programs; contains GBK.
    Gb18030,
}

/// Format of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableFormat {
    /// Comma-separated, lines ended as Windows does.
    Csv(TextEncoding),
    /// A workbook of one sheet, all cells text.
    Xlsx,
}

/// Opens a file for writing that only its owner may read, because it may hold personal data.
pub(crate) fn private_file(path: &Path) -> Result<BufWriter<File>, FileError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let opened = options.open(path).and_then(|file| {
        // A file that was there before keeps its mode otherwise.
        #[cfg(unix)]
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        Ok(BufWriter::new(file))
    });
    opened.map_err(|error| unwritable(path, &error))
}

pub(crate) fn unwritable(path: &Path, error: &std::io::Error) -> FileError {
    FileError::Unwritable { path: path.display().to_string(), problem: io_problem(error) }
}

pub(crate) fn workbook_unwritable(path: &Path, error: XlsxError) -> FileError {
    match error {
        XlsxError::IoError(error) => unwritable(path, &error),
        other => FileError::Unwritable { path: path.display().to_string(), problem: other.to_string() },
    }
}

/// What Excel takes into a cell.
pub(crate) fn fitting(text: &str) -> &str {
    match text.char_indices().nth(LONGEST_CELL) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// Writes a table row by row.
pub struct TableWriter {
    path: PathBuf,
    neutral: bool,
    sink: Sink,
}

enum Sink {
    Csv { file: Box<csv::Writer<BufWriter<File>>>, encoding: TextEncoding },
    Xlsx { file: BufWriter<File>, workbook: Box<Workbook>, next_row: u32, heading_row: u32 },
}

impl TableWriter {
    /// Begins a table. With `neutral`, cells that a spreadsheet would take for a formula get the mark
    /// that keeps it from computing: for files that people open.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn create(path: &Path, format: TableFormat, headings: &[&str], neutral: bool) -> Result<Self, FileError> {
        Self::create_with_preface(path, format, &[], headings, neutral)
    }

    /// Begins a table that says above its headings what it is: a line for each pair of words, such as
    /// what was asked for, who took it out and when.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn create_with_preface(
        path: &Path,
        format: TableFormat,
        preface: &[(&str, &str)],
        headings: &[&str],
        neutral: bool,
    ) -> Result<Self, FileError> {
        let heading_row = u32::try_from(preface.len()).expect("a preface has a few lines");
        let mut file = private_file(path)?;
        let sink = match format {
            TableFormat::Csv(encoding) => {
                if encoding == TextEncoding::Utf8WithBom {
                    file.write_all(b"\xef\xbb\xbf").map_err(|error| unwritable(path, &error))?;
                }
                let mut csv = csv::WriterBuilder::new();
                // The lines of a preface are shorter than those of the table.
                let csv = csv.terminator(csv::Terminator::CRLF).flexible(!preface.is_empty());
                let file = csv.from_writer(file);
                Sink::Csv { file: Box::new(file), encoding }
            }
            TableFormat::Xlsx => {
                let mut workbook = Box::new(Workbook::new());
                workbook
                    .add_worksheet_with_constant_memory()
                    .and_then(|sheet| sheet.set_freeze_panes(heading_row + 1, 0).map(|_| ()))
                    .map_err(|error| workbook_unwritable(path, error))?;
                Sink::Xlsx { file, workbook, next_row: 0, heading_row }
            }
        };
        let mut table = Self { path: path.to_owned(), neutral, sink };
        for (what, words) in preface {
            table.write(&[what, words])?;
        }
        table.write(headings)?;
        Ok(table)
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When the file cannot be written, or a sheet is full.
    pub fn write(&mut self, cells: &[&str]) -> Result<(), FileError> {
        let cells = cells.iter().map(|cell| shown(cell, self.neutral));
        match &mut self.sink {
            Sink::Csv { file, encoding } => {
                // CSV's own signs are never part of another character in these encodings.
                let written = file.write_byte_record(&match encoding {
                    TextEncoding::Gb18030 => cells.map(|cell| GB18030.encode(&cell).0.into_owned()).collect(),
                    TextEncoding::Utf8 | TextEncoding::Utf8WithBom => {
                        cells.map(|cell| cell.into_owned().into_bytes()).collect()
                    }
                });
                written.map_err(|error| unwritable(&self.path, &error.into()))
            }
            Sink::Xlsx { next_row, .. } if *next_row > LAST_ROW => Err(FileError::Unwritable {
                path: self.path.display().to_string(),
                problem: "超过Excel的最大行数，请改为导出CSV".into(),
            }),
            Sink::Xlsx { workbook, next_row, heading_row, .. } => {
                let row = *next_row;
                *next_row += 1;
                let heading = (row == *heading_row).then(|| Format::new().set_bold());
                let written = workbook.worksheet_from_index(0).and_then(|sheet| {
                    for (column, cell) in (0..).zip(cells) {
                        match &heading {
                            Some(bold) => sheet.write_string_with_format(row, column, fitting(&cell), bold)?,
                            None => sheet.write_string(row, column, fitting(&cell))?,
                        };
                    }
                    Ok(())
                });
                written.map_err(|error| workbook_unwritable(&self.path, error))
            }
        }
    }

    /// Completes the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> Result<(), FileError> {
        match self.sink {
            Sink::Csv { mut file, .. } => file.flush().map_err(|error| unwritable(&self.path, &error)),
            Sink::Xlsx { mut file, mut workbook, .. } => {
                workbook.save_to_writer(&mut file).map_err(|error| workbook_unwritable(&self.path, error))?;
                file.flush().map_err(|error| unwritable(&self.path, &error))
            }
        }
    }
}

fn shown(cell: &str, neutral: bool) -> Cow<'_, str> {
    if neutral && cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}
