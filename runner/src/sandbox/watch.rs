//! Ends a job at its limits.

use std::time::Duration;

use tokio::time;

use super::{Error, Limits, Result, folder::JobFolder};

/// How often the output folder is looked at: at 1 GB/s a flood gets 50 MB beyond the limit on the disk before it ends. Each
/// file by itself is held to the limit by the kernel.
const INTERVAL: Duration = Duration::from_millis(50);

/// Waits for `work`, at most as long as the limits allow. On an error `work` is dropped, which must end the job.
pub(crate) async fn supervise<T>(
    work: impl Future<Output = Result<T>>,
    folder: &JobFolder,
    limits: &Limits,
) -> Result<T> {
    tokio::select! {
        done = work => done,
        error = output_violation(folder, limits.output_bytes) => Err(error),
        () = time::sleep(Duration::from_secs(limits.seconds)) => Err(Error::TimedOut { seconds: limits.seconds }),
    }
}

async fn output_violation(folder: &JobFolder, limit: u64) -> Error {
    let mut ticks = time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = folder.check_output(limit) {
            return error;
        }
    }
}
