//! The demonstration county (演示县): the files of a synthetic county, for a first look, for tests and
//! for measuring. They go through the same import as a user's, and everything in them is invented.
//!
//! [`population`] makes the enterprises, [`life`] what happens to them, [`sheets`] the tables in which
//! units report it, [`publications`] what was published of it, [`spelling`] the dirt of real files, [`county`] the files,
//! [`clock`] the days on which they are handed in, [`inspections`] a year of plans, draws and visits.

pub mod clock;
pub mod county;
pub mod inspections;
mod life;
pub mod office;
pub mod people;
mod population;
mod publications;
mod sheets;
mod spelling;
#[cfg(test)]
mod tests;
mod words;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use xinheng_exchange::{TableFormat, TableWriter, TextEncoding};

pub use county::{DemoFile, Form};

/// Says in the folder what the files are.
const README: &str = "\
这个文件夹里的全部文件都是演示数据，由程序生成，用于试用、测试和测速。

县名、乡镇、企业、人员、证件号码、电话、文号、处罚和检查结果全部是虚构的，与任何真实单位和个人无关。
统一社会信用代码使用未启用的行政区划代码999901，不会与真实企业重复；每条登记的“其他信息”一栏都写明“演示数据，由程序生成”。

为了像真实的文件，其中有大小写混用的代码、全角半角混用的括号、多种写法的日期和金额，
约百分之一的行有错误，导入时会退回到错误工作簿；少数行的企业不在本县登记，先作待匹配处理；
有一个文件重复报送，还有一份较旧的登记数据最后报送，它们不会改变任何结果。

各单位按旬、半月或月报送，少数迟报；演示中每个文件在其报送日的下午入账。

逐个导入时，按下列次序：
";

/// Writes the files into a folder, in the order in which they are handed in.
///
/// # Errors
/// When the folder or a file cannot be written.
pub fn write(folder: &Path, files: &[DemoFile]) -> anyhow::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder).with_context(|| format!("建不了演示数据文件夹“{}”", folder.display()))?;
    let readme = folder.join("演示数据说明.txt");
    let commands: String = files.iter().map(import_command).collect();
    std::fs::write(&readme, format!("{README}{commands}")).with_context(|| format!("写不成“{}”", readme.display()))?;
    files
        .iter()
        .map(|file| {
            let path = folder.join(&file.file_name);
            write_file(&path, file)?;
            Ok(path)
        })
        .collect()
}

/// How a file is handed in by hand.
fn import_command(file: &DemoFile) -> String {
    let edition = file.edition.map(|day| format!(" --edition {day}")).unwrap_or_default();
    format!("xinheng import {} --table {} --unit {}{edition}\n", file.file_name, file.table, file.unit)
}

fn write_file(path: &Path, file: &DemoFile) -> anyhow::Result<()> {
    let create = |format, first: &[&str]| TableWriter::create(path, format, first, false);
    let mut table = match file.form {
        Form::CsvUtf8 => create(TableFormat::Csv(TextEncoding::Utf8WithBom), &file.headings)?,
        Form::CsvGb18030 => create(TableFormat::Csv(TextEncoding::Gb18030), &file.headings)?,
        Form::Xlsx => {
            let mut table = create(TableFormat::Xlsx, &[&file.title])?;
            table.write(&file.headings)?;
            table
        }
    };
    for row in file.rows() {
        let cells: Vec<&str> = row.cells.iter().map(String::as_str).collect();
        table.write(&cells)?;
    }
    table.finish()?;
    Ok(())
}
