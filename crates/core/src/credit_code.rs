//! Unified social credit code (统一社会信用代码), GB 32100-2015.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

/// The 31 characters of the standard; a character's value is its place. I, O, S, V and Z are missing.
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
/// The value of each byte that stands for a character, [`NO_VALUE`] for the others.
const VALUES: [u8; 256] = {
    let mut values = [NO_VALUE; 256];
    let mut place = 0;
    while place < ALPHABET.len() {
        values[ALPHABET[place] as usize] = place as u8;
        place += 1;
    }
    values
};
const NO_VALUE: u8 = u8::MAX;
/// Weights of the first 17 characters: 3^(i-1) mod 31.
const WEIGHTS: [u32; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
/// Weights of the organisation code within it (GB 11714), characters 9 to 16.
const ORGANISATION_WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];

/// A credit code whose form and check character are right.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CreditCode([u8; 18]);

/// Why a text is not a credit code. The messages are for the person who handed in the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CreditCodeError {
    /// Not 18 characters.
    #[error("统一社会信用代码应为18位，此处为{0}位")]
    Length(usize),
    /// A character that the standard does not use.
    #[error("统一社会信用代码第{place}位的“{character}”不是允许的字符（不用I、O、S、V、Z，不用全角字符）")]
    Character {
        /// Place, from 1.
        place: usize,
        /// The character.
        character: char,
    },
    /// Places 3 to 8 are a region code, which has digits only.
    #[error("统一社会信用代码第3至8位是行政区划代码，应全为数字")]
    Region,
    /// The last character does not fit the others.
    #[error("统一社会信用代码校验不通过：末位应为“{expected}”，请核对是否抄错")]
    Check {
        /// The character that would fit.
        expected: char,
    },
}

impl CreditCode {
    /// Parses a code. Lower case is taken as upper case; white space around it is left out.
    ///
    /// # Errors
    /// Says what is wrong, in Chinese.
    pub fn parse(text: &str) -> Result<Self, CreditCodeError> {
        let text = text.trim();
        let length = text.chars().count();
        if length != 18 {
            return Err(CreditCodeError::Length(length));
        }
        let mut bytes = [0; 18];
        for (place, character) in text.chars().enumerate() {
            let upper = character.to_ascii_uppercase();
            let byte = u8::try_from(upper).ok().filter(|&byte| is_of_alphabet(byte));
            bytes[place] = byte.ok_or(CreditCodeError::Character { place: place + 1, character })?;
        }
        if !bytes[2..8].iter().all(u8::is_ascii_digit) {
            return Err(CreditCodeError::Region);
        }
        let expected = check_character(&bytes);
        if bytes[17] != expected {
            return Err(CreditCodeError::Check { expected: char::from(expected) });
        }
        Ok(Self(bytes))
    }

    /// Makes the code of an organisation: department and type (2 characters), region (6 digits) and
    /// the organisation's own eight characters; both check characters are computed.
    ///
    /// # Errors
    /// When the parts do not have the form of a code.
    pub fn compose(prefix: &str, organisation: &str) -> Result<Self, CreditCodeError> {
        let body = format!("{prefix}{organisation}");
        if body.chars().count() != 16 {
            return Err(CreditCodeError::Length(body.chars().count() + 2));
        }
        let mut bytes = [b'0'; 18];
        for (place, character) in body.chars().enumerate() {
            let byte = u8::try_from(character).ok().filter(|&byte| is_of_alphabet(byte));
            bytes[place] = byte.ok_or(CreditCodeError::Character { place: place + 1, character })?;
        }
        bytes[16] = organisation_check(&bytes);
        bytes[17] = check_character(&bytes);
        Self::parse(std::str::from_utf8(&bytes).expect("the alphabet is ASCII"))
    }

    /// The 18 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a code is ASCII by construction")
    }

    /// Region code (行政区划代码, GB/T 2260) of the registering authority.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.as_str()[2..8]
    }

    /// Whether the organisation code within it (places 9 to 17) has the right check character. Some
    /// old records fail this; it is a warning, not a refusal.
    #[must_use]
    pub fn organisation_check_holds(&self) -> bool {
        self.0[16] == organisation_check(&self.0)
    }
}

fn is_of_alphabet(byte: u8) -> bool {
    VALUES[usize::from(byte)] != NO_VALUE
}

/// Of a character of the alphabet; no others are kept.
fn value(byte: u8) -> u32 {
    u32::from(VALUES[usize::from(byte)])
}

fn check_character(bytes: &[u8; 18]) -> u8 {
    let sum: u32 = WEIGHTS.iter().zip(bytes).map(|(weight, &byte)| weight * value(byte)).sum();
    ALPHABET[((31 - sum % 31) % 31) as usize]
}

fn organisation_check(bytes: &[u8; 18]) -> u8 {
    // GB 11714 counts all 26 letters: A = 10 … Z = 35.
    let sum: u32 = ORGANISATION_WEIGHTS
        .iter()
        .zip(&bytes[8..16])
        .map(|(weight, &byte)| weight * char::from(byte).to_digit(36).expect("digits and letters"))
        .sum();
    match 11 - sum % 11 {
        10 => b'X',
        11 => b'0',
        digit => b'0' + u8::try_from(digit).expect("below 10"),
    }
}

impl fmt::Display for CreditCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for CreditCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CreditCode {
    type Err = CreditCodeError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for CreditCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for CreditCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors of `regulations-records.md` §9.
    #[test]
    fn published_codes() {
        for code in [
            "91110000600037341L",
            "91110108551385082Q",
            "914403001922038216",
            "9144030071526726XG",
            "91330100799655058B",
            "91350100M000100Y43",
            "913306831000001550",
            "N2330683MF0000013H",
            "92330683MA2D000109",
        ] {
            let parsed = CreditCode::parse(code).expect(code);
            assert!(parsed.organisation_check_holds(), "{code}");
            assert_eq!(CreditCode::compose(&code[..8], &code[8..16]), Ok(parsed));
        }
        assert!(!CreditCode::parse("91440300715267260N").expect("USCC check holds").organisation_check_holds());
        assert_eq!(CreditCode::parse("91110000600037342L"), Err(CreditCodeError::Check { expected: 'P' }));
        assert!(CreditCode::parse("914403001922038217").is_err());
    }

    #[test]
    fn refusals_name_the_place() {
        assert_eq!(CreditCode::parse("9111"), Err(CreditCodeError::Length(4)));
        assert_eq!(
            CreditCode::parse("9111000060003734１L"),
            Err(CreditCodeError::Character { place: 17, character: '１' })
        );
        assert_eq!(CreditCode::parse("91A10000600037341L"), Err(CreditCodeError::Region));
        assert_eq!(
            CreditCode::parse(" 91110000600037341l ").map(|code| code.to_string()).as_deref(),
            Ok("91110000600037341L")
        );
    }
}
