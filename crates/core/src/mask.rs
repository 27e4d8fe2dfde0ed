//! Masking (脱敏): what is shown of a personal value to those who need not know it.

use crate::rulebook::kind::{Field, FieldType};

/// How much of a personal value is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Masking {
    /// 证件号码: the first four and the last four characters.
    Identifier,
    /// 电话: the first three and the last four digits.
    Telephone,
    /// 姓名: the first character of each name.
    Name,
    /// Any other text about people: nothing.
    Text,
}

/// What stands for a value that was not opened.
pub const UNOPENED: &str = "＊＊＊";
/// What stands for a text of which nothing is shown.
pub const HIDDEN: &str = "（已隐去）";
/// Endings of the names of fields that hold names of persons.
const NAMES: [&str; 6] = ["_name", "legal_representative", "signed_by", "complainant", "officers", "inspectors"];

/// What stands between several names.
const SEPARATORS: [char; 7] = ['、', '，', ',', ';', '；', '/', ' '];

impl Masking {
    /// How a field of a kind is masked, by its type and name.
    #[must_use]
    pub fn of(field: &Field) -> Self {
        let name = field.name.value.as_str();
        if name.ends_with("telephone") {
            Self::Telephone
        } else if matches!(field.field_type, FieldType::Code | FieldType::CreditCode)
            || name.ends_with("identifier")
            || name.ends_with("_numbers")
        {
            Self::Identifier
        } else if NAMES.iter().any(|ending| name.ends_with(ending)) {
            Self::Name
        } else {
            Self::Text
        }
    }

    /// What pages show without opening the value at all.
    #[must_use]
    pub fn placeholder(self) -> &'static str {
        if self == Self::Text { HIDDEN } else { UNOPENED }
    }

    /// The masked form of a clear value. A value too short to keep anything back shows nothing.
    #[must_use]
    pub fn apply(self, clear: &str) -> String {
        match self {
            Self::Identifier => ends(clear, 4, 4),
            Self::Telephone => ends(clear, 3, 4),
            Self::Name => clear.split_inclusive(SEPARATORS).map(first_character).collect(),
            Self::Text => HIDDEN.to_owned(),
        }
    }
}

/// The first and last characters with stars between, as many as there were characters.
fn ends(clear: &str, first: usize, last: usize) -> String {
    let length = clear.chars().count();
    if length <= first + last {
        return "*".repeat(length);
    }
    let shown = |(place, character)| if place < first || place >= length - last { character } else { '*' };
    clear.chars().enumerate().map(shown).collect()
}

/// Of one name with what separates it from the next.
fn first_character(name: &str) -> String {
    let own = name.trim_end_matches(SEPARATORS);
    let length = own.chars().count();
    let first = own.chars().next().filter(|_| length > 1);
    let stars = "＊".repeat(length - usize::from(first.is_some()));
    first.into_iter().chain(stars.chars()).chain(name[own.len()..].chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_identifier_four_and_four_of_a_telephone_three_and_four_of_a_name_the_first() {
        assert_eq!(Masking::Identifier.apply("330102199001011234"), "3301**********1234");
        assert_eq!(Masking::Telephone.apply("13800138000"), "138****8000");
        assert_eq!(Masking::Name.apply("欧阳某某"), "欧＊＊＊");
        assert_eq!(Masking::Name.apply("王某、李某某"), "王＊、李＊＊");
        assert_eq!(Masking::Text.apply("某人于某日"), "（已隐去）");
    }

    #[test]
    fn a_value_too_short_to_keep_anything_back_is_hidden_whole() {
        assert_eq!(Masking::Identifier.apply("12345678"), "********");
        assert_eq!(Masking::Telephone.apply("8812345"), "*******");
        assert_eq!(Masking::Name.apply("某"), "＊");
        assert_eq!(Masking::Identifier.apply(""), "");
    }
}
