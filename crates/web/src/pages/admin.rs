//! The three administrators' pages: setting up, units, staff (system); roles and accounts, sessions
//! (security); the audit log (audit). Each is closed to the other two.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use xinheng_app::WrongInput;
use xinheng_app::audit::{AuditEntry, AuditFilter};
use xinheng_app::ledger::Verified;
use xinheng_app::people::{NewStaff, OneTimeSecret, StaffFile, StaffMember, Unit, UnitChange};
use xinheng_app::setup::{Progress, Settings, Step};
use xinheng_app::sign_in::{OpenSession, PasswordPolicy};
use xinheng_core::audit::Outcome;
use xinheng_core::ledger::Head;
use xinheng_core::record::{Day, Moment, Seq};
use xinheng_core::staff::Role;
use xinheng_core::unit::UnitKind;

use crate::Site;
use crate::error::{PageError, PageResult};
use crate::form::{Form, Upload, outcome, see};
use crate::page::{Frame, page};
use crate::visit::{Visit, given, query};
use crate::words;

/// Lines of a page.
const PAGE: u64 = 50;

/// What a page says about the act that led to it.
#[derive(Default)]
pub struct Said {
    fault: String,
    done: String,
    secrets: Vec<OneTimeSecret>,
}

impl Said {
    fn done(sentence: impl Into<String>) -> Self {
        Self { done: sentence.into(), ..Self::default() }
    }

    fn moment(moment: &Moment) -> String {
        words::moment(*moment)
    }
}

fn fault(fault: String) -> Said {
    Said { fault, ..Said::default() }
}

// Setting up.

#[derive(Template)]
#[template(path = "admin/setup.html")]
struct SetupPage {
    frame: Frame,
    said: Said,
    steps: Vec<(Progress, &'static str)>,
    settings: Settings,
}

async fn setup_with(site: &Site, visit: &Visit, said: Said) -> PageResult {
    let address = |step: Step| match step {
        Step::Bureau => "#bureau",
        Step::Units => "/admin/units",
        Step::Staff => "/admin/staff",
        Step::Roles => "/admin/roles",
        Step::Rules => "/desk/rules",
        Step::FirstImport => "/desk/collection",
    };
    let steps = site.bureau.setup_steps().await?;
    page(&SetupPage {
        frame: Frame::new(visit, "启用步骤"),
        said,
        steps: steps.into_iter().map(|progress| (progress.clone(), address(progress.step))).collect(),
        settings: site.bureau.settings().await?,
    })
}

pub async fn setup(State(site): State<Site>, visit: Visit) -> PageResult {
    setup_with(&site, &visit, Said::default()).await
}

#[derive(Deserialize)]
pub struct BureauForm {
    region: String,
    bureau: String,
}

pub async fn name_bureau(State(site): State<Site>, visit: Visit, Form(form): Form<BureauForm>) -> PageResult {
    let named = site.bureau.name_bureau(&visit.act, &form.region, &form.bureau).await;
    outcome(named, async |named| {
        setup_with(&site, &visit, named.map_or_else(fault, |()| Said::done("已保存本局名称和行政区划。"))).await
    })
    .await
}

// Units.

#[derive(Template)]
#[template(path = "admin/units.html")]
struct UnitsPage {
    frame: Frame,
    said: Said,
    units: Vec<Unit>,
    kinds: [UnitKind; 4],
    typed: UnitForm,
}

#[derive(Clone, Default, Deserialize)]
pub struct UnitForm {
    #[serde(default)]
    code: String,
    name: String,
    #[serde(default)]
    other_names: String,
    kind: String,
    #[serde(default)]
    out_of_use: Option<String>,
}

async fn units_with(site: &Site, visit: &Visit, said: Said, typed: UnitForm) -> PageResult {
    page(&UnitsPage {
        frame: Frame::new(visit, "单位"),
        said,
        units: site.bureau.units().await?,
        kinds: UnitKind::ALL,
        typed,
    })
}

pub async fn units(State(site): State<Site>, visit: Visit) -> PageResult {
    units_with(&site, &visit, Said::default(), UnitForm::default()).await
}

async fn put_unit(site: Site, visit: Visit, code: String, form: UnitForm, new: bool) -> PageResult {
    let other_names: Vec<String> = form
        .other_names
        .split(['、', '，', ',', '；', ';'])
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    let kind = UnitKind::parse(&form.kind).ok_or_else(|| PageError::WrongInput("请选择单位类别。".into()))?;
    let change = UnitChange { name: &form.name, other_names: &other_names, kind, in_use: form.out_of_use.is_none() };
    let put = match new {
        true => site.bureau.add_unit(&visit.act, &code, &change).await,
        false => site.bureau.change_unit(&visit.act, &code, &change).await,
    };
    outcome(put, async |put| match put {
        Ok(unit) => {
            units_with(&site, &visit, Said::done(format!("已保存“{}”。", unit.name)), UnitForm::default()).await
        }
        Err(sentence) => units_with(&site, &visit, fault(sentence), form.clone()).await,
    })
    .await
}

pub async fn add_unit(State(site): State<Site>, visit: Visit, Form(form): Form<UnitForm>) -> PageResult {
    put_unit(site, visit, form.code.clone(), form, true).await
}

pub async fn change_unit(
    State(site): State<Site>,
    visit: Visit,
    Path(code): Path<String>,
    Form(form): Form<UnitForm>,
) -> PageResult {
    put_unit(site, visit, code, form, false).await
}

// Staff.

#[derive(Template)]
#[template(path = "admin/staff.html")]
struct StaffPage {
    frame: Frame,
    said: Said,
    staff: Vec<(StaffMember, String)>,
    next: Option<i64>,
    units: Vec<Unit>,
    roles: Vec<Role>,
    typed: StaffForm,
    errors_file: bool,
}

#[derive(Clone, Default, Deserialize)]
pub struct StaffForm {
    #[serde(default)]
    account: String,
    name: String,
    unit: String,
    #[serde(default)]
    role: String,
}

#[derive(Clone, Copy, Default, Deserialize)]
pub struct After {
    after: Option<i64>,
}

struct StaffList {
    staff: Vec<(StaffMember, String)>,
    next: Option<i64>,
    units: Vec<Unit>,
}

async fn staff_list(site: &Site, after: After) -> PageResult<StaffList> {
    let units = site.bureau.units().await?;
    let staff = site.bureau.staff(None, after.after.unwrap_or(0), PAGE).await?;
    let next = staff.last().filter(|_| staff.len() as u64 == PAGE).map(|last| last.number);
    let unit_name = |code: &Option<String>| {
        let unit = units.iter().find(|unit| Some(&unit.code) == code.as_ref());
        unit.map_or_else(String::new, |unit| unit.name.clone())
    };
    let staff = staff.into_iter().map(|person| (person.clone(), unit_name(&person.unit))).collect();
    Ok(StaffList { staff, next, units })
}

async fn staff_with(site: &Site, visit: &Visit, said: Said, typed: StaffForm, after: After) -> PageResult {
    let StaffList { staff, next, units } = staff_list(site, after).await?;
    let errors_file = !said.fault.is_empty() && site.returned_list(visit, STAFF_LIST).exists();
    page(&StaffPage {
        frame: Frame::new(visit, "人员"),
        said,
        staff,
        next,
        units: units.into_iter().filter(|unit| unit.in_use).collect(),
        roles: Role::ALL.to_vec(),
        typed,
        errors_file,
    })
}

pub async fn staff(State(site): State<Site>, visit: Visit, Query(after): Query<After>) -> PageResult {
    staff_with(&site, &visit, Said::default(), StaffForm::default(), after).await
}

pub async fn add_staff(State(site): State<Site>, visit: Visit, Form(form): Form<StaffForm>) -> PageResult {
    let proposed = Role::parse(&form.role).into_iter().collect();
    let new = NewStaff { account: &form.account, name: &form.name, unit: &form.unit, proposed };
    let added = site.bureau.add_staff(&visit.act, &new).await;
    outcome(added, async |added| match added {
        Ok(secret) => {
            let done = format!("已添加 {}。角色由安全管理员授予后才能使用业务功能。", secret.name);
            let said = Said { done, secrets: vec![secret], ..Said::default() };
            staff_with(&site, &visit, said, StaffForm::default(), After::default()).await
        }
        Err(sentence) => staff_with(&site, &visit, fault(sentence), form.clone(), After::default()).await,
    })
    .await
}

/// Name of the list whose rows come back.
const STAFF_LIST: &str = "人员名册";

pub async fn import_staff(State(site): State<Site>, visit: Visit, upload: Upload) -> PageResult {
    let errors = site.returned_list(&visit, STAFF_LIST);
    let _ = std::fs::remove_file(&errors);
    let file = StaffFile { path: &upload.path, errors: Some(&errors) };
    let imported = match upload.file_name.is_empty() {
        true => Err(xinheng_app::WrongInput("请先选择人员名册文件（Excel 或 CSV）".to_owned()).into()),
        false => site.bureau.import_staff(&visit.act, &file).await,
    };
    outcome(imported, async |imported| {
        let said = match imported {
            Ok(read) => {
                let done = format!(
                    "共 {} 行：新增 {} 人，已有 {}，退回 {}。",
                    read.rows,
                    read.added.len(),
                    read.known,
                    read.refused
                );
                let fault = match read.refused {
                    0 => String::new(),
                    refused => format!("有 {refused} 行没有通过，请下载错误表，改好后再次上传；已通过的行不会重复。"),
                };
                Said { fault, done, secrets: read.added }
            }
            Err(sentence) => fault(sentence),
        };
        staff_with(&site, &visit, said, StaffForm::default(), After::default()).await
    })
    .await
}

pub async fn staff_errors(State(site): State<Site>, visit: Visit) -> PageResult {
    let bytes = tokio::fs::read(site.returned_list(&visit, STAFF_LIST)).await.map_err(|_| PageError::NotFound)?;
    Ok(crate::serve::download("人员名册.错误.xlsx", crate::serve::XLSX, bytes))
}

#[derive(Deserialize)]
pub struct InUse {
    in_use: bool,
}

pub async fn set_in_use(
    State(site): State<Site>,
    visit: Visit,
    Path(number): Path<i64>,
    Form(form): Form<InUse>,
) -> PageResult {
    let set = site.bureau.set_staff_in_use(&visit.act, number, form.in_use).await;
    outcome(set, async |set| {
        let done = if form.in_use { "已启用。" } else { "已停用，其登录同时失效。" };
        staff_with(&site, &visit, set.map_or_else(fault, |()| Said::done(done)), StaffForm::default(), After::default())
            .await
    })
    .await
}

// Roles and accounts.

#[derive(Template)]
#[template(path = "admin/roles.html")]
struct RolesPage {
    frame: Frame,
    said: Said,
    staff: Vec<(StaffMember, String)>,
    next: Option<i64>,
    roles: Vec<Role>,
    policy: PasswordPolicy,
}

impl RolesPage {
    fn is_chosen(&self, policy: &PasswordPolicy) -> bool {
        self.policy == *policy
    }

    fn holds(&self, person: &StaffMember, role: &Role) -> bool {
        person.duties.roles().any(|held| held == *role)
    }
}

async fn roles_with(site: &Site, visit: &Visit, said: Said, after: After) -> PageResult {
    let StaffList { staff, next, .. } = staff_list(site, after).await?;
    page(&RolesPage {
        frame: Frame::new(visit, "角色与账号"),
        said,
        staff,
        next,
        roles: Role::ALL.to_vec(),
        policy: site.bureau.settings().await?.password_policy,
    })
}

pub async fn roles(State(site): State<Site>, visit: Visit, Query(after): Query<After>) -> PageResult {
    roles_with(&site, &visit, Said::default(), after).await
}

/// A form with a box for each role; those that are ticked come by the same name.
pub async fn grant(
    State(site): State<Site>,
    visit: Visit,
    Path(number): Path<i64>,
    Form(fields): Form<Vec<(String, String)>>,
) -> PageResult {
    let roles = fields.iter().filter(|(name, _)| name == "role").filter_map(|(_, role)| Role::parse(role));
    let granted = site.bureau.grant_roles(&visit.act, number, roles).await;
    done(&site, &visit, granted, "已保存角色；角色有变化的，其登录已失效，须重新登录。").await
}

async fn done(site: &Site, visit: &Visit, result: anyhow::Result<()>, sentence: &str) -> PageResult {
    outcome(result, async |result| {
        roles_with(site, visit, result.map_or_else(fault, |()| Said::done(sentence)), After::default()).await
    })
    .await
}

pub async fn unlock(State(site): State<Site>, visit: Visit, Path(number): Path<i64>) -> PageResult {
    let unlocked = site.bureau.unlock(&visit.act, number).await;
    done(&site, &visit, unlocked, "已解锁。").await
}

pub async fn reset_second_factor(State(site): State<Site>, visit: Visit, Path(number): Path<i64>) -> PageResult {
    let reset = site.bureau.reset_second_factor(&visit.act, number).await;
    done(&site, &visit, reset, "已清除动态口令，本人下次登录时重新启用。").await
}

pub async fn reset_secret(State(site): State<Site>, visit: Visit, Path(number): Path<i64>) -> PageResult {
    let reset = site.bureau.reset_secret(&visit.act, number).await;
    outcome(reset, async |reset| {
        let said = match reset {
            Ok(secret) => Said {
                done: format!("已为 {} 生成一次性口令。", secret.name),
                secrets: vec![secret],
                ..Said::default()
            },
            Err(sentence) => fault(sentence),
        };
        roles_with(&site, &visit, said, After::default()).await
    })
    .await
}

#[derive(Deserialize)]
pub struct PolicyForm {
    policy: String,
}

pub async fn choose_policy(State(site): State<Site>, visit: Visit, Form(form): Form<PolicyForm>) -> PageResult {
    let policy =
        PasswordPolicy::parse(&form.policy).ok_or_else(|| PageError::WrongInput("请选择一种口令策略。".into()))?;
    let chosen = site.bureau.choose_password_policy(&visit.act, policy).await;
    done(&site, &visit, chosen, "已保存口令策略，下次设置口令时起适用。").await
}

// Sessions.

#[derive(Template)]
#[template(path = "admin/sessions.html")]
struct SessionsPage {
    frame: Frame,
    sessions: Vec<OpenSession>,
    next: Option<i64>,
    own: Option<i64>,
}

impl SessionsPage {
    fn is_own(&self, session: &OpenSession) -> bool {
        self.own == Some(session.number)
    }

    fn moment(&self, moment: &Moment) -> String {
        words::moment(*moment)
    }
}

#[derive(Deserialize)]
pub struct Before {
    before: Option<i64>,
}

pub async fn sessions(State(site): State<Site>, visit: Visit, Query(before): Query<Before>) -> PageResult {
    let sessions = site.bureau.open_sessions(None, before.before, PAGE).await?;
    page(&SessionsPage {
        frame: Frame::new(&visit, "在线会话"),
        next: sessions.last().filter(|_| sessions.len() as u64 == PAGE).map(|last| last.number),
        sessions,
        own: visit.actor()?.session,
    })
}

pub async fn end_session(State(site): State<Site>, visit: Visit, Path(number): Path<i64>) -> PageResult {
    site.bureau.end_session(&visit.act, number).await?;
    Ok(see("/admin/sessions"))
}

// The audit log.

/// Event → what people read.
type Titles = BTreeMap<&'static str, &'static str>;

#[derive(Template)]
#[template(path = "admin/audit.html")]
struct AuditPage {
    frame: Frame,
    asked: AuditQuery,
    events: Titles,
    lines: Vec<AuditRow>,
    /// Address of the older lines.
    next: Option<String>,
    /// Address of the workbook.
    export: String,
    verified: Option<Verified>,
}

struct AuditRow {
    seq: Seq,
    at: String,
    account: String,
    roles: String,
    source: String,
    event: String,
    object: String,
    outcome: Outcome,
    detail: String,
}

#[derive(Clone, Default, Deserialize)]
pub struct AuditQuery {
    #[serde(default)]
    account: String,
    #[serde(default)]
    event: String,
    #[serde(default)]
    outcome: String,
    /// Days, both of them among those wanted.
    #[serde(default)]
    from: String,
    #[serde(default)]
    until: String,
    #[serde(default)]
    before: Option<i64>,
    #[serde(default)]
    verify: Option<String>,
    /// A head that was noted outside, to verify against.
    #[serde(default)]
    noted_seq: String,
    #[serde(default)]
    noted_hash: String,
}

impl AuditQuery {
    fn filter(&self) -> Result<AuditFilter, WrongInput> {
        let until = given(&self.until).map(|until| day(&until)).transpose()?.and_then(|until| until.succ_opt());
        Ok(AuditFilter {
            account: given(&self.account),
            event: given(&self.event),
            outcome: Outcome::parse(&self.outcome),
            from: given(&self.from).map(|from| day(&from)).transpose()?.map(Moment::midnight_in_china),
            until: until.map(Moment::midnight_in_china),
            ..AuditFilter::default()
        })
    }

    /// The query as a part of an address.
    fn address(&self) -> String {
        let Self { account, event, outcome, from, until, .. } = self;
        query(&[("account", account), ("event", event), ("outcome", outcome), ("from", from), ("until", until)])
    }

    /// The query in words.
    fn words(&self, events: &Titles) -> String {
        let Self { account, event, outcome, from, until, .. } = self;
        let event = given(event).map(|event| event_title(&event, events));
        let outcome = Outcome::parse(outcome).map(|outcome| outcome.title().to_owned());
        let asked =
            [("账号", given(account)), ("操作", event), ("结果", outcome), ("起", given(from)), ("止", given(until))];
        let asked = asked.into_iter().filter_map(|(what, words)| Some(format!("{what}：{}", words?)));
        let asked = asked.collect::<Vec<_>>().join("；");
        if asked.is_empty() { "全部".to_owned() } else { asked }
    }

    fn noted(&self) -> Result<Vec<Head>, WrongInput> {
        let wrong = || {
            WrongInput(
                "以前的账头应有序号和 64 位小写十六进制的哈希，请照抄录的填写；没有抄录过，两项都留空".to_owned(),
            )
        };
        match (given(&self.noted_seq), given(&self.noted_hash)) {
            (None, None) => Ok(Vec::new()),
            (Some(seq), Some(hash)) => {
                let seq = seq.parse().ok().filter(|seq| *seq > 0).ok_or_else(wrong)?;
                Ok(vec![Head { seq: Seq(seq), hash: hash.parse().map_err(|_| wrong())? }])
            }
            _ => Err(wrong()),
        }
    }
}

fn day(text: &str) -> Result<Day, WrongInput> {
    text.parse().map_err(|_| WrongInput(format!("“{text}”不是日期，请写成 2026-11-25 的样子")))
}

pub async fn audit(State(site): State<Site>, visit: Visit, Query(asked): Query<AuditQuery>) -> PageResult {
    let filter = asked.filter().map_err(anyhow::Error::from)?;
    let lines = site.bureau.audit(&filter, asked.before.map(Seq), PAGE).await?;
    let verified = match asked.verify {
        Some(_) => Some(site.bureau.verify_audit(&asked.noted().map_err(anyhow::Error::from)?, &|_| ()).await?),
        None => None,
    };
    let next = lines.last().filter(|_| lines.len() as u64 == PAGE);
    let next = next.map(|last| format!("/admin/audit?{}&before={}", asked.address(), last.seq));
    let events = titles();
    page(&AuditPage {
        frame: Frame::new(&visit, "审计日志"),
        lines: lines.into_iter().map(|line| row(line, &events)).collect(),
        export: format!("/admin/audit.xlsx?{}", asked.address()),
        asked,
        events,
        next,
        verified,
    })
}

/// What the query finds, as a workbook.
pub async fn export_audit(State(site): State<Site>, visit: Visit, Query(asked): Query<AuditQuery>) -> PageResult {
    let filter = asked.filter().map_err(anyhow::Error::from)?;
    let folder = tempfile::tempdir_in(&site.options.uploads).map_err(anyhow::Error::from)?;
    let file = folder.path().join("审计日志.xlsx");
    site.bureau.record_export(&visit.act, &format!("audit?{}", asked.address())).await?;
    let events = titles();
    let worded = |line| {
        let AuditRow { seq, at, account, roles, source, event, object, outcome, detail } = row(line, &events);
        [seq.to_string(), at, account, roles, source, event, object, outcome.title().to_owned(), detail]
    };
    site.bureau.export_audit_table(&filter, &asked.words(&events), visit.actor()?, &file, worded).await?;
    let bytes = tokio::fs::read(&file).await.map_err(anyhow::Error::from)?;
    Ok(crate::serve::download(&format!("审计日志-{}.xlsx", visit.today), crate::serve::XLSX, bytes))
}

/// Of several titles of an event the shortest, which says what all have in common.
fn titles() -> Titles {
    let mut titles = Titles::new();
    for (event, title) in crate::routes::events() {
        let kept = titles.entry(event).or_insert(title);
        if title.chars().count() < kept.chars().count() {
            *kept = title;
        }
    }
    titles
}

/// What people read for an event.
fn event_title(name: &str, events: &Titles) -> String {
    events.get(name).copied().unwrap_or(name).to_owned()
}

/// What people read for a detail of a line.
fn detail_title(name: &str) -> &str {
    match name {
        "account" => "账号",
        "after" => "现为",
        "before" => "原为",
        "bureau" => "本局名称",
        "in_use" => "使用中",
        "kind" => "类别",
        "name" => "名称",
        "other_names" => "又名",
        "policy" => "策略",
        "proposed" => "拟任角色",
        "reason" => "原因",
        "region" => "行政区划",
        "unit" => "单位",
        other => other,
    }
}

fn row(AuditEntry { seq, line, .. }: AuditEntry, events: &Titles) -> AuditRow {
    let roles = line.roles.split(',').filter_map(Role::parse).map(Role::title);
    AuditRow {
        seq,
        at: words::moment(line.at),
        roles: roles.collect::<Vec<_>>().join("、"),
        account: line.account,
        source: line.source,
        event: event_title(&line.event, events),
        object: line.object,
        outcome: line.outcome,
        detail: line
            .detail
            .iter()
            .map(|(name, value)| format!("{}：{value}", detail_title(name)))
            .collect::<Vec<_>>()
            .join("；"),
    }
}
