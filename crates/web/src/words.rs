//! What people read for moments, days and counts.

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

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn thousands_stand_apart() {
        for (number, words) in [(0, "0"), (12, "12"), (123, "123"), (1_234, "1,234"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), words);
        }
    }
}
