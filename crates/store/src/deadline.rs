//! Clocks (期限) as they are kept: what they are, what happened to them, what reached us too late.

use std::collections::HashMap;

use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, Func, SimpleExpr};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use xinheng_core::credit_code::CreditCode;
use xinheng_core::deadline::{Clock, Effect, Event, LateSubmission, Started, State};
use xinheng_core::record::{Day, Seq};

use crate::entity::{deadline, deadline_event, enterprise, late_submission, projection_basis, record};
use crate::entry::day;
use crate::error::{Result, StoreError};
use crate::store::Store;
use crate::writing::Writing;

/// Most rows of a page.
const MOST_ROWS: u64 = 500;
/// Name of this projection in `projection_basis`.
pub(crate) const CLOCKS: &str = "deadline";

/// Which open clocks are wanted.
#[derive(Clone, Debug, Default)]
pub struct OpenClocks<'a> {
    /// Only those that this unit owes; absent: the whole bureau's.
    pub unit: Option<&'a str>,
    /// Of which rules.
    pub rules: Rules<'a>,
    /// Those after this place in the order.
    pub after: Option<ClockPlace>,
    /// How many at most.
    pub limit: u64,
}

/// Which rules' clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rules<'a> {
    /// Those of all.
    #[default]
    All,
    /// Those of this one.
    Only(&'a str),
    /// Those of all but this one.
    AllBut(&'a str),
}

/// Place in the order of open clocks: by last day, then rule and record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockPlace {
    /// Last day.
    pub due_on: Day,
    /// Rule.
    pub rule: String,
    /// Record.
    pub seq: Seq,
}

/// A clock with what a list shows beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedClock {
    /// The clock.
    pub clock: Clock,
    /// Name of the enterprise, once known.
    pub enterprise_name: Option<String>,
    /// 文号 of the record.
    pub document_number: Option<String>,
}

/// How many open clocks there are of each colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockCounts {
    /// With time left, or paused.
    pub green: u64,
    /// Soon due.
    pub yellow: u64,
    /// Due or overdue.
    pub red: u64,
}

/// Late submissions of a unit and kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LateCount {
    /// Unit.
    pub unit: String,
    /// Kind.
    pub kind: String,
    /// How many.
    pub records: u64,
    /// The longest delay, in working days.
    pub longest: u32,
}

impl ListedClock {
    /// Where the next page starts after this one.
    #[must_use]
    pub fn place(&self) -> ClockPlace {
        let Clock { start, due_on, .. } = &self.clock;
        ClockPlace { due_on: *due_on, rule: start.rule.clone(), seq: start.seq }
    }
}

impl Store {
    /// Open clocks by their last day, a page at a time. Three queries.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn open_clocks(&self, wanted: &OpenClocks<'_>) -> Result<Vec<ListedClock>> {
        use deadline::Column;
        let mut page = deadline::Entity::find()
            .filter(Column::EndedOn.is_null())
            .order_by_asc(Column::DueOn)
            .order_by_asc(Column::Rule)
            .order_by_asc(Column::Seq)
            .limit(Ord::min(wanted.limit, MOST_ROWS));
        if let Some(unit) = wanted.unit {
            page = page.filter(Column::OwedBy.eq(unit));
        }
        page = match wanted.rules {
            Rules::All => page,
            Rules::Only(rule) => page.filter(Column::Rule.eq(rule)),
            Rules::AllBut(rule) => page.filter(Column::Rule.ne(rule)),
        };
        if let Some(ClockPlace { due_on, rule, seq }) = &wanted.after {
            let due_on = due_on.to_string();
            let same_day = Condition::all().add(Column::DueOn.eq(&due_on));
            let later = Condition::any()
                .add(Column::DueOn.gt(&due_on))
                .add(same_day.clone().add(Column::Rule.gt(rule)))
                .add(same_day.add(Column::Rule.eq(rule)).add(Column::Seq.gt(seq.0)));
            page = page.filter(Column::DueOn.gte(due_on)).filter(later);
        }
        let rows = page.all(&self.connections.readers).await?;
        self.listed(rows.into_iter().map(read).collect::<Result<_>>()?).await
    }

    /// The clocks that records started. Three queries.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn clocks_of_records(&self, records: &[Seq]) -> Result<Vec<ListedClock>> {
        let rows = deadline::Entity::find()
            .filter(deadline::Column::Seq.is_in(records.iter().map(|seq| seq.0)))
            .order_by_asc(deadline::Column::Seq)
            .order_by_asc(deadline::Column::Rule)
            .all(&self.connections.readers)
            .await?;
        self.listed(rows.into_iter().map(read).collect::<Result<_>>()?).await
    }

    async fn listed(&self, clocks: Vec<Clock>) -> Result<Vec<ListedClock>> {
        let readers = &self.connections.readers;
        let documents: HashMap<i64, Option<String>> = record::Entity::find()
            .select_only()
            .column(record::Column::Seq)
            .column(record::Column::DocumentNumber)
            .filter(record::Column::Seq.is_in(clocks.iter().map(|clock| clock.start.seq.0)))
            .into_tuple::<(i64, Option<String>)>()
            .all(readers)
            .await?
            .into_iter()
            .collect();
        let codes = clocks.iter().filter_map(|clock| clock.start.enterprise.map(|code| code.to_string()));
        let names: HashMap<String, Option<String>> = enterprise::Entity::find()
            .select_only()
            .column(enterprise::Column::Code)
            .column(enterprise::Column::Name)
            .filter(enterprise::Column::Code.is_in(codes))
            .into_tuple::<(String, Option<String>)>()
            .all(readers)
            .await?
            .into_iter()
            .collect();
        let listed = |clock: Clock| ListedClock {
            enterprise_name: clock.start.enterprise.and_then(|code| names.get(code.as_str()).cloned().flatten()),
            document_number: documents.get(&clock.start.seq.0).cloned().flatten(),
            clock,
        };
        Ok(clocks.into_iter().map(listed).collect())
    }

    /// How many open clocks of each colour a unit, or the bureau, has on a day. One query.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn clock_counts(&self, unit: Option<&str>, on: Day) -> Result<ClockCounts> {
        use deadline::Column;
        let on = on.to_string();
        let runs_and = |condition: SimpleExpr| counted(ExprTrait::and(Column::PausedOn.is_null(), condition));
        let mut open = deadline::Entity::find()
            .select_only()
            .column_as(Column::Seq.count(), "open")
            .column_as(runs_and(Column::YellowOn.lte(&on)), "yellow_or_red")
            .column_as(runs_and(Column::RedOn.lte(&on)), "red")
            .filter(Column::EndedOn.is_null());
        if let Some(unit) = unit {
            open = open.filter(Column::OwedBy.eq(unit));
        }
        let row: Option<(i64, i64, i64)> = open.into_tuple().one(&self.connections.readers).await?;
        let (open, yellow_or_red, red) = row.unwrap_or_default();
        let count = |number: i64| number.unsigned_abs();
        Ok(ClockCounts { green: count(open - yellow_or_red), yellow: count(yellow_or_red - red), red: count(red) })
    }

    /// Late submissions that reached us in an interval, by unit and kind. One query.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn late_counts(&self, unit: Option<&str>, from: Day, until: Day) -> Result<Vec<LateCount>> {
        use late_submission::Column;
        let mut late = late_submission::Entity::find()
            .select_only()
            .column(Column::Unit)
            .column(Column::Kind)
            .column_as(Column::Seq.count(), "records")
            .column_as(Column::DaysLate.max(), "longest")
            .filter(Column::ReceivedOn.gte(from.to_string()))
            .filter(Column::ReceivedOn.lte(until.to_string()))
            .group_by(Column::Unit)
            .group_by(Column::Kind)
            .order_by_asc(Column::Unit)
            .order_by_asc(Column::Kind);
        if let Some(unit) = unit {
            late = late.filter(Column::Unit.eq(unit));
        }
        let rows: Vec<(String, String, i64, i64)> = late.into_tuple().all(&self.connections.readers).await?;
        Ok(rows
            .into_iter()
            .map(|(unit, kind, records, longest)| LateCount {
                unit,
                kind,
                records: records.unsigned_abs(),
                longest: u32::try_from(longest).unwrap_or(u32::MAX),
            })
            .collect())
    }

    /// Late submissions one by one, the newest first, those before a seq.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn late_submissions(
        &self,
        unit: Option<&str>,
        before: Option<Seq>,
        limit: u64,
    ) -> Result<Vec<LateSubmission>> {
        use late_submission::Column;
        let mut late = late_submission::Entity::find().order_by_desc(Column::Seq).limit(Ord::min(limit, MOST_ROWS));
        if let Some(unit) = unit {
            late = late.filter(Column::Unit.eq(unit));
        }
        if let Some(before) = before {
            late = late.filter(Column::Seq.lt(before.0));
        }
        let rows = late.all(&self.connections.readers).await?;
        rows.into_iter()
            .map(|row| {
                Ok(LateSubmission {
                    seq: Seq(row.seq),
                    kind: row.kind,
                    unit: row.unit,
                    formed_on: late_day(&row.formed_on)?,
                    due_on: late_day(&row.due_on)?,
                    received_on: late_day(&row.received_on)?,
                    days_late: u32::try_from(row.days_late).unwrap_or_default(),
                    provisional: row.provisional,
                })
            })
            .collect()
    }

    /// Version of the rulebook that the clocks were computed with; none before the first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn clocks_computed_with(&self) -> Result<Option<String>> {
        let row = projection_basis::Entity::find_by_id(CLOCKS).one(&self.connections.readers).await?;
        Ok(row.map(|row| row.rulebook))
    }
}

type ClockRow = (
    String,
    i64,
    String,
    String,
    Option<String>,
    String,
    String,
    Option<String>,
    String,
    bool,
    Option<String>,
    Option<String>,
    bool,
    String,
    String,
);

const CLOCK: &str = "d.rule, d.seq, d.kind, d.match_key, d.enterprise, d.owed_by, d.started_on, d.done_on, d.due_on, \
                     d.provisional, d.paused_on, d.ended_on, d.in_time, d.yellow_on, d.red_on";

type EventRow = (String, i64, String, String, Option<String>);

const EVENT: &str = "e.match_key, e.seq, e.effect, e.happened_on, e.enterprise";

impl Writing {
    /// The clocks with these keys.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn clocks(&mut self, keys: &[String]) -> Result<Vec<Clock>> {
        let sql = format!("SELECT {CLOCK} FROM {{keys}} AS k CROSS JOIN deadline AS d WHERE d.match_key = k.value");
        self.read_clocks(&sql, keys).await
    }

    /// The clocks that these records started.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn clocks_started_by(&mut self, records: &[Seq]) -> Result<Vec<Clock>> {
        let sql =
            format!("SELECT {CLOCK} FROM {{keys}} AS k CROSS JOIN deadline AS d WHERE d.seq = CAST(k.value AS BIGINT)");
        self.read_clocks(&sql, &texts(records)).await
    }

    async fn read_clocks(&mut self, sql: &str, keys: &[String]) -> Result<Vec<Clock>> {
        let rows: Vec<ClockRow> = self.transaction.look_up(sql, &[], keys).await?;
        rows.into_iter()
            .map(|row| {
                read(deadline::Model {
                    rule: row.0,
                    seq: row.1,
                    kind: row.2,
                    match_key: row.3,
                    enterprise: row.4,
                    owed_by: row.5,
                    started_on: row.6,
                    done_on: row.7,
                    due_on: row.8,
                    provisional: row.9,
                    paused_on: row.10,
                    ended_on: row.11,
                    in_time: row.12,
                    yellow_on: row.13,
                    red_on: row.14,
                })
            })
            .collect()
    }

    /// What happened to the clocks with these keys.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn clock_events(&mut self, keys: &[String]) -> Result<Vec<Event>> {
        let sql =
            format!("SELECT {EVENT} FROM {{keys}} AS k CROSS JOIN deadline_event AS e WHERE e.match_key = k.value");
        self.read_events(&sql, keys).await
    }

    /// What these records did to clocks.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn clock_events_of(&mut self, records: &[Seq]) -> Result<Vec<Event>> {
        let sql = format!(
            "SELECT {EVENT} FROM {{keys}} AS k CROSS JOIN deadline_event AS e WHERE e.seq = CAST(k.value AS BIGINT)"
        );
        self.read_events(&sql, &texts(records)).await
    }

    async fn read_events(&mut self, sql: &str, keys: &[String]) -> Result<Vec<Event>> {
        let rows: Vec<EventRow> = self.transaction.look_up(sql, &[], keys).await?;
        rows.into_iter()
            .map(|(key, seq, effect, on, enterprise)| {
                let damaged = || StoreError::DamagedProjection { table: "deadline_event" };
                Ok(Event {
                    key,
                    seq: Seq(seq),
                    effect: Effect::ALL.into_iter().find(|one| one.name() == effect).ok_or_else(damaged)?,
                    on: day(&on).ok_or_else(damaged)?,
                    enterprise: code(enterprise).ok_or_else(damaged)?,
                })
            })
            .collect()
    }

    /// Puts clocks on record, in place of what was known of them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write_clocks(&mut self, clocks: Vec<Clock>) -> Result<()> {
        self.transaction.replace(clocks.into_iter().map(row).collect::<Vec<_>>()).await
    }

    /// Puts on record what happened to clocks.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write_clock_events(&mut self, events: Vec<Event>) -> Result<()> {
        let row = |event: Event| deadline_event::Model {
            match_key: event.key,
            seq: event.seq.0,
            effect: event.effect.name().to_owned(),
            happened_on: event.on.to_string(),
            enterprise: event.enterprise.map(|code| code.to_string()),
        };
        self.transaction.replace(events.into_iter().map(row).collect::<Vec<_>>()).await
    }

    /// Takes back what records did to clocks: those they started, and what happened by them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_clocks_of(&mut self, records: &[Seq]) -> Result<()> {
        let records = texts(records);
        for table in ["deadline", "deadline_event"] {
            let sql = format!("DELETE FROM {table} WHERE seq IN (SELECT CAST(value AS BIGINT) FROM {{keys}} AS k)");
            self.transaction.execute(&sql, &[], &records).await?;
        }
        Ok(())
    }

    /// Puts late submissions on record.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write_late(&mut self, late: Vec<LateSubmission>) -> Result<()> {
        let row = |late: LateSubmission| late_submission::Model {
            seq: late.seq.0,
            kind: late.kind,
            unit: late.unit,
            formed_on: late.formed_on.to_string(),
            due_on: late.due_on.to_string(),
            received_on: late.received_on.to_string(),
            days_late: late.days_late.into(),
            provisional: late.provisional,
        };
        self.transaction.insert(late.into_iter().map(row).collect::<Vec<_>>()).await
    }

    /// Says which rulebook all clocks were computed with, unless one has been named: it then still holds
    /// for the clocks before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn name_basis_of_clocks(&mut self, rulebook: &str) -> Result<()> {
        if self.basis_of_clocks.is_some() {
            return Ok(());
        }
        self.basis_of_clocks = Some(rulebook.to_owned());
        let row = projection_basis::Model { projection: CLOCKS.to_owned(), rulebook: rulebook.to_owned() };
        self.transaction.insert(vec![row]).await
    }

    /// Empties what is known of clocks, to be computed again from the ledger.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn clear_clocks(&mut self) -> Result<()> {
        for table in ["deadline", "deadline_event", "late_submission"] {
            self.transaction.execute(&format!("DELETE FROM {table}"), &[], &[]).await?;
        }
        self.basis_of_clocks = None;
        let sql = "DELETE FROM projection_basis WHERE projection IN {keys}";
        self.transaction.execute(sql, &[], &[CLOCKS.to_owned()]).await
    }
}

/// How many rows fulfil a condition, within the one query.
fn counted(condition: SimpleExpr) -> SimpleExpr {
    Func::count(CaseStatement::new().case(condition, Expr::val(1))).into()
}

fn texts(records: &[Seq]) -> Vec<String> {
    records.iter().map(ToString::to_string).collect()
}

fn row(clock: Clock) -> deadline::Model {
    let Clock { start, due_on, provisional, state, yellow_on, red_on } = clock;
    let (paused_on, ended_on, in_time) = match state {
        State::Running => (None, None, false),
        State::Paused { since } => (Some(since), None, false),
        State::Ended { on, in_time } => (None, Some(on), in_time),
    };
    let text = |day: Day| day.to_string();
    deadline::Model {
        rule: start.rule,
        seq: start.seq.0,
        kind: start.kind,
        match_key: start.key,
        enterprise: start.enterprise.map(|code| code.to_string()),
        owed_by: start.owed_by,
        started_on: text(start.started_on),
        done_on: start.done_on.map(text),
        due_on: text(due_on),
        provisional,
        paused_on: paused_on.map(text),
        ended_on: ended_on.map(text),
        in_time,
        yellow_on: text(yellow_on),
        red_on: text(red_on),
    }
}

fn read(row: deadline::Model) -> Result<Clock> {
    let damaged = || StoreError::DamagedProjection { table: "deadline" };
    let needed = |text: &str| day(text).ok_or_else(damaged);
    let optional = |text: Option<String>| text.map(|text| needed(&text)).transpose();
    let state = match (optional(row.paused_on)?, optional(row.ended_on)?) {
        (None, None) => State::Running,
        (Some(since), None) => State::Paused { since },
        (_, Some(on)) => State::Ended { on, in_time: row.in_time },
    };
    Ok(Clock {
        start: Started {
            rule: row.rule,
            seq: Seq(row.seq),
            kind: row.kind,
            key: row.match_key,
            enterprise: code(row.enterprise).ok_or_else(damaged)?,
            owed_by: row.owed_by,
            started_on: needed(&row.started_on)?,
            done_on: optional(row.done_on)?,
        },
        due_on: needed(&row.due_on)?,
        provisional: row.provisional,
        state,
        yellow_on: needed(&row.yellow_on)?,
        red_on: needed(&row.red_on)?,
    })
}

/// The credit code in a column; `None` when it is none, although something is there.
fn code(text: Option<String>) -> Option<Option<CreditCode>> {
    text.map(|text| CreditCode::parse(&text).ok()).map_or(Some(None), |code| code.map(Some))
}

fn late_day(text: &str) -> Result<Day> {
    day(text).ok_or(StoreError::DamagedProjection { table: "late_submission" })
}
