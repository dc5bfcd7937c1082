//! Addresses of one deployment, as `script/Deploy.s.sol` writes them to `abi/deployments/<chain id>.json`.

use std::{fs, io, path::Path};

use alloy::primitives::Address;
use serde::{Deserialize, Serialize};

use crate::Contract;

/// Where the contracts of one network stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployments {
    /// Chain id that the addresses belong to.
    pub chain_id: u64,
    /// Block (epoch) from which logs have to be read.
    pub start_block: u64,
    /// The token.
    pub usdfc: Address,
    /// Roles.
    pub authority: Address,
    /// Bonds.
    pub stakes: Address,
    /// Budgets and payouts.
    pub escrow: Address,
    /// Register of operators.
    pub operators: Address,
    /// Federated sessions.
    pub sessions: Address,
    /// Scores.
    pub reputation: Address,
}

/// A deployments file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DeploymentsError {
    /// The file cannot be read or written.
    #[error("cannot {verb} the deployments file {path}")]
    File {
        /// What was tried.
        verb: &'static str,
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The file is no deployments file.
    #[error("{path} is not a deployments file; script/Deploy.s.sol writes one")]
    Format {
        /// The file.
        path: String,
        /// Why.
        source: serde_json::Error,
    },
}

impl Deployments {
    /// Reads a deployments file.
    ///
    /// # Errors
    /// [`DeploymentsError`] when it cannot be read or lacks a field.
    pub fn load(path: &Path) -> Result<Self, DeploymentsError> {
        let text = fs::read_to_string(path).map_err(|source| DeploymentsError::File {
            verb: "read",
            path: path.display().to_string(),
            source,
        })?;
        serde_json::from_str(&text)
            .map_err(|source| DeploymentsError::Format { path: path.display().to_string(), source })
    }

    /// Writes a deployments file.
    ///
    /// # Errors
    /// [`DeploymentsError::File`] when it cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), DeploymentsError> {
        let mut text = serde_json::to_string_pretty(self).expect("a plain struct of numbers and addresses serialises");
        text.push('\n');
        fs::write(path, text).map_err(|source| DeploymentsError::File {
            verb: "write",
            path: path.display().to_string(),
            source,
        })
    }

    /// The address of a contract.
    pub const fn address(&self, contract: Contract) -> Address {
        match contract {
            Contract::Authority => self.authority,
            Contract::Stakes => self.stakes,
            Contract::Escrow => self.escrow,
            Contract::Operators => self.operators,
            Contract::Sessions => self.sessions,
            Contract::Reputation => self.reputation,
            Contract::Usdfc => self.usdfc,
        }
    }

    /// The contract at an address, if it is one of ours.
    pub fn contract_at(&self, address: Address) -> Option<Contract> {
        Contract::ALL.iter().copied().find(|contract| self.address(*contract) == address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_round_trips_and_finds_contracts_by_address() {
        let text = format!(
            r#"{{"chainId":314159,"startBlock":7,{}}}"#,
            ["usdfc", "authority", "stakes", "escrow", "operators", "sessions", "reputation"]
                .iter()
                .enumerate()
                .map(|(i, name)| format!(r#""{name}":"0x{:040x}""#, i + 1))
                .collect::<Vec<_>>()
                .join(",")
        );
        let deployments: Deployments = serde_json::from_str(&text).unwrap();
        let path = std::env::temp_dir().join(format!("parity-deployments-{}.json", std::process::id()));
        deployments.save(&path).unwrap();
        assert_eq!(Deployments::load(&path).unwrap(), deployments);
        fs::remove_file(&path).unwrap();
        for contract in Contract::ALL {
            assert_eq!(deployments.contract_at(deployments.address(*contract)), Some(*contract));
        }
        assert_eq!(deployments.contract_at(Address::ZERO), None);
    }

    #[test]
    fn a_missing_field_is_named() {
        let path = std::env::temp_dir().join(format!("parity-deployments-bad-{}.json", std::process::id()));
        fs::write(&path, r#"{"chainId":1}"#).unwrap();
        let error = Deployments::load(&path).unwrap_err();
        fs::remove_file(&path).unwrap();
        assert!(std::error::Error::source(&error).unwrap().to_string().contains("startBlock"));
    }
}
