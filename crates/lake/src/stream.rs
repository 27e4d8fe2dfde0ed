//! The two files as streams: enterprises as numbers and first cells, records as numbers and words.

use anyhow::{Result, bail};

use crate::pages::{Column, Rows};
use crate::plan::{DROPPED, NOTHING, OPEN, Plan, PlanColumn};
use crate::readings::{Ages, Classes, CreditCode, CreditCodes, Ids, Integers, Small};
use crate::scoring::{NO_KEY, Scoring, Word, word};
use crate::table::Table;

/// Rows that are decoded at a time: what they need stays in the nearest caches.
pub const BLOCK: usize = 2048;

/// Rows among which cells that are not in the plan are looked for at a time: few have any.
const SETTLED_AT_ONCE: usize = 64;

/// Where a file of records has what is not a field of some kind.
pub struct RecordSource {
    pub table: Table,
    pub id_column: usize,
    pub ids: Ids,
    pub kind_column: usize,
    pub kinds: Small,
    pub day_column: usize,
    /// What records have in common with those that repair them.
    pub key: Option<(usize, Small)>,
    /// The kind in the file whose records repair others.
    pub repairer: Option<u8>,
    pub seq: Option<(usize, Integers)>,
}

/// Where a file of enterprises has what is not a field.
pub struct EnterpriseSource {
    pub table: Table,
    pub id_column: usize,
    pub ids: Ids,
    /// The column of credit codes, when the result names those.
    pub credit_code: Option<(usize, CreditCodes)>,
}

/// Records of a stream that matter. Beyond the end there is room for more, which is not cleared every time.
#[derive(Default)]
pub struct Block {
    ids: Vec<u64>,
    words: Vec<Word>,
    seqs: Vec<i64>,
    end: usize,
}

impl Block {
    pub fn ids(&self) -> &[u64] {
        &self.ids[..self.end]
    }

    pub fn words(&self) -> &[Word] {
        &self.words[..self.end]
    }

    /// Places in the ledger, where they are read.
    pub fn seqs(&self) -> &[i64] {
        &self.seqs[..self.end.min(self.seqs.len())]
    }

    /// Drops all.
    pub fn clear(&mut self) {
        self.end = 0;
    }

    /// Drops so many from the front.
    pub fn forget(&mut self, count: usize) {
        self.ids.copy_within(count..self.end, 0);
        self.words.copy_within(count..self.end, 0);
        if !self.seqs.is_empty() {
            self.seqs.copy_within(count..self.end, 0);
        }
        self.end -= count;
    }

    fn make_room(&mut self, count: usize, with_seqs: bool) {
        let needed = self.end + count;
        if self.ids.len() < needed {
            self.ids.resize(needed, 0);
            self.words.resize(needed, 0);
            self.seqs.resize(if with_seqs { needed } else { 0 }, 0);
        }
    }
}

/// Records of some row groups.
pub struct RecordStream<'s> {
    source: &'s RecordSource,
    scoring: &'s Scoring<'s>,
    plan: &'s Plan,
    /// By kind in the file and class of age: the cell of a record that has no other values.
    first_shares: Vec<u32>,
    ids: Column<'s, Ids>,
    kinds: Column<'s, Small>,
    ages: Column<'s, Ages>,
    key: Option<Column<'s, Small>>,
    seq: Option<Column<'s, Integers>>,
    classes: Vec<Column<'s, Classes>>,
    /// For each of these, by kind in the file and class: what a value of the class adds to the cell of a
    /// record that has no value.
    steps: Vec<Vec<u32>>,
    /// Whether there are records whose cells are found by themselves, from the codes of all columns.
    has_open: bool,
    left: usize,
    /// Where records must be in order: bounds of the row groups, those of the row group that is open, and
    /// the greatest number of an enterprise so far.
    order: Option<Order<'s>>,
    buffers: Buffers,
}

type Order<'s> = (&'s [(u64, u64)], (u64, u64), u64);

#[derive(Default)]
struct Buffers {
    ids: Vec<u64>,
    kinds: Vec<u8>,
    ages: Vec<u32>,
    keys: Vec<u8>,
    seqs: Vec<i64>,
    codes: Vec<Vec<u32>>,
    cells: Vec<u32>,
}

/// The numbers of enterprises fall, though the file was taken for sorted.
#[derive(Debug)]
pub struct NotSorted;

impl std::fmt::Display for NotSorted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("记录没有按企业编号排列")
    }
}

impl std::error::Error for NotSorted {}

impl<'s> RecordStream<'s> {
    pub fn new(source: &'s RecordSource, scoring: &'s Scoring<'s>, bounds: Option<&'s [(u64, u64)]>) -> Self {
        let plan = &scoring.records;
        let table = &source.table;
        let classes = plan.columns.iter().map(|one| Column::new(table, one.column, &one.classes)).collect();
        let seq = source.seq.as_ref();
        let age_width = plan.ages.bounds.len() + 2;
        let absent = |kind: usize| {
            plan.columns.iter().fold(plan.base[kind], |sum, one| sum.wrapping_add(one.shares[kind * one.width]))
        };
        let first_share = |(place, share): (usize, &u32)| absent(place / age_width).wrapping_add(*share);
        let steps_of = |one: &PlanColumn| {
            let steps =
                one.shares.chunks(one.width).flat_map(|shares| shares.iter().map(|it| it.wrapping_sub(shares[0])));
            steps.collect()
        };
        Self {
            source,
            scoring,
            plan,
            first_shares: plan.age_shares.iter().enumerate().map(first_share).collect(),
            ids: Column::new(table, source.id_column, &source.ids),
            kinds: Column::new(table, source.kind_column, &source.kinds),
            ages: Column::new(table, source.day_column, &plan.ages),
            key: source.key.as_ref().map(|(column, reading)| Column::new(table, *column, reading)),
            seq: seq.map(|(column, reading)| Column::new(table, *column, reading)),
            classes,
            steps: plan.columns.iter().map(steps_of).collect(),
            has_open: plan.has_open(),
            left: 0,
            order: bounds.map(|bounds| (bounds, (0, 0), 0)),
            buffers: Buffers { codes: vec![vec![0; BLOCK]; plan.columns.len()], ..Buffers::default() },
        }
    }

    /// Goes to the beginning of a row group.
    pub fn open(&mut self, row_group: usize) -> Result<()> {
        self.ids.open(row_group)?;
        self.kinds.open(row_group)?;
        self.ages.open(row_group)?;
        self.key.iter_mut().try_for_each(|column| column.open(row_group))?;
        self.seq.iter_mut().try_for_each(|column| column.open(row_group))?;
        self.classes.iter_mut().try_for_each(|column| column.open(row_group))?;
        self.left = self.source.table.rows_of(row_group);
        if let Some((all, bounds, _)) = &mut self.order {
            *bounds = all[row_group];
        }
        Ok(())
    }

    /// Appends what matters of the next rows; how many rows these were, none at the end of the row group.
    pub fn next(&mut self, block: &mut Block) -> Result<usize> {
        let count = self.left.min(BLOCK);
        if count == 0 {
            return Ok(0);
        }
        self.left -= count;
        let buffers = &mut self.buffers;
        buffers.ids.resize(count, 0);
        buffers.kinds.resize(count, 0);
        buffers.ages.resize(count, 0);
        self.ids.read(&mut buffers.ids)?;
        self.kinds.read(&mut buffers.kinds)?;
        self.ages.read(&mut buffers.ages)?;
        buffers.keys.resize(count, NO_KEY);
        if let Some(key) = &mut self.key {
            key.read(&mut buffers.keys)?;
        }
        if let Some(seq) = &mut self.seq {
            buffers.seqs.resize(count, 0);
            seq.read(&mut buffers.seqs)?;
        }
        if let Some((_, bounds, before)) = &mut self.order {
            let (first, last) = (buffers.ids[0], buffers.ids[count - 1]);
            // What the file says of its row groups decides where records are looked for, so it must be true.
            if first < *before || first < bounds.0 || last > bounds.1 || !buffers.ids.is_sorted() {
                bail!(NotSorted);
            }
            *before = last;
        }
        self.sum_up(count)?;
        self.settle_others()?;
        self.append(block);
        Ok(count)
    }

    /// Adds up the cells of the next rows.
    fn sum_up(&mut self, count: usize) -> Result<()> {
        let Buffers { kinds, ages, codes, cells, .. } = &mut self.buffers;
        let age_width = self.plan.ages.bounds.len() + 2;
        let first =
            |(&kind, &age): (&u8, &u32)| self.first_shares[usize::from(kind) * age_width + class_of(age) as usize];
        cells.clear();
        cells.extend(kinds.iter().zip(ages.iter()).map(first));
        for (place, (own, steps)) in self.classes.iter_mut().zip(&self.steps).enumerate() {
            let width = self.plan.columns[place].width;
            let (kinds, cells) = (&kinds[..count], &mut cells[..count]);
            let step = |kind: u8, code: u32| steps[usize::from(kind) * width + (code as usize).min(width - 1)];
            let codes = self.has_open.then(|| &mut codes[place][..count]);
            // Only rows that have a value: in most columns of this kind few have one.
            own.read_present(count, codes, |rows, present| match rows {
                Rows::All(rows) => {
                    for ((cell, kind), code) in cells[rows.clone()].iter_mut().zip(&kinds[rows]).zip(present) {
                        *cell = cell.wrapping_add(step(*kind, *code));
                    }
                }
                Rows::Some(first, rows) => {
                    for (row, code) in rows.iter().zip(present) {
                        let row = first + *row as usize;
                        cells[row] = cells[row].wrapping_add(step(kinds[row], *code));
                    }
                }
            })?;
        }
        Ok(())
    }

    /// Finds the cells of records that have a value of their own, and makes nothing of those that do not exist
    /// for the model.
    fn settle_others(&mut self) -> Result<()> {
        let Buffers { kinds, ages, codes, cells, .. } = &mut self.buffers;
        for (part, some) in cells.chunks_mut(SETTLED_AT_ONCE).enumerate() {
            if some.iter().fold(0, |all, cell| all | *cell) < OPEN {
                continue;
            }
            for (place, cell) in (part * SETTLED_AT_ONCE..).zip(some).filter(|(_, cell)| **cell >= OPEN) {
                if *cell >= DROPPED {
                    (*cell, kinds[place]) = (NOTHING, self.source.kinds.count);
                } else {
                    let codes = |column: usize| codes[column][place];
                    *cell = OPEN | self.scoring.open_cell(kinds[place].into(), class_of(ages[place]), codes)?;
                }
            }
        }
        Ok(())
    }

    /// Appends what matters of the rows whose cells are known.
    fn append(&mut self, block: &mut Block) {
        let Buffers { ids, kinds, ages, keys, seqs, cells, .. } = &mut self.buffers;
        let scoring = self.scoring;
        let repairer = self.source.repairer.map_or(u32::MAX, u32::from);
        let matters = |kind: u8, number: u32| usize::from((u32::from(kind) == repairer) | (number != NOTHING));
        // By itself: the table is the one thing here that is not in the nearest cache, and so many look-ups
        // are under way at once.
        cells.iter_mut().for_each(|cell| *cell = scoring.essence(*cell));
        block.make_room(ids.len(), self.seq.is_some());
        let mut end = block.end;
        if self.seq.is_some() {
            for ((&kind, &number), &seq) in kinds.iter().zip(&*cells).zip(&*seqs) {
                block.seqs[end] = seq;
                end += matters(kind, number);
            }
            end = block.end;
        }
        // Every row is put at the end, and what does not matter is overwritten by the next one: which rows
        // matter cannot be foreseen, so a branch would be taken wrongly too often.
        let (out_ids, out_words) = (&mut block.ids[..], &mut block.words[..]);
        for ((((&id, &kind), &age), &key), &number) in ids.iter().zip(&*kinds).zip(&*ages).zip(&*keys).zip(&*cells) {
            let repairs = u32::from(kind) == repairer;
            out_ids[end] = id;
            out_words[end] = word(number, key, age >> 16, repairs, scoring.is_plain(number) & !repairs);
            end += matters(kind, number);
        }
        block.end = end;
    }
}

/// The class of an age.
fn class_of(age: u32) -> u32 {
    age & u32::from(u16::MAX)
}

/// Some enterprises.
#[derive(Default)]
pub struct Enterprises {
    pub ids: Vec<u64>,
    /// How they begin, by the numbers of the scoring.
    pub starts: Vec<u32>,
    /// Their credit codes, when the result names them.
    pub credit_codes: Vec<CreditCode>,
}

/// Enterprises of some row groups.
pub struct EnterpriseStream<'s> {
    source: &'s EnterpriseSource,
    scoring: &'s Scoring<'s>,
    plan: &'s Plan,
    ids: Column<'s, Ids>,
    credit_codes: Option<Column<'s, CreditCodes>>,
    classes: Vec<Column<'s, Classes>>,
    left: usize,
    /// Where enterprises must be in order: the bounds of the row group that is open, and the first number
    /// that may come next.
    order: Option<(u64, u64)>,
    codes: Vec<u32>,
}

impl<'s> EnterpriseStream<'s> {
    pub fn new(source: &'s EnterpriseSource, scoring: &'s Scoring<'s>) -> Self {
        let plan = &scoring.enterprises;
        let table = &source.table;
        Self {
            source,
            scoring,
            plan,
            ids: Column::new(table, source.id_column, &source.ids),
            credit_codes: source.credit_code.as_ref().map(|(column, reading)| Column::new(table, *column, reading)),
            classes: plan.columns.iter().map(|one| Column::new(table, one.column, &one.classes)).collect(),
            left: 0,
            order: None,
            codes: Vec::new(),
        }
    }

    /// Goes to the beginning of a row group. With bounds, its numbers must ascend within them.
    pub fn open(&mut self, row_group: usize, bounds: Option<(u64, u64)>) -> Result<()> {
        self.ids.open(row_group)?;
        self.credit_codes.iter_mut().try_for_each(|column| column.open(row_group))?;
        self.classes.iter_mut().try_for_each(|column| column.open(row_group))?;
        self.left = self.source.table.rows_of(row_group);
        self.order = bounds;
        Ok(())
    }

    /// Replaces what is in `block` by the next ones; whether there were any.
    pub fn next(&mut self, block: &mut Enterprises) -> Result<bool> {
        let count = self.left.min(BLOCK);
        if count == 0 {
            return Ok(false);
        }
        self.left -= count;
        block.ids.resize(count, 0);
        self.ids.read(&mut block.ids)?;
        if let Some((least, greatest)) = &mut self.order {
            let (first, last) = (block.ids[0], block.ids[count - 1]);
            if first < *least || last > *greatest || !block.ids.is_sorted_by(|one, next| one < next) {
                bail!(NotSorted);
            }
            *least = last.saturating_add(1);
        }
        if let Some(column) = &mut self.credit_codes {
            block.credit_codes.resize(count, CreditCode::default());
            column.read(&mut block.credit_codes)?;
        }
        // Where the row is no record, every enterprise begins with nothing.
        let base = self.plan.kinds[0].as_ref().map_or(0, |_| self.plan.base[0]);
        block.starts.clear();
        block.starts.resize(count, base);
        self.codes.resize(count, 0);
        for (one, column) in self.plan.columns.iter().zip(&mut self.classes) {
            column.read(&mut self.codes)?;
            for (start, code) in block.starts.iter_mut().zip(&self.codes) {
                *start = start.wrapping_add(one.shares[(*code as usize).min(one.width - 1)]);
            }
        }
        if block.starts.iter().any(|start| *start >= OPEN) {
            bail!("模型把企业分得过细，无法批量计算");
        }
        block.starts.iter_mut().for_each(|start| *start = self.scoring.beginning_of(*start));
        Ok(true)
    }
}
