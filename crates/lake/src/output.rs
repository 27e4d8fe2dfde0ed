//! The result: a line for each enterprise. Row groups are encoded by whoever computed them, and put into
//! the file in the order of the enterprises.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use arrow::array::{
    ArrayRef, Date32Array, DictionaryArray, Int16Array, Int32Array, Int64Array, StringArray, UInt64Array,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Int16Type, Schema, SchemaRef};
use bytes::Bytes;
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::writer::ColumnCloseResult;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;
use xinheng_core::score::fold::Outcome;

use crate::letters::Letters;
use crate::readings::CreditCode;
use crate::scoring::Contribution;
use crate::stream::Enterprises;

/// How the leading indicators are named.
pub enum Names {
    /// By numbers; -1 where there is none.
    Numbers(Vec<i8>),
    /// By their ids; empty where there is none.
    Ids(Vec<String>),
}

/// What the lines consist of.
pub struct Form {
    /// Whether enterprises are named by credit code and not by number.
    pub by_credit_code: bool,
    /// Codes of the levels.
    pub levels: Vec<String>,
    /// Names of the indicators that may lead.
    pub names: Names,
    /// Ids of all indicators.
    pub indicators: Vec<String>,
    /// Whether the model may leave an enterprise out.
    pub optional: bool,
}

const NONE: u8 = u8::MAX;

/// Bytes of a file that are written at once.
const WRITTEN_AT_ONCE: usize = 1 << 18;

impl Form {
    fn name_field(&self) -> Field {
        if self.by_credit_code {
            Field::new("credit_code", DataType::Utf8, false)
        } else {
            Field::new("id", DataType::UInt64, false)
        }
    }

    fn schema(&self) -> SchemaRef {
        let text = |width: DataType| DataType::Dictionary(width.into(), DataType::Utf8.into());
        let (name, has_none) = match self.names {
            Names::Numbers(_) => (DataType::Int8, false),
            Names::Ids(_) => (text(DataType::Int16), true),
        };
        let top = |name_of: &str| Field::new(name_of, name.clone(), has_none);
        Arc::new(Schema::new(vec![
            self.name_field(),
            Field::new("total_milli", DataType::Int32, self.optional),
            Field::new("level", text(DataType::Int8), self.optional),
            top("top1"),
            top("top2"),
            top("top3"),
        ]))
    }

    fn contributions_schema(&self) -> SchemaRef {
        Arc::new(Schema::new(vec![
            self.name_field(),
            Field::new("indicator", DataType::Dictionary(DataType::Int16.into(), DataType::Utf8.into()), false),
            Field::new("seq", DataType::Int64, true),
            Field::new("occurred_on", DataType::Date32, true),
            Field::new("points_milli", DataType::Int64, false),
        ]))
    }
}

/// A column of a row group, encoded.
enum Chunk {
    Arrow(ArrowColumnChunk),
    Own(Bytes, ColumnCloseResult),
}

/// A row group, encoded.
pub struct Encoded {
    levels: Vec<Chunk>,
    contributions: Vec<Chunk>,
}

/// A file that is written row group by row group. It has another name until it is complete.
struct Unfinished {
    file: SerializedFileWriter<BufWriter<File>>,
    path: PathBuf,
    unfinished: PathBuf,
}

impl Unfinished {
    fn create(
        path: &Path,
        schema: &SchemaRef,
        properties: WriterProperties,
    ) -> Result<(Self, ArrowRowGroupWriterFactory)> {
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(".unfinished");
        let unfinished = PathBuf::from(unfinished);
        let file = File::create(&unfinished).with_context(|| format!("写入 {}", unfinished.display()))?;
        let file = BufWriter::with_capacity(WRITTEN_AT_ONCE, file);
        let descriptor = ArrowSchemaConverter::new().convert(schema)?;
        let file = SerializedFileWriter::new(file, descriptor.root_schema_ptr(), Arc::new(properties))?;
        let factory = ArrowRowGroupWriterFactory::new(&file, schema.clone());
        Ok((Self { file, path: path.to_owned(), unfinished }, factory))
    }

    fn append(&mut self, chunks: Vec<Chunk>) -> Result<()> {
        let mut group = self.file.next_row_group()?;
        for chunk in chunks {
            match chunk {
                Chunk::Arrow(chunk) => chunk.append_to_row_group(&mut group)?,
                Chunk::Own(bytes, close) => group.append_column(&bytes, close)?,
            }
        }
        group.close()?;
        Ok(())
    }

    fn close(mut self) -> Result<(PathBuf, PathBuf)> {
        self.file.finish().with_context(|| format!("写入 {}", self.unfinished.display()))?;
        Ok((self.unfinished, self.path))
    }
}

/// How the result is encoded.
pub struct Output {
    form: Form,
    schema: SchemaRef,
    factory: ArrowRowGroupWriterFactory,
    levels: Letters,
    leading: [Letters; 3],
    contributions: Option<(SchemaRef, ArrowRowGroupWriterFactory, ArrayRef)>,
}

/// The part of it that writes.
pub struct Writer {
    levels: Unfinished,
    contributions: Option<Unfinished>,
    waiting: BTreeMap<usize, Vec<Chunk>>,
    next: usize,
}

fn properties(compression: Compression) -> WriterPropertiesBuilder {
    // Bounds of most columns nobody asks for, and finding them takes longer than encoding.
    WriterProperties::builder()
        .set_compression(compression)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_statistics_enabled(ColumnPath::from("id"), EnabledStatistics::Chunk)
        .set_column_dictionary_enabled(ColumnPath::from("credit_code"), false)
}

fn delta(properties: WriterPropertiesBuilder, column: &str) -> WriterPropertiesBuilder {
    properties
        .set_column_dictionary_enabled(ColumnPath::from(column), false)
        .set_column_encoding(ColumnPath::from(column), Encoding::DELTA_BINARY_PACKED)
}

impl Output {
    pub fn create(path: &Path, contributions: Option<&Path>, form: Form) -> Result<(Self, Writer)> {
        let schema = form.schema();
        let zstd = Compression::ZSTD(ZstdLevel::try_new(1)?);
        // Differences of numbers in as few bits as they need are hardly made smaller by compression, nor are
        // indices.
        let of_levels = delta(delta(properties(Compression::UNCOMPRESSED), "id"), "total_milli")
            .set_column_compression(ColumnPath::from("credit_code"), zstd)
            .build();
        let (file, factory) = Unfinished::create(path, &schema, of_levels)?;
        let descriptor = |column: usize| file.file.schema_descr().column(column);
        let levels = Letters::texts(descriptor(2), &form.levels);
        let leading = [3, 4, 5].map(|column| match &form.names {
            Names::Numbers(numbers) => Letters::numbers(descriptor(column), numbers, -1),
            Names::Ids(ids) => Letters::texts(descriptor(column), ids),
        });
        let mut second = None;
        let mut second_file = None;
        if let Some(path) = contributions {
            let schema = form.contributions_schema();
            let properties = delta(delta(delta(properties(zstd), "id"), "seq"), "points_milli").build();
            let (file, factory) = Unfinished::create(path, &schema, properties)?;
            let indicators: ArrayRef = Arc::new(StringArray::from(form.indicators.clone()));
            second = Some((schema, factory, indicators));
            second_file = Some(file);
        }
        let writer = Writer { levels: file, contributions: second_file, waiting: BTreeMap::new(), next: 0 };
        Ok((Self { form, schema, factory, levels, leading, contributions: second }, writer))
    }

    fn names(&self, enterprises: &Enterprises, rows: impl Iterator<Item = usize>) -> ArrayRef {
        if self.form.by_credit_code {
            let text = |row: usize| credit_code(&enterprises.credit_codes[row]).to_owned();
            Arc::new(StringArray::from_iter_values(rows.map(text)))
        } else {
            Arc::new(UInt64Array::from_iter_values(rows.map(|row| enterprises.ids[row])))
        }
    }
}

fn credit_code(code: &CreditCode) -> &str {
    std::str::from_utf8(code).unwrap_or_default()
}

/// Lines of a row group, encoded as they come. Its memory serves for one row group after the other.
pub struct Lines<'o> {
    output: &'o Output,
    place: usize,
    columns: Vec<ArrowColumnWriter>,
    /// Of the enterprises of the block.
    outcomes: Vec<Option<Outcome>>,
    levels: Vec<u8>,
    leading: [Vec<u8>; 3],
    more: Vec<ArrowColumnWriter>,
    /// What records contribute, each with the row of its enterprise.
    contributions: Vec<(usize, Contribution)>,
    contributed: bool,
}

impl<'o> Lines<'o> {
    pub fn new(output: &'o Output) -> Self {
        Self {
            output,
            place: 0,
            columns: Vec::new(),
            outcomes: Vec::new(),
            levels: Vec::new(),
            leading: Default::default(),
            more: Vec::new(),
            contributions: Vec::new(),
            contributed: false,
        }
    }

    /// Begins a row group.
    pub fn begin(&mut self, place: usize) -> Result<()> {
        self.place = place;
        self.columns = self.output.factory.create_column_writers(place)?;
        // The others are encoded by letters.
        self.columns.truncate(2);
        if let Some((_, factory, _)) = &self.output.contributions {
            self.more = factory.create_column_writers(place)?;
        }
        self.contributed = false;
        Ok(())
    }

    /// A line.
    #[inline]
    pub fn push(&mut self, outcome: Option<Outcome>) {
        self.outcomes.push(outcome);
    }

    /// What records of the enterprise in that row of the block contribute.
    pub fn contribute(&mut self, row: usize, contributions: &[Contribution]) {
        self.contributions.extend(contributions.iter().map(|one| (row, *one)));
    }

    /// The lines of these enterprises have come.
    pub fn end_block(&mut self, enterprises: &Enterprises) -> Result<()> {
        let outcomes = &self.outcomes;
        let graded: Option<NullBuffer> =
            self.output.form.optional.then(|| outcomes.iter().map(Option::is_some).collect::<Vec<_>>().into());
        let total = |one: &Outcome| i32::try_from(one.total.milli()).unwrap_or(i32::MIN);
        let totals: Vec<i32> = outcomes.iter().map(|one| one.as_ref().map_or(i32::MIN, total)).collect();
        self.levels.extend(outcomes.iter().map(|one| one.map_or(NONE, |one| one.level)));
        for (place, leading) in self.leading.iter_mut().enumerate() {
            leading.extend(outcomes.iter().map(|one| one.and_then(|one| one.leading[place]).unwrap_or(NONE)));
        }
        let names = self.output.names(enterprises, 0..outcomes.len());
        let arrays: [ArrayRef; 2] = [names, Arc::new(Int32Array::new(totals.into(), graded))];
        self.outcomes.clear();
        write(&mut self.columns, &self.output.schema, &arrays)?;
        if let Some((schema, _, indicators)) =
            self.output.contributions.as_ref().filter(|_| !self.contributions.is_empty())
        {
            let all = &self.contributions;
            let indicator = |one: &(usize, Contribution)| i16::try_from(one.1.indicator).unwrap_or(i16::MAX);
            let keys = Int16Array::from_iter_values(all.iter().map(indicator));
            let arrays: [ArrayRef; 5] = [
                self.output.names(enterprises, all.iter().map(|one| one.0)),
                Arc::new(DictionaryArray::<Int16Type>::try_new(keys, indicators.clone())?),
                Arc::new(all.iter().map(|one| one.1.seq).collect::<Int64Array>()),
                Arc::new(all.iter().map(|one| one.1.day).collect::<Date32Array>()),
                Arc::new(Int64Array::from_iter_values(all.iter().map(|one| one.1.milli))),
            ];
            write(&mut self.more, schema, &arrays)?;
            self.contributed = true;
        }
        self.contributions.clear();
        Ok(())
    }

    /// The row group, encoded.
    pub fn finish(&mut self) -> Result<Encoded> {
        let mut levels = close(std::mem::take(&mut self.columns))?;
        let letters = std::iter::once((&self.output.levels, &self.levels));
        for (letters, codes) in letters.chain(self.output.leading.iter().zip(&self.leading)) {
            let (bytes, close) = letters.chunk(codes)?;
            levels.push(Chunk::Own(bytes, close));
        }
        self.levels.clear();
        self.leading.iter_mut().for_each(Vec::clear);
        let more = std::mem::take(&mut self.more);
        let contributions = if self.contributed { close(more)? } else { Vec::new() };
        Ok(Encoded { levels, contributions })
    }
}

fn write(columns: &mut [ArrowColumnWriter], schema: &SchemaRef, arrays: &[ArrayRef]) -> Result<()> {
    for ((writer, field), array) in columns.iter_mut().zip(schema.fields()).zip(arrays) {
        for leaf in compute_leaves(field, array)? {
            writer.write(&leaf)?;
        }
    }
    Ok(())
}

fn close(columns: Vec<ArrowColumnWriter>) -> Result<Vec<Chunk>> {
    columns.into_iter().map(|column| Ok(Chunk::Arrow(column.close()?))).collect()
}

impl Writer {
    /// Writes a row group, or keeps it until those before it have come. Contributions are far more: they are
    /// written as they come.
    pub fn take(&mut self, place: usize, encoded: Encoded) -> Result<()> {
        if let Some(file) = self.contributions.as_mut().filter(|_| !encoded.contributions.is_empty()) {
            file.append(encoded.contributions)?;
        }
        self.waiting.insert(place, encoded.levels);
        while let Some(chunks) = self.waiting.remove(&self.next) {
            self.levels.append(chunks)?;
            self.next += 1;
        }
        Ok(())
    }

    /// Closes the files and gives them their names.
    pub fn finish(self) -> Result<()> {
        let contributions = self.contributions.map(Unfinished::close).transpose()?;
        for (unfinished, path) in contributions.into_iter().chain([self.levels.close()?]) {
            std::fs::rename(unfinished, &path).with_context(|| format!("写入 {}", path.display()))?;
        }
        Ok(())
    }
}
