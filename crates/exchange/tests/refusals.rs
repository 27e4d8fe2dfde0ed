//! Files and lines that are not taken, and what they are told.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::Write;
use std::path::Path;

use common::*;
use xinheng_exchange::{ErrorWorkbook, FileError, ReadOptions, TableFormat, TableWriter, TextEncoding, open};

fn workbook() -> Vec<u8> {
    written(TableFormat::Xlsx, &REGISTRATION, &registrations())
}

fn compound(stream: &str) -> Vec<u8> {
    let mut compound = cfb::CompoundFile::create(std::io::Cursor::new(Vec::new())).unwrap();
    compound.create_stream(stream).unwrap().write_all(&[7; 5000]).unwrap();
    compound.flush().unwrap();
    compound.into_inner().into_inner()
}

fn container(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The workbook with one part replaced.
fn with_part(part: &str, content: impl Fn(Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    use std::io::Read;
    let mut from = zip::ZipArchive::new(std::io::Cursor::new(workbook())).unwrap();
    let mut to = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let mut replaced = false;
    for place in 0..from.len() {
        let mut entry = from.by_index(place).unwrap();
        let name = entry.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        if name == part {
            bytes = content(bytes);
            replaced = true;
        }
        to.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        to.write_all(&bytes).unwrap();
    }
    if !replaced {
        to.start_file(part, zip::write::SimpleFileOptions::default()).unwrap();
        to.write_all(&content(Vec::new())).unwrap();
    }
    to.finish().unwrap().into_inner()
}

#[test]
fn what_is_no_table_is_named_with_what_to_do() {
    for (name, bytes, says) in [
        ("扫描件.xlsx", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj".to_vec(), "PDF"),
        ("照片.csv", b"\xff\xd8\xff\xe0\x00\x10JFIF".to_vec(), "图片"),
        ("照片.xlsx", b"\x89PNG\r\n\x1a\n\0\0".to_vec(), "图片"),
        ("网页.xls", "\u{feff}\r\n<html><table><tr><td>统一社会信用代码".as_bytes().to_vec(), "网页"),
        ("表格2003.xls", b"<?xml version=\"1.0\"?><Workbook/>".to_vec(), "XML"),
        ("rows.json", b" [{\"a\": 1}]".to_vec(), "JSON数组"),
        ("程序.csv", b"MZ\x90\0\x03\0\0\0".to_vec(), "二进制"),
        ("a.rar", b"Rar!\x1a\x07\0".to_vec(), "压缩包"),
        ("报告.xlsx", container(&[("word/document.xml", b"<w/>"), ("[Content_Types].xml", b"<t/>")]), "Word"),
        ("a.xlsx", container(&[("entities.csv", b"a,b")]), "压缩包"),
        ("a.xlsx", container(&[("xl/workbook.bin", b"x"), ("[Content_Types].xml", b"<t/>")]), ".xlsb"),
        ("a.xlsx", container(&[("content.xml", b"x")]), "OpenDocument"),
        ("报告.xls", compound("/WordDocument"), "Word"),
        ("其他.xls", compound("/Contents"), "其他程序"),
    ] {
        let error = refusal(name, bytes);
        assert!(matches!(error, FileError::NotATable { .. }), "{name}：{error}");
        assert!(error.to_string().contains(says) && error.to_string().contains('请'), "{name}：{error}");
    }
}

#[test]
fn an_encrypted_workbook_says_so() {
    let error = refusal("加密.xlsx", compound("/EncryptedPackage"));
    assert!(matches!(error, FileError::Encrypted), "{error}");
}

#[test]
fn a_file_without_content_or_without_rows_says_so() {
    for bytes in [&b""[..], b"\n\r\n  \t", b"\xef\xbb\xbf", b"\xef\xbb\xbf \r\n"] {
        assert!(matches!(refusal("空.csv", bytes), FileError::Empty), "{bytes:?}");
    }
    for bytes in [
        written(TableFormat::Xlsx, &REGISTRATION, &[]),
        written(TableFormat::Csv(TextEncoding::Gb18030), &REGISTRATION, &[]),
        format!("{}\n,,,,,,,,\n\n", REGISTRATION.join(",")).into_bytes(),
    ] {
        let error = refusal("只有表头", bytes);
        assert!(matches!(error, FileError::HeaderOnly { .. }), "{error}");
    }
}

#[test]
fn a_truncated_or_corrupt_workbook_says_so() {
    let whole = workbook();
    for keep in [4, 30, whole.len() / 2, whole.len() - 30, whole.len() - 1] {
        let error = refusal("半个.xlsx", &whole[..keep]);
        assert!(matches!(error, FileError::Damaged(_)), "{keep}：{error}");
    }
    // A byte of the sheet's compressed content.
    let at = whole.windows(10).position(|window| window == b"sheet1.xml").unwrap() + 60;
    let mut corrupt = whole.clone();
    corrupt[at] ^= 0xff;
    let error = refusal("坏.xlsx", corrupt);
    assert!(matches!(error, FileError::Damaged(_)), "{error}");
    let error = refusal("无主体.xlsx", container(&[("[Content_Types].xml", b"<t/>")]));
    assert!(matches!(error, FileError::Damaged(_)), "{error}");
    let mut old = compound("/Workbook");
    let error = refusal("坏.xls", &old);
    assert!(matches!(error, FileError::Damaged(_) | FileError::NoHeader { .. }), "{error}");
    old.truncate(600);
    let error = refusal("半个.xls", &old);
    assert!(matches!(error, FileError::Damaged(_)), "{error}");
}

#[test]
fn bombs_are_refused_before_they_go_off() {
    let sheet = "xl/worksheets/sheet1.xml";
    let wide = with_part(sheet, |xml| String::from_utf8(xml).unwrap().replace("r=\"I2\"", "r=\"XFD2\"").into_bytes());
    let long =
        with_part(sheet, |xml| String::from_utf8(xml).unwrap().replace("新衡鑫源", &"长".repeat(300_000)).into_bytes());
    let long_attribute = with_part(sheet, |xml| {
        let long = format!("<row spans=\"{}\" ", "<1>".repeat(300_000));
        String::from_utf8(xml).unwrap().replacen("<row ", &long, 1).into_bytes()
    });
    let other_part = with_part("xl/styles.xml", |_| vec![b' '; 33 << 20]);
    for (name, bytes) in [("wide", wide), ("long", long), ("attribute", long_attribute), ("styles", other_part)] {
        let error = refusal(name, bytes);
        assert!(matches!(error, FileError::TooLarge(_)), "{name}：{error}");
    }
    let commented = with_part(sheet, |xml| {
        String::from_utf8(xml).unwrap().replace("<sheetData>", "<!-- x --><sheetData>").into_bytes()
    });
    assert!(matches!(refusal("comment", commented), FileError::Damaged(_)));
    let counted = with_part("xl/sharedStrings.xml", |_| {
        b"<sst xmlns=\"x\" uniqueCount=\"1000000000000\"><si><t>a</t></si></sst>".to_vec()
    });
    assert!(matches!(refusal("count", counted), FileError::Damaged(_)));
    let columns = vec!["列"; 2000].join(",");
    let error = refusal("columns.csv", format!("{}\n{columns}\n", REGISTRATION.join(",")));
    assert!(matches!(error, FileError::TooLarge(_)), "{error}");
}

#[test]
fn a_broken_character_is_named_by_its_line() {
    let mut gbk = written(TableFormat::Csv(TextEncoding::Gb18030), &REGISTRATION, &registrations());
    let third = gbk.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(1).unwrap().0 + 1;
    gbk.splice(third..third, [0xff]);
    let error = refusal("gbk.csv", &gbk);
    assert!(matches!(error, FileError::Encoding { line: 3 }), "{error}");
    let mut utf_8 = written(TableFormat::Csv(TextEncoding::Utf8), &REGISTRATION, &registrations());
    let last = utf_8.len() - 3;
    utf_8[last] = 0x81;
    let error = refusal("utf-8.csv", &utf_8);
    assert!(matches!(error, FileError::Encoding { line: 4 }), "{error}");
}

#[test]
fn an_unclosed_quotation_mark_is_named_by_its_line() {
    let text = "统一社会信用代码,行政处罚文号,处罚时间\n91350100M000100Y43,A1,2026-03-02\n91350100M000100Y43,\"A2,2026-03-02\n91350100M000100Y43,A3,2026-03-02\n";
    let error = refusal("a.csv", text);
    assert!(matches!(error, FileError::UnclosedQuote { line: 3 }), "{error}");
}

#[test]
fn a_header_that_fits_no_table_lists_the_tables() {
    for text in ["甲,乙,丙\n1,2,3\n", "姓名,电话\n张三,13800000000\n", "统一社会信用代码,甲,乙\n1,2,3\n"]
    {
        let error = refusal("a.csv", text);
        assert!(matches!(error, FileError::NoHeader { .. }), "{error}");
        let sentence = error.to_string();
        assert!(
            sentence.contains("行政处罚公示信息（dw_nb_scjdgl_xzcfgsxx）") && sentence.contains("--table"),
            "{sentence}"
        );
        assert!(!sentence.contains("张三"));
    }
}

#[test]
fn a_heading_twice_is_refused_with_both_places() {
    let error = refusal("a.csv", "统一社会信用代码,行政处罚文号,处罚时间,uni_social_crd_cd\n1,2,3,4\n");
    assert!(matches!(&error, FileError::DuplicateHeading { first: 1, second: 4, .. }), "{error}");
    let error = refusal("a.csv", "统一社会信用代码,备注,行政处罚文号,处罚时间,备 注\n1,2,3,4,5\n");
    assert!(matches!(&error, FileError::DuplicateHeading { first: 2, second: 5, .. }), "{error}");
}

#[test]
fn missing_columns_are_named() {
    let error = refusal("a.csv", "统一社会信用代码,处罚原因,罚款\n91350100M000100Y43,无照经营,100\n");
    assert!(matches!(error, FileError::MissingColumns { .. }), "{error}");
    let sentence = error.to_string();
    assert!(sentence.contains("处罚时间") && sentence.contains("行政处罚文号"), "{sentence}");
    let error = refusal("a.csv", "行政处罚文号,处罚时间,罚款\nA1,2026-1-2,100\n");
    assert!(error.to_string().contains("统一社会信用代码或纳税人名称"), "{error}");
}

#[test]
fn json_lines_say_which_line_is_wrong() {
    let good = r#"{"uni_social_crd_cd":"91350100M000100Y43","level":"低","month":"2026-10"}"#;
    for (bad, line) in
        [("{\"level\":", 2), ("{\"level\":\"低\",\"level\":\"高\"}", 2), ("{\"level\":{\"a\":1}}", 2), ("12", 2)]
    {
        let error = refusal("a.jsonl", format!("{good}\n{bad}\n"));
        assert!(matches!(error, FileError::Json { line: at, .. } if at == line), "{bad}：{error}");
    }
    let rows = read("a.jsonl", format!("{good}\n\n{{\"month\":null,\"level\":\"低\"}}\n")).unwrap();
    assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(faults(&rows[1]).len(), 2);
}

#[test]
fn two_sheets_of_data_are_not_half_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two.xlsx");
    let mut workbook = rust_xlsxwriter::Workbook::new();
    for _ in 0..2 {
        let sheet = workbook.add_worksheet();
        for (column, heading) in (0..).zip(REGISTRATION) {
            sheet.write_string(0, column, heading).unwrap();
            sheet.write_string(1, column, "1").unwrap();
        }
    }
    workbook.save(&path).unwrap();
    let error = open(&path, &forms(), &options()).err().unwrap();
    assert!(matches!(&error, FileError::SeveralSheets(sheets) if sheets.len() == 2), "{error}");
}

#[test]
fn a_missing_file_and_a_folder_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let missing = open(&folder.path().join("没有.csv"), &forms(), &options()).err().unwrap();
    assert!(missing.to_string().contains("不存在"), "{missing}");
    let error = open(folder.path(), &forms(), &options()).err().unwrap();
    assert!(error.to_string().contains("文件夹"), "{error}");
    let error = TableWriter::create(&folder.path().join("a/b.csv"), TableFormat::Xlsx, &["a"], false).err().unwrap();
    assert!(error.to_string().contains("写不成"), "{error}");
}

#[test]
fn faults_name_the_cell_the_reason_and_the_mend_and_never_the_value() {
    let header =
        "统一社会信用代码,纳税人名称,行政处罚文号,处罚时间,公示截止期,罚款,是否移送司法机关,违法行为代码,法人身份证号";
    for (row, column, reason) in [
        ("91350100M000100Y44,新衡,A1,2026-3-2,,,,,", Some(0), "校验不通过"),
        (",,A1,2026-3-2,,,,,", Some(0), "看不出是哪家企业"),
        ("91350100M000100Y43,,,2026-3-2,,,,,", Some(2), "必填"),
        ("91350100M000100Y43,,A1,,,,,,", Some(3), "必填"),
        ("91350100M000100Y43,,A1,2026-11-25,,,,,", Some(3), "晚于今天"),
        ("91350100M000100Y43,,A1,1949-09-30,,,,,", Some(3), "1949"),
        ("91350100M000100Y43,,A1,2026-3-2,2026-3-1,,,,", Some(4), "早于起始"),
        ("91350100M000100Y43,,A1,2026-3-2,,王五,,,", Some(5), "金额"),
        ("91350100M000100Y43,,A1,2026-3-2,,,王五,,", Some(6), "是"),
        ("91350100M000100Y43,,A1,2026-3-2,,,,\u{fffd}王五,", Some(7), "乱码"),
        ("91350100M000100Y43,,A1,2026-3-2,,,,,\u{fffd}王五", Some(8), "乱码"),
        ("91350100M000100Y43,,A1,2026-3-2", None, "只有4列"),
        ("91350100M000100Y43,,A1,2026-3-2,,1,000,,,x", None, "有10列"),
    ] {
        let rows = read("a.csv", format!("{header}\n{row}\n")).unwrap();
        let found = faults(&rows[0]);
        assert!(found.iter().any(|fault| fault.column == column && fault.reason.contains(reason)), "{row}：{found:?}");
        assert!(found.iter().all(|fault| !fault.mend.is_empty()), "{found:?}");
        assert!(!format!("{:?}", rows[0]).contains("王五"));
    }
    let licence =
        "统一社会信用代码,企业名称,登记状态（中文）,核准日期,成立日期\n91350100M000100Y43,新衡,存续,2026-11-24,";
    for (begins, taken) in [("2027-11-24", true), ("2027-11-25", false)] {
        let rows = read("a.csv", format!("{licence}{begins}\n")).unwrap();
        assert_eq!(rows[0].outcome.is_ok(), taken, "what is registered today may begin within a year: {begins}");
    }
    let rows = read("a.csv", format!("{header}\nx,,,昨天,,,,,\n")).unwrap();
    assert_eq!(faults(&rows[0]).len(), 3, "all faults at once: {:?}", faults(&rows[0]));
    let ok = read("a.csv", format!("{header}\n91350100M000100Y43,,A1,2026-11-24,2027-1-1,,,,,,\n")).unwrap();
    assert_eq!(drafts(ok).len(), 1, "empty cells right of the table do no harm");
}

#[test]
fn a_wrong_table_definition_says_what_is_wrong_with_it() {
    let table = |fields: &str| -> xinheng_core::rulebook::table::Table {
        serde_saphyr::from_str(&format!(
            "
rule: {{id: ours, title: 我县台账, from: 2020-01-01, status: default}}
columns: [{{name: code, title: 代码}}, {{name: number, title: 决定书}}, {{name: day, title: 日子}}]
enterprise: {{credit_code: code}}
records: [{{{fields}}}]
"
        ))
        .unwrap()
    };
    for (fields, says) in [
        ("kind: nothing, fields: {}", "没有记录种类“nothing”"),
        ("kind: penalty, fields: {document_number: number, decided_on: other}", "没有列“other”"),
        ("kind: penalty, fields: {document_number: number, decided_on: day, other: day}", "没有“other”这一项"),
        ("kind: penalty, fields: {document_number: number}", "没有对应的列"),
        ("kind: penalty, fields: {document_number: number}, constants: {decided_on: 昨天}", "固定值"),
    ] {
        let mapping = table(fields);
        let options = ReadOptions { mapping: Some(&mapping), ..options() };
        let error = read_with("a.csv", "代码,决定书,日子\n91350100M000100Y43,A1,2026-3-2\n", &options).unwrap_err();
        assert!(matches!(&error, FileError::Rules { problem, .. } if problem.contains(says)), "{fields}：{error}");
    }
}

#[test]
fn a_mended_error_workbook_is_handed_in_as_it_is() {
    let header = "统一社会信用代码,行政处罚文号,处罚时间,罚款,法人身份证号,经办人";
    let text = format!(
        "{header}\n91350100M000100Y43,A1,2026-3-2,1,330206197001011234,甲\n91350100m000100y44,=HYPERLINK(1),2026-13-2,x,330206197001011234,乙\n"
    );
    let (folder, path) = file("a.csv", text);
    let mut source = open(&path, &forms(), &options()).unwrap();
    let errors = folder.path().join("errors.xlsx");
    let mut workbook = ErrorWorkbook::create(&errors, source.headings()).unwrap();
    for row in source.by_ref() {
        let row = row.unwrap();
        if let Err(faults) = &row.outcome {
            workbook.write(row.line, &row.cells, faults).unwrap();
        }
    }
    workbook.finish().unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&errors).unwrap().permissions().mode() & 0o777, 0o600);
    }

    let again: Vec<_> = open(&errors, &forms(), &options()).unwrap().map(Result::unwrap).collect();
    assert_eq!(again.len(), 1);
    let cells: Vec<&str> = again[0].cells.iter().collect();
    assert_eq!(cells[..7], ["3", "91350100m000100y44", "=HYPERLINK(1)", "2026-13-2", "x", "330206197001011234", "乙"]);
    assert!(cells[7].contains("统一社会信用代码：") && cells[7].contains("\n处罚时间："), "{}", cells[7]);
    assert!(cells[8].contains("罚款：请"), "{}", cells[8]);
    assert_eq!(faults(&again[0]).len(), 3);

    // The marked cells say so themselves, once for each column.
    let notes = part_of(&errors, "xl/comments1.xml");
    for (cell, fault) in [("B2", "统一社会信用代码"), ("D2", "处罚时间"), ("E2", "罚款")] {
        assert!(notes.contains(&format!("<comment ref=\"{cell}\"")), "{fault}：{notes}");
    }
    assert_eq!(notes.matches("<comment ref=").count(), 3);
    for fault in faults(&again[0]) {
        assert!(notes.contains(&fault.reason) && notes.contains(&fault.mend), "{}：{notes}", fault.reason);
    }

    // A second round has our columns once.
    let source = open(&errors, &forms(), &options()).unwrap();
    let second = folder.path().join("second.xlsx");
    let mut workbook = ErrorWorkbook::create(&second, source.headings()).unwrap();
    workbook.write(again[0].line, &again[0].cells, faults(&again[0])).unwrap();
    workbook.finish().unwrap();
    let source = open(&second, &forms(), &options()).unwrap();
    assert_eq!(
        source.headings(),
        [
            "行号",
            "统一社会信用代码",
            "行政处罚文号",
            "处罚时间",
            "罚款",
            "法人身份证号",
            "经办人",
            "不通过原因",
            "修改办法"
        ]
    );

    // Mended in place, the line is good.
    let mut headings: Vec<String> = source.headings().to_vec();
    headings.push("更正说明".into());
    let mended =
        ["3", "91350100m000100y43", "A2", "2026-12-2", "2", "330206197001011234", "乙", cells[7], cells[8], ""];
    let mended: Vec<&str> = mended.iter().map(|cell| if *cell == "2026-12-2" { "2026-2-2" } else { cell }).collect();
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    let drafts = drafts(read("mended.xlsx", written(TableFormat::Xlsx, &headings, &[mended])).unwrap());
    assert_eq!(drafts.len(), 1);
    assert_eq!(drafts[0].personal.keys().collect::<Vec<_>>(), ["other_columns", "representative_id"]);
}

#[test]
fn notes_end_before_they_fill_the_memory_and_the_columns_go_on() {
    let wrong = "91350100m000100y44,A1,2026-3-2,1,330206197001011234,甲\n".repeat(10_050);
    let (folder, path) =
        file("a.csv", format!("统一社会信用代码,行政处罚文号,处罚时间,罚款,法人身份证号,经办人\n{wrong}"));
    let mut source = open(&path, &forms(), &options()).unwrap();
    let errors = folder.path().join("errors.xlsx");
    let mut workbook = ErrorWorkbook::create(&errors, source.headings()).unwrap();
    for row in source.by_ref().map(Result::unwrap) {
        workbook.write(row.line, &row.cells, row.outcome.as_ref().unwrap_err()).unwrap();
    }
    workbook.finish().unwrap();
    assert_eq!(part_of(&errors, "xl/comments1.xml").matches("<comment ref=").count(), 10_000);
    let again: Vec<_> = open(&errors, &forms(), &options()).unwrap().map(Result::unwrap).collect();
    assert_eq!(again.len(), 10_050);
    assert!(again[10_049].cells.get(7).starts_with("统一社会信用代码："));
}

/// A part of a workbook, as text.
fn part_of(path: &Path, name: &str) -> String {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut archive.by_name(name).unwrap(), &mut text).unwrap();
    text
}

#[test]
fn exports_for_people_cannot_compute() {
    for format in [TableFormat::Xlsx, TableFormat::Csv(TextEncoding::Utf8WithBom)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("export");
        let mut table =
            TableWriter::create(&path, format, &["统一社会信用代码", "行政处罚文号", "处罚时间", "处罚原因"], true)
                .unwrap();
        table.write(&["91350100M000100Y43", "+1", "2026-3-2", "=cmd|' /C calc'!A0"]).unwrap();
        table.finish().unwrap();
        let rows: Vec<_> = open(&path, &forms(), &options()).unwrap().map(Result::unwrap).collect();
        assert_eq!(rows[0].cells.get(1), "'+1");
        assert!(rows[0].cells.get(3).starts_with("'="));
        let drafts = drafts(rows);
        assert_eq!(drafts[0].document_number.as_deref(), Some("+1"), "read back, the mark is gone");
    }
}

#[test]
fn an_export_says_above_its_headings_what_it_is_and_can_still_be_handed_in() {
    for format in [TableFormat::Xlsx, TableFormat::Csv(TextEncoding::Gb18030)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("export");
        let preface = [("查询条件", "所属乡镇：城关镇"), ("导出人", "=测试员"), ("导出时间", "2026-11-24 09:00")];
        let headings = ["统一社会信用代码", "行政处罚文号", "处罚时间", "处罚原因"];
        let mut table = TableWriter::create_with_preface(&path, format, &preface, &headings, true).unwrap();
        table.write(&["91350100M000100Y43", "1", "2026-3-2", "违法"]).unwrap();
        table.finish().unwrap();
        let rows: Vec<_> = open(&path, &forms(), &options()).unwrap().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].line, 5);
        assert_eq!(drafts(rows)[0].document_number.as_deref(), Some("1"));
    }
}
