//! `xinheng serve`: the site. In an empty folder it first makes the three administrators, whose one-time
//! secrets stand on this terminal and nowhere else.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;
use xinheng_app::Bureau;
use xinheng_app::act::Act;
use xinheng_web::{ServeOptions, Site, SiteOptions, missing_assets};

use super::{Ending, folder, open};
use crate::arguments::{Options, Serve};
use crate::output::say_line;
use crate::progress::Progress;

pub async fn run(options: &Options, command: &Serve) -> anyhow::Result<Ending> {
    let bureau = open(options).await?;
    if !bureau.is_set_up().await? {
        first_start(&bureau).await?;
    }
    site(bureau, &folder(options), command, true).await?;
    Ok(Ending::Done)
}

async fn first_start(bureau: &Bureau) -> anyhow::Result<()> {
    let secrets = bureau.first_start(&Act::on_command_line("setup.first_start")).await?;
    say_line("首次启动：已建立三个管理员账号（三员分立），没有建立任何其他账号。")?;
    say_line("一次性口令只显示这一次，72 小时内首次登录有效，登录后须立即改成自己的口令并启用动态口令：\n")?;
    for secret in &secrets {
        say_line(format_args!("  {:<12} {:<8} {}", secret.account, secret.name, secret.secret))?;
    }
    say_line("\n接下来请系统管理员登录，按页面上的“启用步骤”办理。")
}

/// Serves until the process is told to stop. Classifies all enterprises once a day, if so wished.
pub async fn site(bureau: Bureau, data: &Path, command: &Serve, daily: bool) -> anyhow::Result<()> {
    let missing = missing_assets();
    anyhow::ensure!(
        missing.is_empty(),
        "本程序构建时缺少页面文件 {}。请先运行 cargo xtask assets，再重新构建",
        missing.join("、")
    );
    // Several commands of one process may come here: the first decides.
    let _ = tracing_subscriber::fmt()
        .json()
        .with_env_filter(EnvFilter::try_from_env("XINHENG_LOG").unwrap_or_else(|_| EnvFilter::new("info")))
        .with_writer(std::io::stderr)
        .try_init();
    // Clocks were computed with the rulebook of then; a holiday notice or a new term moves them.
    let progress = Progress::new();
    bureau.refresh_clocks(&|stage| progress.show(&stage)).await?;
    drop(progress);
    let tls = command.tls_cert.clone().zip(command.tls_key.clone());
    let uploads = data.join("uploads");
    std::fs::create_dir_all(&uploads).with_context(|| format!("建不了文件夹“{}”", uploads.display()))?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let options = SiteOptions { secure: tls.is_some(), proxies: command.proxy.clone(), uploads, daily };
    let site = Site::new(Arc::new(bureau), options)?;
    let listening =
        xinheng_web::serve(site, &ServeOptions { listen: command.listen, tls, metrics: command.metrics }).await?;
    say_line(format_args!("网站已启动：{scheme}://{}/（工作人员登录：/sign-in；按 Ctrl-C 停止）", listening.address))?;
    if scheme == "http" && !listening.address.ip().is_loopback() {
        say_line("注意：没有启用 TLS，口令会以明文经过网络。请用 --tls-cert 和 --tls-key，或放在启用 TLS 的代理之后")?;
    }
    listening.stop_on(stopped());
    listening.stopped().await
}

/// Ctrl-C, or the system's wish that this process ends.
async fn stopped() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let terminate = async {
            match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
                Ok(mut signal) => {
                    signal.recv().await;
                }
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupt => {}
            () = terminate => {}
        }
    }
    #[cfg(not(unix))]
    {
        let _ = interrupt.await;
    }
}
