//! The two files as streams: enterprises as numbers and first cells, records as numbers and words.

use anyhow::{Result, bail};

use crate::pages::Column;
use crate::plan::{DROPPED, OPEN, Plan};
use crate::readings::{Ages, Classes, Ids, Integers, OLDEST, Small};
use crate::scoring::{NO_KEY, Scoring, Word, word};
use crate::table::Table;

/// Rows that are decoded at a time: what they need stays in the nearest caches.
const BLOCK: usize = 4096;

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
    pub credit_code: Option<usize>,
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
        let seq = source.seq.as_ref().filter(|_| scoring.needs_seq());
        Self {
            source,
            scoring,
            plan,
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
        let cells = buffers.kinds.iter().zip(&buffers.ages).map(|(&kind, &age)| {
            let kind = usize::from(kind);
            plan.base[kind].wrapping_add(plan.age_shares[kind * age_width + (age & 0xffff) as usize])
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
        block.ids.reserve(count);
        block.words.reserve(count);
        let rows = buffers.ids.iter().zip(&buffers.kinds).zip(&buffers.ages).zip(&buffers.keys).zip(&buffers.cells);
        for (place, ((((&id, &kind), &age), &key), &cell)) in rows.enumerate() {
            let mut cell = cell;
            if cell >= OPEN {
                if cell >= DROPPED {
                    continue;
                }
                let codes = |column: usize| buffers.codes[column][place];
                cell = self.scoring.open_cell(kind.into(), age & u32::from(OLDEST), codes)?;
            }
            let repairs = u32::from(kind) == repairer;
            if repairs || self.scoring.matters(cell) {
                block.ids.push(id);
                block.words.push(word(cell, key, age >> 16, repairs));
                if self.seq.is_some() {
                    block.seqs.push(buffers.seqs[place]);
                }
            }
        }
        Ok(count)
    }
}

/// Enterprises of a row group: their numbers, and the cells of their rows.
#[derive(Default)]
pub struct Enterprises {
    pub ids: Vec<u64>,
    pub starts: Vec<u32>,
    /// Texts of credit codes, by number, when the result names them.
    pub credit_codes: Vec<String>,
}

impl Enterprises {
    pub fn read(source: &EnterpriseSource, scoring: &Scoring, row_group: usize) -> Result<Self> {
        let plan = &scoring.enterprises;
        let count = source.table.rows_of(row_group);
        let mut ids = vec![0; count];
        let mut column = Column::new(&source.table, source.id_column, &source.ids);
        column.open(row_group)?;
        column.read(&mut ids)?;
        // Where the row is no record, every enterprise begins with nothing.
        let base = plan.kinds[0].as_ref().map_or(0, |_| plan.base[0]);
        let mut starts = vec![base; count];
        let mut codes = vec![0; BLOCK];
        for one in &plan.columns {
            let mut column = Column::new(&source.table, one.column, &one.classes);
            column.open(row_group)?;
            for block in starts.chunks_mut(BLOCK) {
                let codes = &mut codes[..block.len()];
                column.read(codes)?;
                for (start, code) in block.iter_mut().zip(codes.iter()) {
                    *start = start.wrapping_add(one.shares[(*code as usize).min(one.width - 1)]);
                }
            }
        }
        if base >= OPEN || starts.iter().any(|start| *start >= OPEN) {
            bail!("模型把企业分得过细，无法批量计算");
        }
        let mut credit_codes = Vec::new();
        if let Some(column) = source.credit_code {
            let interned = crate::readings::Interned::default();
            let reading = crate::readings::Texts(source.table.holds(column)?, &interned);
            let mut column = Column::new(&source.table, column, &reading);
            column.open(row_group)?;
            let mut numbers = vec![0; count];
            column.read(&mut numbers)?;
            credit_codes = numbers.into_iter().map(|number| interned.text(number)).collect();
        }
        Ok(Self { ids, starts, credit_codes })
    }
}
