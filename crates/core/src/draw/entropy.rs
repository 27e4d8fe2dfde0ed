//! Reading what a public lottery drew (开奖号码), by the rule of its lottery: one spelling only, because it is hashed.

use thiserror::Error;

use super::words::{Line, NotALine};
use crate::rulebook::lotteries::{Lottery, Part};

/// What a lottery drew, read by its rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntropyValue {
    source: Line,
    format: Line,
    issue: Line,
    text: Line,
}

/// Why a text is not what the lottery can have drawn.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Misread {
    /// Not a line of text.
    #[error(transparent)]
    Line(#[from] NotALine),
    /// What stands between the numbers is not as it should be.
    #[error("应写作“{format}”的样子：此处应为“{expected}”")]
    Literal {
        /// How it is written.
        format: String,
        /// What should stand there.
        expected: String,
    },
    /// A number has too few or too many digits, or is none.
    #[error("{title}应为{digits}位数字，写的是“{found}”")]
    Digits {
        /// Which number.
        title: String,
        /// How many digits it has.
        digits: usize,
        /// What stands there.
        found: String,
    },
    /// A number that the lottery does not have.
    #[error("{title}的号码应在{from}至{to}之间，写的是{found}")]
    Range {
        /// Which number.
        title: String,
        /// Least.
        from: u32,
        /// Greatest.
        to: u32,
        /// What stands there.
        found: u32,
    },
    /// A number stands twice where none can.
    #[error("{title}的号码{found}重复")]
    Twice {
        /// Which number.
        title: String,
        /// What stands there.
        found: u32,
    },
    /// Numbers that are written ascending are not.
    #[error("{title}的号码应由小到大书写")]
    NotAscending {
        /// Which numbers.
        title: String,
    },
    /// Something stands after the end.
    #[error("末尾多了“{0}”")]
    Rest(String),
}

impl EntropyValue {
    /// Which issue it is.
    #[must_use]
    pub fn issue(&self) -> &Line {
        &self.issue
    }

    /// As it is hashed.
    #[must_use]
    pub fn text(&self) -> &Line {
        &self.text
    }

    pub(super) fn source(&self) -> &Line {
        &self.source
    }

    pub(super) fn format(&self) -> &Line {
        &self.format
    }
}

impl Lottery {
    /// Reads what was drawn. White space around it is left out.
    ///
    /// # Errors
    /// What is wrong, in Chinese.
    pub fn read(&self, text: &str) -> Result<EntropyValue, Misread> {
        let text = text.trim();
        let mut rest = text;
        let mut parts = self.parts.iter();
        let mut issue = String::new();
        for (place, piece) in self.pieces().enumerate() {
            // Literals and parts take turns, a literal first.
            if place % 2 == 0 {
                rest = rest.strip_prefix(piece).ok_or_else(|| Misread::Literal {
                    format: self.format.as_str().to_owned(),
                    expected: piece.to_owned(),
                })?;
                continue;
            }
            let part = parts.next().expect("the loader counted the parts");
            let (written, numbers) = take(part, rest)?;
            rest = &rest[written.len()..];
            if part.issue {
                written.clone_into(&mut issue);
            } else {
                check(part, &numbers)?;
            }
        }
        if !rest.is_empty() {
            return Err(Misread::Rest(rest.to_owned()));
        }
        Ok(EntropyValue {
            source: self.source.clone(),
            format: self.format.clone(),
            issue: Line::new(issue)?,
            text: Line::new(text)?,
        })
    }

    /// The format's literals and placeholders in turns, a literal first and last, without braces.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &str> {
        self.format.as_str().split(['{', '}'])
    }
}

/// The part's numbers at the beginning of a text, and as they are written.
fn take<'t>(part: &Part, text: &'t str) -> Result<(&'t str, Vec<u32>), Misread> {
    let (digits, count) = (part.digits as usize, part.count as usize);
    // Between two numbers of a part stands one space, as on the lotteries' own announcements.
    let length = count * digits + count.saturating_sub(1);
    let end = text.char_indices().nth(length).map_or(text.len(), |(place, _)| place);
    let written = &text[..end];
    let misread = |found: &str| Misread::Digits { title: part.title.clone(), digits, found: found.to_owned() };
    let numbers = written.split(' ').map(|number| {
        let is_number = number.len() == digits && number.bytes().all(|byte| byte.is_ascii_digit());
        number.parse().ok().filter(|_| is_number).ok_or_else(|| misread(number))
    });
    let numbers: Vec<u32> = numbers.collect::<Result<_, _>>()?;
    if numbers.len() == count { Ok((written, numbers)) } else { Err(misread(written)) }
}

fn check(part: &Part, numbers: &[u32]) -> Result<(), Misread> {
    let title = || part.title.clone();
    if let Some(&found) = numbers.iter().find(|number| !(part.from..=part.to).contains(number)) {
        return Err(Misread::Range { title: title(), from: part.from, to: part.to, found });
    }
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    if let Some(pair) = sorted.windows(2).find(|pair| part.distinct && pair[0] == pair[1]) {
        return Err(Misread::Twice { title: title(), found: pair[0] });
    }
    if part.ascending && sorted != numbers {
        return Err(Misread::NotAscending { title: title() });
    }
    Ok(())
}
