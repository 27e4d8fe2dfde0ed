//! `xinheng explain`

use xinheng_core::record::Seq;

use super::{Ending, model, open};
use crate::arguments::{Explain, Options};
use crate::output::{print_json, say};

pub async fn run(options: &Options, command: &Explain) -> anyhow::Result<Ending> {
    let bureau = open(options).await?;
    let as_of = command.as_of.unwrap_or_else(|| bureau.today());
    let own_model = command.model.as_ref().map(|named| model(named, bureau.rulebook(), as_of)).transpose()?;
    let known_up_to = command.known_up_to.map(Seq);
    let explanation = bureau.explain(command.credit_code, as_of, known_up_to, own_model.as_ref()).await?;
    if options.json {
        print_json(&explanation)?;
    } else {
        say(&explanation)?;
    }
    Ok(Ending::Done)
}
