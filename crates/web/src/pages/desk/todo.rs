//! To do: clocks in red, yellow and green, what waits for review, what came too late.

use askama::Template;
use axum::extract::State;
use serde::Deserialize;
use xinheng_app::todo::{ClockLine, ClockPlace, Todo};
use xinheng_core::deadline::Colour;
use xinheng_core::record::{Day, Seq};

use crate::Site;
use crate::error::PageResult;
use crate::page::{Frame, page};
use crate::visit::{Visit, encoded};

/// Clocks on the first screen.
const CLOCKS: u64 = 20;

/// After which clock a page of open clocks starts, as its address says it.
#[derive(Clone, Default, Deserialize)]
pub struct AfterClock {
    due_on: Option<Day>,
    rule: Option<String>,
    seq: Option<i64>,
}

impl AfterClock {
    pub(super) fn place(self) -> Option<ClockPlace> {
        let Self { due_on, rule, seq } = self;
        Some(ClockPlace { due_on: due_on?, rule: rule?, seq: Seq(seq?) })
    }
}

/// Address of the page of open clocks after one.
pub(super) fn after_clock(page: &str, ClockPlace { due_on, rule, seq }: &ClockPlace) -> String {
    format!("{page}?due_on={due_on}&rule={}&seq={seq}", encoded(rule))
}

#[derive(Template)]
#[template(path = "desk/todo.html")]
struct TodoPage {
    frame: Frame,
    todo: Todo,
    units: Vec<(String, String)>,
}

impl TodoPage {
    fn tone(&self, line: &ClockLine) -> &'static str {
        tone(line.colour)
    }

    fn left(&self, line: &ClockLine) -> String {
        left(line)
    }

    fn unit(&self, code: &str) -> String {
        crate::words::unit_name(&self.units, code)
    }
}

pub(super) fn tone(colour: Colour) -> &'static str {
    match colour {
        Colour::Green => "good",
        Colour::Yellow => "due",
        Colour::Red => "bad",
    }
}

/// How much time is left, in words: `剩 3 个工作日`.
pub(super) fn left(line: &ClockLine) -> String {
    let words = match (line.paused_since, line.left) {
        (Some(since), _) => format!("{since} 起暂停"),
        (None, 0) => "今天到期".to_owned(),
        (None, left) if left < 0 => format!("逾期 {} 个工作日", left.unsigned_abs()),
        (None, left) => format!("剩 {left} 个工作日"),
    };
    if line.provisional { format!("{words}（节假日安排未公布，暂按周末推算）") } else { words }
}

pub async fn todo(State(site): State<Site>, visit: Visit) -> PageResult {
    page(&TodoPage {
        todo: site.bureau.todo(&visit.act, CLOCKS).await?,
        units: site.unit_names().await?,
        frame: Frame::new(&visit, "待办"),
    })
}
