//! What commands read from the contracts, in the protocol's types.

use anyhow::Context;
use parity_abi::{IEscrow, IOperators, IReputation, ISessions, State};
use parity_protocol::{Address, TokenAmount, U256, capability};

use crate::app::App;

/// Operators read per call.
const PAGE: u64 = 100;

/// An operator's bond.
pub(crate) struct Stake {
    /// Backs seats and keeper duties.
    pub(crate) active: TokenAmount,
    /// Waits out the delay.
    pub(crate) unbonding: TokenAmount,
    /// Epoch from which it can be withdrawn.
    pub(crate) withdrawable_from: u64,
}

impl App {
    /// A session's state.
    pub(crate) async fn session(&self, id: u64) -> anyhow::Result<ISessions::Session> {
        Ok(self.client.session(U256::from(id)).await?)
    }

    /// A session's terms.
    pub(crate) async fn terms(&self, id: u64) -> anyhow::Result<ISessions::Terms> {
        Ok(self.client.terms(U256::from(id)).await?)
    }

    /// A session's seats by index.
    pub(crate) async fn seats(&self, id: u64) -> anyhow::Result<Vec<ISessions::Seat>> {
        Ok(self.client.seats(U256::from(id)).await?)
    }

    /// Number of sessions, which is the id of the newest.
    pub(crate) async fn session_count(&self) -> anyhow::Result<u64> {
        let count = self.client.sessions().sessionCount().call().await.context("reading the number of sessions")?;
        Ok(count.saturating_to())
    }

    /// A session's budget.
    pub(crate) async fn session_budget(&self, id: u64) -> anyhow::Result<IEscrow::Budget> {
        let controller = self.client.deployments().sessions;
        self.client.escrow().budget(controller, U256::from(id)).call().await.context("reading the session's budget")
    }

    /// An operator's bond.
    pub(crate) async fn stake(&self, operator: Address) -> anyhow::Result<Stake> {
        let account = self.client.stakes().account(operator).call().await.context("reading the stake")?;
        Ok(Stake {
            active: TokenAmount::from_base_units(account.active),
            unbonding: TokenAmount::from_base_units(account.unbonding),
            withdrawable_from: account.withdrawableFrom.to(),
        })
    }

    /// Refunds that wait in escrow.
    pub(crate) async fn credit(&self, owner: Address) -> anyhow::Result<TokenAmount> {
        let units = self.client.escrow().credit(owner).call().await.context("reading the credit in escrow")?;
        Ok(TokenAmount::from_base_units(units))
    }

    /// An operator's score and history.
    pub(crate) async fn reputation_of(&self, operator: Address) -> anyhow::Result<IReputation::Record> {
        self.client.reputation().recordOf(operator).call().await.context("reading the reputation")
    }

    /// All operators ever registered, in order of registration.
    pub(crate) async fn all_operators(&self) -> anyhow::Result<Vec<Address>> {
        let contract = self.client.operators();
        let count: u64 = contract.count().call().await.context("reading the number of operators")?.saturating_to();
        let mut operators = Vec::new();
        for from in (0..count).step_by(usize::try_from(PAGE)?) {
            let page = contract.page(U256::from(from), U256::from(PAGE)).call().await.context("reading operators")?;
            operators.extend(page);
        }
        Ok(operators)
    }

    /// Active operators that offer to act as keepers.
    pub(crate) async fn active_keepers(&self) -> anyhow::Result<Vec<(Address, IOperators::Operator)>> {
        let mut keepers = Vec::new();
        for address in self.all_operators().await? {
            let operator = self.client.operators().operator(address).call().await.context("reading an operator")?;
            if operator.active && operator.capabilities & capability::KEEP != 0 {
                keepers.push((address, operator));
            }
        }
        Ok(keepers)
    }
}

/// The state of a session as a word.
pub(crate) fn state_of(session: &ISessions::Session) -> anyhow::Result<State> {
    Ok(State::try_from(session.state)?)
}

/// Whether nothing more happens in this state.
pub(crate) fn is_final(state: State) -> bool {
    matches!(state, State::Completed | State::Cancelled | State::Expired)
}
