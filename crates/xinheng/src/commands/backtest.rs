//! `xinheng backtest`

use xinheng_app::WrongInput;
use xinheng_app::backtest::BacktestRequest;
use xinheng_app::rules::refused;
use xinheng_core::rulebook::model::Model;

use super::{Ending, model, open, read_text};
use crate::arguments::{Backtest, Options};
use crate::output::{print_json, say};
use crate::progress::Progress;

pub async fn run(options: &Options, command: &Backtest) -> anyhow::Result<Ending> {
    let bureau = open(options).await?;
    let named = command.models.iter().map(|named| model(named, bureau.rulebook(), bureau.today()));
    let models: Vec<Model> = named.collect::<anyhow::Result<_>>()?;
    let ids = || models.iter().map(|model| &model.rule.id.value);
    if let Some(twice) = ids().enumerate().find(|(place, id)| ids().take(*place).any(|other| other == *id)) {
        return Err(WrongInput(format!("两个模型的编号都是“{}”。请在其中一个文件里改 rule.id", twice.1)).into());
    }
    let text = read_text(&command.outcome)?;
    let outcome = bureau.rulebook().parse_outcome(&command.outcome.to_string_lossy(), &text);
    let outcome = outcome.map_err(|errors| refused(&errors))?;
    let request = BacktestRequest {
        models: &models,
        outcome: &outcome,
        from: command.from,
        to: command.to,
        period: command.period.into(),
        as_received: command.as_received,
        seen_until: command.seen_until,
    };
    let progress = Progress::new();
    let backtest = bureau.backtest(&request, &|stage| progress.show(&stage)).await?;
    drop(progress);
    if options.json {
        print_json(&backtest)?;
    } else {
        say(&backtest)?;
    }
    Ok(Ending::Done)
}
