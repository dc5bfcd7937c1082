//! Updates as runners post them, good and bad.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use parity_abi::{Phase, State};
use parity_content::{get_artifact, get_manifest, put_manifest, put_sealed};
use parity_learning::{
    model,
    tensors::{Tensor, Tensors},
};
use parity_protocol::{
    B256, U256,
    codec::Block,
    device::Determinism,
    link,
    manifest::{AggregateManifest, UpdateManifest},
    metrics::Metrics,
    spec::SessionSpec,
};
use parity_testkit::anvil::address;
use tokio::task::JoinHandle;

use crate::{
    spec::{NOWHERE, shard_rows},
    world::{World, send},
};

/// What a runner posts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Post {
    /// The model it started from, a little moved.
    Good,
    /// The model it started from, moved to where it is of use on the held-out rows.
    Useful,
    /// What seat 0 posts as useful.
    Copied,
    /// The model it started from.
    Idle,
    /// A weight that is not a number.
    NotANumber,
    /// A weight of 1e30.
    Huge,
    /// A tensor of another shape.
    WrongShape,
    /// A digest under which nothing is stored.
    WrongDigest,
    /// A manifest whose weights nobody has.
    NoWeights,
    /// Another number of rows than the seat's shard has.
    WrongSamples,
    /// Bytes that are no manifest.
    Garbage,
    /// Weights that are no safetensors file.
    GarbageWeights,
    /// The manifest of another seat.
    OtherSeat,
}

/// The model that the current round starts from.
async fn start(world: &World, session: u64, spec: &SessionSpec) -> Tensors {
    let digest = world.session(session).await.model;
    if digest.is_zero() {
        return model::initial(spec);
    }
    let manifest: AggregateManifest = get_manifest(&*world.store, digest).await.unwrap();
    let bytes = get_artifact(&*world.store, &manifest.model, None, &[], 1 << 20).await.unwrap();
    Tensors::from_bytes(&bytes, 1 << 20).unwrap()
}

fn move_a_little(weights: &mut Tensors, reach: f32) {
    for (at, value) in weights.0.values_mut().flat_map(|tensor| &mut tensor.data).enumerate() {
        *value += 0.01 * reach * if at % 2 == 0 { 1.0 } else { -1.0 };
    }
}

fn teach(weights: &mut Tensors, reach: f32) {
    let weight = &mut weights.0.get_mut("layers.0.weight").unwrap().data;
    weight.iter_mut().zip([1.0, -1.0, -1.0, 1.0]).for_each(|(value, sign)| *value += 0.1 * reach * sign);
}

/// Makes and posts an update for the current round. Sealed to `keepers`, if any.
pub(crate) async fn post(
    world: &World,
    session: u64,
    spec: &SessionSpec,
    (index, seat): (u32, u16),
    what: Post,
    keepers: &[B256],
) -> Result<(), String> {
    let state = world.session(session).await;
    let mut weights = start(world, session, spec).await;
    let reach = f32::from(seat) + 1.0;
    match what {
        Post::Idle => {}
        Post::Useful => teach(&mut weights, reach),
        Post::Copied => teach(&mut weights, 1.0),
        _ => move_a_little(&mut weights, reach),
    }
    let (name, tensor) = weights.0.iter_mut().next().map(|(name, tensor)| (name.clone(), tensor)).unwrap();
    match what {
        Post::NotANumber => tensor.data[0] = f32::NAN,
        Post::Huge => tensor.data[0] = 1e30,
        Post::WrongShape => drop(weights.0.insert(name, Tensor::zeros(&[3, 3]))),
        _ => {}
    }
    let bytes = match what {
        Post::GarbageWeights => Bytes::from_static(b"these are no weights"),
        _ => Bytes::from(weights.to_bytes()),
    };
    let context = [&b"parity/update/"[..], spec.digest().unwrap().as_slice()].concat();
    let mut artifact = put_sealed(&*world.store, bytes, keepers, &context).await.unwrap();
    if what == Post::NoWeights {
        artifact.link = parity_protocol::Link::of_block(link::RAW, b"never stored");
    }
    let samples = if what == Post::WrongSamples { 1_000_000 } else { shard_rows(seat) };
    let manifest = UpdateManifest {
        session,
        round: state.round,
        seat: if what == Post::OtherSeat { seat + 1 } else { seat },
        operator: address(index).unwrap(),
        weights: artifact,
        samples,
        training: Metrics { samples, loss: 1.0, accuracy: Some(0.5), ..Metrics::default() },
        determinism: Determinism::Processor,
        holdout: Some(Metrics { samples: 4, loss: f64::from(seat), accuracy: Some(0.75), ..Metrics::default() }),
    };
    let digest = match what {
        Post::WrongDigest => NOWHERE,
        Post::Garbage => {
            let garbage = Bytes::from_static(&[0xa1, 0x61, 0x61, 0x01]);
            world.store.put_block(link::DAG_CBOR, garbage).await.unwrap().digest()
        }
        _ => put_manifest(&*world.store, &manifest).await.unwrap(),
    };
    let sessions = world.sessions(index);
    send(sessions.submitUpdate(U256::from(session), state.round, seat, digest, samples)).await.map(drop)
}

/// Honest runners that post in every round until the session has ended.
pub(crate) fn crowd(world: &Arc<World>, session: u64, spec: &SessionSpec, first: u32, seats: u16) -> JoinHandle<()> {
    let (world, spec) = (Arc::clone(world), spec.clone());
    tokio::spawn(async move {
        loop {
            let state = world.session(session).await;
            if state.state > State::Active.number() {
                return;
            }
            if state.phase == Phase::Training.number() {
                // In the middle of a reorganisation the node may not have the block that it named as its head.
                let Ok(held) = world.client.seats(U256::from(session)).await else { continue };
                for seat in 0..seats {
                    if held[usize::from(seat)].lastRound != state.round {
                        // A reorganisation may swallow the transaction, or the round may end first: then it is tried again.
                        let posting = post(&world, session, &spec, (first + u32::from(seat), seat), Post::Good, &[]);
                        let _ = tokio::time::timeout(Duration::from_secs(2), posting).await;
                    }
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
}
