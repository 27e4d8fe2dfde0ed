//! How people and systems write the same thing: the dirt of real files, and the rows that are wrong.

use chrono::Datelike;
use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use xinheng_core::credit_code::CreditCode;
use xinheng_core::record::Day;

/// A cell before it is written.
pub enum Cell {
    /// Nothing to say.
    Absent,
    /// 统一社会信用代码
    Code(CreditCode),
    /// A day.
    Day(Day),
    /// A last day, or none.
    LastDay(Option<Day>),
    /// An amount in yuan, in a column of yuan.
    Yuan(u32),
    /// An amount in yuan, in a column of 万元.
    TenThousandYuan(u32),
    /// A name or a kind of business, with brackets of either width.
    Name(String),
    /// A sentence, with or without its full stop.
    Sentence(String),
    /// The number of a document.
    Document(String),
    /// One of a list of words.
    Choice(&'static str),
    /// Anything that has one spelling only.
    Plain(String),
}

/// A row that has to come back in the error workbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// The credit code's last character is wrong.
    CheckCharacter,
    /// 30 February.
    ImpossibleDay,
    /// No document number.
    MissingDocument,
    /// A word that is not on the list.
    UnknownChoice,
}

impl Cell {
    /// What can be wrong with it.
    fn defect(&self) -> Option<Defect> {
        match self {
            Self::Code(_) => Some(Defect::CheckCharacter),
            Self::Day(_) => Some(Defect::ImpossibleDay),
            Self::Document(_) => Some(Defect::MissingDocument),
            Self::Choice(_) => Some(Defect::UnknownChoice),
            _ => None,
        }
    }

    fn with(&self, defect: Defect) -> String {
        match (self, defect) {
            (Self::Code(code), Defect::CheckCharacter) => {
                let (body, check) = code.as_str().split_at(17);
                format!("{body}{}", if check == "0" { "1" } else { "0" })
            }
            (Self::Day(day), Defect::ImpossibleDay) => format!("{}-02-30", day.year()),
            (Self::Choice(_), Defect::UnknownChoice) => "详见附件".to_owned(),
            _ => String::new(),
        }
    }
}

/// Whoever fills a file in.
pub struct Writer<'a> {
    random: &'a mut ChaCha8Rng,
}

impl<'a> Writer<'a> {
    pub fn new(random: &'a mut ChaCha8Rng) -> Self {
        Self { random }
    }

    fn sometimes(&mut self, permille: u32) -> bool {
        self.random.random_ratio(permille, 1000)
    }

    fn one_of(&mut self, spellings: &[&str]) -> String {
        (*spellings.choose(self.random).expect("not empty")).to_owned()
    }

    /// The row as it stands in the file, and what is wrong with it when it has to be wrong.
    pub fn row(&mut self, cells: &[Cell], wrong: bool) -> (Vec<String>, Option<Defect>) {
        let mut row: Vec<String> = cells.iter().map(|cell| self.spell(cell)).collect();
        if !wrong {
            return (row, None);
        }
        let possible: Vec<(usize, Defect)> =
            cells.iter().enumerate().filter_map(|(place, cell)| cell.defect().map(|defect| (place, defect))).collect();
        let defect = possible.choose(self.random).map(|&(place, defect)| {
            row[place] = cells[place].with(defect);
            defect
        });
        (row, defect)
    }

    fn spell(&mut self, cell: &Cell) -> String {
        match cell {
            Cell::Absent if self.sometimes(120) => self.one_of(&["NULL", "\\N"]),
            Cell::Absent => String::new(),
            Cell::Code(code) if self.sometimes(25) => code.as_str().to_lowercase(),
            Cell::Code(code) if self.sometimes(8) => format!(" {code}"),
            Cell::Code(code) => code.to_string(),
            Cell::Day(day) | Cell::LastDay(Some(day)) => self.day(*day),
            Cell::LastDay(None) => self.one_of(&["2099-12-31", "2099-12-31", "9999-9-9", "9999-12-31", ""]),
            Cell::Yuan(yuan) if self.sometimes(30) && yuan % 1_000 == 0 => format!("{}万元", ten_thousands(*yuan)),
            Cell::Yuan(yuan) if self.sometimes(30) => format!("{yuan}元"),
            Cell::Yuan(yuan) => yuan.to_string(),
            Cell::TenThousandYuan(yuan) if self.sometimes(40) => format!("{}万元", ten_thousands(*yuan)),
            Cell::TenThousandYuan(yuan) => ten_thousands(*yuan),
            Cell::Name(name) if self.sometimes(60) => name.replace('(', "（").replace('）', ")"),
            Cell::Name(name) if self.sometimes(30) => name.replace('（', "(").replace(')', "）"),
            Cell::Sentence(sentence) if self.sometimes(50) => format!("{sentence}。"),
            Cell::Document(number) if self.sometimes(30) => number.replace('〔', "[").replace('〕', "]"),
            Cell::Choice(word) => (*word).to_owned(),
            Cell::Name(text) | Cell::Sentence(text) | Cell::Document(text) | Cell::Plain(text) => text.clone(),
        }
    }

    fn day(&mut self, day: Day) -> String {
        match self.random.random_range(0..1000) {
            0..880 => day.to_string(),
            880..940 => format!("{}-{}-{}", day.year(), day.month(), day.day()),
            940..970 => day.format("%Y%m%d").to_string(),
            _ => format!("{}/{}/{}", day.year(), day.month(), day.day()),
        }
    }
}

/// In 万元, exactly.
fn ten_thousands(yuan: u32) -> String {
    let (whole, rest) = (yuan / 10_000, yuan % 10_000);
    if rest == 0 {
        return whole.to_string();
    }
    format!("{whole}.{}", format!("{rest:04}").trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::super::population::randomness;
    use super::*;

    #[test]
    fn a_wrong_row_says_what_is_wrong_with_it() {
        let code = CreditCode::compose("91999901", "MA000001").expect("parts have the form of a code");
        let day = Day::from_ymd_opt(2024, 3, 1).expect("a day");
        let mut random = randomness(1, 1);
        let cells = [
            Cell::Code(code),
            Cell::Day(day),
            Cell::Document("演示〔2024〕1号".into()),
            Cell::Choice("合格"),
            Cell::LastDay(None),
        ];
        for _ in 0..100 {
            let (row, defect) = Writer::new(&mut random).row(&cells, true);
            match defect.expect("a wrong row") {
                Defect::CheckCharacter => assert!(row[0].parse::<CreditCode>().is_err()),
                Defect::ImpossibleDay => assert_eq!(row[1], "2024-02-30"),
                Defect::MissingDocument => assert_eq!(row[2], ""),
                Defect::UnknownChoice => assert_eq!(row[3], "详见附件"),
            }
        }
    }

    #[test]
    fn amounts_are_exact_in_either_unit() {
        for (yuan, text) in [(5_000, "0.5"), (120_000, "12"), (12_345, "1.2345"), (10, "0.001"), (0, "0")] {
            assert_eq!(ten_thousands(yuan), text);
        }
    }
}
