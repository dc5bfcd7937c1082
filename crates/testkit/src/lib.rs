//! Real parts for tests and the devnet: anvil with the contracts deployed, Postgres, child processes that never outlive us.
//!
//! [`Network`] is what most tests start from: anvil, a client, funded wallets, and reorganisations at will. [`Proxy`] stands
//! between a client and anvil and behaves like a public Filecoin node, or like one that fails.

pub mod anvil;
pub mod child;
mod network;
pub mod port;
pub mod postgres;
mod proxy;
mod quirks;

pub use anvil::{Anvil, Mining};
pub use network::Network;
pub use postgres::Postgres;
pub use proxy::Proxy;
pub use quirks::Quirks;

#[cfg(test)]
mod tests {
    use alloy::providers::Provider;

    use super::*;

    #[tokio::test]
    async fn anvil_starts_with_the_contracts_deployed() {
        let anvil = Anvil::start(Mining::Instant).await.unwrap();
        let deployments = anvil::deployments().unwrap();
        let code = anvil.provider().unwrap().get_code_at(deployments.sessions).await.unwrap();
        assert!(!code.is_empty());
    }

    #[tokio::test]
    async fn postgres_starts_and_creates_databases() {
        let server = Postgres::start().await.unwrap();
        let url = server.create_database("first").unwrap();
        assert!(url.ends_with("/first"));
        assert!(server.create_database("first").is_err());
    }
}
