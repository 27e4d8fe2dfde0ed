//! The README's pictures of a running demonstration: `screenshots ADDRESS ACCOUNT SECRET CREDIT_CODE FOLDER`.
//! `cargo xtask docs` runs it.

#[allow(dead_code)]
#[path = "../tests/browser/support/mod.rs"]
mod support;

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use support::{Browser, DESKTOP, LARGE, PHONE, Size};

/// One picture: file, path (`{code}` is an enterprise worth seeing), size of the window.
type Page = (&'static str, &'static str, Size);

/// What a citizen sees.
const PUBLIC: &[Page] =
    &[("home", "/", DESKTOP), ("home-phone", "/", PHONE), ("enterprise", "/enterprise/{code}", DESKTOP)];

/// What an officer sees, signed in.
const DESK: &[Page] = &[
    ("desk", "/desk", DESKTOP),
    ("desk-enterprise", "/desk/enterprises/{code}", LARGE),
    ("desk-classification", "/desk/classification", LARGE),
    ("desk-collection", "/desk/collection", DESKTOP),
];

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, account, secret, code, folder] = arguments.as_slice() else {
        bail!("用法：screenshots 地址 账号 口令 信用代码 文件夹");
    };
    let folder = Path::new(folder);
    std::fs::create_dir_all(folder)?;
    let browser = Browser::start(address).await?;
    take(&browser, PUBLIC, code, folder).await?;
    browser.resize(DESKTOP).await?;
    browser.sign_in("/desk", account, secret).await?;
    take(&browser, DESK, code, folder).await
}

async fn take(browser: &Browser, pages: &[Page], code: &str, folder: &Path) -> Result<()> {
    for (name, path, size) in pages {
        browser.resize(*size).await?;
        browser.visit(&path.replace("{code}", code)).await?;
        let complaints = browser.complaints().await?;
        anyhow::ensure!(complaints.is_empty(), "{path}: {}", complaints.join("\n"));
        let file = folder.join(name).with_extension("png");
        // As the window shows it: a whole page may be long.
        std::fs::write(&file, browser.screenshot().await?).with_context(|| file.display().to_string())?;
        println!("· {}", file.display());
    }
    Ok(())
}
