//! What the pages are served with and checked with, from npm by the lock file: never in git, embedded when built.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::steps::run;
use crate::tools;

/// The folder of `package.json`.
const WEB: &str = "crates/web";
/// Packages whose code is served, and the files that say what they are licensed under.
const LICENCES: &[(&str, &[&str])] = &[
    ("htmx.org", &["LICENSE"]),
    ("echarts", &["LICENSE", "NOTICE"]),
    ("zrender", &["LICENSE"]),
    ("tslib", &["LICENSE.txt"]),
];
/// Before the minified ECharts, where its own long comments would be.
const BANNER: &str = "/*! Apache ECharts (Apache-2.0) with zrender (BSD-3-Clause) and tslib (0BSD): see licences/ */";

/// Fills `crates/web/vendor`, which the product embeds, with htmx and the part of ECharts that the pages draw with.
/// Does nothing when both are there and nothing that they are made from has changed.
pub fn assets() -> Result<()> {
    install()?;
    let vendor = Path::new(WEB).join("vendor");
    let stamp = Stamp::new("vendor", &["package-lock.json", "echarts.js", "../../xtask/src/assets.rs"])?;
    if stamp.holds() && vendor.exists() {
        return Ok(());
    }
    clear(&vendor)?;
    let licences = vendor.join("licences");
    fs::create_dir_all(&licences)?;
    for (package, files) in LICENCES {
        for file in *files {
            let stem = file.trim_end_matches(".txt");
            copy(&modules().join(package).join(file), &licences.join(format!("{package}-{stem}.txt")))?;
        }
    }
    copy(&modules().join("htmx.org/dist/htmx.min.js"), &vendor.join("htmx.min.js"))?;
    run(Command::new(program("esbuild")).current_dir(WEB).args([
        "echarts.js",
        "--bundle",
        "--minify",
        "--format=iife",
        "--global-name=echarts",
        "--target=chrome90",
        "--legal-comments=none",
        &format!("--banner:js={BANNER}"),
        "--outfile=vendor/echarts.min.js",
        "--log-level=warning",
    ]))?;
    stamp.write()
}

/// Installs the packages of the lock file when they are missing or the lock has changed. No package's script runs.
fn install() -> Result<()> {
    let stamp = Stamp::new("installed", &["package-lock.json"])?;
    if stamp.holds() {
        return Ok(());
    }
    if !tools::works(Command::new("npm").arg("--version")) {
        anyhow::bail!("缺少程序 npm：网页的脚本库由它取得。请先安装 Node.js 20.19 以上（带 npm），再运行本命令");
    }
    run(Command::new("npm").args(["ci", "--ignore-scripts", "--loglevel=error"]).current_dir(WEB))
        .context("网页的脚本库没有装好；需要 Node.js 20.19 以上，并能访问 npm 软件源（npm config get registry）")?;
    stamp.write()
}

/// A program of the installed packages, by an absolute path.
pub fn program(name: &str) -> PathBuf {
    modules().join(".bin").join(name)
}

fn modules() -> PathBuf {
    crate::repository().join(WEB).join("node_modules")
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("无法复制 {}", from.display()))?;
    Ok(())
}

fn clear(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("无法清空 {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// What something was made from, kept beside the packages: it is up to date while that is the same.
struct Stamp {
    path: PathBuf,
    sources: Vec<u8>,
}

impl Stamp {
    fn new(name: &str, sources: &[&str]) -> Result<Self> {
        let read = |source| {
            let path = Path::new(WEB).join(source);
            fs::read(&path).with_context(|| format!("缺少文件 {}", path.display()))
        };
        let sources = sources.iter().map(read).collect::<Result<Vec<_>>>()?.concat();
        Ok(Self { path: modules().join(format!(".xinheng-{name}")), sources })
    }

    fn holds(&self) -> bool {
        fs::read(&self.path).is_ok_and(|made_from| made_from == self.sources)
    }

    fn write(&self) -> Result<()> {
        fs::write(&self.path, &self.sources).with_context(|| format!("无法写入 {}", self.path.display()))
    }
}
