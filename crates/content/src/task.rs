//! Blocking work (hashing, ciphers, files) moved off the threads that drive futures.

use crate::{Error, Result};

/// Runs `work` on the blocking pool.
///
/// # Panics
/// When `work` panics.
///
/// # Cancel safety
/// Dropping the future does not stop `work`, which then runs to its end unobserved.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(e) if e.is_panic() => std::panic::resume_unwind(e.into_panic()),
        Err(e) => Err(Error::Unavailable {
            place: "this process".to_owned(),
            operation: "run a task",
            reason: format!("it is shutting down ({e})"),
        }),
    }
}
