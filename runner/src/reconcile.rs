//! The loop of an agent: look at the chain, plan, start what is due, and again whenever a block or a task arrives.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use anyhow::Result;
use parity_service::Liveness;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::{
    act,
    context::Context,
    journal::Progress,
    plan::{Action, Memory, plan},
    sandbox::Sandbox,
    snapshot::Snapshots,
    tasks::{Ending, Subject, Tasks},
    train,
    trouble::Trouble,
    view::{SessionView, View},
};

/// How long the end of an agent may take.
const GOODBYE: Duration = Duration::from_secs(10);

/// Why the agent looks again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wake {
    /// It is time: there may be a new block.
    Tick,
    /// A training ended, which the chain knows nothing of.
    Trained,
    /// Something ended that may have changed the chain.
    Changed,
}

/// One agent at work.
pub(crate) struct Reconciler {
    context: Arc<Context>,
    liveness: Liveness,
    snapshots: Snapshots,
    tasks: Tasks,
    accepts: HashMap<u64, bool>,
    view: Option<View>,
    node_is_down: bool,
}

impl Reconciler {
    pub(crate) fn new(context: Arc<Context>, liveness: Liveness) -> Self {
        let snapshots = Snapshots::new(context.client.clone(), context.outbox.address());
        Self {
            context,
            liveness,
            snapshots,
            tasks: Tasks::default(),
            accepts: HashMap::new(),
            view: None,
            node_is_down: false,
        }
    }

    /// Runs until `shutdown`, then stops trainings and leaves transactions to the outbox of the next life.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        let mut wake = Wake::Changed;
        while !shutdown.is_cancelled() {
            self.liveness.beat();
            if let Err(error) = self.step(wake).await {
                if !self.node_is_down {
                    tracing::warn!(error = format!("{error:#}"), "cannot look at the chain; trying again");
                }
                self.node_is_down = true;
            } else if self.node_is_down {
                tracing::info!("the chain can be seen again");
                self.node_is_down = false;
            }
            wake = tokio::select! {
                () = shutdown.cancelled() => Wake::Tick,
                () = tokio::time::sleep(self.context.client.poll_interval()) => Wake::Tick,
                (subject, ending) = self.tasks.next() => {
                    if let (Subject::Inspect(session), Ending::Judged(accepted)) = (subject, ending) {
                        self.accepts.insert(session, accepted);
                    }
                    if matches!(subject, Subject::Train(_)) { Wake::Trained } else { Wake::Changed }
                }
            };
        }
        let goodbye = async {
            self.tasks.shutdown().await;
            if let Sandbox::Docker(docker) = &self.context.sandbox
                && let Err(error) = docker.remove_leftovers().await
            {
                tracing::warn!(%error, "could not remove containers");
            }
        };
        if tokio::time::timeout(GOODBYE, goodbye).await.is_err() {
            tracing::warn!("stopped without waiting for all containers");
        }
    }

    /// One look and what follows from it. Reads the chain only where a block or the end of a task may have changed it.
    async fn step(&mut self, wake: Wake) -> Result<()> {
        if wake != Wake::Trained || self.view.is_none() {
            let block = self.context.client.block_number().await?;
            if wake == Wake::Changed || self.view.as_ref().is_none_or(|view| view.block != block) {
                let view = self.snapshots.read(block).await?;
                self.forget_ended(&view)?;
                self.view = Some(view);
            }
        }
        let Some(view) = self.view.clone() else { return Ok(()) };
        let memory = self.memory(&view).await?;
        let actions = plan(&view, &memory, self.context.config.policy.max_sessions);
        self.tasks.keep_trainings(&actions.iter().map(Subject::of).collect::<HashSet<_>>());
        for action in actions {
            self.start(&view, action);
        }
        Ok(())
    }

    /// What the journal knows about the sessions of the view. Small files, one per seat held.
    async fn memory(&self, view: &View) -> Result<Memory> {
        let mut memory = Memory { accepts: self.accepts.clone(), ..Memory::default() };
        for session in &view.sessions {
            let Some((seat, _)) = session.seat_of(view.me) else {
                if self.accepts.get(&session.id) == Some(&true) {
                    memory.claims.insert(session.id, self.context.journal.session(session.id)?.claims);
                }
                continue;
            };
            let key = crate::journal::RoundKey { session: session.id, round: session.round, seat };
            memory.rounds.insert(key, self.progress(session, key)?);
        }
        Ok(memory)
    }

    /// Recorded work counts if it was done from what the chain says now.
    fn progress(&self, session: &SessionView, key: crate::journal::RoundKey) -> Result<Progress> {
        let record = self.context.journal.round(key)?;
        let shard = session.seats.get(usize::from(key.seat)).and_then(|seat| seat.as_ref()?.shard);
        let is_current = record.inputs.as_ref().is_some_and(|inputs| {
            inputs.spec == session.offer.spec
                && inputs.model == session.model
                && shard.is_none_or(|shard| inputs.data == shard)
        });
        // A failure before the inputs were known is recorded without them.
        let is_about_inputs = record.inputs.is_none();
        Ok(if is_current || is_about_inputs { record.progress(self.context.config.attempts) } else { Progress::Open })
    }

    fn start(&mut self, view: &View, action: Action) {
        let subject = Subject::of(&action);
        let id = match subject {
            Subject::Inspect(id) | Subject::Claim(id) => id,
            Subject::Train(key) | Subject::Post(key) => key.session,
        };
        let Some(session) = view.sessions.iter().find(|session| session.id == id).cloned() else { return };
        let span = match subject {
            Subject::Inspect(_) | Subject::Claim(_) => tracing::info_span!("session", id),
            Subject::Train(key) | Subject::Post(key) => {
                tracing::info_span!("round", session = id, index = key.round, seat = key.seat)
            }
        };
        let context = Arc::clone(&self.context);
        self.tasks.start(subject, perform(context, session, action).instrument(span));
    }

    fn forget_ended(&mut self, view: &View) -> Result<()> {
        let ids = |view: &View| view.sessions.iter().map(|session| session.id).collect::<HashSet<u64>>();
        let live = ids(view);
        if self.view.as_ref().is_none_or(|before| !ids(before).is_subset(&live)) {
            self.context.journal.forget_residuals(|session| live.contains(&session))?;
        }
        self.accepts.retain(|session, _| live.contains(session));
        self.context.cache.retain_sessions(|session| live.contains(&session));
        let held = view.sessions.iter().filter(|session| session.seat_of(view.me).is_some()).count();
        self.context.metrics.sessions.set(i64::try_from(held).unwrap_or(i64::MAX));
        self.context.metrics.block.set(i64::try_from(view.block).unwrap_or(i64::MAX));
        Ok(())
    }
}

async fn perform(context: Arc<Context>, session: SessionView, action: Action) -> Ending {
    let outcome = match &action {
        Action::Inspect { .. } => match act::inspect(&context, &session).await {
            Ok(accepted) => return Ending::Judged(accepted),
            Err(trouble) => Err(trouble),
        },
        Action::Claim { seat, claims, .. } => act::claim(&context, &session, *seat, *claims).await,
        Action::Train(key) => train::train(&context, &session, *key).await,
        Action::Post { key, stored } => act::post(&context, *key, stored).await,
    };
    match outcome {
        Ok(()) => Ending::Done,
        Err(trouble) => {
            let again = !matches!(trouble, Trouble::Hopeless(_));
            tracing::warn!(reason = %trouble, again, "a step failed");
            Ending::Failed
        }
    }
}
