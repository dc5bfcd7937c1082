//! A daemon of the devnet: a child that is started again when it ends.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use parity_testkit::child::{TiedChild, tied_command};

/// How long a daemon may take to stop by itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// How to start a daemon.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    /// Unique name, also of the log.
    pub(crate) name: String,
    /// Arguments of `parity`.
    pub(crate) arguments: Vec<String>,
    /// Where its output goes.
    pub(crate) log: PathBuf,
}

/// A running daemon.
#[derive(Debug)]
pub(crate) struct Daemon {
    recipe: Recipe,
    child: TiedChild,
}

impl Daemon {
    /// Starts it.
    pub(crate) fn start(recipe: Recipe) -> anyhow::Result<Self> {
        let child = spawn(&recipe)?;
        Ok(Self { recipe, child })
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.recipe.name
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its log.
    pub(crate) fn log(&self) -> &Path {
        &self.recipe.log
    }

    /// Fails with the end of the log when it has ended.
    pub(crate) fn check(&mut self) -> anyhow::Result<()> {
        self.child.check(&self.recipe.log)
    }

    /// Starts it again when it has ended; says whether it did.
    pub(crate) fn revive(&mut self) -> anyhow::Result<bool> {
        if self.child.is_running() {
            return Ok(false);
        }
        self.child = spawn(&self.recipe)?;
        Ok(true)
    }

    /// Stops it.
    pub(crate) fn stop(&mut self) {
        self.child.stop(PATIENCE);
    }
}

fn spawn(recipe: &Recipe) -> anyhow::Result<TiedChild> {
    let program = std::env::current_exe()?;
    let mut command = tied_command(&program.to_string_lossy());
    command.args(&recipe.arguments);
    TiedChild::spawn(&recipe.name, command, &recipe.log)
}
