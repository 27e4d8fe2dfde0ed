//! Caps and multipliers change a sum; these bring the parts to the new sum, so that the parts always add
//! up to the whole.

use super::IndicatorPoints;
use crate::points::Points;

/// Moves the sum of the parts to a target nearer zero, taking from the last parts first and never
/// changing a part's sign.
pub(super) fn shrink(parts: &mut [&mut Points], target: Points) {
    let sum: Points = parts.iter().map(|part| **part).sum();
    let mut excess = (sum - target).milli();
    for part in parts.iter_mut().rev() {
        if excess == 0 {
            break;
        }
        let milli = part.milli();
        if milli.signum() == excess.signum() {
            let cut = if excess > 0 { excess.min(milli) } else { excess.max(milli) };
            **part = Points::from_milli(milli - cut);
            excess -= cut;
        }
    }
}

/// Multiplies every part and gives the thousandths that rounding lost to the first parts, one each.
fn multiply(parts: &mut [&mut Points], permille: u32, target: Points) {
    let first = parts.iter().position(|part| **part != Points::ZERO);
    for part in parts.iter_mut() {
        **part = part.scaled(permille.into(), 1000);
    }
    let mut missing = (target - parts.iter().map(|part| **part).sum()).milli();
    for part in parts.iter_mut().filter(|part| ***part != Points::ZERO) {
        if missing == 0 {
            break;
        }
        **part += Points::from_milli(missing.signum());
        missing -= missing.signum();
    }
    // Where the parts rounded to nothing, the first that was something carries what is left.
    if let Some(first) = first {
        *parts[first] += Points::from_milli(missing);
    }
}

impl IndicatorPoints {
    /// Cuts the records down to a new sum.
    pub(super) fn shrink(&mut self, target: Points) {
        shrink(&mut self.records.iter_mut().map(|record| &mut record.points).collect::<Vec<_>>(), target);
        self.points = target;
    }

    fn multiply(&mut self, permille: u32, target: Points) {
        multiply(&mut self.records.iter_mut().map(|record| &mut record.points).collect::<Vec<_>>(), permille, target);
        self.points = target;
    }
}

/// Cuts the indicators down to a new sum.
pub(super) fn shrink_indicators<'i>(indicators: impl Iterator<Item = &'i mut IndicatorPoints>, target: Points) {
    let indicators: Vec<_> = indicators.collect();
    // Most are within their caps.
    if indicators.iter().map(|indicator| indicator.points).sum::<Points>() != target {
        each(indicators.into_iter(), |parts| shrink(parts, target), IndicatorPoints::shrink);
    }
}

/// Multiplies the indicators to a new sum.
pub(super) fn multiply_indicators<'i>(
    indicators: impl Iterator<Item = &'i mut IndicatorPoints>,
    permille: u32,
    target: Points,
) {
    each(
        indicators,
        |parts| multiply(parts, permille, target),
        |indicator, points| indicator.multiply(permille, points),
    );
}

fn each<'i>(
    indicators: impl Iterator<Item = &'i mut IndicatorPoints>,
    change: impl FnOnce(&mut [&mut Points]),
    follow: impl Fn(&mut IndicatorPoints, Points),
) {
    let indicators: Vec<_> = indicators.collect();
    let mut points: Vec<Points> = indicators.iter().map(|indicator| indicator.points).collect();
    change(&mut points.iter_mut().collect::<Vec<_>>());
    for (indicator, points) in indicators.into_iter().zip(points) {
        if indicator.points != points {
            follow(indicator, points);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Points, multiply, shrink};

    fn fitted(parts: &[i64], fit: impl Fn(&mut [&mut Points])) -> Vec<i64> {
        let mut parts: Vec<Points> = parts.iter().map(|&milli| Points::from_milli(milli)).collect();
        fit(&mut parts.iter_mut().collect::<Vec<_>>());
        parts.into_iter().map(Points::milli).collect()
    }

    #[test]
    fn a_cap_takes_from_the_last_parts_of_its_sign_first() {
        let shrunk = |parts: &[i64], target| fitted(parts, |parts| shrink(parts, Points::from_milli(target)));
        assert_eq!(shrunk(&[5, 3, 2], 10), [5, 3, 2]);
        assert_eq!(shrunk(&[5, 3, 2], 6), [5, 1, 0]);
        assert_eq!(shrunk(&[5, -2, 3], 4), [5, -2, 1]);
        assert_eq!(shrunk(&[-5, 2, -3], -4), [-5, 2, -1]);
        assert_eq!(shrunk(&[-5, 2, -3], 0), [-2, 2, 0]);
    }

    #[test]
    fn a_multiplier_gives_what_rounding_lost_to_the_first_parts_one_thousandth_each() {
        let multiplied =
            |parts: &[i64], target| fitted(parts, |parts| multiply(parts, 500, Points::from_milli(target)));
        assert_eq!(multiplied(&[4, 4], 4), [2, 2]);
        assert_eq!(multiplied(&[3, 3, 3, 3], 6), [2, 2, 1, 1]);
        assert_eq!(multiplied(&[0, 5, 5, 5], 7), [0, 3, 2, 2]);
        assert_eq!(multiplied(&[-3, -3], -3), [-2, -1]);
        // Nothing is left of any part: the first that was something carries it.
        assert_eq!(multiplied(&[0, 1, 1], 1), [0, 1, 0]);
    }
}
