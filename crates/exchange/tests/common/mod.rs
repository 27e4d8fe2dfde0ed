//! Tables and kinds of record for tests, in the shape of the rule files, and files made of them.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use tempfile::TempDir;
use xinheng_core::record::{Day, Draft};
use xinheng_core::rulebook::kind::Kind;
use xinheng_core::rulebook::table::Table;
use xinheng_exchange::{Fault, FileError, Forms, ReadOptions, Row, Source, TableFormat, TableWriter, open};

const KINDS: [&str; 6] = [
    "
rule: {id: registration, title: 市场主体登记, from: 2020-01-01, status: default}
nature: state
occurred_on: established_on
version: approved_on
fields:
  - {name: name, title: 企业名称, type: text, required: true}
  - {name: company_type, title: 企业类型, type: text}
  - {name: approved_on, title: 核准日期, type: day}
  - {name: established_on, title: 成立日期, type: day}
  - {name: ends_on, title: 经营截止日期, type: end_day}
  - {name: capital, title: 注册资本, type: amount}
  - {name: status, title: 登记状态, type: choice, required: true, choices: {active: [存续, 在业, '存续（在营、开业、在册）'], revoked: [吊销], cancelled: [注销]}}
  - {name: legal_representative, title: 法定代表人, type: text, personal: true}
ends: {on: ends_on}
",
    "
rule: {id: penalty, title: 行政处罚, from: 2020-01-01, status: default}
nature: event
occurred_on: decided_on
identity: [document_number]
document_number: document_number
ends: {on: public_until}
fields:
  - {name: document_number, title: 文号, type: code, required: true}
  - {name: decided_on, title: 处罚日期, type: day, required: true}
  - {name: public_until, title: 公示截止期, type: end_day}
  - {name: reason, title: 处罚原因, type: text}
  - {name: fine, title: 罚款, type: amount}
  - {name: transferred, title: 是否移送, type: flag}
  - {name: grounds, title: 违法行为代码, type: codes}
  - {name: representative_id, title: 法人身份证号, type: text, personal: true}
",
    "
rule: {id: abnormal_entry, title: 经营异常名录列入, from: 2020-01-01, status: default}
nature: event
occurred_on: listed_on
identity: [listed_on]
fields:
  - {name: listed_on, title: 列入日期, type: day, required: true}
  - {name: reason, title: 列入原因, type: text, required: true}
  - {name: authority, title: 作出决定机关, type: text}
",
    "
rule: {id: abnormal_removal, title: 经营异常名录移出, from: 2020-01-01, status: default}
nature: event
occurred_on: removed_on
identity: [listed_on]
fields:
  - {name: listed_on, title: 列入日期, type: day, required: true}
  - {name: removed_on, title: 移出日期, type: day, required: true}
  - {name: reason, title: 移出原因, type: text}
",
    "
rule: {id: received_level, title: 省级通用型分类结果, from: 2020-01-01, status: default}
nature: state
occurred_on: month
version: month
fields:
  - {name: level, title: 风险等级, type: choice, required: true, choices: {A: [低], B: [一般], C: [较高], D: [高]}}
  - {name: month, title: 月份, type: day, required: true}
",
    "
rule: {id: inspection, title: 监督检查, from: 2011-01-01, status: default}
nature: event
occurred_on: inspected_on
identity: [number]
fields:
  - {name: number, title: 编号, type: code, required: true}
  - {name: inspected_on, title: 检查日期, type: day, required: true}
  - {name: result, title: 结果, type: choice, required: true, choices: {passed: [Pass, Pass w/ Conditions], failed: [Fail]}}
  - {name: serious, title: 严重项, type: integer}
  - {name: chapter, title: 第一章, type: share}
  - {name: kind, title: 类型, type: text}
",
];

const TABLES: [&str; 6] = [
    "
rule: {id: dw_zj_scjdgl_scztxx, title: 市场主体信息, from: 2020-01-01, status: default}
columns:
  - {name: uni_social_crd_cd, title: 统一社会信用代码}
  - {name: main_identi_id, title: 主体身份代码, also: [pripid]}
  - {name: reg_no, title: 注册号}
  - {name: comp_nm, title: 企业名称（字号名称）, also: [企业名称]}
  - {name: comp_type, title: 企业类型大类（中文）}
  - {name: reg_state, title: 登记状态（中文）, values: {开业: 存续, '1': 存续}}
  - {name: legal_repre, title: 法定代表人(经营者姓名)}
  - {name: reg_capt, title: 注册资本(资金数额), unit: 万元}
  - {name: appr_dt, title: 核准日期（登记、吊销、注销日期）, also: [核准日期]}
  - {name: est_dt, title: 成立日期}
  - {name: opt_to, title: 经营(营业)截止日期}
  - {name: opt_flag, title: 数据记录的增删改标志}
  - {name: etl_time, title: etl入库时间}
enterprise: {credit_code: uni_social_crd_cd, main_identity: main_identi_id, registration_number: reg_no, name: comp_nm}
delete_flag: {column: opt_flag, values: [D, 删除]}
records:
  - kind: registration
    fields: {name: comp_nm, company_type: comp_type, approved_on: appr_dt, established_on: est_dt, ends_on: opt_to, capital: reg_capt, status: reg_state, legal_representative: legal_repre}
",
    "
rule: {id: dw_nb_scjdgl_xzcfgsxx, title: 行政处罚公示信息, from: 2020-01-01, status: default}
columns:
  - {name: uni_social_crd_cd, title: 统一社会信用代码}
  - {name: taxer_nm, title: 纳税人名称, also: [企业名称]}
  - {name: admin_punish_doc, title: 行政处罚文号}
  - {name: punish_rea, title: 处罚原因}
  - {name: punish_dt, title: 处罚时间}
  - {name: public_deadline, title: 公示截止期}
  - {name: punish_money, title: 罚款}
  - {name: is_deported, title: 是否移送司法机关}
  - {name: grounds, title: 违法行为代码}
  - {name: legal_per_ident, title: 法人身份证号}
enterprise: {credit_code: uni_social_crd_cd, name: taxer_nm}
records:
  - kind: penalty
    fields: {document_number: admin_punish_doc, decided_on: punish_dt, public_until: public_deadline, reason: punish_rea, fine: punish_money, transferred: is_deported, grounds: grounds, representative_id: legal_per_ident}
",
    "
rule: {id: dw_zj_scjdgl_jyycmlxx, title: 经营异常名录信息, from: 2020-01-01, status: default}
columns:
  - {name: inclu_dt, title: 列入日期}
  - {name: inclu_reason, title: 列入经营异常名录原因}
  - {name: uni_social_crd_cd, title: 统一社会信用代码}
  - {name: reg_no, title: 营业执照注册号}
  - {name: remexcpres_cn, title: 移出经营异常名录原因}
  - {name: remove_dt, title: 移出日期}
  - {name: decorg_cn, title: 作出决定机关(列入)}
  - {name: comp_nm, title: 企业名称}
enterprise: {credit_code: uni_social_crd_cd, registration_number: reg_no, name: comp_nm}
records:
  - kind: abnormal_entry
    fields: {listed_on: inclu_dt, reason: inclu_reason, authority: decorg_cn}
  - kind: abnormal_removal
    when: remove_dt
    fields: {listed_on: inclu_dt, removed_on: remove_dt, reason: remexcpres_cn}
",
    "
rule: {id: dw_zj_scjdgl_yzwfsx, title: 严重违法失信企业名单信息, from: 2020-01-01, status: default}
columns:
  - {name: abn_tm, title: 列入日期}
  - {name: serill_rea, title: 列入严重违法失信企业名单原因}
  - {name: uni_social_crd_cd, title: 统一社会信用代码}
  - {name: comp_name, title: 企业名称}
enterprise: {credit_code: uni_social_crd_cd, name: comp_name}
records:
  - kind: abnormal_entry
    fields: {listed_on: abn_tm, reason: serill_rea}
",
    "
rule: {id: province_levels, title: 省级通用型分类结果, from: 2020-01-01, status: default}
columns:
  - {name: uni_social_crd_cd, title: 统一社会信用代码}
  - {name: level, title: 风险等级}
  - {name: month, title: 月份}
enterprise: {credit_code: uni_social_crd_cd}
records:
  - kind: received_level
    fields: {level: level, month: month}
",
    "
rule: {id: chicago, title: Food inspections, from: 2011-01-01, status: default}
columns:
  - {name: inspection_id, title: 检查编号}
  - {name: license, title: 许可证号}
  - {name: date, title: 日期}
  - {name: result, title: 结果}
  - {name: serious, title: 严重项}
  - {name: chapter, title: 第一章}
enterprise: {generated: {from: license, prefix: '91990000'}}
records:
  - kind: inspection
    fields: {number: inspection_id, inspected_on: date, result: result, serious: serious, chapter: chapter}
    constants: {kind: 餐饮}
",
];

static ALL_KINDS: LazyLock<Vec<Kind>> =
    LazyLock::new(|| KINDS.iter().map(|yaml| serde_saphyr::from_str(yaml).unwrap()).collect());
static ALL_TABLES: LazyLock<Vec<Table>> =
    LazyLock::new(|| TABLES.iter().map(|yaml| serde_saphyr::from_str(yaml).unwrap()).collect());

pub fn forms() -> Forms<'static> {
    Forms { tables: ALL_TABLES.iter().collect(), kinds: ALL_KINDS.iter().collect(), today: day("2026-11-24") }
}

pub fn day(text: &str) -> Day {
    text.parse().unwrap()
}

pub fn options() -> ReadOptions<'static> {
    ReadOptions::default()
}

/// With an edition.
pub fn edition(text: &str) -> ReadOptions<'static> {
    ReadOptions { edition: Some(day(text)), ..options() }
}

/// A folder with a file of these bytes.
pub fn file(name: &str, bytes: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

pub fn read(name: &str, bytes: impl AsRef<[u8]>) -> Result<Vec<Row>, FileError> {
    read_with(name, bytes, &options())
}

pub fn read_with(name: &str, bytes: impl AsRef<[u8]>, options: &ReadOptions<'_>) -> Result<Vec<Row>, FileError> {
    let (_folder, path) = file(name, bytes);
    open(&path, &forms(), options)?.collect()
}

pub fn opened(name: &str, bytes: impl AsRef<[u8]>) -> Result<Source, FileError> {
    let (_folder, path) = file(name, bytes);
    open(&path, &forms(), &options())
}

/// The sentence with which a file is refused.
pub fn refusal(name: &str, bytes: impl AsRef<[u8]>) -> FileError {
    match read_with(name, bytes, &edition("2026-10-31")) {
        Ok(rows) => panic!("{name} 被读成了{}行", rows.len()),
        Err(error) => error,
    }
}

/// The drafts of a file whose lines are all good.
pub fn drafts(rows: Vec<Row>) -> Vec<Draft> {
    rows.into_iter()
        .flat_map(|row| row.outcome.unwrap_or_else(|faults| panic!("第{}行：{faults:?}", row.line)))
        .collect()
}

pub fn faults(row: &Row) -> &[Fault] {
    row.outcome.as_ref().expect_err("a refused row")
}

/// The bytes of a table in a format.
pub fn written(format: TableFormat, headings: &[&str], rows: &[Vec<&str>]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table");
    write(&path, format, headings, rows);
    std::fs::read(path).unwrap()
}

pub fn write(path: &Path, format: TableFormat, headings: &[&str], rows: &[Vec<&str>]) {
    let mut table = TableWriter::create(path, format, headings, false).unwrap();
    for row in rows {
        table.write(row).unwrap();
    }
    table.finish().unwrap();
}

/// Headings and rows of a registration dump with the dirt of real ones.
pub const REGISTRATION: [&str; 9] = [
    "统一社会信用代码",
    "主体身份代码",
    "企业名称（字号名称）",
    "企业类型大类（中文）",
    "登记状态（中文）",
    "法定代表人(经营者姓名)",
    "注册资本(资金数额)",
    "核准日期（登记、吊销、注销日期）",
    "经营(营业)截止日期",
];

pub fn registrations() -> Vec<Vec<&'static str>> {
    vec![
        vec![
            "91350100m000100y43",
            "3301",
            "新衡鑫源食品有限公司",
            "有限责任公司(自然人投资或控股)",
            "存续",
            "张三",
            "50",
            "2017-7-7",
            "2099-12-31",
        ],
        vec![
            "N2330683MF0000013H",
            "\\n",
            "新衡县(河东)豆制品厂",
            "个体工商户。",
            "开业",
            "NULL",
            "1.5万元",
            "20170707",
            "9999-9-9",
        ],
        vec![
            "92330683MA2D000109",
            "3303",
            "新衡河东面馆",
            "个体工商户",
            "注销",
            "李四",
            "",
            "2017年7月7日",
            "2037/7/6",
        ],
    ]
}

/// A minimal workbook of Excel 97: one sheet of text cells in a compound file.
pub fn xls(headings: &[&str], rows: &[Vec<&str>]) -> Vec<u8> {
    use std::io::Write;
    fn record(stream: &mut Vec<u8>, kind: u16, data: &[u8]) {
        stream.extend(kind.to_le_bytes());
        stream.extend(u16::try_from(data.len()).unwrap().to_le_bytes());
        stream.extend(data);
    }
    const BEGIN: [u8; 16] = [0, 6, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut stream = Vec::new();
    record(&mut stream, 0x809, &BEGIN);
    let mut sheet = vec![0; 4];
    sheet.extend([0, 0, 2, 0, b'S', b'1']);
    let at = stream.len() + 4;
    record(&mut stream, 0x85, &sheet);
    record(&mut stream, 0x0a, &[]);
    let start = u32::try_from(stream.len()).unwrap();
    stream[at..at + 4].copy_from_slice(&start.to_le_bytes());
    record(&mut stream, 0x809, &[&[0, 6, 0x10, 0][..], &BEGIN[4..]].concat());
    for (row, cells) in (0_u16..).zip(std::iter::once(&headings.to_vec()).chain(rows)) {
        for (column, cell) in (0_u16..).zip(cells) {
            let text: Vec<u16> = cell.encode_utf16().collect();
            let mut data =
                [row.to_le_bytes(), column.to_le_bytes(), [0, 0], u16::try_from(text.len()).unwrap().to_le_bytes()]
                    .concat();
            data.push(1);
            data.extend(text.into_iter().flat_map(u16::to_le_bytes));
            record(&mut stream, 0x204, &data);
        }
    }
    record(&mut stream, 0x0a, &[]);
    let mut compound = cfb::CompoundFile::create(std::io::Cursor::new(Vec::new())).unwrap();
    compound.create_stream("/Workbook").unwrap().write_all(&stream).unwrap();
    compound.flush().unwrap();
    compound.into_inner().into_inner()
}
