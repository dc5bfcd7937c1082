//! Typed reads of contracts and accounts, at the head.

use alloy::{
    eips::BlockId,
    primitives::{Address, Bytes, U256},
    providers::Provider,
};
use parity_abi::{ContractError, ISessions, Sessions, State};
use parity_protocol::TokenAmount;

use crate::{Call, Client, Error, Result};

impl Client {
    /// A session.
    ///
    /// # Errors
    /// [`Error::Reverted`] when there is none of that number.
    pub async fn session(&self, id: U256) -> Result<ISessions::Session> {
        let session =
            self.sessions().session(id).call().await.map_err(|error| Error::contract("Sessions.session", error))?;
        if session.state == State::None.number() {
            let unknown = Sessions::Sessions_UnknownSession { session: id };
            return Err(Error::Reverted(ContractError::Sessions(Sessions::SessionsErrors::Sessions_UnknownSession(
                unknown,
            ))));
        }
        Ok(session)
    }

    /// The terms of a session.
    ///
    /// # Errors
    /// [`Error::Reverted`] when there is none of that number.
    pub async fn terms(&self, id: U256) -> Result<ISessions::Terms> {
        self.sessions().terms(id).call().await.map_err(|error| Error::contract("Sessions.terms", error))
    }

    /// All seats of a session, by index.
    ///
    /// # Errors
    /// [`Error::Reverted`] when there is no such session.
    pub async fn seats(&self, id: U256) -> Result<Vec<ISessions::Seat>> {
        self.sessions().seatsOf(id).call().await.map_err(|error| Error::contract("Sessions.seatsOf", error))
    }

    /// The standing proposal of a session; all zero when there is none.
    ///
    /// # Errors
    /// [`Error::Reverted`] when there is no such session.
    pub async fn proposal(&self, id: U256) -> Result<ISessions::Proposal> {
        self.sessions().proposal(id).call().await.map_err(|error| Error::contract("Sessions.proposal", error))
    }

    /// USDFC of an account.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn usdfc_balance(&self, owner: Address) -> Result<TokenAmount> {
        let units =
            self.usdfc().balanceOf(owner).call().await.map_err(|error| Error::contract("USDFC.balanceOf", error))?;
        Ok(TokenAmount::from_base_units(units.saturating_to()))
    }

    /// FIL of an account in attoFIL: what pays for gas.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn gas_balance(&self, owner: Address) -> Result<U256> {
        self.provider().get_balance(owner).await.map_err(|error| Error::node("to show a balance", error))
    }

    /// Executes a call without sending it and returns what it returns.
    ///
    /// # Errors
    /// [`Error::Reverted`] with the contract's reason.
    pub async fn simulate(&self, from: Address, call: &Call) -> Result<Bytes> {
        self.provider().call(call.request(from)).await.map_err(|error| Error::node("to simulate a call", error))
    }

    /// Number of transactions of an account at a height, or at the head.
    pub(crate) async fn nonce_at(&self, account: Address, at: BlockId) -> Result<u64> {
        self.provider()
            .get_transaction_count(account)
            .block_id(at)
            .await
            .map_err(|error| Error::node("to tell a nonce", error))
    }
}
