//! JSON lines: an object per line, its keys are headings.

use std::collections::HashMap;
use std::fmt;
use std::io::{BufRead, BufReader, Read};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::cells::{Cells, LONGEST_LINE, MOST_COLUMNS};
use crate::fault::FileError;
use crate::source::Lines;
use crate::workbook::number_text;

/// The lines of the file. The first one given is the row of headings, as line 0.
pub(crate) struct JsonLines {
    objects: Objects,
    headings: HashMap<String, usize>,
    header: Option<Cells>,
}

impl JsonLines {
    /// `start` begins to read the file: once for the keys of all objects, once for the lines.
    pub(crate) fn new(start: impl Fn() -> Result<Box<dyn Read + Send>, FileError>) -> Result<Self, FileError> {
        let mut header = Cells::default();
        let mut headings = HashMap::new();
        let mut objects = Objects::new(start()?);
        while let Some((line, object)) = objects.next()? {
            for (key, value) in object {
                if plain_text(&value).is_none() {
                    return Err(nested(line));
                }
                if !headings.contains_key(&key) {
                    if headings.len() == MOST_COLUMNS {
                        return Err(FileError::TooLarge(format!("到第{line}行已超过{MOST_COLUMNS}个键")));
                    }
                    header.push(&key);
                    headings.insert(key, headings.len());
                }
            }
        }
        Ok(Self { objects: Objects::new(start()?), headings, header: Some(header) })
    }

    /// The same lines from their beginning.
    pub(crate) fn again(self, input: Box<dyn Read + Send>) -> Self {
        Self { objects: Objects::new(input), ..self }
    }
}

fn nested(line: i64) -> FileError {
    FileError::Json { line, problem: "有嵌套的对象" }
}

impl Lines for JsonLines {
    fn next_line(&mut self) -> Result<Option<(i64, Cells)>, FileError> {
        if let Some(header) = self.header.take() {
            return Ok(Some((0, header)));
        }
        let Some((line, object)) = self.objects.next()? else {
            return Ok(None);
        };
        let mut cells = vec![String::new(); self.headings.len()];
        for (key, value) in object {
            let place = self.headings.get(&key);
            // Absent only when the file was changed while it was read.
            let place = place.ok_or(FileError::Json { line, problem: "读取期间文件被改动" })?;
            cells[*place] = plain_text(&value).ok_or_else(|| nested(line))?;
        }
        Ok(Some((line, cells.iter().map(String::as_str).collect())))
    }
}

/// The text of a plain value, or of a list of plain values.
fn plain_text(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => String::new(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) if number.is_f64() => number_text(number.as_f64()?),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(values) if values.iter().all(|value| !value.is_array()) => {
            values.iter().map(plain_text).collect::<Option<Vec<_>>>()?.join(",")
        }
        Value::Array(_) | Value::Object(_) => return None,
    })
}

struct Objects {
    input: BufReader<Box<dyn Read + Send>>,
    buffer: Vec<u8>,
    line: i64,
}

impl Objects {
    fn new(input: Box<dyn Read + Send>) -> Self {
        Self { input: BufReader::with_capacity(128 << 10, input), buffer: Vec::new(), line: 0 }
    }

    fn next(&mut self) -> Result<Option<(i64, Pairs)>, FileError> {
        loop {
            self.buffer.clear();
            self.line += 1;
            let bound = LONGEST_LINE as u64 + 1;
            let read = self.input.by_ref().take(bound).read_until(b'\n', &mut self.buffer)?;
            if read == 0 {
                return Ok(None);
            }
            if read > LONGEST_LINE {
                return Err(FileError::TooLarge(format!("第{}行超过1MB", self.line)));
            }
            if self.buffer.trim_ascii().is_empty() {
                continue;
            }
            let Object(object) = serde_json::from_slice(&self.buffer).map_err(|error| FileError::Json {
                line: self.line,
                problem: if error.is_data() {
                    "不是对象，或同一个键出现两次"
                } else {
                    "语法有误或不完整"
                },
            })?;
            return Ok(Some((self.line, object)));
        }
    }
}

/// An object whose keys keep their order and are unique.
struct Object(Pairs);

type Pairs = Vec<(String, Value)>;

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;

        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON对象")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut object = Pairs::new();
                while let Some((key, value)) = map.next_entry::<String, Value>()? {
                    if object.len() == MOST_COLUMNS || object.iter().any(|(other, _)| *other == key) {
                        return Err(serde::de::Error::custom("同一个键出现两次"));
                    }
                    object.push((key, value));
                }
                Ok(Object(object))
            }
        }

        deserializer.deserialize_map(ObjectVisitor)
    }
}
