//! `parity reputation`: scores from finished and missed rounds.

use parity_protocol::Address;
use serde::Serialize;

use crate::{
    app::App,
    args::{GlobalArgs, ReputationCommand},
    output::{facts, table},
};

/// Runs a reputation command.
pub(crate) async fn run(command: ReputationCommand, args: &GlobalArgs) -> anyhow::Result<()> {
    let app = App::connect(args).await?;
    match command {
        ReputationCommand::Status { account } => status(&app, account).await,
        ReputationCommand::Leaderboard { limit } => leaderboard(&app, limit).await,
    }
}

#[derive(Serialize)]
struct Standing {
    operator: Address,
    score: u16,
    finished: u32,
    missed: u32,
}

async fn standing(app: &App, operator: Address) -> anyhow::Result<Standing> {
    let record = app.reputation_of(operator).await?;
    Ok(Standing { operator, score: record.score, finished: record.finished, missed: record.missed })
}

async fn status(app: &App, account: Option<Address>) -> anyhow::Result<()> {
    let document = standing(app, app.account(account)?).await?;
    app.output.result(&document, |s| {
        let history = if s.finished + s.missed == 0 {
            "no rounds yet: neutral".to_owned()
        } else {
            format!("{} rounds finished, {} missed", s.finished, s.missed)
        };
        facts([
            ("account", s.operator.to_string()),
            ("network", app.network.name.clone()),
            ("score", format!("{} of 1000", s.score)),
            ("history", history),
        ])
    })
}

async fn leaderboard(app: &App, limit: usize) -> anyhow::Result<()> {
    let mut standings = Vec::new();
    for operator in app.all_operators().await? {
        standings.push(standing(app, operator).await?);
    }
    standings.sort_by(|a, b| b.score.cmp(&a.score).then(b.finished.cmp(&a.finished)).then(a.operator.cmp(&b.operator)));
    standings.truncate(limit);
    app.output.result(&standings, |standings| {
        table(
            ["operator", "score", "finished", "missed"],
            standings
                .iter()
                .map(|s| [s.operator.to_string(), s.score.to_string(), s.finished.to_string(), s.missed.to_string()]),
        )
    })
}
