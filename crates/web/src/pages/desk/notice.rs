//! What an enterprise is told of its level (告知书), where the bureau has decided so; to be printed and handed over.

use askama::Template;
use axum::extract::{Path, State};
use xinheng_app::outlook::Notice;

use crate::Site;
use crate::error::PageResult;
use crate::page::{Frame, page};
use crate::pages::public::code;
use crate::visit::Visit;

/// Records that fit on a sheet; of more it is said how many.
const MOST_RECORDS: usize = 40;

#[derive(Template)]
#[template(path = "desk/notice.html")]
struct NoticePage {
    frame: Frame,
    notice: Notice,
    bureau: String,
}

impl NoticePage {
    /// The title of its level in the model that leads.
    fn title(&self) -> &str {
        let explanation = &self.notice.explanation;
        let lead = explanation.assessments.iter().find(|one| Some(&one.model) == explanation.model.as_ref());
        lead.map(|one| one.title.as_str()).unwrap_or_default()
    }

    /// The records that raise its risk, each once: the first of them, and how many more.
    fn reasons(&self) -> (Vec<String>, usize) {
        let lines = self.notice.explanation.contributions.iter().filter(|line| line.milli > 0);
        let mut reasons = Vec::new();
        for line in lines {
            for record in &line.records {
                let number = record.document_number.as_deref().unwrap_or_default();
                let reason = format!("{}：{} {} {number}", line.title, record.kind_title, record.occurred_on);
                if !reasons.contains(&reason) {
                    reasons.push(reason);
                }
            }
        }
        let more = reasons.len().saturating_sub(MOST_RECORDS);
        reasons.truncate(MOST_RECORDS);
        (reasons, more)
    }

    /// Days on which the level changes by itself.
    fn to_come(&self) -> Vec<(String, String)> {
        let moves = self.notice.outlook.to_come.iter().filter(|one| one.before.level != one.after.level);
        moves.map(|one| (one.on.to_string(), level(one.after.level.as_deref()))).collect()
    }

    /// What a repair of a record makes of the level.
    fn if_repaired(&self) -> Vec<(&str, String)> {
        let now = &self.notice.outlook.now;
        let repairs = self.notice.outlook.if_repaired.iter();
        let words = |after: Option<&str>| match after == now.level.as_deref() {
            true => "等级不变，风险分值降低".to_owned(),
            false => format!("降为 {}", level(after)),
        };
        repairs.map(|(one, record)| (record.as_str(), words(one.after.level.as_deref()))).collect()
    }
}

fn level(code: Option<&str>) -> String {
    code.map_or("不再分类".to_owned(), |code| format!("{code} 级"))
}

pub async fn show(State(site): State<Site>, visit: Visit, Path(text): Path<String>) -> PageResult {
    let notice = site.bureau.notice(code(&text)?).await?;
    let bureau = site.bureau.settings().await?.bureau.unwrap_or_default();
    page(&NoticePage { frame: Frame::new(&visit, "等级告知书"), notice, bureau })
}
