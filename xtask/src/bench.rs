//! `cargo xtask bench`: what the figures in the README come from.

use anyhow::{Result, bail};

use crate::cargo;
use crate::postgres::Cluster;
use crate::steps::run;

/// Each measurement, and the package whose bench of that name it is.
const BENCHES: &[(&str, &str)] = &[("draw", "xinheng-core"), ("import", "xinheng-app"), ("pages", "xinheng-app")];

/// Runs one measurement on both databases; what follows its name goes to it as it stands.
pub fn bench(arguments: &[String]) -> Result<()> {
    let names: Vec<_> = BENCHES.iter().map(|(name, _)| *name).collect();
    let known = arguments.split_first().and_then(|(asked, extra)| {
        let (name, package) = BENCHES.iter().find(|(name, _)| name == asked)?;
        Some((name, package, extra))
    });
    let Some((name, package, extra)) = known else {
        bail!("用法：cargo xtask bench {} [规模]", names.join("|"));
    };
    let postgres = Cluster::start()?;
    run(cargo(&["bench", "--package", package, "--bench", name, "--"])
        .args(extra)
        .env("XINHENG_TEST_POSTGRES", postgres.url()))
}
