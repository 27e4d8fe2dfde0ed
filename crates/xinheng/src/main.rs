//! 信衡 on the command line: the record path from files to levels with reasons.
//!
//! Exit codes: 0 done; 1 done, with findings (bad rows, a failed case, a broken chain); 2 wrong usage or
//! unreadable input; 3 the system failed. Results go to stdout, progress and errors to stderr.
// A bare `print!` panics when the reader has gone: results go through `output`.
#![warn(clippy::print_stdout)]

mod arguments;
mod commands;
mod demo;
mod output;
mod progress;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use commands::Ending;

/// An import hands millions of small texts from thread to thread, and SQLite allocates by it as well.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = match Arguments::parse_or_explain() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    match runtime.block_on(run(&arguments)) {
        Ok(Ending::Done) => ExitCode::SUCCESS,
        Ok(Ending::Findings) => ExitCode::from(1),
        Err(error) => fail(&error),
    }
}

async fn run(arguments: &Arguments) -> anyhow::Result<Ending> {
    let options = &arguments.options;
    match &arguments.command {
        Command::Demo(command) => commands::demo::run(options, command).await,
        Command::Serve(command) => commands::serve::run(options, command).await,
        Command::Import(command) => commands::import::run(options, command).await,
        Command::Classify(command) => commands::classify::run(options, command).await,
        Command::Facts(command) => commands::facts::run(options, command).await,
        Command::Backtest(command) => commands::backtest::run(options, command).await,
        Command::Explain(command) => commands::explain::run(options, command).await,
        Command::Draw(command) => commands::draw::run(options, command).await,
        Command::Verify(command) => commands::verify::run(options, command),
        Command::Audit(command) => commands::audit::run(options, command).await,
        Command::Ledger(command) => commands::ledger::run(options, command).await,
        Command::Rulebook(command) => commands::rulebook::run(options, command).await,
        Command::Admin(command) => commands::admin::run(options, command).await,
    }
}

/// Prints an error with its causes; a wrong input ends with 2, anything else with 3.
fn fail(error: &anyhow::Error) -> ExitCode {
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    eprintln!("错误：{}", causes.join("："));
    let wrong_input = xinheng_app::is_wrong_input(error);
    ExitCode::from(if wrong_input { 2 } else { 3 })
}
