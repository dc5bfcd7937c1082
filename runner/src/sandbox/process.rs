//! One process per job, for machines where no Docker daemon can run.
//!
//! What it does: resource limits (processor seconds, memory, size of a file, open files), no capabilities and none to gain,
//! the same supervision of time, output and log as a container, an end with the agent, and, where the kernel allows
//! namespaces, no network and no sight of other processes. What it does not do: hide the file system. The program
//! comes from util-linux (`setpriv`, `unshare`, `prlimit`), so that no code here runs between fork and exec.

use std::{
    ffi::OsString,
    io,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{OnceLock, mpsc},
    time::Instant,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
    runtime::Handle,
    sync::oneshot,
};

use super::{
    Error, Limits, Result, Times, folder::JobFolder, isolation::Isolation, limits::OPEN_FILES, log::Log,
    watch::supervise,
};

/// Signals by which the kernel ends a process at a resource limit.
const SIGXCPU: i64 = 24;
const SIGXFSZ: i64 = 25;

/// Runs jobs as processes of one program.
#[derive(Clone, Debug)]
pub struct Process {
    program: PathBuf,
    libraries: Option<PathBuf>,
    isolation: &'static Isolation,
}

impl Process {
    /// Finds the program and what of isolation this machine allows, and says loudly what is missing. `libraries` is where the
    /// program's shared libraries lie, if not beside it or where the system looks.
    ///
    /// # Errors
    /// [`Error::NoProgram`].
    pub async fn open(program: &Path, libraries: Option<&Path>) -> Result<Self> {
        let found = program.canonicalize().ok().filter(|path| path.is_file());
        let program = found.ok_or_else(|| Error::NoProgram { path: program.to_owned() })?;
        let isolation = Isolation::find().await;
        let process = Self { program, libraries: libraries.map(Path::to_owned), isolation };
        for risk in process.risks() {
            tracing::warn!("process sandbox: {risk}");
        }
        Ok(process)
    }

    /// What this sandbox does not isolate, in sentences for a person.
    pub fn risks(&self) -> Vec<&'static str> {
        self.isolation.risks()
    }

    pub(super) async fn run(
        &self,
        folder: &JobFolder,
        environment: &[(String, String)],
        limits: &Limits,
        begun: Instant,
    ) -> Result<Times> {
        let line = self.command_line(folder, limits);
        let mut command = Command::new(&line[0]);
        command.args(&line[1..]).env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("TMPDIR", folder.out());
        if let Some(libraries) = &self.libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        command.current_dir(folder.out()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own, so that it ends with everything it started.
        command.process_group(0).kill_on_drop(true);
        let child = spawn_for_good(command).await.map_err(Error::io("start", &self.program))?;
        let start = begun.elapsed();
        let running = Instant::now();

        let mut group = Group::new(child);
        let (status, log) = supervise(group.run_to_end(), folder, limits).await?;
        drop(group);
        if status.success() {
            return Ok(Times { start, run: running.elapsed() });
        }
        Err(failure(status, &log, folder, limits))
    }

    fn command_line(&self, folder: &JobFolder, limits: &Limits) -> Vec<OsString> {
        let cpu_seconds = limits.seconds.saturating_mul(u64::from(limits.cpus));
        let mut line: Vec<OsString> = self.isolation.words().map(OsString::from).collect();
        line.push("prlimit".into());
        line.push("--core=0".into());
        line.push(format!("--cpu={cpu_seconds}").into());
        line.push(format!("--data={}", limits.memory).into());
        line.push(format!("--fsize={}", limits.output_bytes).into());
        line.push(format!("--nofile={OPEN_FILES}").into());
        line.push("--".into());
        line.extend([self.program.clone(), folder.job(), folder.out()].map(OsString::from));
        line
    }
}

/// Starts a command from a thread that lives as long as the agent: the kernel ties a child to the *thread* that started it, and
/// threads of a runtime come and go.
async fn spawn_for_good(command: Command) -> io::Result<Child> {
    type Order = (Command, Handle, oneshot::Sender<io::Result<Child>>);
    static SPAWNER: OnceLock<mpsc::Sender<Order>> = OnceLock::new();
    let orders = SPAWNER.get_or_init(|| {
        let (orders, inbox) = mpsc::channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, runtime, answer) in inbox {
                let _context = runtime.enter();
                // Nobody waits for the answer if the job was cancelled; the child is then killed on drop.
                answer.send(command.spawn()).ok();
            }
        });
        orders
    });
    let (answer, child) = oneshot::channel();
    orders.send((command, Handle::current(), answer)).map_err(io::Error::other)?;
    child.await.map_err(io::Error::other)?
}

/// A process and all it started, killed on drop.
struct Group {
    child: Child,
    id: Option<Pid>,
}

impl Group {
    fn new(child: Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Self { child, id }
    }

    async fn run_to_end(&mut self) -> Result<(ExitStatus, Log)> {
        let (stdout, stderr) = (self.child.stdout.take(), self.child.stderr.take());
        let log = std::sync::Mutex::new(Log::default());
        let (status, (), ()) = tokio::try_join!(self.wait(), drain(stdout, &log), drain(stderr, &log))?;
        let log = log.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok((status, log))
    }

    async fn wait(&mut self) -> Result<ExitStatus> {
        let status = self.child.wait().await.map_err(Error::io("wait for", "the trainer"))?;
        // What it started in the background would otherwise keep the log open.
        self.kill();
        Ok(status)
    }

    fn kill(&mut self) {
        if let Some(id) = self.id.take() {
            // An empty group is what is wanted.
            kill_process_group(id, Signal::KILL).ok();
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn drain(pipe: Option<impl AsyncRead + Unpin>, log: &std::sync::Mutex<Log>) -> Result<()> {
    let Some(mut pipe) = pipe else { return Ok(()) };
    let mut buffer = vec![0; 16 << 10];
    loop {
        let read = pipe.read(&mut buffer).await.map_err(Error::io("read the log of", "the trainer"))?;
        if read == 0 {
            return Ok(());
        }
        log.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(&buffer[..read])?;
    }
}

fn failure(status: ExitStatus, log: &Log, folder: &JobFolder, limits: &Limits) -> Error {
    let code = status.code().map_or_else(|| -i64::from(status.signal().unwrap_or(0)), i64::from);
    match code {
        _ if folder.has_full_file(limits.output_bytes) => Error::OutputTooLarge { limit: limits.output_bytes },
        _ if code == -SIGXFSZ || code == 128 + SIGXFSZ => Error::OutputTooLarge { limit: limits.output_bytes },
        _ if code == -SIGXCPU || code == 128 + SIGXCPU => Error::TimedOut { seconds: limits.seconds },
        _ => Error::Failed { code, log: log.text() },
    }
}
