//! Explanation of a level: level → indicator → record, with points, arithmetic, article and rulebook
//! version. One shape for people (Chinese text), tools (JSON) and, later, pages.

use std::fmt::{self, Write as _};

use serde::Serialize;
use xinheng_core::classify::{Classification, Graded, Received};
use xinheng_core::credit_code::CreditCode;
use xinheng_core::points::Points;
use xinheng_core::record::{Day, Record, Seq};
use xinheng_core::rulebook::model::{Effect, Indicator};
use xinheng_core::rulebook::{Citation, Status};
use xinheng_core::score::IndicatorPoints;

/// Why an enterprise is at its level, as of a day and as known up to a seq.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// Credit code.
    pub enterprise: CreditCode,
    /// Registered name, where the registration is known.
    pub name: Option<String>,
    /// The day.
    pub as_of: Day,
    /// What was known.
    pub known_up_to: Seq,
    /// Level after combination; none when nothing grades the enterprise.
    pub level: Option<String>,
    /// Total of the leading model, in thousandths of a point; the contributions sum to it.
    pub total_milli: i64,
    /// The leading model.
    pub model: Option<String>,
    /// Version of the rulebook.
    pub rulebook: String,
    /// Whether everything the level rests on is confirmed or signed; otherwise it is a trial.
    pub in_force: bool,
    /// How the field's level and the general level were combined.
    pub combination: Option<CombinationLine>,
    /// The province's level.
    pub received: Option<ReceivedLine>,
    /// How a person moved the level.
    pub adjustment: Option<AdjustmentLine>,
    /// Overrides of the leading model.
    pub overrides: Vec<OverrideLine>,
    /// Contributions to the leading model's total.
    pub contributions: Vec<Contribution>,
    /// Every model that grades the enterprise, the leading one too.
    pub assessments: Vec<AssessmentLines>,
}

/// One model's view.
#[derive(Clone, Debug, Serialize)]
pub struct AssessmentLines {
    /// Id of the model.
    pub model: String,
    /// 名称
    pub title: String,
    /// Field that it grades.
    pub field: String,
    /// Final level.
    pub level: String,
    /// 等级名称
    pub level_title: String,
    /// Level by points alone.
    pub level_by_points: String,
    /// Total in thousandths of a point.
    pub total_milli: i64,
    /// Whether the model is confirmed or signed.
    pub in_force: bool,
    /// Overrides, in the order in which they acted.
    pub overrides: Vec<OverrideLine>,
    /// Contributions; they sum to the total.
    pub contributions: Vec<Contribution>,
}

/// A field's level met a general level.
#[derive(Clone, Debug, Serialize)]
pub struct CombinationLine {
    /// Level of the key field.
    pub field_level: String,
    /// General level.
    pub general_level: String,
    /// Why the table says so.
    pub reason: String,
}

/// The province's level.
#[derive(Clone, Debug, Serialize)]
pub struct ReceivedLine {
    /// Level.
    pub level: String,
    /// What the province called it, on which scale and by which edition, in words; empty when that is not on record.
    pub stated: String,
    /// Month, `2026-10`.
    pub month: String,
    /// The record that brought it.
    pub seq: Seq,
}

/// A person moved the level.
#[derive(Clone, Debug, Serialize)]
pub struct AdjustmentLine {
    /// The record that says so.
    pub seq: Seq,
    /// Level as computed.
    pub from: String,
    /// Level after it.
    pub to: String,
    /// Its last day.
    pub until: Option<Day>,
    /// Whether it does not act, because a direct determination decided the level.
    pub barred: bool,
}

/// An override that applied.
#[derive(Clone, Debug, Serialize)]
pub struct OverrideLine {
    /// Id.
    pub id: String,
    /// 名称
    pub title: String,
    /// What it does, in words.
    pub effect: String,
    /// The level after it.
    pub level: String,
    /// Records that made it apply.
    pub records: Vec<Seq>,
    /// Where it is written.
    pub cite: String,
}

/// An indicator's points.
#[derive(Clone, Debug, Serialize)]
pub struct Contribution {
    /// Id of the indicator.
    pub indicator: String,
    /// 名称
    pub title: String,
    /// 一级指标
    pub dimension: String,
    /// What counts towards the total, in thousandths of a point.
    pub milli: i64,
    /// The records; they sum to `milli`.
    pub records: Vec<RecordLine>,
    /// Which cap cut it, and from what, in words.
    pub cap: Option<String>,
}

/// A record's points.
#[derive(Clone, Debug, Serialize)]
pub struct RecordLine {
    /// Place in the ledger.
    pub seq: Seq,
    /// Kind of record.
    pub kind: String,
    /// 名称
    pub kind_title: String,
    /// The day in the world.
    pub occurred_on: Day,
    /// 文号
    pub document_number: Option<String>,
    /// What counts towards the total, in thousandths of a point.
    pub milli: i64,
    /// How the points came about, before caps.
    pub arithmetic: String,
    /// Where the rule is written.
    pub cite: String,
}

/// What is on record about an enterprise.
pub(crate) struct Known<'a> {
    /// Credit code.
    pub enterprise: CreditCode,
    /// The enterprise's records.
    pub records: &'a [Record],
    /// What was known.
    pub at: Seq,
    /// Whether that is some past state: then with the rulebook of that time.
    pub is_cut: bool,
}

/// What the explanation of an enterprise needs beside its classification.
pub struct Context<'a> {
    /// Credit code.
    pub enterprise: CreditCode,
    /// The enterprise's records.
    pub records: &'a [Record],
    /// The day.
    pub as_of: Day,
    /// What was known.
    pub known_up_to: Seq,
    /// Version of the rulebook.
    pub rulebook: &'a str,
    /// Title of a kind of record.
    pub kind_title: &'a dyn Fn(&str) -> String,
    /// Reason of the combination table.
    pub combination_reason: Option<&'a str>,
}

impl Explanation {
    /// Puts a classification into words.
    #[must_use]
    pub fn new(classification: &Classification, context: &Context) -> Self {
        let assessments: Vec<_> = classification.graded.iter().map(|graded| assessment(graded, context)).collect();
        let lead = classification.lead.map(|lead| &assessments[lead]);
        let registration = context.records.iter().rev().find(|record| record.kind == "registration");
        Self {
            enterprise: context.enterprise,
            name: registration.and_then(|record| record.payload.text("name")).map(str::to_owned),
            as_of: context.as_of,
            known_up_to: context.known_up_to,
            level: classification.level.clone(),
            total_milli: lead.map_or(0, |lead| lead.total_milli),
            model: lead.map(|lead| lead.model.clone()),
            rulebook: context.rulebook.to_owned(),
            in_force: classification.in_force,
            combination: classification.combined.as_ref().map(|(field, general)| CombinationLine {
                field_level: field.clone(),
                general_level: general.clone(),
                reason: context.combination_reason.unwrap_or_default().to_owned(),
            }),
            received: classification.received.as_ref().map(|received| ReceivedLine {
                level: received.level.clone(),
                stated: stated(received),
                month: received.month.format("%Y-%m").to_string(),
                seq: received.seq,
            }),
            adjustment: classification.adjustment.as_ref().map(|one| AdjustmentLine {
                seq: one.seq,
                from: one.from.clone(),
                to: one.to.clone(),
                until: one.until,
                barred: one.barred,
            }),
            overrides: lead.map(|lead| lead.overrides.clone()).unwrap_or_default(),
            contributions: lead.map(|lead| lead.contributions.clone()).unwrap_or_default(),
            assessments,
        }
    }
}

fn assessment(graded: &Graded, context: &Context) -> AssessmentLines {
    let Graded { model, assessment, in_force } = graded;
    let level = |index: usize| model.levels[index].code.value.clone();
    let overrides = assessment
        .overrides
        .iter()
        .map(|applied| {
            let rule = &model.overrides[applied.place];
            OverrideLine {
                id: rule.id.value.clone(),
                title: rule.title.clone(),
                effect: effect_in_words(&rule.effect),
                level: level(applied.level),
                records: applied.records.clone(),
                cite: cite(rule.cite.as_ref(), graded),
            }
        })
        .collect();
    AssessmentLines {
        model: model.rule.id.value.clone(),
        title: model.rule.title.clone(),
        field: model.field.clone(),
        level: level(assessment.level),
        level_title: model.levels[assessment.level].title.clone(),
        level_by_points: level(assessment.level_by_points),
        total_milli: assessment.total.milli(),
        in_force: *in_force,
        overrides,
        contributions: assessment.indicators.iter().map(|one| contribution(one, graded, context)).collect(),
    }
}

fn contribution(indicator: &IndicatorPoints, graded: &Graded, context: &Context) -> Contribution {
    let dimension = &graded.model.dimensions[indicator.place.0];
    let rule = &dimension.indicators[indicator.place.1];
    let records = indicator
        .records
        .iter()
        .map(|points| {
            let found = context.records.iter().find(|record| record.seq == points.seq);
            let record = found.expect("the kernel scores records that it was given");
            RecordLine {
                seq: points.seq,
                kind: record.kind.to_string(),
                kind_title: (context.kind_title)(&record.kind),
                occurred_on: record.occurred_on,
                document_number: record.document_number.clone(),
                milli: points.points.milli(),
                arithmetic: points.arithmetic.to_string(),
                cite: cite(rule.cite.as_ref(), graded),
            }
        })
        .collect();
    Contribution {
        indicator: rule.id.value.clone(),
        title: rule.title.clone(),
        dimension: dimension.title.clone(),
        milli: indicator.points.milli(),
        records,
        cap: cap_in_words(indicator, rule, &dimension.title, dimension.cap),
    }
}

fn cap_in_words(
    indicator: &IndicatorPoints,
    rule: &Indicator,
    dimension: &str,
    dimension_cap: Points,
) -> Option<String> {
    let mut words = Vec::new();
    if indicator.capped != indicator.before_caps {
        words.push(format!("{}分，受本指标上限{}分限制", indicator.before_caps, rule.cap));
    }
    let mut reached = indicator.capped;
    if let Some((permille, multiplied)) = indicator.multiplied.filter(|(permille, _)| *permille != 1000) {
        words.push(format!("{reached}分，乘以“{dimension}”的系数{}", Points::from_milli(permille.into())));
        reached = multiplied;
    }
    if indicator.points != reached {
        words.push(format!("{reached}分，受“{dimension}”上限{dimension_cap}分或总分范围限制"));
    }
    (!words.is_empty()).then(|| format!("原为{}", words.join("；再为")))
}

fn effect_in_words(effect: &Effect) -> String {
    match (&effect.set, effect.shift, &effect.floor) {
        (Some(level), _, _) => format!("直接判定为{level}级"),
        (None, Some(shift), _) if shift > 0 => format!("上调{shift}级"),
        (None, Some(shift), _) => format!("下调{}级", shift.unsigned_abs()),
        (None, None, floor) => format!("不低于{}级风险", floor.as_deref().unwrap_or_default()),
    }
}

fn cite(own: Option<&Citation>, graded: &Graded) -> String {
    let head = &graded.model.rule;
    match (own, head.status, graded.in_force) {
        (Some(citation), _, _) => citation.to_string(),
        (None, Status::Confirmed, _) => head.cite.iter().map(ToString::to_string).collect::<Vec<_>>().join("、"),
        (None, Status::Default, true) => format!("本局签署的“{}”", head.title),
        (None, Status::Default, false) => format!("本系统缺省的“{}”，待本局签署", head.title),
    }
}

/// `上级所定“C”，五级（A、B、C、D、E），2026版，`
fn stated(received: &Received) -> String {
    let Received { stated, scale, edition, .. } = received;
    let parts = [stated.as_ref().map(|stated| format!("上级所定“{stated}”")), scale.clone(), edition.clone()];
    parts.into_iter().flatten().map(|part| part + "，").collect()
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.as_deref().unwrap_or("（尚无登记记录）");
        writeln!(f, "{name}  {}", self.enterprise)?;
        writeln!(f, "截至 {}，账本已知至第 {} 条，规则库版本 {}", self.as_of, self.known_up_to, self.rulebook)?;
        let Some(level) = &self.level else {
            return writeln!(f, "没有适用的模型，也没有省级下发的等级：未分类。");
        };
        let force = if self.in_force {
            ""
        } else {
            "（所依规则未经本局签署，仅供试算，不作为监管依据）"
        };
        writeln!(f, "信用风险等级：{level}{force}")?;
        if let Some(line) = &self.combination {
            writeln!(f, "  重点领域 {} × 通用 {} → {level}：{}", line.field_level, line.general_level, line.reason)?;
        }
        if let Some(received) = &self.received {
            writeln!(
                f,
                "  省级下发：{}（{}{}，记录#{}），优先于本局通用模型",
                received.level, received.stated, received.month, received.seq
            )?;
        }
        if let Some(one) = &self.adjustment {
            writeln!(f, "  {one}")?;
        }
        for assessment in &self.assessments {
            writeln!(f)?;
            write!(f, "{assessment}")?;
        }
        Ok(())
    }
}

impl fmt::Display for AdjustmentLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seq, from, to, until, barred } = self;
        let until = until.map(|day| format!("至 {day}")).unwrap_or_default();
        match barred {
            true => write!(f, "人工调整（记录#{seq}，{until}）不生效：{from} 级由直接判定确定，不能调低"),
            false => write!(f, "人工调整：{from} → {to}（记录#{seq}，{until}）"),
        }
    }
}

impl fmt::Display for AssessmentLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = Points::from_milli(self.total_milli);
        let force = if self.in_force { "" } else { "［未签署，试算］" };
        writeln!(f, "【{}】{force} 合计 {total} 分 → {}级 {}", self.title, self.level, self.level_title)?;
        let mut dimension = "";
        for line in &self.contributions {
            if line.dimension != dimension {
                dimension = &line.dimension;
                writeln!(f, "  {dimension}")?;
            }
            let cap = line.cap.as_ref().map(|cap| format!("（{cap}）")).unwrap_or_default();
            writeln!(f, "    {} {}：{} 分{cap}", line.indicator, line.title, Points::from_milli(line.milli))?;
            for record in &line.records {
                let mut words = format!("记录#{} {} {}", record.seq, record.kind_title, record.occurred_on);
                if let Some(number) = &record.document_number {
                    write!(words, " {number}")?;
                }
                let points = Points::from_milli(record.milli);
                writeln!(f, "      {words}：{}，计 {points} 分；依据 {}", record.arithmetic, record.cite)?;
            }
        }
        if self.contributions.is_empty() {
            writeln!(f, "  没有计分的记录")?;
        }
        if self.level != self.level_by_points || !self.overrides.is_empty() {
            writeln!(f, "  按分值为{}级", self.level_by_points)?;
        }
        for line in &self.overrides {
            let records: Vec<_> = line.records.iter().map(|seq| format!("#{seq}")).collect();
            let records =
                if records.is_empty() { String::new() } else { format!("（记录{}）", records.join("、")) };
            writeln!(
                f,
                "  {} {}：{} → {}级{records}；依据 {}",
                line.id, line.title, line.effect, line.level, line.cite
            )?;
        }
        Ok(())
    }
}
