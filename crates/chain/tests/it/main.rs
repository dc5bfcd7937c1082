//! The chain adapter against a real anvil, straight and through a proxy with Filecoin's quirks.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod chaos;
mod client;
mod outbox;
mod recovery;
mod reorg;
mod stream;
mod wallet;

use std::{future::Future, time::Duration};

use alloy::{primitives::U256, sol_types::SolCall};
use parity_abi::MockUsdfc;
use parity_chain::{Call, Client};

/// A call that mints mock USDFC: it never reverts, and doing it twice shows.
pub(crate) fn mint(client: &Client, to: alloy::primitives::Address, units: u64) -> Call {
    let call = MockUsdfc::mintCall { to, amount: U256::from(units) };
    Call::new(client.deployments().usdfc, call.abi_encode().into())
}

/// Waits for a condition, with a bound far above what it takes.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut check: impl FnMut() -> F) {
    let waited = tokio::time::timeout(Duration::from_secs(30), async {
        while !check().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(waited.await.is_ok(), "waited in vain until {what}");
}
