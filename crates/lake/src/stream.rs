//! The two files as streams: enterprises as numbers and first cells, records as numbers and words.

use anyhow::{Result, bail};

use crate::pages::Column;
use crate::plan::{DROPPED, NOTHING, OPEN, Plan};
use crate::readings::{Ages, Classes, CreditCode, CreditCodes, Ids, Integers, OLDEST, Small};
use crate::scoring::{NO_KEY, Scoring, Word, word};
use crate::table::Table;

/// Rows that are decoded at a time: what they need stays in the nearest caches.
pub const BLOCK: usize = 2048;

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

/// Records of a stream that matter.
#[derive(Default)]
pub struct Block {
    pub ids: Vec<u64>,
    pub words: Vec<Word>,
    pub seqs: Vec<i64>,
}

impl Block {
    /// Drops all.
    pub fn clear(&mut self) {
        self.forget(self.ids.len());
    }

    /// Drops so many from the front.
    pub fn forget(&mut self, count: usize) {
        self.ids.drain(..count);
        self.words.drain(..count);
        self.seqs.drain(..count.min(self.seqs.len()));
    }
}

/// Records of some row groups.
pub struct RecordStream<'s> {
    source: &'s RecordSource,
    scoring: &'s Scoring<'s>,
    plan: &'s Plan,
    /// By kind in the file and class of age: the base of the kind and the share of the class.
    first_shares: Vec<u32>,
    ids: Column<'s, Ids>,
    kinds: Column<'s, Small>,
    ages: Column<'s, Ages>,
    key: Option<Column<'s, Small>>,
    seq: Option<Column<'s, Integers>>,
    classes: Vec<Column<'s, Classes>>,
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
        let first_share = |(place, share): (usize, &u32)| plan.base[place / age_width].wrapping_add(*share);
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
        let plan = self.plan;
        let age_width = plan.ages.bounds.len() + 2;
        buffers.cells.clear();
        let cells =
            buffers.kinds.iter().zip(&buffers.ages).map(|(&kind, &age)| {
                self.first_shares[usize::from(kind) * age_width + (age & u32::from(OLDEST)) as usize]
            });
        buffers.cells.extend(cells);
        for ((column, own), codes) in plan.columns.iter().zip(&mut self.classes).zip(&mut buffers.codes) {
            let codes = &mut codes[..count];
            own.read(codes)?;
            let last = column.width - 1;
            for ((cell, kind), code) in buffers.cells.iter_mut().zip(&buffers.kinds).zip(codes) {
                let class = (*code as usize).min(last);
                *cell = cell.wrapping_add(column.shares[usize::from(*kind) * column.width + class]);
            }
        }
        let repairer = self.source.repairer.map_or(u32::MAX, u32::from);
        // Every row is put at the end, and what does not matter is overwritten by the next one: which rows
        // matter cannot be foreseen, so a branch would be taken wrongly too often.
        let mut end = block.ids.len();
        block.ids.resize(end + count, 0);
        block.words.resize(end + count, 0);
        if self.seq.is_some() {
            block.seqs.resize(end + count, 0);
        }
        let rows = buffers.ids.iter().zip(&buffers.kinds).zip(&buffers.ages).zip(&buffers.keys).zip(&buffers.cells);
        for (place, ((((&id, &kind), &age), &key), &cell)) in rows.enumerate() {
            let (number, is_plain) = if cell < OPEN {
                self.scoring.essence(cell)
            } else if cell >= DROPPED {
                continue;
            } else {
                let codes = |column: usize| buffers.codes[column][place];
                (self.scoring.open_cell(kind.into(), age & u32::from(OLDEST), codes)?, false)
            };
            let repairs = u32::from(kind) == repairer;
            block.ids[end] = id;
            block.words[end] = word(number, key, age >> 16, repairs, is_plain & !repairs);
            if self.seq.is_some() {
                block.seqs[end] = buffers.seqs[place];
            }
            end += usize::from(repairs | (number != NOTHING));
        }
        block.ids.truncate(end);
        block.words.truncate(end);
        block.seqs.truncate(end);
        Ok(count)
    }
}

/// Some enterprises: their numbers, and the cells of their rows.
#[derive(Default)]
pub struct Enterprises {
    pub ids: Vec<u64>,
    pub starts: Vec<u32>,
    /// Their credit codes, when the result names them.
    pub credit_codes: Vec<CreditCode>,
}

/// Enterprises of some row groups.
pub struct EnterpriseStream<'s> {
    source: &'s EnterpriseSource,
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
        Ok(true)
    }
}
