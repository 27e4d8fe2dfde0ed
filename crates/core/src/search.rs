//! Search (检索) over names and codes: what a name is found by, and what a person may have meant.
//!
//! A name is cut into pairs of neighbouring characters, and so are the initials of its pinyin. A text is
//! part of a name when its own pairs follow one another among them: two characters suffice, no
//! dictionary cuts a company's name wrongly, and one function serves both databases.

use pinyin::ToPinyin;

/// Forms of enterprise at the end of a name that people leave out or confuse. Longer ones first.
const FORMS: [&str; 5] = ["股份有限公司", "有限责任公司", "有限公司", "分公司", "公司"];

/// Longest text that is looked for, in characters; what is beyond is left out.
const LONGEST: usize = 60;

/// What an enterprise is found by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Searchable {
    /// The name in its plain spelling: what begins so stands first.
    pub name: String,
    /// Pairs of the name and of its initials, joined by spaces.
    pub pairs: String,
}

impl Searchable {
    /// Of a registered name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let name = plain(name);
        let initials = initials(&name);
        // A Chinese character stands in two pairs with a space after them, and so does its initial.
        let mut pairs = String::with_capacity(3 * name.len() + 4 * initials.len());
        push_pairs(&name, &mut pairs);
        // A name in Latin letters is its own initials.
        if initials != name {
            push_pairs(&initials, &mut pairs);
        }
        Self { name, pairs }
    }
}

/// What a person looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Begin of a credit code, when it may be one, in capital letters.
    pub code: Option<String>,
    /// Begin of a name, in its plain spelling.
    pub name: String,
    /// Pairs that must follow one another; at least one.
    pub pairs: Vec<String>,
}

impl Wanted {
    /// Reads what was typed; `None` when fewer than two characters are left to look for.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        let text: String = plain(typed).chars().take(LONGEST).collect();
        let name = FORMS
            .iter()
            .find_map(|form| text.strip_suffix(form))
            .filter(|stem| stem.chars().nth(1).is_some())
            .unwrap_or(&text)
            .to_owned();
        let pairs: Vec<String> = pairs(&name).map(String::from_iter).collect();
        // The second place of a code is always a digit; initials have none so early.
        let is_code = text.chars().nth(1).is_some_and(|one| one.is_ascii_digit())
            && text.chars().all(|one| one.is_ascii_alphanumeric());
        (!pairs.is_empty()).then(|| Self { code: is_code.then(|| text.to_ascii_uppercase()), name, pairs })
    }
}

/// Half-width, lower case, and nothing but letters and digits: brackets, points and spaces are written
/// in every way.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars().map(half_width).filter(|one| one.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// U+FF01 to U+FF5E are the signs of ASCII, each as wide as a Chinese character.
fn half_width(one: char) -> char {
    let ascii = |one: char| char::from_u32(u32::from(one) - (u32::from('！') - u32::from('!')));
    match one {
        '！'..='～' => ascii(one).unwrap_or(one),
        _ => one,
    }
}

/// The first letter of each character's reading; letters and digits stand for themselves.
fn initials(plain: &str) -> String {
    plain
        .chars()
        .filter_map(|one| match one.to_pinyin() {
            Some(reading) => reading.first_letter().chars().next(),
            None => one.is_ascii_alphanumeric().then_some(one),
        })
        .collect()
}

/// How people type the beginnings of a name, of two characters and more: as it is written, by its pinyin in full
/// (`zhangsan`) and by its initials (`scjgj`), those of fewer than three letters left out.
#[must_use]
pub fn typed(name: &str) -> Vec<String> {
    let name = plain(name);
    let ends = name.char_indices().skip(1).map(|(place, one)| place + one.len_utf8());
    let beginnings = ends.map(|end| &name[..end]);
    let mut typed: Vec<String> = beginnings
        .flat_map(|beginning| [beginning.to_owned(), in_pinyin(beginning), initials(beginning)])
        .filter(|typed| typed.len() > 2)
        .collect();
    typed.dedup();
    typed
}

/// The reading of each character, without tones.
fn in_pinyin(plain: &str) -> String {
    let reading = |one: char| one.to_pinyin().map_or_else(|| one.to_string(), |reading| reading.plain().to_owned());
    plain.chars().map(reading).collect()
}

fn pairs(text: &str) -> impl Iterator<Item = [char; 2]> {
    text.chars().zip(text.chars().skip(1)).map(|(one, next)| [one, next])
}

/// Puts the pairs of a text behind those that are there.
fn push_pairs(text: &str, joined: &mut String) {
    for pair in pairs(text) {
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.extend(pair);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn finds(typed: &str, name: &str) -> bool {
        let wanted = Wanted::parse(typed).expect("two characters");
        format!(" {} ", Searchable::new(name).pairs).contains(&format!(" {} ", wanted.pairs.join(" ")))
    }

    #[test]
    fn a_name_is_typed_as_written_by_its_pinyin_or_by_its_initials() {
        assert_eq!(typed("张三丰"), ["张三", "zhangsan", "张三丰", "zhangsanfeng", "zsf"]);
        assert_eq!(typed("城关所"), ["城关", "chengguan", "城关所", "chengguansuo", "cgs"]);
        assert_eq!(typed("Xin"), ["xin"], "of Latin letters all three are one");
        assert!(typed("张").is_empty());
    }

    #[test]
    fn two_characters_anywhere_find_a_name() {
        for typed in ["鑫源", "源食", "新衡", "公司", "（县）鑫"] {
            assert!(finds(typed, "新衡县鑫源食品有限公司"), "{typed}");
        }
        assert!(!finds("鑫食", "新衡县鑫源食品有限公司"));
    }

    #[test]
    fn width_case_brackets_spaces_and_the_form_of_enterprise_do_not_matter() {
        let name = "新衡（河南）ＡＢＣ食品有限责任公司";
        for typed in ["新衡(河南)abc食品", "新衡河南 Abc食品有限公司", "ＡＢＣ食品公司", "abc 食品", "河南）Ａ"]
        {
            assert!(finds(typed, name), "{typed}");
        }
    }

    #[test]
    fn initials_find_a_name_from_any_place() {
        for typed in ["xhx", "xyspyxgs", "XYSP", "sp"] {
            assert!(finds(typed, "新衡县鑫源食品有限公司"), "{typed}");
        }
        assert!(finds("abccs", "ABC超市"));
        assert!(!finds("xsp", "新衡县鑫源食品有限公司"));
    }

    #[test]
    fn a_code_is_known_in_lower_case_and_with_spaces() {
        let code = |typed| Wanted::parse(typed).and_then(|wanted| wanted.code);
        assert_eq!(code("9141 0221 ma").as_deref(), Some("91410221MA"));
        assert_eq!(code("９１４１").as_deref(), Some("9141"));
        assert_eq!(code("鑫源4242"), None);
        assert_eq!(code("xysp"), None);
    }

    #[test]
    fn less_than_two_characters_is_nothing_to_look_for() {
        for typed in ["", " ", "鑫", "（）", "a"] {
            assert_eq!(Wanted::parse(typed), None, "{typed}");
        }
        assert_eq!(Wanted::parse("公司").unwrap().pairs, ["公司"]);
    }
}
