//! Back-test (回溯检验): how well a model would have told, on the day before, which visits find something.
//!
//! Three questions. Does a visit that found something have more points than one that found nothing (AUC)?
//! Had the visits of a period been made in the order of points, what share of the finds would its first
//! half have held, and how many days earlier would they have come? Each is compared with the order in
//! which the visits really were made and with a random one.
//!
//! Equal points are settled by the mean over all their orders, computed and not drawn. Sums are whole
//! numbers, so that no result depends on the order in which visits are given. Intervals come from
//! resampling enterprises (an enterprise keeps all its visits together), by pseudo-random numbers that
//! depend on the number of the resample alone: the same visits give the same intervals everywhere.

use chrono::Datelike;
use serde::Serialize;

use crate::points::Points;
use crate::record::Day;

/// How many resamples make an interval. One less than a thousand, so that its ends are two of them.
pub const RESAMPLES: u32 = 999;

/// A span within which visits may change places: whoever plans it knows nothing of it yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// A calendar month.
    Month,
    /// Three calendar months.
    Quarter,
    /// Six calendar months.
    HalfYear,
    /// A calendar year.
    Year,
    /// The whole time looked at.
    Whole,
}

impl Period {
    /// The first day of the period that a day is in, of a time that begins on `from`.
    #[must_use]
    pub fn first_day(self, day: Day, from: Day) -> Day {
        let months = match self {
            Self::Month => 1,
            Self::Quarter => 3,
            Self::HalfYear => 6,
            Self::Year => 12,
            Self::Whole => return from,
        };
        let first = day.with_day(1).and_then(|day| day.with_month0(day.month0() / months * months));
        first.map_or(from, |first| first.max(from))
    }
}

/// A visit, and what each model had said of the enterprise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Number of the enterprise.
    pub enterprise: u32,
    /// The day.
    pub day: Day,
    /// First day of its period.
    pub period: Day,
    /// Whether it found what was looked for.
    pub found: bool,
    /// What the models said, in their order.
    pub views: Vec<View>,
}

/// What a model said of an enterprise before a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Points on the day before the visit.
    pub eve: Points,
    /// Level on the day before the visit, as an index into the model's levels.
    pub level: usize,
    /// Points on the day before the visit's period began.
    pub planned: Points,
}

/// Whole millionths: of a share, of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millionths(pub i64);

impl Millionths {
    const ONE: i128 = 1_000_000;

    /// `numerator ÷ denominator` to the nearest millionth.
    fn ratio(numerator: i128, denominator: i128) -> Option<Self> {
        let twice = 2 * denominator;
        let rounded = (2 * Self::ONE * numerator + denominator).checked_div_euclid(twice)?;
        Some(Self(i64::try_from(rounded).expect("shares and days are far below the range")))
    }

    /// With so many decimals, as people read it.
    #[must_use]
    pub fn decimals(self, places: usize) -> String {
        format!("{:.places$}", self.as_number())
    }

    /// As a percentage with one decimal.
    #[must_use]
    pub fn percent(self) -> String {
        format!("{:.1}%", self.as_number() * 100.0)
    }

    fn as_number(self) -> f64 {
        self.0 as f64 / Self::ONE as f64
    }
}

impl Serialize for Millionths {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.as_number())
    }
}

impl std::ops::Sub for Millionths {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

/// A figure with the interval that holds it in 95 of 100 cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// The figure.
    pub value: Millionths,
    /// Lower end.
    pub low: Millionths,
    /// Upper end.
    pub high: Millionths,
}

/// What a back-test says; a figure is absent where nothing defines it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Figures<T> {
    /// Share of visits that found something.
    pub found: T,
    /// The order in which the visits were made.
    pub usual: UsualFigures<T>,
    /// The models, in their order.
    pub models: Vec<ModelFigures<T>>,
}

/// What is said of the order in which the visits were made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UsualFigures<T> {
    /// Share of the finds in the first half of each period's visits.
    pub first_half: T,
    /// By how many days a find came earlier than in random order.
    pub days_before_random: T,
}

/// What is said of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelFigures<T> {
    /// How often a visit that found something had more points than one that found nothing; equal points
    /// count half.
    pub auc: T,
    /// Share of the finds in the first half of each period's visits, the most points first.
    pub first_half: T,
    /// By how many days a find would come earlier than it really came.
    pub days_before_usual: T,
    /// By how many days a find would come earlier than in random order.
    pub days_before_random: T,
    /// By how much its AUC exceeds the first model's.
    pub auc_over_first: T,
    /// By how much its share in the first half exceeds the first model's.
    pub first_half_over_first: T,
    /// By level: share of visits that found something.
    pub levels: Vec<T>,
}

impl<T: Copy> Figures<T> {
    fn values(&self) -> Vec<T> {
        let mut values = vec![self.found, self.usual.first_half, self.usual.days_before_random];
        for model in &self.models {
            values.extend([model.auc, model.first_half, model.days_before_usual, model.days_before_random]);
            values.extend([model.auc_over_first, model.first_half_over_first]);
            values.extend(&model.levels);
        }
        values
    }

    /// The same figures, each made into something else, in the order of [`Self::values`].
    fn map<U>(&self, mut make: impl FnMut(T) -> U) -> Figures<U> {
        let found = make(self.found);
        let first_half = make(self.usual.first_half);
        let usual = UsualFigures { first_half, days_before_random: make(self.usual.days_before_random) };
        let models = self.models.iter().map(|model| ModelFigures {
            auc: make(model.auc),
            first_half: make(model.first_half),
            days_before_usual: make(model.days_before_usual),
            days_before_random: make(model.days_before_random),
            auc_over_first: make(model.auc_over_first),
            first_half_over_first: make(model.first_half_over_first),
            levels: model.levels.iter().map(|rate| make(*rate)).collect(),
        });
        Figures { found, usual, models: models.collect() }
    }
}

impl Figures<Option<Millionths>> {
    /// Puts an interval to every figure: from the 2.5th to the 97.5th of a hundred resamples.
    #[must_use]
    pub fn with_intervals(&self, resamples: &[Self]) -> Figures<Option<Estimate>> {
        let rows: Vec<_> = resamples.iter().map(Self::values).collect();
        let mut place = 0;
        self.map(|value| {
            let mut column: Vec<Millionths> = rows.iter().filter_map(|row| row[place]).collect();
            place += 1;
            column.sort_unstable();
            // Each end leaves one fortieth of the resamples outside.
            let outside = ((column.len() + 1) / 40).saturating_sub(1);
            let (low, high) = (column.get(outside), column.iter().nth_back(outside));
            Some(Estimate { value: value?, low: *low?, high: *high? })
        })
    }
}

/// Visits sorted into groups of equals, and the groups into sections.
struct Order {
    visits: Vec<u32>,
    /// Where each group ends, and whether its section ends there too.
    ends: Vec<(usize, bool)>,
}

impl Order {
    /// Sections rise by their own key, groups within by theirs.
    fn new<S: Ord, G: Ord>(count: usize, section: impl Fn(usize) -> S, group: impl Fn(usize) -> G) -> Self {
        let mut visits: Vec<usize> = (0..count).collect();
        visits.sort_by_key(|&visit| (section(visit), group(visit)));
        let mut ends = Vec::new();
        for place in 0..count {
            let (this, next) = (visits[place], visits.get(place + 1));
            let section_ends = next.is_none_or(|&next| section(next) != section(this));
            if section_ends || next.is_some_and(|&next| group(next) != group(this)) {
                ends.push((place + 1, section_ends));
            }
        }
        let visits = visits.into_iter().map(|visit| u32::try_from(visit).expect("visits have numbers of 32 bits"));
        Self { visits: visits.collect(), ends }
    }

    /// The groups in their order, each with whether it is the last of its section.
    fn groups(&self) -> impl Iterator<Item = (&[u32], bool)> {
        let mut start = 0;
        self.ends.iter().map(move |&(end, last)| {
            let group = &self.visits[start..end];
            start = end;
            (group, last)
        })
    }
}

/// What an order of visits comes to, summed over the finds.
struct Walk {
    /// Finds in the first halves, in [`FINE`] parts.
    first_half: i128,
    /// Days of the finds, in [`FINE`] parts.
    days: i128,
}

/// Parts of a find or a day in which sums are kept.
const FINE: i128 = 1_000_000_000;

struct ModelOrders {
    /// The fewest points of the eve first, all in one section.
    points: Order,
    /// The most points at the planning first, by period.
    planned: Order,
    levels: usize,
}

/// Visits made ready to be compared under any weights of the enterprises.
pub struct Comparison {
    found: Vec<bool>,
    enterprise: Vec<u32>,
    enterprises: u32,
    /// Days since the first visit.
    day: Vec<i64>,
    levels: Vec<Vec<usize>>,
    /// By day: what the slots are, too.
    usual: Order,
    random: Order,
    models: Vec<ModelOrders>,
}

impl Comparison {
    /// Takes visits in any order; each has a view of every model, `levels` says how many levels each has.
    #[must_use]
    pub fn new(visits: &[Visit], levels: &[usize]) -> Self {
        let count = visits.len();
        let first = visits.iter().map(|visit| visit.day).min().unwrap_or_default();
        let period = |visit: usize| visits[visit].period;
        let models = levels.iter().enumerate().map(|(model, &levels)| ModelOrders {
            points: Order::new(count, |_| (), |visit| visits[visit].views[model].eve),
            planned: Order::new(count, period, |visit| std::cmp::Reverse(visits[visit].views[model].planned)),
            levels,
        });
        let level = |model: usize| visits.iter().map(|visit| visit.views[model].level).collect();
        Self {
            found: visits.iter().map(|visit| visit.found).collect(),
            enterprise: visits.iter().map(|visit| visit.enterprise).collect(),
            enterprises: visits.iter().map(|visit| visit.enterprise + 1).max().unwrap_or(0),
            day: visits.iter().map(|visit| (visit.day - first).num_days()).collect(),
            levels: (0..levels.len()).map(level).collect(),
            usual: Order::new(count, period, |visit| visits[visit].day),
            random: Order::new(count, period, |_| ()),
            models: models.collect(),
        }
    }

    /// The figures, every enterprise counting once.
    #[must_use]
    pub fn figures(&self) -> Figures<Option<Millionths>> {
        self.weighed(&vec![1; self.found.len()])
    }

    /// The figures of a resample: as many enterprises as there are, each drawn from all of them. Those
    /// without any visit here may be among the numbers; they change nothing but the number drawn.
    #[must_use]
    pub fn resample(&self, number: u32) -> Figures<Option<Millionths>> {
        let mut draws = Draws::new(number);
        let mut times = vec![0; self.enterprises as usize];
        for _ in 0..self.enterprises {
            times[draws.below(self.enterprises) as usize] += 1;
        }
        let weights: Vec<u32> = self.enterprise.iter().map(|&enterprise| times[enterprise as usize]).collect();
        self.weighed(&weights)
    }

    /// The figures when each visit counts so many times.
    #[must_use]
    pub fn weighed(&self, weights: &[u32]) -> Figures<Option<Millionths>> {
        let (all, finds) = self.sums(weights, &(0..self.found.len()).map(|visit| visit as u32).collect::<Vec<_>>());
        let share = |walk: &Walk| Millionths::ratio(walk.first_half, finds * FINE);
        let earlier = |walk: &Walk, than: &Walk| Millionths::ratio(than.days - walk.days, finds * FINE);
        let (usual, random) = (self.walk(&self.usual, weights), self.walk(&self.random, weights));
        let mut models: Vec<ModelFigures<Option<Millionths>>> = Vec::with_capacity(self.models.len());
        for (orders, level_of) in self.models.iter().zip(&self.levels) {
            let walk = self.walk(&orders.planned, weights);
            let (auc, first_half) = (self.auc(&orders.points, weights), share(&walk));
            let first = models.first();
            let over =
                |own: Option<Millionths>, firsts: Option<Option<Millionths>>| Some(own? - firsts.unwrap_or(own)?);
            let mut by_level = vec![(0, 0); orders.levels];
            for (visit, &level) in level_of.iter().enumerate() {
                let weight = i128::from(weights[visit]);
                by_level[level].0 += weight;
                by_level[level].1 += if self.found[visit] { weight } else { 0 };
            }
            let figures = ModelFigures {
                auc,
                first_half,
                days_before_usual: earlier(&walk, &usual),
                days_before_random: earlier(&walk, &random),
                auc_over_first: over(auc, first.map(|first| first.auc)),
                first_half_over_first: over(first_half, first.map(|first| first.first_half)),
                levels: by_level.into_iter().map(|(all, finds)| Millionths::ratio(finds, all)).collect(),
            };
            models.push(figures);
        }
        Figures {
            found: Millionths::ratio(finds, all),
            usual: UsualFigures { first_half: share(&usual), days_before_random: earlier(&usual, &random) },
            models,
        }
    }

    /// Weights of some visits, and of those among them that found something.
    fn sums(&self, weights: &[u32], visits: &[u32]) -> (i128, i128) {
        let (mut all, mut finds) = (0, 0);
        for &visit in visits {
            let weight = i128::from(weights[visit as usize]);
            all += weight;
            finds += if self.found[visit as usize] { weight } else { 0 };
        }
        (all, finds)
    }

    fn auc(&self, order: &Order, weights: &[u32]) -> Option<Millionths> {
        let (mut finds_in_all, mut others_below, mut twice_won) = (0, 0, 0);
        for (group, _) in order.groups() {
            let (all, finds) = self.sums(weights, group);
            let others = all - finds;
            twice_won += finds * (2 * others_below + others);
            finds_in_all += finds;
            others_below += others;
        }
        Millionths::ratio(twice_won, 2 * finds_in_all * others_below)
    }

    /// Makes the visits in an order, on the days on which visits really were made: each day as often.
    fn walk(&self, order: &Order, weights: &[u32]) -> Walk {
        let mut walk = Walk { first_half: 0, days: 0 };
        let mut slots = self.usual.visits.iter().map(|&visit| (self.day[visit as usize], weights[visit as usize]));
        let (mut day, mut left) = (0, 0);
        // Of the next so many slots: the sum of their days.
        let mut take = |mut number: i128| {
            let mut sum = 0;
            while number > 0 {
                if left == 0 {
                    let (next, weight) = slots.next().expect("there are as many slots as visits");
                    (day, left) = (i128::from(next), i128::from(weight));
                }
                let taken = number.min(left);
                sum += day * taken;
                number -= taken;
                left -= taken;
            }
            sum
        };
        // Sizes, finds and sums of days of the groups of one period.
        let mut groups = Vec::new();
        for (group, last) in order.groups() {
            let (size, finds) = self.sums(weights, group);
            if size > 0 {
                groups.push((size, finds, take(size)));
            }
            if !last {
                continue;
            }
            let half_slots: i128 = groups.iter().map(|(size, _, _)| size).sum();
            let mut before = 0;
            for (size, finds, days) in groups.drain(..) {
                if finds > 0 {
                    // In halves of a slot, because the slot in the middle may belong to both halves.
                    let within = (half_slots - 2 * before).clamp(0, 2 * size);
                    walk.first_half += finds * within * FINE / (2 * size);
                    walk.days += finds * days * FINE / size;
                }
                before += size;
            }
        }
        walk
    }
}

/// Pseudo-random numbers (SplitMix64), a function of the resample's number alone.
struct Draws(u64);

impl Draws {
    fn new(resample: u32) -> Self {
        let mut seeds = Self(u64::from(resample));
        Self(seeds.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u32) -> u32 {
        let scaled = (u128::from(self.next()) * u128::from(bound)) >> 64;
        u32::try_from(scaled).expect("it is below a bound of 32 bits")
    }
}
