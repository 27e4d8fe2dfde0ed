//! Rulebooks to test with.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::{Path, PathBuf};

use xinheng_core::rulebook::load::{RuleFile, Rulebook};

/// A path named from this crate's folder, as cargo says it now: what was built may have been built by another clone.
pub fn path(named: &str) -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
    Path::new(&here).join(named)
}

/// The files of a folder, named from this crate's.
pub fn folder(named: &str) -> Vec<RuleFile> {
    let root = path(named);
    let mut files = Vec::new();
    collect(&root, &root, &mut files);
    files
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<RuleFile>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let relative = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
            files.push(RuleFile { path: relative, text: std::fs::read_to_string(&path).unwrap() });
        }
    }
}

/// Reads files that must be in order.
pub fn load(files: &[RuleFile]) -> Rulebook {
    Rulebook::load(files).unwrap_or_else(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        panic!("{}", lines.join("\n"))
    })
}
