//! Waiting on conditions, with a deadline that only a broken program meets.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// Looks until `look` finds something; `what` is waited for, in words.
pub(crate) fn until<T>(what: &str, patience: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: not after {} s", patience.as_secs());
        thread::sleep(PAUSE);
    }
}
