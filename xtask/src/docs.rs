//! `cargo xtask docs`: the README's pictures, made anew from a running demonstration.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::steps::run;
use crate::{cargo, release, tools};

/// Where the README looks for them.
const IMAGES: &str = "docs/images";
/// The role, as the demonstration prints it before its account and secret, whose desk is shown.
const ROLE: &str = "信用监管人员";

/// Builds the product, starts its demonstration in a temporary folder, and takes the pictures that
/// `crates/web/examples/screenshots.rs` lists.
pub fn docs() -> Result<()> {
    let pngquant = tools::pngquant()?;
    let browser = tools::browser()?;
    let xinheng = release()?;
    let folder = tempfile::tempdir()?;
    let site = Site::start(&xinheng, folder.path())?;
    run(cargo(&["run", "--quiet", "--package", "xinheng-web", "--example", "screenshots", "--"])
        .args([&site.told.address, &site.told.account, &site.told.secret, &site.told.code])
        .arg(IMAGES)
        .env("XINHENG_TEST_CHROMIUM", &browser.chromium)
        .env("XINHENG_TEST_CHROMEDRIVER", &browser.driver))?;
    for entry in fs::read_dir(IMAGES)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "png") {
            let options = ["--force", "--strip", "--speed=1", "--quality=0-95", "--output"];
            run(Command::new(&pngquant).args(options).arg(&path).arg("--").arg(&path))?;
        }
    }
    Ok(())
}

/// The demonstration as a site; dropping it ends it.
struct Site {
    process: Child,
    told: Told,
}

impl Site {
    fn start(xinheng: &Path, data: &Path) -> Result<Self> {
        let mut demo = Command::new(xinheng);
        demo.arg("demo").arg("--data").arg(data).args(["--listen", "127.0.0.1:0"]);
        let mut process = demo.stdout(Stdio::piped()).spawn().context("演示没有启动")?;
        let output = process.stdout.take().context("演示没有输出")?;
        let mut site = Self { process, told: Told::default() };
        let mut lines = BufReader::new(output).lines();
        while let Some(line) = lines.next().transpose()? {
            println!("{line}");
            site.told.hear(&line);
            if site.told.is_complete() {
                // What it says later is taken off its hands, or it would stop at a full pipe.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(site);
            }
        }
        bail!("演示结束了，却没有说出网址、“{ROLE}”的账号和一家企业：{:?}", site.told)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Err(error) = self.process.kill().and_then(|()| self.process.wait()) {
            eprintln!("演示没有停下：{error}");
        }
    }
}

/// What the demonstration says for people, and we need too.
#[derive(Debug, Default)]
struct Told {
    address: String,
    account: String,
    secret: String,
    code: String,
}

impl Told {
    fn hear(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let Some(at) = line.find("http://") {
            let address = line[at..].split_whitespace().next().unwrap_or_default();
            address.trim_end_matches('/').clone_into(&mut self.address);
        }
        if let [ROLE, account, secret, ..] = words[..] {
            (self.account, self.secret) = (account.to_owned(), secret.to_owned());
        }
        if let [.., "explain", code] = words[..] {
            code.clone_into(&mut self.code);
        }
    }

    fn is_complete(&self) -> bool {
        [&self.address, &self.account, &self.secret, &self.code].iter().all(|part| !part.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_the_account_and_an_enterprise_are_heard() {
        let mut told = Told::default();
        for line in [
            "  xinheng --data /tmp/a explain 91999901MA0000000L",
            "  信用监管人员  credit  k7-secret",
            "网站：http://127.0.0.1:4321/",
        ] {
            assert!(!told.is_complete());
            told.hear(line);
        }
        assert!(told.is_complete());
        assert_eq!(
            [told.address, told.account, told.secret, told.code],
            ["http://127.0.0.1:4321", "credit", "k7-secret", "91999901MA0000000L"]
        );
    }
}
