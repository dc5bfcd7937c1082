//! To whom updates of a session with privacy level `low` are sealed: the keepers that can propose or attest it.

use futures::{StreamExt, TryStreamExt, stream};
use parity_chain::{Client, Error};
use parity_protocol::{B256, TokenAmount, U256, capability};

use crate::trouble::{Result, Trouble};

/// Operators per page of the register.
const PAGE: u64 = 100;
/// Requests under way at once; public gateways refuse many more.
const PARALLEL: usize = 8;

/// Public keys of all active keepers with at least `bond` at stake, each once.
pub(crate) async fn keepers(client: &Client, bond: TokenAmount) -> Result<Vec<B256>> {
    let operators = client.operators();
    let mut keys = Vec::new();
    for page in 0_u64.. {
        let from = U256::from(page) * U256::from(PAGE);
        let accounts = operators.page(from, U256::from(PAGE)).call().await.map_err(named("Operators.page"))?;
        let is_last = u64::try_from(accounts.len()).unwrap_or(PAGE) < PAGE;
        let found: Vec<Option<B256>> = stream::iter(accounts)
            .map(|account| async move {
                let operator =
                    client.operators().operator(account).call().await.map_err(named("Operators.operator"))?;
                if !operator.active || operator.capabilities & capability::KEEP == 0 {
                    return Ok::<_, Error>(None);
                }
                let stake = client.stakes().active(account).call().await.map_err(named("Stakes.active"))?;
                Ok((stake >= bond.base_units()).then_some(operator.key))
            })
            .buffered(PARALLEL)
            .try_collect()
            .await?;
        keys.extend(found.into_iter().flatten());
        if is_last {
            break;
        }
    }
    keys.sort_unstable();
    keys.dedup();
    if keys.is_empty() {
        return Err(Trouble::Later(anyhow::anyhow!("there is no keeper to whom the update could be sealed")));
    }
    Ok(keys)
}

fn named(what: &'static str) -> impl Fn(alloy::contract::Error) -> Error {
    move |error| Error::contract(what, error)
}
