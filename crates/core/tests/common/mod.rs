//! Rulebooks to test with.

use std::path::Path;

use xinheng_core::rulebook::load::{RuleFile, Rulebook};

/// The files of a folder, named from this crate's.
pub fn folder(path: &str) -> Vec<RuleFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
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
