//! The result: a line for each enterprise. Row groups are encoded by whoever computed them, and put into
//! the file in the order of the enterprises.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use arrow::array::{ArrayRef, DictionaryArray, Int8Array, Int16Array, Int32Array, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Int8Type, Int16Type, Schema, SchemaRef};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;
use xinheng_core::score::fold::Outcome;

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
    /// Names of the indicators.
    pub names: Names,
    /// Whether the model may leave an enterprise out.
    pub optional: bool,
}

/// Lines of a row group.
#[derive(Default)]
pub struct Lines {
    pub ids: Vec<u64>,
    pub credit_codes: Vec<String>,
    totals: Vec<i32>,
    levels: Vec<i8>,
    leading: [Vec<u8>; 3],
}

const NONE: u8 = u8::MAX;

impl Lines {
    pub fn with_capacity(count: usize) -> Self {
        let leading = [(); 3].map(|()| Vec::with_capacity(count));
        Self { totals: Vec::with_capacity(count), levels: Vec::with_capacity(count), leading, ..Self::default() }
    }

    pub fn push(&mut self, outcome: Option<Outcome>) {
        let total = outcome.and_then(|outcome| i32::try_from(outcome.total.milli()).ok());
        self.totals.push(total.unwrap_or(i32::MIN));
        self.levels.push(outcome.and_then(|outcome| i8::try_from(outcome.level).ok()).unwrap_or(-1));
        for (place, leading) in self.leading.iter_mut().enumerate() {
            leading.push(outcome.and_then(|outcome| outcome.leading[place]).unwrap_or(NONE));
        }
    }
}

/// A row group, encoded.
pub struct Encoded(Vec<ArrowColumnChunk>);

impl Form {
    fn schema(&self) -> SchemaRef {
        let text = || DataType::Dictionary(DataType::Int8.into(), DataType::Utf8.into());
        let name = match self.names {
            Names::Numbers(_) => DataType::Int8,
            Names::Ids(_) => DataType::Dictionary(DataType::Int16.into(), DataType::Utf8.into()),
        };
        let id = if self.by_credit_code {
            Field::new("credit_code", DataType::Utf8, false)
        } else {
            Field::new("id", DataType::UInt64, false)
        };
        let has_none = matches!(self.names, Names::Ids(_));
        let top = |name_of: &str| Field::new(name_of, name.clone(), has_none);
        Arc::new(Schema::new(vec![
            id,
            Field::new("total_milli", DataType::Int32, self.optional),
            Field::new("level", text(), self.optional),
            top("top1"),
            top("top2"),
            top("top3"),
        ]))
    }

    fn arrays(&self, lines: Lines) -> Result<Vec<ArrayRef>> {
        let id: ArrayRef = if self.by_credit_code {
            Arc::new(StringArray::from(lines.credit_codes))
        } else {
            Arc::new(UInt64Array::from(lines.ids))
        };
        let graded: Option<arrow::buffer::NullBuffer> =
            self.optional.then(|| lines.levels.iter().map(|level| *level >= 0).collect::<Vec<_>>().into());
        let total = Int32Array::new(lines.totals.into(), graded.clone());
        let level = Int8Array::new(lines.levels.into(), graded);
        let levels = Arc::new(StringArray::from(self.levels.clone()));
        let level = DictionaryArray::<Int8Type>::try_new(level, levels)?;
        let mut arrays = vec![id, Arc::new(total), Arc::new(level)];
        for leading in lines.leading {
            arrays.push(match &self.names {
                Names::Numbers(numbers) => {
                    let mut table = [-1; 256];
                    table[..numbers.len()].copy_from_slice(numbers);
                    Arc::new(Int8Array::from_iter_values(leading.into_iter().map(|place| table[usize::from(place)])))
                }
                Names::Ids(ids) => {
                    let keys: Int16Array =
                        leading.into_iter().map(|place| (place != NONE).then(|| place.into())).collect();
                    Arc::new(DictionaryArray::<Int16Type>::try_new(keys, Arc::new(StringArray::from(ids.clone())))?)
                }
            });
        }
        Ok(arrays)
    }
}

/// The file that the result goes to. It has another name until it is complete.
pub struct Output {
    form: Form,
    schema: SchemaRef,
    factory: ArrowRowGroupWriterFactory,
}

/// The part of it that writes.
pub struct Writer {
    file: SerializedFileWriter<File>,
    waiting: BTreeMap<usize, Encoded>,
    next: usize,
    path: PathBuf,
    unfinished: PathBuf,
}

impl Output {
    pub fn create(path: &Path, form: Form) -> Result<(Self, Writer)> {
        let schema = form.schema();
        let column = |name: &str| ColumnPath::from(name);
        // Bounds of the other columns nobody asks for, and finding them takes longer than encoding.
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
            .set_statistics_enabled(EnabledStatistics::None)
            .set_column_statistics_enabled(column("id"), EnabledStatistics::Chunk)
            .set_column_dictionary_enabled(column("credit_code"), false);
        let numbers: &[&str] = match form.names {
            Names::Numbers(_) => &["id", "total_milli", "top1", "top2", "top3"],
            Names::Ids(_) => &["id", "total_milli"],
        };
        for name in numbers {
            properties = properties
                .set_column_dictionary_enabled(column(name), false)
                .set_column_encoding(column(name), Encoding::DELTA_BINARY_PACKED);
        }
        let properties = properties.build();
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(".unfinished");
        let unfinished = PathBuf::from(unfinished);
        let file = File::create(&unfinished).with_context(|| format!("写入 {}", unfinished.display()))?;
        let descriptor = ArrowSchemaConverter::new().convert(&schema)?;
        let file = SerializedFileWriter::new(file, descriptor.root_schema_ptr(), Arc::new(properties))?;
        let factory = ArrowRowGroupWriterFactory::new(&file, schema.clone());
        let writer = Writer { file, waiting: BTreeMap::new(), next: 0, path: path.to_owned(), unfinished };
        Ok((Self { form, schema, factory }, writer))
    }

    /// Encodes a row group.
    pub fn encode(&self, place: usize, lines: Lines) -> Result<Encoded> {
        let arrays = self.form.arrays(lines)?;
        let writers = self.factory.create_column_writers(place)?;
        let mut chunks = Vec::with_capacity(arrays.len());
        for ((mut writer, field), array) in writers.into_iter().zip(self.schema.fields()).zip(arrays) {
            for leaf in compute_leaves(field, &array)? {
                writer.write(&leaf)?;
            }
            chunks.push(writer.close()?);
        }
        Ok(Encoded(chunks))
    }
}

impl Writer {
    /// Writes a row group, or keeps it until those before it have come.
    pub fn take(&mut self, place: usize, encoded: Encoded) -> Result<()> {
        self.waiting.insert(place, encoded);
        while let Some(Encoded(chunks)) = self.waiting.remove(&self.next) {
            let mut group = self.file.next_row_group()?;
            for chunk in chunks {
                chunk.append_to_row_group(&mut group)?;
            }
            group.close()?;
            self.next += 1;
        }
        Ok(())
    }

    /// Closes the file and gives it its name.
    pub fn finish(self) -> Result<()> {
        self.file.close()?;
        std::fs::rename(&self.unfinished, &self.path).with_context(|| format!("写入 {}", self.path.display()))
    }
}
