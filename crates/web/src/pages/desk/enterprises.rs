//! Enterprises by query, with the Excel export of the query; the 360° view as of any day and state of
//! knowledge; a single record, and the unmasking of one of its personal fields.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::IntoResponse;
use serde::Deserialize;
use xinheng_app::adjustment::LevelAdjustment;
use xinheng_app::enterprises::{Count, EnterpriseChoices, EnterpriseOrder, EnterpriseQuery, Listing, PageSize, Turn};
use xinheng_app::explain::Explanation;
use xinheng_app::measures::{MeasureTaken, Offered};
use xinheng_app::outlook::Outlook;
use xinheng_app::profile::{EnterpriseView, LevelStep, Profile, RecordPage, State as Standing, TimelineItem};
use xinheng_core::alert::ALERT;
use xinheng_core::credit_code::CreditCode;
use xinheng_core::forecast::Standing as Expected;
use xinheng_core::points::Points;
use xinheng_core::record::{Day, Moment, Reason, Seq};
use xinheng_core::rulebook::combination::AdjustmentLimits;
use xinheng_core::staff::Permission;

use crate::Site;
use crate::error::{PageError, PageResult};
use crate::form::{Form, outcome, see};
use crate::page::{Frame, page};
use crate::pages::public::code;
use crate::visit::{Visit, encoded, given, query};
use crate::words;

#[derive(Clone, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    field: String,
    #[serde(default)]
    level: String,
    #[serde(default)]
    town: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    q: String,
    #[serde(default)]
    order: String,
    #[serde(default)]
    rows: String,
    #[serde(default)]
    turn: String,
}

impl Asked {
    fn query(&self) -> EnterpriseQuery {
        EnterpriseQuery {
            field: given(&self.field),
            level: given(&self.level),
            town: given(&self.town),
            status: given(&self.status),
            text: given(&self.q),
            order: if self.order == "level" { EnterpriseOrder::Level } else { EnterpriseOrder::Code },
        }
    }

    /// The query as an address, without the place in the list.
    fn address(&self) -> String {
        query(&[
            ("q", &self.q),
            ("field", &self.field),
            ("level", &self.level),
            ("town", &self.town),
            ("status", &self.status),
            ("order", &self.order),
            ("rows", &self.rows),
        ])
    }
}

#[derive(Template)]
#[template(path = "desk/enterprises.html")]
struct EnterprisesPage {
    frame: Frame,
    asked: Asked,
    choices: EnterpriseChoices,
    listing: Listing,
    count: String,
    fault: String,
    address: String,
}

impl EnterprisesPage {
    fn status(&self, code: &Option<String>) -> String {
        let code = code.clone().unwrap_or_default();
        self.choices.statuses.iter().find(|(known, _)| *known == code).map_or(code, |(_, title)| title.clone())
    }

    fn level_title(&self, code: &str) -> String {
        self.choices.levels.iter().find(|(known, _)| known == code).map(|(_, title)| title.clone()).unwrap_or_default()
    }

    fn points(&self, milli: &Option<i64>) -> String {
        milli.map(|milli| Points::from_milli(milli).to_string()).unwrap_or_default()
    }

    fn turned(&self, turn: &Option<Turn>) -> Option<String> {
        turn.as_ref().map(|turn| format!("/desk/enterprises?{}&turn={}", self.address, encoded(&turn.to_string())))
    }
}

pub async fn list(State(site): State<Site>, visit: Visit, Query(asked): Query<Asked>) -> PageResult {
    let query = asked.query();
    let size = PageSize::parse(&asked.rows);
    let turn: Turn = match asked.turn.as_str() {
        "" => Turn::First,
        text => text
            .parse()
            .map_err(|wrong: xinheng_app::enterprises::NoSuchTurn| PageError::WrongInput(wrong.to_string()))?,
    };
    let found = async {
        let listing = site.bureau.enterprises(&query, &turn, size).await?;
        let count = match site.bureau.enterprise_count(&query).await? {
            Count::Exactly(count) => format!("共 {} 户", words::count(count)),
            Count::MoreThan(count) => format!("超过 {} 户", words::count(count)),
        };
        anyhow::Ok((listing, count))
    };
    let (listing, count, fault) = match found.await.map_err(PageError::from) {
        Ok((listing, count)) => (listing, count, String::new()),
        Err(PageError::WrongInput(sentence)) => (Listing::default(), String::new(), sentence),
        Err(error) => return Err(error),
    };
    page(&EnterprisesPage {
        frame: Frame::new(&visit, "企业"),
        address: asked.address(),
        asked,
        choices: site.bureau.enterprise_choices().await?,
        listing,
        count,
        fault,
    })
}

pub async fn export(State(site): State<Site>, visit: Visit, Query(asked): Query<Asked>) -> PageResult {
    let folder = tempfile::tempdir_in(&site.options.uploads).map_err(anyhow::Error::from)?;
    let file = folder.path().join("企业名单.xlsx");
    let query = asked.query();
    site.bureau.record_export(&visit.act, &format!("enterprises?{}", asked.address())).await?;
    site.bureau.export_enterprises(&query, visit.actor()?, &file, &|_| ()).await?;
    let bytes = tokio::fs::read(&file).await.map_err(anyhow::Error::from)?;
    Ok(crate::serve::download(&format!("企业名单-{}.xlsx", visit.today), crate::serve::XLSX, bytes))
}

/// The cut: a day in the world, and what was known.
#[derive(Clone, Copy, Default, Deserialize)]
pub struct Cut {
    as_of: Option<Day>,
    known_up_to: Option<i64>,
    /// The matter of an adjustment that came back.
    again: Option<i64>,
    /// Page of the timeline, from 1.
    #[serde(default)]
    page: usize,
}

/// Records of a page of the timeline.
const TIMELINE: usize = 50;

#[derive(Template)]
#[template(path = "desk/enterprise.html")]
struct EnterprisePage<'a> {
    frame: Frame,
    profile: Profile,
    /// None when nothing was known at the cut.
    explanation: Option<Explanation>,
    /// Whether it is looked at as of now.
    now: bool,
    days: String,
    day_place: usize,
    knowledge: Vec<(Seq, String)>,
    units: Vec<(String, String)>,
    cut: Cut,
    /// What is to come; only of the present.
    outlook: Option<Outlook>,
    /// Whether the enterprise may be told.
    told: bool,
    offered: Vec<Offered<'a>>,
    limits: Option<AdjustmentLimits>,
    typed: Typed,
    fault: String,
}

/// What was typed into the forms of an enterprise's page.
#[derive(Clone, Default, Deserialize)]
pub struct Typed {
    /// The matter that came back, when an adjustment is handed in again.
    again: Option<i64>,
    #[serde(default)]
    measure: String,
    #[serde(default)]
    taken_on: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    steps: String,
    #[serde(default)]
    until: String,
    #[serde(default)]
    grounds: String,
    #[serde(default)]
    evidence: String,
}

impl Typed {
    /// What an adjustment that came back proposed.
    fn of(adjustment: LevelAdjustment, again: i64) -> Self {
        Self {
            again: Some(again),
            steps: adjustment.steps.to_string(),
            until: adjustment.until.to_string(),
            grounds: adjustment.grounds,
            evidence: adjustment.evidence,
            ..Self::default()
        }
    }

    fn measure(&self, enterprise: CreditCode) -> Result<MeasureTaken, PageError> {
        let wrong = |sentence: &str| PageError::WrongInput(sentence.to_owned());
        let (field, measure) = self.measure.split_once('/').ok_or_else(|| wrong("请选择采取的措施"))?;
        Ok(MeasureTaken {
            enterprise,
            field: field.to_owned(),
            measure: measure.to_owned(),
            taken_on: self.taken_on.parse().map_err(|_| wrong("请填写采取日期，例如 2026-12-31"))?,
            text: self.text.clone(),
        })
    }

    fn adjustment(&self, enterprise: CreditCode) -> Result<LevelAdjustment, PageError> {
        let wrong = |sentence: &str| PageError::WrongInput(sentence.to_owned());
        Ok(LevelAdjustment {
            enterprise,
            steps: self.steps.parse().map_err(|_| wrong("请选择调高或调低"))?,
            until: self.until.parse().map_err(|_| wrong("请填写有效期至，例如 2026-12-31"))?,
            grounds: self.grounds.clone(),
            evidence: self.evidence.clone(),
        })
    }
}

impl EnterprisePage<'_> {
    fn expected(&self, standing: &Expected) -> String {
        let level = standing.level.as_ref().map_or("不再分类".to_owned(), |level| format!("{level} 级"));
        standing.total.map_or(level.clone(), |total| format!("{level}，{total} 分"))
    }

    fn differences(&self, before: &Expected, after: &Expected) -> Vec<String> {
        before.differences(after)
    }

    /// Steps that an adjustment may take, with their words.
    fn steps(&self) -> Vec<(i64, String)> {
        let most = i64::from(self.limits.map_or(0, |limits| limits.most_levels));
        let up = (1..=most).map(|steps| (steps, format!("调高 {steps} 级")));
        up.chain((1..=most).map(|steps| (-steps, format!("调低 {steps} 级")))).collect()
    }

    fn last_day(&self) -> String {
        let last = self.limits.map(|limits| limits.lasts_at_most.last_day_from(self.frame.visit.today));
        last.map(|day| day.to_string()).unwrap_or_default()
    }

    /// The page of the timeline that is shown, and how many there are.
    fn pages(&self) -> (usize, usize) {
        let pages = self.profile.timeline.len().div_ceil(TIMELINE).max(1);
        (self.cut.page.clamp(1, pages), pages)
    }

    fn records(&self) -> impl Iterator<Item = &TimelineItem> {
        let (page, _) = self.pages();
        self.profile.timeline.iter().skip((page - 1) * TIMELINE).take(TIMELINE)
    }

    /// Address of another page of the timeline, at the same cut.
    fn turned(&self, page: usize) -> String {
        let as_of = self.cut.as_of.map(|day| format!("as_of={day}&")).unwrap_or_default();
        let known = self.cut.known_up_to.map(|seq| format!("known_up_to={seq}&")).unwrap_or_default();
        format!("/desk/enterprises/{}?{as_of}{known}page={page}#records", self.profile.code)
    }

    fn unit(&self, code: &str) -> String {
        crate::words::unit_name(&self.units, code)
    }

    fn moment(&self, moment: &Moment) -> String {
        words::moment(*moment)
    }

    fn points(&self, milli: &i64) -> String {
        Points::from_milli(*milli).to_string()
    }

    fn milli_points(&self, step: &LevelStep) -> String {
        step.total_milli.map(|milli| format!("{}分", Points::from_milli(milli))).unwrap_or_default()
    }

    fn state(&self, state: &Standing) -> String {
        state_words(state)
    }

    /// Tone of a line of the timeline.
    fn tone(&self, state: &Standing) -> &'static str {
        match state {
            Standing::InEffect => "",
            Standing::Repaired(_) => "good",
            _ => "gone",
        }
    }
}

fn state_words(state: &Standing) -> String {
    match state {
        Standing::InEffect => "有效".to_owned(),
        Standing::NotYet => "当日尚未发生".to_owned(),
        Standing::Superseded(by) => format!("已由第 {by} 条更新"),
        Standing::Withdrawn(by) => format!("已由第 {by} 条撤销"),
        Standing::Ended(on) => format!("{on} 起不再有效"),
        Standing::Repaired(on) => format!("{on} 已修复"),
    }
}

pub async fn profile(
    State(site): State<Site>,
    visit: Visit,
    Path(text): Path<String>,
    Query(cut): Query<Cut>,
) -> PageResult {
    let code = code(&text)?;
    // What came back is mended, not typed anew.
    let before = match cut.again {
        Some(matter) => site.bureau.matter(&visit.act, Seq(matter)).await?,
        None => None,
    };
    let before = before.and_then(|(matter, _)| serde_json::from_str::<LevelAdjustment>(&matter.proposal).ok());
    let typed = before.filter(|proposed| proposed.enterprise == code).zip(cut.again);
    let typed = typed.map(|(proposed, again)| Typed::of(proposed, again)).unwrap_or_default();
    profile_with(&site, &visit, code, cut, typed, String::new()).await
}

/// A measure that was taken with the enterprise.
pub async fn record_measure(
    State(site): State<Site>,
    visit: Visit,
    Path(text): Path<String>,
    Form(typed): Form<Typed>,
) -> PageResult {
    let code = code(&text)?;
    let recorded = match typed.measure(code) {
        Ok(taken) => site.bureau.record_measure(&visit.act, &taken).await.map_err(PageError::from),
        Err(error) => Err(error),
    };
    outcome(recorded, async |recorded| match recorded {
        Ok(()) => Ok(see(format!("/desk/enterprises/{code}#records"))),
        Err(fault) => profile_with(&site, &visit, code, Cut::default(), typed, fault).await,
    })
    .await
}

/// Proposes to move the enterprise's level.
pub async fn adjust(
    State(site): State<Site>,
    visit: Visit,
    Path(text): Path<String>,
    Form(typed): Form<Typed>,
) -> PageResult {
    let code = code(&text)?;
    let proposed = match typed.adjustment(code) {
        Ok(adjustment) => {
            let again = typed.again.map(Seq);
            site.bureau.propose_adjustment(&visit.act, again, &adjustment).await.map_err(PageError::from)
        }
        Err(error) => Err(error),
    };
    outcome(proposed, async |proposed| match proposed {
        Ok(matter) => Ok(see(format!("/desk/matters/{matter}"))),
        Err(fault) => profile_with(&site, &visit, code, Cut::default(), typed, fault).await,
    })
    .await
}

async fn profile_with(
    site: &Site,
    visit: &Visit,
    code: CreditCode,
    cut: Cut,
    typed: Typed,
    fault: String,
) -> PageResult {
    let known_up_to = cut.known_up_to.map(Seq);
    let view = site.bureau.enterprise(code, cut.as_of, known_up_to).await.map_err(PageError::from);
    let EnterpriseView { profile, explanation, outlook } = match view {
        Err(PageError::WrongInput(_)) => return Err(PageError::NotFound),
        other => other?,
    };
    let mut days: Vec<Day> = profile.steps.days.iter().copied().filter(|day| *day <= visit.today).collect();
    days.extend([profile.as_of, visit.today]);
    days.sort_unstable();
    days.dedup();
    let now = outlook.is_some();
    let offered = match now {
        true => site.bureau.measures_offered(&profile.levels).await?,
        false => Vec::new(),
    };
    page(&EnterprisePage {
        told: now && explanation.as_ref().is_some_and(|explanation| site.bureau.may_tell(explanation)),
        outlook,
        offered,
        limits: site
            .bureau
            .adjustment_limits()
            .filter(|_| now && visit.actor().is_ok_and(|actor| actor.may(Permission::Handle))),
        typed,
        fault,
        frame: Frame::new(visit, profile.name.clone().unwrap_or_else(|| code.to_string())).with_pictures(),
        day_place: days.iter().position(|day| *day == profile.as_of).unwrap_or_default(),
        days: days.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
        knowledge: knowledge(&profile),
        now,
        units: site.unit_names().await?,
        explanation,
        profile,
        cut,
    })
}

/// What the bureau came to know, a choice for each day: its last seq.
fn knowledge(profile: &Profile) -> Vec<(Seq, String)> {
    let mut days: Vec<(Seq, Day)> = Vec::new();
    for (seq, day) in &profile.steps.known {
        match days.last_mut() {
            Some((last, known)) if known == day => *last = *seq,
            _ => days.push((*seq, *day)),
        }
    }
    days.into_iter().rev().map(|(seq, day)| (seq, format!("{day} 收到第 {seq} 条后"))).collect()
}

#[derive(Template)]
#[template(path = "desk/record.html")]
struct RecordDetail {
    frame: Frame,
    record: RecordPage,
    unit: String,
    unmasked: Option<(String, String)>,
    asked: String,
    fault: String,
    /// What an alert may be answered with; none for other records.
    outcomes: Vec<(String, String)>,
    answer: Answer,
}

/// What was typed to answer an alert.
#[derive(Clone, Default, Deserialize)]
pub struct Answer {
    #[serde(default)]
    outcome: String,
    #[serde(default)]
    text: String,
}

impl RecordDetail {
    fn state(&self, state: &Standing) -> String {
        state_words(state)
    }

    /// The value of a field that was unmasked just now.
    fn clear(&self, field: &str) -> Option<&str> {
        self.unmasked.as_ref().filter(|(name, _)| name == field).map(|(_, clear)| clear.as_str())
    }

    fn moment(&self, moment: &Moment) -> String {
        words::moment(*moment)
    }
}

async fn record_with(
    site: &Site,
    visit: &Visit,
    seq: Seq,
    unmasked: Option<(String, String)>,
    asked: String,
    fault: String,
    answer: Answer,
) -> PageResult {
    let record = match site.bureau.record(seq).await.map_err(PageError::from) {
        Err(PageError::WrongInput(_)) => return Err(PageError::NotFound),
        other => other?,
    };
    let units = site.unit_names().await?;
    let unit = units.into_iter().find(|(code, _)| *code == record.item.source_unit);
    page(&RecordDetail {
        frame: Frame::new(visit, format!("第 {seq} 条 {}", record.item.kind_title)),
        unit: unit.map_or_else(|| record.item.source_unit.clone(), |(_, name)| name),
        outcomes: match record.item.kind == ALERT {
            true => site.bureau.answers_to_alerts(),
            false => Vec::new(),
        },
        answer,
        record,
        unmasked,
        asked,
        fault,
    })
}

/// Answers an alert.
pub async fn answer(
    State(site): State<Site>,
    visit: Visit,
    Path(seq): Path<i64>,
    Form(form): Form<Answer>,
) -> PageResult {
    let answered = site.bureau.answer_alert(&visit.act, Seq(seq), &form.outcome, &form.text).await;
    outcome(answered, async |answered| match answered {
        Ok(()) => Ok(see("/desk/alerts")),
        Err(fault) => record_with(&site, &visit, Seq(seq), None, String::new(), fault, form.clone()).await,
    })
    .await
}

pub async fn record(State(site): State<Site>, visit: Visit, Path(seq): Path<i64>) -> PageResult {
    record_with(&site, &visit, Seq(seq), None, String::new(), String::new(), Answer::default()).await
}

#[derive(Deserialize)]
pub struct UnmaskForm {
    field: String,
    reason: String,
}

/// One personal value, for as long as this page is open; nothing keeps it.
pub async fn unmask(
    State(site): State<Site>,
    visit: Visit,
    Path(seq): Path<i64>,
    Form(form): Form<UnmaskForm>,
) -> PageResult {
    let seq = Seq(seq);
    let unmasked = site.bureau.unmask(&visit.act, seq, &form.field, &form.reason).await;
    outcome(unmasked, async |unmasked| match unmasked {
        Ok(personal) => {
            let clear = personal.reveal(Reason::Unmask).to_owned();
            let unmasked = Some((form.field, clear));
            let (asked, fault, answer) = (String::new(), String::new(), Answer::default());
            let page = record_with(&site, &visit, seq, unmasked, asked, fault, answer).await?;
            Ok(([(header::CACHE_CONTROL, "no-store")], page).into_response())
        }
        Err(fault) => record_with(&site, &visit, seq, None, form.reason, fault, Answer::default()).await,
    })
    .await
}
