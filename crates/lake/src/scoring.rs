//! A model made ready for files: for every cell what its records give, asked of the kernel once; and how
//! what the records of one enterprise give becomes its points and level.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, bail};
use xinheng_core::points::Points;
use xinheng_core::record::{Day, Seq};
use xinheng_core::score::fold::{Fold, Outcome, Sheet, Start, Target};
use xinheng_core::score::{Gift, Kept, Kernel, Tally};

use crate::plan::{KindPlan, NOTHING, Plan, Stand};

/// A record as it is kept until its enterprise is scored: 20 bits its cell, 18 free, 8 its key, 16 how many
/// days before the day of scoring, one whether it repairs others.
pub type Word = u64;

/// Bits of a cell.
pub const CELL_BITS: u32 = 20;
/// Bits for the place of its enterprise within a partition.
pub const PLACE_BITS: u32 = 18;
const CELL: Word = (1 << CELL_BITS) - 1;
const KEY_SHIFT: u32 = CELL_BITS + PLACE_BITS;
const DAY_SHIFT: u32 = KEY_SHIFT + 8;
const REPAIRER: Word = 1 << 63;

/// No key: it has nothing in common with any other record.
pub const NO_KEY: u8 = u8::MAX;

/// Packs a record.
pub fn word(cell: u32, key: u8, days_before: u32, repairs: bool) -> Word {
    Word::from(cell) & CELL
        | Word::from(key) << KEY_SHIFT
        | Word::from(days_before) << DAY_SHIFT
        | if repairs { REPAIRER } else { 0 }
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

/// What a record of a cell gives. Nearly always it is points of one indicator, or nothing.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    points: i32,
    /// The indicator, unless `NONE`.
    indicator: u8,
    /// Whether there is more.
    more: bool,
}

const NONE: u8 = u8::MAX;

/// What a record does.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Points(u8, i64),
    Count(u8),
    Gift(usize, Gift),
}

/// What a record of a cell gives, in full.
#[derive(Clone, Debug)]
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
    /// Whether a record of the cell can make a difference.
    matters: Vec<bool>,
    open: Mutex<Open>,
    starts: Vec<Beginning>,
}

/// What an enterprise begins with.
enum Beginning {
    Fold(Box<Start>),
    Gifts(Vec<Deed>),
}

/// Cells found one by one, numbered after the others.
#[derive(Default)]
struct Open {
    numbers: HashMap<Vec<u32>, u32>,
    cells: Vec<(Gifts, u32)>,
}

impl<'k> Scoring<'k> {
    pub fn new(
        kernel: &'k Kernel<'k>,
        leads: &'k (dyn Fn((usize, usize)) -> bool + Sync),
        day: Day,
        records: Plan,
        enterprises: Plan,
        threads: usize,
    ) -> Result<Self> {
        if u64::from(records.end) >= 1 << (CELL_BITS - 1) {
            bail!("模型把记录分得过细（{} 格），无法批量计算", records.end);
        }
        let indicators: usize = kernel.model().dimensions.iter().map(|dimension| dimension.indicators.len()).sum();
        if indicators >= NONE.into() {
            bail!("模型的指标多于 {} 个，无法批量计算", NONE);
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
            matters: Vec::new(),
            open: Mutex::default(),
            starts: Vec::new(),
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
        scoring.fill(threads);
        scoring.begin();
        Ok(scoring)
    }

    /// Whether records of one day need their place in the ledger.
    pub fn needs_seq(&self) -> bool {
        self.fold.is_none()
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
        let mut all = vec![Gifts { cell: Cell { indicator: NONE, ..Cell::default() }, deeds: Vec::new() }];
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
        for gifts in &all {
            let begin = u32::try_from(self.deeds.len()).unwrap_or(u32::MAX);
            self.deeds.extend(&gifts.deeds);
            self.cells.push(gifts.cell);
            self.more.push((begin, u32::try_from(self.deeds.len()).unwrap_or(u32::MAX)));
        }
        let gives = |cell: u32| self.cells[cell as usize].more || self.cells[cell as usize].indicator != NONE;
        self.matters = (0..self.records.end).map(|cell| gives(cell) || gives(if_repaired[cell as usize])).collect();
        self.if_repaired = if_repaired;
    }

    /// What a record gives.
    fn gifts(&self, stand: &Stand, kind: usize) -> Gifts {
        let mut gifts = Gifts { cell: Cell { indicator: NONE, ..Cell::default() }, deeds: Vec::new() };
        self.kernel.gifts(&stand.fact(), kind, self.day, |slot, gift| {
            let deed = match self.fold.as_ref().map(|fold| fold.targets()[slot]) {
                None => Deed::Gift(slot, gift),
                Some(Target::Count(count)) => Deed::Count(count),
                Some(Target::Multiplier(_)) => Deed::Gift(slot, gift),
                Some(Target::Points(indicator)) => {
                    let milli = gift.points().milli();
                    match i32::try_from(milli) {
                        Ok(0) => return,
                        Ok(points) if gifts.cell.indicator == NONE => {
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

    /// Asks the kernel about every row that an enterprise can have.
    fn begin(&mut self) {
        let mut starts = vec![self.beginning(&[])];
        let filters_of_others: Vec<bool> = self.fold.as_ref().map_or_else(Vec::new, |fold| {
            let mut adds = vec![false; usize::from(u8::MAX)];
            for kind in self.records.kinds.iter().flatten() {
                self.kernel.slots_of(kind.number).iter().for_each(|&slot| {
                    if let Target::Points(indicator) = fold.targets()[slot] {
                        adds[usize::from(indicator)] = true;
                    }
                });
            }
            adds
        });
        for kind in self.enterprises.kinds.iter().flatten() {
            self.enterprises.each_cell(kind, |stand| {
                let mut gifts = Vec::new();
                self.kernel.gifts(&stand.fact(), kind.number, self.day, |slot, gift| gifts.push((slot, gift)));
                starts.push(match &self.fold {
                    Some(fold) => Beginning::Fold(Box::new(
                        fold.start(&gifts, |indicator| filters_of_others[usize::from(indicator)]),
                    )),
                    None => self.beginning(&gifts),
                });
            });
        }
        self.starts = starts;
    }

    fn beginning(&self, gifts: &[(usize, Gift)]) -> Beginning {
        match &self.fold {
            Some(fold) => Beginning::Fold(Box::new(fold.start(gifts, |_| true))),
            None => Beginning::Gifts(gifts.iter().map(|&(slot, gift)| Deed::Gift(slot, gift)).collect()),
        }
    }

    /// How many ways there are for an enterprise to begin.
    pub fn starts(&self) -> usize {
        self.starts.len()
    }

    /// Whether a record of a fixed cell can make a difference.
    #[inline]
    pub fn matters(&self, cell: u32) -> bool {
        self.matters.get(cell as usize).copied().unwrap_or(true)
    }

    /// The cell of a record that has a value of its own.
    pub fn open_cell(&self, kind: usize, age: u32, codes: impl Fn(usize) -> u32 + Copy) -> Result<u32> {
        let Some((key, stand)) = self.records.open(kind, age, codes) else { return Ok(NOTHING) };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = open.numbers.get(&key) {
            return Ok(*number);
        }
        let Some(plan) = self.records.kinds[kind].as_ref() else { return Ok(NOTHING) };
        let next = self.records.end + u32::try_from(open.cells.len()).unwrap_or(u32::MAX / 2);
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
    repairs: Vec<u32>,
    /// As many of the open cells as were known when one was last missing.
    open: Vec<(Gifts, u32)>,
}

impl<'s> Evaluator<'s> {
    pub fn new(scoring: &'s Scoring<'s>) -> Self {
        let tallies = vec![Tally::default(); scoring.kernel.slots().len()];
        Self { scoring, sheet: Sheet::default(), tallies, repairs: vec![u32::MAX; 256], open: Vec::new() }
    }

    /// What the model says of an enterprise with these records; `None` when it does not grade it. Where the
    /// model needs them, `seqs` are the records' places in the ledger.
    pub fn conclude(&mut self, start: u32, words: &[Word], seqs: &[i64]) -> Option<Outcome> {
        let repairs = words.iter().fold(0, |all, word| all | word) & REPAIRER != 0;
        if repairs {
            for word in words.iter().filter(|word| *word & REPAIRER != 0) {
                let latest = &mut self.repairs[key_of(*word)];
                *latest = days_before(*word).min(*latest);
            }
            // Without a key, a record has nothing to be matched on.
            self.repairs[usize::from(NO_KEY)] = u32::MAX;
        }
        for (place, &word) in words.iter().enumerate() {
            let mut number = cell_of(word);
            if repairs && days_before(word) >= self.repairs[key_of(word)] {
                number = self.if_repaired(number);
            }
            match self.scoring.cells.get(number) {
                Some(cell) => {
                    if cell.indicator != NONE {
                        self.sheet.add(cell.indicator, cell.points.into());
                    }
                    if cell.more {
                        self.give(number, word, seqs.get(place).copied().unwrap_or_default());
                    }
                }
                None => self.give(number, word, seqs.get(place).copied().unwrap_or_default()),
            }
        }
        if repairs {
            words.iter().for_each(|word| self.repairs[key_of(*word)] = u32::MAX);
        }
        match &self.scoring.starts[start as usize] {
            Beginning::Fold(start) => self.scoring.fold.as_ref()?.conclude(start, &mut self.sheet),
            Beginning::Gifts(deeds) => {
                for deed in deeds {
                    self.carry_out(*deed, self.scoring.day, 0);
                }
                let conclusion = self.scoring.kernel.conclude(&self.tallies);
                self.tallies.fill(Tally::default());
                let conclusion = conclusion?;
                let mut leading: Vec<(Points, u8)> = Vec::new();
                let mut number = 0;
                for (dimension, points) in conclusion.dimensions.iter().enumerate() {
                    for (within, (_, capped)) in points.indicators.iter().enumerate() {
                        if *capped > Points::ZERO && (self.scoring.leads)((dimension, within)) {
                            leading.push((*capped, number));
                        }
                        number = number.saturating_add(1);
                    }
                }
                leading.sort_by_key(|(points, _)| std::cmp::Reverse(*points));
                let leading = [0, 1, 2].map(|place| leading.get(place).map(|(_, indicator)| *indicator));
                Some(Outcome {
                    total: conclusion.total,
                    level: u8::try_from(conclusion.level).unwrap_or(u8::MAX),
                    leading,
                })
            }
        }
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
        let day =
            crate::readings::day_of(self.scoring.records.ages.today - i32::try_from(days_before(word)).unwrap_or(0));
        if let Some(&(begin, end)) = self.scoring.more.get(cell) {
            for place in begin..end {
                self.carry_out(self.scoring.deeds[place as usize], day, seq);
            }
        } else {
            let gifts = self.open(cell).0.clone();
            if gifts.cell.indicator != NONE {
                self.sheet.add(gifts.cell.indicator, gifts.cell.points.into());
            }
            for deed in gifts.deeds {
                self.carry_out(deed, day, seq);
            }
        }
    }

    fn carry_out(&mut self, deed: Deed, day: Day, seq: i64) {
        match deed {
            Deed::Points(indicator, milli) => self.sheet.add(indicator, milli),
            Deed::Count(count) => self.sheet.count(count),
            Deed::Gift(slot, gift) => {
                self.tallies[slot].add(self.scoring.kernel.slots()[slot].gather, Kept { day, seq: Seq(seq), gift });
            }
        }
    }
}
