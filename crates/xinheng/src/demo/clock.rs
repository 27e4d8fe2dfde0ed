//! The demonstration's clock: while the files of the past are handed in it shows the day of each, later
//! the machine's own time.

use std::sync::{Arc, Mutex, PoisonError};

use xinheng_app::Surroundings;
use xinheng_core::record::{Day, Moment};

/// A clock that can be put back into the past.
#[derive(Clone, Default)]
pub struct Clock(Arc<Mutex<Option<Moment>>>);

impl Clock {
    /// The surroundings with this clock in place of theirs.
    pub fn within(&self, surroundings: Surroundings) -> Surroundings {
        let (clock, machine) = (self.clone(), Arc::clone(&surroundings.now));
        // What the county expects of this very evening arrives now: nothing comes from the future.
        let now = move || clock.shown().map_or_else(|| machine(), |moment| moment.min(machine()));
        Surroundings { now: Arc::new(now), ..surroundings }
    }

    /// Shows that moment from now on.
    pub fn show(&self, moment: Moment) {
        self.put(Some(moment));
    }

    /// Shows the machine's time again.
    pub fn release(&self) {
        self.put(None);
    }

    fn put(&self, moment: Option<Moment>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = moment;
    }

    fn shown(&self) -> Option<Moment> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// That hour and minute of a day in China.
pub fn at(day: Day, hour: i64, minute: i64) -> Moment {
    Moment::midnight_in_china(day).minutes_later(hour * 60 + minute)
}
