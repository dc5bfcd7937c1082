//! Updates that nobody should post, and what becomes of them.

use std::sync::Arc;

use parity_keeper::Error;
use parity_protocol::{B256, U256, manifest::Rejection};
use parity_testkit::anvil::address;

use crate::{
    spec::{NOWHERE, USDFC, private, terms, uploaded},
    updates::{Post, crowd, post},
    world::{World, send},
};

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_update_is_rejected_with_its_reason_and_the_good_ones_are_paid() {
    let posts = [
        (Post::Good, None),
        (Post::NotANumber, Some(Rejection::NotFinite { tensor: "layers.0.bias".to_owned() })),
        (Post::Huge, Some(Rejection::NormTooLarge)),
        (Post::WrongShape, Some(Rejection::WrongShape { tensor: "layers.0.bias".to_owned() })),
        (Post::WrongDigest, Some(Rejection::Unavailable)),
        (Post::NoWeights, Some(Rejection::Unavailable)),
        (Post::WrongSamples, Some(Rejection::WrongSamples)),
        (Post::Garbage, Some(Rejection::Malformed { part: "manifest".to_owned() })),
        (Post::GarbageWeights, Some(Rejection::Malformed { part: "weights".to_owned() })),
        (Post::OtherSeat, Some(Rejection::Mismatch { field: "seat".to_owned() })),
        (Post::Good, None),
    ];
    let world = World::start().await;
    let mut keeper = world.keeper(10).await;
    keeper.start();
    let seats = u16::try_from(posts.len()).unwrap();
    let spec = uploaded(seats);
    let mut terms = terms(&spec, seats, 1);
    terms.proposePeriod = 60u64.try_into().unwrap();
    let session = world.create(&spec, terms).await;
    world.fill(session, 20, seats).await;
    world.until_training(session, 1).await;
    for (seat, (what, _)) in (0..).zip(&posts) {
        post(&world, session, &spec, (20 + u32::from(seat), seat), *what, &[]).await.unwrap();
    }
    assert_eq!(world.until_ended(session).await.finalRounds, 1);

    let manifest = world.manifest(session, 1).await;
    for (seat, (what, expected)) in (0..).zip(&posts) {
        let rejected = manifest.rejected.iter().find(|update| update.seat == seat).map(|update| &update.reason);
        assert_eq!(rejected, expected.as_ref(), "{what:?}");
        assert_eq!(manifest.accepted.iter().any(|update| update.seat == seat), expected.is_none(), "{what:?}");
    }
    world.until_settled(session).await;
    for (seat, (what, expected)) in (0u32..).zip(&posts) {
        let paid = world.balance(address(20 + seat).unwrap()).await;
        assert_eq!(paid > 0, expected.is_none(), "{what:?}");
    }
    let verdicts = world.verify(session).await.unwrap();
    assert_eq!(verdicts[0].difference, None);
    assert_eq!((verdicts[0].accepted, verdicts[0].rejected), (2, 9));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_of_bad_updates_alone_leaves_the_model_and_pays_no_runner() {
    let world = World::start().await;
    let mut keeper = world.keeper(10).await;
    keeper.start();
    let spec = uploaded(1);
    let session = world.create(&spec, terms(&spec, 1, 1)).await;
    world.fill(session, 20, 1).await;
    world.until_training(session, 1).await;
    post(&world, session, &spec, (20, 0), Post::Huge, &[]).await.unwrap();
    world.until_ended(session).await;
    world.until_settled(session).await;
    let manifest = world.manifest(session, 1).await;
    let initial = parity_learning::model::initial(&spec).to_bytes();
    assert_eq!(manifest.model.link, parity_content::cid_of_bytes(&initial).link);
    assert_eq!(world.balance(address(20).unwrap()).await, 0);
    assert_eq!(world.balance(keeper.address()).await, USDFC);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_proposal_is_not_attested_and_its_round_is_void() {
    let world = Arc::new(World::start().await);
    let (mut honest, thief) = (world.keeper(10).await, world.keeper(11).await);
    let spec = uploaded(1);
    let mut terms = terms(&spec, 1, 2);
    terms.attestations = 2;
    terms.proposePeriod = 30u64.try_into().unwrap();
    let session = world.create(&spec, terms).await;
    world.fill(session, 20, 1).await;
    let id = U256::from(session);
    send(world.sessions(20).start(id)).await.unwrap();
    post(&world, session, &spec, (20, 0), Post::Good, &[]).await.unwrap();
    send(world.sessions(20).close(id, 1)).await.unwrap();
    let sessions = world.sessions(11);
    send(sessions.propose(id, 1, NOWHERE, B256::ZERO, NOWHERE, 11 * USDFC, false, NOWHERE)).await.unwrap();
    honest.start();
    world.until(session, |s| s.round == 2).await;
    let sessions = world.client.sessions();
    assert!(!sessions.hasAttested(id, 1, honest.address()).call().await.unwrap());
    assert_eq!(sessions.aggregateOf(id, 1).call().await.unwrap(), B256::ZERO);
    assert_eq!(world.session(session).await.committed, 0);
    honest.assert_running();
    drop(thief);
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_sealed_to_keepers_are_opened_and_those_sealed_to_nobody_are_rejected() {
    let world = World::start().await;
    let mut keeper = world.keeper(10).await;
    keeper.start();
    let spec = private(parity_protocol::spec::Privacy::Low);
    let session = world.create(&spec, terms(&spec, 2, 1)).await;
    world.fill(session, 20, 2).await;
    world.until_training(session, 1).await;
    let stranger = parity_content::SealingKey::generate().public();
    post(&world, session, &spec, (20, 0), Post::Good, &[keeper.key]).await.unwrap();
    post(&world, session, &spec, (21, 1), Post::Good, &[stranger]).await.unwrap();
    world.until_ended(session).await;
    let manifest = world.manifest(session, 1).await;
    assert_eq!(manifest.accepted.len(), 1);
    assert_eq!(manifest.accepted[0].seat, 0);
    assert_eq!(manifest.rejected[0].reason, Rejection::Malformed { part: "weights".to_owned() });
    // A stranger without the key cannot recompute, and is told so.
    assert!(matches!(world.verify(session).await, Err(Error::Sealed { round: 1 })));
}

#[tokio::test(flavor = "multi_thread")]
async fn verification_notices_content_that_was_forged_or_is_gone() {
    let world = Arc::new(World::start().await);
    let mut keeper = world.keeper(10).await;
    keeper.start();
    let spec = uploaded(2);
    let session = world.create(&spec, terms(&spec, 2, 1)).await;
    world.fill(session, 20, 2).await;
    let runners = crowd(&world, session, &spec, 20, 2);
    world.until_ended(session).await;
    runners.await.unwrap();
    assert!(world.verify(session).await.unwrap().iter().all(|verdict| verdict.difference.is_none()));
    let update = world.manifest(session, 1).await.accepted[0].digest;
    world.forge(update);
    assert!(matches!(world.verify(session).await, Err(Error::NotYet { round: 1, missing: 1 })));
    world.hide(update);
    assert!(matches!(world.verify(session).await, Err(Error::NotYet { round: 1, missing: 1 })));
}
