//! Good files of every format and their rows.
#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use sha2::{Digest, Sha256};
use xinheng_core::record::Reason;
use xinheng_exchange::{FileError, ReadOptions, TableFormat, TextEncoding, open};

#[test]
fn every_format_and_encoding_gives_the_same_drafts() {
    let expected =
        drafts(read("a.csv", written(TableFormat::Csv(TextEncoding::Utf8), &REGISTRATION, &registrations())).unwrap());
    assert_eq!(expected.len(), 3);
    let semicolons: Vec<String> =
        std::iter::once(REGISTRATION.to_vec()).chain(registrations()).map(|row| row.join(";")).collect();
    let tabs = semicolons.join("\r\n").replace(';', "\t");
    let utf_16: Vec<u8> = std::iter::once(0xfeff_u16).chain(tabs.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for (name, bytes) in [
        ("bom.csv", written(TableFormat::Csv(TextEncoding::Utf8WithBom), &REGISTRATION, &registrations())),
        ("gbk.csv", written(TableFormat::Csv(TextEncoding::Gb18030), &REGISTRATION, &registrations())),
        ("wrong-name.csv", written(TableFormat::Xlsx, &REGISTRATION, &registrations())),
        ("semicolons.csv", semicolons.join("\n").into_bytes()),
        ("tabs.txt", tabs.into_bytes()),
        ("unicode-text.txt", utf_16),
        ("old.xls", xls(&REGISTRATION, &registrations())),
    ] {
        let rows = read(name, &bytes).unwrap_or_else(|error| panic!("{name}：{error}"));
        assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 3, 4], "{name}");
        assert_eq!(drafts(rows), expected, "{name}");
    }
    let json: Vec<String> = registrations()
        .iter()
        .map(|row| {
            let object: serde_json::Map<String, serde_json::Value> =
                REGISTRATION.iter().zip(row).map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
            serde_json::to_string(&object).unwrap()
        })
        .collect();
    let mut from_json = drafts(read("rows.jsonl", json.join("\n")).unwrap());
    for draft in &mut from_json {
        // Here the first line holds a row already.
        draft.line += 1;
    }
    assert_eq!(from_json, expected);
}

#[test]
fn a_registration_is_read_to_the_last_dirty_value() {
    let rows =
        read("a.csv", written(TableFormat::Csv(TextEncoding::Gb18030), &REGISTRATION, &registrations())).unwrap();
    let drafts = drafts(rows);
    let first = &drafts[0];
    assert_eq!(first.kind, "registration");
    assert_eq!(first.keys.credit_code.unwrap().as_str(), "91350100M000100Y43");
    assert_eq!(first.keys.main_identity.as_deref(), Some("3301"));
    assert_eq!(first.payload.text("company_type"), Some("有限责任公司（自然人投资或控股）"));
    assert_eq!(first.payload.integer("capital"), Some(50_000_000), "the column's unit is 万元");
    assert_eq!(first.payload.text("status"), Some("active"));
    assert_eq!(first.payload.get("ends_on"), None);
    assert_eq!(first.version, Some(day("2017-07-07")));
    assert_eq!(first.occurred_on, day("2017-07-07"), "no founding day in this file");
    assert_eq!(first.payload.get("legal_representative"), None);
    assert_eq!(first.personal["legal_representative"].reveal(Reason::Verify), "张三");
    assert!(!format!("{first:?}").contains("张三"));
    let second = &drafts[1];
    assert_eq!(second.keys.name.as_deref(), Some("新衡县（河东）豆制品厂"));
    assert_eq!(second.keys.main_identity, None);
    assert_eq!(second.payload.text("company_type"), Some("个体工商户"));
    assert_eq!(second.payload.text("status"), Some("active"), "开业 is replaced by the table");
    assert_eq!(second.payload.integer("capital"), Some(1_500_000));
    assert!(second.personal.is_empty());
    assert_eq!(drafts[2].payload.day("ends_on"), Some(day("2037-07-06")));
}

#[test]
fn headings_are_known_in_both_languages_in_any_order_and_however_untidy() {
    let expected = drafts(
        read(
            "a.csv",
            "统一社会信用代码,行政处罚文号,处罚时间,罚款\n91350100M000100Y43,新衡市监罚〔2026〕1号,2026-03-02,100\n",
        )
        .unwrap(),
    );
    for header in [
        "uni_social_crd_cd,admin_punish_doc,punish_dt,punish_money",
        "UNI_SOCIAL_CRD_CD , *admin_punish_doc,punish_dt:,ｐｕｎｉｓｈ＿ｍｏｎｅｙ",
        "\"*统一社会\n信用代码\",行政处罚 文号＊,处罚时间：,\u{3000}罚款",
        "统一社会信用代码,admin_punish_doc,处罚时间,punish_money",
    ] {
        let file = format!("\u{feff}{header}\n91350100M000100Y43,新衡市监罚〔2026〕1号,2026-03-02,100\n");
        let mut read = drafts(read("a.csv", file).unwrap());
        read.iter_mut().for_each(|draft| draft.line = 2);
        assert_eq!(read, expected, "{header}");
    }
    let shuffled =
        "罚款,处罚时间,行政处罚文号,统一社会信用代码\n100,2026-03-02,新衡市监罚〔2026〕1号,91350100M000100Y43\n";
    assert_eq!(drafts(read("a.csv", shuffled).unwrap()), expected);
}

#[test]
fn titles_above_the_header_and_blank_lines_are_passed_over() {
    let text = "新衡县行政处罚公示信息,,,\n填报单位：市监局,,,\n\n统一社会信用代码,行政处罚文号,处罚时间,罚款\n,,,\n91350100M000100Y43,A1,2026-03-02,\n";
    let rows = read("a.csv", text).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].line, 6);
    assert_eq!(drafts(rows)[0].document_number.as_deref(), Some("A1"));
}

#[test]
fn lines_are_numbered_as_an_editor_counts_them() {
    for newline in ["\n", "\r\n"] {
        let text = [
            "uni_social_crd_cd,level,month",
            "",
            "91350100M000100Y43,低,2026-10",
            "91350100M000100Y43,\"\n低\n\",2026-09",
            "",
            "91350100M000100Y43,低,2026-08",
            "",
        ]
        .join(newline);
        let rows = read("a.csv", text).unwrap();
        assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [3, 4, 8]);
    }
}

#[test]
fn the_province_s_levels_take_the_first_day_of_their_month() {
    let rows = read("a.csv", "统一社会信用代码,风险等级,月份\n91350100M000100Y43,较高,2026年10月\n").unwrap();
    let draft = &drafts(rows)[0];
    assert_eq!((draft.occurred_on, draft.version), (day("2026-10-01"), Some(day("2026-10-01"))));
    assert_eq!(draft.payload.text("level"), Some("C"));
}

#[test]
fn an_abnormal_list_row_brings_its_entry_and_its_removal_if_there_is_one() {
    let header =
        "统一社会信用代码,企业名称,列入日期,列入经营异常名录原因,移出日期,移出经营异常名录原因,作出决定机关(列入)";
    let rows = read(
        "a.csv",
        format!(
            "{header}\n91350100M000100Y43,新衡食品,2024-1-2,未按规定公示年度报告。,\\n,NULL,江东区局\n\
             91350100M000100Y43,新衡食品,2023-1-2,未按规定公示年度报告,2023-5-6,已补报,江东区局\n\
             91350100M000100Y43,新衡食品,2022-1-2,未按规定公示年度报告,9999-9-9,,江东区局\n"
        ),
    )
    .unwrap();
    let read: Vec<(String, i64, i16)> =
        drafts(rows).into_iter().map(|draft| (draft.kind.to_string(), draft.line, draft.part)).collect();
    let entry = "abnormal_entry".to_owned();
    assert_eq!(read, [(entry.clone(), 2, 0), (entry.clone(), 3, 0), ("abnormal_removal".into(), 3, 1), (entry, 4, 0)]);
}

#[test]
fn unknown_columns_are_kept_sealed_and_known_ones_without_use_are_left_out() {
    let source = opened("a.csv", "统一社会信用代码,行政处罚文号,处罚时间,经办人电话,,备注\n91350100M000100Y43,A1,2026-03-02,13800000000,x, \n91350100M000100Y43,A2,2026-03-02,,,-\n").unwrap();
    assert_eq!(source.table().rule.id.value, "dw_nb_scjdgl_xzcfgsxx");
    assert_eq!(source.unknown_columns(), ["经办人电话", "备注"]);
    let drafts = drafts(source.map(Result::unwrap).collect());
    assert_eq!(
        drafts[0].personal["other_columns"].reveal(Reason::Verify),
        r#"{"第5列":"x","经办人电话":"13800000000"}"#
    );
    assert!(drafts[1].personal.is_empty());
    let header = "统一社会信用代码,企业名称,登记状态（中文）,核准日期,etl入库时间";
    let rows =
        read("b.csv", format!("{header}\n91350100M000100Y43,新衡食品,存续,2026-01-01,2026-11-01 00:00:01\n")).unwrap();
    assert!(common::drafts(rows)[0].personal.is_empty());
}

#[test]
fn a_delete_flag_withdraws_and_a_correction_gives_its_reason() {
    let header = "统一社会信用代码,企业名称,登记状态（中文）,核准日期,数据记录的增删改标志,更正说明";
    let rows = read("a.csv", format!("{header}\n91350100M000100Y43,,,2026-01-01,d,\n91350100M000100Y43,,,2026-01-01,D,\n91350100M000100Y43,新衡食品,1,2026-01-01,U,原登记有误\n")).unwrap();
    assert!(rows[0].outcome.is_err(), "flags are compared as given");
    let withdrawn = rows[1].outcome.as_ref().unwrap();
    assert!(withdrawn[0].withdrawn);
    let corrected = rows[2].outcome.as_ref().unwrap();
    assert!(!corrected[0].withdrawn);
    assert_eq!(corrected[0].correction.as_deref(), Some("原登记有误"));
    assert_eq!(corrected[0].payload.text("status"), Some("active"));
}

#[test]
fn data_without_credit_codes_gets_valid_ones() {
    let rows = read(
        "a.csv",
        "inspection_id,license,date,result,serious,chapter\n529281,82474,2011-09-02,Pass w/ Conditions,0,3/12\n",
    )
    .unwrap();
    let draft = &drafts(rows)[0];
    let code = draft.keys.credit_code.unwrap();
    assert!(code.as_str().starts_with("9199000000082474"), "{code}");
    assert!(code.organisation_check_holds());
    assert_eq!(draft.payload.text("result"), Some("passed"));
    assert_eq!(draft.payload.text("chapter"), Some("3/12"));
    assert_eq!(draft.payload.text("kind"), Some("餐饮"));
    let rows =
        read("a.csv", "inspection_id,license,date,result\n1,123456789,2011-09-02,Pass\n2,,2011-09-02,Pass\n").unwrap();
    assert!(rows.iter().all(|row| row.outcome.is_err()));
}

#[test]
fn a_register_without_days_needs_the_edition() {
    let text = "统一社会信用代码,企业名称,登记状态（中文）\n91350100M000100Y43,新衡食品,存续\n";
    let error = read("a.csv", text).unwrap_err();
    assert!(matches!(error, FileError::EditionNeeded { .. }), "{error}");
    assert!(error.to_string().contains("--edition"), "{error}");
    let draft = &drafts(read_with("a.csv", text, &edition("2026-10-31")).unwrap())[0];
    assert_eq!((draft.version, draft.occurred_on), (Some(day("2026-10-31")), day("2026-10-31")));
    for impossible in ["2026-11-25", "1949-09-30"] {
        let error = read_with("a.csv", text, &edition(impossible)).unwrap_err();
        assert!(matches!(error, FileError::Edition(_)), "{error}");
    }
}

#[test]
fn excel_s_own_days_and_numbers_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("typed.xlsx");
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let note = workbook.add_worksheet();
    note.set_name("填表说明").unwrap();
    note.write_string(0, 0, "请逐行填写").unwrap();
    let sheet = workbook.add_worksheet();
    for (column, heading) in
        (0..).zip(["统一社会信用代码", "行政处罚文号", "处罚时间", "公示截止期", "罚款", "是否移送司法机关"])
    {
        sheet.write_string(2, column, heading).unwrap();
    }
    let date = rust_xlsxwriter::Format::new().set_num_format("yyyy/m/d");
    sheet.write_string(3, 0, "91350100M000100Y43").unwrap();
    sheet.write_string(3, 1, "A1").unwrap();
    sheet.write_number_with_format(3, 2, 42923.5, &date).unwrap();
    sheet.write_number(3, 3, 44749).unwrap();
    sheet.write_number(3, 4, 0.1 + 0.2).unwrap();
    sheet.write_boolean(3, 5, true).unwrap();
    sheet.write_number(4, 0, 913_306_831_000_001_550_f64).unwrap();
    sheet.write_number(4, 1, 12).unwrap();
    sheet.write_string(4, 2, "2017-7-7").unwrap();
    sheet.write_formula(4, 4, rust_xlsxwriter::Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
    workbook.save(&path).unwrap();
    let rows: Vec<_> = open(&path, &forms(), &options()).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [4, 5]);
    let draft = &rows[0].outcome.as_ref().unwrap()[0];
    assert_eq!(draft.occurred_on, day("2017-07-07"));
    assert_eq!(draft.payload.day("public_until"), Some(day("2022-07-07")));
    assert_eq!(draft.payload.integer("fine"), Some(30));
    assert_eq!(draft.payload.get("transferred").unwrap().to_string(), "是");
    assert_eq!(rows[1].cells.get(0), "9.13306831000002E+17");
    let columns: Vec<Option<usize>> = faults(&rows[1]).iter().map(|fault| fault.column).collect();
    assert_eq!(columns, [Some(0), Some(4)], "{:?}", faults(&rows[1]));
    assert!(faults(&rows[1])[0].mend.contains("设为文本"));
}

#[test]
fn a_stored_mapping_and_a_named_table_take_precedence() {
    let mapping: xinheng_core::rulebook::table::Table = serde_saphyr::from_str(
        "
rule: {id: ours, title: 我县台账, from: 2020-01-01, status: default}
columns:
  - {name: code, title: 代码}
  - {name: number, title: 决定书}
  - {name: day, title: 日子}
enterprise: {credit_code: code}
records:
  - {kind: penalty, fields: {document_number: number, decided_on: day}}
",
    )
    .unwrap();
    let (_folder, path) = file("a.csv", "日子,决定书,代码\n2026-3-2,A1,91350100M000100Y43\n");
    let options = ReadOptions { mapping: Some(&mapping), ..options() };
    let source = open(&path, &forms(), &options).unwrap();
    assert_eq!(source.table().rule.id.value, "ours");
    assert_eq!(drafts(source.map(Result::unwrap).collect()).len(), 1);

    let shared = "统一社会信用代码,企业名称,列入日期\n91350100M000100Y43,新衡食品,2024-1-2\n";
    let error = read("a.csv", shared).unwrap_err();
    assert!(matches!(&error, FileError::SeveralTables { candidates } if candidates.len() == 2), "{error}");
    let named = ReadOptions { table: Some("dw_zj_scjdgl_yzwfsx".into()), ..common::options() };
    let error = read_with("a.csv", shared, &named).unwrap_err();
    assert!(error.to_string().contains("列入严重违法失信企业名单原因"), "{error}");
    let unknown = ReadOptions { table: Some("nothing".into()), ..common::options() };
    let error = read_with("a.csv", shared, &unknown).unwrap_err();
    assert!(matches!(error, FileError::UnknownTable { .. }), "{error}");
}

#[test]
fn a_source_tells_its_digest_and_how_far_it_is() {
    for format in [TableFormat::Csv(TextEncoding::Gb18030), TableFormat::Xlsx] {
        let bytes = written(format, &REGISTRATION, &registrations());
        let (_folder, path) = file("a", &bytes);
        let mut source = open(&path, &forms(), &options()).unwrap();
        assert_eq!(source.digest(), <[u8; 32]>::from(Sha256::digest(&bytes)));
        assert!(source.bytes_total() > 0);
        while let Some(row) = source.next() {
            assert!(source.bytes_read() <= source.bytes_total());
            row.unwrap();
        }
        assert_eq!(source.bytes_read(), source.bytes_total(), "{format:?}");
    }
}
