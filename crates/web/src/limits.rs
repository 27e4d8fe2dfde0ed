//! Limits (限流): how often one address may ask for what costs much.

use std::num::NonZeroU32;
use std::sync::Arc;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::error::PageError;

/// Searches that one address may make in a minute. Ours: a person does not come near them.
const SEARCHES: NonZeroU32 = NonZeroU32::new(60).unwrap();
/// Addresses remembered before those that have not asked for a while are forgotten.
const MOST_ADDRESSES: usize = 10_000;

/// Counters by address, of this process. Attempts to sign in are counted in the database, by the use case.
#[derive(Clone)]
pub(crate) struct Limits {
    searches: Arc<DefaultKeyedRateLimiter<String>>,
}

impl Limits {
    pub(crate) fn new() -> Self {
        Self { searches: Arc::new(RateLimiter::keyed(Quota::per_minute(SEARCHES))) }
    }

    /// One more search of the public.
    pub(crate) fn search(&self, source: &str) -> Result<(), PageError> {
        if self.searches.len() > MOST_ADDRESSES {
            self.searches.retain_recent();
        }
        self.searches.check_key(&source.to_owned()).map_err(|_| PageError::TooMany)
    }
}
