//! The rulebook as a whole: read from the files' texts, checked, and asked by day.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::alerts::Alert;
use super::amend::Amendment;
use super::approvals::Procedure;
use super::calendars::CalendarYear;
use super::cases::CaseFile;
use super::combination::Combination;
use super::deadlines::DeadlineRule;
pub use super::fault::RuleError;
use super::fault::nearest;
use super::inspections::InspectionItem;
use super::kind::Kind;
use super::lotteries::Lottery;
use super::measures::LevelMeasures;
use super::model::Model;
use super::node::Node;
use super::outcome::Outcome;
use super::relations::RelationRule;
use super::shelf::{AnyShelf, Edition, Shelf};
use super::table::Table;
use super::{Head, Jurisdiction, check, read};
use crate::calendar::Calendar;
use crate::classify::GENERAL;
use crate::ledger::Hash;
use crate::record::Day;

/// A rule file's text by its path within the regulations folder (`national/kinds/penalty.yaml`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleFile {
    /// Path, with forward slashes.
    pub path: String,
    /// Content.
    pub text: String,
}

impl RuleFile {
    /// Editors on Windows begin a file with a byte order mark, which is no part of the text.
    fn without_mark(&self) -> Self {
        let text = self.text.trim_start_matches('\u{feff}');
        Self { path: self.path.clone(), text: text.to_owned() }
    }
}

/// A rule as it reads during an interval, with what names it.
#[derive(Clone, Debug)]
pub struct RuleLine<'a> {
    /// `models/general`
    pub id: String,
    /// Head; its validity is that of this wording.
    pub head: &'a Head,
    /// Whose folder it is in.
    pub jurisdiction: Jurisdiction,
    /// SM3 of its wording: what a signature is put under.
    pub digest: String,
    /// Its wording, with the changes of lower jurisdictions in it.
    pub text: &'a str,
}

/// Folder of the cases.
const TESTS: &str = "tests";
/// Folder of the JSON Schemas, for editors; no part of the rules.
const SCHEMA: &str = "schema";

/// The rules of all jurisdictions (规则库).
#[derive(Clone, Debug, Default)]
pub struct Rulebook {
    pub(super) kinds: Shelf<Kind>,
    pub(super) tables: Shelf<Table>,
    pub(super) models: Shelf<Model>,
    pub(super) combinations: Shelf<Combination>,
    pub(super) calendars: Shelf<CalendarYear>,
    pub(super) deadlines: Shelf<DeadlineRule>,
    pub(super) approvals: Shelf<Procedure>,
    pub(super) inspections: Shelf<InspectionItem>,
    pub(super) lotteries: Shelf<Lottery>,
    pub(super) alerts: Shelf<Alert>,
    pub(super) measures: Shelf<LevelMeasures>,
    pub(super) relations: Shelf<RelationRule>,
    pub(super) cases: Vec<(CaseFile, Node)>,
    files: Vec<RuleFile>,
    version: String,
}

impl Rulebook {
    /// Reads and checks rule files.
    ///
    /// # Errors
    /// All faults found, by file and line.
    pub fn load(files: &[RuleFile]) -> Result<Self, Vec<RuleError>> {
        let is_rule = |file: &&RuleFile| !(file.path.starts_with(SCHEMA) && file.path.ends_with(".json"));
        let mut files: Vec<RuleFile> = files.iter().filter(is_rule).map(RuleFile::without_mark).collect();
        files.sort_by(|one, other| one.path.cmp(&other.path));
        let mut book = Self::default();
        let mut reading = Reading::default();
        for file in &files {
            reading.take(&mut book, file);
        }
        let errors = reading.finish(&mut book);
        if !errors.is_empty() {
            return Err(errors);
        }
        let parts = files.iter().flat_map(|file| [file.path.as_bytes(), &[0], file.text.as_bytes(), &[0]]);
        let digest = Hash::of(&parts.collect::<Vec<_>>()).to_string();
        book.version = digest[..16].to_owned();
        book.files = files;
        Ok(book)
    }

    /// The files it was read from, to be kept with what was decided by them; [`Self::load`] takes them.
    #[must_use]
    pub fn bundle(&self) -> &[RuleFile] {
        &self.files
    }

    /// Names this state of the rulebook: the first 16 hex digits of SM3 over all files.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The kind of record of that id on a day.
    #[must_use]
    pub fn kind(&self, id: &str, day: Day) -> Option<&Kind> {
        self.kinds(day).find(|kind| kind.rule.id.value == id)
    }

    /// All kinds of record of a day.
    pub fn kinds(&self, day: Day) -> impl Iterator<Item = &Kind> {
        self.kinds.on(day)
    }

    /// Every wording that every kind of record has had.
    pub fn all_kinds(&self) -> impl Iterator<Item = &Kind> {
        self.kinds.0.iter().map(|edition| &edition.rule)
    }

    /// The exchange table of that id on a day.
    #[must_use]
    pub fn table(&self, id: &str, day: Day) -> Option<&Table> {
        self.tables(day).find(|table| table.rule.id.value == id)
    }

    /// All exchange tables of a day.
    pub fn tables(&self, day: Day) -> impl Iterator<Item = &Table> {
        self.tables.on(day)
    }

    /// The indicator model of that id on a day.
    #[must_use]
    pub fn model(&self, id: &str, day: Day) -> Option<&Model> {
        self.models(day).find(|model| model.rule.id.value == id)
    }

    /// All indicator models of a day, the general one first.
    pub fn models(&self, day: Day) -> impl Iterator<Item = &Model> {
        self.models.on(day)
    }

    /// All indicator models of all days, the general ones first.
    pub fn all_models(&self) -> impl Iterator<Item = &Model> {
        self.models.0.iter().map(|edition| &edition.rule)
    }

    /// The combination table of a day.
    #[must_use]
    pub fn combination(&self, day: Day) -> Option<&Combination> {
        self.combinations.on(day).next()
    }

    /// Every wording that every rule on deadlines has had, by id and day.
    pub fn all_deadlines(&self) -> impl Iterator<Item = &DeadlineRule> {
        self.deadlines.0.iter().map(|edition| &edition.rule)
    }

    /// The rule on deadlines of that id on a day.
    #[must_use]
    pub fn deadline(&self, id: &str, day: Day) -> Option<&DeadlineRule> {
        self.deadlines.on(day).find(|rule| rule.rule.id.value == id)
    }

    /// The steps that a type of matter takes on a day.
    #[must_use]
    pub fn procedure(&self, id: &str, day: Day) -> Option<&Procedure> {
        self.approvals.on(day).find(|procedure| procedure.rule.id.value == id)
    }

    /// The inspection item of that id on a day.
    #[must_use]
    pub fn inspection(&self, id: &str, day: Day) -> Option<&InspectionItem> {
        self.inspections(day).find(|item| item.rule.id.value == id)
    }

    /// All inspection items of a day.
    pub fn inspections(&self, day: Day) -> impl Iterator<Item = &InspectionItem> {
        self.inspections.on(day)
    }

    /// The lottery of that id on a day.
    #[must_use]
    pub fn lottery(&self, id: &str, day: Day) -> Option<&Lottery> {
        self.lotteries(day).find(|lottery| lottery.rule.id.value == id)
    }

    /// All lotteries of a day.
    pub fn lotteries(&self, day: Day) -> impl Iterator<Item = &Lottery> {
        self.lotteries.on(day)
    }

    /// All alerts of a day.
    pub fn alerts(&self, day: Day) -> impl Iterator<Item = &Alert> {
        self.alerts.on(day)
    }

    /// All differentiated measures of a day.
    pub fn measures(&self, day: Day) -> impl Iterator<Item = &LevelMeasures> {
        self.measures.on(day)
    }

    /// All rules on relations of a day.
    pub fn relations(&self, day: Day) -> impl Iterator<Item = &RelationRule> {
        self.relations.on(day)
    }

    /// Working days, by the notices of all years.
    #[must_use]
    pub fn calendar(&self) -> Calendar {
        Calendar::new(self.calendars.0.iter().map(|edition| &edition.rule))
    }

    /// The cases beside the rules.
    pub fn case_files(&self) -> impl Iterator<Item = &CaseFile> {
        self.cases.iter().map(|(file, _)| file)
    }

    /// Every rule in every wording it has had, by folder, id and day.
    pub fn rules(&self) -> impl Iterator<Item = RuleLine<'_>> {
        self.shelves().into_iter().flat_map(AnyShelf::lines)
    }

    /// The rule of that name (`models/general`) as it reads on a day.
    #[must_use]
    pub fn rule(&self, name: &str, day: Day) -> Option<RuleLine<'_>> {
        let (folder, id) = name.split_once('/')?;
        let shelf = self.shelves().into_iter().find(|shelf| shelf.folder() == folder)?;
        shelf.line(id, day)
    }

    /// Reads a model of the user's, outside of the rulebook, against the kinds of this one.
    ///
    /// # Errors
    /// All faults found.
    pub fn parse_model(&self, name: &str, text: &str) -> Result<Model, Vec<RuleError>> {
        self.parse(name, text, check::model)
    }

    /// Reads a mapping of the user's, outside of the rulebook, against the kinds of this one.
    ///
    /// # Errors
    /// All faults found.
    pub fn parse_table(&self, name: &str, text: &str) -> Result<Table, Vec<RuleError>> {
        self.parse(name, text, check::table)
    }

    /// Reads what a back-test of the user's looks for, against the kinds of this rulebook.
    ///
    /// # Errors
    /// All faults found.
    pub fn parse_outcome(&self, name: &str, text: &str) -> Result<Outcome, Vec<RuleError>> {
        self.parse(name, text, check::outcome)
    }

    fn parse<T: super::shelf::Rule>(
        &self,
        name: &str,
        text: &str,
        check: impl Fn(&mut check::Checking<'_>, &Edition<T>),
    ) -> Result<T, Vec<RuleError>> {
        let file = RuleFile { path: name.to_owned(), text: text.to_owned() }.without_mark();
        let node = read::tree(name, &file.text).map_err(|error| vec![error])?;
        let edition = Edition::read(&file, node, Jurisdiction::County).map_err(|error| vec![error])?;
        let mut checking = check::Checking::new(self, BTreeSet::new());
        check::head(&edition, &mut checking.errors);
        check(&mut checking, &edition);
        match checking.finish() {
            errors if errors.is_empty() => Ok(edition.rule),
            errors => Err(errors),
        }
    }

    fn shelves(&self) -> [&dyn AnyShelf; 12] {
        [
            &self.kinds,
            &self.tables,
            &self.models,
            &self.combinations,
            &self.calendars,
            &self.deadlines,
            &self.approvals,
            &self.inspections,
            &self.lotteries,
            &self.alerts,
            &self.measures,
            &self.relations,
        ]
    }

    fn shelves_mut(&mut self) -> [&mut dyn AnyShelf; 12] {
        [
            &mut self.kinds,
            &mut self.tables,
            &mut self.models,
            &mut self.combinations,
            &mut self.calendars,
            &mut self.deadlines,
            &mut self.approvals,
            &mut self.inspections,
            &mut self.lotteries,
            &mut self.alerts,
            &mut self.measures,
            &mut self.relations,
        ]
    }

    fn shelf_mut(&mut self, folder: &str) -> Option<&mut dyn AnyShelf> {
        self.shelves_mut().into_iter().find(|shelf| shelf.folder() == folder)
    }
}

/// What is found while the files are read one by one.
#[derive(Default)]
struct Reading {
    amendments: Vec<Amendment>,
    errors: Vec<RuleError>,
    /// Folders with a file that could not be read: what seems missing may stand there.
    unread: BTreeSet<String>,
}

impl Reading {
    fn take(&mut self, book: &mut Rulebook, file: &RuleFile) {
        let parts: Vec<&str> = file.path.split('/').collect();
        let [place, folder, name] = parts[..] else {
            let mend = "规则文件放在“辖区/类别/名称.yaml”，例如 national/kinds/penalty.yaml";
            self.errors.push(RuleError::of_file(&file.path, "文件位置不对").mend(mend));
            return;
        };
        if !name.ends_with(".yaml") {
            let mend = "规则文件的扩展名是 .yaml，其他文件请移出规则库";
            self.errors.push(RuleError::of_file(&file.path, "不是规则文件").mend(mend));
            return;
        }
        let folders: Vec<&str> = book.shelves().iter().map(|shelf| shelf.folder()).chain([TESTS]).collect();
        if !folders.contains(&folder) {
            let message = format!("不认识的类别文件夹“{folder}”");
            self.errors.push(RuleError::of_file(&file.path, message).mend(nearest(folder, folders)));
            return;
        }
        let jurisdiction = match place {
            "national" => Jurisdiction::National,
            "county" => Jurisdiction::County,
            _ => Jurisdiction::Province,
        };
        if let Err(error) = self.read(book, file, folder, jurisdiction) {
            self.unread.insert(folder.to_owned());
            self.errors.push(error);
        }
    }

    fn read(
        &mut self,
        book: &mut Rulebook,
        file: &RuleFile,
        folder: &str,
        jurisdiction: Jurisdiction,
    ) -> Result<(), RuleError> {
        let node = read::tree(&file.path, &file.text)?;
        let Some(shelf) = book.shelf_mut(folder) else {
            book.cases.push((read::typed(&node, &file.text)?, node));
            return Ok(());
        };
        // A model has `overrides` too, but no rule is without its head.
        let is_amendment = node.get("rule").is_none() && (node.get("overrides").is_some() || node.get("set").is_some());
        if !is_amendment {
            return shelf.take(file, node, jurisdiction);
        }
        self.amendments.push(Amendment {
            content: read::typed(&node, &file.text)?,
            node,
            text: file.text.clone(),
            jurisdiction,
            folder: shelf.folder(),
        });
        Ok(())
    }

    /// Carries out the amendments and checks the whole.
    fn finish(mut self, book: &mut Rulebook) -> Vec<RuleError> {
        for shelf in book.shelves_mut() {
            shelf.sort();
            self.errors.extend(shelf.check_heads());
        }
        // The province's first: the county changes what the province left.
        self.amendments.sort_by_key(|amendment| amendment.jurisdiction);
        for amendment in &self.amendments {
            let Amendment { content, folder, node, .. } = amendment;
            let errors = match content.overrides.split_once('/') {
                Some((named, id)) if named == *folder => {
                    let shelf = book.shelf_mut(folder).expect("it was read into this folder");
                    if self.unread.contains(*folder) && !shelf.has(id) {
                        continue;
                    }
                    shelf.amend(id, amendment)
                }
                _ => {
                    let message = format!("“{}”不在文件夹 {folder} 里", content.overrides);
                    let mend = format!("overrides 写作“{folder}/编号”，或把文件移到相应的类别文件夹");
                    vec![node.at("overrides").fault(message).mend(mend)]
                }
            };
            self.errors.extend(errors);
        }
        book.models.0.sort_by_key(|edition| edition.rule.field != GENERAL);
        let mut checking = check::Checking::new(book, self.unread);
        checking.errors = self.errors;
        checking.all();
        checking.finish()
    }
}
