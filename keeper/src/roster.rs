//! Who the keepers are: active operators with the capability, and their stake. Read now and then, because it changes slowly
//! and only orders who acts first.

use futures::{StreamExt, TryStreamExt, stream};
use parity_chain::Client;
use parity_protocol::{Address, TokenAmount, U256, capability};
use tokio::sync::RwLock;

use crate::{error::Result, snapshot::contract_error};

/// Blocks between two readings.
const REFRESH_EVERY: u64 = 20;
/// Operators per page, and requests at the same time.
const PAGE: u64 = 200;
const CONCURRENT: usize = 16;

/// A keeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeper {
    /// Its address.
    pub address: Address,
    /// Its active stake.
    pub stake: TokenAmount,
    /// Epoch of its registration.
    pub registered_at: u64,
}

/// The keepers at the last reading.
#[derive(Debug)]
pub struct Roster {
    client: Client,
    read: RwLock<Option<(u64, Vec<Keeper>)>>,
}

impl Roster {
    /// An empty roster, read at first use.
    pub fn new(client: Client) -> Self {
        Self { client, read: RwLock::new(None) }
    }

    /// Keepers with at least `bond`.
    ///
    /// # Errors
    /// [`crate::Error::Chain`].
    pub async fn bonded(&self, block: u64, bond: TokenAmount) -> Result<Vec<Keeper>> {
        let fresh = |at: u64| block.abs_diff(at) < REFRESH_EVERY;
        if let Some((at, keepers)) = &*self.read.read().await
            && fresh(*at)
        {
            return Ok(bonded(keepers, bond));
        }
        let mut read = self.read.write().await;
        if let Some((at, keepers)) = &*read
            && fresh(*at)
        {
            return Ok(bonded(keepers, bond));
        }
        let keepers = self.fetch().await?;
        let result = bonded(&keepers, bond);
        *read = Some((block, keepers));
        Ok(result)
    }

    async fn fetch(&self) -> Result<Vec<Keeper>> {
        let operators = self.client.operators();
        let count: u64 = operators.count().call().await.map_err(contract_error("the operators"))?.saturating_to();
        let mut addresses = Vec::new();
        for from in (0..count).step_by(usize::try_from(PAGE).unwrap_or(usize::MAX)) {
            let page = operators.page(U256::from(from), U256::from(PAGE)).call().await;
            addresses.extend(page.map_err(contract_error("the operators"))?);
        }
        let keepers: Vec<Option<Keeper>> = stream::iter(addresses.into_iter().map(|address| self.keeper(address)))
            .buffered(CONCURRENT)
            .try_collect()
            .await?;
        Ok(keepers.into_iter().flatten().collect())
    }

    async fn keeper(&self, address: Address) -> Result<Option<Keeper>> {
        let operator = self.client.operators().operator(address).call().await.map_err(contract_error("an operator"))?;
        if !operator.active || operator.capabilities & capability::KEEP == 0 {
            return Ok(None);
        }
        let stake = self.client.stakes().active(address).call().await.map_err(contract_error("a stake"))?;
        let registered_at = operator.registeredAt.to();
        Ok(Some(Keeper { address, stake: TokenAmount::from_base_units(stake), registered_at }))
    }
}

fn bonded(keepers: &[Keeper], bond: TokenAmount) -> Vec<Keeper> {
    keepers.iter().filter(|keeper| keeper.stake >= bond).copied().collect()
}
