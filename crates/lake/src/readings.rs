//! What the columns' values are translated into: numbers of enterprises, days, keys, and the classes that a
//! model cannot tell apart.

use std::collections::{BTreeSet, HashMap};
use std::sync::RwLock;

use anyhow::{Context, Result, bail};
use chrono::{Days, NaiveDate};
use xinheng_core::record::{Day, Value};

use crate::pages::Reading;
use crate::table::Holds;

/// The day that Parquet counts days from.
const EPOCH: Day = NaiveDate::from_ymd_opt(1970, 1, 1).expect("a day of the calendar");

/// Days since 1970-01-01.
pub fn number_of(day: Day) -> i32 {
    i32::try_from((day - EPOCH).num_days()).unwrap_or(i32::MAX)
}

/// The day so many days after 1970-01-01; the calendar's ends hold what lies beyond.
pub fn day_of(number: i32) -> Day {
    let by = Days::new(number.unsigned_abs().into());
    if number < 0 {
        EPOCH.checked_sub_days(by).unwrap_or(Day::MIN)
    } else {
        EPOCH.checked_add_days(by).unwrap_or(Day::MAX)
    }
}

fn incomplete() -> anyhow::Error {
    anyhow::anyhow!("文件已损坏：数据页不完整")
}

/// The first plainly encoded values of so many bytes each, and the bytes that they take.
fn fixed<const N: usize>(bytes: &[u8], count: usize) -> Result<(&[[u8; N]], usize)> {
    let values = bytes.as_chunks::<N>().0.get(..count).ok_or_else(incomplete)?;
    Ok((values, N * count))
}

/// Translates plainly encoded values of so many bytes each.
fn each_fixed<const N: usize, C>(
    bytes: &[u8],
    out: &mut [C],
    mut each: impl FnMut([u8; N]) -> Result<C>,
) -> Result<usize> {
    let (values, taken) = fixed::<N>(bytes, out.len())?;
    for (out, value) in out.iter_mut().zip(values) {
        *out = each(*value)?;
    }
    Ok(taken)
}

/// Translates plainly encoded whole numbers.
fn integers<C>(holds: Holds, bytes: &[u8], out: &mut [C], mut each: impl FnMut(i64) -> Result<C>) -> Result<usize> {
    match holds {
        Holds::Integer32 { signed: true } | Holds::Days => {
            each_fixed(bytes, out, |one| each(i32::from_le_bytes(one).into()))
        }
        Holds::Integer32 { signed: false } => each_fixed(bytes, out, |one| each(u32::from_le_bytes(one).into())),
        Holds::Integer64 { signed: true } => each_fixed(bytes, out, |one| each(i64::from_le_bytes(one))),
        Holds::Integer64 { signed: false } => each_fixed(bytes, out, |one| {
            let number = u64::from_le_bytes(one);
            each(i64::try_from(number).with_context(|| format!("数 {number} 过大"))?)
        }),
        _ => bail!("不是整数"),
    }
}

/// Translates plainly encoded texts.
fn texts<C>(bytes: &[u8], out: &mut [C], mut each: impl FnMut(&str) -> Result<C>) -> Result<usize> {
    let mut rest = bytes;
    for out in out {
        let (length, after) = rest.split_first_chunk::<4>().ok_or_else(incomplete)?;
        let length = u32::from_le_bytes(*length) as usize;
        let Some((text, after)) = after.split_at_checked(length) else { bail!("文件已损坏：文字不完整") };
        *out = each(std::str::from_utf8(text).context("文字不是 UTF-8 编码")?)?;
        rest = after;
    }
    Ok(bytes.len() - rest.len())
}

/// The number of an enterprise.
pub struct Ids(pub Holds);

impl Reading for Ids {
    type Code = u64;

    fn plain(&self, bytes: &[u8], out: &mut [u64]) -> Result<usize> {
        match self.0 {
            // By itself: these are most of the bytes.
            Holds::Integer64 { signed: false } => each_fixed(bytes, out, |one| Ok(u64::from_le_bytes(one))),
            Holds::Integer64 { signed: true } | Holds::Integer32 { .. } => integers(self.0, bytes, out, |number| {
                u64::try_from(number).map_err(|_| anyhow::anyhow!("企业编号 {number} 不能为负"))
            }),
            _ => bail!("企业编号应为整数"),
        }
    }

    fn absent(&self) -> Option<u64> {
        None
    }
}

/// Texts as numbers, each new one the next.
#[derive(Default)]
pub struct Interned(RwLock<Known>);

/// Numbers by text, and texts by number.
type Known = (HashMap<Box<str>, u32>, Vec<Box<str>>);

impl Interned {
    pub fn number(&self, text: &str) -> u32 {
        let known = self.0.read().ok().and_then(|all| all.0.get(text).copied());
        known.unwrap_or_else(|| {
            let mut all = self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner);
            let next = u32::try_from(all.1.len()).unwrap_or(u32::MAX);
            if let Some(number) = all.0.get(text) {
                return *number;
            }
            all.0.insert(text.into(), next);
            all.1.push(text.into());
            next
        })
    }

    pub fn text(&self, number: u32) -> String {
        let all = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        all.1.get(number as usize).map(|text| text.to_string()).unwrap_or_default()
    }
}

/// A credit code, which always has 18 characters.
pub type CreditCode = [u8; 18];

/// Credit codes as they are.
pub struct CreditCodes(pub Holds);

impl Reading for CreditCodes {
    type Code = CreditCode;

    fn plain(&self, bytes: &[u8], out: &mut [CreditCode]) -> Result<usize> {
        if self.0 != Holds::Text {
            bail!("应为文字");
        }
        texts(bytes, out, |text| {
            text.as_bytes().try_into().map_err(|_| anyhow::anyhow!("“{text}”不是18位的统一社会信用代码"))
        })
    }

    fn absent(&self) -> Option<CreditCode> {
        None
    }
}

/// Whole numbers as they are: places in the ledger.
pub struct Integers(pub Holds);

impl Reading for Integers {
    type Code = i64;

    fn plain(&self, bytes: &[u8], out: &mut [i64]) -> Result<usize> {
        integers(self.0, bytes, out, Ok)
    }

    fn absent(&self) -> Option<i64> {
        None
    }
}

/// Small numbers: of a kind, or a key that two records have in common.
pub struct Small {
    pub holds: Holds,
    /// How many there are; any greater number is `beyond`.
    pub count: u8,
    pub beyond: Option<u8>,
    pub absent: Option<u8>,
}

impl Reading for Small {
    type Code = u8;

    fn plain(&self, bytes: &[u8], out: &mut [u8]) -> Result<usize> {
        integers(self.holds, bytes, out, |number| {
            let small = u8::try_from(number).ok().filter(|number| *number < self.count).or(self.beyond);
            small.with_context(|| format!("数 {number} 超出范围（0 至 {}）", self.count - 1))
        })
    }

    fn absent(&self) -> Option<u8> {
        self.absent
    }
}

/// Days before the day of scoring that are told apart: some 179 years.
pub const OLDEST: u16 = u16::MAX;

/// The day of a record: how many days before the day of scoring in the upper half, its class in the lower.
pub struct Ages {
    pub today: i32,
    /// First days of the classes but the first.
    pub bounds: Vec<i32>,
}

impl Ages {
    /// The class of what lies after the day of scoring.
    pub fn future(&self) -> u16 {
        u16::try_from(self.bounds.len() + 1).unwrap_or(u16::MAX)
    }
}

impl Reading for Ages {
    type Code = u32;

    fn plain(&self, bytes: &[u8], out: &mut [u32]) -> Result<usize> {
        each_fixed(bytes, out, |one| {
            let day = i32::from_le_bytes(one);
            if day > self.today {
                return Ok(self.future().into());
            }
            let before = self.today.abs_diff(day);
            if before > OLDEST.into() {
                bail!("日期 {} 过早，早于计分日期 179 年以上", day_of(day));
            }
            let class = self.bounds.partition_point(|bound| *bound <= day);
            Ok(before << 16 | u32::try_from(class).unwrap_or_default())
        })
    }

    fn absent(&self) -> Option<u32> {
        None
    }
}

/// Values by the classes that some cuts make. Class 0 is no value.
pub struct Classes {
    holds: Holds,
    kind: Sort,
}

enum Sort {
    /// First numbers of the classes but the first.
    Numbers(Vec<i64>),
    /// The same for a column of parts: compared as they are written, divided by the scale.
    Parts(Vec<i64>, Vec<f64>),
    Flags,
    Texts {
        /// What is listed, in order.
        listed: Vec<String>,
        /// Texts that are each a class of its own.
        own: Option<Interned>,
        /// Whether only texts of several codes are.
        several_only: bool,
    },
}

/// What all who read a column look at in it.
#[derive(Default)]
pub struct Looks {
    pub numbers: BTreeSet<i64>,
    pub texts: BTreeSet<String>,
    pub several: bool,
    pub open: bool,
    pub scale: u32,
}

impl Classes {
    pub fn new(holds: Holds, looks: &Looks) -> Self {
        let bounds: Vec<i64> = looks.numbers.iter().copied().collect();
        let kind = match holds {
            Holds::Float | Holds::Double => {
                #[allow(clippy::cast_precision_loss, reason = "compared as the rule writes them")]
                let parts = bounds.iter().map(|&bound| bound as f64 / f64::from(looks.scale.max(1))).collect();
                Sort::Parts(bounds, parts)
            }
            Holds::Flag => Sort::Flags,
            Holds::Text => Sort::Texts {
                listed: looks.texts.iter().cloned().collect(),
                own: (looks.open || looks.several).then(Interned::default),
                several_only: !looks.open,
            },
            Holds::Integer32 { .. } | Holds::Integer64 { .. } | Holds::Days => Sort::Numbers(bounds),
        };
        Self { holds, kind }
    }

    /// How many classes there are; the last stands for all that are a class of their own.
    pub fn count(&self) -> usize {
        match &self.kind {
            Sort::Numbers(bounds) | Sort::Parts(bounds, _) => bounds.len() + 2,
            Sort::Flags => 3,
            Sort::Texts { listed, own, .. } => 2 * listed.len() + 2 + usize::from(own.is_some()),
        }
    }

    /// The first of those that are a class of their own.
    pub fn own(&self) -> Option<u32> {
        let Sort::Texts { own: Some(_), .. } = &self.kind else { return None };
        u32::try_from(self.count() - 1).ok()
    }

    /// A value of the class; `None` for no value.
    pub fn example(&self, class: u32) -> Option<Value> {
        let place = class.checked_sub(1)? as usize;
        Some(match &self.kind {
            Sort::Numbers(bounds) => {
                let number = first_of(bounds, place);
                match self.holds {
                    Holds::Days => day_of(i32::try_from(number).unwrap_or(i32::MAX)).into(),
                    _ => Value::Integer(number),
                }
            }
            Sort::Parts(bounds, _) => Value::Integer(first_of(bounds, place)),
            Sort::Flags => Value::Flag(place == 1),
            Sort::Texts { listed, own, .. } => Value::Text(match (listed.get(place / 2), own) {
                (Some(one), _) if place % 2 == 1 => one.as_str().into(),
                // Begins with it and is no other that is listed: no rule lists control characters.
                (Some(one), _) => format!("{one}\u{1}").into(),
                (None, Some(own)) if place > 2 * listed.len() => {
                    own.text(class - 2 - 2 * u32::try_from(listed.len()).unwrap_or(0)).into()
                }
                (None, _) => "\u{1}".into(),
            }),
        })
    }

    fn text(&self, text: &str) -> u32 {
        let Sort::Texts { listed, own, several_only } = &self.kind else { return 0 };
        let other = u32::try_from(2 * listed.len() + 1).unwrap_or(u32::MAX);
        if let Some(own) = own.as_ref().filter(|_| !several_only || text.contains(',')) {
            return own.number(text).saturating_add(other + 1);
        }
        // The longest listed text that it begins with; of those it begins with, the last in order.
        let after = listed.partition_point(|one| one.as_str() <= text);
        // All between a text and what it begins with begin alike; only the empty one, which is first, does not.
        let is_near = |place: &usize| listed[*place].as_bytes().first() == text.as_bytes().first();
        let near = (0..after).rev().take_while(is_near).chain((0..after).take(1));
        for place in near {
            if let Some(rest) = text.strip_prefix(listed[place].as_str()) {
                return u32::try_from(2 * place + 1 + usize::from(rest.is_empty())).unwrap_or(other);
            }
        }
        other
    }
}

/// The first number of a class; of the first class the one before its end.
fn first_of(bounds: &[i64], place: usize) -> i64 {
    match place.checked_sub(1) {
        Some(place) => bounds[place],
        None => bounds.first().map_or(0, |first| first.saturating_sub(1)),
    }
}

impl Reading for Classes {
    type Code = u32;

    fn plain(&self, bytes: &[u8], out: &mut [u32]) -> Result<usize> {
        let class = |place: usize| u32::try_from(place + 1).unwrap_or(u32::MAX);
        match &self.kind {
            Sort::Numbers(bounds) => {
                integers(self.holds, bytes, out, |number| Ok(class(bounds.partition_point(|bound| *bound <= number))))
            }
            Sort::Parts(_, bounds) => {
                let mut nonsense = false;
                let mut part = |number: f64| {
                    nonsense |= number.is_nan();
                    // Counted and not searched: there are few, and this has no branches.
                    Ok(1 + bounds.iter().map(|bound| u32::from(*bound <= number)).sum::<u32>())
                };
                let taken = match self.holds {
                    Holds::Float => each_fixed(bytes, out, |one| part(f32::from_le_bytes(one).into())),
                    _ => each_fixed(bytes, out, |one| part(f64::from_le_bytes(one))),
                }?;
                if nonsense {
                    bail!("有不是数的值（NaN）");
                }
                Ok(taken)
            }
            Sort::Flags => {
                if bytes.len() * 8 < out.len() {
                    return Err(incomplete());
                }
                for (bit, out) in out.iter_mut().enumerate() {
                    *out = 1 + u32::from(bytes[bit / 8] >> (bit % 8) & 1);
                }
                Ok(out.len().div_ceil(8))
            }
            Sort::Texts { .. } => texts(bytes, out, |text| Ok(self.text(text))),
        }
    }

    fn absent(&self) -> Option<u32> {
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_falls_into_the_class_of_the_longest_beginning_and_the_example_into_its_own() {
        let texts = ["A", "A1", "A12", "B", ""].map(String::from).into();
        let classes = Classes::new(Holds::Text, &Looks { texts, ..Looks::default() });
        for (text, alike) in [("A13", "A1x"), ("A2", "Azz"), ("Q", "zzz"), ("B5", "Bx")] {
            assert_eq!(classes.text(text), classes.text(alike), "{text} {alike}");
        }
        for class in 1..11 {
            let Some(Value::Text(example)) = classes.example(class) else { panic!("class {class}") };
            assert_eq!(classes.text(&example), class, "{example:?}");
        }
    }
}
