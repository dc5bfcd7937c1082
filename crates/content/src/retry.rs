//! Bounded, jittered retry: the only place of this crate that asks twice.

use std::time::Duration;

use crate::Result;

/// Four tries span about two seconds: enough for a node that restarts its listener, short enough for a person.
const ATTEMPTS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Calls `attempt` until it succeeds, fails for good, or has failed [`ATTEMPTS`] times.
pub(crate) async fn with_retry<T, F: Future<Output = Result<T>>>(mut attempt: impl FnMut() -> F) -> Result<T> {
    let mut pause = FIRST_PAUSE;
    for tried in 1.. {
        match attempt().await {
            Err(error) if error.is_retryable() && tried < ATTEMPTS => {
                tracing::debug!(%error, tried, "asking again");
                // Half fixed, half random: many processes that lost the same node do not return at the same instant.
                tokio::time::sleep(pause.mul_f64(0.5 + 0.5 * rand::random::<f64>())).await;
                pause *= 2;
            }
            result => return result,
        }
    }
    unreachable!("the loop returns on the last attempt")
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::Error;

    fn unavailable() -> Error {
        Error::Unavailable { place: "a store".into(), operation: "answer", reason: "busy".into() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_comes_back_is_asked_again() {
        let calls = Cell::new(0);
        let result = with_retry(|| {
            calls.set(calls.get() + 1);
            std::future::ready(if calls.get() < 3 { Err(unavailable()) } else { Ok(calls.get()) })
        });
        assert_eq!(result.await.unwrap(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_stays_away_is_given_up() {
        let calls = Cell::new(0);
        let result: Result<()> = with_retry(|| {
            calls.set(calls.get() + 1);
            std::future::ready(Err(unavailable()))
        })
        .await;
        assert!(result.unwrap_err().is_retryable());
        assert_eq!(calls.get(), ATTEMPTS);
    }

    #[tokio::test]
    async fn a_refusal_is_final() {
        let calls = Cell::new(0);
        let result: Result<()> = with_retry(|| {
            calls.set(calls.get() + 1);
            std::future::ready(Err(Error::ReadOnly { place: "a gateway".into() }))
        })
        .await;
        assert!(matches!(result, Err(Error::ReadOnly { .. })));
        assert_eq!(calls.get(), 1);
    }
}
