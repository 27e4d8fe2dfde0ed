//! Progress on stderr, only where somebody watches.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use xinheng_app::Stage;

/// A bar that follows the stages of a long job.
pub struct Progress(ProgressBar);

impl Progress {
    /// Starts without a length; stages give it.
    pub fn new() -> Self {
        let bar = ProgressBar::no_length();
        let style = ProgressStyle::with_template("{msg} {bar:32} {percent:>3}%  已用{elapsed} 剩余{eta}");
        bar.set_style(style.expect("the template is fixed").progress_chars("█▉ "));
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// Shows a stage.
    pub fn show(&self, stage: &Stage) {
        let Stage { name, done, total } = stage;
        self.0.set_message(name.clone());
        self.0.set_length(*total);
        self.0.set_position(*done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
