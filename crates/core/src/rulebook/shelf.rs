//! Rules of one folder, each in the editions that its validity and its amendments make.

use std::fmt;

use serde::de::DeserializeOwned;

use super::alerts::Alert;
use super::amend::{Amendment, amend};
use super::approvals::Procedure;
use super::calendars::CalendarYear;
use super::combination::Combination;
use super::deadlines::DeadlineRule;
use super::fault::RuleError;
use super::inspections::InspectionItem;
use super::kind::Kind;
use super::load::{RuleFile, RuleLine};
use super::lotteries::Lottery;
use super::measures::LevelMeasures;
use super::model::Model;
use super::node::Node;
use super::outcome::Outcome;
use super::relations::RelationRule;
use super::table::Table;
use super::{Head, Jurisdiction, check, read};
use crate::ledger::Hash;
use crate::record::Day;

/// A rule with a head, kept in a folder of its own.
pub(super) trait Rule: Clone + fmt::Debug + DeserializeOwned {
    /// The folder.
    const FOLDER: &'static str;
    /// How many persons must sign a default of ours at the least.
    const LEAST_SIGNATURES: usize;
    fn head(&self) -> &Head;
    fn head_mut(&mut self) -> &mut Head;
}

macro_rules! rules {
    (signed by $least:literal: $($rule:ty => $folder:literal),* $(,)?) => {
        $(impl Rule for $rule {
            const FOLDER: &'static str = $folder;
            const LEAST_SIGNATURES: usize = $least;
            fn head(&self) -> &Head {
                &self.rule
            }
            fn head_mut(&mut self) -> &mut Head {
                &mut self.rule
            }
        })*
    };
}

// What gives an enterprise its level.
rules! {
    signed by 2:
    Model => "models",
    Combination => "combinations",
}

rules! {
    signed by 1:
    Kind => "kinds",
    Table => "tables",
    CalendarYear => "calendars",
    DeadlineRule => "deadlines",
    Procedure => "approvals",
    InspectionItem => "inspections",
    Lottery => "lotteries",
    Alert => "alerts",
    LevelMeasures => "measures",
    RelationRule => "relations",
    Outcome => "outcomes",
}

/// A rule as it reads during an interval.
#[derive(Clone, Debug)]
pub(super) struct Edition<T> {
    pub(super) rule: T,
    /// Where each of its keys was written.
    pub(super) node: Node,
    /// Its wording with the amendments in it: what a signature is put under.
    pub(super) text: String,
    pub(super) digest: String,
    /// Whose folder it is in.
    pub(super) jurisdiction: Jurisdiction,
    /// Values that lower jurisdictions changed.
    pub(super) amended: Vec<AmendedKey>,
}

/// A value that a lower jurisdiction changed.
#[derive(Clone, Debug)]
pub(super) struct AmendedKey {
    pub(super) key: String,
    pub(super) by: Jurisdiction,
    /// Where the change is written.
    pub(super) written: Node,
}

impl<T: Rule> Edition<T> {
    pub(super) fn read(file: &RuleFile, node: Node, jurisdiction: Jurisdiction) -> Result<Self, RuleError> {
        Ok(Self {
            rule: read::typed(&node, &file.text)?,
            node,
            text: file.text.clone(),
            digest: Hash::of(&[file.text.as_bytes()]).to_string(),
            jurisdiction,
            amended: Vec::new(),
        })
    }

    pub(super) fn head(&self) -> &Head {
        self.rule.head()
    }

    pub(super) fn id(&self) -> &str {
        &self.head().id.value
    }

    /// `kinds/penalty`
    pub(super) fn name(&self) -> String {
        format!("{}/{}", T::FOLDER, self.id())
    }

    fn line(&self) -> RuleLine<'_> {
        RuleLine {
            id: self.name(),
            head: self.head(),
            jurisdiction: self.jurisdiction,
            digest: self.digest.clone(),
            text: &self.text,
        }
    }
}

/// The rules of a folder, by id and day.
#[derive(Clone, Debug)]
pub(super) struct Shelf<T>(pub(super) Vec<Edition<T>>);

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Rule> Shelf<T> {
    pub(super) fn on(&self, day: Day) -> impl Iterator<Item = &T> {
        let rules = self.0.iter().map(|edition| &edition.rule);
        rules.filter(move |rule| rule.head().in_force(day))
    }

    pub(super) fn of(&self, id: &str) -> impl Iterator<Item = &Edition<T>> {
        self.0.iter().filter(move |edition| edition.id() == id)
    }

    /// Editions of a rule that are in force on some day of an interval, by day.
    pub(super) fn during(&self, id: &str, from: Day, until: Option<Day>) -> impl Iterator<Item = &Edition<T>> {
        self.of(id).filter(move |edition| {
            let head = edition.head();
            until.is_none_or(|until| head.from <= until) && head.until.is_none_or(|own| from <= own)
        })
    }

    /// The first day of an interval on which no edition of the rule is in force, if there is one.
    pub(super) fn first_day_without(&self, id: &str, from: Day, until: Option<Day>) -> Option<Day> {
        let mut day = from;
        for edition in self.during(id, from, until) {
            if edition.head().from > day {
                break;
            }
            day = edition.head().until?.succ_opt()?;
        }
        until.is_none_or(|until| day <= until).then_some(day)
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(Edition::id)
    }
}

/// What can be done with the rules of a folder whatever they are about.
pub(super) trait AnyShelf {
    fn folder(&self) -> &'static str;
    fn take(&mut self, file: &RuleFile, node: Node, jurisdiction: Jurisdiction) -> Result<(), RuleError>;
    /// Sorts by id and day.
    fn sort(&mut self);
    /// Checks heads, and the validity of the versions of each rule.
    fn check_heads(&self) -> Vec<RuleError>;
    fn has(&self, id: &str) -> bool;
    fn amend(&mut self, id: &str, amendment: &Amendment) -> Vec<RuleError>;
    fn lines<'a>(&'a self) -> Box<dyn Iterator<Item = RuleLine<'a>> + 'a>;
    fn line(&self, id: &str, day: Day) -> Option<RuleLine<'_>>;
}

impl<T: Rule> AnyShelf for Shelf<T> {
    fn folder(&self) -> &'static str {
        T::FOLDER
    }

    fn take(&mut self, file: &RuleFile, node: Node, jurisdiction: Jurisdiction) -> Result<(), RuleError> {
        self.0.push(Edition::read(file, node, jurisdiction)?);
        Ok(())
    }

    fn sort(&mut self) {
        let key = |edition: &Edition<T>| (edition.id().to_owned(), edition.jurisdiction, edition.head().from);
        self.0.sort_by_cached_key(key);
    }

    fn check_heads(&self) -> Vec<RuleError> {
        check::heads(self)
    }

    fn has(&self, id: &str) -> bool {
        self.of(id).next().is_some()
    }

    fn amend(&mut self, id: &str, amendment: &Amendment) -> Vec<RuleError> {
        amend(self, id, amendment)
    }

    fn lines<'a>(&'a self) -> Box<dyn Iterator<Item = RuleLine<'a>> + 'a> {
        Box::new(self.0.iter().map(Edition::line))
    }

    fn line(&self, id: &str, day: Day) -> Option<RuleLine<'_>> {
        self.of(id).find(|edition| edition.head().in_force(day)).map(Edition::line)
    }
}
