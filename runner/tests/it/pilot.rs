//! Carries a session through its rounds as keepers do, in the simplest way: the next model is any update of the round.

use bytes::Bytes;
use parity_abi::{Phase, State};
use parity_content::{get_artifact, get_manifest, put_manifest, put_sealed};
use parity_learning::{model, round::check_update, tensors::Tensors};
use parity_protocol::{
    B256, U256,
    codec::Block,
    manifest::{AggregateManifest, Artifact},
    spec::SessionSpec,
};

use crate::world::World;

/// Runs a session to its end; seals shards where seats wait for them.
pub(crate) async fn fly(world: &World, session: u64, spec: &SessionSpec) {
    let id = U256::from(session);
    let sessions = world.client().sessions();
    let terms = world.client().terms(id).await.unwrap();
    world
        .eventually("the end of the session", async || {
            let now = world.session(session).await;
            let (state, phase) = (State::try_from(now.state).unwrap(), Phase::try_from(now.phase).unwrap());
            let sent = match (state, phase) {
                (State::Open, _) if now.claimed == terms.seats => {
                    if now.occupied < terms.seats {
                        world.seal(session, spec).await;
                    }
                    world.keeper.send(&format!("start/{session}"), &sessions.start(id)).await
                }
                (State::Active, Phase::Training) if now.posted >= terms.quorum => {
                    world.keeper.send(&format!("close/{session}/{}", now.round), &sessions.close(id, now.round)).await
                }
                (State::Active, Phase::Closed) => {
                    // The updates may just be gone in a reorganisation.
                    let Some(aggregate) = aggregate(world, session, now.round, spec).await else { return false };
                    let propose =
                        sessions.propose(id, now.round, aggregate, B256::ZERO, B256::ZERO, 0, false, B256::ZERO);
                    world.keeper.send(&format!("propose/{session}/{}", now.round), &propose).await
                }
                (State::Active, Phase::Proposed) => {
                    let finalize = sessions.finalize(id, now.round);
                    world.keeper.send(&format!("finalize/{session}/{}", now.round), &finalize).await
                }
                (State::Open | State::Active, _) => return false,
                _ => return true,
            };
            // Refused because the chain has moved on, or failed during a reorganisation: seen again at the next look.
            sent.ok();
            false
        })
        .await;
}

/// The manifest of a round's result.
async fn aggregate(world: &World, session: u64, round: u16, spec: &SessionSpec) -> Option<B256> {
    let posted = world.posted(session).await;
    let update = posted.iter().rev().find(|update| update.round == round)?;
    let weights = weights(world, &world.manifest(update.digest).await.weights, spec).await;
    let previous = world.session(session).await.model;
    let weights = check_update(spec, &start(world, previous, spec).await, &weights).unwrap().to_bytes();
    let model = put_sealed(&*world.store, weights.into(), &[], &[]).await.unwrap();
    let manifest = AggregateManifest {
        session,
        round,
        previous: (!previous.is_zero()).then_some(previous),
        model,
        state: None,
        holdout: false,
        accepted: Vec::new(),
        rejected: Vec::new(),
    };
    Some(put_manifest(&*world.store, &manifest).await.unwrap())
}

/// The model that a round after this aggregate starts from.
async fn start(world: &World, aggregate: B256, spec: &SessionSpec) -> Tensors {
    if aggregate.is_zero() {
        return model::initial(spec);
    }
    let manifest: AggregateManifest = get_manifest(&*world.store, aggregate).await.unwrap();
    let bytes = get_artifact(&*world.store, &manifest.model, None, &[], 1 << 20).await.unwrap();
    Tensors::from_bytes(&bytes, 1 << 20).unwrap()
}

/// The bytes of an update, opened with the keeper's key.
pub(crate) async fn weights(world: &World, artifact: &Artifact, spec: &SessionSpec) -> Bytes {
    let digest = spec.digest().unwrap();
    let context = [&b"parity/update/"[..], digest.as_slice()].concat();
    get_artifact(&*world.store, artifact, Some(&world.keeper_key), &context, 1 << 20).await.unwrap()
}
