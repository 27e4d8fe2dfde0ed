//! Points (分值): whole thousandths of a point, so that sums are exact and the order of evaluation
//! never changes a result.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub};

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Milli-points. Written in rule files as a decimal with at most three places (`13.5`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(transparent)]
#[schemars(with = "f64")]
pub struct Points(i64);

impl Points {
    /// No points.
    pub const ZERO: Self = Self(0);

    /// From thousandths of a point.
    #[must_use]
    pub const fn from_milli(milli: i64) -> Self {
        Self(milli)
    }

    /// In thousandths of a point.
    #[must_use]
    pub const fn milli(self) -> i64 {
        self.0
    }

    /// `self × numerator ÷ denominator`, rounded down towards zero at the thousandth.
    ///
    /// # Panics
    /// When the denominator is zero.
    #[must_use]
    pub fn scaled(self, numerator: i128, denominator: i128) -> Self {
        let product = i128::from(self.0) * numerator / denominator;
        Self(i64::try_from(product).expect("points stay far below the range of i64"))
    }
}

impl fmt::Display for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, rest) = (self.0.unsigned_abs() / 1000, self.0.unsigned_abs() % 1000);
        if rest == 0 {
            return write!(f, "{sign}{whole}");
        }
        let decimals = format!("{rest:03}");
        write!(f, "{sign}{whole}.{}", decimals.trim_end_matches('0'))
    }
}

impl Add for Points {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for Points {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sub for Points {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Points {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Sum for Points {
    fn sum<I: Iterator<Item = Self>>(points: I) -> Self {
        points.fold(Self::ZERO, Add::add)
    }
}

impl<'de> Deserialize<'de> for Points {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PointsVisitor;

        impl Visitor<'_> for PointsVisitor {
            type Value = Points;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("分值，例如 3 或 13.5，最多三位小数")
            }

            fn visit_i64<E: Error>(self, whole: i64) -> Result<Points, E> {
                whole.checked_mul(1000).map(Points).ok_or_else(|| E::custom(format!("分值 {whole} 过大")))
            }

            fn visit_u64<E: Error>(self, whole: u64) -> Result<Points, E> {
                i64::try_from(whole)
                    .map_err(|_| E::custom(format!("分值 {whole} 过大")))
                    .and_then(|whole| self.visit_i64(whole))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Points, E> {
                let milli = (value * 1000.0).round();
                if !milli.is_finite() || milli.abs() > 1e12 || (value * 1000.0 - milli).abs() > 1e-6 {
                    return Err(E::custom(format!("分值 {value} 超过三位小数或过大")));
                }
                #[allow(clippy::cast_possible_truncation, reason = "bounded just above")]
                Ok(Points(milli as i64))
            }
        }

        deserializer.deserialize_any(PointsVisitor)
    }
}
