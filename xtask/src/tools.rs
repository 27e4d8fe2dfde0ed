//! Tools that the checks need, kept in a cached folder outside the clone: exact versions, installed
//! when missing.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::cargo;
use crate::steps::{output, run};

const CARGO_DENY: &str = "0.20.2";

/// `$XDG_CACHE_HOME/xinheng/tools`, or under `~/.cache`.
fn folder() -> Result<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache")))
        .context("没有用户目录，无法放置工具；请设置环境变量 XDG_CACHE_HOME")?;
    Ok(cache.join("xinheng/tools"))
}

/// Whether the command runs and succeeds; its output is not shown.
pub fn works(command: &mut Command) -> bool {
    let silent = command.stdout(Stdio::null()).stderr(Stdio::null());
    silent.status().is_ok_and(|status| status.success())
}

/// Programs that only a person can install are asked for before anything is built.
pub fn require_prerequisites() -> Result<()> {
    for (program, package) in [("cargo", "rustup"), ("git", "git"), ("python3", "python3 与 python3-venv")] {
        if !works(Command::new(program).arg("--version")) {
            bail!("缺少程序 {program}：请先安装 {package}，再运行本命令");
        }
    }
    Ok(())
}

/// The path of cargo-deny.
pub fn cargo_deny() -> Result<PathBuf> {
    let root = folder()?;
    let program = root.join("bin/cargo-deny");
    let version = Command::new(&program).arg("--version").output();
    if !version.is_ok_and(|version| version.stdout.ends_with(format!(" {CARGO_DENY}\n").as_bytes())) {
        run(cargo(&["install", "--locked", "--force", "cargo-deny", "--version", CARGO_DENY, "--root"]).arg(&root))?;
    }
    Ok(program)
}

/// The Python of an environment of our own with the packages of `tools/requirements.txt`.
pub fn python() -> Result<PathBuf> {
    let environment = folder()?.join("python");
    let program = environment.join("bin/python");
    if !works(Command::new(&program).args(["-m", "pip", "--version"])) {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))
            .context("无法建立 Python 环境；在 Debian 上请先安装 python3-venv")?;
    }
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    run(Command::new(&program).args(pip).arg("tools/requirements.txt"))?;
    Ok(program)
}

/// The Python of another environment with the engines that scoring is measured against, and a folder for
/// the benchmark's data.
pub fn peers() -> Result<(PathBuf, PathBuf)> {
    let root = folder()?.with_file_name("scoring");
    let environment = root.join("venv");
    let program = environment.join("bin/python");
    if !works(Command::new(&program).args(["-m", "pip", "--version"])) {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))
            .context("无法建立 Python 环境；在 Debian 上请先安装 python3-venv")?;
    }
    let packages = ["duckdb", "polars", "datafusion", "pyarrow", "numpy", "zen-engine", "psutil"];
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    run(Command::new(&program).args(pip).args(packages))?;
    Ok((program, root.join("data")))
}

/// The folder of PostgreSQL's server programs; as root on Debian they are installed when absent.
pub fn postgres_programs() -> Result<PathBuf> {
    if let Some(folder) = find_postgres() {
        return Ok(folder);
    }
    install_on_debian(&["postgresql"])?;
    find_postgres().context(
        "缺少 PostgreSQL 服务器程序（initdb、pg_ctl）。请先安装：Debian/Ubuntu 用 sudo apt-get install postgresql，macOS 用 brew install postgresql",
    )
}

fn find_postgres() -> Option<PathBuf> {
    // Debian keeps the server's programs off the PATH, one folder for each major version.
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<_> = debian
        .filter_map(|entry| {
            let major: u32 = entry.file_name().to_str()?.parse().ok()?;
            Some((major, entry.path().join("bin")))
        })
        .collect();
    folders.sort();
    let newest_first = folders.into_iter().rev().map(|(_, folder)| folder);
    let named = Command::new("pg_config").arg("--bindir").output().ok();
    let named = named.and_then(|named| String::from_utf8(named.stdout).ok());
    newest_first
        .chain(named.map(|folder| PathBuf::from(folder.trim())))
        .find(|folder| folder.join("initdb").exists() && folder.join("pg_ctl").exists())
}

/// What the tests of the pages need.
pub struct Browser {
    pub chromium: PathBuf,
    pub driver: PathBuf,
}

/// Chromium, its driver, and a font that has Chinese; as root on Debian they are installed when absent.
pub fn browser() -> Result<Browser> {
    if let Some(browser) = find_browser() {
        return Ok(browser);
    }
    install_on_debian(&["chromium", "chromium-driver", "fonts-noto-cjk"])?;
    find_browser().context(
        "缺少测试网页用的 Chromium、chromedriver 或中文字体。请先安装：Debian 用 sudo apt-get install chromium \
         chromium-driver fonts-noto-cjk，macOS 用 brew install --cask chromium chromedriver",
    )
}

fn find_browser() -> Option<Browser> {
    let chromium = ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(on_path)?;
    let driver = on_path("chromedriver")?;
    // Without one, pictures of pages show boxes. macOS has one of its own.
    let fonts = output(Command::new("fc-list").arg(":lang=zh-cn")).is_ok_and(|fonts| !fonts.is_empty());
    (fonts || cfg!(target_os = "macos")).then_some(Browser { chromium, driver })
}

/// pngquant, which makes the README's pictures small; as root on Debian it is installed when absent.
pub fn pngquant() -> Result<PathBuf> {
    if on_path("pngquant").is_none() {
        install_on_debian(&["pngquant"])?;
    }
    on_path("pngquant")
        .context("缺少程序 pngquant。请先安装：Debian 用 sudo apt-get install pngquant，macOS 用 brew install pngquant")
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Installs Debian's packages when this is Debian and we are root; otherwise does nothing.
fn install_on_debian(packages: &[&str]) -> Result<()> {
    if !works(Command::new("apt-get").arg("--version")) || user_id()? != 0 {
        return Ok(());
    }
    run(Command::new("apt-get").args(["update", "--quiet=2"]))?;
    let install = ["install", "--yes", "--quiet=2", "--no-install-recommends"];
    run(Command::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive").args(install).args(packages))
}

/// The id of the user who runs this.
pub fn user_id() -> Result<u32> {
    Ok(output(Command::new("id").arg("-u"))?.parse()?)
}
