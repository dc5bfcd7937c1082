//! `parity runner`, `parity keeper`, `parity indexer`: from flags to the daemons' configurations.

mod config;
mod data;

use parity_protocol::{Address, TokenAmount};
use serde::Serialize;

use crate::{
    args::{GlobalArgs, IndexerCommand, KeeperCommand, RunnerCommand},
    network::Network,
    output::{Output, facts},
};

pub(crate) use config::{Signer, keeper_config, runner_config};
pub(crate) use data::add_file;

#[derive(Serialize)]
struct Registered {
    operator: Address,
    stake: TokenAmount,
    roles: Vec<&'static str>,
}

/// Runs a runner command.
pub(crate) async fn runner(command: RunnerCommand, global: &GlobalArgs) -> anyhow::Result<()> {
    match command {
        RunnerCommand::Start(args) => {
            let network = Network::resolve(global)?;
            let config = runner_config(&network, &Signer::of(&network, global)?, args.state.as_deref(), Some(&args))?;
            parity_service::init_tracing(global.json);
            parity_runner::run(config, parity_service::shutdown_signal()?).await
        }
        RunnerCommand::Register(args) => {
            let network = Network::resolve(global)?;
            let signer = Signer::of(&network, global)?;
            let output = Output::new(global.json);
            output.note(format!("signing on {}", network.name));
            let config = runner_config(&network, &signer, args.state.as_deref(), None)?;
            let runner = parity_runner::register(&config, args.stake).await?;
            let registered = Registered { operator: runner.operator, stake: runner.stake, roles: vec!["runner"] };
            show(output, &registered)
        }
        RunnerCommand::Data(command) => data::run(command, global),
    }
}

/// Runs a keeper command.
pub(crate) async fn keeper(command: KeeperCommand, global: &GlobalArgs) -> anyhow::Result<()> {
    let network = Network::resolve(global)?;
    let signer = Signer::of(&network, global)?;
    match command {
        KeeperCommand::Start(args) => {
            let config =
                keeper_config(&network, &signer, args.state.as_deref(), Some((&args.sandbox, args.config.as_deref())))?;
            parity_service::init_tracing(global.json);
            parity_keeper::run(config, parity_service::shutdown_signal()?).await
        }
        KeeperCommand::Register(args) => {
            let output = Output::new(global.json);
            output.note(format!("signing on {}", network.name));
            let config = keeper_config(&network, &signer, args.state.as_deref(), None)?;
            let keeper = parity_keeper::register(&config, args.stake).await?;
            let registered = Registered { operator: keeper.operator, stake: keeper.stake, roles: vec!["keeper"] };
            show(output, &registered)
        }
    }
}

/// Runs an indexer command.
pub(crate) async fn indexer(command: IndexerCommand, global: &GlobalArgs) -> anyhow::Result<()> {
    let IndexerCommand::Start(args) = command;
    let network = Network::resolve(global)?;
    parity_service::init_tracing(global.json);
    let config = parity_indexer::IndexerConfig {
        rpc: network.rpc,
        deployments: network.deployments_file,
        database_url: args.database_url,
        listen: args.listen,
    };
    parity_indexer::run(config, parity_service::shutdown_signal()?).await
}

fn show(output: Output, registered: &Registered) -> anyhow::Result<()> {
    output.result(registered, |r| {
        facts([
            ("operator", r.operator.to_string()),
            ("registered as", r.roles.join(", ")),
            ("bonded USDFC", r.stake.to_string()),
        ])
    })
}
