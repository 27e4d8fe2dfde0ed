//! One file per command: read the arguments, call the use case, print what came out.

pub mod admin;
pub mod audit;
pub mod backtest;
pub mod classify;
pub mod demo;
pub mod draw;
pub mod explain;
pub mod facts;
pub mod import;
pub mod ledger;
pub mod rulebook;
pub mod serve;
pub mod verify;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use xinheng_app::rules::{embedded, from_folder, load};
use xinheng_app::{Bureau, Surroundings, WrongInput};
use xinheng_core::record::Day;
use xinheng_core::rulebook::load::Rulebook;
use xinheng_core::rulebook::model::Model;
use xinheng_exchange::FileError;

use crate::arguments::Options;

/// How a command ended, when nothing failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All is well.
    Done,
    /// Done, but something needs a person: bad rows, a failed case, a broken chain.
    Findings,
}

impl Ending {
    fn findings_if(found: bool) -> Self {
        if found { Self::Findings } else { Self::Done }
    }
}

/// Opens the bureau's books where the options say.
async fn open(options: &Options) -> anyhow::Result<Bureau> {
    open_in(options, &folder(options), Surroundings::real()).await
}

/// The data folder.
fn folder(options: &Options) -> PathBuf {
    options.data.clone().unwrap_or_else(|| PathBuf::from("."))
}

/// Opens them with another default for the data folder, in given surroundings.
async fn open_in(options: &Options, folder: &Path, surroundings: Surroundings) -> anyhow::Result<Bureau> {
    std::fs::create_dir_all(folder).with_context(|| format!("建不了数据文件夹“{}”", folder.display()))?;
    let database =
        options.database.clone().unwrap_or_else(|| format!("sqlite:{}", folder.join("xinheng.db").display()));
    let key_file = options.key_file.clone().unwrap_or_else(|| match database.strip_prefix("sqlite:") {
        Some(path) => PathBuf::from(format!("{path}.key")),
        None => folder.join("xinheng.key"),
    });
    Bureau::open(&database, &key_file, rulebook(options)?, surroundings).await
}

/// A file of text as a whole.
fn read_text(file: &Path) -> anyhow::Result<String> {
    let unreadable = |error: std::io::Error| WrongInput(format!("{}：{}", file.display(), FileError::from(error)));
    let bytes = std::fs::read(file).map_err(unreadable)?;
    let not_text = |_| WrongInput(format!("{}：不是 UTF-8 文本，请核对是否选错了文件", file.display()));
    Ok(String::from_utf8(bytes).map_err(not_text)?)
}

/// The rulebook that the options name.
fn rulebook(options: &Options) -> anyhow::Result<Rulebook> {
    let files = match &options.rulebook {
        Some(folder) => from_folder(folder)?,
        None => embedded(),
    };
    load(&files)
}

/// A model named by its id, or read from a file of the user's.
fn model(named: &str, rulebook: &Rulebook, on: Day) -> anyhow::Result<Model> {
    if let Some(model) = rulebook.model(named.trim_start_matches("models/"), on) {
        return Ok(model.clone());
    }
    let text = std::fs::read_to_string(named).map_err(|_| {
        let known: Vec<_> = rulebook.models(on).map(|model| model.rule.id.value.as_str()).collect();
        WrongInput(format!("没有模型“{named}”，也没有这个文件。规则库中的模型：{}", known.join("、")))
    })?;
    rulebook.parse_model(named, &text).map_err(|errors| xinheng_app::rules::refused(&errors))
}
