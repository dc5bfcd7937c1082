//! Child processes that never outlive us: killed on drop, and by the kernel when we are killed ourselves.

use std::{
    fs::File,
    io,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{OnceLock, mpsc},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};

/// A command that gets SIGKILL when this process dies, however it dies (`setpriv --pdeathsig`, util-linux).
pub fn tied_command(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--", program]);
    command
}

/// Starts a command from a thread that lives as long as the process: the kernel ties a child to the *thread* that started it,
/// and a test's thread, or one of a runtime's pool, ends early.
fn spawn_for_good(command: Command) -> io::Result<Child> {
    type Order = (Command, mpsc::Sender<io::Result<Child>>);
    static SPAWNER: OnceLock<mpsc::Sender<Order>> = OnceLock::new();
    let orders = SPAWNER.get_or_init(|| {
        let (orders, inbox) = mpsc::channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, answer) in inbox {
                // Nobody waits for the answer only if the asking thread has died.
                let _ = answer.send(command.spawn());
            }
        });
        orders
    });
    let (answer, child) = mpsc::channel();
    orders.send((command, answer)).map_err(io::Error::other)?;
    child.recv().map_err(io::Error::other)?
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
        command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
        let child = spawn_for_good(command)
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
