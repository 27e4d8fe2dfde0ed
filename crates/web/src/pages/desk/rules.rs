//! Rules: the defaults that act only once the bureau has signed them.

use askama::Template;
use axum::extract::State;
use serde::Deserialize;
use xinheng_app::rules::RuleStanding;

use crate::Site;
use crate::error::PageResult;
use crate::form::{Form, see};
use crate::page::{Frame, page};
use crate::visit::Visit;

#[derive(Template)]
#[template(path = "desk/rules.html")]
struct RulesPage {
    frame: Frame,
    rules: Vec<RuleStanding>,
    version: String,
}

pub async fn list(State(site): State<Site>, visit: Visit) -> PageResult {
    page(&RulesPage {
        frame: Frame::new(&visit, "规则签署"),
        rules: site.bureau.rules_and_signatures().await?,
        version: site.bureau.rulebook().version().to_owned(),
    })
}

#[derive(Deserialize)]
pub struct SignForm {
    rule: String,
}

pub async fn sign(State(site): State<Site>, visit: Visit, Form(form): Form<SignForm>) -> PageResult {
    site.bureau.sign_as(&visit.act, &form.rule).await?;
    Ok(see("/desk/rules"))
}
