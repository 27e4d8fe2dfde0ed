//! Failed sign-ins: how many lock what, and for how long.

use xinheng_core::record::Moment;
use xinheng_store::{Attempt, Store};

use super::Refusal;

/// Failures within [`WINDOW`] that lock an account.
pub(super) const ACCOUNT_FAILURES: i64 = 5;
/// Failures within [`WINDOW`] that lock an address, so that it locks no more than a few accounts.
pub(super) const SOURCE_FAILURES: i64 = 20;
/// Minutes in which failures add up, and for which the first lock holds.
const WINDOW: i64 = 15;
/// Minutes of the longest lock.
const LONGEST_LOCK: i64 = 24 * 60;

/// What one sign-in is counted for.
pub(super) struct Counted {
    pub(super) source: String,
    pub(super) account: String,
}

/// The name under which failures of an account are counted. A keyed digest, for what was typed as an account
/// may be anything, a password too.
pub(crate) fn attempt_of(store: &Store, account: &str) -> String {
    format!("account {}", hex::encode(&store.tag("attempt", account.as_bytes())[..16]))
}

impl Counted {
    pub(super) fn new(store: &Store, source: &str, account: &str) -> Self {
        Self { source: format!("source {source}"), account: attempt_of(store, account) }
    }

    pub(super) fn names(&self) -> [String; 2] {
        [self.source.clone(), self.account.clone()]
    }

    /// Why nobody may try now; the address is looked at first.
    pub(super) fn refusal(&self, attempts: &[Attempt], now: Moment) -> Option<Refusal> {
        let locked = |name: &str| find(attempts, name)?.locked_until.filter(|until| *until > now);
        let source = locked(&self.source).map(Refusal::SourceLocked);
        source.or_else(|| locked(&self.account).map(Refusal::AccountLocked))
    }

    /// The counts after one more failure.
    pub(super) fn failed(&self, attempts: &[Attempt], now: Moment) -> Vec<Attempt> {
        [(&self.source, SOURCE_FAILURES), (&self.account, ACCOUNT_FAILURES)]
            .map(|(name, most)| one_more(find(attempts, name), name, most, now))
            .to_vec()
    }
}

fn find<'a>(attempts: &'a [Attempt], name: &str) -> Option<&'a Attempt> {
    attempts.iter().find(|attempt| attempt.name == name)
}

/// Counts one more failure. Each lock is twice as long as the one before.
fn one_more(before: Option<&Attempt>, name: &str, most: i64, now: Moment) -> Attempt {
    let locks = before.map_or(0, |before| before.locks);
    let counting = before.filter(|before| before.failures > 0 && before.since.minutes_later(WINDOW) > now);
    let (failures, since) = counting.map_or((1, now), |before| (before.failures + 1, before.since));
    let attempt = Attempt { name: name.to_owned(), failures, since, last: now, locks, locked_until: None };
    if failures < most {
        return attempt;
    }
    let minutes = WINDOW.checked_shl(u32::try_from(locks).unwrap_or(u32::MAX)).unwrap_or(LONGEST_LOCK);
    let minutes = minutes.clamp(WINDOW, LONGEST_LOCK);
    Attempt { failures: 0, locks: locks + 1, locked_until: Some(now.minutes_later(minutes)), ..attempt }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(minute: i64) -> Moment {
        Moment::from_micros(1_795_482_000_000_000).unwrap().minutes_later(minute)
    }

    /// Fails at each minute; gives until which minute the last failure locked.
    fn after(minutes: &[i64]) -> Option<i64> {
        let mut before: Option<Attempt> = None;
        for minute in minutes {
            before = Some(one_more(before.as_ref(), "account", ACCOUNT_FAILURES, at(*minute)));
        }
        let until = before?.locked_until?;
        (0..3_000).find(|minute| at(*minute) == until)
    }

    #[test]
    fn five_failures_in_a_quarter_of_an_hour_lock_for_a_quarter_of_an_hour() {
        assert_eq!(after(&[0, 1, 2, 3]), None);
        assert_eq!(after(&[0, 1, 2, 3, 4]), Some(19));
        assert_eq!(after(&[0, 1, 2, 3, 14]), Some(29));
        assert_eq!(after(&[0, 1, 2, 3, 15]), None, "the first has been forgotten, and with it the others");
    }

    #[test]
    fn each_lock_is_twice_as_long_up_to_a_day() {
        let round = |from: i64| [from; 5];
        assert_eq!(after(&[round(0), round(20)].concat()), Some(20 + 30));
        assert_eq!(after(&[round(0), round(20), round(60)].concat()), Some(60 + 60));
        let often: Vec<i64> = (0..80).flat_map(|_| round(100)).collect();
        assert_eq!(after(&often), Some(100 + 24 * 60));
    }
}
