//! What the county must be, and that the exchange reads its files as planned.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use xinheng_app::rules::{embedded, load};
use xinheng_core::collect::{Decision, Identity, Standing, content, decide, identity};
use xinheng_core::credit_code::CreditCode;
use xinheng_core::ledger::Hash;
use xinheng_core::record::{Day, Seq};
use xinheng_exchange::{Forms, ReadOptions, open};

use super::county::{DemoFile, DemoRow, generate};
use super::spelling::Defect;
use super::{CANARIES, write};

fn until() -> Day {
    Day::from_ymd_opt(2026, 11, 20).unwrap()
}

/// A county small enough for a test and large enough for everything to happen.
fn county(seed: u64) -> Vec<DemoFile> {
    generate(seed, 1_500, until())
}

fn digest(files: &[DemoFile]) -> Hash {
    let mut text = String::new();
    for file in files {
        text += &format!("{} {} {:?} {:?} {}\n", file.file_name, file.title, file.edition, file.form, file.headings.join(","));
        for row in file.rows() {
            text += &row.cells.join(",");
            text.push('\n');
        }
    }
    Hash::of(&[text.as_bytes()])
}

/// The cells under a heading, whichever language it is in.
fn column(file: &DemoFile, name: &str) -> Vec<String> {
    let headings = &file.headings;
    let place = file.columns().position(|column| column == name).unwrap_or_else(|| panic!("{name} in {headings:?}"));
    file.rows().map(|mut row| row.cells.swap_remove(place)).collect()
}

fn files_of<'a>(files: &'a [DemoFile], table: &'a str) -> impl Iterator<Item = &'a DemoFile> {
    files.iter().filter(move |file| file.table == table)
}

#[test]
fn the_same_seed_gives_the_same_files_and_another_seed_others() {
    let (one, again, other) = (generate(1, 300, until()), generate(1, 300, until()), generate(2, 300, until()));
    assert_eq!(digest(&one), digest(&again));
    assert_ne!(digest(&one), digest(&other));
}

#[test]
fn everything_is_marked_as_generated() {
    let files = county(1);
    let names: BTreeSet<&str> = files.iter().map(|file| file.file_name.as_str()).collect();
    assert_eq!(names.len(), files.len());
    assert!(files.iter().all(|file| file.file_name.starts_with("演示-") && file.title.contains("演示数据")));
    for register in files_of(&files, "market_entities") {
        assert!(column(register, "otherinfo").iter().all(|remark| remark == "演示数据，由程序生成"));
    }
}

#[test]
fn no_two_enterprises_have_the_same_code_or_the_same_name_and_address() {
    let files = county(1);
    let latest = files_of(&files, "market_entities").nth(1).unwrap();
    let codes = column(latest, "uni_social_crd_cd");
    let names = column(latest, "comp_nm").into_iter().zip(column(latest, "addr"));
    assert_eq!(names.collect::<HashSet<_>>().len(), codes.len());
    let codes: HashSet<String> = codes.iter().map(|code| code.trim().to_uppercase()).collect();
    assert_eq!(codes.len(), latest.rows().count());
}

#[test]
fn the_canaries_are_in_the_register_and_wherever_their_enterprises_are_reported() {
    let files = county(1);
    let latest = files_of(&files, "market_entities").nth(1).unwrap();
    let (names, numbers) = (column(latest, "legal_repre"), column(latest, "legal_representative_identifier"));
    for [name, number, telephone] in CANARIES {
        assert!(names.iter().any(|one| one == name), "{name}");
        assert!(numbers.iter().any(|one| one == number), "{number}");
        assert!(column(latest, "telephone").iter().any(|one| one == telephone), "{telephone}");
    }
    let complainants = files_of(&files, "complaints").flat_map(|file| column(file, "complainant"));
    assert!(complainants.into_iter().any(|name| CANARIES.iter().any(|[canary, _, _]| name == *canary)));
}

#[test]
fn the_exchange_refuses_exactly_the_rows_that_are_wrong_on_purpose() {
    let rulebook = load(&embedded()).unwrap();
    let forms = Forms::new(&rulebook, until());
    let folder = tempfile::tempdir().unwrap();
    let files = county(1);
    let paths = write(folder.path(), &files).unwrap();
    let mut planted: BTreeMap<String, usize> = BTreeMap::new();
    let (mut rows, mut waiting) = (0, 0);
    for (file, path) in files.iter().zip(&paths) {
        let options = ReadOptions { edition: file.edition, ..ReadOptions::default() };
        let source = open(path, &forms, &options).unwrap_or_else(|error| panic!("{}：{error}", file.file_name));
        assert_eq!(source.table().rule.id.value, file.table, "{}", file.file_name);
        assert_eq!(source.unknown_columns(), Vec::<String>::new(), "{}", file.file_name);
        let read: Vec<_> = source.map(|row| row.unwrap()).collect();
        let made: Vec<DemoRow> = file.rows().collect();
        assert_eq!(read.len(), made.len(), "{}", file.file_name);
        for (read, made) in read.iter().zip(&made) {
            let faults = read.outcome.as_ref().err();
            assert_eq!(faults.is_some(), made.defect.is_some(), "{} {}: {faults:?} {:?}", file.file_name, read.line, made);
            if let Some(defect) = made.defect {
                *planted.entry(format!("{defect:?}")).or_default() += 1;
            }
            rows += 1;
            waiting += usize::from(made.waiting);
        }
    }
    let refused: usize = planted.values().sum();
    assert!((rows / 130..rows / 70).contains(&refused), "{refused} of {rows}");
    assert_eq!(planted.len(), 4, "{planted:?}");
    assert!((rows / 1_000..rows / 50).contains(&waiting), "{waiting} of {rows}");
}
