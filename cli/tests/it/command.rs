//! Running the binary: a home folder of its own, a deadline, and what came out.

use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::wait;

/// The program under test.
pub(crate) const PARITY: &str = env!("CARGO_BIN_EXE_parity");
/// How long a command may take: a creation waits until all seats are claimed.
const PATIENCE: Duration = Duration::from_secs(180);
/// Settings of whoever runs the tests that would lead commands elsewhere.
const FOREIGN: [&str; 10] = [
    "PARITY_RPC",
    "PARITY_DEPLOYMENTS",
    "PARITY_STORES",
    "PARITY_INDEXER",
    "PARITY_KEYSTORE_DIR",
    "PARITY_WALLET",
    "PARITY_PASSWORD_FILE",
    "PARITY_RUNNER_STATE",
    "PARITY_KEEPER_STATE",
    "DATABASE_URL",
];

/// A user's home: where `parity` keeps everything. Kept for a look when the test fails.
#[derive(Debug)]
pub(crate) struct Home {
    folder: Option<TempDir>,
    path: PathBuf,
    commands: AtomicU32,
}

impl Home {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("parity-it-").tempdir().unwrap();
        // Postgres runs as another user and must be able to walk into the folder.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(folder.path().join("commands")).unwrap();
        Self { path: folder.path().to_owned(), folder: Some(folder), commands: AtomicU32::new(0) }
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Points a command at this home.
    pub(crate) fn set_up(&self, command: &mut Command) {
        command.env("PARITY_HOME", &self.path).env("RUST_LOG", "info").stdin(Stdio::null());
        for name in FOREIGN {
            command.env_remove(name);
        }
    }

    /// Runs `parity` in the home.
    pub(crate) fn parity(&self, arguments: &[&str]) -> Output {
        self.parity_in(&self.path, arguments)
    }

    /// Runs `parity` in a folder.
    pub(crate) fn parity_in(&self, folder: &Path, arguments: &[&str]) -> Output {
        self.start_in(folder, arguments).finish()
    }

    /// Starts `parity` in a folder.
    pub(crate) fn start_in(&self, folder: &Path, arguments: &[&str]) -> Running {
        let mut command = Command::new(PARITY);
        command.args(arguments).current_dir(folder);
        self.set_up(&mut command);
        let number = self.commands.fetch_add(1, Ordering::Relaxed);
        let file = |kind: &str| self.path.join(format!("commands/{number}.{kind}"));
        let (stdout, stderr) = (file("out"), file("err"));
        command.stdout(File::create(&stdout).unwrap()).stderr(File::create(&stderr).unwrap());
        Running { line: format!("parity {}", arguments.join(" ")), child: command.spawn().unwrap(), stdout, stderr }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(folder) = self.folder.take()
        {
            println!("what the test left is in {}", folder.keep().display());
        }
    }
}

/// A command under way.
#[derive(Debug)]
pub(crate) struct Running {
    line: String,
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Running {
    /// What it has said so far beside its result.
    pub(crate) fn stderr(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap()
    }

    /// Waits until it says some words.
    pub(crate) fn says(&self, words: &str) {
        wait::until(&format!("'{}' says '{words}'", self.line), PATIENCE, || {
            self.stderr().contains(words).then_some(())
        });
    }

    /// SIGKILL, now; it must have been running.
    pub(crate) fn kill(mut self) {
        assert!(self.child.try_wait().unwrap().is_none(), "'{}' had ended by itself", self.line);
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Output {
        let waiting = format!("'{}' ends (see {})", self.line, self.stderr.display());
        let status = wait::until(&waiting, PATIENCE, || self.child.try_wait().unwrap());
        let read = |file: &Path| fs::read_to_string(file).unwrap();
        Output { line: self.line, status, stdout: read(&self.stdout), stderr: read(&self.stderr) }
    }
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Output {
    line: String,
    status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// The command must have succeeded.
    pub(crate) fn succeeded(self) -> Self {
        assert!(self.status.success(), "'{}' ended with {}:\n{}{}", self.line, self.status, self.stdout, self.stderr);
        self
    }

    /// Its JSON documents, one a line.
    pub(crate) fn documents(self) -> Vec<Value> {
        let output = self.succeeded();
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|_| panic!("'{}' printed {line}", output.line));
        output.stdout.lines().map(parse).collect()
    }

    /// Its one JSON document.
    pub(crate) fn document(self) -> Value {
        let line = self.line.clone();
        let documents = self.documents();
        let [document] = &documents[..] else { panic!("'{line}' printed {} documents", documents.len()) };
        document.clone()
    }

    /// The command must have failed with exit code 1, one error, nothing on standard output; returns the error.
    pub(crate) fn refusal(self) -> String {
        assert_eq!(self.status.code(), Some(1), "'{}':\n{}{}", self.line, self.stdout, self.stderr);
        assert_eq!(self.stdout, "", "'{}' printed a result and failed", self.line);
        let errors: Vec<&str> = self.stderr.lines().filter_map(|line| line.strip_prefix("error: ")).collect();
        let [error] = errors[..] else { panic!("'{}' printed {} errors:\n{}", self.line, errors.len(), self.stderr) };
        error.to_owned()
    }

    /// The command must have failed at the words of `expected`, in their order.
    pub(crate) fn refused_with(self, expected: &[&str]) -> Self {
        let (line, stdout, stderr, status) = (self.line.clone(), self.stdout.clone(), self.stderr.clone(), self.status);
        let error = self.refusal();
        let mut rest = error.as_str();
        for words in expected {
            let Some(at) = rest.find(words) else { panic!("'{line}' does not say '{words}' (in order) in:\n{error}") };
            rest = &rest[at + words.len()..];
        }
        Self { line, status, stdout, stderr }
    }

    /// The command line must have been refused as such, with exit code 2 and the way to help.
    pub(crate) fn misused(self) {
        assert_eq!(self.status.code(), Some(2), "'{}':\n{}{}", self.line, self.stdout, self.stderr);
        assert_eq!(self.stdout, "");
        assert!(self.stderr.starts_with("error: ") && self.stderr.contains("--help"), "{}", self.stderr);
    }
}
