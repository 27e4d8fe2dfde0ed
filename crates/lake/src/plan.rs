//! How the columns of a file become cells. A kind's cells are laid out along axes: the classes of its age,
//! of what became of it, and of each field the model looks at. Every class of every column adds its share
//! to the number of the cell, so that a record's cell is a sum of look-ups.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use xinheng_core::history::{Fact, Kinds};
use xinheng_core::record::{Day, Payload, Seq, Statement, Value};
use xinheng_core::rulebook::kind::Kind;
use xinheng_core::score::cut::{Cuts, FieldCuts};

use crate::layout::FieldColumn;
use crate::readings::{Ages, Classes, Looks, day_of, number_of};
use crate::table::{Holds, Table};

/// In the sum of a record that does not exist for the model. Above anything that shares can add up to.
pub const DROPPED: u32 = 1 << 30;
/// In the sum of a record whose cell is found by itself, because a value of it is a class of its own.
pub const OPEN: u32 = 1 << 24;
/// The cell of records that give nothing.
pub const NOTHING: u32 = 0;
/// Cells of one kind; with more, its cells are found one by one as they occur.
const MOST_OF_A_KIND: u64 = 1 << 17;

/// Cells of a file.
pub struct Plan {
    pub columns: Vec<PlanColumn>,
    pub ages: Ages,
    /// By kind in the file and class of age.
    pub age_shares: Vec<u32>,
    /// By kind in the file; the last is any other.
    pub base: Vec<u32>,
    /// By kind in the file.
    pub kinds: Vec<Option<KindPlan>>,
    /// One more than the last cell.
    pub end: u32,
    day: Day,
}

/// A column that is an axis of some kinds.
pub struct PlanColumn {
    pub column: usize,
    pub classes: Classes,
    /// By kind in the file and class.
    pub shares: Vec<u32>,
    pub width: usize,
}

/// The axes of a kind.
pub struct KindPlan {
    /// Its number in the kernel.
    pub number: usize,
    id: String,
    pub size: u32,
    axes: Vec<Axis>,
    /// By how much a cell moves when another record of the file repairs this one.
    pub if_repaired: Option<u32>,
}

struct Axis {
    of: What,
    stride: u32,
    /// An example of each class.
    examples: Vec<Example>,
    /// For each class of the column, the class here; `None` where it is one of its own.
    classes: Vec<Option<u32>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Age,
    /// By the column of that place.
    Field(String, usize),
    Ended(usize, End),
    RepairedOn(usize),
    Repaired,
}

/// What a day in a column says about the end of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It is the last day in effect.
    LastDay,
    /// It is the first day no longer in effect.
    EndedOn,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Example {
    Day(Day),
    Value(Option<Value>),
    End(Option<Day>),
    Repaired(bool),
}

/// Where a kind's things are.
pub struct KindColumns<'a> {
    pub kind: &'a Kind,
    pub fields: &'a BTreeMap<String, FieldColumn>,
    /// The column that says when it ended.
    pub ended: Option<(&'a str, End)>,
    /// The column that says when it was repaired.
    pub repaired_on: Option<&'a str>,
    /// Whether other records of the file repair it.
    pub repairs: bool,
    /// Whether it has a day of its own; otherwise it is of the day of scoring.
    pub is_dated: bool,
    /// Whether it must be seen even if the model does not look at it.
    pub is_seen: bool,
}

impl Plan {
    pub fn new(
        table: &Table,
        kinds: &Kinds,
        in_file: &[Option<KindColumns>],
        cuts: &[Option<Cuts>],
        day: Day,
        first: u32,
    ) -> Result<Self> {
        let mut looks: Vec<(usize, Looks)> = Vec::new();
        let mut place_of = |name: &str, scale: u32| -> Result<usize> {
            let column = table.column(name)?;
            if let Some(place) = looks.iter().position(|(one, look)| *one == column && look.scale == scale) {
                return Ok(place);
            }
            looks.push((column, Looks { scale, ..Looks::default() }));
            Ok(looks.len() - 1)
        };
        // First which kinds look at which columns, then what all of them together look at.
        let mut axes_of: Vec<Option<(usize, &Cuts, Vec<What>)>> = Vec::new();
        for one in in_file {
            let Some(columns) = one else {
                axes_of.push(None);
                continue;
            };
            let Some(number) = kinds.number(&columns.kind.rule.id.value) else { bail!("没有这样的种类") };
            let Some(cuts) = cuts[number].as_ref() else {
                axes_of.push(None);
                continue;
            };
            // Days first: of all that tells cells apart, the next day is made with the least effort.
            let mut axes: Vec<What> = columns.is_dated.then_some(What::Age).into_iter().collect();
            for field in cuts.fields.keys() {
                if let Some(column) = columns.fields.get(field) {
                    axes.push(What::Field(field.clone(), place_of(&column.column, column.scale)?));
                }
            }
            if let Some((column, end)) = columns.ended.filter(|_| cuts.ended) {
                axes.push(What::Ended(place_of(column, 1)?, end));
            }
            if let Some(column) = columns.repaired_on.filter(|_| cuts.repaired) {
                axes.push(What::RepairedOn(place_of(column, 1)?));
            }
            if columns.repairs && cuts.repaired {
                axes.push(What::Repaired);
            }
            axes_of.push(Some((number, cuts, axes)));
        }
        let today = number_of(day);
        for (_, cuts, axes) in axes_of.iter().flatten() {
            for what in axes {
                let name = |place: usize| table.name_of(looks[place].0);
                match what {
                    What::Field(field, place) => {
                        let holds = table.holds(looks[*place].0)?;
                        let name = name(*place);
                        look_at_field(&mut looks[*place].1, &cuts.fields[field], holds, &name)?;
                    }
                    What::Ended(place, end) => {
                        must_be_days(table, looks[*place].0, &name(*place))?;
                        let shift = i64::from(*end == End::LastDay);
                        let days = cuts.ended_on.iter().map(|day| number_of(*day)).chain([today + 1]);
                        looks[*place].1.numbers.extend(days.map(|day| i64::from(day) - shift));
                    }
                    What::RepairedOn(place) => {
                        must_be_days(table, looks[*place].0, &name(*place))?;
                        looks[*place].1.numbers.insert(i64::from(today) + 1);
                    }
                    What::Age | What::Repaired => {}
                }
            }
        }
        let mut columns = Vec::new();
        for (column, looks) in looks {
            let classes = Classes::new(table.holds(column)?, &looks);
            let width = classes.count();
            columns.push(PlanColumn { column, shares: vec![0; width * (in_file.len() + 1)], classes, width });
        }
        let ages = axes_of.iter().flatten().flat_map(|(_, cuts, _)| &cuts.age).map(|day| number_of(*day));
        let ages: std::collections::BTreeSet<i32> = ages.filter(|bound| *bound <= today).collect();
        let ages = Ages { today, bounds: ages.into_iter().collect() };
        if usize::from(ages.future()) > ages.bounds.len() + 1 {
            bail!("模型按日期分得过细");
        }
        let age_width = ages.bounds.len() + 2;
        let mut plan = Self {
            columns,
            age_shares: vec![0; age_width * (in_file.len() + 1)],
            ages,
            base: vec![DROPPED; in_file.len() + 1],
            kinds: Vec::new(),
            end: first,
            day,
        };
        for (kind, axes) in axes_of.into_iter().enumerate() {
            let columns = in_file[kind].as_ref();
            plan.age_shares[kind * age_width + age_width - 1] = DROPPED;
            if columns.is_some_and(|columns| columns.is_seen) {
                plan.base[kind] = NOTHING;
            }
            let planned = axes
                .zip(columns)
                .map(|((number, cuts, axes), columns)| plan.lay_out(kind, number, cuts, axes, columns));
            plan.kinds.push(planned);
        }
        Ok(plan)
    }

    /// Whether there may be records whose cells are found by themselves.
    pub fn has_open(&self) -> bool {
        self.base.contains(&OPEN) || self.columns.iter().flat_map(|column| &column.shares).any(|share| *share >= OPEN)
    }

    fn lay_out(&mut self, kind: usize, number: usize, cuts: &Cuts, axes: Vec<What>, columns: &KindColumns) -> KindPlan {
        let axes: Vec<Axis> = axes.into_iter().map(|what| self.axis(what, cuts)).collect();
        let size = axes.iter().try_fold(1_u64, |size, axis| {
            size.checked_mul(axis.examples.len() as u64).filter(|size| *size <= MOST_OF_A_KIND)
        });
        let mut plan = KindPlan { number, id: columns.kind.rule.id.value.clone(), size: 0, axes, if_repaired: None };
        if let Some(size) = size {
            plan.size = u32::try_from(size).unwrap_or_default();
            let mut stride = 1;
            for axis in &mut plan.axes {
                axis.stride = stride;
                stride *= u32::try_from(axis.examples.len()).unwrap_or_default();
            }
            self.base[kind] = self.end;
            self.end += plan.size;
        } else {
            self.base[kind] = OPEN;
        }
        for axis in &plan.axes {
            let share =
                |class: &Option<u32>| class.map_or(OPEN, |class| if size.is_some() { class * axis.stride } else { 0 });
            let row = match &axis.of {
                What::Age => {
                    let width = self.ages.bounds.len() + 2;
                    &mut self.age_shares[kind * width..(kind + 1) * width - 1]
                }
                What::Field(_, place) | What::Ended(place, _) | What::RepairedOn(place) => {
                    let column = &mut self.columns[*place];
                    &mut column.shares[kind * column.width..(kind + 1) * column.width]
                }
                What::Repaired => {
                    plan.if_repaired = Some(axis.stride);
                    continue;
                }
            };
            // A column may be several axes: the end of a record and a field that the model looks at.
            row.iter_mut().zip(&axis.classes).for_each(|(sum, class)| *sum += share(class));
        }
        plan
    }

    fn axis(&self, of: What, cuts: &Cuts) -> Axis {
        let classes_of = |place: usize| 0..u32::try_from(self.columns[place].classes.count()).unwrap_or_default();
        let day_in =
            |place: usize, class: u32| self.columns[place].classes.example(class).and_then(|value| value.as_day());
        // For each class of the column, what the kind's own cuts make of it; what is alike is one class here.
        let seen: Vec<Option<(Alike, Example)>> = match &of {
            What::Age => {
                let bounds: Vec<i32> = cuts.age.iter().map(|day| number_of(*day)).collect();
                let all = &self.ages.bounds;
                let first = |class: usize| match class.checked_sub(1) {
                    Some(before) => all[before],
                    None => all.first().map_or(self.ages.today, |bound| bound - 1),
                };
                let one = |class| {
                    let day = first(class);
                    Some((Alike::Number(bounds.partition_point(|bound| *bound <= day)), Example::Day(day_of(day))))
                };
                (0..=all.len()).map(one).collect()
            }
            What::Field(field, place) => {
                let cuts = &cuts.fields[field];
                let own = self.columns[*place].classes.own();
                let one = |class| {
                    let value = self.columns[*place].classes.example(class);
                    (Some(class) != own).then(|| (alike(value.as_ref(), cuts), Example::Value(value)))
                };
                classes_of(*place).map(one).collect()
            }
            What::Ended(place, end) => {
                let one = |class| {
                    let day = day_in(*place, class)
                        .and_then(|day| if *end == End::LastDay { day.succ_opt() } else { Some(day) });
                    let day = day.filter(|day| *day <= self.day);
                    let number = day.map_or(0, |day| 1 + cuts.ended_on.iter().filter(|bound| **bound <= day).count());
                    Some((Alike::Number(number), Example::End(day)))
                };
                classes_of(*place).map(one).collect()
            }
            What::RepairedOn(place) => {
                let one = |class| {
                    let is_repaired = day_in(*place, class).is_some_and(|day| day <= self.day);
                    Some((Alike::Flag(is_repaired), Example::Repaired(is_repaired)))
                };
                classes_of(*place).map(one).collect()
            }
            What::Repaired => {
                [false, true].map(|is_repaired| Some((Alike::Flag(is_repaired), Example::Repaired(is_repaired)))).into()
            }
        };
        let mut known: Vec<Alike> = Vec::new();
        let mut examples = Vec::new();
        let mut classes = Vec::new();
        for one in seen {
            let Some((alike, example)) = one else {
                classes.push(None);
                continue;
            };
            let place = known.iter().position(|one| *one == alike).unwrap_or_else(|| {
                known.push(alike);
                examples.push(example);
                known.len() - 1
            });
            classes.push(u32::try_from(place).ok());
        }
        Axis { of, stride: 0, examples, classes }
    }

    /// Which record stands for a cell of a kind that has its cells by itself: the example of the classes
    /// that a row's columns say. `key` tells records apart that do not give the same.
    pub fn open(&self, kind: usize, age: u32, codes: impl Fn(usize) -> u32) -> Option<(Vec<u32>, Stand)> {
        let plan = self.kinds[kind].as_ref()?;
        let mut stand = Stand::new(&plan.id, self.day);
        let mut key = vec![u32::try_from(kind).ok()?];
        for axis in &plan.axes {
            let code = match &axis.of {
                What::Age => age,
                What::Field(_, place) | What::Ended(place, _) | What::RepairedOn(place) => codes(*place),
                What::Repaired => 0,
            };
            if let Some(class) = axis.classes.get(code as usize).copied().flatten() {
                key.push(class);
                stand.take(&axis.of, &axis.examples[class as usize]);
            } else if let What::Field(_, place) = &axis.of {
                key.push(code + OPEN);
                stand.take(&axis.of, &Example::Value(self.columns[*place].classes.example(code)));
            }
        }
        Some((key, stand))
    }

    /// Calls with every cell of a kind and the record that stands for it, in the order of the cells.
    pub fn each_cell(&self, kind: &KindPlan, mut each: impl FnMut(&Stand)) {
        if kind.size == 0 {
            return;
        }
        let mut stand = Stand::new(&kind.id, self.day);
        let mut digits = vec![0_usize; kind.axes.len()];
        kind.axes.iter().for_each(|axis| stand.take(&axis.of, &axis.examples[0]));
        for _ in 0..kind.size {
            each(&stand);
            for (digit, axis) in digits.iter_mut().zip(&kind.axes) {
                *digit = (*digit + 1) % axis.examples.len();
                stand.take(&axis.of, &axis.examples[*digit]);
                if *digit != 0 {
                    break;
                }
            }
        }
    }
}

/// A record that stands for all of its cell.
pub struct Stand {
    record: Statement,
    ended_on: Option<Day>,
    is_repaired: bool,
}

impl Stand {
    fn new(kind: &str, day: Day) -> Self {
        let record = Statement {
            seq: Seq(0),
            kind: kind.into(),
            occurred_on: day,
            version: None,
            document_number: None,
            supersedes: None,
            withdrawn: false,
            payload: Payload::default(),
        };
        Self { record, ended_on: None, is_repaired: false }
    }

    fn take(&mut self, of: &What, example: &Example) {
        match (of, example) {
            (_, Example::Day(day)) => self.record.occurred_on = *day,
            (_, Example::End(day)) => self.ended_on = *day,
            (_, Example::Repaired(is_repaired)) => self.is_repaired = *is_repaired,
            (What::Field(field, _), Example::Value(Some(value))) => {
                self.record.payload.insert(field.as_str(), value.clone());
            }
            (What::Field(field, _), Example::Value(None)) => {
                self.record.payload.remove(field);
            }
            (_, Example::Value(_)) => {}
        }
    }

    /// The same, repaired by another record.
    pub fn repaired(mut self) -> Self {
        self.is_repaired = true;
        self
    }

    /// The record as the kernel takes it.
    pub fn fact(&self) -> Fact<'_> {
        let repaired_on = self.is_repaired.then_some(self.record.occurred_on);
        Fact { record: &self.record, ended_on: self.ended_on, repaired_on, published_on: None }
    }
}

/// What the cuts of a kind make of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Alike {
    Absent,
    Flag(bool),
    Number(usize),
    /// Which of the values it is, and the longest of the beginnings that it has.
    Text(Option<String>, Option<String>),
}

fn alike(value: Option<&Value>, cuts: &FieldCuts) -> Alike {
    match value {
        None => Alike::Absent,
        Some(Value::Flag(flag)) => Alike::Flag(*flag),
        Some(Value::Integer(number)) => Alike::Number(numbers(cuts).filter(|bound| bound <= number).count()),
        Some(Value::Text(text)) if !cuts.days.is_empty() => {
            let day = text.parse().ok();
            Alike::Number(days(cuts).filter(|bound| day.is_some_and(|day: Day| *bound <= day)).count())
        }
        Some(Value::Text(text)) => {
            let longest =
                cuts.beginnings.iter().filter(|one| text.starts_with(one.as_str())).max_by_key(|one| one.len());
            Alike::Text(cuts.values.get(text.as_str()).cloned(), longest.cloned())
        }
    }
}

/// Numbers from which on the answer may be another. A number that is listed is a class of its own.
fn numbers(cuts: &FieldCuts) -> impl Iterator<Item = i64> {
    let listed = cuts.values.iter().filter_map(|text| {
        let number: i64 = text.parse().ok()?;
        (number.to_string() == *text).then_some(number)
    });
    let listed: Vec<i64> = listed.flat_map(|number| [number, number.saturating_add(1)]).collect();
    let all: std::collections::BTreeSet<i64> = cuts.numbers.iter().copied().chain(listed).collect();
    all.into_iter()
}

/// The same for days, which rules list as texts.
fn days(cuts: &FieldCuts) -> impl Iterator<Item = Day> {
    let listed = cuts.values.iter().filter_map(|text| text.parse::<Day>().ok());
    let listed: Vec<Day> = listed.flat_map(|day| [Some(day), day.succ_opt()]).flatten().collect();
    let all: std::collections::BTreeSet<Day> = cuts.days.iter().copied().chain(listed).collect();
    all.into_iter()
}

fn look_at_field(looks: &mut Looks, cuts: &FieldCuts, holds: Holds, name: &str) -> Result<()> {
    match holds {
        Holds::Integer32 { .. } | Holds::Integer64 { .. } | Holds::Float | Holds::Double => {
            if !cuts.beginnings.is_empty() || cuts.open {
                bail!("列“{name}”是数，而模型把它当作文字或编码来看；请把这一列改为文字");
            }
            if matches!(holds, Holds::Float | Holds::Double) && !cuts.values.is_empty() {
                bail!("列“{name}”是小数，而模型按取值逐一列出；请把这一列改为整数");
            }
            if looks.scale != 1 && !matches!(holds, Holds::Float | Holds::Double) {
                bail!("列“{name}”是整数，不能再换算单位");
            }
            looks.numbers.extend(numbers(cuts));
        }
        Holds::Days => {
            if !cuts.beginnings.is_empty() || cuts.open {
                bail!("列“{name}”是日期，而模型把它当作文字或编码来看；请把这一列改为文字");
            }
            looks.numbers.extend(days(cuts).map(|day| i64::from(number_of(day))));
        }
        Holds::Flag => {}
        Holds::Text => {
            if !cuts.days.is_empty() {
                bail!("列“{name}”是文字，而模型要的是日期；请把这一列改为日期");
            }
            looks.texts.extend(cuts.values.iter().chain(&cuts.beginnings).cloned());
            looks.several |= cuts.splits;
            looks.open |= cuts.open;
        }
    }
    Ok(())
}

fn must_be_days(table: &Table, column: usize, name: &str) -> Result<()> {
    if table.holds(column)? != Holds::Days {
        bail!("{} 的列“{name}”应为日期", table.name());
    }
    Ok(())
}
