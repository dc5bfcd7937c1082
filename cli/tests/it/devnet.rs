//! A network of its own for one test: `parity devnet` in a temporary home, its daemons, its descriptor.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use parity_testkit::child::{TiedChild, tied_command};
use serde_json::Value;

use crate::{
    chain::Chain,
    command::{Home, Output, PARITY},
    wait,
};

/// How long a network may take to come up, and to stop.
const START: Duration = Duration::from_secs(90);
const STOP: Duration = Duration::from_secs(40);
/// Lines of each log that a failed test shows.
const TAIL: usize = 12;

/// One network at a time: each wants the whole machine.
static MACHINE: Mutex<()> = Mutex::new(());

/// What a network consists of.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) runners: usize,
    pub(crate) keepers: usize,
    pub(crate) store: Option<String>,
    pub(crate) data: Vec<PathBuf>,
}

impl Default for Layout {
    fn default() -> Self {
        Self { runners: 3, keepers: 1, store: None, data: Vec::new() }
    }
}

/// A running network; stopped on drop.
#[derive(Debug)]
pub(crate) struct Devnet {
    home: Home,
    process: TiedChild,
    ready: Value,
    _machine: MutexGuard<'static, ()>,
}

impl Devnet {
    /// Three runners and one keeper.
    pub(crate) fn start() -> Self {
        Self::start_as(&Layout::default())
    }

    /// Starts a network and waits until it is ready.
    pub(crate) fn start_as(layout: &Layout) -> Self {
        let machine = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
        let home = Home::new();
        let mut command = tied_command(PARITY);
        command
            .args(["--json", "devnet", "--runners", &layout.runners.to_string()])
            .args(["--keepers", &layout.keepers.to_string()])
            .current_dir(home.path());
        if let Some(store) = &layout.store {
            command.args(["--devnet-store", store]);
        }
        for file in &layout.data {
            command.arg("--data").arg(file);
        }
        home.set_up(&mut command);
        let log = home.path().join("devnet.log");
        let mut process = TiedChild::spawn("parity devnet", command, &log).unwrap();
        let ready = wait::until("the devnet is ready", START, || {
            if let Err(error) = process.check(&log) {
                panic!("{error:#}");
            }
            fs::read_to_string(&log).ok()?.lines().find_map(|line| serde_json::from_str(line).ok())
        });
        Self { home, process, ready, _machine: machine }
    }

    /// What the network said when it was ready.
    pub(crate) fn ready(&self) -> &Value {
        &self.ready
    }

    /// Home of everybody on this network.
    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    /// The folder of the network itself.
    pub(crate) fn folder(&self) -> PathBuf {
        self.home.path().join("devnet")
    }

    /// Runs a command in the home, as a person without arguments for programs.
    pub(crate) fn parity(&self, arguments: &[&str]) -> Output {
        self.home.parity(arguments)
    }

    /// Runs a command that prints one JSON document.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        self.json_in(self.home.path(), arguments)
    }

    /// Runs a command in a folder that prints one JSON document.
    pub(crate) fn json_in(&self, folder: &Path, arguments: &[&str]) -> Value {
        self.home.parity_in(folder, &[&["--json"], arguments].concat()).document()
    }

    /// The descriptor that other commands find the network by.
    pub(crate) fn descriptor(&self) -> Value {
        serde_json::from_slice(&fs::read(self.home.path().join("devnet.json")).unwrap()).unwrap()
    }

    /// A text of the descriptor.
    pub(crate) fn descriptor_text(&self, key: &str) -> String {
        self.descriptor()[key].as_str().unwrap().to_owned()
    }

    /// Daemons by name, with their process ids as of now.
    pub(crate) fn daemons(&self) -> BTreeMap<String, u32> {
        serde_json::from_value(self.descriptor()["processes"].clone()).unwrap()
    }

    /// A reader of the contracts, apart from everything under test but the client.
    pub(crate) fn chain(&self) -> Chain {
        Chain::connect(&self.descriptor_text("rpc"), Path::new(&self.descriptor_text("deployments")))
    }

    /// Follows a session to its end; returns its final rounds and the last line.
    pub(crate) fn watch(&self, session: u64) -> (Vec<Value>, Value) {
        let mut events = self.parity(&["--json", "fl", "watch", &session.to_string()]).documents();
        let ended = events.pop().unwrap();
        assert_eq!(ended["event"], "ended");
        assert!(events.iter().all(|event| event["event"] == "round"));
        (events, ended)
    }

    /// Asks the network to stop, as Ctrl-C does, and waits.
    pub(crate) fn stop(&mut self) {
        self.process.stop(STOP);
    }

    fn print_logs(&self) {
        let logs = fs::read_dir(self.folder().join("logs")).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut logs: Vec<PathBuf> = logs.chain([self.home.path().join("devnet.log")]).collect();
        logs.sort();
        for log in logs {
            let text = fs::read_to_string(&log).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            println!("== the end of {}", log.display());
            for line in &lines[lines.len().saturating_sub(TAIL)..] {
                println!("{line}");
            }
        }
    }
}

impl Drop for Devnet {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.print_logs();
        }
        self.stop();
    }
}
