//! `cargo xtask test`: every check, in order, nothing skipped.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::postgres::Cluster;
use crate::steps::{Steps, run};
use crate::{assets, built, cargo, lint, tools};

/// Runs every check; the first that fails ends it.
pub fn test() -> Result<()> {
    tools::require_prerequisites()?;
    let mut steps = Steps::default();
    steps.step("格式（rustfmt）", || run(&mut cargo(&["fmt", "--all", "--check"])))?;
    // Before anything that builds the pages: they embed them.
    steps.step("网页的脚本库（npm）", assets::assets)?;
    steps.step("网页的样式、脚本与模板（Chromium 90）", lint::lint)?;
    steps.step("静态检查（clippy）", || {
        run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
    })?;
    steps.step("依赖的禁用、许可证与来源（cargo deny）", || {
        run(Command::new(tools::cargo_deny()?).args(["check", "bans", "licenses", "sources"]))
    })?;
    steps.step("接口文档（cargo doc）", || {
        run(cargo(&["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    let postgres = steps.step("启动测试用的 PostgreSQL", Cluster::start)?;
    let browser = steps.step("测试用的浏览器（Chromium）", tools::browser)?;
    steps.step("测试（SQLite、PostgreSQL、Chromium）", || {
        let nextest = tools::works(&mut cargo(&["nextest", "--version"]));
        let runner: &[_] = if nextest { &["nextest", "run"] } else { &["test", "--all-targets"] };
        run(cargo(runner)
            .arg("--workspace")
            .env("XINHENG_TEST_POSTGRES", postgres.url())
            .env("XINHENG_TEST_CHROMIUM", &browser.chromium)
            .env("XINHENG_TEST_CHROMEDRIVER", &browser.driver))
    })?;
    steps.step("文档中的例子（cargo test --doc）", || {
        run(&mut cargo(&["test", "--quiet", "--doc", "--workspace"]))
    })?;
    steps.step("停止测试用的 PostgreSQL", || {
        drop(postgres);
        Ok(())
    })?;
    // Over the whole workspace, as above, so that features unify once.
    steps.step("构建程序与核对用的例子", || {
        run(&mut cargo(&["build", "--workspace", "--bins", "--examples"]))
    })?;
    let built = built()?;
    steps.step("规则库检查（xinheng rulebook check）", || {
        run(Command::new(built.join("xinheng")).args(["rulebook", "check", "regulations"]))
    })?;
    steps.step("规则库的案例（xinheng rulebook test）", || {
        run(Command::new(built.join("xinheng")).args(["rulebook", "test", "regulations"]))
    })?;
    let python = steps.step("准备 Python 核对环境", tools::python)?;
    steps.step("独立核对（tools/checks）", || {
        for check in checks()? {
            println!("· {}", check.display());
            run(Command::new(&python).arg(check).arg(&built))?;
        }
        Ok(())
    })?;
    steps.summary();
    Ok(())
}

/// The independent checks, in the order of their names.
fn checks() -> Result<Vec<PathBuf>> {
    let folder = std::fs::read_dir("tools/checks").context("缺少文件夹 tools/checks")?;
    let mut checks: Vec<_> = folder.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    checks.retain(|path| path.extension().is_some_and(|extension| extension == "py"));
    checks.sort();
    Ok(checks)
}
