//! `parity doctor`: what this machine has and lacks, with the remedy.

use std::{path::Path, process::Command};

use serde::Serialize;

use crate::{
    app::App,
    args::GlobalArgs,
    network::{DevnetDescriptor, Network},
    output::{Output, table},
};

#[derive(Serialize)]
struct Check {
    part: &'static str,
    needed_for: &'static str,
    found: Option<String>,
    remedy: &'static str,
}

/// Runs the command. Missing parts are a result, not an error: not everybody needs everything.
pub(crate) async fn run(global: &GlobalArgs) -> anyhow::Result<()> {
    let output = Output::new(global.json);
    let mut checks = vec![
        program("anvil", "anvil", &["--version"], "devnet", "script/setup, or install Foundry"),
        program(
            "Docker daemon",
            "docker",
            &["version", "--format", "{{.Server.Version}}"],
            "runners, keepers",
            "start dockerd (script/setup does), or use --sandbox process",
        ),
        program(
            "trainer image",
            "docker",
            &["image", "inspect", "--format", "{{.Id}}", "parity-trainer:latest"],
            "runners in Docker",
            "script/trainer-image",
        ),
        postgres(),
        trainer(),
        program("Kubo", "ipfs", &["version", "--number"], "stores named kubo:URL (optional)", "script/setup"),
    ];
    checks.push(devnet()?);
    checks.push(network(global).await);
    output.result(&checks, |checks| {
        table(
            ["part", "needed for", "found", "remedy"],
            checks.iter().map(|check| {
                let found = check.found.clone().unwrap_or_else(|| "missing".to_owned());
                let remedy = if check.found.is_some() { "" } else { check.remedy };
                [check.part.to_owned(), check.needed_for.to_owned(), found, remedy.to_owned()]
            }),
        )
    })
}

fn program(
    part: &'static str,
    name: &str,
    arguments: &[&str],
    needed_for: &'static str,
    remedy: &'static str,
) -> Check {
    let found = Command::new(name).args(arguments).output().ok().filter(|output| output.status.success());
    let found = found
        .map(|output| String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().trim().to_owned());
    Check { part, needed_for, found, remedy }
}

fn postgres() -> Check {
    let folder = std::env::var("PARITY_PG_BIN").unwrap_or_else(|_| "/usr/lib/postgresql/15/bin".to_owned());
    let server = Path::new(&folder).join("postgres");
    program(
        "Postgres",
        &server.to_string_lossy(),
        &["--version"],
        "devnet, indexer",
        "script/setup, or set PARITY_PG_BIN",
    )
}

fn trainer() -> Check {
    let found = std::env::var("PARITY_TRAINER").ok().filter(|path| Path::new(path).exists());
    Check {
        part: "trainer binary",
        needed_for: "runners with --sandbox process",
        found,
        remedy: "script/trainer-image builds it; set PARITY_TRAINER",
    }
}

fn devnet() -> anyhow::Result<Check> {
    let found = DevnetDescriptor::running()?.map(|devnet| format!("{} (process {})", devnet.rpc, devnet.pid));
    Ok(Check { part: "running devnet", needed_for: "commands without --rpc", found, remedy: "parity devnet" })
}

/// Whether the network of the flags answers with its chain id and has the contracts.
async fn network(global: &GlobalArgs) -> Check {
    let found = match Network::resolve(global) {
        Ok(_) => {
            App::connect(global).await.ok().map(|app| format!("{}, chain {}", app.network.name, app.client.chain_id()))
        }
        Err(_) => None,
    };
    Check {
        part: "network",
        needed_for: "everything on chain",
        found,
        remedy: "parity devnet, or --rpc and --deployments",
    }
}
