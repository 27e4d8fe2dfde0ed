//! One column of a Parquet file as codes: every value is translated by a [`Reading`] while it is decoded,
//! those of a dictionary page once for the page and not once for each row. Levels and indices are decoded
//! here; whatever is encoded otherwise is left to the stock reader and translated after it.

use std::ops::Range;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use bytes::{Buf, Bytes};
use parquet::basic::{Encoding, Type};
use parquet::column::page::{Page, PageReader};
use parquet::column::reader::{ColumnReader, get_column_reader};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;

use crate::hybrid::{Broken, Hybrid};
use crate::table::Table;

/// What values of a column mean to whoever reads it.
pub trait Reading {
    /// What a value becomes.
    type Code: Copy + Default;

    /// Translates as many plainly encoded values as `out` has places; how many bytes they took.
    fn plain(&self, bytes: &[u8], out: &mut [Self::Code]) -> Result<usize>;

    /// What an absent value becomes; none where there must be a value.
    fn absent(&self) -> Option<Self::Code>;
}

/// A column of some row groups, as a stream of codes.
pub struct Column<'t, R: Reading> {
    table: &'t Table,
    column: usize,
    reading: &'t R,
    source: Source,
    /// The bytes of the row group: memory that the next one takes over.
    bytes: Bytes,
    dictionary: Vec<R::Code>,
    /// Rows left in the page.
    left: usize,
    levels: Option<Hybrid>,
    values: Values<R::Code>,
    /// Rows that have a value, where not all have one.
    present: Vec<u32>,
    dense: Vec<R::Code>,
}

/// Which rows have a value.
pub enum Rows<'p> {
    /// All of these.
    All(Range<usize>),
    /// Those so many after the first.
    Some(usize, &'p [u32]),
}

enum Source {
    None,
    Pages(Box<dyn PageReader>),
    Stock(Box<ColumnReader>),
}

enum Values<C> {
    Indices(Hybrid),
    /// Translated only when asked for: a page is far larger than the nearest caches.
    Plain(Bytes),
    Codes(Vec<C>, usize),
}

impl<'t, R: Reading> Column<'t, R> {
    pub fn new(table: &'t Table, column: usize, reading: &'t R) -> Self {
        Self {
            table,
            column,
            reading,
            source: Source::None,
            bytes: Bytes::new(),
            dictionary: Vec::new(),
            left: 0,
            levels: None,
            values: Values::Codes(Vec::new(), 0),
            present: Vec::new(),
            dense: Vec::new(),
        }
    }

    /// Goes to the beginning of a row group.
    pub fn open(&mut self, row_group: usize) -> Result<()> {
        let meta = self.table.metadata().row_group(row_group);
        let chunk = meta.column(self.column);
        let rows = usize::try_from(meta.num_rows()).context("行组的行数不合理")?;
        let (start, length) = chunk.byte_range();
        // What still holds on to the bytes of the row group before must go, so that their memory is free again.
        (self.source, self.levels, self.values) = (Source::None, None, Values::Codes(Vec::new(), 0));
        let memory = std::mem::take(&mut self.bytes).try_into_mut().map(Vec::from).unwrap_or_default();
        self.bytes = self.table.read(start, length, memory)?.into();
        let bytes = self.bytes.clone();
        let pages = SerializedPageReader::new(Arc::new(Chunk { start, bytes }), chunk, rows, None)?;
        self.dictionary.clear();
        self.left = 0;
        self.source = if is_simple(chunk) {
            Source::Pages(Box::new(pages))
        } else {
            Source::Stock(Box::new(get_column_reader(chunk.column_descr_ptr(), Box::new(pages))))
        };
        Ok(())
    }

    /// Fills `out` with the next codes of the row group.
    pub fn read(&mut self, out: &mut [R::Code]) -> Result<()> {
        self.by_page(out.len(), |column, rows| column.rows(&mut out[rows]))
    }

    /// Calls with those of the next rows that have a value, and with their codes. With `all`, puts the codes of
    /// all rows there as well.
    pub fn read_present(
        &mut self,
        count: usize,
        mut all: Option<&mut [R::Code]>,
        mut each: impl FnMut(Rows, &[R::Code]),
    ) -> Result<()> {
        self.by_page(count, |column, rows| {
            let all = all.as_mut().map(|all| &mut all[rows.clone()]);
            column.present_rows(rows, all, &mut each)
        })
    }

    /// Has the next rows read in as many portions as there are pages.
    fn by_page(&mut self, count: usize, mut read: impl FnMut(&mut Self, Range<usize>) -> Result<()>) -> Result<()> {
        let (table, column) = (self.table, self.column);
        let name = || format!("{} 的列“{}”", table.name(), table.name_of(column));
        let mut done = 0;
        while done < count {
            if self.left == 0 {
                self.next_page(count - done).with_context(name)?;
            }
            let portion = (count - done).min(self.left);
            read(self, done..done + portion).with_context(name)?;
            self.left -= portion;
            done += portion;
        }
        Ok(())
    }

    fn rows(&mut self, out: &mut [R::Code]) -> Result<()> {
        if self.all_present(out.len())? {
            return self.values(out);
        }
        let dense = self.dense_values(self.present.len())?;
        self.spread(&dense, out)?;
        self.dense = dense;
        Ok(())
    }

    fn present_rows(
        &mut self,
        rows: Range<usize>,
        all: Option<&mut [R::Code]>,
        each: &mut impl FnMut(Rows, &[R::Code]),
    ) -> Result<()> {
        let are_all_present = self.all_present(rows.len())?;
        let dense = self.dense_values(if are_all_present { rows.len() } else { self.present.len() })?;
        match all {
            Some(all) if are_all_present => all.copy_from_slice(&dense),
            Some(all) => self.spread(&dense, all)?,
            None => {}
        }
        each(if are_all_present { Rows::All(rows) } else { Rows::Some(rows.start, &self.present) }, &dense);
        self.dense = dense;
        Ok(())
    }

    /// Puts values into the rows that have one.
    fn spread(&self, dense: &[R::Code], out: &mut [R::Code]) -> Result<()> {
        out.fill(self.reading.absent().context("有空值，而这一列不能为空")?);
        self.present.iter().zip(dense).for_each(|(row, code)| out[*row as usize] = *code);
        Ok(())
    }

    /// The next values, in memory that is to be given back.
    fn dense_values(&mut self, count: usize) -> Result<Vec<R::Code>> {
        let mut dense = std::mem::take(&mut self.dense);
        dense.resize(count, R::Code::default());
        self.values(&mut dense)?;
        Ok(dense)
    }

    /// Whether all of the next rows have a value; otherwise `present` says which.
    fn all_present(&mut self, count: usize) -> Result<bool> {
        let Some(levels) = &mut self.levels else { return Ok(true) };
        self.present.clear();
        match levels.take_same(count).map_err(broken)? {
            Some(level) => return Ok(level > 0),
            None => levels.ones(count, &mut self.present).map_err(broken)?,
        }
        Ok(self.present.len() == count)
    }

    fn values(&mut self, out: &mut [R::Code]) -> Result<()> {
        match &mut self.values {
            Values::Indices(indices) => {
                let dictionary = &self.dictionary;
                let mut outside = false;
                let translate = |index: u32| match dictionary.get(index as usize) {
                    Some(code) => *code,
                    None => {
                        outside = true;
                        R::Code::default()
                    }
                };
                indices.read(out, translate).map_err(broken)?;
                if outside {
                    bail!("文件已损坏：取值不在字典中");
                }
            }
            Values::Plain(bytes) => {
                let taken = self.reading.plain(bytes, out)?;
                bytes.advance(taken);
            }
            Values::Codes(codes, next) => {
                let codes = codes.get(*next..*next + out.len()).context("文件已损坏：数据页不完整")?;
                out.copy_from_slice(codes);
                *next += out.len();
            }
        }
        Ok(())
    }

    fn next_page(&mut self, wanted: usize) -> Result<()> {
        let pages = match &mut self.source {
            Source::None => bail!("文件已损坏：行组的数据不够"),
            Source::Stock(_) => return self.stock(wanted),
            Source::Pages(pages) => pages,
        };
        let nullable = self.table.descriptor(self.column).max_def_level() > 0;
        loop {
            let page = pages.get_next_page().context("文件已损坏，或没有传完")?;
            match page.context("文件已损坏：行组的数据不够")? {
                Page::DictionaryPage { buf, num_values, .. } => {
                    // No value takes less than a byte.
                    if num_values as usize > buf.len() {
                        bail!("文件已损坏：字典不完整");
                    }
                    self.dictionary.clear();
                    self.dictionary.resize(num_values as usize, R::Code::default());
                    self.reading.plain(&buf, &mut self.dictionary)?;
                }
                Page::DataPage { mut buf, num_values, encoding, .. } => {
                    self.levels = None;
                    if nullable {
                        if buf.remaining() < 4 {
                            bail!("文件已损坏：数据页不完整");
                        }
                        let length = buf.get_u32_le() as usize;
                        let levels = if length <= buf.len() {
                            buf.split_to(length)
                        } else {
                            bail!("文件已损坏：数据页不完整")
                        };
                        self.levels = Some(Hybrid::new(levels, 1).map_err(broken)?);
                    }
                    return self.page(buf, num_values as usize, encoding);
                }
                Page::DataPageV2 { mut buf, num_values, encoding, def_levels_byte_len, .. } => {
                    let length = def_levels_byte_len as usize;
                    let levels = if length <= buf.len() {
                        buf.split_to(length)
                    } else {
                        bail!("文件已损坏：数据页不完整")
                    };
                    self.levels = nullable.then(|| Hybrid::new(levels, 1)).transpose().map_err(broken)?;
                    return self.page(buf, num_values as usize, encoding);
                }
            }
        }
    }

    /// Makes the values of a data page ready.
    fn page(&mut self, mut buf: Bytes, rows: usize, encoding: Encoding) -> Result<()> {
        self.left = rows;
        if encoding == Encoding::PLAIN {
            self.values = Values::Plain(buf);
            return Ok(());
        }
        // All rows of a page may be absent, and then there are no bytes.
        let width = if buf.is_empty() { 0 } else { buf.get_u8() };
        self.values = Values::Indices(Hybrid::new(buf, width).map_err(broken)?);
        Ok(())
    }

    /// The next rows by the stock reader, brought into the plain encoding.
    fn stock(&mut self, wanted: usize) -> Result<()> {
        let Source::Stock(reader) = &mut self.source else { return Ok(()) };
        let mut levels = Vec::new();
        let mut plain = Vec::new();
        let nullable = self.table.descriptor(self.column).max_def_level() > 0;
        macro_rules! read {
            ($reader:expr, $bytes:expr) => {{
                let mut values = Vec::new();
                let (rows, ..) = $reader.read_records(wanted, nullable.then_some(&mut levels), None, &mut values)?;
                values.iter().for_each(|value| $bytes(value, &mut plain));
                (rows, values.len())
            }};
        }
        let (rows, count) = match reader.as_mut() {
            ColumnReader::BoolColumnReader(reader) => {
                let mut bits = Vec::new();
                let counts = read!(reader, |value: &bool, _: &mut Vec<u8>| bits.push(*value));
                plain = bits
                    .chunks(8)
                    .map(|eight| eight.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit)))
                    .collect();
                counts
            }
            ColumnReader::Int32ColumnReader(reader) => {
                read!(reader, |value: &i32, out: &mut Vec<u8>| out.extend(value.to_le_bytes()))
            }
            ColumnReader::Int64ColumnReader(reader) => {
                read!(reader, |value: &i64, out: &mut Vec<u8>| out.extend(value.to_le_bytes()))
            }
            ColumnReader::FloatColumnReader(reader) => {
                read!(reader, |value: &f32, out: &mut Vec<u8>| out.extend(value.to_le_bytes()))
            }
            ColumnReader::DoubleColumnReader(reader) => {
                read!(reader, |value: &f64, out: &mut Vec<u8>| out.extend(value.to_le_bytes()))
            }
            ColumnReader::ByteArrayColumnReader(reader) => {
                read!(reader, |value: &parquet::data_type::ByteArray, out: &mut Vec<u8>| {
                    out.extend(u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
                    out.extend(value.data());
                })
            }
            _ => bail!("不支持的数据类型"),
        };
        if rows == 0 {
            bail!("文件已损坏：行组的数据不够");
        }
        let mut codes = vec![R::Code::default(); count];
        self.reading.plain(&plain, &mut codes)?;
        if nullable {
            let mut dense = codes.into_iter();
            let absent = self.reading.absent();
            let code = |level: &i16| if *level > 0 { dense.next() } else { absent };
            codes = levels.iter().map(code).collect::<Option<_>>().context("有空值，而这一列不能为空")?;
        }
        self.levels = None;
        self.left = rows;
        self.values = Values::Codes(codes, 0);
        Ok(())
    }
}

/// Whether everything in the chunk is encoded in the ways decoded here.
fn is_simple(chunk: &ColumnChunkMetaData) -> bool {
    #[allow(deprecated, reason = "files written before the format changed its mind say so")]
    let simple = [Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY, Encoding::PLAIN_DICTIONARY];
    chunk.column_type() != Type::BOOLEAN && chunk.encodings().all(|encoding| simple.contains(&encoding))
}

fn broken(_: Broken) -> anyhow::Error {
    anyhow::anyhow!("文件已损坏：数据页不完整")
}

/// Bytes of a file from a place on, for a reader that counts from the file's beginning.
struct Chunk {
    start: u64,
    bytes: Bytes,
}

impl Length for Chunk {
    fn len(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

impl ChunkReader for Chunk {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(self.get_bytes(start, usize::try_from(self.len().saturating_sub(start)).unwrap_or_default())?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let from = start.checked_sub(self.start).and_then(|from| usize::try_from(from).ok());
        let range =
            from.and_then(|from| Some(from..from.checked_add(length)?)).filter(|range| range.end <= self.bytes.len());
        range
            .map(|range| self.bytes.slice(range))
            .ok_or_else(|| parquet::errors::ParquetError::EOF("文件不完整".into()))
    }
}
