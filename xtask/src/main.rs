//! Developer tasks: `cargo xtask test | demo | bench | assets | docs | audit`.

mod assets;
mod bench;
mod docs;
mod lint;
mod postgres;
mod steps;
mod test;
mod tools;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use steps::run;

const USAGE: &str = "用法：
  cargo xtask test           运行全部检查，缺少的工具自行安装，测试用的 PostgreSQL 自行启动
  cargo xtask demo [参数…]   以发布方式构建并生成演示县，参数原样交给 xinheng demo
  cargo xtask bench 项目     以发布方式构建并测量速度与内存，例如 cargo xtask bench import 1000000
  cargo xtask assets         取得网页要嵌入的脚本库（htmx、ECharts），没有变化时什么也不做
  cargo xtask docs           从运行中的演示县重新截取 README 的图，写到 docs/images/
  cargo xtask audit          对照公开漏洞库检查依赖（需要联网取得漏洞库）";

fn main() -> ExitCode {
    match dispatch(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: Vec<String>) -> Result<()> {
    std::env::set_current_dir(repository()).context("无法进入代码库的根目录")?;
    match arguments.split_first() {
        Some((task, [])) if task == "test" => test::test(),
        Some((task, extra)) if task == "demo" => demo(extra),
        Some((task, [])) if task == "assets" => assets::assets(),
        Some((task, [])) if task == "docs" => docs::docs(),
        Some((task, extra)) if task == "bench" => bench::bench(extra),
        Some((task, [])) if task == "audit" => audit(),
        _ => bail!("{USAGE}"),
    }
}

/// The folder of the workspace, as cargo says it now: what was built may have been built by another clone.
fn repository() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs this program and its tests");
    Path::new(&here).parent().expect("xtask is a folder of the workspace").to_owned()
}

/// Where cargo puts what it builds in the dev profile: this program is one of those things, so the
/// answer holds for any `CARGO_TARGET_DIR`.
fn built() -> Result<PathBuf> {
    let this = std::env::current_exe().context("无法得知构建目录")?;
    Ok(this.parent().context("无法得知构建目录")?.to_owned())
}

fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

/// Builds the product in release, with what its pages embed, and gives its path.
fn release() -> Result<PathBuf> {
    assets::assets()?;
    run(&mut cargo(&["build", "--release", "--package", "xinheng"]))?;
    Ok(built()?.with_file_name("release").join("xinheng"))
}

fn demo(extra: &[String]) -> Result<()> {
    let xinheng = release()?;
    let mut command = Command::new(&xinheng);
    run(command.args(["demo", "--data", "demo-data", "--no-serve"]).args(extra))?;
    let xinheng = xinheng.display();
    println!(
        "
演示县已生成在 demo-data/，全部为虚构数据。接下来可以看：
  export XINHENG_DATA=demo-data
  {xinheng} serve                  网站；账号见上
  {xinheng} classify               各级企业的数量
  {xinheng} explain 信用代码       一家企业为什么是这一级，逐条到记录与条款
  {xinheng} ledger verify          核验台账
  {xinheng} rulebook show          规则清单；后加编号看一条及其依据"
    );
    Ok(())
}

fn audit() -> Result<()> {
    let cargo_deny = tools::cargo_deny()?;
    run(Command::new(cargo_deny).args(["check", "advisories"]))
        .context("依赖的漏洞检查未通过，或无法取得漏洞库（RustSec advisory-db，需要联网）；检查没有跳过，也不算通过")
}
