//! Child processes that never outlive us: killed on drop, and by the kernel when we are killed ourselves.

use std::{
    fs::File,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};

/// A command that gets SIGKILL when this process dies, however it dies (`setpriv --pdeathsig`, util-linux).
pub fn tied_command(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--", program]);
    command
}

/// A running child.
#[derive(Debug)]
pub struct TiedChild {
    name: String,
    child: Child,
}

impl TiedChild {
    /// Starts a command made by [`tied_command`], with its output in `log`.
    ///
    /// # Errors
    /// When the program cannot be started or the log not be written.
    pub fn spawn(name: &str, mut command: Command, log: &Path) -> anyhow::Result<Self> {
        let out = File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("opening the log {}", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .with_context(|| format!("starting {name}; is it installed? script/setup installs it"))?;
        Ok(Self { name: name.to_owned(), child })
    }

    /// Process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether the process still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks the process to stop and kills it after `patience`.
    pub fn stop(&mut self, patience: Duration) {
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline && self.is_running() {
            std::thread::sleep(Duration::from_millis(20));
        }
        self.kill();
    }

    /// SIGKILL, now.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Fails with the end of the log when the process has ended.
    ///
    /// # Errors
    /// When the process has ended.
    pub fn check(&mut self, log: &Path) -> anyhow::Result<()> {
        if self.is_running() {
            return Ok(());
        }
        let text = std::fs::read_to_string(log).unwrap_or_default();
        let tail: Vec<&str> = text.lines().rev().take(10).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        bail!("{} ended; the end of {} says:\n{}", self.name, log.display(), tail.join("\n"));
    }
}

impl Drop for TiedChild {
    fn drop(&mut self) {
        self.kill();
    }
}
