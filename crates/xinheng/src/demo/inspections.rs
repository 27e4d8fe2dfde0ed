//! The demonstration county's year of random inspections: plans, draws, visits and results, each at its time and
//! through the use cases of the site. Numbers of lotteries and places of publication are made up, and say so.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use chrono::{Datelike, Months, TimeDelta};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use xinheng_app::evidence::{ClockName, PublicationEvidence};
use xinheng_app::inspect::{PlanProposal, VisitResult};
use xinheng_app::{Bureau, WrongInput};
use xinheng_core::approval::Action;
use xinheng_core::draw::Time;
use xinheng_core::record::{Day, Moment, Seq};
use xinheng_core::visit::VisitState;

use super::clock::{Clock, at};
use super::population::randomness;

/// Who plans, reviews, approves, and enters the numbers the second time.
const PLANNER: &str = "xinyong";
const REVIEWER: &str = "shenhe";
const LEADER: &str = "juzhang";
/// Stream of randomness, apart from the county's own.
const STREAM: u64 = 0x4452_4157;
/// An issue that no lottery has: the numbers are made up.
const ISSUE: u32 = 9_999_000;
/// Ratios, per 10,000.
const FOOD: u32 = 1_500;
const GENERAL: u32 = 500;
/// Days after which results are published; the term is twenty working days.
const PUBLISHED_AFTER: i64 = 12;
/// Clocks looked at together.
const CLOCKS: u64 = 200;
/// Most visits of a plan that are carried out in the demonstration; the rest stay open.
const MOST_VISITS: usize = 40;

/// What the county does next, each at its time.
pub struct Inspections {
    steps: BTreeMap<(Moment, usize), Step>,
    count: usize,
    random: ChaCha8Rng,
}

enum Step {
    /// A plan is proposed, reviewed, approved.
    Plan(PlanProposal, Fate),
    /// It is frozen and witnessed.
    Freeze(Seq, Fate),
    /// Two people enter the numbers.
    Seal(Seq, String, Fate),
    /// Some visits are carried out, and their results checked.
    Visits(Seq),
    /// Results are published on the national system, and the proof of it is checked.
    Publish(Seq),
    /// What falls due by itself.
    FallDue,
}

/// What becomes of a plan.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Carried out, and its names published.
    Done,
    /// The first draw misses its deadline and is void; a second one is carried out.
    VoidFirst,
    /// Drawn, visits under way.
    UnderWay,
    /// Frozen, its lottery is drawn: two people may seal it.
    Due,
    /// Frozen, waiting for the lottery.
    Waiting,
}

impl Inspections {
    /// A year of plans before a day.
    pub fn new(seed: u64, until: Day) -> Self {
        let mut year = Self { steps: BTreeMap::new(), count: 0, random: randomness(seed, STREAM) };
        let plans = [
            (10, 6, "食品生产企业监督检查", "food_production_daily", FOOD, 45, Fate::Done),
            (7, 6, "企业年报公示信息抽查", "annual_report", GENERAL, 40, Fate::VoidFirst),
            (4, 6, "食品生产企业监督检查", "food_production_daily", FOOD, 45, Fate::Done),
            (1, 6, "食品生产企业监督检查", "food_production_daily", FOOD, 60, Fate::UnderWay),
            (0, 2, "企业年报公示信息抽查", "annual_report", GENERAL, 40, Fate::Due),
            (0, 0, "食品生产企业补充检查", "food_production_daily", FOOD, 40, Fate::Waiting),
        ];
        for (months, before, title, item, ratio, days, fate) in plans {
            let day = until - Months::new(months) - TimeDelta::days(before);
            let plan = PlanProposal {
                title: format!("{}年{}月{title}（演示）", day.year(), day.month()),
                item: item.to_owned(),
                from: day,
                until: day + TimeDelta::days(days),
                ratio,
                leave_out_low: item == "annual_report",
                by_town: false,
                list_due: false,
                note: None,
            };
            year.at(at(day, 9, 30), Step::Plan(plan, fate));
        }
        year
    }

    fn at(&mut self, moment: Moment, step: Step) {
        self.count += 1;
        self.steps.insert((moment, self.count), step);
    }

    /// Does what comes until a moment.
    pub async fn go_on(&mut self, bureau: &Bureau, clock: &Clock, until: Moment) -> anyhow::Result<()> {
        while let Some(entry) = self.steps.first_entry() {
            let moment = entry.key().0;
            if moment > until {
                break;
            }
            let step = entry.remove();
            clock.show(moment);
            match self.take(bureau, moment, step).await {
                // A county may be too small for a draw; then it has none.
                Err(error) if error.is::<WrongInput>() => eprintln!("演示的抽查没有进行：{error}"),
                other => other?,
            }
        }
        Ok(())
    }

    async fn take(&mut self, bureau: &Bureau, now: Moment, step: Step) -> anyhow::Result<()> {
        let today = now.day_in_china();
        match step {
            Step::Plan(plan, fate) => {
                let act = bureau.act_of(PLANNER, "plan.propose").await?;
                let matter = bureau.propose_plan(&act, None, &plan).await?;
                decide(bureau, REVIEWER, matter, Action::Review).await?;
                decide(bureau, LEADER, matter, Action::Approve).await?;
                let kept = bureau.store().plans(None, 1).await?.pop().context("刚批准的计划不见了")?;
                self.at(now.minutes_later(60), Step::Freeze(kept.seq, fate));
            }
            Step::Freeze(plan, fate) => {
                let act = bureau.act_of(PLANNER, "draw.freeze").await?;
                // Time to publish the freeze hash before the lottery is drawn.
                let choice =
                    bureau.lottery_choices().into_iter().find(|one| one.id == "double_colour" && one.day > today);
                let choice = choice.context("两周之内没有双色球开奖")?;
                let draw = bureau.freeze_draw(&act, plan, &choice.id, choice.day).await?;
                let act = bureau.act_of(PLANNER, "draw.witness").await?;
                bureau.witness_draw(&act, &draw, "演示：没有真的公布在任何地方", Time::of(now)).await?;
                match fate {
                    Fate::Due | Fate::Waiting => {}
                    Fate::VoidFirst => {
                        let day = choice.day + TimeDelta::days(10);
                        self.at(at(day, 9, 0), Step::FallDue);
                        self.at(at(day, 9, 30), Step::Freeze(plan, Fate::Done));
                    }
                    Fate::Done | Fate::UnderWay => {
                        let morning = at(choice.day + TimeDelta::days(1), 9, 0);
                        self.at(morning, Step::Seal(plan, draw, fate));
                    }
                }
            }
            Step::Seal(plan, draw, fate) => {
                let numbers = self.numbers();
                let act = bureau.act_of(PLANNER, "draw.enter").await?;
                let matter = bureau.enter_numbers(&act, &draw, &numbers).await?;
                let act = bureau.act_of(REVIEWER, "matter.review").await?;
                bureau.confirm_numbers(&act, matter, &numbers).await?;
                let kept = bureau.store().plan(plan).await?.context("演示的计划不见了")?;
                let days = (kept.until - today).num_days().max(4);
                let shares: &[i64] = if fate == Fate::UnderWay { &[2] } else { &[1, 2, 3] };
                for share in shares {
                    self.at(at(today + TimeDelta::days(days * share / 4), 16, 0), Step::Visits(plan));
                }
                if fate != Fate::UnderWay {
                    self.at(at(kept.until - TimeDelta::days(1), 16, 0), Step::Visits(plan));
                    self.at(at(kept.until + TimeDelta::days(1), 8, 0), Step::FallDue);
                }
            }
            Step::Visits(plan) => {
                self.visit(bureau, plan, today).await?;
                self.at(at(today + TimeDelta::days(PUBLISHED_AFTER), 10, 0), Step::Publish(plan));
            }
            Step::Publish(plan) => publish(bureau, plan, today).await?,
            Step::FallDue => {
                bureau.void_overdue_draws().await?.whole()?;
                bureau.publish_due_names().await?.whole()?;
            }
        }
        Ok(())
    }

    /// Numbers of a lottery, made up.
    fn numbers(&mut self) -> String {
        let mut red: Vec<u32> = Vec::new();
        while red.len() < 6 {
            let ball = self.random.random_range(1..=33);
            if !red.contains(&ball) {
                red.push(ball);
            }
        }
        red.sort_unstable();
        let red: Vec<String> = red.iter().map(|ball| format!("{ball:02}")).collect();
        let (issue, blue) = (ISSUE + self.random.random_range(1..999), self.random.random_range(1..=16));
        format!("双色球 {issue} {} + {blue:02}", red.join(" "))
    }

    /// A part of the open visits of a plan: on the last day all of them.
    async fn visit(&mut self, bureau: &Bureau, plan: Seq, today: Day) -> anyhow::Result<()> {
        let kept = bureau.store().plan(plan).await?.context("演示的计划不见了")?;
        let all = bureau.store().visits(&xinheng_store::VisitFilter::Plan(plan)).await?;
        let open: Vec<_> = all.iter().filter(|visit| visit.state == VisitState::Open && visit.team.is_some()).collect();
        let wanted = if today + TimeDelta::days(1) >= kept.until { open.len() } else { open.len().div_ceil(3) };
        for visit in open.into_iter().take(wanted.min(MOST_VISITS)) {
            let lead = visit.team.context("检查任务没有检查组")?.lead;
            let lead = bureau.staff_member(lead).await?.context("检查人员不见了")?;
            let act = bureau.act_of(&lead.account, "visit.enter").await?;
            let chance: u32 = self.random.random_range(0..100);
            let (result, rectification_due) = match chance {
                0..70 => ("01", None),
                70..92 => ("05", Some(today + TimeDelta::days(15))),
                92..96 => ("04", None),
                _ => ("08", None),
            };
            let entered = VisitResult {
                plan,
                place: visit.place,
                inspected_on: today,
                result: result.to_owned(),
                chapters: self.chapters(&kept.item, result),
                rectification_due,
                remark: None,
            };
            let matter = bureau.enter_result(&act, None, &entered).await?;
            decide(bureau, PLANNER, matter, Action::Review).await?;
        }
        Ok(())
    }

    fn chapters(&mut self, item: &str, result: &str) -> BTreeMap<String, String> {
        if item != "food_production_daily" {
            return BTreeMap::new();
        }
        let worst: u32 = if result == "05" { 5 } else { 1 };
        (1..=12)
            .map(|chapter| {
                let failed = self.random.random_range(0..=worst).saturating_sub(worst / 2);
                (format!("chapter_{chapter:02}"), format!("{failed}/{}", 8 + chapter % 4))
            })
            .collect()
    }
}

/// A proof for the results of a plan that are still to be published.
async fn publish(bureau: &Bureau, plan: Seq, today: Day) -> anyhow::Result<()> {
    let number = bureau.store().plan(plan).await?.context("演示的计划不见了")?.number;
    let act = bureau.act_of(PLANNER, "publication.propose").await?;
    let (mut after, mut clocks) = (None, Vec::new());
    loop {
        let page = bureau.open_clocks(act.signed_in()?, after, CLOCKS).await?;
        let of_plan = page.lines.into_iter().filter(|line| {
            let task = line.document_number.as_deref().unwrap_or_default();
            line.rule == "inspection_publication" && task.starts_with(&number)
        });
        clocks.extend(of_plan.map(|line| ClockName { rule: line.rule, seq: line.seq.0 }));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    if clocks.is_empty() {
        return Ok(());
    }
    let place = format!("演示：没有真的公布，计划 {number}");
    let evidence = PublicationEvidence { clocks, published_on: today, place, note: None };
    let matter = bureau.propose_evidence(&act, None, &evidence).await?;
    decide(bureau, REVIEWER, matter, Action::Review).await
}

async fn decide(bureau: &Bureau, account: &str, matter: Seq, action: Action) -> anyhow::Result<()> {
    let act = bureau.act_of(account, "matter.review").await?;
    bureau.decide_matter(&act, matter, action, None).await?;
    Ok(())
}

/// Leaves every public certificate as a file, to be verified by whoever likes.
pub async fn leave_certificates(bureau: &Bureau, folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("建不了文件夹“{}”", folder.display()))?;
    for line in bureau.public_draws(None, 100).await? {
        let file = folder.join(format!("{}.json", line.certificate.draw));
        std::fs::write(&file, line.certificate.to_json() + "\n")
            .with_context(|| format!("写不成“{}”", file.display()))?;
    }
    Ok(())
}
