//! Units (单位): divisions, stations and brigades of the bureau, and the departments that work with it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What kind of unit it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitKind {
    /// 股室
    Division,
    /// 所
    Station,
    /// 大队
    Brigade,
    /// 成员单位
    Member,
}

impl UnitKind {
    /// All of them, in the order in which pages show them.
    pub const ALL: [Self; 4] = [Self::Division, Self::Station, Self::Brigade, Self::Member];

    /// What people read.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Division => "股室",
            Self::Station => "所",
            Self::Brigade => "大队",
            Self::Member => "成员单位",
        }
    }

    /// By its name in files and addresses, or by what people read.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.to_string() == name || kind.title() == name)
    }
}

impl fmt::Display for UnitKind {
    /// As files and addresses write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
