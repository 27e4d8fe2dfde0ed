//! 信衡 batch scoring on the command line.
//!
//! Exit codes: 0 done; 2 wrong usage or unreadable input.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};
use xinheng_core::record::Day;
use xinheng_lake::pack::{self, Packed};
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
    /// 把 xinheng facts 导出的台账打包成 Parquet 文件
    Pack {
        /// 导出的台账，每行一个 JSON 对象
        facts: PathBuf,
        /// 放文件的文件夹
        #[arg(long)]
        out: PathBuf,
    },
}

#[derive(Args)]
struct ScoreArguments {
    /// 打包好的台账（xinheng-lake pack 的文件夹）
    #[arg(long, conflicts_with_all = ["enterprises", "records"], requires = "rules")]
    ledger: Option<PathBuf>,
    /// 企业文件
    #[arg(long, required_unless_present = "ledger")]
    enterprises: Option<PathBuf>,
    /// 记录文件
    #[arg(long, required_unless_present = "ledger")]
    records: Option<PathBuf>,
    /// 规则库文件夹；模型和记录种类取自其中
    #[arg(long, requires = "ledger")]
    rules: Option<PathBuf>,
    /// 模型：规则库中的编号（如 food_production）或 YAML 文件；没有规则库时是 JSON 文件
    #[arg(long)]
    model: PathBuf,
    /// 计分日期，例如 2025-12-31；打包好的台账只能按其解析日期计分
    #[arg(long, required_unless_present = "ledger")]
    as_of: Option<Day>,
    /// 结果文件
    #[arg(long)]
    out: PathBuf,
    /// 另存每条记录计入总分的分数（Parquet 文件）；只在要用时给出，计算较慢
    #[arg(long)]
    contributions: Option<PathBuf>,
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
    match command {
        Command::Pack { facts, out } => pack::pack(&facts, &out),
        Command::Score(arguments) => {
            let (job, rules) = arguments.prepare()?;
            score(&job, &rules)
        }
    }
}

impl ScoreArguments {
    fn prepare(self) -> Result<(Job, Rules)> {
        let threads = self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, Into::into)).max(1);
        let (out, contributions) = (self.out, self.contributions);
        if contributions.as_ref() == Some(&out) {
            bail!("--contributions 与 --out 不能是同一个文件");
        }
        if let (Some(ledger), Some(folder)) = (&self.ledger, &self.rules) {
            let Packed { as_of, layout } = Packed::read(ledger)?;
            if self.as_of.is_some_and(|asked| asked != as_of) {
                bail!("台账是按 {as_of} 解析的，只能按这一天计分；要按别的日期计分，请重新导出");
            }
            let rules = Rules::of_rulebook(folder, &self.model, as_of, layout)?;
            let (enterprises, records) = (ledger.join(pack::ENTERPRISES), ledger.join(pack::RECORDS));
            return Ok((Job { enterprises, records, out, contributions, as_of, threads }, rules));
        }
        let text = std::fs::read_to_string(&self.model).with_context(|| format!("读取 {}", self.model.display()))?;
        let rules = Rules::flat(&text).with_context(|| self.model.display().to_string())?;
        let (Some(enterprises), Some(records), Some(as_of)) = (self.enterprises, self.records, self.as_of) else {
            bail!("请给出 --enterprises、--records 与 --as-of");
        };
        Ok((Job { enterprises, records, out, contributions, as_of, threads }, rules))
    }
}
