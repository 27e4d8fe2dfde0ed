//! Plans of inspections (抽查计划), their draws and visits as they are kept. A plan and every step of a draw are
//! records; how draws and visits stand follows from them. What a draw keeps secret is encrypted, apart from the ledger,
//! which has its hashes.

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use xinheng_core::credit_code::CreditCode;
use xinheng_core::record::{Day, Payload, Record, Seq, Value};
use xinheng_core::visit::{AssignedVisit, DrawStep, Team, VisitState};

use crate::bulk::Transaction;
use crate::entity::{draw, draw_secret, plan, visit};
use crate::entry::day;
use crate::error::{Result, StoreError};
use crate::reading::code;
use crate::statement::Sql;
use crate::store::Store;
use crate::writing::Writing;

/// Kind of the record that an approved plan is.
pub const PLAN: &str = "inspection_plan";
/// Kind of the record that a step of a draw is.
pub const DRAW_STEP: &str = "draw_step";

/// Most rows of a page.
const MOST_ROWS: u64 = 5_000;

/// A plan that was approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptPlan {
    /// The record that it is.
    pub seq: Seq,
    /// 计划编号
    pub number: String,
    /// 计划名称
    pub title: String,
    /// Id of the item (抽查事项).
    pub item: String,
    /// Unit that proposed it.
    pub unit: String,
    /// First day of the visits.
    pub from: Day,
    /// Last day of the visits.
    pub until: Day,
    /// What was proposed, as JSON.
    pub proposal: String,
    /// The step that published whom it visited.
    pub names: Option<Seq>,
}

/// How a draw stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawState {
    /// 已冻结: waits for its lottery.
    Frozen,
    /// 已抽取
    Sealed,
    /// 已作废
    Void,
}

/// A draw, as its last step left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptDraw {
    /// 抽查编号
    pub number: String,
    /// The plan.
    pub plan: Seq,
    /// How it stands.
    pub state: DrawState,
    /// Last moment to seal it, as certificates print times.
    pub deadline: String,
    /// Issue of the lottery that it was sealed with.
    pub issue: Option<String>,
    /// The record of its freeze.
    pub frozen: Seq,
    /// The record of its last step; the certificate is there.
    pub step: Seq,
}

/// A visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptVisit {
    /// The plan.
    pub plan: Seq,
    /// Its place within the plan.
    pub place: u32,
    /// Whom it goes to.
    pub enterprise: CreditCode,
    /// Whether it was drawn; otherwise listed by its rule.
    pub drawn: bool,
    /// Who goes.
    pub team: Option<Team>,
    /// How it stands.
    pub state: VisitState,
    /// The record of its result.
    pub result: Option<Seq>,
}

/// Which visits.
#[derive(Clone, Debug)]
pub enum VisitFilter<'a> {
    /// All of a plan.
    Plan(Seq),
    /// Those of a person that are open.
    OpenOf(i64),
    /// All that ever went to some enterprises.
    To(&'a [CreditCode]),
}

/// An object of inspections: an enterprise with a level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// 统一社会信用代码
    pub code: CreditCode,
    /// Its level.
    pub level: String,
    /// 乡镇
    pub town: Option<String>,
}

/// A step to be put on record.
#[derive(Clone, Debug)]
pub struct NewDrawStep<'a> {
    /// The plan.
    pub plan: Seq,
    /// The draw; none for what is done with the visits.
    pub draw: Option<&'a str>,
    /// Staff number of whoever did it; none when it fell due by itself.
    pub person: Option<i64>,
    /// What is done.
    pub step: &'a DrawStep,
    /// The public view after it, as JSON.
    pub certificate: Option<String>,
    /// Whom the plan visited, as JSON.
    pub names: Option<String>,
}

impl NewDrawStep<'_> {
    /// The fields of its record.
    #[must_use]
    pub fn payload(&self) -> Payload {
        let text = |text: &str| Value::from(text);
        let content = serde_json::to_string(self.step).expect("a step is JSON");
        let mut fields = Payload::from_iter([
            ("plan", Value::Integer(self.plan.0)),
            ("step", text(self.step.name())),
            ("content", Value::from(content)),
        ]);
        fields.extend(self.draw.map(|draw| ("draw", text(draw))));
        fields.extend(self.person.map(|person| ("person", Value::Integer(person))));
        fields.extend(self.certificate.as_deref().map(|json| ("certificate", text(json))));
        fields.extend(self.names.as_deref().map(|json| ("names", text(json))));
        fields
    }
}

impl DrawState {
    fn name(self) -> &'static str {
        match self {
            Self::Frozen => "frozen",
            Self::Sealed => "sealed",
            Self::Void => "void",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Frozen, Self::Sealed, Self::Void].into_iter().find(|state| state.name() == name)
    }
}

impl std::fmt::Display for DrawState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Frozen => "已冻结，等待开奖",
            Self::Sealed => "已抽取",
            Self::Void => "已作废",
        })
    }
}

impl Store {
    /// Plans, the newest first, before one.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn plans(&self, before: Option<Seq>, limit: u64) -> Result<Vec<KeptPlan>> {
        let mut page = plan::Entity::find().order_by_desc(plan::Column::Seq).limit(limit.min(MOST_ROWS));
        if let Some(before) = before {
            page = page.filter(plan::Column::Seq.lt(before.0));
        }
        page.all(&self.connections.readers).await?.into_iter().map(read_plan).collect()
    }

    /// Plans whose names are not published yet and whose visits end by a day.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn plans_to_reveal(&self, by: Day) -> Result<Vec<KeptPlan>> {
        let page = plan::Entity::find()
            .filter(plan::Column::Names.is_null())
            .filter(plan::Column::WindowUntil.lte(by.to_string()))
            .order_by_asc(plan::Column::Seq);
        page.all(&self.connections.readers).await?.into_iter().map(read_plan).collect()
    }

    /// Plans of an item.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn plans_of_item(&self, item: &str) -> Result<Vec<Seq>> {
        let rows: Vec<i64> = plan::Entity::find()
            .select_only()
            .column(plan::Column::Seq)
            .filter(plan::Column::Item.eq(item))
            .into_tuple()
            .all(&self.connections.readers)
            .await?;
        Ok(rows.into_iter().map(Seq).collect())
    }

    /// The plan of a number.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn plan_numbered(&self, number: &str) -> Result<Option<KeptPlan>> {
        let row = plan::Entity::find().filter(plan::Column::Number.eq(number)).one(&self.connections.readers).await?;
        row.map(read_plan).transpose()
    }

    /// A plan.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn plan(&self, seq: Seq) -> Result<Option<KeptPlan>> {
        let row = plan::Entity::find_by_id(seq.0).one(&self.connections.readers).await?;
        row.map(read_plan).transpose()
    }

    /// Draws of some plans, from the first.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn draws_of_plans(&self, plans: &[Seq]) -> Result<Vec<KeptDraw>> {
        let of_plans = draw::Column::Plan.is_in(plans.iter().map(|plan| plan.0));
        let rows = draw::Entity::find().filter(of_plans).order_by_asc(draw::Column::Frozen);
        rows.all(&self.connections.readers).await?.into_iter().map(read_draw).collect()
    }

    /// How many visits of some plans stand how.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn visit_counts(&self, plans: &[Seq]) -> Result<Vec<(Seq, VisitState, usize)>> {
        use visit::Column;
        let rows: Vec<(i64, String, i64)> = visit::Entity::find()
            .select_only()
            .column(Column::Plan)
            .column(Column::State)
            .column_as(Column::Place.count(), "visits")
            .filter(Column::Plan.is_in(plans.iter().map(|plan| plan.0)))
            .group_by(Column::Plan)
            .group_by(Column::State)
            .into_tuple()
            .all(&self.connections.readers)
            .await?;
        let damaged = || StoreError::DamagedProjection { table: "visit" };
        rows.into_iter()
            .map(|(plan, state, visits)| {
                let visits = usize::try_from(visits).map_err(|_| damaged())?;
                Ok((Seq(plan), VisitState::parse(&state).ok_or_else(damaged)?, visits))
            })
            .collect()
    }

    /// A draw by its number.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn draw(&self, number: &str) -> Result<Option<KeptDraw>> {
        let row = draw::Entity::find_by_id(number).one(&self.connections.readers).await?;
        row.map(read_draw).transpose()
    }

    /// Draws, the newest step first, before one.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn draws(&self, before: Option<Seq>, limit: u64) -> Result<Vec<KeptDraw>> {
        let mut page = draw::Entity::find().order_by_desc(draw::Column::Frozen).limit(limit.min(MOST_ROWS));
        if let Some(before) = before {
            page = page.filter(draw::Column::Frozen.lt(before.0));
        }
        page.all(&self.connections.readers).await?.into_iter().map(read_draw).collect()
    }

    /// Draws that are frozen and not sealed.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn open_draws(&self) -> Result<Vec<KeptDraw>> {
        let rows = draw::Entity::find().filter(draw::Column::State.eq(DrawState::Frozen.name()));
        rows.all(&self.connections.readers).await?.into_iter().map(read_draw).collect()
    }

    /// What a draw keeps secret.
    ///
    /// # Errors
    /// When the database fails, or the row is damaged or was sealed with another key.
    pub async fn draw_secret(&self, draw: &str) -> Result<Option<Vec<u8>>> {
        let row = draw_secret::Entity::find_by_id(draw).one(&self.connections.readers).await?;
        let open = |row: draw_secret::Model| {
            let clear = self.keys.unseal(&purpose(draw), &row.sealed);
            clear.ok_or(StoreError::DamagedPeople { table: "draw_secret" })
        };
        row.map(open).transpose()
    }

    /// Visits, by plan and place.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn visits(&self, filter: &VisitFilter<'_>) -> Result<Vec<KeptVisit>> {
        use visit::Column;
        let wanted = match filter {
            VisitFilter::Plan(plan) => Condition::all().add(Column::Plan.eq(plan.0)),
            VisitFilter::OpenOf(person) => Condition::all()
                .add(Column::State.eq(VisitState::Open.name()))
                .add(Condition::any().add(Column::Lead.eq(*person)).add(Column::Second.eq(*person))),
            VisitFilter::To(enterprises) => {
                Condition::all().add(Column::Enterprise.is_in(enterprises.iter().map(|code| code.as_str())))
            }
        };
        let found = visit::Entity::find().filter(wanted).order_by_asc(Column::Plan).order_by_asc(Column::Place);
        found.all(&self.connections.readers).await?.into_iter().map(read_visit).collect()
    }

    /// Visits of a plan by their places, after one.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn visits_after(&self, plan: Seq, after: u32, limit: u64) -> Result<Vec<KeptVisit>> {
        use visit::Column;
        let page = visit::Entity::find()
            .filter(Column::Plan.eq(plan.0))
            .filter(Column::Place.gt(after))
            .order_by_asc(Column::Place)
            .limit(limit.min(MOST_ROWS));
        page.all(&self.connections.readers).await?.into_iter().map(read_visit).collect()
    }

    /// A visit.
    ///
    /// # Errors
    /// When the database fails or the row is damaged.
    pub async fn visit(&self, plan: Seq, place: u32) -> Result<Option<KeptVisit>> {
        let row = visit::Entity::find_by_id((plan.0, i64::from(place))).one(&self.connections.readers).await?;
        row.map(read_visit).transpose()
    }

    /// A page of the registered enterprises that have a level in a scope, in the order of their codes.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn objects(&self, scope: &str, after: Option<CreditCode>, limit: u64) -> Result<Vec<Object>> {
        let mut sql = Sql::new(
            "SELECT c.enterprise, c.level, e.town FROM current_level AS c JOIN enterprise AS e ON e.code = c.enterprise \
             WHERE c.level IS NOT NULL AND c.scope = ",
        );
        sql.bind(scope);
        if let Some(after) = after {
            sql.push(" AND c.enterprise > ").bind(after.to_string());
        }
        sql.push(" ORDER BY c.enterprise LIMIT ").bind(i64::try_from(limit.min(MOST_ROWS)).unwrap_or_default());
        let rows = sql.all(&self.connections.readers).await?;
        rows.iter()
            .map(|row| {
                let (enterprise, level): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
                Ok(Object { code: code(&enterprise)?, level, town: row.try_get_by_index(2)? })
            })
            .collect()
    }
}

impl Writing {
    /// How many plans have a number that begins so.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn plans_numbered_like(&mut self, beginning: &str) -> Result<u64> {
        self.settle().await?;
        let counts: Vec<(i64,)> = self
            .transaction
            .look_up(
                "SELECT count(*) FROM {keys} AS k CROSS JOIN plan AS p \
                 WHERE p.number >= k.value AND p.number < k.value || '~'",
                &[],
                &[beginning.to_owned()],
            )
            .await?;
        Ok(counts.into_iter().map(|(count,)| count.unsigned_abs()).sum())
    }

    /// Draws of a plan, from the first, as they stand while nobody else can change them.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn draws_of_plan(&mut self, plan: Seq) -> Result<Vec<KeptDraw>> {
        self.settle().await?;
        let rows: Vec<DrawRow> = self
            .transaction
            .look_up(
                "SELECT number, plan, state, deadline, issue, frozen, step FROM draw WHERE plan = $1 ORDER BY frozen",
                &[plan.0],
                &[],
            )
            .await?;
        rows.into_iter().map(|row| read_draw(draw_model(row))).collect()
    }

    /// Visits of a plan, as they stand while nobody else can change them.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn visits_of_plan(&mut self, plan: Seq) -> Result<Vec<KeptVisit>> {
        self.settle().await?;
        let rows: Vec<VisitRow> = self
            .transaction
            .look_up(
                "SELECT plan, place, enterprise, drawn, lead, second, state, result FROM visit \
                 WHERE plan = $1 ORDER BY place",
                &[plan.0],
                &[],
            )
            .await?;
        rows.into_iter().map(|row| read_visit(visit_model(row))).collect()
    }

    /// Keeps what a draw keeps secret, once and for all.
    ///
    /// # Errors
    /// When there is such a draw, or the database fails.
    pub async fn keep_draw_secret(&mut self, draw: &str, clear: &[u8]) -> Result<()> {
        let sealed = self.keys.seal(&purpose(draw), clear)?;
        self.transaction.insert(vec![draw_secret::Model { draw: draw.to_owned(), sealed }]).await
    }
}

fn purpose(draw: &str) -> String {
    format!("draw {draw}")
}

type DrawRow = (String, i64, String, String, Option<String>, i64, i64);
type VisitRow = (i64, i64, String, bool, Option<i64>, Option<i64>, String, Option<i64>);

fn draw_model((number, plan, state, deadline, issue, frozen, step): DrawRow) -> draw::Model {
    draw::Model { number, plan, state, deadline, issue, frozen, step }
}

fn visit_model((plan, place, enterprise, drawn, lead, second, state, result): VisitRow) -> visit::Model {
    visit::Model { plan, place, enterprise, drawn, lead, second, state, result }
}

/// Carries plans and steps of draws into the projections. They are few: most batches have none.
pub(crate) async fn project(transaction: &mut Transaction, records: &[Record]) -> Result<()> {
    for record in records {
        let text = |field: &str| record.payload.text(field).unwrap_or_default().to_owned();
        if record.kind == PLAN {
            let row = plan::Model {
                seq: record.seq.0,
                number: text("number"),
                title: text("title"),
                item: text("item"),
                unit: record.source_unit.to_string(),
                window_from: text("window_from"),
                window_until: text("window_until"),
                proposal: text("proposal"),
                names: None,
            };
            transaction.insert(vec![row]).await?;
            continue;
        }
        let damaged = |_| StoreError::Damaged { seq: record.seq, column: "payload" };
        let step: DrawStep = serde_json::from_str(&text("content")).map_err(damaged)?;
        let plan = record.payload.integer("plan").unwrap_or_default();
        if let Some(draw) = record.payload.text("draw") {
            project_draw(transaction, record, plan, draw, &step).await?;
        }
        project_visits(transaction, record.seq, plan, step).await?;
    }
    Ok(())
}

async fn project_draw(
    transaction: &mut Transaction,
    record: &Record,
    plan: i64,
    number: &str,
    step: &DrawStep,
) -> Result<()> {
    let mut row = if let DrawStep::Freeze { deadline } = step {
        draw::Model {
            number: number.to_owned(),
            plan,
            state: DrawState::Frozen.name().to_owned(),
            deadline: deadline.clone(),
            issue: None,
            frozen: record.seq.0,
            step: record.seq.0,
        }
    } else {
        let rows: Vec<DrawRow> = transaction
            .look_up(
                "SELECT d.number, d.plan, d.state, d.deadline, d.issue, d.frozen, d.step \
                 FROM {keys} AS k CROSS JOIN draw AS d WHERE d.number = k.value",
                &[],
                &[number.to_owned()],
            )
            .await?;
        let Some(row) = rows.into_iter().next() else { return Ok(()) };
        draw_model(row)
    };
    row.step = record.seq.0;
    match step {
        DrawStep::Seal { issue, .. } => {
            row.state = DrawState::Sealed.name().to_owned();
            row.issue = Some(issue.clone());
        }
        DrawStep::Void => row.state = DrawState::Void.name().to_owned(),
        _ => {}
    }
    transaction.replace(vec![row]).await
}

async fn project_visits(transaction: &mut Transaction, seq: Seq, plan: i64, step: DrawStep) -> Result<()> {
    let new = |one: AssignedVisit| visit::Model {
        plan,
        place: one.place.into(),
        enterprise: one.enterprise.to_string(),
        drawn: one.drawn,
        lead: one.team.map(|team| team.lead),
        second: one.team.map(|team| team.second),
        state: VisitState::Open.name().to_owned(),
        result: None,
    };
    match step {
        DrawStep::Seal { visits, .. } => transaction.insert(visits.into_iter().map(new).collect::<Vec<_>>()).await,
        DrawStep::Replace { removed, visit } => {
            change(transaction, plan, removed, |row| row.state = VisitState::Replaced.name().to_owned()).await?;
            transaction.insert(vec![new(visit)]).await
        }
        DrawStep::Assign { place, team, .. } => {
            change(transaction, plan, place, |row| {
                row.lead = Some(team.lead);
                row.second = Some(team.second);
            })
            .await
        }
        DrawStep::Result { place, record } => {
            change(transaction, plan, place, |row| {
                row.state = VisitState::Done.name().to_owned();
                row.result = Some(record.0);
            })
            .await
        }
        DrawStep::Names => transaction.execute("UPDATE plan SET names = $1 WHERE seq = $2", &[seq.0, plan], &[]).await,
        DrawStep::Freeze { .. } | DrawStep::Witness | DrawStep::Void => Ok(()),
    }
}

async fn change(
    transaction: &mut Transaction,
    plan: i64,
    place: u32,
    change: impl FnOnce(&mut visit::Model),
) -> Result<()> {
    let rows: Vec<VisitRow> = transaction
        .look_up(
            "SELECT plan, place, enterprise, drawn, lead, second, state, result FROM visit \
             WHERE plan = $1 AND place = $2",
            &[plan, place.into()],
            &[],
        )
        .await?;
    let row = rows.into_iter().next().ok_or(StoreError::DamagedProjection { table: "visit" })?;
    let mut row = visit_model(row);
    change(&mut row);
    transaction.replace(vec![row]).await
}

fn read_plan(row: plan::Model) -> Result<KeptPlan> {
    let damaged = || StoreError::DamagedProjection { table: "plan" };
    Ok(KeptPlan {
        seq: Seq(row.seq),
        number: row.number,
        title: row.title,
        item: row.item,
        unit: row.unit,
        from: day(&row.window_from).ok_or_else(damaged)?,
        until: day(&row.window_until).ok_or_else(damaged)?,
        proposal: row.proposal,
        names: row.names.map(Seq),
    })
}

fn read_draw(row: draw::Model) -> Result<KeptDraw> {
    Ok(KeptDraw {
        state: DrawState::parse(&row.state).ok_or(StoreError::DamagedProjection { table: "draw" })?,
        number: row.number,
        plan: Seq(row.plan),
        deadline: row.deadline,
        issue: row.issue,
        frozen: Seq(row.frozen),
        step: Seq(row.step),
    })
}

fn read_visit(row: visit::Model) -> Result<KeptVisit> {
    let damaged = || StoreError::DamagedProjection { table: "visit" };
    Ok(KeptVisit {
        plan: Seq(row.plan),
        place: u32::try_from(row.place).map_err(|_| damaged())?,
        enterprise: code(&row.enterprise)?,
        drawn: row.drawn,
        team: row.lead.zip(row.second).map(|(lead, second)| Team { lead, second }),
        state: VisitState::parse(&row.state).ok_or_else(damaged)?,
        result: row.result.map(Seq),
    })
}
