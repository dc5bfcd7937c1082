//! What can go wrong between the chain, the database and a reader.

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure of the indexer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Postgres refused or is away.
    #[error("the database failed while {operation}")]
    Database {
        /// What was tried.
        operation: &'static str,
        /// Why.
        source: sqlx::Error,
    },
    /// The schema could not be brought up to date.
    #[error("migrating the database failed; was it made by a newer version?")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// The node refused or is away.
    #[error(transparent)]
    Chain(parity_chain::Error),
    /// The node gave an answer that cannot be true.
    #[error("the node contradicts itself: {0}")]
    Contradiction(String),
    /// The database belongs to another deployment.
    #[error(
        "the database holds chain {found_chain} with other contracts than those of chain {expected_chain}; give \
         this deployment an empty database"
    )]
    OtherDeployment {
        /// Chain to be indexed.
        expected_chain: u64,
        /// Chain in the database.
        found_chain: i64,
    },
    /// The chain left the stored branch before finality.
    #[error(
        "the chain changed below block {number}, which was final; the network or the node was replaced: index into \
         an empty database"
    )]
    FinalityReverted {
        /// A block that was final and is no longer part of the chain.
        number: u64,
    },
    /// Somebody else moved the cursor.
    #[error("another indexer writes to the same database; one of the two should be stopped")]
    Overtaken,
    /// An event speaks of a row that no earlier event made.
    #[error(
        "{event} in block {number} speaks of a row of {table} that does not exist ({key}); indexing has to start at \
         the block of the deployment, into an empty database"
    )]
    Missing {
        /// The event.
        event: &'static str,
        /// Block of the event.
        number: u64,
        /// Where the row should be.
        table: &'static str,
        /// Its key.
        key: String,
    },
    /// A sum of the contracts does not add up here.
    #[error("{event} in block {number} drives {what} out of its range")]
    Arithmetic {
        /// The event.
        event: &'static str,
        /// Block of the event.
        number: u64,
        /// The sum.
        what: &'static str,
    },
    /// A value is larger than anything that the contracts can produce.
    #[error("{event} in block {number} carries {what} {value}, which no Parity contract emits; check the addresses")]
    OutOfRange {
        /// The event.
        event: &'static str,
        /// Block of the event.
        number: u64,
        /// Which value.
        what: &'static str,
        /// As emitted.
        value: String,
    },
    /// The fold looked at a row that it had not asked for.
    #[error("the fold touched {table} {key} without declaring it")]
    Undeclared {
        /// The table.
        table: &'static str,
        /// The key.
        key: String,
    },
    /// A stored log or undo entry does not parse.
    #[error("stored {what} cannot be read; index into an empty database")]
    Stored {
        /// What was read.
        what: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The API cannot listen.
    #[error("cannot listen on {address}; is another indexer running there?")]
    Listen {
        /// The address asked for.
        address: std::net::SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

impl Error {
    /// A database failure while doing `operation`.
    pub(crate) fn database(operation: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Database { operation, source }
    }

    /// Unreadable stored data.
    pub(crate) fn stored<E>(what: &'static str) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        move |source| Self::Stored { what, source: source.into() }
    }

    /// Whether trying again later may succeed without anyone doing anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Chain(error) => error.is_retryable(),
            Self::Database { .. } | Self::Contradiction(_) | Self::Overtaken => true,
            _ => false,
        }
    }
}

impl From<parity_chain::Error> for Error {
    fn from(error: parity_chain::Error) -> Self {
        match error {
            parity_chain::Error::ReorgTooDeep { oldest } => Self::FinalityReverted { number: oldest },
            error => Self::Chain(error),
        }
    }
}
