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
    ("sm-crypto-v2", &["LICENCE_MIT"]),
    ("@noble/ciphers", &["LICENSE"]),
    ("@noble/curves", &["LICENSE"]),
    ("@noble/hashes", &["LICENSE"]),
];

/// A part of npm packages, named in a file of ours, that becomes one minified file.
struct Bundle {
    /// The global that the pages' scripts know it by, and the name of both files.
    name: &'static str,
    /// Stands where the packages' own long comments would be.
    banner: &'static str,
}

const BUNDLES: &[Bundle] = &[
    Bundle {
        name: "echarts",
        banner: "Apache ECharts (Apache-2.0) with zrender (BSD-3-Clause) and tslib (0BSD): see licences/",
    },
    Bundle { name: "sm3", banner: "sm-crypto-v2 (MIT) with @noble/ciphers, curves and hashes (MIT): see licences/" },
];

/// Fills `crates/web/vendor`, which the product embeds, with htmx, the part of ECharts that the pages draw with, and the
/// SM3 that visitors recompute draws with. Does nothing when they are there and nothing that they are made from has changed.
pub fn assets() -> Result<()> {
    install()?;
    let vendor = Path::new(WEB).join("vendor");
    let stamp = Stamp::new("vendor", &["package-lock.json", "echarts.js", "sm3.js", "../../xtask/src/assets.rs"])?;
    if stamp.holds() && vendor.exists() {
        return Ok(());
    }
    clear(&vendor)?;
    let licences = vendor.join("licences");
    fs::create_dir_all(&licences)?;
    for (package, files) in LICENCES {
        for file in *files {
            let stem = file.trim_end_matches(".txt");
            let name = package.trim_start_matches('@').replace('/', "-");
            copy(&modules().join(package).join(file), &licences.join(format!("{name}-{stem}.txt")))?;
        }
    }
    copy(&modules().join("htmx.org/dist/htmx.min.js"), &vendor.join("htmx.min.js"))?;
    for Bundle { name, banner } in BUNDLES {
        run(Command::new(program("esbuild")).current_dir(WEB).args([
            &format!("{name}.js"),
            "--bundle",
            "--minify",
            "--format=iife",
            &format!("--global-name={name}"),
            "--target=chrome90",
            "--legal-comments=none",
            &format!("--banner:js=/*! {banner} */"),
            &format!("--outfile=vendor/{name}.min.js"),
            "--log-level=warning",
        ]))?;
    }
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
