//! `parity wallet history`: what came in and went out, as the indexer has it.

use anyhow::{Context, bail};
use parity_protocol::{Address, B256, TokenAmount};
use serde::{Deserialize, Serialize};

use crate::{app::App, output::table};

/// A page of the indexer's answer; fields that are not shown are left out.
#[derive(Debug, Deserialize)]
struct Page {
    data: Vec<Movement>,
}

/// Tokens that moved.
#[derive(Debug, Serialize, Deserialize)]
struct Movement {
    kind: String,
    amount: TokenAmount,
    counterparty: Address,
    session: Option<u64>,
    number: u64,
    transaction_hash: B256,
}

/// Prints the newest entries.
pub(crate) async fn show(app: &App, account: Option<Address>, limit: u32) -> anyhow::Result<()> {
    let account = app.account(account)?;
    let Some(indexer) = &app.network.indexer else {
        bail!("the history is read from an indexer; name one with --indexer URL");
    };
    let url = format!("{indexer}/v1/accounts/{account}/history?limit={limit}");
    let answer = reqwest::get(&url).await.with_context(|| format!("asking the indexer at {indexer}"))?;
    let status = answer.status();
    if !status.is_success() {
        bail!("the indexer answered {status} to {url}: {}", answer.text().await.unwrap_or_default());
    }
    let page: Page = answer.json().await.with_context(|| format!("reading the answer of {url}"))?;
    app.output.result(&page.data, |movements| {
        if movements.is_empty() {
            return format!("nothing has moved for {account} yet");
        }
        table(
            ["block", "what", "USDFC", "session", "with"],
            movements.iter().map(|m| {
                let session = m.session.map_or_else(String::new, |id| id.to_string());
                [
                    m.number.to_string(),
                    m.kind.replace('_', " "),
                    m.amount.to_string(),
                    session,
                    m.counterparty.to_string(),
                ]
            }),
        )
    })
}
