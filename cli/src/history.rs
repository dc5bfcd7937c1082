//! `parity wallet history`: what came in and went out, as the indexer has it.

use anyhow::{Context, bail};
use parity_protocol::Address;
use serde::{Deserialize, Serialize};

use crate::{app::App, output::table};

#[derive(Debug, Serialize, Deserialize)]
struct Page {
    items: Vec<serde_json::Value>,
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
    app.output.result(&page.items, |items| {
        if items.is_empty() {
            return format!("nothing has moved for {account} yet");
        }
        let field = |item: &serde_json::Value, name: &str| match &item[name] {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Null => String::new(),
            other => other.to_string(),
        };
        table(
            ["block", "what", "USDFC", "with"],
            items.iter().map(|item| {
                let amount = field(item, "amount").parse().map(parity_protocol::TokenAmount::from_base_units);
                let amount = amount.map_or_else(|_| field(item, "amount"), |amount| amount.to_string());
                [field(item, "block_number"), field(item, "kind"), amount, field(item, "counterparty")]
            }),
        )
    })
}
