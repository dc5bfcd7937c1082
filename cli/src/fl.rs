//! `parity fl`: federated sessions.

mod cancel;
mod convert;
mod create;
mod create_with_data;
mod deal;
mod export;
mod figures;
mod files;
mod get;
mod learn;
mod list;
mod model;
mod partition;
mod plan;
mod predict;
mod publish;
mod report;
mod rounds;
mod seal;
mod simulate;
mod verify;
mod watch;

use anyhow::{Context, bail};

pub(crate) use create::Shape;
pub(crate) use create_with_data::{options, say};

use crate::{
    app::App,
    args::{FlCommand, GlobalArgs},
};

/// Runs a session command.
pub(crate) async fn run(command: FlCommand, args: &GlobalArgs) -> anyhow::Result<()> {
    match command {
        FlCommand::Convert(convert) => convert::run(convert, args),
        FlCommand::Predict(predict) => predict::run(&predict, args),
        FlCommand::Partition(partition) => partition::run(&partition, args),
        FlCommand::Simulate(simulate) => simulate::run(&simulate, args),
        FlCommand::CreateSession(create) if create.write_schema.is_some() => create::write_schema(&create, args),
        FlCommand::CreateSession(create) => create::run(&App::connect(args).await?, create).await,
        FlCommand::CreateSessionWithData(create) => create_with_data::run(&App::connect(args).await?, create).await,
        FlCommand::List { limit } => list::run(&App::connect(args).await?, limit).await,
        FlCommand::Get(session) => get::run(&App::connect(args).await?, session.session).await,
        FlCommand::Watch(session) => watch::run(&App::connect(args).await?, session.session).await,
        FlCommand::Seal(session) => seal::run(&App::connect(args).await?, session.session).await,
        FlCommand::Cancel(session) => cancel::run(&App::connect(args).await?, session.session).await,
        FlCommand::Model(model) => model::run(&App::connect(args).await?, model).await,
        FlCommand::Report(report) => report::run(&App::connect(args).await?, report).await,
        FlCommand::Verify(verify) => verify::run(&App::connect(args).await?, verify).await,
    }
}

/// The session that was named, or the newest one of the wallet.
async fn session_id(app: &App, given: Option<u64>) -> anyhow::Result<u64> {
    let count = app.session_count().await?;
    if let Some(id) = given {
        if id == 0 || id > count {
            bail!("there is no session {id} on {}; sessions 1 to {count} exist", app.network.name);
        }
        return Ok(id);
    }
    let me = app.account(None)?;
    for id in (1..=count).rev() {
        if app.session(id).await?.requester == me {
            return Ok(id);
        }
    }
    None.with_context(|| format!("{me} has created no session on {}; name one by its id", app.network.name))
}
