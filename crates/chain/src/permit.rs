//! Allowances by signature (EIP-2612), which spare the transaction of an `approve`.

use alloy::{
    primitives::{Address, B256, U256},
    signers::SignerSync,
    sol,
    sol_types::{SolStruct, eip712_domain},
};
use parity_protocol::TokenAmount;

use crate::{Client, Error, Result, Wallet};

/// A signed permit, in the words of the contracts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permit {
    /// Unix time after which it is worthless.
    pub deadline: U256,
    /// Parity of the signature: 27 or 28.
    pub v: u8,
    /// First half of the signature.
    pub r: B256,
    /// Second half of the signature.
    pub s: B256,
}

mod typed {
    #![allow(missing_docs, reason = "the typed data of EIP-2612")]
    super::sol! {
        struct Permit {
            address owner;
            address spender;
            uint256 value;
            uint256 nonce;
            uint256 deadline;
        }
    }
}

impl Permit {
    /// Signs a permit for `spender` to take `value` of the wallet's USDFC until `lifetime` seconds after the head's time.
    ///
    /// # Errors
    /// [`Error::Sign`] when the token's domain is another than this code knows, so that the signature would be refused.
    pub async fn sign(
        client: &Client,
        wallet: &Wallet,
        spender: Address,
        value: TokenAmount,
        lifetime: u64,
    ) -> Result<Self> {
        let token = client.usdfc();
        let owner = wallet.address();
        let named = |what| move |error| Error::contract(what, error);
        let name = token.name().call().await.map_err(named("USDFC.name"))?;
        let nonce = token.nonces(owner).call().await.map_err(named("USDFC.nonces"))?;
        let head = client.head().await?;
        let domain = eip712_domain! {
            name: name,
            version: "1",
            chain_id: client.chain_id(),
            verifying_contract: *token.address(),
        };
        let expected = token.DOMAIN_SEPARATOR().call().await.map_err(named("USDFC.DOMAIN_SEPARATOR"))?;
        if domain.separator() != expected {
            return Err(Error::Sign(alloy::signers::Error::message(format!(
                "the token at {} signs permits under another domain; approve with a transaction instead",
                token.address()
            ))));
        }
        let deadline = U256::from(head.timestamp.saturating_add(lifetime));
        let message = typed::Permit { owner, spender, value: U256::from(value.base_units()), nonce, deadline };
        let signature = wallet.signer().sign_hash_sync(&message.eip712_signing_hash(&domain))?;
        Ok(Self { deadline, v: 27 + u8::from(signature.v()), r: signature.r().into(), s: signature.s().into() })
    }
}
