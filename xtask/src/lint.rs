//! Styles, scripts and templates, held to the oldest browser that officers have: Chromium 90, the core of the domestic
//! desktops' browsers. What each linter knows is in `crates/web/lint/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::assets::program;
use crate::repository;

/// Checks everything that is ours, and that what we serve of others is syntax of that browser.
pub fn lint() -> Result<()> {
    let web = repository().join("crates/web");
    let ours = [complaints(&web.join("assets"))?, complaints(&web.join("templates"))?];
    let vendor = complaint(
        Command::new(program("eslint"))
            .args(["--no-config-lookup", "--no-inline-config", "--parser-options=ecmaVersion:2021", "vendor/*.js"])
            .current_dir(&web),
    )?;
    let all = [ours.concat(), vendor].concat();
    if !all.is_empty() {
        bail!("{all}\n上述写法在 Chromium 90（国产桌面浏览器的内核）上不能用，或会被内容安全策略拦下");
    }
    Ok(())
}

/// What the linters say of the styles, scripts and templates under a folder; empty when all is well.
fn complaints(folder: &Path) -> Result<String> {
    let lint = repository().join("crates/web/lint");
    let node = |script: &str| {
        let mut node = Command::new("node");
        node.arg(lint.join(script));
        node
    };
    let mut stylelint = Command::new(program("stylelint"));
    stylelint.args(["--formatter", "unix", "--config"]).arg(lint.join("stylelint.config.js"));
    let mut eslint = Command::new(program("eslint"));
    eslint.arg("--config").arg(lint.join("eslint.config.js"));
    let mut found = String::new();
    let mut checked = 0;
    for (ending, mut linter) in [("css", stylelint), ("js", eslint), ("html", node("templates.js"))] {
        let files = files(folder, ending)?;
        if !files.is_empty() {
            checked += files.len();
            found += &complaint(linter.args(files).current_dir(folder))?;
        }
    }
    ensure!(checked > 0, "{} 里没有样式、脚本或模板可查", folder.display());
    Ok(found)
}

/// What a linter says when it is not content.
fn complaint(linter: &mut Command) -> Result<String> {
    let name = Path::new(linter.get_program()).display().to_string();
    let output = linter.output().with_context(|| format!("无法运行 {name}；请先运行 cargo xtask assets"))?;
    if output.status.success() {
        return Ok(String::new());
    }
    let said = [output.stdout, output.stderr].concat();
    ensure!(!said.is_empty(), "{name} 失败，没有说明原因");
    Ok(String::from_utf8_lossy(&said).into_owned())
}

/// The files under a folder with this ending, in the order of their names.
fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("缺少文件夹 {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, ending)?);
        } else if path.extension().is_some_and(|one| one == ending) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn samples(folder: &str) -> PathBuf {
        repository().join("xtask/tests/lint").join(folder)
    }

    /// Each line of the samples is a file of its own here, so that none hides behind another.
    #[test]
    fn every_line_that_the_oldest_browser_cannot_read_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let mut cases = Vec::new();
        for ending in ["css", "js", "html"] {
            for path in files(&samples("refused"), ending).unwrap() {
                for line in fs::read_to_string(path).unwrap().lines().filter(|line| *line != "\"use strict\";") {
                    let name = format!("case-{}.{ending}", cases.len());
                    let strict = if ending == "js" { "\"use strict\";\n" } else { "" };
                    fs::write(folder.path().join(&name), format!("{strict}{line}\n")).unwrap();
                    cases.push((name, line.to_owned()));
                }
            }
        }
        assert!(cases.len() > 30);
        let said = complaints(folder.path()).unwrap();
        let missed: Vec<_> = cases.iter().filter(|(name, _)| !said.contains(name.as_str())).collect();
        assert!(missed.is_empty(), "not found: {missed:#?}\nin\n{said}");
    }

    #[test]
    fn what_the_oldest_browser_can_read_is_accepted() {
        assert_eq!(complaints(&samples("accepted")).unwrap(), "");
    }
}
