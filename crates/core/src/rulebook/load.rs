//! Reading the rule files: strict, all faults at once, each with file, line, reason and mend. What the
//! files say is checked in [`super::check`].

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

use super::calendars::CalendarYear;
use super::cases::CaseFile;
use super::combination::Combination;
use super::kind::Kind;
use super::model::Model;
use super::table::Table;
use super::{Head, Jurisdiction, check};
use crate::calendar::Calendar;
use crate::ledger::Hash;
use crate::record::Day;

/// A rule file's text, by its path within the regulations folder (`national/kinds/penalty.yaml`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleFile {
    /// Path with forward slashes.
    pub path: String,
    /// Content.
    pub text: String,
}

/// Something wrong in a rule file, for the person who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleError {
    /// File.
    pub file: String,
    /// Line, from 1, where there is one.
    pub line: Option<u64>,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub mend: Option<String>,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.message)?;
        self.mend.as_ref().map_or(Ok(()), |mend| write!(f, "。{mend}"))
    }
}

/// A rule with the file it came from.
#[derive(Clone, Debug)]
pub struct Sourced<T> {
    /// The rule.
    pub rule: T,
    /// Its file.
    pub path: String,
    /// Whose folder the file is in.
    pub jurisdiction: Jurisdiction,
    /// The file's text: what a signature is put under.
    pub text: String,
}

impl<T> Sourced<T> {
    /// A fault at a line of this rule's file.
    pub(super) fn fault(&self, at: &Spanned<String>, message: String, mend: &str) -> RuleError {
        let mend = (!mend.is_empty()).then(|| mend.to_owned());
        RuleError { file: self.path.clone(), line: Some(at.referenced.line()), message, mend }
    }
}

/// What every kind of rule file has.
pub trait HasHead {
    /// Folder of this kind of rule.
    const FOLDER: &'static str;
    /// The head.
    fn head(&self) -> &Head;
}

macro_rules! has_head {
    ($($rule:ty => $folder:literal),*) => {
        $(impl HasHead for $rule {
            const FOLDER: &'static str = $folder;
            fn head(&self) -> &Head {
                &self.rule
            }
        })*
    };
}
has_head!(Kind => "kinds", Table => "tables", Model => "models", Combination => "combinations", CalendarYear => "calendars");

/// The rules of all jurisdictions.
#[derive(Clone, Debug)]
pub struct Rulebook {
    pub(super) kinds: Vec<Sourced<Kind>>,
    pub(super) tables: Vec<Sourced<Table>>,
    pub(super) models: Vec<Sourced<Model>>,
    pub(super) combinations: Vec<Sourced<Combination>>,
    pub(super) calendars: Vec<Sourced<CalendarYear>>,
    pub(super) cases: Vec<Sourced<CaseFile>>,
    files: Vec<RuleFile>,
    version: String,
}

/// A line in the list of rules.
pub struct RuleLine<'a> {
    /// `models/general`.
    pub id: String,
    /// Head.
    pub head: &'a Head,
    /// Whose.
    pub jurisdiction: Jurisdiction,
    /// Digest of the text, what a signature is put under.
    pub digest: String,
    /// Text.
    pub text: &'a str,
}

impl Rulebook {
    /// Reads and checks rule files.
    ///
    /// # Errors
    /// All faults found, by file and line.
    pub fn load(files: &[RuleFile]) -> Result<Self, Vec<RuleError>> {
        let mut files: Vec<RuleFile> = files.iter().filter(|file| !file.path.starts_with("schema/")).cloned().collect();
        files.sort_by(|one, other| one.path.cmp(&other.path));
        let mut digest = Vec::new();
        for file in &files {
            digest.extend_from_slice(file.path.as_bytes());
            digest.push(0);
            digest.extend_from_slice(file.text.as_bytes());
            digest.push(0);
        }
        let mut book = Self {
            kinds: Vec::new(),
            tables: Vec::new(),
            models: Vec::new(),
            combinations: Vec::new(),
            calendars: Vec::new(),
            cases: Vec::new(),
            files: Vec::new(),
            version: short(Hash::of(&[&digest])),
        };
        let mut errors: Vec<RuleError> = files.iter().filter_map(|file| book.take(file).err()).collect();
        // Names can only be looked up once every file could be read.
        if errors.is_empty() {
            errors = check::check(&book);
        }
        if errors.is_empty() {
            book.files = files;
            return Ok(book);
        }
        errors.sort();
        Err(errors)
    }

    fn take(&mut self, file: &RuleFile) -> Result<(), RuleError> {
        let fault = |message: &str, mend: &str| {
            let (message, mend) = (message.to_owned(), Some(mend.to_owned()));
            RuleError { file: file.path.clone(), line: None, message, mend }
        };
        let parts: Vec<&str> = file.path.split('/').collect();
        let [place, folder, name] = parts[..] else {
            return Err(fault("文件位置不对", "规则文件放在“辖区/类别/名称.yaml”，例如 national/kinds/penalty.yaml"));
        };
        if !name.ends_with(".yaml") {
            return Err(fault("不是规则文件", "规则文件的扩展名是 .yaml"));
        }
        let jurisdiction = match place {
            "national" => Jurisdiction::National,
            "county" => Jurisdiction::County,
            _ => Jurisdiction::Province,
        };
        match folder {
            "kinds" => self.kinds.push(sourced(file, jurisdiction)?),
            "tables" => self.tables.push(sourced(file, jurisdiction)?),
            "models" => self.models.push(sourced(file, jurisdiction)?),
            "combinations" => self.combinations.push(sourced(file, jurisdiction)?),
            "calendars" => self.calendars.push(sourced(file, jurisdiction)?),
            "tests" => self.cases.push(sourced(file, jurisdiction)?),
            _ => {
                let known = "kinds、tables、models、combinations、calendars、tests";
                return Err(fault(&format!("不认识的类别“{folder}”"), &format!("类别有：{known}")));
            }
        }
        Ok(())
    }

    /// Content of the files, to be kept with what was decided by them.
    #[must_use]
    pub fn bundle(&self) -> &[RuleFile] {
        &self.files
    }

    /// 16 hex digits of SM3 over all files: names this state of the rulebook.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The kind of record of a day.
    #[must_use]
    pub fn kind(&self, id: &str, day: Day) -> Option<&Kind> {
        of_day(&self.kinds, id, day)
    }

    /// All kinds of a day.
    pub fn kinds(&self, day: Day) -> impl Iterator<Item = &Kind> {
        all_of_day(&self.kinds, day)
    }

    /// The table of a day.
    #[must_use]
    pub fn table(&self, id: &str, day: Day) -> Option<&Table> {
        of_day(&self.tables, id, day)
    }

    /// All tables of a day.
    pub fn tables(&self, day: Day) -> impl Iterator<Item = &Table> {
        all_of_day(&self.tables, day)
    }

    /// The model of a day.
    #[must_use]
    pub fn model(&self, id: &str, day: Day) -> Option<&Model> {
        of_day(&self.models, id, day)
    }

    /// All models of a day.
    pub fn models(&self, day: Day) -> impl Iterator<Item = &Model> {
        all_of_day(&self.models, day)
    }

    /// All models of all days.
    pub fn all_models(&self) -> impl Iterator<Item = &Model> {
        self.models.iter().map(|sourced| &sourced.rule)
    }

    /// The combination table of a day.
    #[must_use]
    pub fn combination(&self, day: Day) -> Option<&Combination> {
        all_of_day(&self.combinations, day).next()
    }

    /// Working days, by all years' notices.
    #[must_use]
    pub fn calendar(&self) -> Calendar {
        Calendar::new(self.calendars.iter().map(|sourced| &sourced.rule))
    }

    /// The cases beside the rules.
    pub fn case_files(&self) -> impl Iterator<Item = &CaseFile> {
        self.cases.iter().map(|sourced| &sourced.rule)
    }

    /// Every rule with its text.
    pub fn rules(&self) -> impl Iterator<Item = RuleLine<'_>> {
        lines(&self.kinds)
            .chain(lines(&self.tables))
            .chain(lines(&self.models))
            .chain(lines(&self.combinations))
            .chain(lines(&self.calendars))
    }

    /// The rule of that id (`models/general`) on a day.
    #[must_use]
    pub fn rule(&self, id: &str, day: Day) -> Option<RuleLine<'_>> {
        self.rules().find(|line| line.id == id && line.head.in_force(day))
    }

    /// Reads a model that is no part of the rulebook against the kinds of this one.
    ///
    /// # Errors
    /// All faults found.
    pub fn parse_model(&self, name: &str, text: &str) -> Result<Model, Vec<RuleError>> {
        let file = RuleFile { path: name.to_owned(), text: text.to_owned() };
        let model = sourced(&file, Jurisdiction::County).map_err(|error| vec![error])?;
        let errors = check::model(self, &model);
        if errors.is_empty() { Ok(model.rule) } else { Err(errors) }
    }

    /// Reads a mapping that is no part of the rulebook against the kinds of this one.
    ///
    /// # Errors
    /// All faults found.
    pub fn parse_table(&self, name: &str, text: &str) -> Result<Table, Vec<RuleError>> {
        let file = RuleFile { path: name.to_owned(), text: text.to_owned() };
        let table = sourced(&file, Jurisdiction::County).map_err(|error| vec![error])?;
        let errors = check::table(self, &table);
        if errors.is_empty() { Ok(table.rule) } else { Err(errors) }
    }
}

fn of_day<'a, T: HasHead>(rules: &'a [Sourced<T>], id: &str, day: Day) -> Option<&'a T> {
    all_of_day(rules, day).find(|rule| rule.head().id.value == id)
}

fn all_of_day<T: HasHead>(rules: &[Sourced<T>], day: Day) -> impl Iterator<Item = &T> {
    rules.iter().map(|sourced| &sourced.rule).filter(move |rule| rule.head().in_force(day))
}

fn lines<T: HasHead>(rules: &[Sourced<T>]) -> impl Iterator<Item = RuleLine<'_>> {
    rules.iter().map(|sourced| RuleLine {
        id: format!("{}/{}", T::FOLDER, sourced.rule.head().id.value),
        head: sourced.rule.head(),
        jurisdiction: sourced.jurisdiction,
        digest: short(Hash::of(&[sourced.text.as_bytes()])),
        text: &sourced.text,
    })
}

fn short(hash: Hash) -> String {
    hex::encode(&hash.0[..8])
}

fn sourced<T: DeserializeOwned>(file: &RuleFile, jurisdiction: Jurisdiction) -> Result<Sourced<T>, RuleError> {
    let rule = serde_saphyr::from_str(&file.text).map_err(|error| translate(&file.path, &error))?;
    Ok(Sourced { rule, path: file.path.clone(), jurisdiction, text: file.text.clone() })
}

/// The YAML reader speaks English; the people who write rules do not have to.
fn translate(file: &str, error: &serde_saphyr::Error) -> RuleError {
    let line = error.location().map(|location| location.line());
    let said = error.without_snippet().to_string();
    let quoted = said.split('`').nth(1).unwrap_or_default().to_owned();
    let position = said.rfind(" at line ").unwrap_or(said.len());
    let candidates: Vec<&str> = said[..position]
        .split_once("expected one of ")
        .or_else(|| said[..position].split_once("expected "))
        .map(|(_, list)| list.split(", ").map(|one| one.trim_matches('`')).collect())
        .unwrap_or_default();
    let (message, mend) = if said.starts_with("unknown field") {
        (format!("不认识的键“{quoted}”"), nearest(&quoted, &candidates))
    } else if said.starts_with("unknown variant") {
        (format!("不认识的值“{quoted}”"), nearest(&quoted, &candidates))
    } else if said.starts_with("missing field") {
        (format!("缺少键“{quoted}”"), Some(format!("请补上“{quoted}:”")))
    } else if let Some(rest) = said.strip_prefix("duplicate mapping key: ") {
        let key = rest.split(',').next().unwrap_or_default();
        (format!("键“{key}”重复"), Some("同一层里每个键只能写一次".to_owned()))
    } else if said.starts_with("duplicate field") {
        (format!("键“{quoted}”重复"), Some("同一层里每个键只能写一次".to_owned()))
    } else if said.starts_with("unexpected end of input") {
        ("文件是空的".to_owned(), Some("请写入规则，或删除这个文件".to_owned()))
    } else if said.starts_with("invalid i") || said.starts_with("invalid u") {
        ("这里应为整数".to_owned(), None)
    } else if said.starts_with("invalid bool") {
        ("这里应为 true 或 false".to_owned(), None)
    } else if !said.is_ascii() {
        (said[..position].to_owned(), None)
    } else if said.contains("input contains invalid characters") || said.contains("premature end of input") {
        ("这里应为日期".to_owned(), Some("日期写作 2026-11-24".to_owned()))
    } else {
        ("YAML 写法有误，或值的形式与此键不符".to_owned(), Some("请核对缩进、冒号后的空格、括号和引号".to_owned()))
    };
    RuleError { file: file.to_owned(), line, message, mend }
}

/// Suggests the nearest of the allowed words, or lists them.
pub(super) fn nearest<S: AsRef<str>>(word: &str, allowed: &[S]) -> Option<String> {
    let distance = |one: &S| strsim::damerau_levenshtein(word, one.as_ref());
    let best = allowed.iter().min_by_key(|one| distance(one))?;
    let near = distance(best) <= 1 + word.chars().count() / 3;
    let list = || allowed.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("、");
    Some(if near { format!("是否想写“{}”？", best.as_ref()) } else { format!("可用的有：{}", list()) })
}

/// Versions of the same rule by id, for checking their intervals.
pub(super) fn by_id<T: HasHead>(rules: &[Sourced<T>]) -> BTreeMap<&str, Vec<&Sourced<T>>> {
    let mut all: BTreeMap<&str, Vec<&Sourced<T>>> = BTreeMap::new();
    for sourced in rules {
        all.entry(&sourced.rule.head().id.value).or_default().push(sourced);
    }
    all
}
