//! A running site of the real program, and what it said when it started.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// The day on which the demonstration ends.
pub const UNTIL: &str = "2026-11-24";

/// A site; dropping it ends it and deletes its folder.
pub struct DemoSite {
    pub address: String,
    /// Account → password or one-time secret.
    pub secrets: BTreeMap<String, String>,
    /// Credit code of the riskiest enterprise.
    pub riskiest: String,
    pub folder: TempDir,
    process: Child,
}

impl DemoSite {
    /// A small county.
    pub fn demo() -> Self {
        Self::start(&["demo", "--enterprises", "400", "--seed", "1", "--until", UNTIL])
    }

    /// An empty folder, as a real bureau begins.
    pub fn empty() -> Self {
        Self::start(&["serve"])
    }

    fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = std::fs::File::create(folder.path().join("log.json")).unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_xinheng"))
            .args(arguments)
            .args(["--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let (mut secrets, mut riskiest, mut address) = (BTreeMap::new(), String::new(), String::new());
        for line in lines.by_ref().map_while(Result::ok) {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                [.., "explain", code] => riskiest = code.to_owned(),
                // `serve` says account, duty, secret; `demo` says duty, account, secret.
                [one, other, secret] if secret.len() >= 16 && secret.contains('-') => {
                    let account = if one.is_ascii() { one } else { other };
                    secrets.insert(account.to_owned(), secret.to_owned());
                }
                _ => {}
            }
            if let Some(at) = line.find("http://") {
                address = line[at..].split(['/', '（']).take(3).collect::<Vec<_>>().join("/");
                break;
            }
        }
        assert!(!address.is_empty(), "the site did not start");
        std::thread::spawn(move || lines.for_each(drop));
        Self { address, secrets, riskiest, folder, process }
    }

    /// The data folder.
    pub fn data(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for DemoSite {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
