//! Who is paid by the held-out rows, and what happens where nobody has them.

use parity_content::SealingKey;
use parity_keeper::verify::Taken;
use parity_learning::holdout::Holdout;
use parity_protocol::{Address, U256, codec::Block, spec::SessionSpec};
use parity_testkit::anvil::address;

use crate::{
    session::owed,
    spec::{holdout, terms, with_holdout},
    updates::{Post, post},
    world::{Keeper, World},
};

/// Runs one round in which seats post this, in this order.
async fn round(world: &World, session: u64, spec: &SessionSpec, posts: &[Post]) {
    world.until_training(session, 1).await;
    for (seat, what) in (0..).zip(posts) {
        post(world, session, spec, (20 + u32::from(seat), seat), *what, &[]).await.unwrap();
    }
    world.until_ended(session).await;
}

/// Scores by seat.
async fn scores(world: &World, session: u64) -> Vec<(u16, u32)> {
    let accepted = world.manifest(session, 1).await.accepted;
    let mut scores: Vec<(u16, u32)> = accepted.iter().map(|update| (update.seat, update.score)).collect();
    scores.sort_unstable();
    scores
}

async fn paid_as_the_contract_says(world: &World, session: u64, proposer: Address) {
    world.until_settled(session).await;
    let mut owed = owed(world, session, &[proposer]).await;
    let terms = world.client.terms(U256::from(session)).await.unwrap();
    for seat in 0..terms.seats {
        *owed.get_mut(&address(20 + u32::from(seat)).unwrap()).unwrap() +=
            terms.completionBonus / u128::from(terms.seats);
    }
    for (operator, owed) in owed {
        assert_eq!(world.balance(operator).await, owed, "{operator}");
    }
}

fn key(keeper: &Keeper) -> SealingKey {
    SealingKey::open(&keeper.config.state.join("sealing.key")).unwrap()
}

fn rows(spec: &SessionSpec) -> Holdout {
    Holdout::of_spec(spec, &holdout().to_safetensors()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_performance_share_goes_to_who_was_of_use_and_anyone_with_the_holdout_can_check_it() {
    let world = World::start().await;
    let mut keeper = world.keeper(10).await;
    keeper.start();
    let spec = with_holdout(4);
    let session = world.create(&spec, terms(&spec, 4, 1)).await;
    world.seal_holdout(session, spec.digest().unwrap(), &keeper).await;
    world.fill(session, 20, 4).await;
    round(&world, session, &spec, &[Post::Useful, Post::Idle, Post::Copied, Post::Useful]).await;
    assert!(world.manifest(session, 1).await.holdout);
    let scores = scores(&world, session).await;
    assert!(scores[0].1 > 0 && scores[3] == (3, 10_000), "{scores:?}");
    assert_eq!((scores[1], scores[2]), ((1, 0), (2, 0)));
    paid_as_the_contract_says(&world, session, keeper.address()).await;

    let by_requester = world.verify_with(session, Some(rows(&spec)), None).await.unwrap();
    assert_eq!((by_requester[0].difference, by_requester[0].taken), (None, Taken::Nothing));
    let by_keeper = world.verify_with(session, None, Some(key(&keeper))).await.unwrap();
    assert_eq!((by_keeper[0].difference, by_keeper[0].taken), (None, Taken::Nothing));
    let by_stranger = world.verify(session).await.unwrap();
    assert_eq!((by_stranger[0].difference, by_stranger[0].taken), (None, Taken::Scores));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_requester_who_seals_other_rows_than_promised_cannot_have_work_for_nothing() {
    let world = World::start().await;
    let mut keepers = [world.keeper(10).await, world.keeper(11).await];
    let spec = with_holdout(2);
    let mut terms = terms(&spec, 2, 1);
    terms.attestations = 2;
    terms.proposePeriod = 60u64.try_into().unwrap();
    let session = world.create(&spec, terms).await;
    // One keeper gets nothing, the other one something else.
    world.seal_rows(session, spec.digest().unwrap(), &keepers[0], &holdout().select(&[1, 0, 2, 3])).await;
    keepers.iter_mut().for_each(Keeper::start);
    world.fill(session, 20, 2).await;
    round(&world, session, &spec, &[Post::Useful, Post::Idle]).await;
    assert!(!world.manifest(session, 1).await.holdout);
    // Direction alone tells who worked.
    let scores = scores(&world, session).await;
    assert!(scores[0].1 >= 9_999 && scores[1] == (1, 0), "{scores:?}");
    let verdicts = world.verify(session).await.unwrap();
    assert_eq!((verdicts[0].difference, verdicts[0].taken), (None, Taken::Nothing));
}

#[tokio::test(flavor = "multi_thread")]
async fn root_rows_judge_in_sessions_and_a_stranger_is_told_that_the_model_cannot_be_recomputed() {
    let world = World::start().await;
    let mut keeper = world.keeper(10).await;
    keeper.start();
    let mut spec = with_holdout(4);
    spec.aggregation = "root-data:2".parse().unwrap();
    spec.validate().unwrap();
    let session = world.create(&spec, terms(&spec, 4, 1)).await;
    world.seal_holdout(session, spec.digest().unwrap(), &keeper).await;
    world.fill(session, 20, 4).await;
    round(&world, session, &spec, &[Post::Useful, Post::Useful, Post::Useful, Post::Good]).await;
    // The other two rows measure.
    assert_eq!(world.report(session, 1).await.evaluation.unwrap().samples, 2);
    let by_requester = world.verify_with(session, Some(rows(&spec)), None).await.unwrap();
    assert_eq!((by_requester[0].difference, by_requester[0].taken), (None, Taken::Nothing));
    let by_stranger = world.verify(session).await.unwrap();
    assert_eq!((by_stranger[0].difference, by_stranger[0].taken), (None, Taken::Model));
}
