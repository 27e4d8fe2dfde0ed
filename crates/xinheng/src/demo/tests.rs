//! What the county must be, and that the exchange reads its files as planned.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

use chrono::{Datelike, TimeDelta};
use xinheng_app::rules::{embedded, load};
use xinheng_core::collect::{Decision, Identity, Standing, content, decide, identity};
use xinheng_core::ledger::{CanonicalText, Hash};
use xinheng_core::record::{Day, Reason, Seq};
use xinheng_exchange::{Forms, ReadOptions, open};

use super::county::{DemoFile, DemoRow, generate};
use super::life::{self, Event};
use super::people::CANARIES;
use super::population::populate;
use super::write;

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
        text += &format!(
            "{} {} {:?} {:?} {}\n",
            file.file_name,
            file.title,
            file.edition,
            file.form,
            file.headings.join(",")
        );
        for row in file.rows() {
            text += &row.cells.join(",");
            text.push('\n');
        }
    }
    Hash::of(&[text.as_bytes()])
}

/// The whole register as the day ends, which comes before the one that was found on an old disk.
fn latest_register(files: &[DemoFile]) -> &DemoFile {
    files_of(files, "market_entities").rev().nth(1).unwrap()
}

/// The cells under a heading, whichever language it is in.
fn column(file: &DemoFile, name: &str) -> Vec<String> {
    let headings = &file.headings;
    let place = file.columns().position(|column| column == name).unwrap_or_else(|| panic!("{name} in {headings:?}"));
    file.rows().map(|mut row| row.cells.swap_remove(place)).collect()
}

fn files_of<'a>(files: &'a [DemoFile], table: &'a str) -> impl DoubleEndedIterator<Item = &'a DemoFile> {
    files.iter().filter(move |file| file.table == table)
}

/// Every file is recognised, but for the levels of the province: their tables have the same headings.
fn options(file: &DemoFile) -> ReadOptions<'static> {
    let table = (file.table == "received_levels").then(|| file.table.to_owned());
    ReadOptions { edition: file.edition, table, ..ReadOptions::default() }
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
    let latest = latest_register(&files);
    let codes = column(latest, "uni_social_crd_cd");
    let names = column(latest, "comp_nm").into_iter().zip(column(latest, "addr"));
    assert_eq!(names.collect::<HashSet<_>>().len(), codes.len());
    let codes: HashSet<String> = codes.iter().map(|code| code.trim().to_uppercase()).collect();
    assert_eq!(codes.len(), latest.rows().count());
}

#[test]
fn the_canaries_are_in_the_register_and_wherever_their_enterprises_are_reported() {
    let files = county(1);
    let latest = latest_register(&files);
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
fn files_come_in_the_order_of_their_days_and_none_before_what_it_tells() {
    let files = county(1);
    assert!(files.is_sorted_by(|one, next| one.handed_in < next.handed_in));
    assert!(files.iter().all(|file| file.last_day() <= file.handed_in.day_in_china()));
    assert!(files.iter().all(|file| file.handed_in.day_in_china() <= until()));
    assert!(files.iter().any(|file| file.last_day() + TimeDelta::days(7) < file.handed_in.day_in_china()));
}

#[test]
fn careless_enterprises_are_penalised_more_and_fail_more_samples() {
    let enterprises = populate(1, 3_000, until());
    let (mut careful, mut careless) = (Tally::default(), Tally::default());
    for enterprise in &enterprises {
        let tally = match enterprise.carelessness {
            0..100 => &mut careful,
            600.. => &mut careless,
            _ => continue,
        };
        for occurrence in life::live(1, enterprise, until()) {
            match occurrence.event {
                Event::Penalized(_) => tally.penalties += 1,
                Event::Sampled { passed, .. } => {
                    tally.samples += 1;
                    tally.failed += usize::from(!passed);
                }
                _ => {}
            }
        }
        tally.enterprises += 1;
    }
    assert!(careless.penalties * careful.enterprises > 8 * careful.penalties * careless.enterprises);
    assert!(careless.failed * careful.samples > 5 * careful.failed * careless.samples);
    assert!(careful.failed > 0 && careful.penalties > 0, "even the careful are not perfect");
}

#[derive(Default)]
struct Tally {
    enterprises: usize,
    penalties: usize,
    samples: usize,
    failed: usize,
}

#[test]
fn almost_nothing_happens_on_weekends_and_the_lists_fill_in_july() {
    let files = county(1);
    let days = |table: &str, name: &str| -> Vec<Day> {
        files_of(&files, table).flat_map(|file| column(file, name)).filter_map(|day| day.parse().ok()).collect()
    };
    let visits = days("inspections", "inspected_on");
    assert!(visits.iter().all(|day| day.weekday().number_from_monday() <= 5));
    let february = visits.iter().filter(|day| day.month() == 2).count();
    assert!(february * 2 < visits.iter().filter(|day| day.month() == 1).count() * 3);
    let listings = days("abnormal_list", "inclu_dt");
    assert!(listings.iter().filter(|day| day.month() == 7).count() * 2 > listings.len());
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
        let source = open(path, &forms, &options(file)).unwrap_or_else(|error| panic!("{}：{error}", file.file_name));
        assert_eq!(source.table().rule.id.value, file.table, "{}", file.file_name);
        assert_eq!(source.unknown_columns(), Vec::<String>::new(), "{}", file.file_name);
        let read: Vec<_> = source.map(|row| row.unwrap()).collect();
        let made: Vec<DemoRow> = file.rows().collect();
        assert_eq!(read.len(), made.len(), "{}", file.file_name);
        for (read, made) in read.iter().zip(&made) {
            let faults = read.outcome.as_ref().err();
            assert_eq!(
                faults.is_some(),
                made.defect.is_some(),
                "{} {}: {faults:?} {:?}",
                file.file_name,
                read.line,
                made
            );
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

/// What an import would do with a file's rows.
#[derive(Debug, Default)]
struct Effect {
    new: usize,
    superseding: usize,
    known: usize,
    older: usize,
}

#[test]
fn a_later_register_supersedes_an_older_does_not_and_nothing_conflicts() {
    let rulebook = load(&embedded()).unwrap();
    let forms = Forms::new(&rulebook, until());
    let folder = tempfile::tempdir().unwrap();
    let files = county(2);
    let paths = write(folder.path(), &files).unwrap();
    let mut standing = HashMap::new();
    let effects: Vec<Effect> =
        files.iter().zip(&paths).map(|(file, path)| collected(file, path, &forms, &mut standing)).collect();
    let effects_of = |table: &str| -> Vec<&Effect> {
        files.iter().zip(&effects).filter(|(file, _)| file.table == table).map(|(_, effect)| effect).collect()
    };
    let superseding = |effects: &[&Effect]| effects.iter().map(|effect| effect.superseding).sum::<usize>();
    let registers = effects_of("market_entities");
    let ([first, later @ ..], oldest) = (&registers[..registers.len() - 1], registers[registers.len() - 1]) else {
        panic!("the register is told more than once")
    };
    assert_eq!((first.superseding, first.older), (0, 0));
    assert!(superseding(later) > 20 && later.iter().map(|effect| effect.new).sum::<usize>() > 100);
    assert!(oldest.older > 20 && oldest.superseding == 0, "{oldest:?}");
    assert!(superseding(&effects_of("licenses_published")[1..]) > 20);
    let late = files.iter().zip(&effects).filter(|(file, _)| file.file_name.contains("补报年度报告"));
    let late: Vec<&Effect> = late.map(|(_, effect)| effect).collect();
    assert!(superseding(&late) > 20, "late reports correct what was on record");
    let again = effects.last().unwrap();
    assert!(files.last().unwrap().file_name.contains("重复报送"));
    assert!(again.known > 50 && again.new + again.superseding + again.older == 0, "{again:?}");
}

/// Collects the good rows of a file as the import does, and fails when two contradict each other.
fn collected(file: &DemoFile, path: &Path, forms: &Forms, standing: &mut HashMap<Identity, Standing>) -> Effect {
    let mut effect = Effect::default();
    for row in open(path, forms, &options(file)).unwrap() {
        for draft in row.unwrap().outcome.unwrap_or_default() {
            let kind = forms.kinds.iter().find(|kind| kind.rule.id.value == draft.kind).unwrap();
            let personal = draft
                .personal
                .iter()
                .map(|(name, value)| (name.clone(), Hash::of(&[value.reveal(Reason::Match).as_bytes()]).0));
            let personal: BTreeMap<String, [u8; 32]> = personal.collect();
            let identity = identity(kind, &draft, |field| personal.get(field).copied());
            let content =
                content(draft.occurred_on, draft.withdrawn, &CanonicalText::of_payload(&draft.payload), &personal);
            match decide(kind.nature, &draft, content, standing.get(&identity)) {
                Decision::Accept { supersedes: None } => effect.new += 1,
                Decision::Accept { supersedes: Some(_) } => effect.superseding += 1,
                Decision::Known => {
                    effect.known += 1;
                    continue;
                }
                Decision::Older => {
                    effect.older += 1;
                    continue;
                }
                decision => panic!("{} line {}: {decision:?}", file.file_name, draft.line),
            }
            let seq = Seq(i64::try_from(standing.len()).unwrap() + 1);
            standing.insert(identity, Standing { seq, content, version: draft.version, withdrawn: false });
        }
    }
    effect
}
