//! `xinheng import` through the whole command.
#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

#[test]
fn a_file_whose_headings_fit_several_tables_is_asked_about_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("省级等级.csv");
    std::fs::write(&file, "统一社会信用代码,等级,月份,版本\n91999901MA0000000L,E,2026-10,省2026版\n").unwrap();
    let import = |options: &[&str]| -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xinheng"));
        command.arg("--data").arg(folder.path().join("data")).arg("import").arg(&file).args(options);
        command.output().unwrap()
    };
    let asked = import(&[]);
    let said = String::from_utf8(asked.stderr).unwrap();
    assert_eq!((asked.status.code(), said.lines().count()), (Some(2), 1), "{said}");
    for words in ["（五级）（received_levels_five）、", "（六级）（received_levels_six）；请用 --table 指明是哪一张"]
    {
        assert!(said.contains(words), "{said}");
    }
    let taken = import(&["--table", "received_levels_five"]);
    let said = String::from_utf8(taken.stdout).unwrap();
    assert!(taken.status.success() && said.contains("入账 1"), "{said}");
}
