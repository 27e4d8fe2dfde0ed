//! A model made ready for files: for every cell what its records give, asked of the kernel once; and how
//! what the records of one enterprise give becomes its points and level.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, bail};
use xinheng_core::points::Points;
use xinheng_core::record::{Day, Seq};
use xinheng_core::score::fold::{Fold, Outcome, Sheet, Start, Target};
use xinheng_core::score::{Gift, Kept, Kernel, Tally};

use crate::plan::{KindPlan, NOTHING, OPEN, Plan, Stand};

/// A record as it is kept until its enterprise is scored: 20 bits its cell, 18 free, 8 its key, 16 how many
/// days before the day of scoring, one whether it is plain, one whether it repairs others.
pub type Word = u64;

/// Bits of a cell.
pub const CELL_BITS: u32 = 20;
/// Bits for the place of its enterprise within a partition, at most.
pub const PLACE_BITS: u32 = 18;
const CELL: Word = (1 << CELL_BITS) - 1;
const KEY_SHIFT: u32 = CELL_BITS + PLACE_BITS;
const DAY_SHIFT: u32 = KEY_SHIFT + 8;
const PLAIN: Word = 1 << 62;
const REPAIRER: Word = 1 << 63;

/// No key: it has nothing in common with any other record.
pub const NO_KEY: u8 = u8::MAX;

/// Packs a record.
pub fn word(cell: u32, key: u8, days_before: u32, repairs: bool, is_plain: bool) -> Word {
    Word::from(cell) & CELL
        | Word::from(key) << KEY_SHIFT
        | Word::from(days_before) << DAY_SHIFT
        | Word::from(is_plain) << 62
        | Word::from(repairs) << 63
}

/// The cell of a record of which nothing else matters.
pub fn plain_cell(word: Word) -> Option<u32> {
    (word & PLAIN != 0).then(|| u32::try_from(word & CELL).unwrap_or_default())
}

/// Names the enterprise by its place in a partition.
pub fn at_place(word: Word, place: u64) -> Word {
    word | place << CELL_BITS
}

/// The place of its enterprise.
pub fn place_of(word: Word) -> usize {
    usize::try_from(word >> CELL_BITS & ((1 << PLACE_BITS) - 1)).unwrap_or_default()
}

fn cell_of(word: Word) -> usize {
    usize::try_from(word & CELL).unwrap_or_default()
}

fn key_of(word: Word) -> usize {
    usize::try_from(word >> KEY_SHIFT & 0xff).unwrap_or_default()
}

fn days_before(word: Word) -> u32 {
    u32::try_from(word >> DAY_SHIFT & 0xffff).unwrap_or_default()
}

/// The records of an enterprise.
#[derive(Clone, Copy, Default)]
pub struct Records<'r> {
    /// Cells of some that are plain.
    pub plain: &'r [u32],
    /// All others.
    pub words: &'r [Word],
    /// Places in the ledger of these words, where they were read.
    pub seqs: &'r [i64],
}

impl Records<'_> {
    pub fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.words.is_empty()
    }
}

/// What a record adds to the total, after all caps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contribution {
    /// Indicator, counted through all dimensions.
    pub indicator: u16,
    /// Place in the ledger; none for the enterprise's own row, and where the file does not say.
    pub seq: Option<i64>,
    /// Days since 1970-01-01; none for the enterprise's own row.
    pub day: Option<i32>,
    /// Thousandths of a point.
    pub milli: i64,
}

/// What a record of a cell gives. Nearly always it is points of one indicator, or nothing: no points.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    points: i32,
    indicator: u8,
    /// Whether there is more.
    more: bool,
}

/// What a record does.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Points(u8, i64),
    Count(u8),
    Gift(usize, Gift),
}

impl Deed {
    fn gift(&self) -> Option<(usize, Gift)> {
        if let Self::Gift(slot, gift) = self { Some((*slot, *gift)) } else { None }
    }
}

/// Place of the enterprise's own row: before all records.
const OWN_ROW: Seq = Seq(-1);

/// An outcome with the three that lead of these indicators, which are in the model's order.
fn outcome(total: Points, level: usize, mut leading: Vec<(Points, u8)>) -> Outcome {
    leading.sort_by_key(|(points, _)| std::cmp::Reverse(*points));
    let leading = [0, 1, 2].map(|place| leading.get(place).map(|(_, indicator)| *indicator));
    Outcome { total, level: u8::try_from(level).unwrap_or(u8::MAX), leading }
}

/// What a record of a cell gives, in full.
#[derive(Clone, Debug, Default)]
struct Gifts {
    cell: Cell,
    deeds: Vec<Deed>,
}

/// A model made ready for two files.
pub struct Scoring<'k> {
    kernel: &'k Kernel<'k>,
    fold: Option<Fold<'k>>,
    day: Day,
    leads: &'k (dyn Fn((usize, usize)) -> bool + Sync),
    pub records: Plan,
    pub enterprises: Plan,
    cells: Vec<Cell>,
    /// Deeds of cells that give more: where they begin and end.
    more: Vec<(u32, u32)>,
    deeds: Vec<Deed>,
    /// The cell when another record repairs it.
    if_repaired: Vec<u32>,
    /// For each cell of the plan, the number of what its records give: 0 for nothing, and first those of
    /// which nothing else matters.
    essences: Vec<u32>,
    plain_end: u32,
    needs_seq: bool,
    /// Whether it is also asked which record contributes what.
    contributions: bool,
    open: Mutex<Open>,
    beginnings: Vec<Beginning>,
    /// For each cell of the plan of enterprises, the number of its beginning.
    beginning_of: Vec<u32>,
}

/// What an enterprise begins with.
enum Beginning {
    Fold(Start),
    Gifts(Vec<Deed>),
}

/// Cells found one by one, numbered after the others.
#[derive(Default)]
struct Open {
    numbers: HashMap<Vec<u32>, u32>,
    cells: Vec<(Gifts, u32)>,
}

impl Gifts {
    /// The same for all that give the same, where that can be said in numbers.
    fn key(&self) -> Option<Vec<(u8, i64)>> {
        let own = Some(Deed::Points(self.cell.indicator, self.cell.points.into())).filter(|_| self.cell.points != 0);
        let key = |deed: Deed| match deed {
            Deed::Points(indicator, milli) => Some((indicator, milli)),
            Deed::Count(count) => Some((count, i64::MIN)),
            Deed::Gift(..) => None,
        };
        own.into_iter().chain(self.deeds.iter().copied()).map(key).collect()
    }
}

impl<'k> Scoring<'k> {
    pub fn new(
        kernel: &'k Kernel<'k>,
        leads: &'k (dyn Fn((usize, usize)) -> bool + Sync),
        day: Day,
        records: Plan,
        enterprises: Plan,
        contributions: bool,
        threads: usize,
    ) -> Result<Self> {
        if u64::from(records.end) >= 1 << (CELL_BITS - 1) {
            bail!("模型把记录分得过细（{} 格），无法批量计算", records.end);
        }
        let indicators: usize = kernel.model().dimensions.iter().map(|dimension| dimension.indicators.len()).sum();
        if indicators >= u8::MAX.into() {
            bail!("模型的指标多于 {} 个，无法批量计算", u8::MAX);
        }
        let mut scoring = Self {
            kernel,
            fold: Fold::new(kernel, leads),
            day,
            leads,
            cells: Vec::new(),
            more: Vec::new(),
            deeds: Vec::new(),
            if_repaired: Vec::new(),
            essences: Vec::new(),
            plain_end: 0,
            needs_seq: false,
            contributions,
            open: Mutex::default(),
            beginnings: Vec::new(),
            beginning_of: Vec::new(),
            records,
            enterprises,
        };
        // Made flat, a multiplier is said by the enterprise's own row and by no record.
        let is_multiplier = |slot: &usize| {
            scoring.fold.as_ref().is_some_and(|fold| matches!(fold.targets()[*slot], Target::Multiplier(_)))
        };
        if scoring.records.kinds.iter().flatten().any(|kind| kernel.slots_of(kind.number).iter().any(is_multiplier)) {
            scoring.fold = None;
        }
        scoring.needs_seq = scoring.fold.is_none();
        if contributions {
            scoring.fold = None;
        }
        scoring.fill(threads);
        scoring.begin();
        Ok(scoring)
    }

    /// Whether records of one day need their place in the ledger.
    pub fn needs_seq(&self) -> bool {
        self.needs_seq
    }

    /// Asks the kernel about every cell. Kinds are shared out among threads.
    fn fill(&mut self, threads: usize) {
        let kinds: Vec<&KindPlan> = self.records.kinds.iter().flatten().filter(|kind| kind.size > 0).collect();
        let next = std::sync::atomic::AtomicUsize::new(0);
        let of_kind = |kind: &KindPlan| {
            let mut gifts = Vec::with_capacity(kind.size as usize);
            self.records.each_cell(kind, |stand| gifts.push(self.gifts(stand, kind.number)));
            gifts
        };
        let mut filled: Vec<(usize, Vec<Gifts>)> = std::thread::scope(|scope| {
            let work = || {
                let mut own = Vec::new();
                loop {
                    let place = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(kind) = kinds.get(place) else { return own };
                    own.push((place, of_kind(kind)));
                }
            };
            let handles: Vec<_> = (1..threads.min(kinds.len())).map(|_| scope.spawn(work)).collect();
            let mut all = work();
            all.extend(handles.into_iter().flat_map(|handle| handle.join().expect("asking the kernel does not panic")));
            all
        });
        filled.sort_by_key(|(place, _)| *place);
        let mut all = vec![Gifts::default()];
        let mut if_repaired = vec![NOTHING];
        for (place, gifts) in filled {
            let stride = kinds[place].if_repaired.unwrap_or_default();
            for number in 0..kinds[place].size {
                let own = kinds[place].base + number;
                // The second half of every pair of strides is repaired already.
                let is_repaired = stride > 0 && number / stride % 2 == 1;
                if_repaired.push(if is_repaired { own } else { own + stride });
            }
            all.extend(gifts);
        }
        self.set_essences(&all, &if_repaired);
    }

    /// Numbers what cells give. Cells are many and give few different things, and the table of those is small
    /// enough to stay in the nearest caches while enterprises are scored.
    fn set_essences(&mut self, all: &[Gifts], if_repaired: &[u32]) {
        let mut alike: HashMap<Vec<(u8, i64)>, u32> = HashMap::from([(Vec::new(), NOTHING)]);
        let own = |(cell, gifts): (u32, &Gifts)| match gifts.key() {
            Some(key) => *alike.entry(key).or_insert(cell),
            None => cell,
        };
        let gives: Vec<u32> = (0..).zip(all).map(own).collect();
        let pair = |cell: usize| (gives[cell], gives[if_repaired[cell] as usize]);
        let is_plain = |(own, repaired): (u32, u32)| self.fold.is_some() && own == repaired;
        // First nothing, then all that are plain.
        let mut pairs: Vec<(u32, u32)> = (1..all.len()).map(pair).filter(|pair| *pair != (NOTHING, NOTHING)).collect();
        pairs.sort_unstable_by_key(|pair| (!is_plain(*pair), *pair));
        pairs.dedup();
        pairs.insert(0, (NOTHING, NOTHING));
        let count = pairs.iter().filter(|pair| is_plain(**pair)).count();
        let numbers: HashMap<(u32, u32), u32> = pairs.iter().copied().zip(0..).collect();
        self.plain_end = u32::try_from(count).unwrap_or_default();
        self.essences = (0..all.len()).map(|cell| numbers[&pair(cell)]).collect();
        for &(own, repaired) in &pairs {
            let gifts = &all[own as usize];
            let begin = u32::try_from(self.deeds.len()).unwrap_or(u32::MAX);
            self.deeds.extend(&gifts.deeds);
            self.cells.push(gifts.cell);
            self.more.push((begin, u32::try_from(self.deeds.len()).unwrap_or(u32::MAX)));
            self.if_repaired.push(numbers[&(repaired, repaired)]);
        }
    }

    /// What a record gives.
    fn gifts(&self, stand: &Stand, kind: usize) -> Gifts {
        let mut gifts = Gifts::default();
        self.kernel.gifts(&stand.fact(), kind, self.day, |slot, gift| {
            let deed = match self.fold.as_ref().map(|fold| fold.targets()[slot]) {
                None => Deed::Gift(slot, gift),
                Some(Target::Count(count)) => Deed::Count(count),
                Some(Target::Multiplier(_)) => Deed::Gift(slot, gift),
                Some(Target::Points(indicator)) => {
                    let milli = gift.points().milli();
                    match i32::try_from(milli) {
                        Ok(0) => return,
                        Ok(points) if gifts.cell.points == 0 => {
                            gifts.cell = Cell { points, indicator, more: false };
                            return;
                        }
                        _ => Deed::Points(indicator, milli),
                    }
                }
            };
            gifts.deeds.push(deed);
        });
        gifts.cell.more = !gifts.deeds.is_empty();
        gifts
    }

    /// Asks the kernel about every row that an enterprise can have. Many of them come to the same.
    fn begin(&mut self) {
        let mut others_add = vec![false; usize::from(u8::MAX)];
        if let Some(fold) = &self.fold {
            let slots = self.records.kinds.iter().flatten().flat_map(|kind| self.kernel.slots_of(kind.number));
            for slot in slots {
                if let Target::Points(indicator) = fold.targets()[*slot] {
                    others_add[usize::from(indicator)] = true;
                }
            }
        }
        let mut all = vec![self.beginning(&[], |_| true)];
        for kind in self.enterprises.kinds.iter().flatten() {
            self.enterprises.each_cell(kind, |stand| {
                let mut gifts = Vec::new();
                self.kernel.gifts(&stand.fact(), kind.number, self.day, |slot, gift| gifts.push((slot, gift)));
                all.push(self.beginning(&gifts, |indicator| others_add[usize::from(indicator)]));
            });
        }
        let mut known: HashMap<Start, u32> = HashMap::new();
        for one in all {
            let next = u32::try_from(self.beginnings.len()).unwrap_or(u32::MAX);
            let number = match &one {
                Beginning::Fold(start) => *known.entry(start.clone()).or_insert(next),
                Beginning::Gifts(_) => next,
            };
            if number == next {
                self.beginnings.push(one);
            }
            self.beginning_of.push(number);
        }
    }

    fn beginning(&self, gifts: &[(usize, Gift)], others_add: impl Fn(u8) -> bool) -> Beginning {
        match &self.fold {
            Some(fold) => Beginning::Fold(fold.start(gifts, others_add)),
            None => Beginning::Gifts(gifts.iter().map(|&(slot, gift)| Deed::Gift(slot, gift)).collect()),
        }
    }

    fn day_number(&self, word: Word) -> i32 {
        self.records.ages.today - i32::try_from(days_before(word)).unwrap_or(0)
    }

    /// Whether it is also asked which record contributes what.
    pub fn contributions(&self) -> bool {
        self.contributions
    }

    /// How many ways there are for an enterprise to begin.
    pub fn beginnings(&self) -> usize {
        self.beginnings.len()
    }

    /// The number of the way in which an enterprise of a cell begins.
    #[inline]
    pub fn beginning_of(&self, cell: u32) -> u32 {
        self.beginning_of[cell as usize]
    }

    /// What a record of a cell gives, by number, and whether nothing else of it matters; 0 where it can make
    /// no difference. The number of an open cell says so itself.
    #[inline]
    pub fn essence(&self, cell: u32) -> (u32, bool) {
        let number = self.essences.get(cell as usize).copied().unwrap_or(cell & !OPEN);
        (number, number < self.plain_end)
    }

    /// The same of a record that has a value of its own.
    pub fn open_cell(&self, kind: usize, age: u32, codes: impl Fn(usize) -> u32 + Copy) -> Result<u32> {
        let Some((key, stand)) = self.records.open(kind, age, codes) else { return Ok(NOTHING) };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = open.numbers.get(&key) {
            return Ok(*number);
        }
        let Some(plan) = self.records.kinds[kind].as_ref() else { return Ok(NOTHING) };
        let next = u32::try_from(self.cells.len() + open.cells.len()).unwrap_or(u32::MAX / 2);
        if next + 2 >= 1 << CELL_BITS {
            bail!("记录的取值过于繁杂（超过 {next} 种），无法批量计算");
        }
        let gifts = self.gifts(&stand, plan.number);
        let repaired = plan.if_repaired.map(|_| self.gifts(&stand.repaired(), plan.number));
        let if_repaired = if repaired.is_some() { next + 1 } else { next };
        open.cells.push((gifts, if_repaired));
        if let Some(gifts) = repaired {
            open.cells.push((gifts, if_repaired));
        }
        open.numbers.insert(key, next);
        Ok(next)
    }
}

/// Scores enterprises one after the other.
pub struct Evaluator<'s> {
    scoring: &'s Scoring<'s>,
    sheet: Sheet,
    tallies: Vec<Tally>,
    /// For each key, how many days ago the latest record was that repairs others.
    repairs: [u32; 256],
    /// As many of the open cells as were known when one was last missing.
    open: Vec<(Gifts, u32)>,
    given: Vec<(usize, Kept)>,
    contributions: Vec<Contribution>,
}

impl<'s> Evaluator<'s> {
    pub fn new(scoring: &'s Scoring<'s>) -> Self {
        let tallies = vec![Tally::default(); scoring.kernel.slots().len()];
        Self {
            scoring,
            sheet: Sheet::default(),
            tallies,
            repairs: [u32::MAX; 256],
            open: Vec::new(),
            given: Vec::new(),
            contributions: Vec::new(),
        }
    }

    /// What the model says of an enterprise with these records; `None` when it does not grade it.
    pub fn conclude(&mut self, start: u32, records: Records) -> Option<Outcome> {
        if self.scoring.contributions {
            return self.assess(start, records);
        }
        let Records { plain, words, seqs } = records;
        self.note_repairs(words);
        let scoring = self.scoring;
        for &number in plain {
            let cell = scoring.cells[number as usize];
            self.sheet.add(cell.indicator, cell.points.into());
            if cell.more {
                self.give(number as usize, 0, 0);
            }
        }
        for (place, &word) in words.iter().enumerate() {
            let mut number = cell_of(word);
            if self.is_repaired(word) {
                number = self.if_repaired(number);
            }
            if let Some(cell) = scoring.cells.get(number) {
                self.sheet.add(cell.indicator, cell.points.into());
                if !cell.more {
                    continue;
                }
            }
            self.give(number, word, seqs.get(place).copied().unwrap_or_default());
        }
        self.forget_repairs(words);
        match &scoring.beginnings[start as usize] {
            Beginning::Fold(start) => scoring.fold.as_ref()?.conclude(start, &mut self.sheet),
            Beginning::Gifts(deeds) => {
                for deed in deeds {
                    self.carry_out(*deed, 0, 0);
                }
                let conclusion = scoring.kernel.conclude(&self.tallies);
                self.tallies.fill(Tally::default());
                let conclusion = conclusion?;
                let mut leading: Vec<(Points, u8)> = Vec::new();
                let mut number = 0;
                for (dimension, points) in conclusion.dimensions.iter().enumerate() {
                    for (within, (_, capped)) in points.indicators.iter().enumerate() {
                        if *capped > Points::ZERO && (scoring.leads)((dimension, within)) {
                            leading.push((*capped, number));
                        }
                        number = number.saturating_add(1);
                    }
                }
                Some(outcome(conclusion.total, conclusion.level, leading))
            }
        }
    }

    /// The same with what every record contributes, which is left in [`Self::contributions`].
    fn assess(&mut self, start: u32, Records { words, seqs, .. }: Records) -> Option<Outcome> {
        self.contributions.clear();
        let scoring = self.scoring;
        self.note_repairs(words);
        // Records are numbered in the order of the ledger, or in one that is the same every time.
        let mut order: Vec<usize> = (0..words.len()).collect();
        order.sort_by_key(|&place| (seqs.get(place), days_before(words[place]), cell_of(words[place])));
        let mut given = std::mem::take(&mut self.given);
        given.clear();
        if let Beginning::Gifts(deeds) = &scoring.beginnings[start as usize] {
            let own =
                |deed: &Deed| deed.gift().map(|(slot, gift)| (slot, Kept { day: scoring.day, seq: OWN_ROW, gift }));
            given.extend(deeds.iter().filter_map(own));
        }
        for (seq, &place) in (0..).map(Seq).zip(&order) {
            let word = words[place];
            let mut number = cell_of(word);
            if self.is_repaired(word) {
                number = self.if_repaired(number);
            }
            let day = crate::readings::day_of(scoring.day_number(word));
            let kept = |deed: &Deed| deed.gift().map(|(slot, gift)| (slot, Kept { day, seq, gift }));
            match scoring.more.get(number) {
                Some(&(begin, end)) => {
                    given.extend(scoring.deeds[begin as usize..end as usize].iter().filter_map(kept));
                }
                None => given.extend(self.open(number).0.deeds.iter().filter_map(kept)),
            }
        }
        self.forget_repairs(words);
        let assessment = scoring.kernel.assess_gifts(given.iter().copied());
        self.given = given;
        let assessment = assessment?;
        let before: Vec<usize> = std::iter::once(0)
            .chain(scoring.kernel.model().dimensions.iter().map(|dimension| dimension.indicators.len()))
            .scan(0, |sum, count| {
                *sum += count;
                Some(*sum)
            })
            .collect();
        let mut leading = Vec::new();
        for indicator in &assessment.indicators {
            let number = before[indicator.place.0] + indicator.place.1;
            if indicator.capped > Points::ZERO && (scoring.leads)(indicator.place) {
                leading.push((indicator.capped, u8::try_from(number).unwrap_or(u8::MAX)));
            }
            for record in indicator.records.iter().filter(|record| record.points != Points::ZERO) {
                let place = usize::try_from(record.seq.0).ok().map(|number| order[number]);
                self.contributions.push(Contribution {
                    indicator: u16::try_from(number).unwrap_or(u16::MAX),
                    seq: place.and_then(|place| seqs.get(place).copied()),
                    day: place.map(|place| scoring.day_number(words[place])),
                    milli: record.points.milli(),
                });
            }
        }
        Some(outcome(assessment.total, assessment.level, leading))
    }

    /// What the records of the enterprise that was concluded last contribute, where that was asked.
    pub fn contributions(&self) -> &[Contribution] {
        &self.contributions
    }

    /// Takes down when records were repaired.
    fn note_repairs(&mut self, words: &[Word]) {
        for &word in words {
            let days = if word & REPAIRER == 0 { u32::MAX } else { days_before(word) };
            let latest = &mut self.repairs[key_of(word)];
            *latest = days.min(*latest);
        }
        // Without a key, a record has nothing to be matched on.
        self.repairs[usize::from(NO_KEY)] = u32::MAX;
    }

    fn is_repaired(&self, word: Word) -> bool {
        days_before(word) >= self.repairs[key_of(word)]
    }

    fn forget_repairs(&mut self, words: &[Word]) {
        words.iter().for_each(|word| self.repairs[key_of(*word)] = u32::MAX);
    }

    fn if_repaired(&mut self, cell: usize) -> usize {
        match self.scoring.if_repaired.get(cell) {
            Some(repaired) => *repaired as usize,
            None => self.open(cell).1 as usize,
        }
    }

    fn open(&mut self, cell: usize) -> &(Gifts, u32) {
        let place = cell - self.scoring.cells.len();
        if place >= self.open.len() {
            let all = self.scoring.open.lock().unwrap_or_else(PoisonError::into_inner);
            self.open.extend_from_slice(&all.cells[self.open.len()..]);
        }
        &self.open[place]
    }

    /// What a record gives beyond points of one indicator.
    fn give(&mut self, cell: usize, word: Word, seq: i64) {
        if let Some(&(begin, end)) = self.scoring.more.get(cell) {
            for place in begin..end {
                self.carry_out(self.scoring.deeds[place as usize], word, seq);
            }
        } else {
            let gifts = self.open(cell).0.clone();
            self.sheet.add(gifts.cell.indicator, gifts.cell.points.into());
            for deed in gifts.deeds {
                self.carry_out(deed, word, seq);
            }
        }
    }

    fn carry_out(&mut self, deed: Deed, word: Word, seq: i64) {
        match deed {
            Deed::Points(indicator, milli) => self.sheet.add(indicator, milli),
            Deed::Count(count) => self.sheet.count(count),
            Deed::Gift(slot, gift) => {
                let day = crate::readings::day_of(self.scoring.day_number(word));
                self.tallies[slot].add(self.scoring.kernel.slots()[slot].gather, Kept { day, seq: Seq(seq), gift });
            }
        }
    }
}
