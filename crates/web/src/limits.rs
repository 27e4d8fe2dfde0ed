//! Limits (限流): how often one address may ask for what costs much.

use std::num::NonZeroU32;
use std::sync::Arc;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::error::PageError;

/// Searches and sign-ins that one address may make in a minute. Ours: a person does not come near them.
const SEARCHES: NonZeroU32 = NonZeroU32::new(60).unwrap();
const SIGN_INS: NonZeroU32 = NonZeroU32::new(20).unwrap();

/// Counters by address, of this process.
#[derive(Clone)]
pub(crate) struct Limits {
    searches: Arc<DefaultKeyedRateLimiter<String>>,
    sign_ins: Arc<DefaultKeyedRateLimiter<String>>,
}

impl Limits {
    pub(crate) fn new() -> Self {
        let limiter = |times| Arc::new(RateLimiter::keyed(Quota::per_minute(times)));
        Self { searches: limiter(SEARCHES), sign_ins: limiter(SIGN_INS) }
    }

    /// One more search of the public.
    pub(crate) fn search(&self, source: &str) -> Result<(), PageError> {
        take(&self.searches, source)
    }

    /// One more attempt to sign in.
    pub(crate) fn sign_in(&self, source: &str) -> Result<(), PageError> {
        take(&self.sign_ins, source)
    }

    /// Forgets addresses that have not asked for a while.
    pub(crate) fn forget(&self) {
        self.searches.retain_recent();
        self.sign_ins.retain_recent();
    }
}

fn take(limiter: &DefaultKeyedRateLimiter<String>, source: &str) -> Result<(), PageError> {
    limiter.check_key(&source.to_owned()).map_err(|_| PageError::TooMany)
}
