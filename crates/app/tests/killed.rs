//! An import that is killed is handed in again, and nothing is lost or doubled.
#![allow(clippy::unwrap_used)]

mod county;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use county::{County, entities, gb18030, surroundings};
use xinheng_app::Surroundings;

/// Names the folder in which the killed process works; set only by the test below.
const FOLDER: &str = "XINHENG_TEST_KILLED_IMPORT";
/// The file in it by which that process says that it is ready and begins.
const BEGUN: &str = "begun";
const ROWS: usize = 100_000;
const KILLS: u32 = 10;

/// The process that is killed: this same test program, asked for this one test.
#[tokio::test]
async fn child_process_that_imports_until_it_is_killed() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        // It commits often, so that a kill meets it between two commits and in the midst of one.
        let often = Surroundings { turn: Duration::from_millis(50), ..surroundings() };
        let county = County::in_folder_and(folder.as_ref(), often).await;
        std::fs::write(Path::new(&folder).join(BEGUN), "").unwrap();
        county.import(&county.folder().join("市场主体.csv")).await.unwrap();
    }
}

#[tokio::test]
async fn ten_kills_in_mid_import_leave_the_ledger_of_an_undisturbed_one() {
    let (headings, rows) = entities(ROWS);
    let bytes = gb18030(&headings, &rows);
    let undisturbed = County::sqlite().await;
    let file = undisturbed.write("市场主体.csv", &bytes);
    let started = Instant::now();
    let outcome = undisturbed.import(&file).await.unwrap();
    let duration = started.elapsed();
    assert_eq!(outcome.accepted, ROWS as u64);

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("市场主体.csv"), &bytes).unwrap();
    let mut hit = 0;
    for kill in 1..=KILLS {
        std::fs::remove_file(folder.path().join(BEGUN)).ok();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_process_that_imports_until_it_is_killed"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The first are met while they open the database, the others while they import, each a little later.
        if kill > 2 {
            while !folder.path().join(BEGUN).exists() && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        std::thread::sleep(Duration::from_millis(50) + duration * kill / 80);
        hit += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(hit >= KILLS - 2, "only {hit} of {KILLS} kills met a running import: the test proves too little");

    let disturbed = County::in_folder(folder.path()).await;
    let before = disturbed.bureau.head().await.unwrap().seq.0;
    assert!((1..ROWS as i64).contains(&before), "{before}: the killed imports had finished, or left nothing");
    let outcome = disturbed.import(&folder.path().join("市场主体.csv")).await.unwrap();
    assert!(outcome.resumed);
    assert_eq!((outcome.rows, outcome.accepted, outcome.refused), (ROWS as u64, ROWS as u64, 0));
    let head = disturbed.bureau.head().await.unwrap();
    assert_eq!(head, undisturbed.bureau.head().await.unwrap());
    assert_eq!(disturbed.bureau.verify(&[head], &|_| ()).await.unwrap().findings, Vec::<String>::new());
}
