//! Approvals (审批) as they are kept: every step is a record; matters and their stages follow from them.

use std::collections::BTreeMap;

use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use xinheng_core::approval::{Action, Capacity, Stage, Step};
use xinheng_core::record::{Moment, Payload, Record, Seq, Value};

use crate::bulk::Transaction;
use crate::entity::{matter, matter_step, matter_target};
use crate::error::{Result, StoreError};
use crate::statement::Sql;
use crate::store::Store;
use crate::writing::Writing;

/// Kind of the record that a step of an approval is.
pub const APPROVAL_STEP: &str = "approval_step";

/// Most rows of a page.
const MOST_ROWS: u64 = 500;

/// A matter of approval (审批事项), as its last step left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matter {
    /// Its number: the seq of its first step.
    pub number: Seq,
    /// Id of its procedure.
    pub procedure: String,
    /// What it is about, in a line.
    pub subject: String,
    /// Unit of whoever handles it.
    pub unit: String,
    /// Staff number of whoever handles it.
    pub handler: i64,
    /// Where it stands.
    pub stage: Stage,
    /// When it was opened.
    pub opened_at: Moment,
    /// The seq of its last step.
    pub last: Seq,
    /// What is proposed, as JSON.
    pub proposal: String,
}

/// A step to be put on record.
#[derive(Clone, Debug)]
pub struct NewStep<'a> {
    /// The matter: the seq that the record itself will have, when it opens one.
    pub matter: Seq,
    /// Id of its procedure.
    pub procedure: &'a str,
    /// What was done.
    pub action: Action,
    /// Where the matter stands then.
    pub stage: Stage,
    /// Staff number of whoever did it.
    pub person: i64,
    /// The person's unit.
    pub unit: &'a str,
    /// 意见
    pub opinion: Option<&'a str>,
    /// What is proposed; of a submission only.
    pub proposed: Option<Proposed<'a>>,
}

/// What a submission proposes.
#[derive(Clone, Copy, Debug)]
pub struct Proposed<'a> {
    /// What the matter is about, in a line.
    pub subject: &'a str,
    /// What it acts on: nothing is in two open matters.
    pub targets: &'a [String],
    /// The content, as JSON.
    pub content: &'a str,
}

/// Matters that wait for a person.
#[derive(Clone, Debug)]
pub struct Waiting<'a> {
    /// Stages in which the person may act.
    pub stages: &'a [Stage],
    /// Only the matters of this unit; absent: of the whole bureau.
    pub unit: Option<&'a str>,
    /// The person: matters that it took another part in do not wait for it, nor those that came back to
    /// somebody else.
    pub person: i64,
    /// Those after this number.
    pub after: Option<Seq>,
    /// How many at most.
    pub limit: u64,
}

impl NewStep<'_> {
    /// The fields of its record.
    #[must_use]
    pub fn payload(&self) -> Payload {
        let text = |text: &str| Value::from(text);
        let mut fields = Payload::from_iter([
            ("matter", Value::Integer(self.matter.0)),
            ("procedure", text(self.procedure)),
            ("action", text(self.action.name())),
            ("stage", text(self.stage.name())),
            ("person", Value::Integer(self.person)),
            ("unit", text(self.unit)),
        ]);
        fields.extend(self.opinion.map(|opinion| ("opinion", text(opinion))));
        if let Some(proposed) = self.proposed {
            fields.insert("subject", text(proposed.subject));
            fields.insert("targets", text(&proposed.targets.join("\n")));
            fields.insert("proposal", text(proposed.content));
        }
        fields
    }
}

impl Store {
    /// Matters that wait for a person, the oldest first. One query.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn matters_waiting(&self, waiting: &Waiting<'_>) -> Result<Vec<Matter>> {
        use matter::Column;
        // Who acted in another capacity is not waited for; a matter that came back waits for its handler.
        let may_act = |stage: Stage| {
            let of_stage = Condition::all().add(Column::Stage.eq(stage.name()));
            let Some(capacity) = stage.capacity().filter(|capacity| *capacity != Capacity::Handler) else {
                return of_stage.add(Column::Handler.eq(waiting.person));
            };
            let other_part = Query::select()
                .column(matter_step::Column::Matter)
                .from(matter_step::Entity)
                .and_where(matter_step::Column::Person.eq(waiting.person))
                .and_where(matter_step::Column::Capacity.ne(capacity.name()))
                .take();
            of_stage.add(Column::Number.not_in_subquery(other_part))
        };
        let for_person = waiting.stages.iter().fold(Condition::any(), |any, stage| any.add(may_act(*stage)));
        let mut page =
            matter::Entity::find().filter(for_person).order_by_asc(Column::Number).limit(waiting.limit.min(MOST_ROWS));
        if let Some(unit) = waiting.unit {
            page = page.filter(Column::Unit.eq(unit));
        }
        if let Some(after) = waiting.after {
            page = page.filter(Column::Number.gt(after.0));
        }
        page.all(&self.connections.readers).await?.into_iter().map(read).collect()
    }

    /// The open matter that acts on something.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_matter_of(&self, target: &str) -> Result<Option<Seq>> {
        let mut sql = Sql::new(
            "SELECT t.matter FROM matter_target AS t JOIN matter AS m ON m.number = t.matter \
             WHERE m.stage IN ('handling', 'reviewing', 'approving') AND t.target = ",
        );
        let rows = sql.bind(target).all(&self.connections.readers).await?;
        Ok(rows.first().map(|row| row.try_get_by_index(0)).transpose()?.map(Seq))
    }

    /// A matter with its steps, from the first. Two queries.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn matter(&self, number: Seq) -> Result<Option<(Matter, Vec<Step>)>> {
        let readers = &self.connections.readers;
        let Some(row) = matter::Entity::find_by_id(number.0).one(readers).await? else { return Ok(None) };
        let steps = matter_step::Entity::find()
            .filter(matter_step::Column::Matter.eq(number.0))
            .order_by_asc(matter_step::Column::Seq)
            .all(readers)
            .await?;
        let steps = steps.into_iter().map(step).collect::<Result<_>>()?;
        Ok(Some((read(row)?, steps)))
    }
}

type MatterRow = (i64, String, String, String, i64, String, i64, i64, String);
type StepRow = (i64, i64, String, String, String, i64, i64, Option<String>);

const MATTER: &str = "m.number, m.procedure, m.subject, m.unit, m.handler, m.stage, m.opened_at, m.last, m.proposal";

impl Writing {
    /// A matter with its steps, as it stands while nobody else can change it.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn matter(&mut self, number: Seq) -> Result<Option<(Matter, Vec<Step>)>> {
        self.settle().await?;
        let Some(row) = rows(&mut self.transaction, &[number]).await?.pop() else { return Ok(None) };
        let steps: Vec<StepRow> = self
            .transaction
            .look_up(
                "SELECT seq, matter, action, capacity, stage, person, at, opinion FROM matter_step \
                 WHERE matter = $1 ORDER BY seq",
                &[number.0],
                &[],
            )
            .await?;
        let steps = steps.into_iter().map(|(seq, matter, action, capacity, stage, person, at, opinion)| {
            step(matter_step::Model { seq, matter, action, capacity, stage, person, at, opinion })
        });
        Ok(Some((read(row)?, steps.collect::<Result<_>>()?)))
    }

    /// Which of these targets are in a matter that is still open, with its number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn targets_in_open_matters(&mut self, targets: &[String]) -> Result<Vec<(String, Seq)>> {
        self.settle().await?;
        let rows: Vec<(String, i64)> = self
            .transaction
            .look_up(
                "SELECT t.target, t.matter FROM {keys} AS k CROSS JOIN matter_target AS t \
                 JOIN matter AS m ON m.number = t.matter \
                 WHERE t.target = k.value AND m.stage IN ('handling', 'reviewing', 'approving') ORDER BY t.matter",
                &[],
                targets,
            )
            .await?;
        Ok(rows.into_iter().map(|(target, matter)| (target, Seq(matter))).collect())
    }
}

async fn rows(transaction: &mut Transaction, numbers: &[Seq]) -> Result<Vec<matter::Model>> {
    let keys: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    let sql =
        format!("SELECT {MATTER} FROM {{keys}} AS k CROSS JOIN matter AS m WHERE m.number = CAST(k.value AS BIGINT)");
    let rows: Vec<MatterRow> = transaction.look_up(&sql, &[], &keys).await?;
    Ok(rows
        .into_iter()
        .map(|(number, procedure, subject, unit, handler, stage, opened_at, last, proposal)| matter::Model {
            number,
            procedure,
            subject,
            unit,
            handler,
            stage,
            opened_at,
            last,
            proposal,
        })
        .collect())
}

/// Carries steps into the projections. They are few: most batches have none.
pub(crate) async fn project(transaction: &mut Transaction, steps: &[Record]) -> Result<()> {
    if steps.is_empty() {
        return Ok(());
    }
    let number = |record: &Record| record.payload.integer("matter").map(Seq).unwrap_or(record.seq);
    let numbers: Vec<Seq> = steps.iter().map(number).collect();
    let known = rows(transaction, &numbers).await?;
    let mut matters: BTreeMap<i64, matter::Model> = known.into_iter().map(|row| (row.number, row)).collect();
    let mut targets: BTreeMap<i64, Vec<matter_target::Model>> = BTreeMap::new();
    let mut taken = Vec::with_capacity(steps.len());
    for record in steps {
        let matter = number(record).0;
        let text = |field: &str| record.payload.text(field).unwrap_or_default().to_owned();
        let person = record.payload.integer("person").unwrap_or_default();
        let row = matters.entry(matter).or_insert_with(|| matter::Model {
            number: matter,
            procedure: text("procedure"),
            subject: String::new(),
            unit: text("unit"),
            handler: person,
            stage: String::new(),
            opened_at: record.received_at.micros(),
            last: 0,
            proposal: String::new(),
        });
        let capacity = Action::parse(&text("action")).map(|action| action.capacity(Stage::parse(&row.stage)));
        row.stage = text("stage");
        row.last = record.seq.0;
        if record.payload.get("proposal").is_some() {
            row.subject = text("subject");
            row.proposal = text("proposal");
            let lines = text("targets");
            let target = |target: &str| matter_target::Model { target: target.to_owned(), matter };
            targets.insert(matter, lines.lines().map(target).collect());
        }
        taken.push(matter_step::Model {
            seq: record.seq.0,
            matter,
            action: text("action"),
            capacity: capacity.map_or("", Capacity::name).to_owned(),
            stage: text("stage"),
            person,
            at: record.received_at.micros(),
            opinion: record.payload.text("opinion").map(str::to_owned),
        });
    }
    transaction.replace(matters.into_values().collect::<Vec<_>>()).await?;
    transaction.insert(taken).await?;
    let renewed: Vec<String> = targets.keys().map(ToString::to_string).collect();
    transaction
        .execute(
            "DELETE FROM matter_target WHERE matter IN (SELECT CAST(value AS BIGINT) FROM {keys} AS k)",
            &[],
            &renewed,
        )
        .await?;
    transaction.insert(targets.into_values().flatten().collect::<Vec<_>>()).await
}

fn read(row: matter::Model) -> Result<Matter> {
    let damaged = || StoreError::DamagedProjection { table: "matter" };
    Ok(Matter {
        number: Seq(row.number),
        procedure: row.procedure,
        subject: row.subject,
        unit: row.unit,
        handler: row.handler,
        stage: Stage::parse(&row.stage).ok_or_else(damaged)?,
        opened_at: Moment::from_micros(row.opened_at).ok_or_else(damaged)?,
        last: Seq(row.last),
        proposal: row.proposal,
    })
}

fn step(row: matter_step::Model) -> Result<Step> {
    let damaged = || StoreError::DamagedProjection { table: "matter_step" };
    Ok(Step {
        action: Action::parse(&row.action).ok_or_else(damaged)?,
        person: row.person,
        at: Moment::from_micros(row.at).ok_or_else(damaged)?,
        opinion: row.opinion,
        stage: Stage::parse(&row.stage).ok_or_else(damaged)?,
    })
}
