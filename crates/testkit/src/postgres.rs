//! A real Postgres server of our own: a fresh cluster in a folder, on loopback, without a password.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use tempfile::TempDir;

use crate::{
    child::{TiedChild, tied_command},
    port::free_port,
};

/// Where Debian puts the server's programs.
const DEBIAN: &str = "/usr/lib/postgresql/15/bin";
/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server; stopped on drop.
#[derive(Debug)]
pub struct Postgres {
    child: TiedChild,
    port: u16,
    binaries: PathBuf,
    _temporary: Option<TempDir>,
}

impl Postgres {
    /// Starts a server with its cluster in a temporary folder.
    ///
    /// # Errors
    /// When Postgres is not installed or does not answer.
    pub async fn start() -> anyhow::Result<Self> {
        let temporary = tempfile::tempdir()?;
        let folder = temporary.path().join("postgres");
        Self::start_in(&folder, Some(temporary)).await
    }

    /// Starts a server with a new cluster in `folder`, which must not exist.
    ///
    /// # Errors
    /// When Postgres is not installed, the folder exists, or the server does not answer.
    pub async fn start_at(folder: &Path) -> anyhow::Result<Self> {
        Self::start_in(folder, None).await
    }

    async fn start_in(folder: &Path, temporary: Option<TempDir>) -> anyhow::Result<Self> {
        let binaries = std::env::var_os("PARITY_PG_BIN").map_or_else(|| PathBuf::from(DEBIAN), PathBuf::from);
        let port = free_port()?;
        let cluster = folder.join("cluster");
        std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        let user = server_user(folder)?;
        run(user.command(&binaries.join("initdb")).args(["-U", "postgres", "-A", "trust", "-N", "-D"]).arg(&cluster))?;

        let mut command = user.tied(&binaries.join("postgres"));
        command
            .arg("-D")
            .arg(&cluster)
            .args(["-p", &port.to_string(), "-k", "", "-h", "127.0.0.1"])
            // Losing this cluster loses nothing: it is a cache of the chain.
            .args(["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=200"]);
        let log = folder.join("postgres.log");
        let child = TiedChild::spawn("postgres", command, &log)?;
        let mut server = Self { child, port, binaries, _temporary: temporary };
        server.wait(&log).await?;
        Ok(server)
    }

    async fn wait(&mut self, log: &Path) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ready = Command::new(self.binaries.join("pg_isready"))
                .args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()])
                .status()
                .context("running pg_isready")?;
            if ready.success() {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("Postgres does not answer; see {}", log.display());
            }
            self.child.check(log)?;
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Creates a database and returns its URL.
    ///
    /// # Errors
    /// When the name is taken.
    pub fn create_database(&self, name: &str) -> anyhow::Result<String> {
        run(Command::new(self.binaries.join("createdb")).args([
            "-h",
            "127.0.0.1",
            "-U",
            "postgres",
            "-p",
            &self.port.to_string(),
            name,
        ]))?;
        Ok(format!("postgres://postgres@127.0.0.1:{}/{name}", self.port))
    }

    /// Process id of the server.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

/// Who runs the server: initdb refuses root, so root lends it to the user `postgres`.
struct ServerUser {
    is_root: bool,
}

fn server_user(folder: &Path) -> anyhow::Result<ServerUser> {
    let me = Command::new("id").arg("-u").output().context("asking for the user id")?;
    let is_root = String::from_utf8_lossy(&me.stdout).trim() == "0";
    if is_root {
        run(Command::new("chown").arg("postgres:postgres").arg(folder))?;
        // The server's user must be able to walk to its cluster.
        for parent in folder.ancestors().skip(1).filter(|parent| parent.starts_with(std::env::temp_dir())) {
            let _ = Command::new("chmod").arg("a+x").arg(parent).status();
        }
    }
    Ok(ServerUser { is_root })
}

impl ServerUser {
    const SWITCH: [&str; 3] = ["--reuid=postgres", "--regid=postgres", "--clear-groups"];

    fn command(&self, program: &Path) -> Command {
        if !self.is_root {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        command.args(Self::SWITCH).arg("--").arg(program);
        command
    }

    fn tied(&self, program: &Path) -> Command {
        if !self.is_root {
            return tied_command(&program.to_string_lossy());
        }
        let mut command = Command::new("setpriv");
        command.args(Self::SWITCH).args(["--pdeathsig", "KILL", "--"]).arg(program);
        command
    }
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("running {command:?}; script/setup installs Postgres"))?;
    if output.status.success() {
        return Ok(());
    }
    bail!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
}
