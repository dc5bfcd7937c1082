//! Authority: which contracts have power over the money contracts.

use serde::{Deserialize, Serialize};

use super::{Bytes20, Bytes32, row};

/// A role of an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Role {
    /// keccak256 of the role's name.
    pub(crate) role: Bytes32,
    pub(crate) account: Bytes20,
    /// First epoch in which the role is in force.
    pub(crate) active_from: u64,
    pub(crate) revoked: bool,
}

row!(Role in "roles" by RoleKey { role: Bytes32, account: Bytes20 });

/// The Authority contract itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AuthorityState {
    pub(crate) authority: Bytes20,
    /// Last governor named by an event.
    pub(crate) governor: Option<Bytes20>,
    /// Whether grants have to wait.
    pub(crate) sealed: bool,
}

row!(AuthorityState in "authorities" by AuthorityStateKey { authority: Bytes20 });
