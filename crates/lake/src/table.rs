//! A Parquet file: its columns by name, its row groups, and pieces of it.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use parquet::basic::{ConvertedType, LogicalType, Type};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::file::statistics::Statistics;
use parquet::schema::types::ColumnDescPtr;

/// A Parquet file whose columns are flat.
pub struct Table {
    path: PathBuf,
    metadata: ParquetMetaData,
}

/// What a column holds, as far as it makes a difference here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Whole numbers of 32 bits, with or without a sign.
    Integer32 { signed: bool },
    /// Whole numbers of 64 bits, with or without a sign.
    Integer64 { signed: bool },
    /// Days since 1970-01-01.
    Days,
    /// Numbers of single precision.
    Float,
    /// Numbers of double precision.
    Double,
    /// Yes or no.
    Flag,
    /// Text.
    Text,
}

impl Table {
    pub fn open(path: &Path) -> Result<Self> {
        let name = || format!("读取 {}", path.display());
        let file = File::open(path).with_context(name)?;
        let metadata = ParquetMetaDataReader::new()
            .parse_and_finish(&file)
            .map_err(|error| anyhow::anyhow!("不是完整的 Parquet 文件（可能没有传完）：{error}"))
            .with_context(name)?;
        Ok(Self { path: path.to_owned(), metadata })
    }

    /// The file's name, as errors give it.
    pub fn name(&self) -> String {
        self.path.display().to_string()
    }

    pub fn metadata(&self) -> &ParquetMetaData {
        &self.metadata
    }

    pub fn row_groups(&self) -> usize {
        self.metadata.num_row_groups()
    }

    pub fn rows(&self) -> u64 {
        u64::try_from(self.metadata.file_metadata().num_rows()).unwrap_or_default()
    }

    pub fn rows_of(&self, row_group: usize) -> usize {
        usize::try_from(self.metadata.row_group(row_group).num_rows()).unwrap_or_default()
    }

    pub fn descriptor(&self, column: usize) -> ColumnDescPtr {
        self.metadata.file_metadata().schema_descr().column(column)
    }

    pub fn name_of(&self, column: usize) -> String {
        self.descriptor(column).path().string()
    }

    /// The number of the column of that name.
    pub fn column(&self, name: &str) -> Result<usize> {
        let columns = self.metadata.file_metadata().schema_descr().columns();
        let found = columns.iter().position(|column| column.path().string() == name);
        let found = found.with_context(|| {
            let names: Vec<_> = columns.iter().map(|column| column.path().string()).collect();
            format!("{} 缺少列“{name}”；文件中的列有：{}", self.name(), names.join("、"))
        })?;
        if columns[found].max_rep_level() > 0 || columns[found].max_def_level() > 1 {
            bail!("{} 的列“{name}”是嵌套的，这里只读一层的列", self.name());
        }
        Ok(found)
    }

    /// What a column holds.
    pub fn holds(&self, column: usize) -> Result<Holds> {
        let descriptor = self.descriptor(column);
        let logical = descriptor.logical_type_ref();
        let unsigned = matches!(logical, Some(LogicalType::Integer(int)) if !int.is_signed)
            || matches!(
                descriptor.converted_type(),
                ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64
            );
        let is_day = matches!(logical, Some(LogicalType::Date)) || descriptor.converted_type() == ConvertedType::DATE;
        let whole = matches!(logical, None | Some(LogicalType::Integer(_)))
            && !matches!(
                descriptor.converted_type(),
                ConvertedType::DECIMAL
                    | ConvertedType::TIME_MILLIS
                    | ConvertedType::TIME_MICROS
                    | ConvertedType::TIMESTAMP_MILLIS
                    | ConvertedType::TIMESTAMP_MICROS
            );
        Ok(match descriptor.physical_type() {
            Type::INT32 if is_day => Holds::Days,
            Type::INT32 if whole => Holds::Integer32 { signed: !unsigned },
            Type::INT64 if whole => Holds::Integer64 { signed: !unsigned },
            Type::FLOAT => Holds::Float,
            Type::DOUBLE => Holds::Double,
            Type::BOOLEAN => Holds::Flag,
            Type::BYTE_ARRAY if !matches!(logical, Some(LogicalType::Decimal(_))) => Holds::Text,
            other => bail!(
                "{} 的列“{}”的类型（{other}{}）无法使用。请改为整数、小数、日期、是否或文字",
                self.name(),
                self.name_of(column),
                logical.map(|logical| format!("，{logical:?}")).unwrap_or_default()
            ),
        })
    }

    /// Least and greatest number of a column of whole numbers, without a sign, for each row group; `None`
    /// when the file does not say for one of them.
    pub fn bounds(&self, column: usize) -> Option<Vec<(u64, u64)>> {
        let signed =
            matches!(self.holds(column).ok()?, Holds::Integer32 { signed: true } | Holds::Integer64 { signed: true });
        let bounds = self.metadata.row_groups().iter().map(|group| match group.column(column).statistics()? {
            Statistics::Int32(one) => {
                let number = |number: &i32| {
                    if signed { u64::try_from(*number).ok() } else { Some(u64::from(number.cast_unsigned())) }
                };
                Some((number(one.min_opt()?)?, number(one.max_opt()?)?))
            }
            Statistics::Int64(one) => {
                let number =
                    |number: &i64| if signed { u64::try_from(*number).ok() } else { Some(number.cast_unsigned()) };
                Some((number(one.min_opt()?)?, number(one.max_opt()?)?))
            }
            _ => None,
        });
        let bounds: Vec<_> = bounds.collect::<Option<_>>()?;
        bounds.iter().all(|(least, greatest)| least <= greatest).then_some(bounds)
    }

    /// A piece of the file, in memory that may have been used before. The file is opened anew, because threads
    /// that share one share its place, too.
    pub fn read(&self, start: u64, length: u64, mut memory: Vec<u8>) -> Result<Vec<u8>> {
        let name = || format!("读取 {}", self.path.display());
        let cut_off = || anyhow!("{} 不完整（可能没有传完）", self.path.display());
        let mut file = File::open(&self.path).with_context(name)?;
        // What the file says of itself may be wrong, and must not make us ask for more than there is.
        let size = file.metadata().with_context(name)?.len();
        if start.checked_add(length).is_none_or(|end| end > size) {
            return Err(cut_off());
        }
        file.seek(SeekFrom::Start(start)).with_context(name)?;
        // What is there is overwritten, so that only memory that is taken for the first time is cleared.
        memory.resize(usize::try_from(length).with_context(name)?, 0);
        match file.read_exact(&mut memory) {
            // Cut off meanwhile.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(cut_off()),
            read => read.map(|()| memory).with_context(name),
        }
    }
}
