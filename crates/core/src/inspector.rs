//! Inspector (执法检查人员): who may be sent to inspect, whom, and when. The directory (名录库) is the bureau's own;
//! what it says on the day of a freeze is part of the draw.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::credit_code::CreditCode;
use crate::record::Day;

/// A certificate (执法证件) that must be valid on the day of a visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// 证号
    pub number: String,
    /// 有效期至: the last day on which it is valid.
    pub until: Day,
}

/// Days on which an inspector is away (请假、出差), both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Leave {
    /// First day.
    pub from: Day,
    /// Last day.
    pub until: Day,
}

/// Why an inspector keeps away from an enterprise (回避事由). Never public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecusalGround {
    /// 近亲属
    Kin,
    /// 曾任职
    FormerEmployer,
    /// 其他利害关系
    Interest,
}

impl RecusalGround {
    /// All of them, in the order in which pages show them.
    pub const ALL: [Self; 3] = [Self::Kin, Self::FormerEmployer, Self::Interest];

    /// What people read.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Kin => "近亲属",
            Self::FormerEmployer => "曾任职",
            Self::Interest => "其他利害关系",
        }
    }

    /// By its name in files and addresses, or by what people read.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ground| ground.to_string() == name || ground.title() == name)
    }
}

impl fmt::Display for RecusalGround {
    /// As files and addresses write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// What the directory says of an inspector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspector {
    /// 行政执法证: without a valid one nobody inspects.
    pub enforcement: Certificate,
    /// 专业证, such as that of a special-equipment supervisor (特种设备安全监察员证).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub professional: Option<Certificate>,
    /// Key fields that the person is qualified for, such as `food_production`.
    #[serde(default)]
    pub qualifications: BTreeSet<String>,
    /// Whether the person may lead a team (组长).
    #[serde(default)]
    pub may_lead: bool,
    /// 责任片区: towns; none: the whole county.
    #[serde(default)]
    pub towns: BTreeSet<String>,
    /// Most visits that one plan may give the person.
    pub capacity: u16,
    /// 请假
    #[serde(default)]
    pub leave: BTreeSet<Leave>,
    /// 回避
    #[serde(default)]
    pub recusals: BTreeMap<CreditCode, RecusalGround>,
}

/// What an item asks of its inspectors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needed<'a> {
    /// A key field that the person must be qualified for.
    pub qualification: Option<&'a str>,
    /// Whether a professional certificate is needed.
    pub professional: bool,
}

/// Why an inspector cannot be sent within a window of days (不能参加的原因).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// The enforcement certificate ends within the window.
    #[error("行政执法证于 {0} 到期")]
    EnforcementEnds(Day),
    /// No professional certificate where one is needed.
    #[error("没有所需的专业证")]
    NoProfessional,
    /// The professional certificate ends within the window.
    #[error("专业证于 {0} 到期")]
    ProfessionalEnds(Day),
    /// Not qualified for the field.
    #[error("不具备该领域的检查资格")]
    NotQualified,
    /// Away on every day of the window.
    #[error("整个检查期间请假")]
    Away,
    /// No visits may be given.
    #[error("可承担户数为零")]
    NoCapacity,
}

impl Inspector {
    /// Why the person cannot be sent, to nobody, within a window of days; nothing when the person can.
    /// A certificate must be valid to the window's last day: nobody knows yet on which the visit falls.
    #[must_use]
    pub fn unfit(&self, needed: &Needed<'_>, from: Day, until: Day) -> Option<Unfit> {
        if self.capacity == 0 {
            return Some(Unfit::NoCapacity);
        }
        if self.enforcement.until < until {
            return Some(Unfit::EnforcementEnds(self.enforcement.until));
        }
        if needed.qualification.is_some_and(|field| !self.qualifications.contains(field)) {
            return Some(Unfit::NotQualified);
        }
        match &self.professional {
            None if needed.professional => return Some(Unfit::NoProfessional),
            Some(certificate) if needed.professional && certificate.until < until => {
                return Some(Unfit::ProfessionalEnds(certificate.until));
            }
            _ => {}
        }
        self.is_away_throughout(from, until).then_some(Unfit::Away)
    }

    /// Whether leaves cover every day of a window, one after the other or overlapping.
    fn is_away_throughout(&self, from: Day, until: Day) -> bool {
        let mut open = from;
        for leave in &self.leave {
            if leave.from > open {
                return false;
            }
            let Some(back) = leave.until.succ_opt() else { return true };
            open = open.max(back);
            if open > until {
                return true;
            }
        }
        false
    }

    /// Whether a certificate ends on a day or before.
    #[must_use]
    pub fn ends_by(&self, day: Day) -> bool {
        let professional = self.professional.as_ref();
        self.enforcement.until <= day || professional.is_some_and(|certificate| certificate.until <= day)
    }

    /// Whether the person works in a town.
    #[must_use]
    pub fn covers(&self, town: &str) -> bool {
        self.towns.is_empty() || self.towns.contains(town)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn inspector() -> Inspector {
        Inspector {
            enforcement: Certificate { number: "41020001".to_owned(), until: day("2027-06-30") },
            professional: None,
            qualifications: BTreeSet::from(["food_production".to_owned()]),
            may_lead: true,
            towns: BTreeSet::new(),
            capacity: 10,
            leave: BTreeSet::new(),
            recusals: BTreeMap::new(),
        }
    }

    fn unfit(inspector: &Inspector, needed: &Needed<'_>) -> Option<String> {
        inspector.unfit(needed, day("2027-06-01"), day("2027-06-30")).map(|unfit| unfit.to_string())
    }

    #[test]
    fn a_certificate_must_be_valid_to_the_last_day_of_the_window() {
        let mut person = inspector();
        assert_eq!(unfit(&person, &Needed::default()), None);
        person.enforcement.until = day("2027-06-29");
        assert_eq!(unfit(&person, &Needed::default()).unwrap(), "行政执法证于 2027-06-29 到期");
        let mut person = inspector();
        let needed = Needed { qualification: Some("special_equipment"), professional: true };
        assert_eq!(unfit(&person, &needed).unwrap(), "不具备该领域的检查资格");
        person.qualifications.insert("special_equipment".to_owned());
        assert_eq!(unfit(&person, &needed).unwrap(), "没有所需的专业证");
        person.professional = Some(Certificate { number: "特监1".to_owned(), until: day("2027-06-15") });
        assert_eq!(unfit(&person, &needed).unwrap(), "专业证于 2027-06-15 到期");
        person.professional = Some(Certificate { number: "特监1".to_owned(), until: day("2027-06-30") });
        assert_eq!(unfit(&person, &needed), None);
    }

    #[test]
    fn leaves_that_together_cover_the_window_keep_a_person_out_and_a_day_between_does_not() {
        let away = |leaves: &[(&str, &str)]| {
            let leave = leaves.iter().map(|(from, until)| Leave { from: day(from), until: day(until) }).collect();
            unfit(&Inspector { leave, ..inspector() }, &Needed::default())
        };
        assert_eq!(away(&[("2027-06-01", "2027-06-29")]), None);
        assert_eq!(away(&[("2027-05-20", "2027-06-10"), ("2027-06-12", "2027-07-01")]), None);
        for whole in [
            vec![("2027-06-01", "2027-06-30")],
            vec![("2027-05-20", "2027-06-10"), ("2027-06-11", "2027-06-30")],
            vec![("2027-05-20", "2027-06-20"), ("2027-06-02", "2027-06-05"), ("2027-06-10", "2027-08-01")],
        ] {
            assert_eq!(away(&whole).unwrap(), "整个检查期间请假", "{whole:?}");
        }
    }
}
