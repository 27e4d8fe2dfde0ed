//! What is wrong with a line or with a whole file, and how to mend it.

use std::io;

use thiserror::Error;

/// What is wrong with a line and how to mend it. Neither text repeats what the cell holds, because it
/// may be personal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The cell, counted from 0; `None` when the line as a whole is meant.
    pub column: Option<usize>,
    /// 不通过原因
    pub reason: String,
    /// 修改办法
    pub mend: String,
}

impl Fault {
    /// A fault of the line as a whole.
    #[must_use]
    pub fn of_line(reason: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { column: None, reason: reason.into(), mend: mend.into() }
    }
}

/// Why a file is not taken, in one sentence that says what to do.
#[derive(Debug, Error)]
pub enum FileError {
    /// It cannot be opened or read.
    #[error("读不到文件（{}），请核对路径和权限", io_problem(.0))]
    Unreadable(#[source] io::Error),
    /// It cannot be written.
    #[error("写不成文件“{path}”（{problem}），请核对文件夹是否存在、有无权限、磁盘是否已满")]
    Unwritable {
        /// Where.
        path: String,
        /// What the system says.
        problem: String,
    },
    /// It is something else than a table.
    #[error("文件实际是{what}，不是可导入的表格，请{mend}")]
    NotATable {
        /// What it is.
        what: &'static str,
        /// What to do.
        mend: &'static str,
    },
    /// Nothing in it.
    #[error("文件是空的，请核对导出是否成功后重新提供")]
    Empty,
    /// Only the header row.
    #[error("文件只有表头（{table}），没有数据行，请核对导出是否成功后重新提供")]
    HeaderOnly {
        /// Title of the table.
        table: String,
    },
    /// A password is needed.
    #[error("工作簿加了密码，请在Excel或WPS中取消“用密码加密”后另存，再导入")]
    Encrypted,
    /// A broken container.
    #[error("文件不完整或已损坏（{0}），请重新下载或导出，或用Excel、WPS打开后另存为.xlsx再导入")]
    Damaged(String),
    /// Beyond what is read.
    #[error("{0}，超出可读取的范围，请拆成几个文件或另存为CSV后再导入")]
    TooLarge(String),
    /// Neither encoding fits.
    #[error(
        "第{line}行有无法识别的字符：既不是UTF-8，也不是GB18030（GBK）编码，请用原系统重新导出，或另存为UTF-8编码的CSV"
    )]
    Encoding {
        /// Line of the first wrong byte.
        line: i64,
    },
    /// A quotation mark without its pair.
    #[error("第{line}行起有一个英文双引号没有成对，其后的内容无法分行，请补上或删去该引号后再导入")]
    UnclosedQuote {
        /// Line on which the record begins.
        line: i64,
    },
    /// A line that is no JSON object of plain values.
    #[error("第{line}行不是由文字、数字和是否组成的JSON对象（{problem}），请改为每行一个对象")]
    Json {
        /// Line.
        line: i64,
        /// What is wrong.
        problem: &'static str,
    },
    /// No header row.
    #[error("前10行里没有认出表头，可导入的表有：{}；请核对表头，或用 --table 指明是哪一张", .candidates.join("、"))]
    NoHeader {
        /// Tables that can be imported.
        candidates: Vec<String>,
    },
    /// Several tables fit equally well.
    #[error("表头与几张表同样相符：{}；请用 --table 指明是哪一张，例如 --table {}", several(.candidates), .candidates[0].0)]
    SeveralTables {
        /// They: id and title.
        candidates: Vec<(String, String)>,
    },
    /// Several sheets hold tables.
    #[error("工作簿里有几张工作表都是数据：{}；请每个文件只留一张", .0.join("、"))]
    SeveralSheets(Vec<String>),
    /// `--table` names none.
    #[error("没有名为“{name}”的表，可用的有：{}", .known.join("、"))]
    UnknownTable {
        /// As given.
        name: String,
        /// Tables that can be imported.
        known: Vec<String>,
    },
    /// Two columns under one heading.
    #[error("第{first}列“{heading}”与第{second}列“{other}”是同一个表头，请删去或改名其中一列")]
    DuplicateHeading {
        /// Heading of the left one.
        heading: String,
        /// Its place, from 1.
        first: usize,
        /// Heading of the right one.
        other: String,
        /// Its place, from 1.
        second: usize,
    },
    /// Columns without which no row is complete.
    #[error("按“{table}”导入缺少必需的列：{}；请补上，或用 --table 指明其他表", .columns.join("、"))]
    MissingColumns {
        /// Title of the table.
        table: String,
        /// Headings.
        columns: Vec<String>,
    },
    /// Nothing says of which day a register's rows are.
    #[error("“{kind}”没有注明数据是哪一天的，请加上 --edition 日期（例如 --edition 2026-11-24）说明这份数据截至哪一天")]
    EditionNeeded {
        /// Title of the kind.
        kind: String,
    },
    /// The edition's day is no possible one.
    #[error("--edition 的日期{0}不在1949年10月1日至今天之间，请核对")]
    Edition(crate::value::Day),
    /// The table's own file is wrong.
    #[error("交换表“{table}”的定义有误：{problem}；请修改规则文件或映射文件")]
    Rules {
        /// Id of the table.
        table: String,
        /// What is wrong.
        problem: String,
    },
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

fn several(tables: &[(String, String)]) -> String {
    let shown: Vec<String> = tables.iter().map(|(id, title)| format!("{title}（{id}）")).collect();
    shown.join("、")
}

/// The usual problems with files in Chinese, others as the system says them.
pub(crate) fn io_problem(error: &io::Error) -> String {
    let known = match error.kind() {
        io::ErrorKind::NotFound => "路径不存在",
        io::ErrorKind::PermissionDenied => "没有权限",
        io::ErrorKind::IsADirectory => "这是文件夹",
        io::ErrorKind::StorageFull => "磁盘已满",
        io::ErrorKind::ReadOnlyFilesystem => "磁盘只读",
        _ => return error.to_string(),
    };
    known.into()
}
