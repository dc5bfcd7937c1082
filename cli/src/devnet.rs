//! `parity devnet`: a whole network on this machine, in one command.
//!
//! anvil and Postgres run as children, and so does every daemon, each a `parity ... start` of its own, so that any of them
//! can be killed as it could be on a real network; one that ends is started again. All children die with this process.
//! Nothing survives a restart: the chain starts anew, so everything that belongs to it does.

mod accounts;
mod daemon;
mod plan;

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use alloy::providers::ext::AnvilApi;
use anyhow::{Context, bail};
use parity_testkit::{Anvil, Mining, Postgres, port::free_port};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::{
    args::{DevnetArgs, GlobalArgs},
    network::DevnetDescriptor,
    output::{Output, facts},
    paths,
};
use daemon::Daemon;

/// How often children are looked after.
const ROUND: Duration = Duration::from_millis(300);
/// How long daemons may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Serialize)]
struct Ready {
    rpc: String,
    indexer: String,
    runners: usize,
    keepers: usize,
    sandbox: String,
    seconds: f64,
    logs: PathBuf,
}

/// Starts the network, says when it is ready, and keeps it up until it is told to stop.
pub(crate) async fn run(args: DevnetArgs, global: &GlobalArgs) -> anyhow::Result<()> {
    if let Some(running) = DevnetDescriptor::running()? {
        bail!("a devnet runs already (process {}); stop it first: kill {}", running.pid, running.pid);
    }
    let output = Output::new(global.json);
    let shutdown = parity_service::shutdown_signal()?;
    let started = Instant::now();
    let folder = fresh_folder()?;

    output.note("starting anvil and Postgres");
    let (anvil, postgres) = tokio::try_join!(Anvil::start_at(&folder, Mining::Instant), Postgres::start())?;
    let database_url = postgres.create_database("parity")?;
    output.note("funding wallets, registering operators");
    let plan = plan::Plan::new(&args, &folder, &anvil.rpc(), &database_url, free_port()?)?;
    accounts::prepare(&plan, &args).await?;
    let provider = anvil.provider()?;
    provider.anvil_set_auto_mine(false).await.context("switching anvil to a clock")?;
    provider.anvil_set_interval_mining(args.block_time).await.context("switching anvil to a clock")?;

    output.note("starting indexer, keepers and runners");
    let mut daemons = plan.daemons()?.into_iter().map(Daemon::start).collect::<anyhow::Result<Vec<_>>>()?;
    wait_for_indexer(&plan.descriptor.indexer, &mut daemons).await?;
    publish(&plan.descriptor, &daemons)?;

    let ready = Ready {
        rpc: anvil.rpc(),
        indexer: plan.descriptor.indexer.clone(),
        runners: args.runners,
        keepers: args.keepers,
        sandbox: plan.sandbox.clone(),
        seconds: started.elapsed().as_secs_f64(),
        logs: plan.descriptor.log_dir.clone(),
    };
    output.result(&ready, text)?;
    let outcome = supervise(output, &plan.descriptor, &mut daemons, &shutdown).await;
    fs::remove_file(paths::devnet_descriptor()?).ok();
    output.note("stopping");
    for daemon in &mut daemons {
        daemon.stop();
    }
    outcome
}

fn text(ready: &Ready) -> String {
    let table = facts([
        ("chain", format!("{} (chain id 314159)", ready.rpc)),
        ("read API", ready.indexer.clone()),
        ("keepers, runners", format!("{}, {} in {}", ready.keepers, ready.runners, ready.sandbox)),
        ("logs", ready.logs.display().to_string()),
        ("ready after", format!("{:.1} s", ready.seconds)),
    ]);
    format!("{table}\nthe network is up; other terminals find it by themselves; stop it with Ctrl-C")
}

/// An empty folder for this run.
fn fresh_folder() -> anyhow::Result<PathBuf> {
    let folder = paths::devnet()?;
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("removing the last devnet's {}", folder.display()))?;
    }
    fs::create_dir_all(folder.join("logs")).with_context(|| format!("creating {}", folder.display()))?;
    Ok(folder)
}

async fn wait_for_indexer(url: &str, daemons: &mut [Daemon]) -> anyhow::Result<()> {
    let client = reqwest::Client::new();
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Ok(answer) = client.get(format!("{url}/health")).send().await
            && answer.status().is_success()
        {
            return Ok(());
        }
        for daemon in daemons.iter_mut() {
            daemon.check()?;
        }
        if Instant::now() > deadline {
            bail!("the indexer does not answer at {url}; see its log");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Writes the descriptor with the current process ids.
fn publish(descriptor: &DevnetDescriptor, daemons: &[Daemon]) -> anyhow::Result<()> {
    let processes: BTreeMap<String, u32> =
        daemons.iter().map(|daemon| (daemon.name().to_owned(), daemon.id())).collect();
    let document = DevnetDescriptor { processes, ..descriptor.clone() };
    let path = paths::devnet_descriptor()?;
    let partial = path.with_extension("partial");
    fs::write(&partial, serde_json::to_vec_pretty(&document)?)
        .and_then(|()| fs::rename(&partial, &path))
        .with_context(|| format!("writing {}", path.display()))
}

/// Starts daemons again that have ended, until shutdown.
async fn supervise(
    output: Output,
    descriptor: &DevnetDescriptor,
    daemons: &mut [Daemon],
    shutdown: &CancellationToken,
) -> anyhow::Result<()> {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = tokio::time::sleep(ROUND) => {}
        }
        let mut changed = false;
        for daemon in daemons.iter_mut() {
            if daemon.revive()? {
                output.note(format!(
                    "{} had ended and was started again; see {}",
                    daemon.name(),
                    daemon.log().display()
                ));
                changed = true;
            }
        }
        if changed {
            publish(descriptor, daemons)?;
        }
    }
}
