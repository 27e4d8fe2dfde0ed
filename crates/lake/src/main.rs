//! 信衡 batch scoring on the command line.
//!
//! Exit codes: 0 done; 2 wrong usage or unreadable input.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use xinheng_core::record::Day;
use xinheng_lake::score::{Job, Rules, score};

/// Pages are decoded into memory of every size and thrown away again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// 信衡：对 Parquet 文件中的企业批量计分定级
#[derive(Parser)]
#[command(name = "xinheng-lake", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// 按模型对全部企业计分定级
    Score(ScoreArguments),
}

#[derive(Args)]
struct ScoreArguments {
    /// 企业文件
    #[arg(long)]
    enterprises: PathBuf,
    /// 记录文件
    #[arg(long)]
    records: PathBuf,
    /// 模型文件（JSON）
    #[arg(long)]
    model: PathBuf,
    /// 计分日期，例如 2025-12-31
    #[arg(long)]
    as_of: Day,
    /// 结果文件
    #[arg(long)]
    out: PathBuf,
    /// 线程数，缺省为处理器数
    #[arg(long)]
    threads: Option<usize>,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
            eprintln!("错误：{}", causes.join("："));
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> Result<()> {
    let Command::Score(arguments) = command;
    let text =
        std::fs::read_to_string(&arguments.model).with_context(|| format!("读取 {}", arguments.model.display()))?;
    let rules = Rules::flat(&text).with_context(|| arguments.model.display().to_string())?;
    let threads =
        arguments.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, Into::into)).max(1);
    score(
        &Job {
            enterprises: arguments.enterprises,
            records: arguments.records,
            out: arguments.out,
            as_of: arguments.as_of,
            threads,
        },
        &rules,
    )
}
