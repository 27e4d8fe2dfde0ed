//! What a person who writes rules reads when something is wrong: the place, the reason, the mend.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use common::{folder, load};
use proptest::prelude::*;
use proptest::sample::Index;
use serde::Deserialize;
use xinheng_core::publicity::NEVER_PUBLIC;
use xinheng_core::rulebook::load::{RuleFile, Rulebook};

/// A fault, and all that is said of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Broken {
    file: String,
    old: String,
    new: String,
    said: Vec<String>,
}

fn said(files: &[RuleFile]) -> Vec<String> {
    match Rulebook::load(files) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn every_broken_rule_file_is_refused_at_its_line_with_its_mend() {
    let whole = folder("tests/rulebook");
    load(&whole);
    let groups: BTreeMap<String, Vec<Broken>> = serde_saphyr::from_str(include_str!("broken_rules.yaml")).unwrap();
    let mut wrong = Vec::new();
    for (group, all) in &groups {
        for Broken { file: path, old, new, said: expected } in all {
            let mut files = whole.clone();
            let file = files.iter_mut().find(|file| file.path == *path).unwrap();
            assert_eq!(file.text.matches(old).count(), 1, "{group}: {path} should have “{old}” once");
            file.text = file.text.replace(old, new);
            assert!(!expected.is_empty());
            let said = said(&files);
            if said != *expected {
                wrong.push(format!("{group}: “{new}” instead of “{old}”: {said:#?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Adds files to the rulebook, or puts them in place of its own.
fn said_with(files: &[(&str, &str)]) -> Vec<String> {
    let mut all = folder("tests/rulebook");
    for (path, text) in files {
        all.retain(|file| file.path != *path);
        all.push(RuleFile { path: (*path).to_owned(), text: (*text).to_owned() });
    }
    said(&all)
}

#[test]
fn a_file_in_the_wrong_place_is_told_where_it_belongs() {
    let place = "文件位置不对。规则文件放在“辖区/类别/名称.yaml”，例如 national/kinds/penalty.yaml";
    let files =
        ["README.md", "kinds/x.yaml", "national/kind/x.yaml", "national/kinds/a/x.yaml", "national/kinds/x.yml"];
    assert_eq!(
        said_with(&files.map(|path| (path, ""))),
        [
            format!("README.md: {place}"),
            format!("kinds/x.yaml: {place}"),
            "national/kind/x.yaml: 不认识的类别文件夹“kind”。是否想写“kinds”？".to_owned(),
            format!("national/kinds/a/x.yaml: {place}"),
            "national/kinds/x.yml: 不是规则文件。规则文件的扩展名是 .yaml，其他文件请移出规则库".to_owned(),
        ]
    );
}

#[test]
fn all_faults_are_told_at_once_by_file_and_line() {
    let calendar = "year: 2026\nyear: 2027\n";
    let table = "rule: {id: penalties, title: 表, from: 2020-01-01, status: default}
columns: [{name: number, title: 文号}]
enterprise: {name: firm}
records:
  - {kind: penalty, fields: {document_number: nummer}, constants: {decided_on: 2026-02-30}}
";
    assert_eq!(
        said_with(&[
            ("national/tables/penalties.yaml", table),
            ("national/calendars/2026.yaml", calendar),
            ("national/kinds/license.yaml", ""),
        ]),
        [
            "national/calendars/2026.yaml:2: 键“year”重复。同一组里每个键只写一次，请合并或删去一个",
            // What models say of licences is not told: the file that has them could not be read.
            "national/kinds/license.yaml:1: 文件里没有内容。请写入规则，或删去这个文件",
            "national/tables/penalties.yaml:3: 没有列“firm”。可用的有：number",
            "national/tables/penalties.yaml:5: “2026-02-30”不是字段“decided_on”（day）可取的值。日期写作 2026-11-24",
            "national/tables/penalties.yaml:5: 没有列“nummer”。是否想写“number”？",
        ]
    );
}

#[test]
fn versions_of_a_rule_follow_each_other_without_hole_or_overlap() {
    let version = |interval: &str| {
        format!("rule: {{id: recall, title: 召回, status: default, {interval}}}\nnature: event\nfields: []\n")
    };
    let said = |first: &str, second: &str| {
        said_with(&[
            ("national/kinds/recall-1.yaml", &version(first)),
            ("national/kinds/recall-2.yaml", &version(second)),
        ])
    };
    let first = "from: 2020-01-01, until: 2024-12-31";
    assert!(said(first, "from: 2025-01-01").is_empty());
    assert_eq!(
        said(first, "from: 2025-01-03"),
        ["national/kinds/recall-2.yaml:1: “kinds/recall”自 2025-01-01 至 2025-01-02 没有有效的版本。\
          请把前一版（national/kinds/recall-1.yaml）的 until 写成 2025-01-02"]
    );
    for overlapping in [first, "from: 2020-01-01"] {
        assert_eq!(
            said(overlapping, "from: 2024-12-31"),
            ["national/kinds/recall-2.yaml:1: “kinds/recall”的两个版本有效期重叠。\
              请把前一版（national/kinds/recall-1.yaml）的 until 写成 2024-12-30"]
        );
    }
    assert_eq!(
        said(first, "from: 2020-01-01"),
        ["national/kinds/recall-2.yaml:1: “kinds/recall”有两个版本都自 2020-01-01 起有效。\
          另一处在 national/kinds/recall-1.yaml，请留一个"]
    );
}

#[test]
fn a_lower_jurisdiction_makes_rules_of_its_own_but_does_not_replace_those_above() {
    let own =
        "rule: {id: advertising, title: 广告监测, from: 2026-01-01, status: default}\nnature: event\nfields: []\n";
    assert!(said_with(&[("county/kinds/advertising.yaml", own)]).is_empty());
    let instead = own.replace("advertising", "repair");
    let fields = "fields: [{name: document_number, title: 文号, type: code}]";
    assert_eq!(
        said_with(&[("county/kinds/repair.yaml", &instead.replace("fields: []", fields))]),
        ["county/kinds/repair.yaml:1: 国家级已有规则“kinds/repair”（national/kinds/repair.yaml），下级不能另立。\
          要改动上级允许改的值，文件里写 overrides、from、until、cite、set；要另立规则，请换一个 id"]
    );
}

#[test]
fn no_rule_file_publishes_a_level_or_what_was_told_in_confidence() {
    for id in NEVER_PUBLIC {
        let kind = format!(
            "rule: {{id: {id}, title: 内部, from: 2026-01-01, status: default}}\nnature: event\n\
             publicity: {{published: true, terms: [{{id: all, title: 公示}}]}}\nfields: []\n"
        );
        let refused = format!(
            "county/kinds/{id}.yaml:3: “内部”一律不得公示。写 published: false。\
             等级、投诉举报、舆情、关联关系、未决案件和内部办理记录不对外公开"
        );
        let said = said_with(&[(&format!("county/kinds/{id}.yaml"), &kind)]);
        assert!(said.contains(&refused), "{said:#?}");
    }
}

#[test]
fn two_changes_of_the_same_value_at_the_same_time_are_refused() {
    let second =
        "overrides: kinds/penalty\nfrom: 2026-12-01\ncite: [{document: 县办法}]\nset: {submit_within.value: 5}\n";
    assert_eq!(
        said_with(&[("county/kinds/penalty-2.yaml", second)]),
        ["county/kinds/penalty.yaml:6: “submit_within.value”在同一时段被改了两次。\
          另一处在 county/kinds/penalty-2.yaml:4，请留一处或错开日期"]
    );
    assert!(said_with(&[("county/kinds/penalty-2.yaml", &second.replace("2026-12-01", "2027-01-01"))]).is_empty());
    assert_eq!(
        said_with(&[("henan/kinds/penalty.yaml", &second.replace("2026-12-01", "2026-01-01"))]),
        [
            "county/kinds/penalty.yaml:6: “submit_within.value”只能改小：上级为 5，此处为 10。请写比 5 小的数，或删去这一行"
        ],
        "the county changes what the province left"
    );
    assert_eq!(
        said_with(&[("national/kinds/penalty-2.yaml", second)]),
        ["national/kinds/penalty-2.yaml:1: “kinds/penalty”不是上级的规则。请直接修改 national/kinds/penalty.yaml"]
    );
}

#[test]
fn only_one_combination_table_is_valid_on_a_day() {
    let second = "rule: {id: other, title: 另表, from: 2026-06-01, status: default, signatures: 2}
reason: 试行
table: {A: {A: A, B: A, C: A, D: A}, B: {A: A, B: A, C: A, D: A}}
";
    assert_eq!(
        said_with(&[("national/combinations/other.yaml", second)]),
        [
            "national/combinations/other.yaml:1: 同一天只能有一张组合表。请与 national/combinations/levels.yaml 错开有效期"
        ]
    );
}

proptest! {
    /// Whatever happens to a rule file, it is read or refused with a place that exists.
    #[test]
    fn no_damage_to_a_file_makes_the_loader_fail(which: Index, line: Index, damage in 0..4, with in "[ -~年月日：\t\n]{0,6}") {
        static WHOLE: LazyLock<Vec<RuleFile>> = LazyLock::new(|| folder("tests/rulebook"));
        let mut files = WHOLE.clone();
        let place = which.index(files.len());
        let file = &mut files[place];
        let mut lines: Vec<String> = file.text.lines().map(str::to_owned).collect();
        let at = line.index(lines.len());
        match damage {
            0 => drop(lines.remove(at)),
            1 => lines[at].push_str(&with),
            2 => lines[at].insert_str(0, &with),
            _ => {
                let middle = lines[at].char_indices().nth(lines[at].chars().count() / 2).map_or(0, |(byte, _)| byte);
                lines[at].insert_str(middle, &with);
            }
        }
        file.text = lines.join("\n");
        for error in Rulebook::load(&files).err().unwrap_or_default() {
            let told = files.iter().find(|file| file.path == error.file);
            prop_assert!(told.is_some(), "{}", error);
            let last = told.unwrap().text.lines().count() + 1;
            prop_assert!(error.line.is_none_or(|line| line >= 1 && line as usize <= last), "{}", error);
            prop_assert!(!error.message.is_ascii(), "{}", error);
        }
    }
}
