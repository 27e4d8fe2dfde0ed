//! What people read for moments, days and counts.

use xinheng_core::draw::Time;
use xinheng_core::record::Moment;

/// A moment in China, to the minute: `2026-11-25 10:05`.
pub(crate) fn moment(moment: Moment) -> String {
    let text = moment.minutes_later(8 * 60).to_string();
    format!("{} {}", text.get(..10).unwrap_or_default(), text.get(11..16).unwrap_or_default())
}

/// The name of a unit by its code; the code itself when no unit has it.
pub(crate) fn unit_name(units: &[(String, String)], code: &str) -> String {
    units.iter().find(|(unit, _)| unit == code).map_or_else(|| code.to_owned(), |(_, name)| name.clone())
}

/// A count with its thousands apart: `12,345`.
pub(crate) fn count(count: u64) -> String {
    let digits = count.to_string();
    let first = (digits.len() + 2) % 3 + 1;
    let (head, tail) = digits.split_at(first);
    let groups = tail.as_bytes().chunks(3).filter_map(|group| std::str::from_utf8(group).ok());
    std::iter::once(head).chain(groups).collect::<Vec<_>>().join(",")
}

/// A time of a certificate, to the minute: `2026-11-25 10:05`.
pub(crate) fn time(at: &Time) -> String {
    moment(at.moment())
}

/// What is counted per 10,000 as a percentage: `12.5%`.
pub(crate) fn percent(ratio: u32) -> String {
    let (whole, rest) = (ratio / 100, ratio % 100);
    match rest {
        0 => format!("{whole}%"),
        _ => format!("{whole}.{}%", format!("{rest:02}").trim_end_matches('0')),
    }
}

/// A percentage as it is typed, per 10,000: `12.5` is 1,250.
pub(crate) fn ratio(text: &str) -> Option<u32> {
    let text = text.trim().trim_end_matches(['%', '％']).trim_end();
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(rest) || rest.len() > 2 {
        return None;
    }
    let hundredths: u32 = format!("{rest:0<2}").parse().ok()?;
    whole.parse::<u32>().ok()?.checked_mul(100)?.checked_add(hundredths)
}

#[cfg(test)]
mod tests {
    use super::{count, percent, ratio};

    #[test]
    fn percentages_are_read_as_they_are_written() {
        for (per_10_000, words) in [(0, "0%"), (300, "3%"), (1_250, "12.5%"), (1_205, "12.05%"), (10_000, "100%")] {
            assert_eq!(percent(per_10_000), words);
            assert_eq!(ratio(words), Some(per_10_000));
        }
        for wrong in ["", "x", "-1", "3.123", "1e3", "3,5", "99999999999"] {
            assert_eq!(ratio(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn thousands_stand_apart() {
        for (number, words) in [(0, "0"), (12, "12"), (123, "123"), (1_234, "1,234"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), words);
        }
    }
}
