//! What happens to an enterprise over the years: licences, visits, samples, penalties, lists, reports.
//! How often it goes wrong depends on its hidden carelessness, so that risk can be predicted.

use chrono::{Datelike, Months, TimeDelta};
use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use xinheng_core::record::Day;

use super::population::{Enterprise, Form, randomness, working_day};
use super::words::Line;

/// Years of records before the current one.
const YEARS: i32 = 6;
/// How many visits fall into each month: many before the Spring Festival, few during it.
const VISITS_BY_MONTH: [u32; 12] = [13, 3, 9, 9, 8, 9, 7, 7, 12, 6, 10, 9];

/// Something that happened to an enterprise and that a unit records.
pub struct Occurrence {
    pub on: Day,
    pub event: Event,
}

/// What happened.
pub enum Event {
    /// A licence was granted or renewed.
    Licensed { valid_until: Option<Day>, renewed_on: Option<Day> },
    /// The legal representative or the address changed.
    Changed,
    /// A visit, and how much failed in each chapter of the checklist.
    Inspected { reason: Reason, finding: Finding, failed: [u8; 12] },
    /// Something was to be put right.
    Ordered { due_on: Day, finished_on: Option<Day> },
    /// A sample was taken and tested.
    Sampled { tier: Tier, passed: bool },
    /// A penalty decision.
    Penalized(Penalty),
    /// On the list of abnormal operations, or, for an individual business, so marked.
    AbnormallyListed { ground: Ground, removed_on: Option<Day> },
    /// On the list of serious violations.
    SeriouslyListed { ground: &'static Offence, removed_on: Option<Day> },
    /// A complaint was dealt with.
    Complained { verified: bool },
    /// What became of the annual report of a year.
    Reported { year: i32, report: Report },
    /// An honour was given.
    Honoured { honour: Honour },
}

/// What became of an annual report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    Filed,
    /// Filed with zeros only.
    AllZero,
    /// Not filed by the last day.
    Missing,
    /// Filed after the listing.
    Late,
}

/// What an enterprise is honoured with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Honour {
    QualityAward,
    TrustedShop,
    Haccp,
}

/// A penalty decision.
pub struct Penalty {
    pub offence: &'static Offence,
    pub station: bool,
    /// In yuan; 0 for a warning.
    pub fine: u32,
    /// In yuan.
    pub confiscated: u32,
    pub repaired_on: Option<Day>,
    /// Running number of the authority's decisions in the year.
    pub serial: u32,
}

impl Penalty {
    pub fn is_wilful(&self) -> bool {
        self.offence.severity >= 4 && self.fine > self.offence.fine.1 / 2
    }

    pub fn stops_production(&self) -> bool {
        self.offence.severity == 5 && self.fine > self.offence.fine.1 * 4 / 5
    }
}

/// Why a visit takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// 日常监督检查
    Routine,
    /// 双随机抽查
    Random,
}

/// What a visit found, as far as the outcome goes (抽查检查结果).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    Nothing,
    Unpublished,
    NoContact,
    Corrected,
    Uncooperative,
    Pending,
}

/// Who ordered a sampling test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    National,
    Province,
    City,
    County,
}

/// Ground of an abnormal listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    AnnualReport,
    FalseInformation,
    NoContact,
}

/// An offence of the trade.
#[derive(Debug)]
pub struct Offence {
    pub title: &'static str,
    pub basis: &'static str,
    /// 1 light to 5 grave.
    pub severity: u8,
    /// In yuan; 0 for a warning.
    pub fine: (u32, u32),
}

const fn offence(title: &'static str, basis: &'static str, severity: u8, fine: (u32, u32)) -> Offence {
    Offence { title, basis, severity, fine }
}

const PRODUCTION: &[Offence] = &[
    offence("未按规定建立并遵守进货查验记录制度", "《中华人民共和国食品安全法》第一百二十六条第一款第三项", 1, (0, 0)),
    offence(
        "生产标签不符合规定的预包装食品",
        "《中华人民共和国食品安全法》第一百二十五条第一款第二项",
        2,
        (5_000, 20_000),
    ),
    offence(
        "未按规定实施生产过程控制要求",
        "《中华人民共和国食品安全法》第一百二十六条第一款第十三项",
        2,
        (5_000, 30_000),
    ),
    offence(
        "生产超范围使用食品添加剂的食品",
        "《中华人民共和国食品安全法》第一百二十四条第一款第三项",
        4,
        (50_000, 120_000),
    ),
    offence(
        "用超过保质期的食品原料生产食品",
        "《中华人民共和国食品安全法》第一百二十四条第一款第二项",
        5,
        (60_000, 150_000),
    ),
];
const SALE: &[Offence] = &[
    offence("未按规定履行进货查验义务", "《中华人民共和国食品安全法》第一百二十六条第一款第三项", 1, (0, 0)),
    offence(
        "经营标签不符合规定的预包装食品",
        "《中华人民共和国食品安全法》第一百二十五条第一款第二项",
        2,
        (1_000, 5_000),
    ),
    offence("经营超过保质期的食品", "《中华人民共和国食品安全法》第一百二十四条第一款第五项", 3, (2_000, 50_000)),
    offence(
        "经营农药残留超过食品安全标准限量的食用农产品",
        "《中华人民共和国食品安全法》第一百二十四条第一款第一项",
        3,
        (1_000, 50_000),
    ),
    offence(
        "未取得食品经营许可从事食品经营活动",
        "《中华人民共和国食品安全法》第一百二十二条第一款",
        4,
        (10_000, 60_000),
    ),
];
const KITCHEN: &[Offence] = &[
    offence(
        "安排未取得健康证明的人员从事接触直接入口食品的工作",
        "《中华人民共和国食品安全法》第一百二十六条第一款第六项",
        1,
        (0, 0),
    ),
    offence(
        "餐具、饮具使用前未经洗净、消毒",
        "《中华人民共和国食品安全法》第一百二十六条第一款第五项",
        2,
        (5_000, 10_000),
    ),
    offence(
        "使用超过保质期的食品原料加工食品",
        "《中华人民共和国食品安全法》第一百二十四条第一款第二项",
        4,
        (5_000, 60_000),
    ),
];
const EQUIPMENT: &[Offence] = &[
    offence("未按规定办理特种设备使用登记", "《中华人民共和国特种设备安全法》第八十三条第一项", 2, (10_000, 30_000)),
    offence(
        "使用无相应资格人员从事特种设备作业",
        "《中华人民共和国特种设备安全法》第八十六条第二项",
        3,
        (10_000, 50_000),
    ),
    offence("使用未经定期检验的特种设备", "《中华人民共和国特种设备安全法》第八十四条第一项", 4, (30_000, 80_000)),
];
const TRADE: &[Offence] = &[
    offence("未按规定明码标价", "《中华人民共和国价格法》第四十二条", 1, (0, 0)),
    offence("发布虚假广告", "《中华人民共和国广告法》第五十五条", 3, (3_000, 60_000)),
    offence(
        "销售不符合保障人体健康和人身、财产安全标准的产品",
        "《中华人民共和国产品质量法》第四十九条",
        3,
        (2_000, 40_000),
    ),
    offence("销售侵犯注册商标专用权的商品", "《中华人民共和国商标法》第六十条第二款", 4, (5_000, 80_000)),
];

impl Line {
    fn offences(self) -> &'static [Offence] {
        match self {
            Self::FoodProduction(_) => PRODUCTION,
            Self::FoodSale => SALE,
            Self::Catering => KITCHEN,
            Self::EquipmentUse(_) | Self::EquipmentProduction(_) => EQUIPMENT,
            Self::General => TRADE,
        }
    }
}

/// Weight of the applicable items in each of the twelve chapters of a food producer's checklist.
pub const CHAPTERS: [u8; 12] = [6, 14, 11, 24, 15, 9, 10, 7, 6, 8, 7, 5];

/// The first day of the records.
pub fn beginning(until: Day) -> Day {
    Day::from_ymd_opt(until.year() - YEARS, 1, 1).expect("1 January exists")
}

/// Everything that happened to the enterprise until that day, in order.
pub fn live(seed: u64, enterprise: &Enterprise, until: Day) -> Vec<Occurrence> {
    let mut life = Life {
        random: randomness(seed, u64::from(enterprise.number)),
        enterprise,
        until: enterprise.last_day(until),
        occurrences: Vec::new(),
    };
    life.licenses();
    life.changes();
    let first = beginning(until).year();
    for year in first..=until.year() {
        life.annual_report(year);
        life.visits(year);
        life.samples(year);
        life.complaints(year);
        life.other_cases(year);
        life.honours(year);
    }
    life.occurrences.sort_by_key(|occurrence| occurrence.on);
    life.occurrences
}

struct Life<'a> {
    random: ChaCha8Rng,
    enterprise: &'a Enterprise,
    /// The last day on which something can happen.
    until: Day,
    occurrences: Vec<Occurrence>,
}

impl Life<'_> {
    /// Whether something happens that does so so many times in a thousand.
    fn happens(&mut self, permille: u32) -> bool {
        self.random.random_range(0..1000) < permille
    }

    /// Grows with the square of the carelessness, from nothing to `most`.
    fn carelessly(&self, most: u32) -> u32 {
        most * self.enterprise.carelessness.pow(2) / 1_000_000
    }

    /// Records it if the enterprise is open then.
    fn record(&mut self, on: Day, event: Event) -> bool {
        let possible = self.enterprise.established_on <= on && on < self.until;
        if possible {
            self.occurrences.push(Occurrence { on, event });
        }
        possible
    }

    fn later(&mut self, day: Day, days: std::ops::Range<i64>) -> Day {
        working_day(day + TimeDelta::days(self.random.random_range(days)))
    }

    /// A working day of the year, as visits fall.
    fn day_of_visit(&mut self, year: i32) -> Day {
        let months: Vec<(u32, u32)> = (1..).zip(VISITS_BY_MONTH).collect();
        let (month, _) = months.choose_weighted(&mut self.random, |(_, weight)| *weight).expect("weights are positive");
        let day = self.random.random_range(1..=28);
        working_day(Day::from_ymd_opt(year, *month, day).expect("every month has 28 days"))
    }

    /// Granted soon after the establishment, renewed in time or late or, by the careless, not at all.
    fn licenses(&mut self) {
        let years = match self.enterprise.trade.line {
            Line::FoodProduction(_) | Line::FoodSale | Line::Catering => Some(5),
            Line::EquipmentProduction(_) => Some(4),
            Line::EquipmentUse(_) => None,
            Line::General => return,
        };
        let mut granted_on = self.later(self.enterprise.established_on, 5..60);
        loop {
            let valid_until = years.map(|years| granted_on + Months::new(12 * years) - TimeDelta::days(1));
            let renewed_on = valid_until.and_then(|day| self.renewal(day)).filter(|day| *day < self.until);
            self.record(granted_on, Event::Licensed { valid_until, renewed_on });
            match renewed_on {
                Some(renewed_on) => granted_on = renewed_on,
                None => return,
            }
        }
    }

    fn renewal(&mut self, valid_until: Day) -> Option<Day> {
        let lapses = 15 + self.carelessly(300);
        let late = 30 + self.carelessly(400);
        if self.happens(lapses) {
            None
        } else if self.happens(late) {
            Some(self.later(valid_until, 5..90))
        } else {
            Some(working_day(valid_until - TimeDelta::days(self.random.random_range(10..60))))
        }
    }

    fn changes(&mut self) {
        for day in self.enterprise.changes() {
            self.record(day, Event::Changed);
        }
    }

    /// The report of the year before, due by the end of June; whoever misses that is listed in July.
    fn annual_report(&mut self, year: i32) {
        let due = Day::from_ymd_opt(year, 6, 30).expect("30 June exists");
        if self.enterprise.established_on.year() >= year || self.until <= due {
            return;
        }
        let report = |report| Event::Reported { year: year - 1, report };
        let missed = 8 + self.carelessly(420);
        if !self.happens(missed) {
            let all_zero = self.random.random_range(0..4_000) < self.enterprise.carelessness;
            // Nearly everybody waits for the last weeks.
            let days = i64::from(self.random.random_range(0..1000u32).pow(2)) * 175 / 1_000_000;
            let filed = if all_zero { Report::AllZero } else { Report::Filed };
            self.record(due - TimeDelta::days(days), report(filed));
            return;
        }
        self.record(due, report(Report::Missing));
        let listed_on = self.later(due, 1..12);
        let returns = 750 - self.carelessly(500);
        let removed_on = self.happens(returns).then(|| self.later(listed_on, 15..420));
        if let Some(removed_on) = removed_on {
            self.record(removed_on - TimeDelta::days(3), report(Report::Late));
        }
        self.listed(listed_on, Ground::AnnualReport, removed_on);
    }

    fn listed(&mut self, on: Day, ground: Ground, removed_on: Option<Day>) {
        let removed_on = removed_on.filter(|day| *day < self.until);
        self.record(on, Event::AbnormallyListed { ground, removed_on });
    }

    fn visits(&mut self, year: i32) {
        let carelessness = self.enterprise.carelessness;
        let routine = match self.enterprise.trade.line {
            Line::FoodProduction(_) => 1 + u32::from(carelessness > 350) + u32::from(carelessness > 700),
            Line::Catering | Line::EquipmentProduction(_) => 1,
            Line::FoodSale => u32::from(self.happens(600 + carelessness / 3)),
            Line::EquipmentUse(_) => u32::from(self.happens(700 + carelessness / 4)),
            Line::General => 0,
        };
        for _ in 0..routine {
            let on = self.day_of_visit(year);
            self.routine_visit(on);
        }
        if self.happens(if self.enterprise.form == Form::SelfEmployed { 25 } else { 60 }) {
            let on = self.day_of_visit(year);
            self.random_visit(on);
        }
    }

    fn routine_visit(&mut self, on: Day) {
        let chance = 6 + self.carelessly(430);
        let mut failed = [0; 12];
        for (failed, applicable) in failed.iter_mut().zip(CHAPTERS) {
            *failed = (0..applicable).map(|_| u8::from(self.happens(chance))).sum();
        }
        let share = failed.iter().map(|&weight| u32::from(weight)).sum::<u32>() * 1000
            / CHAPTERS.iter().map(|&weight| u32::from(weight)).sum::<u32>();
        let finding = match share {
            0..=12 => Finding::Nothing,
            13..=250 => Finding::Corrected,
            _ => Finding::Pending,
        };
        let visited = self.record(on, Event::Inspected { reason: Reason::Routine, finding, failed });
        let punished = match finding {
            Finding::Pending => 650,
            Finding::Corrected => 40 + self.carelessly(200),
            _ => 0,
        };
        if visited && finding == Finding::Corrected {
            self.order(on);
        }
        if visited && self.happens(punished) {
            self.penalty(on);
        }
    }

    fn order(&mut self, on: Day) {
        let due_on = on + TimeDelta::days(15);
        let neglects = self.carelessly(300);
        let late = 20 + self.carelessly(300);
        let finished_on = if self.happens(neglects) {
            None
        } else if self.happens(late) {
            Some(self.later(due_on, 2..40))
        } else {
            Some(working_day(on + TimeDelta::days(self.random.random_range(3..12))).min(due_on))
        };
        self.record(on, Event::Ordered { due_on, finished_on });
    }

    fn random_visit(&mut self, on: Day) {
        let chance = 35 + self.carelessly(500);
        let finding = if self.happens(chance) {
            *[
                (Finding::Unpublished, 4),
                (Finding::NoContact, 3),
                (Finding::Corrected, 7),
                (Finding::Uncooperative, 1),
                (Finding::Pending, 2),
            ]
            .choose_weighted(&mut self.random, |(_, weight)| *weight)
            .map(|(finding, _)| finding)
            .expect("weights are positive")
        } else {
            Finding::Nothing
        };
        let visited = self.record(on, Event::Inspected { reason: Reason::Random, finding, failed: [0; 12] });
        let ground = match finding {
            Finding::NoContact => Ground::NoContact,
            Finding::Unpublished | Finding::Uncooperative => Ground::FalseInformation,
            _ => return,
        };
        if visited {
            let listed_on = self.later(on, 5..14);
            let removed_on = self.happens(500).then(|| self.later(listed_on, 20..300));
            self.listed(listed_on, ground, removed_on);
        }
    }

    fn samples(&mut self, year: i32) {
        let samples = match self.enterprise.trade.line {
            Line::FoodProduction(_) => self.random.random_range(1..4),
            Line::FoodSale => u32::from(self.happens(400)),
            Line::Catering => u32::from(self.happens(280)),
            _ => 0,
        };
        for _ in 0..samples {
            let on = self.day_of_visit(year);
            let tier = *[(Tier::National, 1), (Tier::Province, 3), (Tier::City, 4), (Tier::County, 8)]
                .choose_weighted(&mut self.random, |(_, weight)| *weight)
                .map(|(tier, _)| tier)
                .expect("weights are positive");
            let chance = 9 + self.carelessly(230);
            let passed = !self.happens(chance);
            if self.record(on, Event::Sampled { tier, passed }) && !passed && self.happens(700) {
                self.penalty(on);
            }
        }
    }

    fn complaints(&mut self, year: i32) {
        let chance = 15 + self.carelessly(450);
        while self.happens(chance) {
            let on = self.day_of_visit(year);
            let verified = self.happens(250 + self.enterprise.carelessness / 3);
            if self.record(on, Event::Complained { verified }) && verified && self.happens(200) {
                self.penalty(on);
            }
        }
    }

    /// Cases that no visit of ours began.
    fn other_cases(&mut self, year: i32) {
        let chance = 3 + self.carelessly(60);
        if self.happens(chance) {
            let on = self.day_of_visit(year);
            self.penalty(on);
        }
    }

    /// Decided some weeks after the case came up; the gravest lead to the list of serious violations.
    fn penalty(&mut self, came_up_on: Day) {
        let offences = self.enterprise.trade.line.offences();
        let harsh = self.enterprise.carelessness / 250;
        let offence = offences
            .choose_weighted(&mut self.random, |offence| {
                let distance = u32::from(offence.severity).abs_diff(1 + harsh);
                8 / (1 + distance)
            })
            .expect("weights are positive");
        let on = self.later(came_up_on, 15..75);
        let fine = match offence.fine {
            (0, 0) => 0,
            (least, most) => self.random.random_range(least / 100..=most / 100) * 100,
        };
        let confiscated = if fine > 0 && self.happens(450) { self.random.random_range(20..4_000) } else { 0 };
        let repaired_on = (fine > 0 && self.happens(300)).then(|| self.later(on, 190..500));
        let decided = self.record(
            on,
            Event::Penalized(Penalty {
                offence,
                station: offence.severity <= 2 && fine < 10_000,
                fine,
                confiscated,
                repaired_on: repaired_on.filter(|day| *day < self.until),
                serial: 0,
            }),
        );
        if decided && offence.severity >= 4 && self.random.random_range(0..9_000) < self.enterprise.carelessness {
            let listed_on = self.later(on, 10..40);
            let early = self.happens(400).then(|| self.later(listed_on, 380..700));
            let removed_on = early.unwrap_or(listed_on + Months::new(36));
            let removed_on = Some(removed_on).filter(|day| *day < self.until);
            self.record(listed_on, Event::SeriouslyListed { ground: offence, removed_on });
        }
    }

    fn honours(&mut self, year: i32) {
        if self.enterprise.form == Form::SelfEmployed || self.enterprise.carelessness > 120 || !self.happens(20) {
            return;
        }
        let on = self.day_of_visit(year);
        let certifies = matches!(self.enterprise.trade.line, Line::FoodProduction(_));
        let honour = match self.random.random_range(0..10) {
            0..5 if certifies => Honour::Haccp,
            0..7 => Honour::TrustedShop,
            _ => Honour::QualityAward,
        };
        self.record(on, Event::Honoured { honour });
    }
}

/// The level that the province gives: it sees much the same, with eyes of its own.
pub fn province_level(enterprise: &Enterprise, life: &[Occurrence], day: Day) -> &'static str {
    let listed = life.iter().any(|occurrence| {
        occurrence.on <= day
            && matches!(&occurrence.event,
                Event::AbnormallyListed { removed_on, .. } | Event::SeriouslyListed { removed_on, .. }
                if removed_on.is_none_or(|removed_on| removed_on > day))
    });
    let number = enterprise.number % 10_000;
    let blur = number * 7919 % 300 + (day.month() * 104_729 + number * 31) % 40;
    let risk = enterprise.carelessness + blur + if listed { 300 } else { 0 };
    match risk {
        0..450 => "信用风险低",
        450..850 => "信用风险一般",
        850..1_150 => "信用风险较高",
        _ => "信用风险高",
    }
}
