//! Error workbook (不通过清单): refused lines go back to the person who handed them in, as given, with
//! the cells marked, the reason and the mend beside them and on the cells. Mended in place, it can be handed in as it is.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use rust_xlsxwriter::{Color, Format, Note, Workbook, Worksheet, XlsxError};

use crate::cells::Cells;
use crate::fault::{Fault, FileError};
use crate::header::{LINE, MEND, REASON, is_ours};
use crate::table_writer::{LAST_ROW, fitting, private_file, unwritable, workbook_unwritable};

/// Light red.
const MARK: Color = Color::RGB(0xFF_C7_CE);
/// Cells that get a note. Rows go to the disk at once, but notes wait in memory until the end, and a
/// program that opens the file draws each of them; beyond, the last two columns say the same.
const MOST_NOTES: usize = 10_000;

/// A workbook of refused lines. It holds personal data as given: only its owner may read the file.
pub struct ErrorWorkbook {
    path: PathBuf,
    file: BufWriter<File>,
    workbook: Workbook,
    /// Headings as given, without our own columns of an earlier round.
    headings: Vec<(usize, String)>,
    sheets: usize,
    row: u32,
    notes_left: usize,
    marked: Format,
    heading: Format,
    wrapped: Format,
}

impl ErrorWorkbook {
    /// Begins the workbook for a file with these headings.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn create(path: &Path, headings: &[String]) -> Result<Self, FileError> {
        let kept = headings.iter().enumerate().filter(|(_, heading)| !is_ours(heading));
        let mut workbook = Self {
            path: path.to_owned(),
            file: private_file(path)?,
            workbook: Workbook::new(),
            headings: kept.map(|(place, heading)| (place, heading.clone())).collect(),
            sheets: 0,
            row: 0,
            notes_left: MOST_NOTES,
            marked: Format::new().set_background_color(MARK),
            heading: Format::new().set_bold().set_background_color(Color::RGB(0xDD_EB_F7)).set_text_wrap(),
            wrapped: Format::new().set_text_wrap(),
        };
        match workbook.begin_sheet() {
            Ok(()) => Ok(workbook),
            Err(error) => Err(workbook_unwritable(path, error)),
        }
    }

    /// Adds a refused line and everything that is wrong with it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&mut self, line: i64, cells: &Cells, faults: &[Fault]) -> Result<(), FileError> {
        self.write_line(line, cells, faults).map_err(|error| workbook_unwritable(&self.path, error))
    }

    /// Writes the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> Result<(), FileError> {
        self.workbook.save_to_writer(&mut self.file).map_err(|error| workbook_unwritable(&self.path, error))?;
        self.file.flush().map_err(|error| unwritable(&self.path, &error))
    }

    fn begin_sheet(&mut self) -> Result<(), XlsxError> {
        self.sheets += 1;
        let sheet = self.workbook.add_worksheet_with_constant_memory()?;
        sheet.set_name(if self.sheets == 1 {
            "不通过".to_owned()
        } else {
            format!("不通过（{}）", self.sheets)
        })?;
        let last = column(self.headings.len() + 1);
        sheet.set_column_width(0, 7)?;
        for (place, (_, heading)) in self.headings.iter().enumerate() {
            // A Chinese character is two wide.
            let width = heading.chars().count().clamp(5, 12) * 2;
            sheet.set_column_width(column(place + 1), f64::from(u32::try_from(width).unwrap_or(24)))?;
        }
        sheet.set_column_width(last, 48)?;
        sheet.set_column_width(last + 1, 48)?;
        sheet.set_freeze_panes(1, 1)?;
        sheet.write_string_with_format(0, 0, LINE, &self.heading)?;
        for (place, (_, heading)) in self.headings.iter().enumerate() {
            sheet.write_string_with_format(0, column(place + 1), fitting(heading), &self.heading)?;
        }
        sheet.write_string_with_format(0, last, REASON, &self.heading)?;
        sheet.write_string_with_format(0, last + 1, MEND, &self.heading)?;
        self.row = 0;
        Ok(())
    }

    fn write_line(&mut self, line: i64, cells: &Cells, faults: &[Fault]) -> Result<(), XlsxError> {
        if self.row == LAST_ROW {
            self.begin_sheet()?;
        }
        self.row += 1;
        let row = self.row;
        let sheet: &mut Worksheet = self.workbook.worksheet_from_index(self.sheets - 1)?;
        sheet.write_string(row, 0, line.to_string())?;
        for (place, (from, _)) in self.headings.iter().enumerate() {
            let cell = fitting(cells.get(*from));
            let wrong: Vec<&Fault> = faults.iter().filter(|fault| fault.column == Some(*from)).collect();
            if !wrong.is_empty() {
                sheet.write_string_with_format(row, column(place + 1), cell, &self.marked)?;
                if self.notes_left > 0 {
                    self.notes_left -= 1;
                    sheet.insert_note(row, column(place + 1), &note(&wrong))?;
                }
            } else if !cell.is_empty() {
                sheet.write_string(row, column(place + 1), cell)?;
            }
        }
        let last = column(self.headings.len() + 1);
        let named = |text: fn(&Fault) -> &str| {
            let each = faults.iter().map(|fault| {
                let heading = fault.column.and_then(|from| self.headings.iter().find(|(place, _)| *place == from));
                match heading {
                    Some((_, heading)) => format!("{heading}：{}", text(fault)),
                    None => text(fault).to_owned(),
                }
            });
            each.collect::<Vec<_>>().join("\n")
        };
        sheet.write_string_with_format(row, last, fitting(&named(|fault| &fault.reason)), &self.wrapped)?;
        sheet.write_string_with_format(row, last + 1, fitting(&named(|fault| &fault.mend)), &self.wrapped)?;
        Ok(())
    }
}

/// What a cell says when it is pointed at.
fn note(faults: &[&Fault]) -> Note {
    let texts = faults.iter().map(|fault| format!("{}\n{}", fault.reason, fault.mend));
    Note::new(texts.collect::<Vec<_>>().join("\n")).add_author_prefix(false).set_width(260).set_height(90)
}

fn column(place: usize) -> u16 {
    u16::try_from(place).expect("a table has at most 1,024 columns")
}
