//! A model made ready for files: for every cell what its records give, asked of the kernel once; and how
//! what the records of one enterprise give becomes its points and level.

use std::collections::HashMap;
use std::hint::select_unpredictable;
use std::sync::atomic::{AtomicUsize, Ordering};
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

/// What a record of a cell gives. Nearly always it is points of one indicator, or nothing: no points. In one
/// word, so that the table of cells stays in the nearest cache: points, one bit whether there is more, the
/// indicator.
#[derive(Clone, Copy, Debug, Default)]
struct Cell(i32);

/// Stands for a cell that is found by itself.
const OPEN_CELL: Cell = Cell(MORE);

const POINTS_SHIFT: u32 = 8;
const MORE: i32 = 1 << 7;
const INDICATOR: u8 = 0x7f;

impl Cell {
    /// With points of one indicator; `None` where they do not fit.
    fn new(indicator: u8, milli: i64) -> Option<Self> {
        let points = i32::try_from(milli).ok().and_then(|points| points.checked_mul(1 << POINTS_SHIFT))?;
        (indicator <= INDICATOR).then_some(Self(points | i32::from(indicator)))
    }

    #[inline]
    fn points(self) -> i64 {
        i64::from(self.0 >> POINTS_SHIFT)
    }

    #[inline]
    fn indicator(self) -> u8 {
        self.0.to_le_bytes()[0] & INDICATOR
    }

    #[inline]
    fn has_more(self) -> bool {
        self.0 & MORE != 0
    }
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
    /// Sets the key, which is the same for all that give the same; whether that can be said in numbers.
    fn key(&self, key: &mut Vec<(u8, i64)>) -> bool {
        key.clear();
        if self.cell.points() != 0 {
            key.push((self.cell.indicator(), self.cell.points()));
        }
        self.deeds.iter().all(|deed| {
            match *deed {
                Deed::Points(indicator, milli) => key.push((indicator, milli)),
                Deed::Count(count) => key.push((count, i64::MIN)),
                Deed::Gift(..) => return false,
            }
            true
        })
    }
}

/// What cells give, numbered: what is the same once.
struct Different {
    all: Vec<Gifts>,
    numbers: HashMap<Vec<(u8, i64)>, u32>,
    key: Vec<(u8, i64)>,
}

impl Different {
    /// With only nothing, which is number 0.
    fn new() -> Self {
        Self { all: vec![Gifts::default()], numbers: HashMap::new(), key: Vec::new() }
    }

    fn number(&mut self, gifts: Gifts) -> u32 {
        let next = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        if gifts.key(&mut self.key) {
            // Most cells give nothing.
            if self.key.is_empty() {
                return NOTHING;
            }
            if let Some(number) = self.numbers.get(&self.key) {
                return *number;
            }
            self.numbers.insert(self.key.clone(), next);
        }
        self.all.push(gifts);
        next
    }
}

/// What the kernel answered when it was asked about all cells of a kind, or of the enterprises' file.
enum Answers {
    /// What is different, and the number of that for each cell.
    Records(Different, Vec<u32>),
    /// The same for what enterprises begin with.
    Enterprises(Vec<Beginning>, Vec<u32>),
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
        scoring.ask(threads);
        Ok(scoring)
    }

    /// Whether records of one day need their place in the ledger.
    pub fn needs_seq(&self) -> bool {
        self.needs_seq
    }

    /// Asks the kernel about every cell. Kinds are shared out among threads, and first what takes longest.
    fn ask(&mut self, threads: usize) {
        let kinds: Vec<&KindPlan> = self.records.kinds.iter().flatten().filter(|kind| kind.size > 0).collect();
        let mut order: Vec<usize> = (0..kinds.len()).collect();
        order.sort_by_key(|&place| std::cmp::Reverse(kinds[place].size));
        let next = AtomicUsize::new(0);
        let this = &*self;
        let work = || {
            let mut own = Vec::new();
            loop {
                let Some(before) = next.fetch_add(1, Ordering::Relaxed).checked_sub(1) else {
                    own.push((kinds.len(), this.ask_enterprises()));
                    continue;
                };
                let Some(&place) = order.get(before) else { return own };
                own.push((place, this.ask_kind(kinds[place])));
            }
        };
        let mut answers: Vec<(usize, Answers)> = std::thread::scope(|scope| {
            let handles: Vec<_> = (1..threads.min(order.len() + 1)).map(|_| scope.spawn(work)).collect();
            let mut all = work();
            all.extend(handles.into_iter().flat_map(|handle| handle.join().expect("asking the kernel does not panic")));
            all
        });
        answers.sort_by_key(|(place, _)| *place);
        let if_repaired: Vec<u32> = kinds.iter().map(|kind| kind.if_repaired.unwrap_or_default()).collect();
        let mut gives = Vec::with_capacity(if_repaired.len());
        let mut different = Different::new();
        for (_, answer) in answers {
            match answer {
                Answers::Records(of_kind, mut cells) => {
                    let numbers: Vec<u32> = of_kind.all.into_iter().map(|gifts| different.number(gifts)).collect();
                    cells.iter_mut().for_each(|cell| *cell = numbers[*cell as usize]);
                    gives.push(cells);
                }
                Answers::Enterprises(beginnings, cells) => (self.beginnings, self.beginning_of) = (beginnings, cells),
            }
        }
        self.set_essences(different.all, &gives, &if_repaired);
    }

    fn ask_kind(&self, kind: &KindPlan) -> Answers {
        let mut different = Different::new();
        let mut cells = Vec::with_capacity(kind.size as usize);
        self.records.each_cell(kind, |stand| cells.push(different.number(self.gifts(stand, kind.number))));
        Answers::Records(different, cells)
    }

    /// Numbers what cells give together with what they give once they are repaired. Cells are many and give few
    /// different things, and the table of those is small enough to stay in the nearest caches while enterprises
    /// are scored. `gives` has the cells of each kind, `if_repaired` by how much a cell moves when repaired.
    fn set_essences(&mut self, different: Vec<Gifts>, gives: &[Vec<u32>], if_repaired: &[u32]) {
        // First those that give the same, repaired or not; nothing is the first of them.
        let alike = u32::try_from(different.len()).unwrap_or(u32::MAX);
        self.plain_end = if self.fold.is_some() { alike } else { 0 };
        self.if_repaired = (0..alike).collect();
        self.essences = vec![NOTHING];
        // For each answer, with what others it comes together: hardly ever more than one.
        let mut others: Vec<Vec<(u32, u32)>> = vec![Vec::new(); different.len()];
        let mut own_of: Vec<u32> = (0..alike).collect();
        for (gives, &stride) in gives.iter().zip(if_repaired) {
            for (cell, &own) in (0..).zip(gives) {
                // The second half of every pair of strides is repaired already.
                let is_repaired = stride > 0 && cell / stride % 2 == 1;
                let repaired = if is_repaired { own } else { gives[(cell + stride) as usize] };
                let number = if own == repaired {
                    own
                } else {
                    let known = &mut others[own as usize];
                    known.iter().find(|one| one.0 == repaired).map(|one| one.1).unwrap_or_else(|| {
                        let next = u32::try_from(own_of.len()).unwrap_or(u32::MAX);
                        own_of.push(own);
                        self.if_repaired.push(repaired);
                        known.push((repaired, next));
                        next
                    })
                };
                self.essences.push(number);
            }
        }
        for own in own_of {
            let gifts = &different[own as usize];
            let begin = u32::try_from(self.deeds.len()).unwrap_or(u32::MAX);
            self.deeds.extend(&gifts.deeds);
            self.cells.push(gifts.cell);
            self.more.push((begin, u32::try_from(self.deeds.len()).unwrap_or(u32::MAX)));
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
                    match Cell::new(indicator, milli) {
                        _ if milli == 0 => return,
                        Some(cell) if gifts.cell.points() == 0 => {
                            gifts.cell = cell;
                            return;
                        }
                        _ => Deed::Points(indicator, milli),
                    }
                }
            };
            gifts.deeds.push(deed);
        });
        gifts.cell.0 |= if gifts.deeds.is_empty() { 0 } else { MORE };
        gifts
    }

    /// Every row that an enterprise can have. Many of them come to the same.
    fn ask_enterprises(&self) -> Answers {
        let mut others_add = vec![false; usize::from(u8::MAX)];
        if let Some(fold) = &self.fold {
            let slots = self.records.kinds.iter().flatten().flat_map(|kind| self.kernel.slots_of(kind.number));
            for slot in slots {
                if let Target::Points(indicator) = fold.targets()[*slot] {
                    others_add[usize::from(indicator)] = true;
                }
            }
        }
        let mut known: HashMap<Start, u32> = HashMap::new();
        let (mut beginnings, mut cells) = (Vec::new(), Vec::new());
        let mut add = |one: Beginning| {
            let next = u32::try_from(beginnings.len()).unwrap_or(u32::MAX);
            let number = match &one {
                Beginning::Fold(start) => *known.entry(start.clone()).or_insert(next),
                Beginning::Gifts(_) => next,
            };
            if number == next {
                beginnings.push(one);
            }
            cells.push(number);
        };
        add(self.beginning(&[], |_| true));
        let mut gifts = Vec::new();
        for kind in self.enterprises.kinds.iter().flatten() {
            self.enterprises.each_cell(kind, |stand| {
                gifts.clear();
                self.kernel.gifts(&stand.fact(), kind.number, self.day, |slot, gift| gifts.push((slot, gift)));
                add(self.beginning(&gifts, |indicator| others_add[usize::from(indicator)]));
            });
        }
        Answers::Enterprises(beginnings, cells)
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

    /// What a record of a cell gives, by number; 0 where it can make no difference. The number of an open cell
    /// says so itself.
    #[inline]
    pub fn essence(&self, cell: u32) -> u32 {
        self.essences.get(cell as usize).copied().unwrap_or(cell & !OPEN)
    }

    /// Whether nothing else of such a record matters.
    #[inline]
    pub fn is_plain(&self, essence: u32) -> bool {
        essence < self.plain_end
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

/// For each key, how many days ago the latest record was that repairs others.
type Repairs = [u32; 256];

fn is_repaired(repairs: &Repairs, word: Word) -> bool {
    days_before(word) >= repairs[key_of(word)]
}

/// The cell of a record, which is another if the record has been repaired; that of an open cell is not known
/// here. Without branches: which records are repaired cannot be foreseen.
#[inline]
fn cell_now(repairs: &Repairs, if_repaired: &[u32], word: Word) -> usize {
    let cell = cell_of(word);
    let repaired = if_repaired.get(cell).map_or(cell, |repaired| *repaired as usize);
    select_unpredictable(is_repaired(repairs, word), repaired, cell)
}

/// Scores enterprises one after the other.
pub struct Evaluator<'s> {
    scoring: &'s Scoring<'s>,
    sheet: Sheet,
    tallies: Vec<Tally>,
    /// Records of the enterprise that repair others.
    repairers: Vec<Word>,
    repairs: Repairs,
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
            repairers: Vec::new(),
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
        let scoring = self.scoring;
        let mut more = 0;
        self.sheet.add_all(plain.iter().map(|number| {
            let cell = scoring.cells[*number as usize];
            more |= cell.0;
            (cell.indicator(), cell.points())
        }));
        if Cell(more).has_more() {
            let more = plain.iter().map(|number| *number as usize).filter(|number| scoring.cells[*number].has_more());
            more.for_each(|number| self.give(number, 0, 0));
        }
        self.repairers.clear();
        self.repairers.extend(words.iter().filter(|word| *word & REPAIRER != 0));
        if self.repairers.is_empty() {
            self.take(words, seqs, |_, _, word| cell_of(word));
        } else {
            self.note_repairs();
            self.take(words, seqs, cell_now);
            self.forget_repairs();
        }
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

    /// Takes in what records give, each by the cell that it now has.
    #[inline]
    fn take(&mut self, words: &[Word], seqs: &[i64], now: impl Fn(&Repairs, &[u32], Word) -> usize) {
        let scoring = self.scoring;
        let cell = |repairs: &Repairs, word: Word| {
            scoring.cells.get(now(repairs, &scoring.if_repaired, word)).copied().unwrap_or(OPEN_CELL)
        };
        let mut more = 0;
        self.sheet.add_all(words.iter().map(|word| {
            let cell = cell(&self.repairs, *word);
            more |= cell.0;
            (cell.indicator(), cell.points())
        }));
        if !Cell(more).has_more() {
            return;
        }
        for (place, &word) in words.iter().enumerate() {
            if cell(&self.repairs, word).has_more() {
                let number = self.cell_now(word);
                self.give(number, word, seqs.get(place).copied().unwrap_or_default());
            }
        }
    }

    /// The same with what every record contributes, which is left in [`Self::contributions`].
    fn assess(&mut self, start: u32, Records { words, seqs, .. }: Records) -> Option<Outcome> {
        self.contributions.clear();
        let scoring = self.scoring;
        self.repairers.clear();
        self.repairers.extend(words.iter().filter(|word| *word & REPAIRER != 0));
        self.note_repairs();
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
            let number = self.cell_now(word);
            let day = crate::readings::day_of(scoring.day_number(word));
            let kept = |deed: &Deed| deed.gift().map(|(slot, gift)| (slot, Kept { day, seq, gift }));
            match scoring.more.get(number) {
                Some(&(begin, end)) => {
                    given.extend(scoring.deeds[begin as usize..end as usize].iter().filter_map(kept));
                }
                None => given.extend(self.open(number).0.deeds.iter().filter_map(kept)),
            }
        }
        self.forget_repairs();
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
    fn note_repairs(&mut self) {
        for &word in &self.repairers {
            let latest = &mut self.repairs[key_of(word)];
            *latest = days_before(word).min(*latest);
        }
        // Without a key, a record has nothing to be matched on.
        self.repairs[usize::from(NO_KEY)] = u32::MAX;
    }

    fn forget_repairs(&mut self) {
        self.repairers.iter().for_each(|word| self.repairs[key_of(*word)] = u32::MAX);
    }

    /// The cell of a record, which is another if the record has been repaired.
    fn cell_now(&mut self, word: Word) -> usize {
        let cell = cell_now(&self.repairs, &self.scoring.if_repaired, word);
        let is_open = cell >= self.scoring.cells.len();
        if is_open && is_repaired(&self.repairs, word) { self.open(cell).1 as usize } else { cell }
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
            self.sheet.add(gifts.cell.indicator(), gifts.cell.points());
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
