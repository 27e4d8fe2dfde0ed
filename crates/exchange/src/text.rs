//! Delimited text (CSV), line by line, in bounded memory.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use csv_core::ReadRecordResult;
use encoding_rs::{Encoding, UTF_8};
use encoding_rs_io::DecodeReaderBytesBuilder;

use crate::cells::{Cells, LONGEST_LINE, MOST_COLUMNS};
use crate::fault::FileError;
use crate::source::Lines;

/// The file as UTF-8 from its first character on; `progress` counts the bytes taken from the disk.
/// One reader at a time: they share the file's position.
pub(crate) fn decoded(
    file: &File,
    encoding: &'static Encoding,
    mark: usize,
    progress: &Arc<AtomicU64>,
) -> Result<Box<dyn Read + Send>, FileError> {
    let mut file = file.try_clone()?;
    file.seek(SeekFrom::Start(mark as u64))?;
    progress.store(mark as u64, Ordering::Relaxed);
    let counted = Counted { file, read: Arc::clone(progress) };
    if encoding == UTF_8 {
        return Ok(Box::new(counted));
    }
    Ok(Box::new(DecodeReaderBytesBuilder::new().encoding(Some(encoding)).build(counted)))
}

struct Counted {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// The lines of a delimited text.
pub(crate) struct TextLines {
    input: Box<dyn Read + Send>,
    parser: csv_core::Reader,
    buffer: Vec<u8>,
    /// What of the buffer is not parsed yet.
    rest: std::ops::Range<usize>,
    /// Everything has been read, and the final line break added.
    ended: bool,
    line: i64,
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl TextLines {
    pub(crate) fn new(input: Box<dyn Read + Send>, delimiter: u8) -> Self {
        Self {
            input,
            parser: csv_core::ReaderBuilder::new().delimiter(delimiter).build(),
            buffer: vec![0; 128 << 10],
            rest: 0..0,
            ended: false,
            line: 1,
            text: vec![0; 16 << 10],
            ends: vec![0; 256],
        }
    }

    /// Makes sure that something is left to parse; `false` at the end of the file.
    fn fill(&mut self) -> Result<bool, FileError> {
        if !self.rest.is_empty() {
            return Ok(true);
        }
        if self.ended {
            return Ok(false);
        }
        let read = self.input.read(&mut self.buffer)?;
        self.rest = 0..read;
        if read == 0 {
            // A line break ends the last line, unless a quotation mark is open: then it is content.
            self.buffer[0] = b'\n';
            self.rest = 0..1;
            self.ended = true;
        }
        Ok(true)
    }

    /// Takes so many bytes as parsed, counting lines.
    fn take(&mut self, bytes: usize) {
        let parsed = &self.buffer[self.rest.start..self.rest.start + bytes];
        self.line += i64::try_from(memchr::memchr_iter(b'\n', parsed).count()).expect("at most its length");
        self.rest.start += bytes;
    }

    /// Leaves out line breaks between lines, so that a line's number is that of its first character.
    fn skip_breaks(&mut self) -> Result<bool, FileError> {
        while self.fill()? {
            let left = &self.buffer[self.rest.clone()];
            match left.iter().position(|byte| !matches!(byte, b'\r' | b'\n')) {
                Some(breaks) => {
                    self.take(breaks);
                    return Ok(true);
                }
                None => self.take(left.len()),
            }
        }
        Ok(false)
    }

    /// Parses the next line into `text` and `ends`; gives its number and how much of each is filled.
    fn parse_line(&mut self) -> Result<Option<(i64, usize, usize)>, FileError> {
        if !self.skip_breaks()? {
            return Ok(None);
        }
        let line = self.line;
        let (mut written, mut cells) = (0, 0);
        loop {
            if !self.fill()? {
                return Err(FileError::UnclosedQuote { line });
            }
            let (result, read, text, ends) = self.parser.read_record(
                &self.buffer[self.rest.clone()],
                &mut self.text[written..],
                &mut self.ends[cells..],
            );
            self.take(read);
            written += text;
            cells += ends;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.text.len() >= LONGEST_LINE => {
                    return Err(FileError::UnclosedQuote { line });
                }
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull if self.ends.len() >= MOST_COLUMNS => {
                    return Err(FileError::TooLarge(format!("第{line}行超过{MOST_COLUMNS}列")));
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record | ReadRecordResult::End => return Ok(Some((line, written, cells))),
            }
        }
    }

    /// Reads to the end, to find what cannot be divided into lines before any of them is given.
    pub(crate) fn check(mut self) -> Result<(), FileError> {
        while self.parse_line()?.is_some() {}
        Ok(())
    }
}

impl Lines for TextLines {
    fn next_line(&mut self) -> Result<Option<(i64, Cells)>, FileError> {
        let Some((line, written, cells)) = self.parse_line()? else {
            return Ok(None);
        };
        let text = String::from_utf8(self.text[..written].to_vec()).map_err(|_| FileError::Encoding { line })?;
        Ok(Some((line, Cells::new(text, self.ends[..cells].to_vec()))))
    }
}
