//! Workbooks: `.xlsx` streamed sheet by sheet, `.xls` from memory.
//!
//! A container is checked whole before its first row is read: every part against its checksum, and
//! every bound that the reading library does not keep by itself. What the library still stumbles over
//! ends its own thread only and is reported as damage.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use calamine::{Data, DataType, Range, Reader, SheetType, SheetVisible, Xls, Xlsx, XlsxCellReader, XlsxError};
use zip::ZipArchive;
use zip::result::ZipError;

use crate::cells::{Cells, LONGEST_LINE, MOST_COLUMNS};
use crate::fault::FileError;
use crate::source::{Lines, first_lines};

/// The most bytes that all parts of a workbook may have when unpacked.
const MOST_UNPACKED: u64 = 2 << 30;
/// The most bytes of memory that the texts shared by all sheets may need.
const MOST_SHARED: u64 = 320 << 20;
/// The most bytes that a part beside sheets and shared texts may have: it is kept in memory.
const LARGEST_OTHER_PART: u64 = 32 << 20;
/// The most bytes between two marks of an XML part; escaped, a cell's text stays below.
const LONGEST_EVENT: usize = 512 << 10;
/// Bounds of an old workbook: the format itself ends at 65,536 rows a sheet.
const LARGEST_XLS: u64 = 64 << 20;
const MOST_XLS_CELLS: u64 = 4_000_000;

type Sheets = Xlsx<BufReader<File>>;

fn damaged(what: impl Into<String>) -> FileError {
    FileError::Damaged(what.into())
}

/// Runs a library that may panic on a crafted file.
fn guarded<T>(work: impl FnOnce() -> Result<T, FileError>) -> Result<T, FileError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(damaged("内部结构有误")))
}

/// A workbook whose sheets can be looked into before one is read.
pub(crate) enum Workbook {
    Xlsx(Box<Sheets>),
    Xls(Box<Xls<BufReader<File>>>),
}

impl Workbook {
    /// Opens the zip container of an `.xlsx`.
    pub(crate) fn open_xlsx(file: &File) -> Result<Self, FileError> {
        guarded(|| {
            check_container(&mut from_start(file)?)?;
            let sheets = Xlsx::new(from_start(file)?).map_err(|error| problem(&error, "工作簿目录"))?;
            Ok(Self::Xlsx(Box::new(sheets)))
        })
    }

    /// Opens a compound file, which may be an old workbook or an encrypted new one.
    pub(crate) fn open_compound_file(file: &File) -> Result<Self, FileError> {
        guarded(|| {
            check_compound_file(from_start(file)?)?;
            let sheets = Xls::new(from_start(file)?).map_err(|error| match error {
                calamine::XlsError::Password => FileError::Encrypted,
                _ => damaged("旧版工作簿的结构有误"),
            })?;
            Ok(Self::Xls(Box::new(sheets)))
        })
    }

    /// Names of the sheets that a person sees.
    pub(crate) fn sheets(&self) -> Vec<String> {
        let all = match self {
            Self::Xlsx(sheets) => sheets.sheets_metadata(),
            Self::Xls(sheets) => sheets.sheets_metadata(),
        };
        all.iter()
            .filter(|sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible)
            .map(|sheet| sheet.name.clone())
            .collect()
    }

    /// The first rows of a sheet, among which its header is.
    pub(crate) fn first_rows(&mut self, sheet: &str) -> Result<Vec<(i64, Cells)>, FileError> {
        guarded(|| match self {
            Self::Xlsx(sheets) => Ok(first_lines(&mut Rows::new(sheets, sheet)?)),
            Self::Xls(sheets) => Ok(first_lines(&mut old_rows(sheets, sheet)?)),
        })
        .and_then(|(rows, result)| result.map(|()| rows))
    }

    /// All rows of a sheet, and how many it says there are.
    pub(crate) fn rows(self, sheet: String) -> Result<(Box<dyn Lines + Send>, u64), FileError> {
        match self {
            Self::Xlsx(mut sheets) => {
                let last_row = guarded(|| Ok(Rows::new(&mut sheets, &sheet)?.reader.dimensions().end.0))?;
                Ok((Box::new(SheetThread::start(sheets, sheet)?), u64::from(last_row) + 1))
            }
            Self::Xls(mut sheets) => {
                let rows = guarded(|| old_rows(&mut sheets, &sheet))?;
                let last_row = rows.range.end().map_or(0, |end| end.0);
                Ok((Box::new(rows), u64::from(last_row) + 1))
            }
        }
    }
}

fn from_start(file: &File) -> Result<BufReader<File>, FileError> {
    let mut file = file.try_clone()?;
    file.seek(SeekFrom::Start(0))?;
    Ok(BufReader::with_capacity(64 << 10, file))
}

fn problem(error: &XlsxError, place: &str) -> FileError {
    match error {
        XlsxError::Password => FileError::Encrypted,
        _ => damaged(format!("{place}读不出来")),
    }
}

/// Checks every part of the container against its checksum and our bounds.
fn check_container(file: &mut BufReader<File>) -> Result<(), FileError> {
    let mut archive = ZipArchive::new(file).map_err(|_| damaged("压缩目录缺失，常见于没有下载完"))?;
    let names: Vec<String> = archive.file_names().filter_map(|name| Some(name.ok()?.to_ascii_lowercase())).collect();
    let holds = |start: &str| names.iter().any(|name| name.trim_start_matches('/').starts_with(start));
    if !holds("xl/workbook.xml") {
        let (what, mend) = if holds("xl/workbook.bin") {
            ("二进制工作簿（.xlsb）", "用Excel打开后另存为.xlsx再导入")
        } else if holds("word/") {
            ("Word文档", "把其中的表格另存为.xlsx后再导入")
        } else if holds("ppt/") {
            ("演示文稿", "向提供方索取Excel或CSV原表")
        } else if holds("content.xml") {
            ("OpenDocument文档", "打开后另存为.xlsx再导入")
        } else if holds("[content_types].xml") {
            return Err(damaged("缺少工作簿主体"));
        } else {
            ("压缩包", "解压后导入其中的表格")
        };
        return Err(FileError::NotATable { what, mend });
    }
    let mut unpacked = 0;
    let mut chunk = vec![0; 64 << 10];
    for place in 0..archive.len() {
        let mut part = archive.by_index(place).map_err(|error| match error {
            ZipError::UnsupportedArchive(what) if what == ZipError::PASSWORD_REQUIRED => FileError::Encrypted,
            _ => damaged("压缩内容读不出来"),
        })?;
        let name = part.name().map_err(|_| damaged("压缩内容读不出来"))?.to_ascii_lowercase();
        let shared = name.ends_with("sharedstrings.xml");
        let sheet = name.contains("worksheets/");
        let (mut bytes, mut xml) = (0, XmlBounds::default());
        loop {
            let read = part.read(&mut chunk).map_err(|_| damaged("压缩内容与校验值不符"))?;
            if read == 0 {
                break;
            }
            bytes += read as u64;
            unpacked += read as u64;
            if unpacked > MOST_UNPACKED || !shared && !sheet && bytes > LARGEST_OTHER_PART {
                return Err(FileError::TooLarge("工作簿解压后过大".into()));
            }
            if shared || sheet {
                xml.feed(&chunk[..read])?;
            }
            // A text in memory costs its bytes and a fixed part, and takes at least four marks.
            if shared && bytes + 12 * xml.marks > MOST_SHARED {
                return Err(FileError::TooLarge("工作簿里的文字过多".into()));
            }
        }
        drop(part);
        if shared {
            check_declared_count(
                BufReader::new(archive.by_index(place).map_err(|_| damaged("压缩内容读不出来"))?),
                xml.marks,
            )?;
        }
    }
    Ok(())
}

/// The shared texts say how many they are, and the reading library reserves memory for as many.
fn check_declared_count(part: impl BufRead, marks: u64) -> Result<(), FileError> {
    use quick_xml::events::Event;
    let mut xml = quick_xml::Reader::from_reader(part);
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match xml.read_event_into(&mut buffer) {
            Ok(Event::Start(start)) if start.local_name().as_ref() == "sst" => {
                let declared = start.attributes().flatten().filter(|given| given.key.as_ref() == "uniqueCount");
                let too_many = |count: &str| count.parse::<u64>().is_ok_and(|count| count > marks);
                return match declared.into_iter().any(|given| too_many(given.value.as_ref())) {
                    true => Err(damaged("文字个数与声明不符")),
                    false => Ok(()),
                };
            }
            Ok(Event::Eof) | Err(_) => return Err(damaged("共用文字读不出来")),
            Ok(_) => {}
        }
    }
}

/// Holds the pieces of an XML part to a bound, because the reading library keeps each in memory.
#[derive(Default)]
struct XmlBounds {
    state: XmlState,
    /// Bytes since the last mark began or ended.
    run: usize,
    /// Marks (tags) seen.
    marks: u64,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum XmlState {
    #[default]
    Text,
    /// Just behind `<`.
    Opened,
    Mark,
    /// Within a value, up to this quotation mark.
    Value(u8),
}

impl XmlBounds {
    fn feed(&mut self, chunk: &[u8]) -> Result<(), FileError> {
        let mut rest = chunk;
        while !rest.is_empty() {
            if self.state == XmlState::Opened {
                // Comments, CDATA and document types: no office program writes them into these parts.
                if rest[0] == b'!' {
                    return Err(damaged("含有Excel不会写出的XML内容"));
                }
                self.state = XmlState::Mark;
            }
            let found = match self.state {
                XmlState::Text => memchr::memchr(b'<', rest),
                XmlState::Value(quote) => memchr::memchr(quote, rest),
                _ => memchr::memchr3(b'>', b'"', b'\'', rest),
            };
            let passed = found.map_or(rest.len(), |place| place + 1);
            self.run += passed;
            if self.run > LONGEST_EVENT {
                return Err(FileError::TooLarge("工作簿里有过长的单元格".into()));
            }
            if found.is_some() {
                self.state = match (self.state, rest[passed - 1]) {
                    (XmlState::Text, _) => {
                        self.marks += 1;
                        self.run = 0;
                        XmlState::Opened
                    }
                    (XmlState::Value(_), _) => XmlState::Mark,
                    (_, b'>') => {
                        self.run = 0;
                        XmlState::Text
                    }
                    (_, quote) => XmlState::Value(quote),
                };
            }
            rest = &rest[passed..];
        }
        Ok(())
    }
}

/// Checks what a compound file is, and that the sheets of an old workbook fit into memory.
fn check_compound_file(file: BufReader<File>) -> Result<(), FileError> {
    if file.get_ref().metadata()?.len() > LARGEST_XLS {
        return Err(FileError::TooLarge("旧版工作簿超过64MB".into()));
    }
    let mut compound = cfb::CompoundFile::open(file).map_err(|_| damaged("复合文档的目录有误"))?;
    if compound.is_stream("/EncryptedPackage") {
        return Err(FileError::Encrypted);
    }
    if compound.is_stream("/WordDocument") {
        return Err(FileError::NotATable { what: "Word文档", mend: "把其中的表格另存为.xlsx后再导入" });
    }
    let name = ["/Workbook", "/Book"].into_iter().find(|name| compound.is_stream(name));
    let Some(name) = name else {
        return Err(FileError::NotATable {
            what: "其他程序的文档", mend: "用Excel或WPS另存为.xlsx后再导入"
        });
    };
    let mut stream = Vec::new();
    compound
        .open_stream(name)
        .and_then(|mut opened| opened.read_to_end(&mut stream))
        .map_err(|_| damaged("工作簿内容读不出来"))?;
    let sheets: Vec<usize> = records(&stream)
        .filter(|(kind, data)| *kind == BOUND_SHEET && data.len() >= 4)
        .map(|(_, data)| number(data, 0) | number(data, 2) << 16)
        .collect();
    let mut cells = 0_u64;
    for start in sheets {
        let area = stream.get(start..).map_or(0, |sheet| {
            let extent = records(sheet).filter_map(|(kind, data)| extent(kind, data));
            let (rows, columns) = extent.fold((0, 0), |most, one| (most.0.max(one.0), most.1.max(one.1)));
            rows as u64 * columns as u64
        });
        cells += area;
        if cells > MOST_XLS_CELLS {
            return Err(FileError::TooLarge("旧版工作簿的单元格过多".into()));
        }
    }
    Ok(())
}

/// Record that says where a sheet begins.
const BOUND_SHEET: usize = 0x85;

fn number(data: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes([data[at], data[at + 1]]))
}

/// The records of an old workbook's stream: their kind and data.
fn records(mut stream: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    std::iter::from_fn(move || {
        let head = stream.get(..4)?;
        let (kind, length) = (number(head, 0), number(head, 2));
        let data = stream.get(4..4 + length)?;
        stream = &stream[4 + length..];
        Some((kind, data))
    })
}

/// Rows and columns up to which a record makes its sheet reach.
fn extent(kind: usize, data: &[u8]) -> Option<(usize, usize)> {
    match (kind, data.len()) {
        (0x200, 10) => Some((number(data, 2), number(data, 6))),
        (0x200, 14 | 16) => Some((number(data, 4) | number(data, 6) << 16, number(data, 10))),
        (0xbd, 6..) => Some((number(data, 0) + 1, number(data, data.len() - 2) + 1)),
        (0x203 | 0x204 | 0x205 | 0xd6 | 0x27e | 0xfd | 0x06, 4..) => Some((number(data, 0) + 1, number(data, 2) + 1)),
        _ => None,
    }
}

/// A cell as text: days in ISO form, numbers as their digits.
fn cell_text(cell: &impl DataType) -> Cow<'_, str> {
    if let Some(text) = cell.get_string().or_else(|| cell.get_datetime_iso()).or_else(|| cell.get_duration_iso()) {
        Cow::Borrowed(text)
    } else if let Some(number) = cell.get_float() {
        Cow::Owned(number_text(number))
    } else if let Some(moment) = cell.get_datetime() {
        if !moment.is_datetime() {
            return Cow::Owned(number_text(moment.as_f64()));
        }
        let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
        let mut text = format!("{year:04}-{month:02}-{day:02}");
        if (hour, minute, second) != (0, 0, 0) {
            text += &format!(" {hour:02}:{minute:02}:{second:02}");
        }
        Cow::Owned(text)
    } else if let Some(number) = cell.get_int() {
        Cow::Owned(number.to_string())
    } else if let Some(flag) = cell.get_bool() {
        Cow::Borrowed(if flag { "TRUE" } else { "FALSE" })
    } else if let Some(error) = cell.get_error() {
        Cow::Owned(error.to_string())
    } else {
        Cow::Borrowed("")
    }
}

/// A number as a spreadsheet shows it: 15 digits count, and larger whole numbers have lost their last
/// ones, which the exponent shows.
pub(crate) fn number_text(number: f64) -> String {
    if number.abs() >= 1e15 {
        return format!("{number:.14E}").replace('E', "E+");
    }
    let rounded: f64 = format!("{number:.14e}").parse().unwrap_or(number);
    rounded.to_string()
}

/// Rows of a sheet of an `.xlsx`, out of its stream of cells.
struct Rows<'a> {
    reader: XlsxCellReader<'a, BufReader<File>>,
    sheet: String,
    ahead: Option<calamine::Cell<calamine::DataRef<'a>>>,
    line: i64,
}

impl<'a> Rows<'a> {
    fn new(sheets: &'a mut Sheets, sheet: &str) -> Result<Self, FileError> {
        let reader =
            sheets.worksheet_cells_reader(sheet).map_err(|error| problem(&error, &format!("工作表“{sheet}”")))?;
        let mut rows = Self { reader, sheet: sheet.to_owned(), ahead: None, line: 0 };
        rows.advance()?;
        Ok(rows)
    }

    /// Goes to the next cell that holds something.
    fn advance(&mut self) -> Result<(), FileError> {
        loop {
            self.ahead = self
                .reader
                .next_cell()
                .map_err(|error| problem(&error, &format!("工作表“{}”第{}行之后", self.sheet, self.line)))?;
            if self.ahead.as_ref().is_none_or(|cell| !cell.get_value().is_empty()) {
                return Ok(());
            }
        }
    }
}

impl Lines for Rows<'_> {
    fn next_line(&mut self) -> Result<Option<(i64, Cells)>, FileError> {
        let Some(row) = self.ahead.as_ref().map(|cell| cell.get_position().0) else {
            return Ok(None);
        };
        let line = i64::from(row) + 1;
        if line <= self.line {
            return Err(damaged(format!("工作表“{}”的行次错乱", self.sheet)));
        }
        self.line = line;
        let mut cells = Cells::default();
        while let Some(cell) = self.ahead.as_ref().filter(|cell| cell.get_position().0 == row) {
            let column = cell.get_position().1 as usize;
            push_at(&mut cells, column, &cell_text(cell.get_value()), line)?;
            self.advance()?;
        }
        Ok(Some((line, cells)))
    }
}

/// Puts a cell into its column, right of those already there.
fn push_at(cells: &mut Cells, column: usize, text: &str, line: i64) -> Result<(), FileError> {
    if column >= MOST_COLUMNS {
        return Err(FileError::TooLarge(format!("第{line}行超过{MOST_COLUMNS}列")));
    }
    if column < cells.len() {
        return Err(damaged(format!("第{line}行的列次错乱")));
    }
    if cells.joined().len() + text.len() > LONGEST_LINE {
        return Err(FileError::TooLarge(format!("第{line}行超过1MB")));
    }
    while cells.len() < column {
        cells.push("");
    }
    cells.push(text);
    Ok(())
}

/// Rows of an old workbook's sheet.
struct OldRows {
    range: Range<Data>,
    next: usize,
}

fn old_rows(sheets: &mut Xls<BufReader<File>>, sheet: &str) -> Result<OldRows, FileError> {
    let range = sheets.worksheet_range(sheet).map_err(|_| damaged(format!("工作表“{sheet}”读不出来")))?;
    Ok(OldRows { range, next: 0 })
}

impl Lines for OldRows {
    fn next_line(&mut self) -> Result<Option<(i64, Cells)>, FileError> {
        let Some((top, left)) = self.range.start() else {
            return Ok(None);
        };
        let Some(row) = self.range.rows().nth(self.next) else {
            return Ok(None);
        };
        let line = i64::from(top) + self.next as i64 + 1;
        self.next += 1;
        let mut cells = Cells::default();
        for (column, cell) in row.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            push_at(&mut cells, left as usize + column, &cell_text(cell), line)?;
        }
        Ok(Some((line, cells)))
    }
}

type Batch = Result<Vec<(i64, Cells)>, FileError>;
/// A batch is handed over when it has so many rows or bytes.
const BATCH_ROWS: usize = 256;
const BATCH_BYTES: usize = 256 << 10;

/// Reads a sheet in a thread of its own: the XML is parsed beside the mapping of the rows.
struct SheetThread {
    batches: Receiver<Batch>,
    rows: std::vec::IntoIter<(i64, Cells)>,
    thread: Option<JoinHandle<()>>,
}

impl SheetThread {
    fn start(mut sheets: Box<Sheets>, sheet: String) -> Result<Self, FileError> {
        let (sender, batches) = sync_channel(4);
        let thread = std::thread::Builder::new().name("worksheet".into()).spawn(move || {
            let result = Rows::new(&mut sheets, &sheet).and_then(|mut rows| send_rows(&mut rows, &sender));
            if let Err(error) = result {
                // Nobody listens any more when the import was given up.
                let _ = sender.send(Err(error));
            }
        })?;
        Ok(Self { batches, rows: Vec::new().into_iter(), thread: Some(thread) })
    }
}

fn send_rows(rows: &mut Rows<'_>, sender: &SyncSender<Batch>) -> Result<(), FileError> {
    let mut batch = Vec::with_capacity(BATCH_ROWS);
    let mut bytes = 0;
    loop {
        let row = rows.next_line()?;
        let ended = row.is_none();
        if let Some(row) = row {
            bytes += row.1.joined().len();
            batch.push(row);
        }
        if ended || batch.len() == BATCH_ROWS || bytes >= BATCH_BYTES {
            let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH_ROWS));
            bytes = 0;
            if sender.send(Ok(full)).is_err() || ended {
                return Ok(());
            }
        }
    }
}

impl Lines for SheetThread {
    fn next_line(&mut self) -> Result<Option<(i64, Cells)>, FileError> {
        loop {
            if let Some(row) = self.rows.next() {
                return Ok(Some(row));
            }
            match self.batches.recv() {
                Ok(batch) => self.rows = batch?.into_iter(),
                Err(_) => {
                    return match self.thread.take().map(JoinHandle::join) {
                        Some(Err(_)) => Err(damaged("内部结构有误")),
                        _ => Ok(None),
                    };
                }
            }
        }
    }
}
