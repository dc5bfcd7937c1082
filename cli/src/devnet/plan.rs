//! What a devnet consists of: folders, wallets, and how each daemon is started.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

use super::daemon::Recipe;
use crate::{args::DevnetArgs, network::DevnetDescriptor};

/// Password of all devnet wallets; it guards play money.
const PASSWORD: &str = "devnet";
/// Name of the wallet that commands sign with.
pub(crate) const REQUESTER: &str = "default";

/// Everything that is fixed before daemons start.
pub(crate) struct Plan {
    /// What other commands are told.
    pub(crate) descriptor: DevnetDescriptor,
    /// Where trainers run, in words.
    pub(crate) sandbox: String,
    folder: PathBuf,
    sandbox_arguments: Vec<String>,
    indexer_listen: String,
    runners: usize,
    keepers: usize,
}

impl Plan {
    /// Lays out a devnet in `folder`.
    pub(crate) fn new(
        args: &DevnetArgs,
        folder: &Path,
        rpc: &str,
        database_url: &str,
        indexer_port: u16,
    ) -> anyhow::Result<Self> {
        if args.runners + args.keepers + 2 > usize::try_from(parity_testkit::anvil::ACCOUNTS)? {
            bail!(
                "{} runners and {} keepers are more than a devnet has funded accounts for",
                args.runners,
                args.keepers
            );
        }
        let deployments = folder.join("deployments.json");
        parity_testkit::anvil::deployments()?.save(&deployments)?;
        let password_file = folder.join("password");
        fs::write(&password_file, PASSWORD).context("writing the password file")?;
        let store = match &args.devnet_store {
            Some(store) => store.clone(),
            None => format!("folder:{}", folder.join("content").display()),
        };
        let indexer_listen = format!("127.0.0.1:{indexer_port}");
        let descriptor = DevnetDescriptor {
            pid: std::process::id(),
            rpc: rpc.to_owned(),
            deployments,
            indexer: format!("http://{indexer_listen}"),
            stores: vec![store],
            database_url: database_url.to_owned(),
            keystore_dir: folder.join("wallets"),
            password_file,
            log_dir: folder.join("logs"),
            processes: BTreeMap::new(),
        };
        Ok(Self {
            descriptor,
            sandbox: args.sandbox.describe(),
            folder: folder.to_owned(),
            sandbox_arguments: args.sandbox.to_arguments()?,
            indexer_listen,
            runners: args.runners,
            keepers: args.keepers,
        })
    }

    /// Names of the keepers.
    pub(crate) fn keeper_names(&self) -> Vec<String> {
        (1..=self.keepers).map(|number| format!("keeper-{number}")).collect()
    }

    /// Names of the runners.
    pub(crate) fn runner_names(&self) -> Vec<String> {
        (1..=self.runners).map(|number| format!("runner-{number}")).collect()
    }

    /// State folder of an operator.
    pub(crate) fn state(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// How to start every daemon.
    pub(crate) fn daemons(&self) -> anyhow::Result<Vec<Recipe>> {
        let mut recipes = vec![self.recipe(
            "indexer",
            REQUESTER,
            ["indexer", "start", "--database-url", &self.descriptor.database_url, "--listen", &self.indexer_listen],
            &[],
        )];
        for name in self.keeper_names() {
            let state = self.state(&name).display().to_string();
            recipes.push(self.recipe(&name, &name, ["keeper", "start", "--state", &state], &self.sandbox_arguments));
        }
        for name in self.runner_names() {
            let state = self.state(&name).display().to_string();
            recipes.push(self.recipe(&name, &name, ["runner", "start", "--state", &state], &self.sandbox_arguments));
        }
        Ok(recipes)
    }

    fn recipe<const N: usize>(&self, name: &str, wallet: &str, command: [&str; N], more: &[String]) -> Recipe {
        let d = &self.descriptor;
        let mut arguments: Vec<String> = command.iter().map(|&argument| argument.to_owned()).collect();
        arguments.extend_from_slice(more);
        for (flag, value) in [
            ("--rpc", d.rpc.clone()),
            ("--deployments", d.deployments.display().to_string()),
            ("--keystore-dir", d.keystore_dir.display().to_string()),
            ("--password-file", d.password_file.display().to_string()),
            ("--wallet", wallet.to_owned()),
        ] {
            arguments.extend([flag.to_owned(), value]);
        }
        for store in &d.stores {
            arguments.extend(["--store".to_owned(), store.clone()]);
        }
        Recipe { name: name.to_owned(), arguments, log: d.log_dir.join(format!("{name}.log")) }
    }
}
