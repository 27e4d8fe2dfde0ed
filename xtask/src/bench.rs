//! `cargo xtask bench`: what the figures in the README come from.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::postgres::Cluster;
use crate::steps::run;
use crate::{built, cargo, tools};

/// Each measurement, and the package whose bench of that name it is.
const BENCHES: &[(&str, &str)] =
    &[("draw", "xinheng-core"), ("import", "xinheng-app"), ("pages", "xinheng-app"), ("record", "xinheng-app")];

/// Runs one measurement on both databases; what follows its name goes to it as it stands.
pub fn bench(arguments: &[String]) -> Result<()> {
    if let Some((_, extra)) = arguments.split_first().filter(|(asked, _)| *asked == "scoring") {
        return scoring(extra);
    }
    let names: Vec<_> = BENCHES.iter().map(|(name, _)| *name).collect();
    let known = arguments.split_first().and_then(|(asked, extra)| {
        let (name, package) = BENCHES.iter().find(|(name, _)| name == asked)?;
        Some((name, package, extra))
    });
    let Some((name, package, extra)) = known else {
        bail!("用法：cargo xtask bench {}|scoring [规模]", names.join("|"));
    };
    let postgres = Cluster::start()?;
    run(cargo(&["bench", "--package", package, "--bench", name, "--"])
        .args(extra)
        .env("XINHENG_TEST_POSTGRES", postgres.url()))
}

/// Puts the lake beside the engines of the benchmark kit, with the same files and the same results, and
/// beside what merely reading the columns takes.
fn scoring(arguments: &[String]) -> Result<()> {
    let (sizes, kit) = match arguments {
        [] => ("1000000", "../shared/bench"),
        [sizes] => (sizes.as_str(), "../shared/bench"),
        [option, kit] if option == "--kit" => ("1000000", kit.as_str()),
        [sizes, option, kit] if option == "--kit" => (sizes.as_str(), kit.as_str()),
        _ => bail!("用法：cargo xtask bench scoring [规模，例如 1000000,10000000] [--kit 基准工具的文件夹]"),
    };
    let script = Path::new(kit).join("run.py");
    if !script.is_file() {
        bail!("没有基准工具 {}；请用 --kit 指明其文件夹", script.display());
    }
    let (python, data) = tools::peers()?;
    run(&mut cargo(&["build", "--release", "--package", "xinheng-lake"]))?;
    run(&mut cargo(&["build", "--release", "--package", "xinheng-lake", "--example", "read"]))?;
    let release = built()?.with_file_name("release");
    let lake = release.join("xinheng-lake");
    let ours = "score --enterprises {e} --records {r} --model {model} --as-of {asof} --out {out} --threads {threads}";
    run(Command::new(python).arg(script).arg("--data").arg(&data).args([
        "--sizes",
        sizes,
        "--peers",
        "floor,duckdb,polars,datafusion",
        "--ours",
        &format!("{} {ours}", lake.display()),
    ]))?;
    for size in sizes.split(',') {
        for ledger in ["sorted", "unsorted"] {
            let folder = data.join(format!("n{size}"));
            let start = std::time::Instant::now();
            run(Command::new(release.join("examples/read"))
                .arg(folder.join("enterprises.parquet"))
                .arg(folder.join(format!("records_{ledger}.parquet"))))
            .context("只读各列")?;
            println!("只读各列（Rust），{size} 家，{ledger}：{:.3} 秒", start.elapsed().as_secs_f64());
        }
    }
    Ok(())
}
