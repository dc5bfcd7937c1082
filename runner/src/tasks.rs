//! The work under way: one task per action, never two for the same, with a growing pause after failures.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use tokio::task::{AbortHandle, Id, JoinSet};

use crate::{journal::RoundKey, plan::Action};

/// First pause after a failure; doubles each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause: two epochs of Filecoin.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What a task works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    Inspect(u64),
    Claim(u64),
    Train(RoundKey),
    Post(RoundKey),
}

impl Subject {
    pub(crate) fn of(action: &Action) -> Self {
        match action {
            Action::Inspect { session } => Self::Inspect(*session),
            Action::Claim { session, .. } => Self::Claim(*session),
            Action::Train(key) => Self::Train(*key),
            Action::Post { key, .. } => Self::Post(*key),
        }
    }
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Done.
    Done,
    /// A session was judged.
    Judged(bool),
    /// To be tried again after a pause.
    Failed,
}

#[derive(Debug)]
struct Pause {
    until: Instant,
    length: Duration,
}

/// The work under way.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    set: JoinSet<Ending>,
    running: HashMap<Id, (Subject, AbortHandle)>,
    pauses: HashMap<Subject, Pause>,
}

impl Tasks {
    /// Starts work on a subject, unless it is under way or pausing.
    pub(crate) fn start(&mut self, subject: Subject, work: impl Future<Output = Ending> + Send + 'static) {
        let busy = self.running.values().any(|(running, _)| *running == subject);
        let paused = self.pauses.get(&subject).is_some_and(|pause| Instant::now() < pause.until);
        if !busy && !paused {
            let handle = self.set.spawn(work);
            self.running.insert(handle.id(), (subject, handle));
        }
    }

    /// Stops trainings that are not due any more. Transactions go on: they are in the outbox.
    pub(crate) fn keep_trainings(&mut self, due: &HashSet<Subject>) {
        for (subject, handle) in self.running.values() {
            if matches!(subject, Subject::Train(_)) && !due.contains(subject) {
                tracing::info!(?subject, "stopping a training that is not due any more");
                handle.abort();
            }
        }
        self.pauses.retain(|subject, _| due.contains(subject));
    }

    /// The next task that ends. Pends while nothing is under way.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> (Subject, Ending) {
        loop {
            let Some(ended) = self.set.join_next_with_id().await else { return std::future::pending().await };
            let (id, ending) = match ended {
                Ok((id, ending)) => (id, ending),
                Err(error) => {
                    if error.is_panic() {
                        tracing::error!(%error, "a task panicked");
                    }
                    (error.id(), if error.is_cancelled() { Ending::Done } else { Ending::Failed })
                }
            };
            let Some((subject, _)) = self.running.remove(&id) else { continue };
            self.pause(subject, ending);
            return (subject, ending);
        }
    }

    /// Stops everything and waits until it has stopped.
    pub(crate) async fn shutdown(&mut self) {
        self.set.shutdown().await;
        self.running.clear();
    }

    fn pause(&mut self, subject: Subject, ending: Ending) {
        if ending != Ending::Failed {
            self.pauses.remove(&subject);
            return;
        }
        let length = self.pauses.get(&subject).map_or(FIRST_PAUSE, |pause| (pause.length * 2).min(LONGEST_PAUSE));
        self.pauses.insert(subject, Pause { until: Instant::now() + length, length });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECT: Subject = Subject::Claim(1);

    #[tokio::test]
    async fn work_on_a_subject_is_not_started_twice() {
        let mut tasks = Tasks::default();
        tasks.start(SUBJECT, async { Ending::Done });
        tasks.start(SUBJECT, async { panic!("started twice") });
        assert_eq!(tasks.next().await, (SUBJECT, Ending::Done));
    }

    #[tokio::test]
    async fn a_failure_is_followed_by_a_pause_that_grows() {
        let mut tasks = Tasks::default();
        for expected in [1, 2, 4] {
            tasks.start(SUBJECT, async { Ending::Failed });
            assert_eq!(tasks.next().await, (SUBJECT, Ending::Failed));
            tasks.start(SUBJECT, async { panic!("started during the pause") });
            assert!(tasks.running.is_empty());
            let pause = tasks.pauses.get_mut(&SUBJECT).unwrap();
            assert_eq!(pause.length, Duration::from_secs(expected));
            pause.until = Instant::now();
        }
    }

    #[tokio::test]
    async fn a_panic_counts_as_a_failure() {
        let mut tasks = Tasks::default();
        tasks.start(SUBJECT, async { panic!("expected in this test") });
        assert_eq!(tasks.next().await, (SUBJECT, Ending::Failed));
    }

    #[tokio::test]
    async fn only_trainings_that_are_not_due_are_stopped() {
        let mut tasks = Tasks::default();
        let key = RoundKey { session: 1, round: 1, seat: 0 };
        tasks.start(Subject::Train(key), std::future::pending());
        tasks.start(Subject::Post(key), async {
            tokio::task::yield_now().await;
            Ending::Judged(true)
        });
        tasks.keep_trainings(&HashSet::new());
        let mut ended = [tasks.next().await, tasks.next().await];
        ended.sort_by_key(|(subject, _)| matches!(subject, Subject::Post(_)));
        assert_eq!(ended, [(Subject::Train(key), Ending::Done), (Subject::Post(key), Ending::Judged(true))]);
    }
}
