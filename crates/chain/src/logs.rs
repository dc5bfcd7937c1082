//! Events of a range of blocks, within what nodes allow.

use alloy::{
    primitives::B256,
    providers::Provider,
    rpc::types::{Filter, Log},
};
use parity_abi::{Contract, Event};

use crate::{Client, Error, Fault, Result};

/// One filter for several contracts: their addresses, and the topics of their events. The token stands among them when it
/// is asked for; its transfers are those of everybody.
pub(crate) fn filter(client: &Client, contracts: &[Contract]) -> Filter {
    let addresses: Vec<_> = contracts.iter().map(|contract| client.deployments().address(*contract)).collect();
    let topics: Vec<B256> = contracts.iter().flat_map(|contract| contract.topics()).collect();
    Filter::new().address(addresses).event_signature(topics)
}

impl Client {
    /// Events of our own contracts (all but the token) in the blocks `from..=to`, in order.
    ///
    /// # Errors
    /// When the node does not answer, or answers something that is no event of ours.
    pub async fn logs(&self, from: u64, to: u64) -> Result<Vec<(Log, Event)>> {
        self.logs_of(Contract::OWN, from, to).await
    }

    /// Events of some contracts in the blocks `from..=to`, in order. Splits the range as the node's limits demand.
    ///
    /// # Errors
    /// When the node does not answer, or answers something that is no event of ours.
    pub async fn logs_of(&self, contracts: &[Contract], from: u64, to: u64) -> Result<Vec<(Log, Event)>> {
        let filter = filter(self, contracts);
        let mut found = Vec::new();
        let mut next = from;
        let most = self.options().range.max(1);
        let mut width = most;
        while next <= to {
            let last = to.min(next.saturating_add(width - 1));
            match self.provider().get_logs(&filter.clone().from_block(next).to_block(last)).await {
                Ok(logs) => {
                    found.extend(decoded(logs)?);
                    next = last + 1;
                    width = most.min(width.saturating_mul(2));
                }
                Err(error) => match Fault::of(&error) {
                    Fault::RangeTooWide | Fault::TooManyResults | Fault::NullRound if last > next => {
                        width = (last - next).div_ceil(2);
                    }
                    // A single block is exempt from the limit when it is asked for by hash.
                    Fault::TooManyResults => {
                        if let Some(header) = self.header_at(next).await? {
                            found.extend(self.logs_in(&filter, header.hash).await?);
                        }
                        next += 1;
                    }
                    Fault::NullRound => next = last + 1,
                    _ => return Err(Error::node("to show logs", error)),
                },
            }
        }
        found.sort_by_key(|(log, _)| (log.block_number, log.log_index));
        Ok(found)
    }

    /// Events of one block, named by its hash, so that they cannot be those of another fork.
    pub(crate) async fn logs_in(&self, filter: &Filter, block: B256) -> Result<Vec<(Log, Event)>> {
        let logs = self
            .provider()
            .get_logs(&filter.clone().at_block_hash(block))
            .await
            .map_err(|error| Error::node("to show the logs of a block", error))?;
        decoded(logs)
    }
}

/// Decodes logs; those marked as removed by a reorganisation are left out.
fn decoded(logs: Vec<Log>) -> Result<Vec<(Log, Event)>> {
    logs.into_iter()
        .filter(|log| !log.removed)
        .map(|log| {
            let event = Event::decode(&log)?;
            Ok((log, event))
        })
        .collect()
}
