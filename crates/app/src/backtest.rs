//! Back-testing (回溯检验): what models would have said on the eve of visits long made, against what the
//! visits found. Nothing is recorded.
//!
//! A model sees of an enterprise only what was before: records whose day is not later than the eve, a
//! state only in versions of not later than the eve, and where asked only what the ledger then held.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use anyhow::Context as _;
use serde::Serialize;
use xinheng_core::backtest::{Comparison, Estimate, Figures, Millionths, Period, RESAMPLES, View, Visit};
use xinheng_core::history::{Facts, Kinds};
use xinheng_core::points::Points;
use xinheng_core::record::{Day, Record, Seq, Statement};
use xinheng_core::rulebook::kind::Nature;
use xinheng_core::rulebook::load::Rulebook;
use xinheng_core::rulebook::model::Model;
use xinheng_core::rulebook::outcome::Outcome;
use xinheng_core::score::Kernel;

use crate::{Bureau, Stage, Watcher, WrongInput};

/// Enterprises read at a time.
const PAGE: u64 = 2_000;
/// Resamples between two reports of how far the work is.
const STRIDE: usize = 20;

/// What is to be tested, and on what.
pub struct BacktestRequest<'a> {
    /// Models, each compared with the first.
    pub models: &'a [Model],
    /// What they are to foresee.
    pub outcome: &'a Outcome,
    /// First day of the time looked at.
    pub from: Day,
    /// Last day of it.
    pub to: Day,
    /// Within what visits may change places.
    pub period: Period,
    /// Only what the ledger held on the eve, by the moment of receipt. Otherwise by the records' own days:
    /// history that was taken in later counts as known when it happened.
    pub as_received: bool,
    /// Last day of the results that were looked at when the models were written.
    pub seen_until: Option<Day>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Backtest {
    /// Id of the outcome.
    pub outcome: String,
    /// 名称
    pub outcome_title: String,
    /// First day of the time looked at.
    pub from: Day,
    /// Last day of it.
    pub to: Day,
    /// Within what visits changed places.
    #[serde(serialize_with = "crate::as_text")]
    pub period: PeriodName,
    /// Whether only what the ledger held on the eve was used.
    pub as_received: bool,
    /// Last day of the results that were looked at when the models were written.
    pub seen_until: Option<Day>,
    /// State of the ledger.
    pub known_up_to: Seq,
    /// Version of the rulebook.
    pub rulebook: String,
    /// Visits compared.
    pub visits: Count,
    /// Visits before which some model did not grade the enterprise: they are not compared.
    pub not_graded: Count,
    /// Enterprises of the visits compared.
    pub enterprises: u32,
    /// How many resamples of enterprises the intervals come from.
    pub resamples: u32,
    /// What share of the visits compared found something.
    pub found: Option<Estimate>,
    /// The order in which the visits were made.
    pub usual: OrderLine,
    /// The models.
    pub models: Vec<ModelLine>,
}

/// A period as people and machines name it.
#[derive(Clone, Copy, Debug)]
pub struct PeriodName(pub Period);

/// Visits, and those among them that found something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// All.
    pub visits: u64,
    /// With a find.
    pub finds: u64,
}

/// An order of visits.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct OrderLine {
    /// Share of the finds in the first half of each period's visits.
    pub first_half: Option<Estimate>,
    /// By how many days a find comes earlier than in random order.
    pub days_before_random: Option<Estimate>,
}

/// A model.
#[derive(Clone, Debug, Serialize)]
pub struct ModelLine {
    /// Id.
    pub model: String,
    /// 名称
    pub title: String,
    /// How often a visit with a find had more points than one without.
    pub auc: Option<Estimate>,
    /// Visits in the order of points.
    #[serde(flatten)]
    pub order: OrderLine,
    /// By how many days a find would come earlier than it really came.
    pub days_before_usual: Option<Estimate>,
    /// By how much the AUC exceeds the first model's; absent of the first.
    pub auc_over_first: Option<Estimate>,
    /// By how much the share in the first half exceeds the first model's; absent of the first.
    pub first_half_over_first: Option<Estimate>,
    /// The levels, from the least risk to the greatest.
    pub levels: Vec<LevelRate>,
}

/// What the visits to enterprises of a level found.
#[derive(Clone, Debug, Serialize)]
pub struct LevelRate {
    /// Level on the eve.
    pub level: String,
    /// Visits.
    #[serde(flatten)]
    pub count: Count,
    /// Share with a find.
    pub found: Option<Estimate>,
}

impl Count {
    fn add(&mut self, found: bool) {
        self.visits += 1;
        self.finds += u64::from(found);
    }
}

impl Bureau {
    /// Tests models on visits long made.
    ///
    /// # Errors
    /// [`WrongInput`] when there is nothing to compare; otherwise when the database fails.
    pub async fn backtest(&self, request: &BacktestRequest<'_>, watcher: Watcher<'_>) -> anyhow::Result<Backtest> {
        let &BacktestRequest { models, outcome, from, to, .. } = request;
        if to < from {
            return Err(WrongInput(format!("检验期的末日 {to} 早于首日 {from}")).into());
        }
        let known_up_to = self.store.head().await?.seq;
        let total = self.store.enterprise_count().await?;
        let mut test = Test::new(&self.rulebook, request);
        let (mut after, mut done) = (None, 0);
        loop {
            let page = self.store.histories(after, PAGE, known_up_to).await?;
            done += page.histories.len() as u64;
            after = page.next;
            for (_, records) in page.histories {
                test.take(records)?;
            }
            watcher(Stage { name: "回溯评分".to_owned(), done, total });
            if after.is_none() {
                break;
            }
        }
        let Test { visits, graded, not_graded, enterprises, .. } = test;
        if graded.finds == 0 || graded.finds == graded.visits {
            return Err(WrongInput(format!(
                "{from} 至 {to} 可供检验的检查有 {} 次，其中{} {} 次，无从比较（另有 {} 次检查前企业尚未分级）。\
                 请核对检验期、模型的适用范围和“{}”的条件",
                graded.visits, outcome.rule.title, graded.finds, not_graded.visits, outcome.rule.id.value
            ))
            .into());
        }
        let figures = estimate(&visits, models, watcher);
        let mut levels: Vec<Vec<Count>> =
            models.iter().map(|model| vec![Count::default(); model.levels.len()]).collect();
        for visit in &visits {
            for (counts, view) in levels.iter_mut().zip(&visit.views) {
                counts[view.level].add(visit.found);
            }
        }
        let lines =
            models.iter().zip(&figures.models).zip(levels).enumerate().map(|(place, ((model, figures), levels))| {
                let rates = model.levels.iter().zip(levels).zip(&figures.levels);
                ModelLine {
                    model: model.rule.id.value.clone(),
                    title: model.rule.title.clone(),
                    auc: figures.auc,
                    order: OrderLine { first_half: figures.first_half, days_before_random: figures.days_before_random },
                    days_before_usual: figures.days_before_usual,
                    auc_over_first: figures.auc_over_first.filter(|_| place > 0),
                    first_half_over_first: figures.first_half_over_first.filter(|_| place > 0),
                    levels: rates
                        .map(|((level, count), found)| LevelRate {
                            level: level.code.value.clone(),
                            count,
                            found: *found,
                        })
                        .collect(),
                }
            });
        Ok(Backtest {
            outcome: outcome.rule.id.value.clone(),
            outcome_title: outcome.rule.title.clone(),
            from,
            to,
            period: PeriodName(request.period),
            as_received: request.as_received,
            seen_until: request.seen_until,
            known_up_to,
            rulebook: self.rulebook.version().to_owned(),
            visits: graded,
            not_graded,
            enterprises,
            resamples: RESAMPLES,
            found: figures.found,
            usual: OrderLine {
                first_half: figures.usual.first_half,
                days_before_random: figures.usual.days_before_random,
            },
            models: lines.collect(),
        })
    }
}

fn estimate(visits: &[Visit], models: &[Model], watcher: Watcher<'_>) -> Figures<Option<Estimate>> {
    let levels: Vec<usize> = models.iter().map(|model| model.levels.len()).collect();
    let comparison = Comparison::new(visits, &levels);
    let mut resamples = Vec::with_capacity(RESAMPLES as usize);
    for number in 0..RESAMPLES {
        if resamples.len().is_multiple_of(STRIDE) {
            let name = "计算区间".to_owned();
            watcher(Stage { name, done: number.into(), total: RESAMPLES.into() });
        }
        resamples.push(comparison.resample(number));
    }
    comparison.figures().with_intervals(&resamples)
}

/// The visits of the enterprises that went by. What is kept of a visit is a few numbers; of an enterprise,
/// nothing.
struct Test<'a> {
    rulebook: &'a Rulebook,
    request: &'a BacktestRequest<'a>,
    /// The kinds of the last day: by them it is seen which visits there were.
    kinds: Kinds<'a>,
    /// By eve.
    eves: HashMap<Day, Eve<'a>>,
    visits: Vec<Visit>,
    graded: Count,
    not_graded: Count,
    enterprises: u32,
}

/// Models made ready for an eve.
struct Eve<'a> {
    kinds: Kinds<'a>,
    kernels: Vec<Kernel<'a>>,
}

/// What every model says on an eve: points and level; none when one of them says nothing.
type Views = Option<Vec<(Points, usize)>>;

impl<'a> Test<'a> {
    fn new(rulebook: &'a Rulebook, request: &'a BacktestRequest<'a>) -> Self {
        Self {
            rulebook,
            request,
            kinds: Kinds::new(rulebook.kinds(request.to)),
            eves: HashMap::new(),
            visits: Vec::new(),
            graded: Count::default(),
            not_graded: Count::default(),
            enterprises: 0,
        }
    }

    /// Takes the history of one enterprise.
    fn take(&mut self, records: Vec<Record>) -> anyhow::Result<()> {
        let &BacktestRequest { from, period, .. } = self.request;
        let outcomes = self.outcomes(&records);
        let eve_of = |day: Day| day.pred_opt().context("日期超出历法范围");
        let mut days = Vec::with_capacity(outcomes.len());
        for &(day, found) in &outcomes {
            let first = period.first_day(day, from);
            days.push((day, found, first, eve_of(day)?, eve_of(first)?));
        }
        let views = self.views(records, days.iter().flat_map(|&(.., eve, planned)| [eve, planned]));
        let graded_before = self.graded.visits;
        for (day, found, first, eve, planned) in days {
            let (Some(on_eve), Some(at_planning)) = (&views[&eve], &views[&planned]) else {
                self.not_graded.add(found);
                continue;
            };
            let both = on_eve.iter().zip(at_planning);
            let views = both.map(|(&(eve, level), &(planned, _))| View { eve, level, planned }).collect();
            self.visits.push(Visit { enterprise: self.enterprises, day, period: first, found, views });
            self.graded.add(found);
        }
        self.enterprises += u32::from(self.graded.visits > graded_before);
        Ok(())
    }

    /// Days of the visits within the time looked at, and whether they found something, by all that is known
    /// now.
    fn outcomes(&self, records: &[Record]) -> Vec<(Day, bool)> {
        let &BacktestRequest { outcome, from, to, .. } = self.request;
        let Some(kind) = self.kinds.get(&outcome.kind) else { return Vec::new() };
        let within = |record: &Statement| record.kind == outcome.kind && (from..=to).contains(&record.occurred_on);
        if !records.iter().any(|record| within(record)) {
            return Vec::new();
        }
        let facts = Facts::new(records, to, &self.kinds);
        let of_kind = facts.get(&outcome.kind, &self.kinds).iter().map(|fact| fact.record);
        of_kind
            .filter(|record| within(record))
            .filter_map(|record| Some((record.occurred_on, outcome.of(kind, &record.payload)?)))
            .collect()
    }

    /// What the models say on each of some eves. From the last of them backwards, what was not yet known is
    /// taken away.
    fn views(&mut self, mut records: Vec<Record>, eves: impl Iterator<Item = Day>) -> BTreeMap<Day, Views> {
        let mut views: BTreeMap<Day, Views> = eves.map(|eve| (eve, None)).collect();
        let as_received = self.request.as_received;
        for (&eve, views) in views.iter_mut().rev() {
            let rulebook = self.rulebook;
            let models = self.request.models;
            let Eve { kinds, kernels } = self.eves.entry(eve).or_insert_with(|| {
                let kinds = Kinds::new(rulebook.kinds(eve));
                let kernels = models.iter().map(|model| Kernel::new(model, &kinds)).collect();
                Eve { kinds, kernels }
            });
            records.retain(|record| {
                let is_state = kinds.get(&record.kind).is_some_and(|kind| kind.nature == Nature::State);
                record.occurred_on <= eve
                    && !(is_state && record.version.is_some_and(|version| version > eve))
                    && !(as_received && record.received_at.day_in_china() > eve)
            });
            let facts = Facts::new(&records, eve, kinds);
            let assess = |kernel: &Kernel| kernel.assess(&facts).map(|said| (said.total, said.level));
            *views = kernels.iter().map(assess).collect();
        }
        views
    }
}

impl fmt::Display for PeriodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Period::Month => "month",
            Period::Quarter => "quarter",
            Period::HalfYear => "half_year",
            Period::Year => "year",
            Period::Whole => "whole",
        })
    }
}

impl PeriodName {
    fn title(self) -> &'static str {
        match self.0 {
            Period::Month => "每月",
            Period::Quarter => "每季度",
            Period::HalfYear => "每半年",
            Period::Year => "每年",
            Period::Whole => "整个检验期",
        }
    }
}

/// A figure and its interval in a unit, or that there is none.
struct Shown(Option<Estimate>, Unit);

#[derive(Clone, Copy)]
enum Unit {
    None,
    Percent,
    Points,
    Days,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let &Self(Some(Estimate { value, low, high }), unit) = self else { return f.write_str("无") };
        let words = |figure: Millionths| match unit {
            Unit::None => figure.decimals(3),
            Unit::Percent => figure.percent(),
            Unit::Points => figure.percent().replace('%', "个百分点"),
            Unit::Days => format!("{}天", figure.decimals(2)),
        };
        write!(f, "{}（{} 至 {}）", words(value), words(low), words(high))
    }
}

fn percent(share: Option<Estimate>) -> Shown {
    Shown(share, Unit::Percent)
}

fn days(figure: Option<Estimate>) -> Shown {
    Shown(figure, Unit::Days)
}

impl fmt::Display for Backtest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, outcome_title, visits, not_graded, .. } = self;
        writeln!(
            f,
            "回溯检验：{outcome_title}，{from} 至 {to}（账本到第 {} 条，规则库版本 {}）",
            self.known_up_to, self.rulebook
        )?;
        match self.seen_until {
            Some(seen) if seen < *from => writeln!(f, "  编写模型时看过的结果截至 {seen}，检验期在其后")?,
            Some(seen) => writeln!(f, "  注意：编写模型时看过的结果截至 {seen}，与检验期重叠，以下数字偏好")?,
            None => {
                writeln!(f, "  注意：没有说明编写模型时看过哪些结果（--seen-until），若看过检验期的结果，以下数字偏好")?
            }
        }
        let knowledge = if self.as_received {
            "截至检查前一日已经入账的记录"
        } else {
            "发生在检查日以前的记录"
        };
        writeln!(f, "  评分只用{knowledge}；括号内为 95% 区间（按企业重抽 {} 次）", self.resamples)?;
        writeln!(
            f,
            "  计入检查 {} 次，{} 户，其中{outcome_title} {} 次，占 {}",
            visits.visits,
            self.enterprises,
            visits.finds,
            percent(self.found)
        )?;
        if not_graded.visits > 0 {
            writeln!(
                f,
                "  另有 {} 次（{outcome_title} {} 次）检查前企业尚未分级，不计入",
                not_graded.visits, not_graded.finds
            )?;
        }
        writeln!(f, "  以下“前一半”指{}的检查重新排序后的前一半；计划日只知道该期开始以前的事", self.period.title())?;
        writeln!(f, "随机次序：AUC 0.500，前一半发现 50.0%")?;
        writeln!(
            f,
            "实际次序：前一半发现 {}，比随机提前 {}",
            percent(self.usual.first_half),
            days(self.usual.days_before_random)
        )?;
        for model in &self.models {
            writeln!(f, "模型 {}（{}）", model.model, model.title)?;
            write!(f, "  AUC {}", Shown(model.auc, Unit::None))?;
            match model.auc_over_first {
                Some(over) => writeln!(f, "，比首个模型高 {}", Shown(Some(over), Unit::None))?,
                None => writeln!(f)?,
            }
            write!(f, "  前一半发现 {}", percent(model.order.first_half))?;
            match model.first_half_over_first {
                Some(over) => writeln!(f, "，比首个模型多 {}", Shown(Some(over), Unit::Points))?,
                None => writeln!(f)?,
            }
            writeln!(
                f,
                "  发现比实际提前 {}，比随机提前 {}",
                days(model.days_before_usual),
                days(model.order.days_before_random)
            )?;
            for rate in &model.levels {
                writeln!(
                    f,
                    "  {}级  检查 {} 次，发现 {} 次，占 {}",
                    rate.level,
                    rate.count.visits,
                    rate.count.finds,
                    percent(rate.found)
                )?;
            }
            let rates: Vec<_> = model.levels.iter().filter_map(|rate| Some((&rate.level, rate.found?.value))).collect();
            for pair in rates.windows(2).filter(|pair| pair[1].1 < pair[0].1) {
                writeln!(f, "  注意：{}级的发现率低于{}级，等级次序与结果不一致", pair[1].0, pair[0].0)?;
            }
        }
        Ok(())
    }
}
