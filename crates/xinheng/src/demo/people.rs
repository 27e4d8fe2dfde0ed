//! Invented people: legal representatives with identity and telephone numbers that nobody has.

use super::words::{GENERATIONS, GIVEN, REGION, SURNAMES};

/// Name, identity number and telephone number of people who are in the files, and who must not be
/// found in anything that leaves the personal store. Tests search for them everywhere.
pub const CANARIES: [[&str; 3]; 8] = [
    ["司马金雀", "999901190001019014", "12099990001"],
    ["欧阳银雀", "999901190001029028", "12099990002"],
    ["上官铜雀", "999901190001039031", "12099990003"],
    ["诸葛铁雀", "999901190001049045", "12099990004"],
    ["令狐玉雀", "999901190001059059", "12099990005"],
    ["皇甫石雀", "999901190001069062", "12099990006"],
    ["尉迟竹雀", "999901190001079076", "12099990007"],
    ["慕容松雀", "99990119000108908X", "12099990008"],
];

/// A person of the county, by number. The first are the canaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person(pub u32);

impl Person {
    pub fn name(self) -> String {
        if let Some([name, _, _]) = CANARIES.get(self.0 as usize) {
            return (*name).to_owned();
        }
        // A step that shares no factor with the lists' sizes walks through all combinations.
        let mut place = self.0 as usize * 7919;
        let mut pick = |list: &[&'static str]| {
            let word = list[place % list.len()];
            place /= list.len();
            word
        };
        [pick(&SURNAMES), pick(&GENERATIONS), pick(&GIVEN)].concat()
    }

    /// 公民身份号码 in an unassigned region, check character right.
    pub fn identity_number(self) -> String {
        if let Some([_, number, _]) = CANARIES.get(self.0 as usize) {
            return (*number).to_owned();
        }
        let (year, rest) = (1955 + self.0 % 48, self.0 / 48);
        let (month, rest) = (1 + rest % 12, rest / 12);
        let (day, rest) = (1 + rest % 28, rest / 28);
        identity_number(&format!("{REGION}{year}{month:02}{day:02}{:03}", rest % 1000))
    }

    /// In the range 12…, which no mobile network uses.
    pub fn telephone(self) -> String {
        CANARIES
            .get(self.0 as usize)
            .map_or_else(|| format!("120{:08}", self.0), |[_, _, telephone]| (*telephone).to_owned())
    }
}

/// Adds the check character (GB 11643: ISO 7064 MOD 11-2).
fn identity_number(body: &str) -> String {
    let remainder = body.bytes().fold(0, |sum, digit| (sum + u32::from(digit - b'0')) * 2 % 11);
    let check = b"10X98765432"[((remainder) % 11) as usize];
    format!("{body}{}", char::from(check))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_numbers_have_a_right_check_character_and_nobodys_region() {
        // The example of GB 11643.
        assert_eq!(identity_number("11010519491231002"), "11010519491231002X");
        for [_, number, _] in CANARIES {
            assert_eq!(identity_number(&number[..17]), number);
        }
        for person in (0..200_000).map(Person) {
            assert!(person.identity_number().starts_with(REGION));
            assert_eq!(person.identity_number().len(), 18);
        }
    }

    #[test]
    fn no_invented_person_shares_a_name_with_a_canary() {
        let names: std::collections::BTreeSet<String> = (8..20_000).map(|number| Person(number).name()).collect();
        assert!(names.len() > 10_000, "{}", names.len());
        assert!(CANARIES.iter().all(|[name, _, _]| !names.contains(*name)));
    }
}
