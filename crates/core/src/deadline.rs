//! Deadline (期限): clocks that records of the ledger start, pause, resume and end. Everything here
//! follows from the records and the rulebook; nothing is set by hand.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use crate::calendar::{Calendar, CalendarDays, Due, WorkingDays};
use crate::credit_code::CreditCode;
use crate::publicity::is_to_be_published;
use crate::record::{Day, Record, Seq, Value};
use crate::rulebook::deadlines::{Alerts, DeadlineRule};
use crate::rulebook::kind::{EndedBy, Kind, Term, TermUnit};
use crate::rulebook::load::Rulebook;
use crate::rulebook::model::Condition;
use crate::score::fulfils;

/// Between the parts of a key.
const SEPARATOR: char = '\u{1f}';

/// What started a clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// Id of the rule: `penalty_publication`.
    pub rule: String,
    /// The record that started it.
    pub seq: Seq,
    /// Kind of that record.
    pub kind: String,
    /// Rule and matched values: what an event must have too.
    pub key: String,
    /// Whose record it is, once known.
    pub enterprise: Option<CreditCode>,
    /// Unit that owes it.
    pub owed_by: String,
    /// The day it is counted from.
    pub started_on: Day,
    /// The day on which it was done, when the record itself says so.
    pub done_on: Option<Day>,
}

/// Something that happened to the clocks of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Rule and matched values.
    pub key: String,
    /// The record that says so.
    pub seq: Seq,
    /// What it does.
    pub effect: Effect,
    /// When.
    pub on: Day,
    /// Whose record it is, once known.
    pub enterprise: Option<CreditCode>,
}

/// What an event does to a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// It is done.
    End,
    /// The clock stands still.
    Pause,
    /// It goes on.
    Resume,
}

/// A clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    /// What started it.
    pub start: Started,
    /// The last day. While the clock pauses: as it would be without the pause.
    pub due_on: Day,
    /// Whether a day of a year without a holiday notice was counted: to be computed again.
    pub provisional: bool,
    /// How it stands.
    pub state: State,
    /// The first day on which it is yellow, if it is still open.
    pub yellow_on: Day,
    /// The first day on which it is red, if it is still open.
    pub red_on: Day,
}

/// How a clock stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It runs.
    Running,
    /// It stands still.
    Paused {
        /// Since this day, which itself still counted.
        since: Day,
    },
    /// It was done.
    Ended {
        /// When.
        on: Day,
        /// Whether not later than the last day.
        in_time: bool,
    },
}

/// How urgent an open clock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Colour {
    /// There is time.
    Green,
    /// Soon due.
    Yellow,
    /// Due or overdue.
    Red,
}

/// A record that reached us too late (逾期报送).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LateSubmission {
    /// The record.
    pub seq: Seq,
    /// Its kind.
    pub kind: String,
    /// Unit that handed it in.
    pub unit: String,
    /// The day on which it was formed.
    pub formed_on: Day,
    /// The last day for handing it in.
    pub due_on: Day,
    /// The day on which it reached us.
    pub received_on: Day,
    /// Working days too late.
    pub days_late: u32,
    /// Whether a day of a year without a holiday notice was counted.
    pub provisional: bool,
}

/// What one record does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Clocks it starts.
    pub starts: Vec<Started>,
    /// Clocks it ends, pauses or resumes.
    pub events: Vec<Event>,
    /// That it came too late.
    pub late: Option<LateSubmission>,
}

/// The rules of a rulebook that concern clocks, made ready once.
pub struct Deadlines<'a> {
    rulebook: &'a Rulebook,
    calendar: Calendar,
    /// Kind → rules that it starts clocks of.
    starting: HashMap<&'a str, Vec<&'a DeadlineRule>>,
    /// Kind → what it does to clocks of which rule.
    touching: HashMap<&'a str, Vec<(&'a DeadlineRule, &'a EndedBy, Effect)>>,
    /// Kinds that a unit owes within a term.
    owed: HashSet<&'a str>,
}

impl<'a> Deadlines<'a> {
    /// Makes the rules ready.
    #[must_use]
    pub fn new(rulebook: &'a Rulebook) -> Self {
        let mut starting: HashMap<&str, Vec<_>> = HashMap::new();
        let mut touching: HashMap<&str, Vec<_>> = HashMap::new();
        for rule in rulebook.all_deadlines() {
            starting.entry(&rule.starts.kind).or_default().push(rule);
            let events = [(&rule.ends, Effect::End), (&rule.pauses, Effect::Pause), (&rule.resumes, Effect::Resume)];
            for (event, effect) in events.into_iter().flat_map(|(all, effect)| all.iter().map(move |one| (one, effect)))
            {
                touching.entry(&event.kind).or_default().push((rule, event, effect));
            }
        }
        let owed = rulebook.all_kinds().filter(|kind| kind.submit_within.is_some());
        let owed = owed.map(|kind| kind.rule.id.value.as_str()).collect();
        Self { rulebook, calendar: rulebook.calendar(), starting, touching, owed }
    }

    /// Whether records of a kind do anything to clocks. Others cost nothing.
    #[must_use]
    pub fn concern(&self, kind: &str) -> bool {
        self.starting.contains_key(kind) || self.touching.contains_key(kind) || self.owed.contains(kind)
    }

    /// Working days, as these rules count them.
    #[must_use]
    pub fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// What a record does. A withdrawal does nothing of its own: it undoes what the withdrawn record did.
    #[must_use]
    pub fn effects(&self, record: &Record) -> Effects {
        let received_on = record.received_at.day_in_china();
        let id = record.kind.as_str();
        if record.withdrawn || !self.concern(id) {
            return Effects::default();
        }
        let Some(kind) = self.rulebook.kind(id, received_on) else { return Effects::default() };
        let formed_on = kind.formed_on(record);
        let is_history = kind.history_after.is_some_and(|period| period.last_day_from(formed_on) < received_on);
        let starts = self.starting.get(id).into_iter().flatten();
        let touches = self.touching.get(id).into_iter().flatten();
        Effects {
            starts: starts
                .filter(|rule| !is_history && rule.rule.in_force(formed_on) && starts_clock(rule, kind, record))
                .map(|rule| started(rule, formed_on, received_on, record))
                .collect(),
            events: touches
                .filter(|(_, event, _)| {
                    event.conditions.iter().all(|condition| fulfils(condition, kind, &record.payload))
                })
                .filter_map(|(rule, event, effect)| {
                    let key =
                        key(rule, event.matching.iter().map(|(own, other)| (own.as_str(), other.as_str())), record)?;
                    let (seq, on, enterprise) = (record.seq, record.occurred_on, record.enterprise);
                    Some(Event { key, seq, effect: *effect, on, enterprise })
                })
                .collect(),
            // Another version of what we had, or its correction, is not late.
            late: kind
                .submit_within
                .as_ref()
                .filter(|_| !is_history && record.supersedes.is_none())
                .and_then(|term| self.late(term, formed_on, received_on, record)),
        }
    }

    /// The fields that a record of a kind must have to end a clock; none when records of that kind do not, or
    /// when the record that started it lacks what they match on.
    #[must_use]
    pub fn ending_fields(&self, clock: &Clock, kind: &str) -> Option<BTreeMap<String, Value>> {
        let start = &clock.start;
        let rules = self.starting.get(start.kind.as_str())?;
        let rule = rules.iter().rfind(|rule| rule.rule.id.value == start.rule)?;
        let event = rule.ends.iter().find(|event| event.kind == kind)?;
        let values: Vec<&str> = start.key.split(SEPARATOR).skip(1).collect();
        if values.len() != event.matching.len() {
            return None;
        }
        let text = |text: &str| Value::from(text);
        let matched = event.matching.values().cloned().zip(values.into_iter().map(text));
        let single = |condition: &Condition| match condition.one_of.as_deref() {
            Some([only]) => Some((condition.field.clone(), text(only))),
            _ => None,
        };
        Some(matched.chain(event.conditions.iter().filter_map(single)).collect())
    }

    fn late(&self, term: &Term, formed_on: Day, received_on: Day, record: &Record) -> Option<LateSubmission> {
        let Due { day: due_on, provisional } = self.calendar.due(formed_on, term);
        if received_on <= due_on {
            return None;
        }
        let late = self.calendar.working_days(due_on, received_on);
        Some(LateSubmission {
            seq: record.seq,
            kind: record.kind.to_string(),
            unit: record.source_unit.to_string(),
            formed_on,
            due_on,
            received_on,
            days_late: late.count.unsigned_abs(),
            provisional: provisional || late.provisional,
        })
    }

    /// The clock that was started, after all that happened to its key. The events may be in any order, and
    /// others among them.
    ///
    /// `None` when no rule of the name was in force on the day it is counted from.
    #[must_use]
    pub fn clock(&self, start: Started, events: &[Event]) -> Option<Clock> {
        let rules = self.starting.get(start.kind.as_str())?;
        let mut named = rules.iter().filter(|rule| rule.rule.id.value == start.rule);
        let rule = named.clone().find(|rule| rule.rule.in_force(start.started_on)).or_else(|| named.next_back())?;
        let mut happened: Vec<(Day, Seq, Effect)> = events
            .iter()
            .filter(|event| event.key == start.key && event.on >= start.started_on)
            .filter(|event| {
                event.enterprise.is_none() || start.enterprise.is_none() || event.enterprise == start.enterprise
            })
            .map(|event| (event.on, event.seq, event.effect))
            .chain(start.done_on.map(|on| (on.max(start.started_on), start.seq, Effect::End)))
            .collect();
        happened.sort_unstable();
        let mut due = self.calendar.due(start.started_on, &rule.term);
        let mut state = State::Running;
        let mut left = 0;
        for (on, _, effect) in happened {
            match (state, effect) {
                (State::Running, Effect::End) => state = State::Ended { on, in_time: on <= due.day },
                (State::Paused { .. }, Effect::End) => state = State::Ended { on, in_time: left >= 0 },
                (State::Running, Effect::Pause) => {
                    left = self.left(&rule.term, on, due.day);
                    state = State::Paused { since: on };
                }
                (State::Paused { .. }, Effect::Resume) => {
                    due = self.resumed(&rule.term, on, left, due);
                    state = State::Running;
                }
                _ => {}
            }
        }
        let Alerts { yellow, red } = rule.alerts;
        let alert = |left| self.calendar.first_day_with_at_most(WorkingDays(left), due.day);
        let (yellow, red) = (alert(yellow), alert(red));
        Some(Clock { start, due_on: due.day, provisional: due.provisional, state, yellow_on: yellow, red_on: red })
    }

    /// What is left of a term, in its own days; below zero when it is over.
    fn left(&self, term: &Term, on: Day, due: Day) -> i32 {
        match term.unit {
            TermUnit::WorkingDays => self.calendar.working_days(on, due).count,
            _ => i32::try_from((due - on).num_days()).unwrap_or(i32::MAX),
        }
    }

    /// The last day after a pause. What was overdue stays overdue.
    fn resumed(&self, term: &Term, on: Day, left: i32, before: Due) -> Due {
        let Ok(left) = u32::try_from(left) else { return before };
        let Due { day, provisional } = match term.unit {
            TermUnit::WorkingDays => self.calendar.after_working_days(on, WorkingDays(left)),
            _ => Due { day: CalendarDays(left).after(on), provisional: false },
        };
        Due { day, provisional: provisional || before.provisional }
    }
}

fn starts_clock(rule: &DeadlineRule, kind: &Kind, record: &Record) -> bool {
    let start = &rule.starts;
    start.conditions.iter().all(|condition| fulfils(condition, kind, &record.payload))
        && (!start.published || is_to_be_published(record, kind))
}

fn started(rule: &DeadlineRule, formed_on: Day, received_on: Day, record: &Record) -> Started {
    let start = &rule.starts;
    let named = start.from.as_ref().and_then(|field| record.payload.day(field));
    let fields = rule.events().next().into_iter().flat_map(|event| event.matching.keys());
    let fields = fields.map(|own| (own.as_str(), own.as_str()));
    Started {
        rule: rule.rule.id.value.clone(),
        seq: record.seq,
        kind: record.kind.to_string(),
        // A record without what events match on is nobody's to end.
        key: key(rule, fields, record).unwrap_or_else(|| format!("{}#{}", rule.rule.id.value, record.seq)),
        enterprise: record.enterprise,
        owed_by: rule.owed_by.clone().unwrap_or_else(|| record.source_unit.to_string()),
        started_on: if start.from_received { received_on } else { named.unwrap_or(formed_on) },
        done_on: rule.done_on.as_ref().and_then(|field| record.payload.day(field)),
    }
}

/// Rule and values of the fields that must be equal, in the order of the starting record's.
fn key<'f>(rule: &DeadlineRule, fields: impl Iterator<Item = (&'f str, &'f str)>, record: &Record) -> Option<String> {
    let mut key = rule.rule.id.value.clone();
    for (_, field) in fields {
        key.push(SEPARATOR);
        key.push_str(&record.payload.get(field)?.to_string());
    }
    Some(key)
}

impl Clock {
    /// Whether it is still owed.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !matches!(self.state, State::Ended { .. })
    }

    /// How urgent it is on a day; none once it ended. A clock that pauses is not urgent.
    #[must_use]
    pub fn colour(&self, day: Day) -> Option<Colour> {
        match self.state {
            State::Ended { .. } => None,
            State::Paused { .. } => Some(Colour::Green),
            State::Running if day >= self.red_on => Some(Colour::Red),
            State::Running if day >= self.yellow_on => Some(Colour::Yellow),
            State::Running => Some(Colour::Green),
        }
    }

    /// Working days left on a day, the last day counted and the day itself not; below zero: so many too late.
    #[must_use]
    pub fn working_days_left(&self, day: Day, calendar: &Calendar) -> i32 {
        calendar.working_days(day, self.due_on).count
    }
}

impl Effect {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::End, Self::Pause, Self::Resume];

    /// Its name in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::End => "end",
            Self::Pause => "pause",
            Self::Resume => "resume",
        }
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Green => "正常",
            Self::Yellow => "临期",
            Self::Red => "到期或逾期",
        })
    }
}
