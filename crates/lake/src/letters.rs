//! Columns of few different values, as one dictionary page and one page of indices in as few bits as they
//! need. The stock writer hashes every value to find its index; here the index is what one has.

use anyhow::Result;
use bytes::Bytes;
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

/// Bytes that headers take at most, more or less.
const MOST_HEADERS: usize = 1024;

/// In the table of indices: no value.
const NULL: u8 = u8::MAX;

/// How the codes of a column are written.
pub struct Letters {
    descriptor: ColumnDescPtr,
    /// The values, plainly encoded, and how many they are.
    values: Bytes,
    count: u32,
    /// For each code its index among the values.
    indices: [u8; 256],
}

impl Letters {
    /// Texts, one for each code; any other code is no value.
    pub fn texts(descriptor: ColumnDescPtr, texts: &[String]) -> Self {
        let mut values = Vec::new();
        let mut indices = [NULL; 256];
        for (index, text) in (0..NULL).zip(texts) {
            values.extend(u32::try_from(text.len()).unwrap_or_default().to_le_bytes());
            values.extend(text.as_bytes());
            indices[usize::from(index)] = index;
        }
        let count = u32::try_from(texts.len()).unwrap_or_default();
        Self { descriptor, values: values.into(), count, indices }
    }

    /// Numbers, one for each code, and one for any other code.
    pub fn numbers(descriptor: ColumnDescPtr, numbers: &[i8], other: i8) -> Self {
        let mut known = vec![other];
        let mut indices = [0; 256];
        for (index, number) in indices.iter_mut().zip(numbers) {
            let place = known.iter().position(|one| one == number).unwrap_or_else(|| {
                known.push(*number);
                known.len() - 1
            });
            *index = u8::try_from(place).unwrap_or_default();
        }
        let values: Vec<u8> = known.iter().flat_map(|number| i32::from(*number).to_le_bytes()).collect();
        Self { descriptor, values: values.into(), count: u32::try_from(known.len()).unwrap_or_default(), indices }
    }

    /// A column chunk of these codes.
    pub fn chunk(&self, codes: &[u8]) -> Result<(Bytes, ColumnCloseResult)> {
        let rows = u32::try_from(codes.len())?;
        let mut indices: Vec<u8> = codes.iter().map(|code| self.indices[usize::from(*code)]).collect();
        // Room for all: memory that grows is copied, and touched where it was never used before.
        let mut page = Vec::with_capacity(codes.len() + MOST_HEADERS);
        if self.descriptor.max_def_level() > 0 {
            let levels: Vec<u8> = indices.iter().map(|index| u8::from(*index != NULL)).collect();
            let mut encoded = Vec::new();
            hybrid(&levels, 1, &mut encoded);
            page.extend(u32::try_from(encoded.len())?.to_le_bytes());
            page.extend(encoded);
            indices.retain(|index| *index != NULL);
        }
        let width = u32::BITS - self.count.saturating_sub(1).leading_zeros();
        page.push(u8::try_from(width)?);
        hybrid(&indices, width as usize, &mut page);
        let (values, page) = (self.values.clone(), Bytes::from(page));
        let mut sink = TrackedWrite::new(Vec::with_capacity(values.len() + page.len() + MOST_HEADERS));
        let mut pages = SerializedPageWriter::new(&mut sink);
        let size = values.len();
        let dictionary =
            Page::DictionaryPage { buf: values, num_values: self.count, encoding: Encoding::PLAIN, is_sorted: false };
        let dictionary = pages.write_page(CompressedPage::new(dictionary, size))?;
        let size = page.len();
        let data = Page::DataPage {
            buf: page,
            num_values: rows,
            encoding: Encoding::RLE_DICTIONARY,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let data = pages.write_page(CompressedPage::new(data, size))?;
        let bytes = Bytes::from(sink.into_inner()?);
        let size = i64::try_from(bytes.len())?;
        let metadata = ColumnChunkMetaData::builder(self.descriptor.clone())
            .set_encodings(vec![Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY])
            .set_compression(Compression::UNCOMPRESSED)
            .set_num_values(rows.into())
            .set_total_compressed_size(size)
            .set_total_uncompressed_size(size)
            .set_dictionary_page_offset(Some(i64::try_from(dictionary.offset)?))
            .set_data_page_offset(i64::try_from(data.offset)?)
            .build()?;
        let close = ColumnCloseResult {
            bytes_written: bytes.len() as u64,
            rows_written: rows.into(),
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        Ok((bytes, close))
    }
}

/// Appends numbers of at most so many bits: runs of the same as runs, all others packed.
fn hybrid(numbers: &[u8], width: usize, out: &mut Vec<u8>) {
    let (eights, rest) = numbers.as_chunks::<8>();
    let (mut packed_from, mut at) = (0, 0);
    while at < eights.len() {
        let first = eights[at][0];
        // Compared as one number: for so few bytes the stock comparison is a call.
        let all = u64::from_le_bytes([first; 8]);
        let same = eights[at..].iter().take_while(|eight| u64::from_le_bytes(**eight) == all).count();
        // A single eight is not worth two headers.
        if same >= 2 {
            pack(&eights[packed_from..at], width, out);
            header((same * 8) << 1, out);
            out.extend(std::iter::repeat_n(first, width.div_ceil(8)));
            at += same;
            packed_from = at;
        } else {
            at += 1;
        }
    }
    pack(&eights[packed_from..], width, out);
    if !rest.is_empty() {
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        pack(&[last], width, out);
    }
}

fn pack(eights: &[[u8; 8]], width: usize, out: &mut Vec<u8>) {
    if eights.is_empty() {
        return;
    }
    header(eights.len() << 1 | 1, out);
    for eight in eights {
        let word = (0..8).fold(0, |word, place| word | u64::from(eight[place]) << (place * width));
        out.extend_from_slice(&word.to_le_bytes()[..width]);
    }
}

fn header(mut number: usize, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(u8::try_from(number & 0x7f).unwrap_or_default() | 0x80);
        number >>= 7;
    }
    out.push(u8::try_from(number).unwrap_or_default());
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::cast_possible_truncation)]
mod tests {
    use super::*;
    use crate::hybrid::Hybrid;

    #[test]
    fn what_is_written_comes_back_for_every_width_and_any_mix_of_runs() {
        for width in 1..=8_usize {
            let mask = if width == 8 { u8::MAX } else { (1 << width) - 1 };
            for length in [0, 1, 7, 8, 9, 15, 16, 17, 100, 1003] {
                let number = |n: usize| if (n / 37).is_multiple_of(2) { 1 } else { (n * 31 / 7) as u8 & mask };
                let numbers: Vec<u8> = (0..length).map(number).collect();
                let mut bytes = Vec::new();
                hybrid(&numbers, width, &mut bytes);
                let mut read = vec![0; length];
                Hybrid::new(bytes.into(), width as u8).unwrap().read(&mut read, |number| number as u8).unwrap();
                assert_eq!(read, numbers, "width {width}, {length} numbers");
            }
        }
    }
}
