//! Where the repository is.

use std::path::{Path, PathBuf};

/// A path named from its root, as cargo says it now: what was built may have been built by another clone.
pub fn path(named: &str) -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
    Path::new(&here).join("../..").join(named)
}
