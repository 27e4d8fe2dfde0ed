//! Steps that are named, timed, and stop at the first failure.

use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The steps done so far, with their times.
#[derive(Default)]
pub struct Steps {
    done: Vec<(&'static str, Duration)>,
}

impl Steps {
    /// Does one step and prints its time.
    pub fn step<T>(&mut self, title: &'static str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        println!("\n━━ {title}");
        let start = Instant::now();
        let result = work().with_context(|| format!("✗ 未通过：{title}"))?;
        let time = start.elapsed();
        println!("✓ {title}（{:.1} 秒）", time.as_secs_f64());
        self.done.push((title, time));
        Ok(result)
    }

    /// Prints all steps with their times. The last line has the form that CI counts.
    pub fn summary(&self) {
        println!("\n━━ 全部通过");
        for (title, time) in &self.done {
            println!("{:8.1} 秒  {title}", time.as_secs_f64());
        }
        let total: Duration = self.done.iter().map(|(_, time)| *time).sum();
        println!("{:8.1} 秒  合计", total.as_secs_f64());
        println!("steps: {} passed, 0 failed", self.done.len());
    }
}

/// Runs a command with its output on the terminal.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status();
    check(command, status.map(|status| status.success()))
}

/// Runs a command and gives its standard output, without the white space around it.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.stderr(std::process::Stdio::inherit()).output();
    let success = output.as_ref().map(|output| output.status.success());
    check(command, success.map_err(|error| error.kind().into()))?;
    let text = String::from_utf8(output.expect("checked just above").stdout)?;
    Ok(text.trim().to_owned())
}

fn check(command: &Command, success: std::io::Result<bool>) -> Result<()> {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default().display();
    match success {
        Ok(true) => Ok(()),
        Ok(false) => {
            let arguments: Vec<_> = command.get_args().map(|part| part.to_string_lossy()).collect();
            bail!("命令失败，原因见上：{program} {}", arguments.join(" "))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => bail!("找不到程序 {program}，请先安装它再重试"),
        Err(error) => Err(error).with_context(|| format!("无法运行 {program}")),
    }
}
