//! What may go wrong in a round, sorted by what to do about it.

use parity_protocol::Error as ProtocolError;

use crate::sandbox;

/// Result of a step of a round.
pub(crate) type Result<T, E = Trouble> = std::result::Result<T, E>;

/// What may go wrong in a round.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// Node, store, disk or Docker failed: nothing is known about the job, try again as long as there is time.
    #[error("{0:#}")]
    Later(anyhow::Error),
    /// The training failed; it may be tried again a few times.
    #[error("{0}")]
    Failed(String),
    /// The inputs or outputs are wrong in themselves; trying again would give the same.
    #[error("{0}")]
    Hopeless(String),
}

impl From<anyhow::Error> for Trouble {
    fn from(error: anyhow::Error) -> Self {
        Self::Later(error)
    }
}

impl From<parity_chain::Error> for Trouble {
    fn from(error: parity_chain::Error) -> Self {
        Self::Later(error.into())
    }
}

impl From<parity_content::Error> for Trouble {
    fn from(error: parity_content::Error) -> Self {
        use parity_content::Error;
        // Damaged bytes are not hopeless: another store, or the same one later, may have the right ones.
        if error.is_malformed() || matches!(error, Error::NotRecipient { .. } | Error::Recipient { .. }) {
            return Self::Hopeless(error.to_string());
        }
        Self::Later(error.into())
    }
}

impl From<parity_learning::Error> for Trouble {
    fn from(error: parity_learning::Error) -> Self {
        Self::Hopeless(error.to_string())
    }
}

impl From<ProtocolError> for Trouble {
    fn from(error: ProtocolError) -> Self {
        Self::Hopeless(error.to_string())
    }
}

impl From<sandbox::Error> for Trouble {
    fn from(error: sandbox::Error) -> Self {
        if error.is_retryable() { Self::Later(error.into()) } else { Self::Failed(error.to_string()) }
    }
}

/// Runs blocking work off the async threads.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(Trouble::Later(error.into())),
    }
}
