//! The command line's words, in Chinese, and its complaints, in Chinese too.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::{ContextKind, ErrorKind};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use xinheng_core::credit_code::CreditCode;
use xinheng_core::ledger::Hash;
use xinheng_core::record::Day;
use xinheng_core::staff::Role;
use xinheng_core::unit::UnitKind;

const TEMPLATE: &str = "{about}\n\n用法：{usage}\n\n{all-args}\n";

/// 信衡：重点领域信用分级分类监管
#[derive(Parser)]
#[command(
    name = "xinheng",
    version,
    disable_help_flag = true,
    disable_version_flag = true,
    disable_help_subcommand = true
)]
pub struct Arguments {
    #[command(flatten)]
    pub options: Options,
    #[command(subcommand)]
    pub command: Command,
}

/// Options that stand before or after the command.
#[derive(Args)]
pub struct Options {
    /// 数据库：sqlite:文件 或 postgres://…（缺省为数据文件夹中的 sqlite:xinheng.db）
    #[arg(long, global = true, env = "XINHENG_DATABASE", value_name = "地址", hide_env = true)]
    pub database: Option<String>,
    /// 数据文件夹（缺省为当前文件夹）
    #[arg(long, global = true, env = "XINHENG_DATA", value_name = "文件夹", hide_env = true)]
    pub data: Option<PathBuf>,
    /// 密钥文件（缺省为数据库路径加 .key）
    #[arg(long, global = true, env = "XINHENG_KEY_FILE", value_name = "文件", hide_env = true)]
    pub key_file: Option<PathBuf>,
    /// 用此文件夹代替内置规则库
    #[arg(long, global = true, value_name = "文件夹")]
    pub rulebook: Option<PathBuf>,
    /// 输出供程序读取的 JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// 显示帮助
    #[arg(long, short = 'h', global = true, action = clap::ArgAction::Help)]
    pub help: Option<bool>,
    /// 显示版本
    #[arg(long, short = 'V', action = clap::ArgAction::Version)]
    pub version: Option<bool>,
}

#[derive(Subcommand)]
#[command(disable_help_subcommand = true)]
pub enum Command {
    /// 生成演示县并打开网站：数据全部由程序生成，走与用户相同的导入
    Demo(Demo),
    /// 启动网站；空文件夹里首次启动时建立三个管理员
    Serve(Serve),
    /// 导入 CSV、Excel 或 JSON 行文件：好的行入账，有问题的行退回到错误工作簿
    Import(Import),
    /// 对全部企业分类，列出各等级数量和变化
    Classify(Classify),
    /// 说明一家企业为什么是这个等级：等级、指标、记录、算式、依据
    Explain(Explain),
    /// 导出截至某日的记录及其终止、修复情况（JSON 行），供 xinheng-lake 批量计分；不含个人信息
    Facts(Facts),
    /// 回溯检验模型：检查前一天的分数，能不能说中哪些检查会发现问题；不入账
    Backtest(Backtest),
    /// 抽查：冻结名单、登记见证、录入开奖号码、查看证书
    #[command(subcommand)]
    Draw(Draw),
    /// 核验摇号证书：把抽签过程按公开规则从头重算一遍
    Verify(Verify),
    /// 台账：账头、核验、重建、导出
    #[command(subcommand)]
    Ledger(Ledger),
    /// 审计日志：账头、核验、导出到系统之外保存
    #[command(subcommand)]
    Audit(Audit),
    /// 规则库：检查、验证算例、查看、签署
    #[command(subcommand)]
    Rulebook(Rulebook),
    /// 单位和人员：查看、添加、授予角色、重置口令
    #[command(subcommand)]
    Admin(Admin),
}

#[derive(Args)]
pub struct Demo {
    /// 企业数量
    #[arg(long, default_value_t = 5000, value_name = "数量")]
    pub enterprises: usize,
    /// 随机种子；同一种子生成同样的数据
    #[arg(long, default_value_t = 1, value_name = "整数")]
    pub seed: u64,
    /// 数据截止日（缺省为今天）
    #[arg(long, value_name = "日期")]
    pub until: Option<Day>,
    /// 只生成，不启动网站
    #[arg(long)]
    pub no_serve: bool,
    #[command(flatten)]
    pub serve: Serve,
}

#[derive(Args)]
pub struct Serve {
    /// 网站的地址和端口
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "地址:端口")]
    pub listen: SocketAddr,
    /// TLS 证书链（PEM）
    #[arg(long, requires = "tls_key", value_name = "文件")]
    pub tls_cert: Option<PathBuf>,
    /// TLS 私钥（PEM）
    #[arg(long, requires = "tls_cert", value_name = "文件")]
    pub tls_key: Option<PathBuf>,
    /// 只信任这些代理所说的来访地址
    #[arg(long, value_name = "IP")]
    pub proxy: Vec<IpAddr>,
    /// 在这个本机地址上提供健康检查（/health）和指标（/metrics）
    #[arg(long, value_name = "地址:端口")]
    pub metrics: Option<SocketAddr>,
}

#[derive(Subcommand)]
pub enum Draw {
    /// 冻结一个计划的名单，等待公众彩票开奖
    Freeze {
        /// 计划编号，例如 2026-001
        #[arg(value_name = "计划")]
        plan: String,
        /// 随机来源的编号（缺省为最近开奖的一种）
        #[arg(long, value_name = "编号")]
        lottery: Option<String>,
        /// 哪一天开奖的（缺省为最近一期）
        #[arg(long, value_name = "日期")]
        day: Option<Day>,
        /// 谁办的：账号
        #[arg(long, value_name = "账号")]
        by: String,
    },
    /// 登记冻结校验值公布在局外的什么地方、什么时候
    Witness {
        /// 抽查编号，例如 2026-001-D1
        #[arg(value_name = "抽查")]
        draw: String,
        /// 公布在哪里
        #[arg(long, value_name = "地方")]
        place: String,
        /// 公布时间，例如 2026-11-27T15:00:00+08:00
        #[arg(long, value_name = "时间")]
        at: String,
        /// 谁办的：账号
        #[arg(long, value_name = "账号")]
        by: String,
    },
    /// 录入开奖号码：两人各录一遍，一致才抽取
    Seal {
        /// 抽查编号
        #[arg(value_name = "抽查")]
        draw: String,
        /// 开奖号码，写法与冻结时所定的一致
        #[arg(long, value_name = "号码")]
        entropy: String,
        /// 谁录的：账号
        #[arg(long, value_name = "账号")]
        by: String,
    },
    /// 查看证书：公开视图，或只供审计的视图
    Show {
        /// 抽查编号
        #[arg(value_name = "抽查")]
        draw: String,
        /// 哪一种视图
        #[arg(long, value_enum, default_value_t = View::Public, value_name = "视图")]
        view: View,
        /// 企业自证视图是哪一家的
        #[arg(long, value_name = "统一社会信用代码", required_if_eq("view", "opening"))]
        of: Option<CreditCode>,
        /// 写到文件（缺省显示出来）
        #[arg(long, value_name = "文件.json")]
        out: Option<PathBuf>,
    },
}

/// A view of a draw.
#[derive(Clone, Copy, clap::ValueEnum)]
pub enum View {
    /// 公开
    Public,
    /// 企业自证：一家企业自己的代号，名单公布以后才给
    Opening,
    /// 审计：含企业、等级、回避，不得公开
    Auditor,
}

#[derive(Args)]
pub struct Verify {
    /// 摇号证书（公开视图，JSON）
    #[arg(required = true, value_name = "证书")]
    pub certificates: Vec<PathBuf>,
    /// 开奖之前在别处公布的冻结校验值
    #[arg(long, value_name = "校验值")]
    pub freeze_hash: Option<Hash>,
    /// 在别处保存的证书校验值
    #[arg(long, value_name = "校验值")]
    pub certificate_hash: Option<Hash>,
    /// 公布的抽中名单（含 nonce 和 names 的 JSON）
    #[arg(long, value_name = "文件")]
    pub names: Option<PathBuf>,
}

#[derive(Args)]
pub struct Import {
    /// 要导入的文件
    #[arg(required = true, value_name = "文件")]
    pub files: Vec<PathBuf>,
    /// 表的编号（缺省由表头识别）
    #[arg(long, value_name = "表")]
    pub table: Option<String>,
    /// 报送单位
    #[arg(long, default_value = xinheng_app::collect::UNSPECIFIED_UNIT, value_name = "单位")]
    pub unit: String,
    /// 数据版本日期：这份数据是哪一天的
    #[arg(long, value_name = "日期")]
    pub edition: Option<Day>,
    /// 列对照文件（自定义表）
    #[arg(long, value_name = "文件")]
    pub mapping: Option<PathBuf>,
    /// 错误工作簿的位置（缺省为原文件名加 .错误.xlsx）
    #[arg(long, value_name = "文件.xlsx")]
    pub errors: Option<PathBuf>,
    /// 只检查，不入账
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Args)]
pub struct Facts {
    /// 写到这个文件
    #[arg(value_name = "文件.jsonl")]
    pub file: PathBuf,
    /// 截至哪一天（缺省为今天）
    #[arg(long, value_name = "日期")]
    pub as_of: Option<Day>,
}

#[derive(Args)]
pub struct Classify {
    /// 截至哪一天（缺省为今天）；早于已有分类的日子只试算，不入账
    #[arg(long, value_name = "日期")]
    pub as_of: Option<Day>,
    /// 只用这个模型试算：模型编号或模型文件
    #[arg(long, value_name = "编号或文件")]
    pub model: Option<String>,
}

#[derive(Args)]
pub struct Explain {
    /// 统一社会信用代码
    #[arg(value_name = "统一社会信用代码")]
    pub credit_code: CreditCode,
    /// 截至哪一天（缺省为今天）
    #[arg(long, value_name = "日期")]
    pub as_of: Option<Day>,
    /// 按账本到第几条时所知（缺省为全部）
    #[arg(long, value_name = "序号")]
    pub known_up_to: Option<i64>,
    /// 只用这个模型：模型编号或模型文件
    #[arg(long, value_name = "编号或文件")]
    pub model: Option<String>,
}

#[derive(Args)]
pub struct Backtest {
    /// 模型编号或模型文件；可重复，其余各与第一个比较
    #[arg(long = "model", required = true, value_name = "编号或文件")]
    pub models: Vec<String>,
    /// 检验结果文件：哪些记录是检查，怎样算发现问题（写法见 docs/rule-files.md）
    #[arg(long, value_name = "文件")]
    pub outcome: PathBuf,
    /// 检验期首日
    #[arg(long, value_name = "日期")]
    pub from: Day,
    /// 检验期末日
    #[arg(long, value_name = "日期")]
    pub to: Day,
    /// 在多长的时间内重新排序；排序时只知道该期开始以前的事
    #[arg(long, value_enum, default_value_t = Period::Month, value_name = "期间")]
    pub period: Period,
    /// 只用当时已经入账的记录（缺省按记录自身的日期：补录的历史视为当时已知）
    #[arg(long)]
    pub as_received: bool,
    /// 编写模型时看过的检查结果截至哪一天
    #[arg(long, value_name = "日期")]
    pub seen_until: Option<Day>,
}

/// Within what visits are put into another order.
#[derive(Clone, Copy, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Period {
    /// 每月
    Month,
    /// 每季度
    Quarter,
    /// 每半年
    HalfYear,
    /// 每年
    Year,
    /// 整个检验期
    Whole,
}

impl From<Period> for xinheng_core::backtest::Period {
    fn from(period: Period) -> Self {
        match period {
            Period::Month => Self::Month,
            Period::Quarter => Self::Quarter,
            Period::HalfYear => Self::HalfYear,
            Period::Year => Self::Year,
            Period::Whole => Self::Whole,
        }
    }
}

#[derive(Subcommand)]
pub enum Ledger {
    /// 账头：最后一条的序号和摘要
    Head,
    /// 核验整条链、个人信息承诺，并与以前的账头或回执比对
    Verify {
        /// 以前的账头或回执
        #[arg(long, value_name = "文件")]
        against: Vec<PathBuf>,
    },
    /// 由台账重建全部派生数据，并核对等级
    Rebuild,
    /// 导出为 JSON 行；以 .zst 结尾则压缩。tools/verify_ledger.py 可独立核验
    Export {
        /// 写到哪里
        #[arg(value_name = "文件.jsonl")]
        file: PathBuf,
    },
}

#[derive(Subcommand)]
pub enum Audit {
    /// 账头：最后一条的序号和摘要，抄录到系统之外
    Head,
    /// 核验整条链，并与以前的账头比对：改动、截去末尾都能查出
    Verify {
        /// 以前的账头，或上次导出时 --json 的输出
        #[arg(long, value_name = "文件")]
        against: Vec<PathBuf>,
    },
    /// 导出为 JSON 行，供另一个系统保存；以 .zst 结尾则压缩。tools/verify_ledger.py 可独立核验
    Export {
        /// 写到哪里
        #[arg(value_name = "文件.jsonl")]
        file: PathBuf,
        /// 只导出这个账头之后的：上次导出时 --json 的输出
        #[arg(long, value_name = "文件")]
        after: Option<PathBuf>,
    },
}

#[derive(Subcommand)]
pub enum Rulebook {
    /// 检查规则文件的写法
    Check {
        /// 规则库文件夹（缺省为内置规则库）
        #[arg(value_name = "文件夹")]
        folder: Option<PathBuf>,
    },
    /// 验证规则旁的算例
    Test {
        /// 规则库文件夹（缺省为内置规则库）
        #[arg(value_name = "文件夹")]
        folder: Option<PathBuf>,
    },
    /// 列出规则，或查看一条规则在某日的内容
    Show {
        /// 规则编号，例如 models/general；缺省列出全部
        #[arg(value_name = "编号")]
        id: Option<String>,
        /// 哪一天（缺省为今天）
        #[arg(long, value_name = "日期")]
        on: Option<Day>,
    },
    /// 签署一条缺省规则，签署后才起作用
    Sign {
        /// 规则编号，例如 models/general
        #[arg(value_name = "编号")]
        id: String,
        /// 签署人
        #[arg(long, value_name = "姓名")]
        by: String,
        /// 签署单位
        #[arg(long, default_value = xinheng_app::collect::UNSPECIFIED_UNIT, value_name = "单位")]
        unit: String,
    },
}

#[derive(Subcommand)]
pub enum Admin {
    /// 人员
    #[command(subcommand)]
    User(User),
    /// 单位
    #[command(subcommand)]
    Unit(Unit),
}

#[derive(Subcommand)]
pub enum User {
    /// 列出人员
    List,
    /// 添加一人，显示一次性口令
    Add {
        /// 账号
        #[arg(value_name = "账号")]
        account: String,
        /// 姓名
        #[arg(long, value_name = "姓名")]
        name: String,
        /// 单位代码或名称
        #[arg(long, value_name = "单位")]
        unit: String,
    },
    /// 授予角色（代替原有角色）；不写角色则收回全部
    Role {
        /// 账号
        #[arg(value_name = "账号")]
        account: String,
        /// 角色，例如 信用监管人员 或 credit_supervisor
        #[arg(value_name = "角色", value_parser = role)]
        roles: Vec<Role>,
    },
    /// 重新发放一次性口令，并解除锁定
    Reset {
        /// 账号
        #[arg(value_name = "账号")]
        account: String,
        /// 同时重置动态口令（更换手机时）
        #[arg(long)]
        second_factor: bool,
    },
}

#[derive(Subcommand)]
pub enum Unit {
    /// 列出单位
    List,
    /// 添加一个单位
    Add {
        /// 单位代码
        #[arg(value_name = "代码")]
        code: String,
        /// 名称
        #[arg(long, value_name = "名称")]
        name: String,
        /// 类型：股室、所、大队、成员单位
        #[arg(long, value_name = "类型", value_parser = unit_kind)]
        kind: UnitKind,
        /// 其他名称（曾用名、简称），可重复
        #[arg(long = "also", value_name = "名称")]
        also: Vec<String>,
    },
}

fn role(name: &str) -> Result<Role, String> {
    Role::parse(name).ok_or_else(|| format!("可选的角色有 {}", Role::ALL.map(Role::title).join("、")))
}

fn unit_kind(name: &str) -> Result<UnitKind, String> {
    UnitKind::parse(name).ok_or_else(|| format!("可选的类型有 {}", UnitKind::ALL.map(UnitKind::title).join("、")))
}

impl Arguments {
    /// Parses the command line; on a wrong one, or for help, prints and gives the exit code.
    pub fn parse_or_explain() -> Result<Self, ExitCode> {
        let parsed = worded().try_get_matches().and_then(|matches| Self::from_arg_matches(&matches));
        parsed.map_err(|error| {
            if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
                return if crate::output::say(&error).is_ok() { ExitCode::SUCCESS } else { ExitCode::from(3) };
            }
            eprintln!("错误：{}。用 xinheng --help 查看用法。", complaint(&error));
            ExitCode::from(2)
        })
    }
}

/// The commands with the words that clap says by itself, in Chinese.
fn worded() -> clap::Command {
    let mut command = with_headings(Arguments::command());
    command.build();
    put_usage(&mut command);
    command
}

fn with_headings(command: clap::Command) -> clap::Command {
    let argument = |argument: clap::Arg| {
        let heading = match (argument.is_positional(), argument.is_global_set()) {
            (true, _) => "参数",
            (false, true) => "通用选项",
            (false, false) => "选项",
        };
        let mut help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let argument = argument.help_heading(heading);
        if !argument.get_action().takes_values() {
            return argument;
        }
        let names: Vec<String> =
            argument.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
        if !names.is_empty() {
            help.push_str(&format!("（可取 {}）", names.join("、")));
        }
        if let [default] = argument.get_default_values() {
            help.push_str(&format!("（缺省 {}）", default.to_string_lossy()));
        }
        argument.help(help).hide_default_value(true).hide_possible_values(true)
    };
    command
        .help_template(TEMPLATE)
        .subcommand_help_heading("命令")
        .subcommand_value_name("命令")
        .mut_args(argument)
        .mut_subcommands(with_headings)
}

fn put_usage(command: &mut clap::Command) {
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").replace("[OPTIONS]", "[选项]");
    *command = std::mem::take(command).override_usage(usage);
    command.get_subcommands_mut().for_each(put_usage);
}

fn complaint(error: &clap::Error) -> String {
    let context = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let argument = context(ContextKind::InvalidArg);
    match error.kind() {
        ErrorKind::UnknownArgument => format!("不认识的选项“{argument}”"),
        ErrorKind::InvalidSubcommand => format!("没有命令“{}”", context(ContextKind::InvalidSubcommand)),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "缺少命令".to_owned(),
        ErrorKind::MissingRequiredArgument => format!("缺少 {argument}"),
        ErrorKind::ArgumentConflict => format!("{argument} 重复或与其他选项冲突"),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let value = context(ContextKind::InvalidValue);
            let cause = std::error::Error::source(error).map(|cause| cause.to_string()).unwrap_or_default();
            if value.is_empty() {
                format!("{argument} 缺少值")
            } else if cause.is_ascii() {
                // chrono and the number parsers speak English.
                format!(
                    "{argument} 的值“{value}”不合要求（日期写作 2026-11-24，数量写作整数，校验值写作 64 位十六进制）"
                )
            } else {
                format!("{argument} 的值“{value}”不合要求：{cause}")
            }
        }
        _ => "命令写法有误".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn helps(command: &mut clap::Command) -> Vec<String> {
        let own = command.render_help().to_string();
        std::iter::once(own).chain(command.get_subcommands_mut().flat_map(helps)).collect()
    }

    #[test]
    fn the_help_of_every_command_is_in_chinese() {
        let helps = helps(&mut worded());
        assert!(helps.len() > 20, "{}", helps.len());
        for help in helps {
            for english in ["Usage", "OPTIONS", "Options", "COMMAND", "Commands", "Arguments", "default", "possible"] {
                assert!(!help.contains(english), "{english}: {help}");
            }
            assert!(help.contains("用法：xinheng"), "{help}");
        }
    }
}
