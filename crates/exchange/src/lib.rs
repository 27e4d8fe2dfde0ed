//! Files in and out (交换): the only crate that knows file formats.
//!
//! In: [`open`] recognises what a file is, which exchange table it holds and under which headings, and
//! gives its lines one by one, each as drafts of records or as faults that say how to mend them.
//! Out: [`ErrorWorkbook`] gives refused lines back, [`TableWriter`] writes exports.
//!
//! A file that cannot be taken is refused as a whole, with one sentence, before its first line is given.

mod cells;
mod error_workbook;
mod fault;
mod header;
mod json_lines;
mod list;
mod mapping;
mod prepass;
mod source;
mod table_writer;
mod text;
mod value;
mod workbook;

pub use cells::Cells;
pub use error_workbook::ErrorWorkbook;
pub use fault::{Fault, FileError};
pub use list::{List, ListColumn, ListRow};
pub use source::{Forms, ReadOptions, Row, Source, open};
pub use table_writer::{TableFormat, TableWriter, TextEncoding};
