//! What the national system has published by now (公示对账): most within the term, some late, and a few
//! that nobody remembered for months.

use chrono::TimeDelta;
use xinheng_core::record::Day;

use super::life::Event;
use super::population::working_day;
use super::sheets::{Matter, Sheet, decision, entry_number, license_number, serious_entry_number, task_number};
use super::spelling::Cell;

/// 公示对账表, as the national system gives it: a machine's list, without the dirt of other files.
pub static PUBLICATIONS: Sheet = Sheet {
    table: "publication_evidence",
    columns: &[
        ("uni_social_crd_cd", "统一社会信用代码"),
        ("comp_nm", "企业名称"),
        ("target", "公示信息类别"),
        ("number", "已公示文号（编号）"),
        ("published_on", "国家系统公示日期"),
        ("place", "公示地址或编号"),
    ],
    told: Some(|matter| [subject(matter).map(|_| published_on(matter)), None]),
    cells: |matter| {
        let (target, number) = subject(matter)?;
        let place = format!("GS{:06}{:03}", matter.enterprise.number, matter.place);
        let cells = [
            matter.enterprise.code.to_string(),
            matter.enterprise.name.clone(),
            target.to_owned(),
            number,
            published_on(matter).to_string(),
            place,
        ];
        Some(cells.into_iter().map(Cell::Plain).collect())
    },
};

/// What is to be published, and under which number.
fn subject(matter: &Matter) -> Option<(&'static str, String)> {
    match matter.event? {
        // A mere warning is not published; the stations' table does not tell one.
        Event::Penalized(penalty) if penalty.station || penalty.fine > 0 => {
            Some(("行政处罚", decision(matter, penalty)))
        }
        Event::Inspected { .. } => Some(("监督检查", task_number(matter))),
        Event::Licensed { .. } => Some(("行政许可", license_number(matter)?)),
        Event::AbnormallyListed { .. } => Some(("经营异常名录", entry_number(matter))),
        Event::SeriouslyListed { .. } => Some(("严重违法失信名单", serious_entry_number(matter))),
        _ => None,
    }
}

/// Depends on nothing but the matter, so that the county's lives stay as they are.
fn published_on(matter: &Matter) -> Day {
    let chance =
        (u64::from(matter.enterprise.number) << 10 | u64::from(matter.place)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let working_days = match chance % 1000 {
        0..15 => 45 + chance % 40,
        15..50 => 21 + chance % 15,
        _ => 5 + chance % 14,
    };
    (0..working_days).fold(matter.on, |day, _| working_day(day + TimeDelta::days(1)))
}
