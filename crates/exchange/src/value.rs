//! Dirty values of real files, each brought to its one spelling.

use std::borrow::Cow;
use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, TimeDelta};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use xinheng_core::credit_code::CreditCode;
pub(crate) use xinheng_core::record::Day;
use xinheng_core::record::{FailedShare, NoShare, Text, Value};
use xinheng_core::rulebook::kind::{Field, FieldType};
use xinheng_core::rulebook::table::AmountUnit;

use crate::cells::LONGEST_CELL;

/// Why a value is not taken, and how to mend it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) reason: String,
    pub(crate) mend: String,
}

fn refuse<T>(reason: impl Into<String>, mend: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { reason: reason.into(), mend: mend.into() })
}

/// A value as read, before it goes into a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    Text(Text),
    Integer(i64),
    Flag(bool),
    Day(Day),
}

impl From<Given> for Value {
    fn from(given: Given) -> Self {
        match given {
            Given::Text(text) => Self::Text(text),
            Given::Integer(number) => Self::Integer(number),
            Given::Flag(flag) => Self::Flag(flag),
            Given::Day(day) => day.into(),
        }
    }
}

/// The first day that a record can be of: the founding of the People's Republic.
pub(crate) const FIRST_DAY: Day = NaiveDate::from_ymd_opt(1949, 10, 1).expect("a day of the calendar");

/// How the cells of a field are read.
#[derive(Debug)]
pub(crate) enum Reader {
    Text,
    Code,
    CreditCode,
    /// A day; for the version of a register a month too, which stands for its first day.
    Day {
        month: bool,
    },
    EndDay,
    Amount(AmountUnit),
    Integer,
    Flag,
    Choice {
        spellings: HashMap<String, Text>,
        shown: String,
    },
    Codes,
    Share,
}

impl Reader {
    pub(crate) fn new(field: &Field, unit: AmountUnit, month: bool) -> Self {
        match field.field_type {
            FieldType::Text => Self::Text,
            FieldType::Code => Self::Code,
            FieldType::CreditCode => Self::CreditCode,
            FieldType::Day => Self::Day { month },
            FieldType::EndDay => Self::EndDay,
            FieldType::Amount => Self::Amount(unit),
            FieldType::Integer => Self::Integer,
            FieldType::Flag => Self::Flag,
            FieldType::Codes => Self::Codes,
            FieldType::Share => Self::Share,
            FieldType::Choice => {
                let mut spellings = HashMap::new();
                for (code, others) in &field.choices {
                    for spelling in others.iter().chain([code]) {
                        spellings.entry(folded(spelling)).or_insert_with(|| code.as_str().into());
                    }
                }
                let shown: Vec<&str> = field.choices.keys().map(|code| field.shown(code)).collect();
                Self::Choice { spellings, shown: shown.join("、") }
            }
        }
    }

    /// Reads a cell that [`filled`] has let through; `None` when its content means "none".
    pub(crate) fn read(&self, text: &str) -> Result<Option<Given>, Refusal> {
        sound(text)?;
        Ok(Some(match self {
            Self::Text => Given::Text(prose(text)),
            Self::Code => Given::Text(code(text)?),
            Self::CreditCode => Given::Text(credit_code(text)?.as_str().into()),
            Self::Day { month } => match day(text).or_else(|| if *month { first_of_month(text) } else { None }) {
                Some(day) => Given::Day(day),
                None => return refuse("不是有效的日期", "请写成2026-11-24这样的年月日"),
            },
            Self::EndDay if means_no_end(text) => return Ok(None),
            Self::EndDay => match day(text) {
                Some(day) => Given::Day(day),
                None => return refuse("不是有效的日期", "请写成2026-11-24这样的年月日，没有期限的留空"),
            },
            Self::Amount(unit) => Given::Integer(fen(text, *unit)?),
            Self::Integer => Given::Integer(integer(text)?),
            Self::Flag => Given::Flag(flag(text)?),
            Self::Choice { spellings, shown } => match spellings.get(text).or_else(|| spellings.get(&folded(text))) {
                Some(code) => Given::Text(code.clone()),
                None => return refuse("不在允许的取值之内", format!("请改为其中之一：{shown}")),
            },
            Self::Codes => Given::Text(codes(text)?.into()),
            Self::Share => Given::Text(share(text)?.into()),
        }))
    }
}

/// The cell without what surrounds its content, or `None` when it holds nothing or a mark for nothing.
pub(crate) fn filled(cell: &str) -> Option<&str> {
    let text = cell.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'));
    // The mark that keeps spreadsheets from computing with a cell.
    let text = text.strip_prefix('\'').unwrap_or(text);
    let nothing = matches!(text, "" | "\\N" | "\\n" | "-" | "无") || text.eq_ignore_ascii_case("null");
    (!nothing).then_some(text)
}

/// Whether an end day means that there is no end.
pub(crate) fn means_no_end(text: &str) -> bool {
    if matches!(text, "长期" | "长期有效" | "永久" | "永久有效" | "无固定期限" | "无期限") {
        return true;
    }
    text.starts_with(['2', '9'])
        && day(text).is_some_and(|day| {
            chrono::Datelike::year(&day) >= 2999 || NaiveDate::from_ymd_opt(2099, 12, 31) == Some(day)
        })
}

/// Refuses what cannot be a value of any type.
pub(crate) fn sound(text: &str) -> Result<(), Refusal> {
    if text.starts_with('#')
        && matches!(text, "#DIV/0!" | "#N/A" | "#NAME?" | "#NULL!" | "#NUM!" | "#REF!" | "#VALUE!" | "#GETTING_DATA")
    {
        return refuse("单元格是公式的出错结果", "请改为填写实际的值");
    }
    // Three bytes a character at least for what is longest in practice; counting is rarely reached.
    if text.len() > LONGEST_CELL && text.chars().count() > LONGEST_CELL {
        return refuse("单元格超过32767个字符", "请缩短内容");
    }
    if text.contains('\u{fffd}') {
        return refuse("含有乱码（�），原文已丢失", "请从原系统重新填写该单元格");
    }
    Ok(())
}

/// A text with ASCII in half width and without white space: what headings and choices are compared by.
pub(crate) fn folded(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\u{feff}' | '\u{200b}')).map(half_width).collect()
}

fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).expect("an ASCII character"),
        _ => c,
    }
}

/// [`folded`], without a copy where nothing changes.
fn plain(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii_graphic()) { Cow::Borrowed(text) } else { Cow::Owned(folded(text)) }
}

/// Text as people read it: one line, brackets in the width of its script, no full stop at the end.
pub(crate) fn prose(text: &str) -> Text {
    let text = text.trim_end_matches(|c: char| matches!(c, '。' | '．') || c.is_whitespace());
    let text = match text.strip_suffix('.') {
        Some(rest) if rest.ends_with(is_chinese) => rest,
        _ => text,
    };
    if !text.bytes().any(|byte| byte < b' ' || matches!(byte, b'(' | b')' | 0x7f))
        && !text.contains("（")
        && !text.contains("）")
    {
        return text.into();
    }
    let chinese = text.contains(is_chinese);
    let mut line = Text::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '(' | '（' => line.push(if chinese { '（' } else { '(' }),
            ')' | '）' => line.push(if chinese { '）' } else { ')' }),
            c if c.is_control() => {
                if !line.ends_with(' ') {
                    line.push(' ');
                }
            }
            c => line.push(c),
        }
    }
    line
}

fn is_chinese(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// A code or a document's number: half width, upper case, no white space, brackets made alike: `〔2026〕`
/// around the year within a number, `（…）` elsewhere.
pub(crate) fn code(text: &str) -> Result<Text, Refusal> {
    digits_kept(text)?;
    let mut code = Text::from(plain(text));
    code.make_ascii_uppercase();
    if code.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(code);
    }
    code.retain(|c| !c.is_control());
    let characters: Vec<char> = code.chars().collect();
    let around_year = |open: usize| {
        open > 0
            && characters
                .get(open + 1..open + 6)
                .is_some_and(|inner| inner[..4].iter().all(char::is_ascii_digit) && is_bracket(inner[4]))
    };
    let mut year_ends = None;
    Ok(characters
        .iter()
        .enumerate()
        .map(|(place, &c)| match c {
            '(' | '[' | '〔' | '【' | '﹝' if around_year(place) => {
                year_ends = Some(place + 5);
                '〔'
            }
            c if is_bracket(c) && year_ends == Some(place) => '〕',
            '(' | '[' | '〔' | '【' | '﹝' => '（',
            ')' | ']' | '〕' | '】' | '﹞' => '）',
            c => c,
        })
        .collect())
}

fn is_bracket(c: char) -> bool {
    matches!(c, '(' | '[' | '〔' | '【' | '﹝' | ')' | ']' | '〕' | '】' | '﹞')
}

/// Refuses a code that a spreadsheet has turned into a number, as its last digits are lost.
fn digits_kept(text: &str) -> Result<(), Refusal> {
    let lost = text.split_once("E+").is_some_and(|(mantissa, exponent)| {
        mantissa.starts_with(|c: char| c.is_ascii_digit())
            && mantissa.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
            && !exponent.is_empty()
            && exponent.bytes().all(|byte| byte.is_ascii_digit())
    });
    if lost {
        return refuse("代码被Excel当作数字保存，末尾的数字已经丢失", "请把该列设为文本后重新填写");
    }
    Ok(())
}

pub(crate) fn credit_code(text: &str) -> Result<CreditCode, Refusal> {
    digits_kept(text)?;
    CreditCode::parse(text).or_else(|error| {
        refuse(error.to_string(), "请按营业执照填写18位统一社会信用代码；15位的是注册号，请填入注册号一列")
    })
}

fn codes(text: &str) -> Result<String, Refusal> {
    let codes = text
        .split([',', ';', '、', '，', '；'])
        .filter(|part| !part.trim().is_empty())
        .map(code)
        .collect::<Result<Vec<_>, _>>()?;
    if codes.is_empty() {
        return refuse("没有代码", "请填写代码，几个之间用顿号隔开，没有的留空");
    }
    Ok(codes.join(","))
}

/// A day in any of the usual spellings, with or without a time behind it, or the number by which Excel
/// keeps it.
pub(crate) fn day(text: &str) -> Option<Day> {
    // A moment with its zone: the day that it was in China.
    if text.len() >= 20
        && text.as_bytes().get(10) == Some(&b'T')
        && let Ok(moment) = DateTime::parse_from_rfc3339(text)
    {
        return Some((moment.to_utc() + TimeDelta::hours(8)).date_naive());
    }
    let text = if text.is_ascii() {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().map(half_width).collect::<String>())
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 5 {
        return excel_day(&text);
    }
    let (format, text) = match (digits, text[digits..].trim_start().chars().next()) {
        (4, Some('-')) => ("%Y-%m-%d", text),
        (4, Some('/')) => ("%Y/%m/%d", text),
        (4, Some('.')) => ("%Y.%m.%d", text),
        (4, Some('年')) => ("%Y年%m月%d日", Cow::Owned(folded(&text))),
        (8 | 14, _) => ("%Y%m%d", text),
        _ => return None,
    };
    if format == "%Y-%m-%d" && text.len() <= 10 {
        // By far the most frequent spelling.
        return text.parse().ok();
    }
    let (day, rest) = NaiveDate::parse_and_remainder(&text, format).ok()?;
    let time = rest.chars().all(|c| c.is_ascii_digit() || " T:.AaPpMm上下午时分秒".contains(c));
    let apart = rest.is_empty() || digits == 14 || format.ends_with('日') || rest.starts_with([' ', 'T']);
    (time && apart).then_some(day)
}

/// Days since 1899-12-30, with the time of day as a fraction.
fn excel_day(text: &str) -> Option<Day> {
    let (days, fraction) = text.split_once('.').unwrap_or((text, ""));
    let days: i64 = days.parse().ok()?;
    fraction.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
    NaiveDate::from_ymd_opt(1899, 12, 30)?.checked_add_signed(TimeDelta::days(days))
}

/// The first day of a month written as 2026-10, 2026/10, 2026.10, 202610 or 2026年10月.
fn first_of_month(text: &str) -> Option<Day> {
    let text = folded(text);
    let (year, month) = match text.split_once(['-', '/', '.', '年']) {
        Some((year, month)) => (year, month.strip_suffix('月').unwrap_or(month)),
        None => text.split_at_checked(4).filter(|(_, month)| month.len() == 2)?,
    };
    if year.len() != 4 || month.len() > 2 {
        return None;
    }
    NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, 1)
}

/// An exact number; thousands may be set apart by commas.
fn decimal(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let whole = digits.split('.').next()?;
    let grouped = whole.split(',').skip(1).all(|group| group.len() == 3);
    let well_formed = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','))
        && !digits[whole.len()..].contains(',');
    if !grouped || !well_formed {
        return None;
    }
    Decimal::from_str_exact(&text.replace(',', "")).ok()
}

/// Units of amounts, each in fen.
const AMOUNT_UNITS: [(&str, i64); 8] = [
    ("亿元", 10_000_000_000),
    ("万元", 1_000_000),
    ("千元", 100_000),
    ("亿", 10_000_000_000),
    ("万", 1_000_000),
    ("元整", 100),
    ("元", 100),
    ("圆", 100),
];

fn fen(text: &str, unit: AmountUnit) -> Result<i64, Refusal> {
    let text = plain(text);
    let body = text.trim_start_matches(['¥', '￥']);
    let body = body.strip_prefix("人民币").unwrap_or(body);
    let body = body.strip_suffix("人民币").unwrap_or(body);
    let (number, factor) =
        AMOUNT_UNITS.iter().find_map(|&(name, fen)| Some((body.strip_suffix(name)?, fen))).unwrap_or((
            body,
            match unit {
                AmountUnit::元 => 100,
                AmountUnit::万元 => 1_000_000,
            },
        ));
    let Some(number) = decimal(number) else {
        return refuse("不是有效的金额", "请只填数字，可带单位元、万元或亿元，例如 3000 或 1.5万元");
    };
    let Some(fen) = number.checked_mul(Decimal::from(factor)) else {
        return refuse("金额过大", "请核对金额和单位");
    };
    if !fen.fract().is_zero() {
        return refuse("金额不足一分的部分无法保存", "请保留到分（两位小数，单位为元）");
    }
    fen.to_i64().map_or_else(|| refuse("金额过大", "请核对金额和单位"), Ok)
}

fn integer(text: &str) -> Result<i64, Refusal> {
    decimal(&plain(text))
        .filter(|number| number.fract().is_zero())
        .and_then(|number| number.to_i64())
        .map_or_else(|| refuse("不是整数", "请只填整数，例如 12"), Ok)
}

fn flag(text: &str) -> Result<bool, Refusal> {
    match plain(text).to_ascii_lowercase().as_str() {
        "是" | "1" | "y" | "yes" | "true" => Ok(true),
        "否" | "0" | "n" | "no" | "false" => Ok(false),
        _ => refuse("不是“是”或“否”", "请填写是或否"),
    }
}

fn share(text: &str) -> Result<String, Refusal> {
    match plain(text).parse::<FailedShare>() {
        Ok(share) => Ok(share.to_string()),
        Err(NoShare::FailedExceeds) => refuse("不符合项的权重多于适用项", "请写成“不符合/适用”，例如 3/12"),
        Err(NoShare::Form) => {
            refuse("不是“不符合/适用”的形式", "请把该列设为文本，写成 3/12 这样的两个整数（Excel可能已把它变成日期）")
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn text(given: &str) -> Given {
        Given::Text(given.into())
    }

    fn date(given: &str) -> Given {
        Given::Day(given.parse().unwrap())
    }

    /// Reads a cell as [`crate::mapping`] does.
    fn read(reader: &Reader, cell: &str) -> Option<Given> {
        filled(cell).and_then(|cell| reader.read(cell).unwrap_or_else(|refusal| panic!("“{cell}”：{}", refusal.reason)))
    }

    #[test]
    fn marks_for_nothing_are_nothing() {
        for cell in ["", " ", "\u{3000}", "\\N", "\\n", "NULL", "null", "Null", "-", "无", " 无 ", "\u{feff}", "'"] {
            assert_eq!(filled(cell), None, "{cell:?}");
        }
        assert_eq!(filled(" 无锡 "), Some("无锡"));
        assert_eq!(filled("'0123"), Some("0123"));
    }

    #[test]
    fn every_spelling_of_a_day_is_that_day() {
        for cell in [
            "2017-7-7",
            "2017-07-07",
            "2017/7/7",
            "2017/07/07",
            "2017.7.7",
            "20170707",
            "20170707123000",
            "2017年7月7日",
            "2017 年 7 月 7 日",
            "２０１７年７月７日",
            "２０１７－０７－０７",
            "2017-07-07 00:00:00",
            "2017-7-7 12:30",
            "2017-07-07 12:30:00.0",
            "2017-07-07T12:30:00",
            "2017/7/7 0:00",
            "2017/7/7 12:00:00 AM",
            "2017年7月7日 12时30分",
            "2017年7月7日上午",
            "42923",
            "42923.5",
            "2017-07-06T16:00:00Z",
            "2017-07-06T16:00:00.000Z",
            "2017-07-07T00:00:00+08:00",
        ] {
            assert_eq!(read(&Reader::Day { month: false }, cell), Some(date("2017-07-07")), "{cell}");
        }
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for cell in [
            "2017-02-30",
            "2017-13-01",
            "2017-7",
            "201707",
            "2017年7月",
            "17-7-7",
            "2017-7-7x",
            "2017-07-071",
            "7",
            "昨天",
            "1499385600000",
            "2017-07/07",
            "-2017-07-07",
            "+2017-07-07",
            "2017-07-07；2017-08-08",
        ] {
            assert!(Reader::Day { month: false }.read(cell).is_err(), "{cell}");
        }
    }

    #[test]
    fn the_version_of_a_register_may_be_a_month() {
        for cell in ["2026-10", "2026/10", "2026.10", "202610", "2026年10月", "2026-10-01"] {
            assert_eq!(read(&Reader::Day { month: true }, cell), Some(date("2026-10-01")), "{cell}");
        }
        for cell in ["2026", "2026-13", "2026-0", "2026-123"] {
            assert!(Reader::Day { month: true }.read(cell).is_err(), "{cell}");
        }
    }

    #[test]
    fn far_away_ends_are_no_end() {
        for cell in [
            "2099-12-31",
            "2099/12/31",
            "20991231",
            "2099-12-31 00:00:00",
            "9999-9-9",
            "9999-12-31",
            "99991231",
            "2999-12-31",
            "长期",
            "NULL",
            "\\n",
            "",
        ] {
            assert_eq!(read(&Reader::EndDay, cell), None, "{cell}");
        }
        assert_eq!(read(&Reader::EndDay, "2037-7-6"), Some(date("2037-07-06")));
        assert_eq!(read(&Reader::EndDay, "2099-12-30"), Some(date("2099-12-30")));
        assert!(Reader::EndDay.read("以后").is_err());
    }

    #[test]
    fn amounts_are_whole_fen() {
        for (cell, unit, fen) in [
            ("3000", AmountUnit::元, 300_000),
            ("3000.5", AmountUnit::元, 300_050),
            ("0.01", AmountUnit::元, 1),
            ("3,000.00", AmountUnit::元, 300_000),
            ("３，０００．００元", AmountUnit::元, 300_000),
            ("￥3,000.00", AmountUnit::元, 300_000),
            ("¥ 3000 元整", AmountUnit::元, 300_000),
            ("1.5万元", AmountUnit::元, 1_500_000),
            ("1.5 万", AmountUnit::元, 1_500_000),
            ("1.23456万元", AmountUnit::元, 1_234_560),
            ("2亿元", AmountUnit::元, 20_000_000_000),
            ("人民币100万元", AmountUnit::元, 100_000_000),
            ("100万人民币", AmountUnit::元, 100_000_000),
            ("50", AmountUnit::万元, 50_000_000),
            ("50.000000", AmountUnit::万元, 50_000_000),
            ("50元", AmountUnit::万元, 5_000),
            ("-12.30", AmountUnit::元, -1_230),
            ("92233720368547758.07", AmountUnit::元, i64::MAX),
        ] {
            assert_eq!(read(&Reader::Amount(unit), cell), Some(Given::Integer(fen)), "{cell}");
        }
        for cell in [
            "0.001",
            "1.2345678万元",
            "abc",
            "1,2",
            "1,0000",
            "1.2,345",
            "100万美元",
            "92233720368547758.08",
            "1e5",
            "1_000",
            "--1",
            ".",
            "元",
            "99999999999999999999999999999999999999",
        ] {
            assert!(Reader::Amount(AmountUnit::元).read(cell).is_err(), "{cell}");
        }
    }

    #[test]
    fn text_is_one_line_with_brackets_of_its_script() {
        for (cell, meant) in [
            ("有限责任公司(自然人投资或控股)", "有限责任公司（自然人投资或控股）"),
            ("有限责任公司（自然人投资或控股)", "有限责任公司（自然人投资或控股）"),
            ("新衡(ABC)", "新衡（ABC）"),
            ("ABC（USA）Ltd.", "ABC(USA)Ltd."),
            ("未按规定公示年度报告。", "未按规定公示年度报告"),
            ("未按规定公示年度报告.", "未按规定公示年度报告"),
            ("第一行\r\n第二行", "第一行 第二行"),
            ("甲\t乙\u{0}丙", "甲 乙 丙"),
            ("  江东区局\u{3000}", "江东区局"),
            ("No. 5 Food Co., Ltd.", "No. 5 Food Co., Ltd."),
        ] {
            assert_eq!(read(&Reader::Text, cell), Some(text(meant)), "{cell}");
        }
        assert!(Reader::Text.read("锟�斤").is_err());
        assert!(Reader::Text.read("#N/A").is_err());
        assert!(Reader::Text.read(&"长".repeat(LONGEST_CELL + 1)).is_err());
        assert!(Reader::Text.read(&"长".repeat(LONGEST_CELL)).is_ok());
    }

    #[test]
    fn codes_have_one_spelling() {
        for (cell, meant) in [
            ("jy1330 2830001234", "JY13302830001234"),
            ("ＪＹ１３３０", "JY1330"),
            ("新衡市监罚[2026]12号", "新衡市监罚〔2026〕12号"),
            ("新衡市监罚（2026）12 号", "新衡市监罚〔2026〕12号"),
            ("新衡市监罚【2026】12号", "新衡市监罚〔2026〕12号"),
            ("新衡市监罚﹝2026﹞12号", "新衡市监罚〔2026〕12号"),
            ("(2017)浙0212执1234号", "（2017）浙0212执1234号"),
            ("〔2017〕浙0212执1234号", "（2017）浙0212执1234号"),
            ("330212000012345", "330212000012345"),
        ] {
            assert_eq!(read(&Reader::Code, cell), Some(text(meant)), "{cell}");
        }
        assert_eq!(read(&Reader::Codes, "a1; b2、c3，d4"), Some(text("A1,B2,C3,D4")));
        assert!(Reader::Codes.read(",;").is_err());
    }

    #[test]
    fn a_code_that_excel_made_a_number_is_refused_with_the_mend() {
        for (reader, cell) in
            [(Reader::CreditCode, "9.13307E+17"), (Reader::Code, "9.13306831000001E+17"), (Reader::Code, "3E+14")]
        {
            let refusal = reader.read(cell).unwrap_err();
            assert!(refusal.mend.contains("设为文本"), "{refusal:?}");
        }
        assert_eq!(read(&Reader::Code, "ABE+5"), Some(text("ABE+5")));
    }

    #[test]
    fn lower_case_credit_codes_are_taken_and_wrong_ones_refused() {
        assert_eq!(read(&Reader::CreditCode, " 91350100m000100y43 "), Some(text("91350100M000100Y43")));
        for cell in ["91350100M000100Y44", "330212000012345", "无代码"] {
            assert!(Reader::CreditCode.read(cell).is_err(), "{cell}");
        }
    }

    #[test]
    fn flags_integers_and_shares() {
        for (cell, meant) in [
            ("是", true),
            ("Y", true),
            ("１", true),
            ("TRUE", true),
            ("否", false),
            ("n", false),
            ("0", false),
            ("False", false),
        ] {
            assert_eq!(read(&Reader::Flag, cell), Some(Given::Flag(meant)), "{cell}");
        }
        assert!(Reader::Flag.read("也许").is_err());
        for (cell, meant) in [("12", 12), ("１２", 12), ("1,234", 1_234), ("12.00", 12), ("-3", -3)] {
            assert_eq!(read(&Reader::Integer, cell), Some(Given::Integer(meant)), "{cell}");
        }
        for cell in ["12.5", "十二", "12人", "9223372036854775808"] {
            assert!(Reader::Integer.read(cell).is_err(), "{cell}");
        }
        assert_eq!(read(&Reader::Share, "3/12"), Some(text("3/12")));
        assert_eq!(read(&Reader::Share, "０３／１２"), Some(text("3/12")));
        for cell in ["13/12", "3", "3/", "2026-03-12", "-1/2"] {
            assert!(Reader::Share.read(cell).is_err(), "{cell}");
        }
    }

    #[test]
    fn choices_are_known_by_any_spelling_and_refusals_list_them() {
        let field: Field = serde_saphyr::from_str(
            "name: level\ntitle: 等级\ntype: choice\nchoices: {A: [低, 低风险], B: [一般], C: [较高], D: [高, 高风险（D类）]}",
        )
        .unwrap();
        let reader = Reader::new(&field, AmountUnit::元, false);
        for (cell, meant) in
            [("低", "A"), ("低 风险", "A"), ("A", "A"), ("Ｂ", "B"), ("高风险(D类)", "D"), ("较高", "C")]
        {
            assert_eq!(read(&reader, cell), Some(text(meant)), "{cell}");
        }
        let refusal = reader.read("极高").unwrap_err();
        assert!(refusal.mend.contains("低、一般、较高、高"), "{refusal:?}");
    }
}
