//! Pushing payouts: claims for everyone who has earned more than was paid, in batches.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use parity_abi::{ContractError, Escrow::EscrowErrors, Event, IEscrow};
use parity_chain::Receipt;
use parity_protocol::{Address, U256, manifest::PayoutLeaf, merkle::SumTree};

use crate::{
    act::{Outcome, chain},
    error::{Error, Result},
    keeper::Keeper,
    plan::Action,
    slot::Slot,
    snapshot::contract_error,
    turns::WORTH_AN_ERROR,
    view::SessionView,
};

/// Claims per transaction: about 60,000 gas each and 64 KiB of message at most.
const BATCH: usize = 40;
/// Reads at the same time.
const CONCURRENT: usize = 16;
/// Longest time that pushing may take before it is started anew.
pub(crate) const LONGEST: Duration = Duration::from_secs(15 * 60);

impl Keeper {
    /// Pays what the session owes under its present root, and books the outcome.
    pub(crate) async fn pay(&self, slot: &Slot, view: &SessionView, ended: bool, action: &Action) {
        match self.push(view).await {
            Ok(()) => slot.turns().succeeded(action, view.block),
            Err(error) if error.is_retryable() => {
                tracing::warn!(session = view.id, error = chain(&error), "payouts cannot be pushed yet");
                slot.turns().waits(action, view.block);
            }
            Err(Error::Unpayable { operators }) => {
                tracing::warn!(
                    session = view.id,
                    ?operators,
                    "some payees cannot be paid; they may claim themselves later"
                );
                slot.turns().finished(action);
            }
            Err(error) => {
                let failures = slot.turns().failed(action, view.block);
                let (session, error) = (view.id, chain(&error));
                if failures < WORTH_AN_ERROR {
                    tracing::info!(session, failures, error, "payouts cannot be pushed");
                } else {
                    tracing::error!(session, failures, error, "payouts cannot be pushed");
                }
                if ended && failures >= crate::turns::HOPELESS {
                    slot.turns().finished(action);
                }
            }
        }
    }

    async fn push(&self, view: &SessionView) -> Result<()> {
        let leaves = self.recompute.leaves(view).await?;
        let tree = SumTree::new(&leaves)?;
        let open = self.open_claims(view.id, &leaves).await?;
        let mut unpayable = Vec::new();
        for (batch, leaves) in open.chunks(BATCH).enumerate() {
            let claims: Vec<_> = leaves.iter().filter_map(|leaf| self.claim(view.id, &tree, leaf)).collect();
            let name = format!("keep/{}/pay/{}/{batch}", view.id, view.budget.root);
            let sent = self.send_claims(&name, view.block, claims).await;
            let (outcome, receipt) = sent.map_err(Error::chain("the inclusion of payouts"))?;
            if let (Outcome::Done, Some(receipt)) = (outcome, receipt) {
                unpayable.extend(refused(&receipt, view.id));
            }
        }
        let (session, claims) = (view.id, open.len() - unpayable.len());
        tracing::info!(session, claims, "payouts pushed");
        if unpayable.is_empty() { Ok(()) } else { Err(Error::Unpayable { operators: unpayable }) }
    }

    /// Leaves that were not paid in full.
    async fn open_claims(&self, session: u64, leaves: &[PayoutLeaf]) -> Result<Vec<PayoutLeaf>> {
        let escrow = self.client.escrow();
        let controller = self.client.deployments().sessions;
        let operators: Vec<Address> = leaves.iter().map(|leaf| leaf.operator).collect();
        let paid: Vec<u128> = stream::iter(operators)
            .map(|operator| {
                let call = escrow.claimedBy(controller, U256::from(session), operator);
                async move { call.call().await.map_err(contract_error("a payout")) }
            })
            .buffered(CONCURRENT)
            .try_collect()
            .await?;
        let open = leaves.iter().zip(paid).filter(|(leaf, paid)| leaf.cumulative.base_units() > *paid);
        Ok(open.map(|(leaf, _)| *leaf).collect())
    }

    fn claim(&self, session: u64, tree: &SumTree, leaf: &PayoutLeaf) -> Option<IEscrow::Claim> {
        let proof = tree.proof(leaf.operator)?;
        Some(IEscrow::Claim {
            controller: self.client.deployments().sessions,
            id: U256::from(session),
            operator: leaf.operator,
            cumulative: leaf.cumulative.base_units(),
            proof: proof.iter().map(|node| IEscrow::ProofNode { hash: node.hash, sum: node.sum }).collect(),
        })
    }
}

/// Operators whose payees could not be sent the token. A claim that was paid before, or that came under another root than the
/// one it was made for, is nobody's fault.
fn refused(receipt: &Receipt, session: u64) -> Vec<Address> {
    receipt
        .events()
        .filter_map(|event| match event {
            Event::ClaimSkipped(skipped) if skipped.id == U256::from(session) => {
                let reason = ContractError::decode(&skipped.reason);
                let innocent = reason.is_superseded()
                    || matches!(reason, ContractError::Escrow(EscrowErrors::Escrow_InvalidProof(_)));
                (!innocent).then_some(skipped.operator)
            }
            _ => None,
        })
        .collect()
}
