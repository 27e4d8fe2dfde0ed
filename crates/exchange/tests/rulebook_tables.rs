//! The tables of the rulebook as they stand in `regulations/`.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::{day, file};
use xinheng_core::rulebook::load::{RuleFile, Rulebook};
use xinheng_exchange::{FileError, Forms, ReadOptions, open};

fn collect(folder: &Path, root: &Path, files: &mut Vec<RuleFile>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, root, files);
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
            files.push(RuleFile { path: name, text: std::fs::read_to_string(&path).unwrap() });
        }
    }
}

fn rulebook() -> Rulebook {
    // As cargo says it now: what was built may have been built by another clone.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
    let root = Path::new(&here).join("../../regulations");
    let mut files = Vec::new();
    collect(&root, &root, &mut files);
    Rulebook::load(&files).unwrap_or_else(|errors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        panic!("{}", errors.join("\n"))
    })
}

/// The levels of the province have the same headings, whether they are four, five or six.
const LEVELS: [&str; 3] = ["received_levels", "received_levels_five", "received_levels_six"];

/// A file with a header alone is recognised as a table without rows, or it is asked which one it is.
#[test]
fn each_table_is_recognised_by_its_chinese_titles_and_by_its_standard_names() {
    let rulebook = rulebook();
    let today = day("2026-11-24");
    let forms = Forms::new(&rulebook, today);
    assert!(forms.tables.len() > 10);
    for table in &forms.tables {
        let options = ReadOptions { edition: Some(today), ..ReadOptions::default() };
        let titles: Vec<&str> = table.columns.iter().map(|column| column.title.as_str()).collect();
        let names: Vec<&str> = table.columns.iter().rev().map(|column| column.name.value.as_str()).collect();
        for headings in [titles, names] {
            let quoted: Vec<String> = headings.iter().map(|heading| format!("\"{heading}\"")).collect();
            let (_folder, path) = file("header.csv", format!("{}\n", quoted.join(",")));
            match open(&path, &forms, &options) {
                Err(FileError::HeaderOnly { table: found }) => assert_eq!(found, table.rule.title),
                Err(FileError::SeveralTables { candidates }) => {
                    let ids: Vec<&str> = candidates.iter().map(|(id, _)| id.as_str()).collect();
                    assert_eq!(ids, LEVELS, "{}", table.rule.id.value);
                }
                Err(error) => panic!("{}：{error}", table.rule.id.value),
                Ok(_) => panic!("a header without rows"),
            }
        }
    }
}
