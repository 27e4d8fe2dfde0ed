//! `xinheng … | head`: whoever reads the results may stop.
#![allow(clippy::unwrap_used)]

use std::process::Command;

/// Exit code and stderr of a command whose results nobody reads.
fn unread(arguments: &[&str]) -> (Option<i32>, String) {
    let (reader, results) = std::io::pipe().unwrap();
    drop(reader);
    let output = Command::new(env!("CARGO_BIN_EXE_xinheng")).args(arguments).stdout(results).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_reader_that_stops_ends_no_command_in_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let list = folder.path().join("企业名单.csv");
    let (good, wrong) = ("91999901MA0000000L", "91999901MA00000005");
    std::fs::write(&list, format!("统一社会信用代码,企业名称,成立日期,核准日期\n{good},甲,2020-01-01,2020-01-01\n{wrong},乙,2020-01-01,2020-01-01\n")).unwrap();
    let silent = (Some(0), String::new());
    assert_eq!(unread(&["--help"]), silent);
    assert_eq!(unread(&["rulebook", "show"]), silent);
    assert_eq!(unread(&["rulebook", "show", "models/general"]), silent);
    // The work is done to its end all the same, and the exit code tells of the refused row.
    assert_eq!(unread(&["--data", data, "import", list.to_str().unwrap()]), (Some(1), String::new()));
    assert_eq!(unread(&["--data", data, "explain", good]), silent);
    assert_eq!(unread(&["--data", data, "--json", "ledger", "verify"]), silent);
    assert_eq!(unread(&["--data", data, "classify"]), silent);
}

#[cfg(target_os = "linux")]
#[test]
fn results_that_cannot_be_written_are_an_error() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_xinheng")).args(["rulebook", "show"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8(output.stderr).unwrap().contains("结果写不到标准输出"));
}
