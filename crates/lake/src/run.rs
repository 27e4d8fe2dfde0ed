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
use crate::scoring::{Evaluator, PLACE_BITS, Scoring, Word, at_place, place_of};
use crate::stream::{Block, EnterpriseSource, Enterprises, NotSorted, RecordSource, RecordStream};

/// Enterprises in a row group of ours, where their file is not in order.
const GROUP: usize = 1 << 19;
/// Words that a partition takes memory for at a time.
const CHUNK: usize = 2048;

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
        let groups = match enterprises {
            Some(bounds) => match self.in_place(&bounds) {
                Err(error) if error.is::<NotSorted>() => self.in_memory()?,
                groups => groups?,
            },
            None => self.in_memory()?,
        };
        let partitions = self.partition(&groups)?;
        let (output, writer) = create()?;
        self.by_partition(&groups, &partitions, &output, writer)
    }

    /// Both files sorted: merged.
    fn merge(&self, enterprises: &Bounds, records: &Bounds, output: &Output, writer: Writer) -> Result<()> {
        let last = enterprises.len().saturating_sub(1);
        self.each_group(enterprises.len(), output, writer, || {
            let mut evaluator = Scorer::new(self.scoring);
            let mut merge: Option<(usize, Merge)> = None;
            move |group: usize| {
                let enterprises_here = Enterprises::read(self.enterprises, self.scoring, group)?;
                must_ascend(&enterprises_here, enterprises[group])?;
                let mut own = match merge.take() {
                    Some((before, merge)) if before + 1 == group => merge,
                    _ => Merge::new(self, records, enterprises[group].0),
                };
                let mut lines = Lines::with_capacity(enterprises_here.ids.len());
                for (&id, &start) in enterprises_here.ids.iter().zip(&enterprises_here.starts) {
                    let range = own.records_of(id)?;
                    lines.push(evaluator.conclude(
                        start,
                        own.block.words.get(range.clone()),
                        own.block.seqs.get(range),
                    ));
                }
                if group == last {
                    own.run_out()?;
                }
                merge = Some((group, own));
                Ok(with_names(lines, enterprises_here))
            }
        })
    }

    /// Puts the records into partitions.
    fn partition(&self, groups: &Groups) -> Result<Partitions> {
        let numbers = groups.numbers(self)?;
        let count = usize::try_from((numbers.greatest() >> PLACE_BITS) + 1)?;
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
                    for (place, (&id, &word)) in block.ids.iter().zip(&block.words).enumerate() {
                        let Some(number) = numbers.of(id) else { continue };
                        let bin = &mut bins[usize::try_from(number >> PLACE_BITS)?];
                        bin.push(at_place(word, number & ((1 << PLACE_BITS) - 1)), block.seqs.get(place).copied());
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
        Ok(Partitions { numbers, bins })
    }

    fn by_partition(&self, groups: &Groups, partitions: &Partitions, output: &Output, writer: Writer) -> Result<()> {
        self.each_group(groups.count(), output, writer, || {
            let mut evaluator = Scorer::new(self.scoring);
            let mut ordered = Ordered::new(partitions);
            move |group: usize| {
                let enterprises = groups.read(self, group)?;
                let mut lines = Lines::with_capacity(enterprises.ids.len());
                for (&id, &start) in enterprises.ids.iter().zip(&enterprises.starts) {
                    let range = ordered.records_of(id);
                    lines.push(evaluator.conclude(start, ordered.words.get(range.clone()), ordered.seqs.get(range)));
                }
                Ok(with_names(lines, enterprises))
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
        W: FnMut(usize) -> Result<Lines>,
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
                    while let Some(group) = shares.take(thread).filter(|_| !stop.load(Ordering::Relaxed)) {
                        let encoded = work(group).and_then(|lines| Ok((group, output.encode(group, lines)?)));
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

    /// The enterprises as their file has them, when it is in order.
    fn in_place(&self, bounds: &Bounds) -> Result<Groups> {
        for (group, bounds) in bounds.iter().enumerate() {
            must_ascend(&Enterprises::read(self.enterprises, self.scoring, group)?, *bounds)?;
        }
        Ok(Groups::InPlace(bounds.clone(), self.enterprises.table.rows()))
    }

    /// The enterprises put in order.
    fn in_memory(&self) -> Result<Groups> {
        let mut all: Vec<(u64, u32, String)> = Vec::new();
        for group in 0..self.enterprises.table.row_groups() {
            let one = Enterprises::read(self.enterprises, self.scoring, group)?;
            let mut codes = one.credit_codes.into_iter();
            all.extend(
                one.ids.into_iter().zip(one.starts).map(|(id, start)| (id, start, codes.next().unwrap_or_default())),
            );
        }
        all.sort_unstable_by_key(|one| one.0);
        if let Some(twice) = all.windows(2).find(|two| two[0].0 == two[1].0) {
            bail!("{} 中企业编号 {} 出现不止一次", self.enterprises.table.name(), twice[0].0);
        }
        let named = self.enterprises.credit_code.is_some();
        let mut groups = Vec::new();
        while !all.is_empty() {
            let rest = all.split_off(all.len().min(GROUP));
            let mut group = Enterprises::default();
            for (id, start, code) in std::mem::replace(&mut all, rest) {
                group.ids.push(id);
                group.starts.push(start);
                if named {
                    group.credit_codes.push(code);
                }
            }
            groups.push(Mutex::new(group));
        }
        Ok(Groups::InMemory(groups))
    }
}

/// Row groups whose bounds do not overlap and ascend.
fn ascending(bounds: Option<Bounds>, is_unique: bool) -> Option<Bounds> {
    bounds.filter(|bounds| bounds.is_sorted_by(|one, next| if is_unique { one.1 < next.0 } else { one.1 <= next.0 }))
}

fn must_ascend(enterprises: &Enterprises, (least, greatest): (u64, u64)) -> Result<()> {
    let ids = &enterprises.ids;
    let is_within = ids.first().is_none_or(|first| *first >= least) && ids.last().is_none_or(|last| *last <= greatest);
    if !is_within || !ids.is_sorted_by(|one, next| one < next) {
        bail!(NotSorted);
    }
    Ok(())
}

fn with_names(mut lines: Lines, enterprises: Enterprises) -> Lines {
    lines.ids = enterprises.ids;
    lines.credit_codes = enterprises.credit_codes;
    lines
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
}

impl<'s> Scorer<'s> {
    fn new(scoring: &'s Scoring<'s>) -> Self {
        Self { evaluator: Evaluator::new(scoring), without: vec![None; scoring.starts()] }
    }

    fn conclude(&mut self, start: u32, words: Option<&[Word]>, seqs: Option<&[i64]>) -> Option<Outcome> {
        match words {
            Some(words) if !words.is_empty() => self.evaluator.conclude(start, words, seqs.unwrap_or_default()),
            _ => {
                let evaluator = &mut self.evaluator;
                *self.without[start as usize].get_or_insert_with(|| evaluator.conclude(start, &[], &[]))
            }
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
        let mut begin = self.at;
        loop {
            begin += self.block.ids[begin..].iter().take_while(|one| **one < id).count();
            if begin < self.block.ids.len() {
                break;
            }
            self.at = begin;
            if !self.more()? {
                return Ok(self.at..self.at);
            }
            begin = 0;
        }
        self.at = begin;
        let mut count = 0;
        loop {
            count += self.block.ids[self.at + count..].iter().take_while(|one| **one == id).count();
            if self.at + count < self.block.ids.len() || !self.more()? {
                break;
            }
        }
        let range = self.at..self.at + count;
        self.at += count;
        Ok(range)
    }

    /// Forgets what was handed out and decodes more; whether there was any.
    fn more(&mut self) -> Result<bool> {
        self.block.forget(self.at);
        self.at = 0;
        let before = self.block.ids.len();
        while self.block.ids.len() == before {
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
        self.at = self.block.ids.len();
        while self.more()? {
            self.at = self.block.ids.len();
        }
        Ok(())
    }
}

/// Groups of enterprises in order.
enum Groups {
    InPlace(Bounds, u64),
    InMemory(Vec<Mutex<Enterprises>>),
}

impl Groups {
    fn count(&self) -> usize {
        match self {
            Self::InPlace(bounds, _) => bounds.len(),
            Self::InMemory(groups) => groups.len(),
        }
    }

    fn read(&self, run: &Run, group: usize) -> Result<Enterprises> {
        match self {
            Self::InPlace(..) => Enterprises::read(run.enterprises, run.scoring, group),
            Self::InMemory(groups) => {
                Ok(std::mem::take(&mut *groups[group].lock().unwrap_or_else(PoisonError::into_inner)))
            }
        }
    }

    /// How enterprises are numbered within the partitions.
    fn numbers(&self, run: &Run) -> Result<Numbers> {
        let (bounds, count) = match self {
            Self::InPlace(bounds, rows) => {
                (bounds.first().zip(bounds.last()).map(|(one, last)| (one.0, last.1)), *rows)
            }
            Self::InMemory(groups) => {
                let lock = |group: &Mutex<Enterprises>| {
                    let group = group.lock().unwrap_or_else(PoisonError::into_inner);
                    (group.ids.first().copied().unwrap_or_default(), group.ids.last().copied().unwrap_or_default())
                };
                let ends = groups.first().zip(groups.last()).map(|(first, last)| (lock(first).0, lock(last).1));
                (ends, (groups.len() * GROUP) as u64)
            }
        };
        let Some((least, greatest)) = bounds else { return Ok(Numbers::Near { least: 0, greatest: 0 }) };
        if greatest - least <= count.saturating_mul(MOST_SPARSE) + (1 << PLACE_BITS) {
            return Ok(Numbers::Near { least, greatest });
        }
        let mut ids = Vec::new();
        match self {
            Self::InPlace(bounds, _) => {
                for group in 0..bounds.len() {
                    ids.extend(Enterprises::read(run.enterprises, run.scoring, group)?.ids);
                }
            }
            Self::InMemory(groups) => {
                for group in groups {
                    ids.extend_from_slice(&group.lock().unwrap_or_else(PoisonError::into_inner).ids);
                }
            }
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

/// Records of a partition as one thread found them, in portions.
#[derive(Default)]
struct Bin {
    full: Vec<Vec<Word>>,
    words: Vec<Word>,
    seqs: Vec<i64>,
}

impl Bin {
    fn push(&mut self, word: Word, seq: Option<i64>) {
        if self.words.len() == self.words.capacity() {
            let full = std::mem::replace(&mut self.words, Vec::with_capacity(CHUNK));
            if !full.is_empty() {
                self.full.push(full);
            }
        }
        self.words.push(word);
        self.seqs.extend(seq);
    }

    /// Its portions. Whoever goes through them has two plain loops, which a flattened iterator is not.
    fn portions(&self) -> impl Iterator<Item = &[Word]> + '_ {
        self.full.iter().chain([&self.words]).map(Vec::as_slice)
    }
}

/// All records, by partition.
struct Partitions {
    numbers: Numbers,
    /// By thread and partition.
    bins: Vec<Vec<Bin>>,
}

/// A partition put in order.
struct Ordered<'p> {
    partitions: &'p Partitions,
    partition: Option<u64>,
    /// Where the records of each place end.
    ends: Vec<u32>,
    words: Vec<Word>,
    seqs: Vec<i64>,
}

impl<'p> Ordered<'p> {
    fn new(partitions: &'p Partitions) -> Self {
        Self { partitions, partition: None, ends: Vec::new(), words: Vec::new(), seqs: Vec::new() }
    }

    /// The records of an enterprise, as places among the words.
    fn records_of(&mut self, id: u64) -> Range<usize> {
        let Some(number) = self.partitions.numbers.of(id) else { return 0..0 };
        let partition = number >> PLACE_BITS;
        if self.partition != Some(partition) {
            self.order(usize::try_from(partition).unwrap_or(usize::MAX));
            self.partition = Some(partition);
        }
        let place = usize::try_from(number & ((1 << PLACE_BITS) - 1)).unwrap_or_default();
        let begin = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        begin as usize..self.ends[place] as usize
    }

    fn order(&mut self, partition: usize) {
        let bins = || self.partitions.bins.iter().filter_map(|bins| bins.get(partition));
        self.ends.clear();
        self.ends.resize(1 << PLACE_BITS, 0);
        let mut count = 0;
        for portion in bins().flat_map(Bin::portions) {
            for word in portion {
                self.ends[place_of(*word)] += 1;
            }
            count += portion.len();
        }
        // First where each place begins; what is put there moves it on to where it ends.
        let mut begin = 0;
        for end in &mut self.ends {
            begin += std::mem::replace(end, begin);
        }
        self.words.clear();
        self.words.resize(count, 0);
        self.seqs.clear();
        for bin in bins() {
            if !bin.seqs.is_empty() {
                self.seqs.resize(count, 0);
            }
            let mut seqs = bin.seqs.iter();
            for portion in bin.portions() {
                for &word in portion {
                    let place = &mut self.ends[place_of(word)];
                    self.words[*place as usize] = word;
                    if let Some(seq) = seqs.next() {
                        self.seqs[*place as usize] = *seq;
                    }
                    *place += 1;
                }
            }
        }
    }
}
