//! The way through the files. Where both are sorted by the number of the enterprise, they are merged as they
//! come; otherwise records are first put into partitions, and each partition in order by counting.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, bail};
use indicatif::ProgressBar;
use xinheng_core::score::fold::Outcome;

use crate::output::{Encoded, Lines, Output, Writer};
use crate::readings::CreditCode;
use crate::scoring::{Evaluator, PLACE_BITS, Records, Scoring, Word, at_place, place_of, plain_cell};
use crate::stream::{
    BLOCK, Block, EnterpriseSource, EnterpriseStream, Enterprises, NotSorted, RecordSource, RecordStream,
};

/// Enterprises in a row group of ours, where their file is not in order.
const GROUP: usize = 1 << 19;
/// Bytes that a partition takes memory for at a time.
const CHUNK: usize = 8192;
/// Bits for the place of an enterprise within a partition: what a partition holds stays near, and partitions
/// are so few that the ends to which records are put stay in the nearest caches.
const NEAR_PLACE_BITS: u32 = 16;
/// With more partitions, they are made larger: each takes some memory even if it holds next to nothing.
const MOST_PARTITIONS: u64 = 2048;

/// Everything that is needed on the way.
pub struct Run<'r> {
    pub scoring: &'r Scoring<'r>,
    pub enterprises: &'r EnterpriseSource,
    pub records: &'r RecordSource,
    pub threads: usize,
    pub progress: &'r ProgressBar,
}

/// Bounds of row groups that do not overlap, in order.
type Bounds = Vec<(u64, u64)>;

impl Run<'_> {
    /// Scores all enterprises. `create` begins the output, anew when a file was not as sorted as it said.
    pub fn score(&self, create: impl Fn() -> Result<(Output, Writer)>) -> Result<()> {
        let enterprises = ascending(self.enterprises.table.bounds(self.enterprises.id_column), true);
        let records = ascending(self.records.table.bounds(self.records.id_column), false);
        if let (Some(enterprises), Some(records)) = (&enterprises, records) {
            let (output, writer) = create()?;
            match self.merge(enterprises, &records, &output, writer) {
                Err(error) if error.is::<NotSorted>() => self.progress.reset(),
                done => return done,
            }
        }
        if let Some(bounds) = enterprises {
            let begin_sorted = self.begin_sorted(&bounds);
            let groups = Groups::InPlace(bounds, self.enterprises.table.rows());
            match begin_sorted.and_then(|()| self.by_partition(&groups, &create)) {
                Err(error) if error.is::<NotSorted>() => self.progress.reset(),
                done => return done,
            }
        }
        self.by_partition(&self.in_memory()?, &create)
    }

    /// Both files sorted: merged.
    fn merge(&self, enterprises: &Bounds, records: &Bounds, output: &Output, writer: Writer) -> Result<()> {
        let last = enterprises.len().saturating_sub(1);
        self.each_group(enterprises.len(), output, writer, || {
            let mut scorer = Scorer::new(self.scoring);
            let mut stream = EnterpriseStream::new(self.enterprises, self.scoring);
            let mut block = Enterprises::default();
            let mut merge: Option<(usize, Merge)> = None;
            move |group: usize, lines: &mut Lines| {
                let mut own = match merge.take() {
                    Some((before, merge)) if before + 1 == group => merge,
                    _ => Merge::new(self, records, enterprises[group].0),
                };
                stream.open(group, Some(enterprises[group]))?;
                while stream.next(&mut block)? {
                    for (row, (&id, &start)) in block.ids.iter().zip(&block.starts).enumerate() {
                        let range = own.records_of(id)?;
                        let words = &own.block.words()[range.clone()];
                        let seqs = own.block.seqs().get(range).unwrap_or_default();
                        scorer.line(row, start, Records { plain: &[], words, seqs }, lines);
                    }
                    lines.end_block(&block)?;
                }
                if group == last {
                    own.run_out()?;
                }
                merge = Some((group, own));
                Ok(())
            }
        })
    }

    /// Puts the records into partitions.
    fn partition(&self, groups: &Groups) -> Result<Partitions> {
        let numbers = groups.numbers(self)?;
        let is_near = numbers.greatest() >> NEAR_PLACE_BITS < MOST_PARTITIONS;
        let place_bits = if is_near { NEAR_PLACE_BITS } else { PLACE_BITS };
        let places = (1 << place_bits) - 1;
        let cell_bits = u32::BITS - place_bits;
        let count = usize::try_from((numbers.greatest() >> place_bits) + 1)?;
        let next = AtomicUsize::new(0);
        let work = || -> Result<Vec<Bin>> {
            let mut bins: Vec<Bin> = (0..count).map(|_| Bin::default()).collect();
            let mut stream = RecordStream::new(self.records, self.scoring, None);
            let mut block = Block::default();
            loop {
                let group = next.fetch_add(1, Ordering::Relaxed);
                if group >= self.records.table.row_groups() {
                    return Ok(bins);
                }
                stream.open(group)?;
                loop {
                    let rows = stream.next(&mut block)?;
                    if rows == 0 {
                        break;
                    }
                    let seqs = block.seqs();
                    for (place, (&id, &word)) in block.ids().iter().zip(block.words()).enumerate() {
                        let Some(number) = numbers.of(id) else { continue };
                        let bin = &mut bins[usize::try_from(number >> place_bits)?];
                        let number = number & places;
                        match plain_cell(word).filter(|cell| cell >> cell_bits == 0) {
                            Some(cell) => bin.plain.push(u32::try_from(number)? << cell_bits | cell),
                            None => {
                                bin.words.push(at_place(word, number));
                                bin.seqs.extend(seqs.get(place));
                            }
                        }
                    }
                    block.clear();
                    self.progress.inc(rows as u64);
                }
            }
        };
        let bins = std::thread::scope(|scope| {
            let handles: Vec<_> = (0..self.threads).map(|_| scope.spawn(work)).collect();
            let joined = handles.into_iter().map(|handle| handle.join().unwrap_or_else(|_| bail!("计算线程意外中止")));
            joined.collect::<Result<Vec<_>>>()
        })?;
        Ok(Partitions { numbers, place_bits, bins })
    }

    /// Records in any order: put into partitions, and each partition in order.
    fn by_partition(&self, groups: &Groups, create: impl Fn() -> Result<(Output, Writer)>) -> Result<()> {
        let partitions = self.partition(groups)?;
        let (output, writer) = create()?;
        self.each_group(groups.count(), &output, writer, || {
            let mut scorer = Scorer::new(self.scoring);
            let mut ordered = Ordered::new(&partitions);
            let mut stream = EnterpriseStream::new(self.enterprises, self.scoring);
            let mut block = Enterprises::default();
            move |group: usize, lines: &mut Lines| {
                let mut enterprises = groups.open(group, &mut stream)?;
                while enterprises.next(&mut block)? {
                    for (row, (&id, &start)) in block.ids.iter().zip(&block.starts).enumerate() {
                        scorer.line(row, start, ordered.records_of(id), lines);
                    }
                    lines.end_block(&block)?;
                }
                Ok(())
            }
        })
    }

    /// Has all groups worked off by threads, each of which keeps to neighbouring groups as long as it can.
    fn each_group<W>(
        &self,
        groups: usize,
        output: &Output,
        mut writer: Writer,
        worker: impl Fn() -> W + Sync,
    ) -> Result<()>
    where
        W: FnMut(usize, &mut Lines) -> Result<()>,
    {
        let threads = self.threads.min(groups).max(1);
        let shares = Shares::new(groups, threads);
        let stop = AtomicBool::new(false);
        let (sender, receiver) = sync_channel::<Result<(usize, Encoded)>>(threads);
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let sender: SyncSender<_> = sender.clone();
                let (shares, stop, worker) = (&shares, &stop, &worker);
                scope.spawn(move || {
                    let mut work = worker();
                    let mut lines = Lines::new(output);
                    while let Some(group) = shares.take(thread).filter(|_| !stop.load(Ordering::Relaxed)) {
                        let mut encode = || {
                            lines.begin(group)?;
                            work(group, &mut lines)?;
                            Ok((group, lines.finish()?))
                        };
                        let encoded = encode();
                        let failed = encoded.is_err();
                        if sender.send(encoded).is_err() || failed {
                            break;
                        }
                    }
                });
            }
            drop(sender);
            let written = receiver.iter().try_for_each(|encoded| {
                let (group, encoded) = encoded?;
                writer.take(group, encoded)
            });
            stop.store(true, Ordering::Relaxed);
            drop(receiver);
            written
        })?;
        writer.finish()
    }

    /// A look at the first enterprises: those that are in any order fail at once, and not after all records
    /// were read.
    fn begin_sorted(&self, bounds: &Bounds) -> Result<()> {
        let Some(first) = bounds.first() else { return Ok(()) };
        let mut stream = EnterpriseStream::new(self.enterprises, self.scoring);
        stream.open(0, Some(*first))?;
        stream.next(&mut Enterprises::default())?;
        Ok(())
    }

    /// The enterprises put in order.
    fn in_memory(&self) -> Result<Groups> {
        let mut all: Vec<Known> = Vec::new();
        let mut stream = EnterpriseStream::new(self.enterprises, self.scoring);
        let mut block = Enterprises::default();
        for group in 0..self.enterprises.table.row_groups() {
            stream.open(group, None)?;
            while stream.next(&mut block)? {
                let mut codes = block.credit_codes.iter();
                let ids = block.ids.iter().zip(&block.starts);
                all.extend(ids.map(|(&id, &start)| (id, start, codes.next().copied().unwrap_or_default())));
            }
        }
        all.sort_unstable_by_key(|one| one.0);
        if let Some(twice) = all.windows(2).find(|two| two[0].0 == two[1].0) {
            bail!("{} 中企业编号 {} 出现不止一次", self.enterprises.table.name(), twice[0].0);
        }
        Ok(Groups::InMemory(all))
    }
}

/// An enterprise: its number, its first cell and its credit code.
type Known = (u64, u32, CreditCode);

/// Row groups whose bounds do not overlap and ascend.
fn ascending(bounds: Option<Bounds>, is_unique: bool) -> Option<Bounds> {
    bounds.filter(|bounds| bounds.is_sorted_by(|one, next| if is_unique { one.1 < next.0 } else { one.1 <= next.0 }))
}

/// Groups shared out among threads: neighbouring ones to the same thread. Whoever has none left takes the
/// later half of the longest share.
struct Shares(Mutex<Vec<Range<usize>>>);

impl Shares {
    fn new(groups: usize, threads: usize) -> Self {
        Self(Mutex::new(
            (0..threads).map(|thread| groups * thread / threads..groups * (thread + 1) / threads).collect(),
        ))
    }

    fn take(&self, thread: usize) -> Option<usize> {
        let mut shares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if shares[thread].is_empty() {
            let longest = shares.iter_mut().max_by_key(|share| share.len())?;
            let middle = longest.end - longest.len().div_ceil(2);
            let taken = middle..longest.end;
            longest.end = middle;
            shares[thread] = taken;
        }
        shares[thread].next()
    }
}

/// Concludes, and remembers what enterprises without records come to.
struct Scorer<'s> {
    evaluator: Evaluator<'s>,
    without: Vec<Option<Option<Outcome>>>,
    contributions: bool,
}

impl<'s> Scorer<'s> {
    fn new(scoring: &'s Scoring<'s>) -> Self {
        Self {
            evaluator: Evaluator::new(scoring),
            without: vec![None; scoring.beginnings()],
            contributions: scoring.contributions(),
        }
    }

    /// The line of the enterprise in a row of the block, and what its records contribute.
    #[inline]
    fn line(&mut self, row: usize, start: u32, records: Records, lines: &mut Lines) {
        let evaluator = &mut self.evaluator;
        if self.contributions {
            lines.push(evaluator.conclude(start, records));
            lines.contribute(row, evaluator.contributions());
        } else if records.is_empty() {
            lines.push(*self.without[start as usize].get_or_insert_with(|| evaluator.conclude(start, records)));
        } else {
            lines.push(evaluator.conclude(start, records));
        }
    }
}

/// Records in order, enterprise by enterprise.
struct Merge<'m> {
    stream: RecordStream<'m>,
    block: Block,
    /// The first record not handed out yet.
    at: usize,
    /// Row groups not begun yet.
    next: VecDeque<usize>,
    progress: &'m ProgressBar,
}

impl<'m> Merge<'m> {
    fn new(run: &'m Run, bounds: &'m Bounds, first_id: u64) -> Self {
        let first = bounds.partition_point(|(_, greatest)| *greatest < first_id);
        Self {
            stream: RecordStream::new(run.records, run.scoring, Some(bounds)),
            block: Block::default(),
            at: 0,
            next: (first..bounds.len()).collect(),
            progress: run.progress,
        }
    }

    /// The records of an enterprise, as places in the block. Enterprises are asked for in order.
    fn records_of(&mut self, id: u64) -> Result<Range<usize>> {
        let mut own = 0;
        loop {
            let ids = &self.block.ids()[self.at + own..];
            let before = if own == 0 { ids.iter().take_while(|one| **one < id).count() } else { 0 };
            let count = ids[before..].iter().take_while(|one| **one == id).count();
            let has_ended = before + count < ids.len();
            self.at += before;
            own += count;
            if has_ended || !self.more()? {
                let range = self.at..self.at + own;
                self.at += own;
                return Ok(range);
            }
        }
    }

    /// Forgets what was handed out and decodes more; whether there was any.
    fn more(&mut self) -> Result<bool> {
        self.block.forget(self.at);
        self.at = 0;
        let before = self.block.ids().len();
        while self.block.ids().len() == before {
            let rows = self.stream.next(&mut self.block)?;
            self.progress.inc(rows as u64);
            if rows == 0 {
                let Some(group) = self.next.pop_front() else { return Ok(false) };
                self.stream.open(group)?;
            }
        }
        Ok(true)
    }

    /// Decodes what is left, only to see that it is in order.
    fn run_out(&mut self) -> Result<()> {
        self.at = self.block.ids().len();
        while self.more()? {
            self.at = self.block.ids().len();
        }
        Ok(())
    }
}

/// Groups of enterprises in order.
enum Groups {
    InPlace(Bounds, u64),
    InMemory(Vec<Known>),
}

/// The enterprises of a group.
enum Group<'g, 's> {
    InPlace(&'g mut EnterpriseStream<'s>),
    InMemory(&'g [Known]),
}

impl Group<'_, '_> {
    /// Replaces what is in `block` by the next ones; whether there were any.
    fn next(&mut self, block: &mut Enterprises) -> Result<bool> {
        match self {
            Self::InPlace(stream) => stream.next(block),
            Self::InMemory(rest) => {
                let (some, after) = rest.split_at(rest.len().min(BLOCK));
                *rest = after;
                *block = Enterprises {
                    ids: some.iter().map(|one| one.0).collect(),
                    starts: some.iter().map(|one| one.1).collect(),
                    credit_codes: some.iter().map(|one| one.2).collect(),
                };
                Ok(!some.is_empty())
            }
        }
    }
}

impl Groups {
    fn count(&self) -> usize {
        match self {
            Self::InPlace(bounds, _) => bounds.len(),
            Self::InMemory(all) => all.len().div_ceil(GROUP),
        }
    }

    fn open<'g, 's>(&'g self, group: usize, stream: &'g mut EnterpriseStream<'s>) -> Result<Group<'g, 's>> {
        Ok(match self {
            Self::InPlace(bounds, _) => {
                stream.open(group, Some(bounds[group]))?;
                Group::InPlace(stream)
            }
            Self::InMemory(all) => {
                let begin = group * GROUP;
                Group::InMemory(&all[begin..all.len().min(begin + GROUP)])
            }
        })
    }

    /// How enterprises are numbered within the partitions.
    fn numbers(&self, run: &Run) -> Result<Numbers> {
        let (bounds, count) = match self {
            Self::InPlace(bounds, rows) => {
                (bounds.first().zip(bounds.last()).map(|(one, last)| (one.0, last.1)), *rows)
            }
            Self::InMemory(all) => (all.first().zip(all.last()).map(|(one, last)| (one.0, last.0)), all.len() as u64),
        };
        let Some((least, greatest)) = bounds else { return Ok(Numbers::Near { least: 0, greatest: 0 }) };
        if greatest - least <= count.saturating_mul(MOST_SPARSE) + (1 << PLACE_BITS) {
            return Ok(Numbers::Near { least, greatest });
        }
        let mut ids = Vec::new();
        match self {
            Self::InPlace(bounds, _) => {
                let mut stream = EnterpriseStream::new(run.enterprises, run.scoring);
                let mut block = Enterprises::default();
                for (group, bounds) in bounds.iter().enumerate() {
                    stream.open(group, Some(*bounds))?;
                    while stream.next(&mut block)? {
                        ids.extend_from_slice(&block.ids);
                    }
                }
            }
            Self::InMemory(all) => ids.extend(all.iter().map(|one| one.0)),
        }
        Ok(Numbers::Ranks(ids))
    }
}

/// Numbers of enterprises that lie at most this far apart on average serve as they are.
const MOST_SPARSE: u64 = 32;

/// How enterprises are numbered within the partitions.
enum Numbers {
    /// By their own numbers, from the least on.
    Near { least: u64, greatest: u64 },
    /// By their place in order, because their own numbers lie too far apart.
    Ranks(Vec<u64>),
}

impl Numbers {
    /// `None` for what is certainly no enterprise of ours.
    fn of(&self, id: u64) -> Option<u64> {
        match self {
            Self::Near { least, greatest } => (*least..=*greatest).contains(&id).then(|| id - least),
            Self::Ranks(ids) => ids.binary_search(&id).ok().map(|rank| rank as u64),
        }
    }

    fn greatest(&self) -> u64 {
        match self {
            Self::Near { least, greatest } => greatest - least,
            Self::Ranks(ids) => ids.len().saturating_sub(1) as u64,
        }
    }
}

/// Records of a partition as one thread found them. Of those that are plain no more is kept than place and
/// cell: fresh memory costs more than anything else that happens to a record.
#[derive(Default)]
struct Bin {
    plain: Portions<u32>,
    words: Portions<Word>,
    seqs: Vec<i64>,
}

/// A list that grows without moving.
#[derive(Default)]
struct Portions<T> {
    full: Vec<Vec<T>>,
    last: Vec<T>,
}

impl<T> Portions<T> {
    #[inline]
    fn push(&mut self, one: T) {
        if self.last.len() == self.last.capacity() {
            let full = std::mem::replace(&mut self.last, Vec::with_capacity(CHUNK / size_of::<T>()));
            if !full.is_empty() {
                self.full.push(full);
            }
        }
        self.last.push(one);
    }

    /// Whoever goes through them has two plain loops, which a flattened iterator is not.
    fn iter(&self) -> impl Iterator<Item = &[T]> + '_ {
        self.full.iter().chain([&self.last]).map(Vec::as_slice)
    }
}

/// All records, by partition.
struct Partitions {
    numbers: Numbers,
    place_bits: u32,
    /// By thread and partition.
    bins: Vec<Vec<Bin>>,
}

/// A partition put in order.
struct Ordered<'p> {
    partitions: &'p Partitions,
    partition: Option<u64>,
    /// Where the records of each place end, plain ones and others.
    plain_ends: Vec<u32>,
    ends: Vec<u32>,
    plain: Vec<u32>,
    words: Vec<Word>,
    seqs: Vec<i64>,
}

impl<'p> Ordered<'p> {
    fn new(partitions: &'p Partitions) -> Self {
        Self {
            partitions,
            partition: None,
            plain_ends: Vec::new(),
            ends: Vec::new(),
            plain: Vec::new(),
            words: Vec::new(),
            seqs: Vec::new(),
        }
    }

    /// The records of an enterprise.
    fn records_of(&mut self, id: u64) -> Records<'_> {
        let Some(number) = self.partitions.numbers.of(id) else { return Records::default() };
        let place_bits = self.partitions.place_bits;
        let partition = number >> place_bits;
        if self.partition != Some(partition) {
            self.order(usize::try_from(partition).unwrap_or(usize::MAX));
            self.partition = Some(partition);
        }
        let place = usize::try_from(number & ((1 << place_bits) - 1)).unwrap_or_default();
        let range = |ends: &[u32]| {
            let begin = place.checked_sub(1).map_or(0, |before| ends[before]);
            begin as usize..ends[place] as usize
        };
        let others = range(&self.ends);
        Records {
            plain: &self.plain[range(&self.plain_ends)],
            words: &self.words[others.clone()],
            seqs: self.seqs.get(others).unwrap_or_default(),
        }
    }

    fn order(&mut self, partition: usize) {
        let bins = || self.partitions.bins.iter().filter_map(|bins| bins.get(partition));
        let places = 1 << self.partitions.place_bits;
        let cell_bits = u32::BITS - self.partitions.place_bits;
        let place = |plain: u32| (plain >> cell_bits) as usize;
        let portions = || bins().flat_map(|bin| bin.plain.iter());
        let count = begins(&mut self.plain_ends, places, portions(), place);
        self.plain.resize(count, 0);
        for &plain in portions().flatten() {
            let end = &mut self.plain_ends[place(plain)];
            self.plain[*end as usize] = plain & ((1 << cell_bits) - 1);
            *end += 1;
        }
        let count = begins(&mut self.ends, places, bins().flat_map(|bin| bin.words.iter()), place_of);
        self.words.resize(count, 0);
        self.seqs.clear();
        for bin in bins() {
            if !bin.seqs.is_empty() {
                self.seqs.resize(count, 0);
            }
            let mut seqs = bin.seqs.iter();
            for portion in bin.words.iter() {
                for &word in portion {
                    let end = &mut self.ends[place_of(word)];
                    self.words[*end as usize] = word;
                    if let Some(seq) = seqs.next() {
                        self.seqs[*end as usize] = *seq;
                    }
                    *end += 1;
                }
            }
        }
    }
}

/// Sets where the records of each place begin, and says how many there are. What is put there moves it on to
/// where they end.
fn begins<'a, T: Copy + 'a>(
    begins: &mut Vec<u32>,
    places: usize,
    portions: impl Iterator<Item = &'a [T]>,
    place: impl Fn(T) -> usize,
) -> usize {
    begins.clear();
    begins.resize(places, 0);
    let mut count = 0;
    for portion in portions {
        for one in portion {
            begins[place(*one)] += 1;
        }
        count += portion.len();
    }
    let mut begin = 0;
    for one in begins {
        begin += std::mem::replace(one, begin);
    }
    count
}
