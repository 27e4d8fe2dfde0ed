//! `xinheng classify`

use super::{Ending, model, open};
use crate::arguments::{Classify, Options};
use crate::output::{print_json, say};
use crate::progress::Progress;

pub async fn run(options: &Options, command: &Classify) -> anyhow::Result<Ending> {
    let bureau = open(options).await?;
    let as_of = command.as_of.unwrap_or_else(|| bureau.today());
    let progress = Progress::new();
    let show = |stage| progress.show(&stage);
    let run = match &command.model {
        Some(named) => bureau.try_model(&model(named, bureau.rulebook(), as_of)?, as_of, &show).await?,
        None => bureau.classify_all(as_of, &show).await?,
    };
    drop(progress);
    if options.json {
        print_json(&run)?;
    } else {
        say(&run)?;
    }
    Ok(Ending::Done)
}
