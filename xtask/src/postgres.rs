//! A private PostgreSQL cluster for one test run.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::steps::output;
use crate::tools;

/// Starts the cluster, says so, and waits until its standard input ends: that happens when we end,
/// in whatever way (failure, Ctrl-C, kill -9). Then it stops the cluster and deletes the folder.
/// `$1`: PostgreSQL's programs; `$2`: the cluster's folder.
const KEEPER: &str = r#"
trap '' INT TERM HUP
cd /
if "$1/initdb" --pgdata="$2/data" --username=postgres --auth=trust --locale=C.UTF-8 --encoding=UTF8 --no-sync >"$2/log" &&
   "$1/pg_ctl" --pgdata="$2/data" --log="$2/log" --silent --wait start --options="-k '$2' \
     -c listen_addresses='' -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200"
then
  echo ready
  read -r _
  "$1/pg_ctl" --pgdata="$2/data" --silent --mode=immediate stop
else
  cat "$2/log" >&2
fi
rm -rf "$2"
"#;

/// A running cluster; dropping it stops it and deletes its files.
pub struct Cluster {
    folder: PathBuf,
    keeper: Child,
}

impl Cluster {
    /// Starts a cluster that listens on a socket in a temporary folder only. PostgreSQL refuses to
    /// run as root, so root runs it as the user `postgres`.
    pub fn start() -> Result<Self> {
        let programs = tools::postgres_programs()?;
        // Not in $TMPDIR: the path of a socket has 107 bytes at most.
        let folder = tempfile::Builder::new().prefix("xinheng-postgres-").tempdir_in("/tmp")?;
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "keeper"]).arg(programs).arg(folder.path());
        if tools::user_id()? == 0 {
            let (user, group) = (id("-u")?, id("-g")?);
            chown(folder.path(), Some(user), Some(group))?;
            keeper.uid(user).gid(group);
        }
        let mut keeper = keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        // From here on the keeper deletes the folder.
        let folder = folder.keep();
        let mut said = String::new();
        BufReader::new(keeper.stdout.take().expect("piped just above")).read_line(&mut said)?;
        let cluster = Self { folder, keeper };
        if said.trim() != "ready" {
            bail!("测试用的 PostgreSQL 没有启动，原因见上");
        }
        Ok(cluster)
    }

    /// The address in the form that sqlx understands.
    pub fn url(&self) -> String {
        format!("postgres://postgres@localhost/postgres?host={}", self.folder.display())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        if let Err(error) = self.keeper.wait() {
            eprintln!("测试用的 PostgreSQL 没有停下（{}）：{error}", self.folder.display());
        }
    }
}

fn id(option: &str) -> Result<u32> {
    let id = output(Command::new("id").args([option, "postgres"]))
        .context("以 root 运行时，PostgreSQL 需要系统用户 postgres，而本机没有；请安装发行版的 postgresql 软件包")?;
    Ok(id.parse()?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_cluster_knows_utf8_and_leaves_nothing_behind() {
        let cluster = Cluster::start().unwrap();
        let mut psql = Command::new(tools::postgres_programs().unwrap().join("psql"));
        let query = "select upper('é') || length('新衡县')";
        let answer = psql.args(["--no-psqlrc", "--tuples-only", "--no-align", "--command", query, &cluster.url()]);
        assert_eq!(output(answer).unwrap(), "É3");
        let folder = cluster.folder.clone();
        assert!(folder.exists());
        drop(cluster);
        assert!(!folder.exists(), "{} is still there", folder.display());
    }
}
