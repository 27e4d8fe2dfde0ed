//! Faults of rule files, told to the person who writes them: where, what, how to mend it.

use std::fmt;

/// Something wrong in a rule file. Faults sort by file and line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleError {
    /// Path of the file within the regulations folder.
    pub file: String,
    /// Line, from 1; none when the file as a whole is meant.
    pub line: Option<u32>,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub mend: Option<String>,
}

impl RuleError {
    /// A fault of a file as a whole.
    pub(super) fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, message: message.into(), mend: None }
    }

    /// Adds how to mend it; an empty text adds nothing.
    pub(super) fn mend(mut self, mend: impl Into<String>) -> Self {
        self.mend = Some(mend.into()).filter(|mend| !mend.is_empty());
        self
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.message)?;
        match &self.mend {
            Some(mend) => write!(f, "。{mend}"),
            None => Ok(()),
        }
    }
}

/// The nearest of the allowed words or, when none is near, all of them.
pub(super) fn nearest<S: AsRef<str>>(word: &str, allowed: impl IntoIterator<Item = S>) -> String {
    let mut allowed: Vec<S> = allowed.into_iter().collect();
    allowed.sort_by(|one, other| one.as_ref().cmp(other.as_ref()));
    allowed.dedup_by(|one, other| one.as_ref() == other.as_ref());
    let distance = |one: &&S| strsim::damerau_levenshtein(word, one.as_ref());
    match allowed.iter().min_by_key(distance) {
        None => String::new(),
        // One letter in three may be wrong: more is another word.
        Some(best) if distance(&best) * 3 <= word.chars().count() => format!("是否想写“{}”？", best.as_ref()),
        Some(_) => {
            let all: Vec<&str> = allowed.iter().map(AsRef::as_ref).collect();
            format!("可用的有：{}", all.join("、"))
        }
    }
}
