//! To do (待办): the clocks that run against a unit, what waits for a person's review, and what was handed
//! in too late.

use std::collections::HashMap;

use xinheng_core::credit_code::CreditCode;
use xinheng_core::deadline::{Colour, State};
use xinheng_core::record::{Day, Seq};
use xinheng_core::staff::Scope;
pub use xinheng_store::{ClockCounts, ClockPlace, LateCount, Matter};
use xinheng_store::{ListedClock, OpenClocks, Rules};

use crate::act::{Act, Actor};
use crate::alert::ANSWER_TERM;
use crate::deadline::{ClockKeeper, DeadlineLine};
use crate::evidence::PUBLICATION_EVIDENCE;
use crate::{Bureau, words};

/// Months over which late submissions are counted.
const LATE_MONTHS: u32 = 3;
/// Matters shown among the things to do.
const MATTERS: u64 = 20;

/// A clock as pages show it.
#[derive(Clone, Debug)]
pub struct ClockLine {
    /// Rule.
    pub rule: String,
    /// What has to be done.
    pub duty: String,
    /// Where it is written.
    pub cite: String,
    /// Whether the rule is confirmed or signed; otherwise the clock is for trial only.
    pub in_force: bool,
    /// The record that started it.
    pub seq: Seq,
    /// 名称 of its kind.
    pub kind_title: String,
    /// 文号
    pub document_number: Option<String>,
    /// Whose record it is.
    pub enterprise: Option<(CreditCode, String)>,
    /// Unit that owes it.
    pub owed_by: String,
    /// The day it is counted from.
    pub started_on: Day,
    /// The last day.
    pub due_on: Day,
    /// Working days left; below zero: so many too late.
    pub left: i32,
    /// How urgent it is.
    pub colour: Colour,
    /// Since when it pauses.
    pub paused_since: Option<Day>,
    /// A day of a year without a holiday notice was counted.
    pub provisional: bool,
    /// Whether a proof of publication ends it.
    pub ends_by_evidence: bool,
}

/// A page of open clocks, the most urgent first.
#[derive(Clone, Debug)]
pub struct ClockPage {
    /// Lines.
    pub lines: Vec<ClockLine>,
    /// Where the next page starts after.
    pub next: Option<ClockPlace>,
}

/// Late submissions of a unit and kind over the last months.
#[derive(Clone, Debug)]
pub struct LateLine {
    /// Unit.
    pub unit: String,
    /// 名称 of the kind.
    pub kind_title: String,
    /// How many.
    pub records: u64,
    /// The longest delay, in working days.
    pub longest: u32,
}

/// What waits for a person.
#[derive(Clone, Debug)]
pub struct Todo {
    /// Open clocks by colour.
    pub counts: ClockCounts,
    /// The most urgent of them.
    pub clocks: ClockPage,
    /// Matters that wait for the person.
    pub matters: Vec<Matter>,
    /// Late submissions.
    pub late: Vec<LateLine>,
    /// Since when these are counted.
    pub late_since: Day,
}

impl Bureau {
    /// What waits for the person who acts.
    ///
    /// # Errors
    /// When nobody is signed in or the database fails.
    pub async fn todo(&self, act: &Act, clocks: u64) -> anyhow::Result<Todo> {
        let actor = act.signed_in()?;
        let today = self.today();
        let late_since = today.checked_sub_months(chrono::Months::new(LATE_MONTHS)).unwrap_or(today);
        let unit = unit_of(actor);
        let late = self.store().late_counts(unit, late_since, today).await?.into_iter().map(|late| LateLine {
            kind_title: words::kind_title(self.rulebook(), &late.kind, today),
            unit: late.unit,
            records: late.records,
            longest: late.longest,
        });
        Ok(Todo {
            counts: self.store().clock_counts(unit, today).await?,
            clocks: self.clocks(actor, Rules::All, None, clocks).await?,
            matters: self.matters_waiting(act, None, MATTERS).await?,
            late: late.collect(),
            late_since,
        })
    }

    /// Open clocks within the person's scope but for those of alerts, which have a page of their own; the most urgent
    /// first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_clocks(&self, actor: &Actor, after: Option<ClockPlace>, limit: u64) -> anyhow::Result<ClockPage> {
        self.clocks(actor, Rules::AllBut(ANSWER_TERM), after, limit).await
    }

    async fn clocks(
        &self,
        actor: &Actor,
        rules: Rules<'_>,
        after: Option<ClockPlace>,
        limit: u64,
    ) -> anyhow::Result<ClockPage> {
        let wanted = OpenClocks { unit: unit_of(actor), rules, after, limit };
        let listed = self.store().open_clocks(&wanted).await?;
        let next = listed.last().filter(|_| listed.len() as u64 == limit).map(ListedClock::place);
        Ok(ClockPage { lines: self.clock_lines(listed).await?, next })
    }

    pub(crate) async fn clock_lines(&self, listed: Vec<ListedClock>) -> anyhow::Result<Vec<ClockLine>> {
        let today = self.today();
        let rules: HashMap<String, DeadlineLine> =
            self.deadline_rules().await?.into_iter().map(|rule| (rule.id.clone(), rule)).collect();
        let keeper = ClockKeeper::new(self.rulebook());
        let deadlines = keeper.deadlines();
        let line = |ListedClock { clock, enterprise_name, document_number }: ListedClock| {
            let rule = rules.get(&clock.start.rule);
            let cite = rule.map(|rule| rule.cite.iter().map(ToString::to_string).collect::<Vec<_>>().join("、"));
            ClockLine {
                duty: rule.map_or_else(|| clock.start.rule.clone(), |rule| rule.duty.clone()),
                cite: cite.filter(|cite| !cite.is_empty()).unwrap_or_else(|| "本系统缺省".to_owned()),
                in_force: rule.is_some_and(|rule| rule.in_force),
                seq: clock.start.seq,
                kind_title: words::kind_title(self.rulebook(), &clock.start.kind, today),
                document_number,
                enterprise: clock
                    .start
                    .enterprise
                    .map(|code| (code, enterprise_name.unwrap_or_else(|| code.to_string()))),
                left: clock.working_days_left(today, deadlines.calendar()),
                colour: clock.colour(today).unwrap_or(Colour::Green),
                paused_since: match clock.state {
                    State::Paused { since } => Some(since),
                    _ => None,
                },
                ends_by_evidence: deadlines.ending_fields(&clock, PUBLICATION_EVIDENCE).is_some(),
                provisional: clock.provisional,
                started_on: clock.start.started_on,
                due_on: clock.due_on,
                owed_by: clock.start.owed_by,
                rule: clock.start.rule,
            }
        };
        Ok(listed.into_iter().map(line).collect())
    }
}

/// The unit whose clocks a person sees; none: the whole bureau's.
fn unit_of(actor: &Actor) -> Option<&str> {
    (actor.duties.scope() == Scope::Unit).then_some(actor.unit.as_str())
}
