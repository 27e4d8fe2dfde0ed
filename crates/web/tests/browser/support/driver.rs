//! One chromedriver with its Chromium, of this test alone.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// Environment variables with the programs; `cargo xtask test` sets them.
const DRIVER: &str = "XINHENG_TEST_CHROMEDRIVER";
const CHROMIUM: &str = "XINHENG_TEST_CHROMIUM";

/// How often it is tried to start.
const TRIES: usize = 5;

/// No window, no request of the browser's own, and no host but this one. Root has no sandbox.
const OPTIONS: [&str; 11] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--lang=zh-CN",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
];

/// A running chromedriver; dropping it ends it and its Chromium and deletes the profile.
pub struct Driver {
    process: Child,
    port: u16,
    profile: TempDir,
}

impl Driver {
    /// Starts chromedriver on a port that it finds itself. It takes one of IPv4 and then the same of IPv6, which may be
    /// taken: then another.
    pub fn start() -> Result<Self> {
        for _ in 0..TRIES {
            if let Some(driver) = Self::try_start()? {
                return Ok(driver);
            }
        }
        anyhow::bail!("chromedriver 没有启动，原因见上")
    }

    fn try_start() -> Result<Option<Self>> {
        let mut process = Command::new(program(DRIVER)?)
            .args(["--port=0", "--log-level=SEVERE"])
            .stdout(Stdio::piped())
            .spawn()
            .context("chromedriver 没有启动")?;
        let said = BufReader::new(process.stdout.take().context("chromedriver 没有输出")?);
        let port = said.lines().map_while(Result::ok).find_map(|line| {
            let port = line.strip_prefix("ChromeDriver was started successfully on port ")?;
            port.trim_end_matches('.').parse().ok()
        });
        let Some(port) = port else {
            process.kill()?;
            process.wait()?;
            return Ok(None);
        };
        Ok(Some(Self { process, port, profile: tempfile::tempdir()? }))
    }

    /// Opens a Chromium with an empty profile.
    pub async fn connect(&self) -> Result<Client> {
        let profile = format!("--user-data-dir={}", self.profile.path().display());
        let arguments: Vec<&str> = OPTIONS.into_iter().chain([profile.as_str()]).collect();
        let wanted = json!({
            "goog:chromeOptions": { "binary": program(CHROMIUM)?, "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let wanted: Map<String, Value> = serde_json::from_value(wanted)?;
        let address = format!("http://127.0.0.1:{}", self.port);
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(wanted).connect(&address).await.context("Chromium 没有启动")
    }

    pub fn profile(&self) -> &Path {
        self.profile.path()
    }

    /// Asks chromedriver to end Chromium and itself: killed, it would leave Chromium behind.
    fn shut_down(&mut self) -> std::io::Result<()> {
        let patience = Some(Duration::from_secs(20));
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(patience)?;
        stream.write_all(b"GET /shutdown HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
        std::io::copy(&mut stream, &mut std::io::sink())?;
        Ok(())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let ended = self.shut_down().or_else(|_| self.process.kill()).and_then(|()| self.process.wait());
        if let Err(error) = ended {
            eprintln!("chromedriver 没有停下：{error}");
        }
    }
}

fn program(variable: &str) -> Result<PathBuf> {
    let path = std::env::var_os(variable);
    path.map(PathBuf::from)
        .with_context(|| format!("环境变量 {variable} 没有设置：请用 cargo xtask test 运行测试，或指向本机的程序"))
}
