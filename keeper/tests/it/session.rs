//! Whole sessions.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use parity_abi::{Phase, State};
use parity_keeper::{Evaluation, timings::RoundTiming};
use parity_learning::round::sampled;
use parity_protocol::{Address, U256, codec::Block};
use parity_testkit::anvil::address;

use crate::{
    spec::{USDFC, terms, uploaded, with_holdout},
    updates::crowd,
    world::{REQUESTER, WEALTH, World},
};

/// What the contract's own formula gives everyone for the final rounds of a session.
pub(crate) async fn owed(world: &World, session: u64, proposers: &[Address]) -> BTreeMap<Address, u128> {
    let id = U256::from(session);
    let terms = world.client.terms(id).await.unwrap();
    let mut owed: BTreeMap<Address, u128> = BTreeMap::new();
    for round in 1..=terms.rounds {
        let accepted = world.manifest(session, round).await.accepted;
        let samples: u64 = accepted.iter().map(|update| update.samples).sum();
        let scores: u64 = accepted.iter().map(|update| u64::from(update.score)).sum();
        for update in accepted {
            let reward = world
                .client
                .sessions()
                .rewardOf(id, update.samples, U256::from(samples), update.score, U256::from(scores))
                .call()
                .await
                .unwrap();
            *owed.entry(update.operator).or_default() += reward;
        }
        *owed.entry(proposers[usize::from(round) - 1]).or_default() += terms.keeperFee;
    }
    owed
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_runs_to_its_end_and_everyone_is_paid_what_the_contract_says() {
    let world = Arc::new(World::start().await);
    let mut keeper = world.keeper(10).await;
    keeper.start();
    let spec = with_holdout(3);
    let session = world.create(&spec, terms(&spec, 3, 3)).await;
    world.seal_holdout(session, spec.digest().unwrap(), &keeper).await;
    world.fill(session, 20, 3).await;
    let runners = crowd(&world, session, &spec, 20, 3);
    let ended = world.until_ended(session).await;
    runners.await.unwrap();
    assert_eq!((ended.state, ended.finalRounds), (State::Completed.number(), 3));

    world.until_settled(session).await;
    let mut owed = owed(&world, session, &[keeper.address(); 3]).await;
    for runner in 20..23 {
        *owed.get_mut(&address(runner).unwrap()).unwrap() += 5 * USDFC / 3;
    }
    let mut paid = BTreeMap::new();
    for operator in owed.keys() {
        paid.insert(*operator, world.balance(*operator).await);
    }
    assert_eq!(paid, owed);
    let all: u128 = paid.values().sum();
    assert_eq!(world.balance(address(REQUESTER).unwrap()).await, WEALTH - all);

    let timings = std::fs::read_to_string(keeper.config.state.join(parity_keeper::timings::FILE)).unwrap();
    let timings: Vec<RoundTiming> = timings.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(timings.iter().map(|timing| timing.round).collect::<Vec<_>>(), [1, 2, 3]);
    let report = world.report(session, 3).await;
    assert_eq!(report.evaluation.unwrap().samples, 4);
    let reputation = world.client.reputation();
    let reputation = reputation.recordOf(address(20).unwrap());
    world.eventually("the seats' settlement", async || reputation.call().await.unwrap().finished == 3).await;
    let verdicts = world.verify(session).await.unwrap();
    assert_eq!(verdicts.len(), 3);
    assert!(verdicts.iter().all(|verdict| verdict.difference.is_none()), "{verdicts:?}");
    keeper.assert_running();
    keeper.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_keepers_agree_and_take_no_step_twice() {
    let world = Arc::new(World::start().await);
    let (mut first, mut second) = (world.keeper(10).await, world.keeper(11).await);
    first.start();
    second.start();
    let spec = with_holdout(2);
    let mut terms = terms(&spec, 2, 4);
    terms.attestations = 2;
    let session = world.create(&spec, terms).await;
    for keeper in [&first, &second] {
        world.seal_holdout(session, spec.digest().unwrap(), keeper).await;
    }
    world.fill(session, 20, 2).await;
    let runners = crowd(&world, session, &spec, 20, 2);
    let ended = world.until_ended(session).await;
    runners.await.unwrap();
    assert_eq!((ended.state, ended.finalRounds), (State::Completed.number(), 4));
    assert!(world.manifest(session, 4).await.holdout);
    world.until_settled(session).await;
    let paid = world.client.escrow().budget(world.client.deployments().sessions, U256::from(session)).call().await;
    let paid = paid.unwrap();
    assert_eq!(paid.claimed + paid.refunded, paid.deposited);
    let spent = world.balance(address(REQUESTER).unwrap()).await;
    assert_eq!(WEALTH - spent, paid.claimed);
    first.assert_running();
    second.assert_running();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_sick_session_does_not_hold_up_the_others() {
    let world = Arc::new(World::start().await);
    let mut keeper = world.keeper(10).await;
    keeper.start();
    let spec = uploaded(1);
    // Its spec is nowhere to be found, so no round of it can be aggregated.
    let mut broken = terms(&spec, 1, 2);
    broken.spec = crate::spec::NOWHERE;
    broken.proposePeriod = 30u64.try_into().unwrap();
    let sick = world.create_without_spec(broken).await;
    let mut other = uploaded(1);
    other.name = "Another".to_owned();
    let healthy = world.create(&other, terms(&other, 1, 2)).await;
    world.fill(sick, 20, 1).await;
    world.fill(healthy, 30, 1).await;
    let posting = [crowd(&world, sick, &spec, 20, 1), crowd(&world, healthy, &other, 30, 1)];
    assert_eq!(world.until_ended(healthy).await.finalRounds, 2);
    let sick_end = world.until_ended(sick).await;
    assert_eq!((sick_end.state, sick_end.finalRounds), (State::Completed.number(), 0));
    world.until_settled(sick).await;
    for runner in posting {
        runner.await.unwrap();
    }
    keeper.assert_running();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_evaluation_that_fails_holds_nothing_up() {
    let world = Arc::new(World::start().await);
    let mut keeper = world.keeper(10).await;
    keeper.config.evaluation = Evaluation::Process { program: "/bin/false".into(), libraries: None };
    keeper.start();
    let spec = with_holdout(1);
    let session = world.create(&spec, terms(&spec, 1, 1)).await;
    world.seal_holdout(session, spec.digest().unwrap(), &keeper).await;
    world.fill(session, 20, 1).await;
    let runners = crowd(&world, session, &spec, 20, 1);
    assert_eq!(world.until_ended(session).await.finalRounds, 1);
    runners.await.unwrap();
    assert_eq!(world.report(session, 1).await.evaluation, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_too_large_for_a_keeper_is_left_alone() {
    let world = Arc::new(World::start().await);
    let mut keeper = world.keeper(10).await;
    keeper.config.round_bytes = 1000;
    keeper.start();
    let spec = uploaded(1);
    let mut terms = terms(&spec, 1, 1);
    terms.proposePeriod = 20u64.try_into().unwrap();
    let session = world.create(&spec, terms).await;
    world.fill(session, 20, 1).await;
    let runners = crowd(&world, session, &spec, 20, 1);
    let ended = world.until_ended(session).await;
    runners.await.unwrap();
    assert_eq!((ended.state, ended.finalRounds), (State::Completed.number(), 0));
    keeper.assert_running();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trainer_in_its_container_measures_what_the_keeper_itself_would() {
    let world = Arc::new(World::start().await);
    let image = std::env::var("PARITY_TRAINER_IMAGE").unwrap_or_else(|_| "parity-trainer:latest".to_owned());
    parity_runner::sandbox::Docker::open(&image, "test").await.expect("script/trainer-image builds the image");
    let mut keeper = world.keeper(10).await;
    keeper.config.evaluation = Evaluation::Docker { image };
    keeper.start();
    let spec = with_holdout(1);
    let session = world.create(&spec, terms(&spec, 1, 1)).await;
    world.seal_holdout(session, spec.digest().unwrap(), &keeper).await;
    world.fill(session, 20, 1).await;
    let runners = crowd(&world, session, &spec, 20, 1);
    world.until_ended(session).await;
    runners.await.unwrap();
    let report = world.report(session, 1).await;
    let measured = report.evaluation.unwrap();
    let model = world.manifest(session, 1).await.model;
    let model = parity_content::get_artifact(&*world.store, &model, None, &[], 1 << 20).await.unwrap();
    let model = parity_learning::tensors::Tensors::from_bytes(&model, 1 << 20).unwrap();
    let predictor = parity_learning::predict::Predictor::of_spec(&spec, &model).unwrap();
    let parity_protocol::metrics::Evaluation { metrics: expected, confusion } =
        predictor.evaluate(&crate::spec::holdout()).unwrap();
    assert!(confusion.is_some());
    assert_eq!(report.confusion, confusion);
    assert_eq!((measured.samples, measured.accuracy), (expected.samples, expected.accuracy));
    assert!((measured.loss - expected.loss).abs() < 1e-5, "{measured:?} {expected:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rounds_of_drawn_seats_close_early_and_those_who_were_not_drawn_lose_nothing() {
    let world = Arc::new(World::start().await);
    let mut keeper = world.keeper(10).await;
    keeper.start();
    let mut spec = uploaded(3);
    spec.aggregation.participation = 0.5;
    let terms = terms(&spec, 3, 4);
    assert_eq!((terms.cohort, terms.quorum), (2, 2));
    let session = world.create(&spec, terms).await;
    world.seal_holdout(session, spec.digest().unwrap(), &keeper).await;
    world.fill(session, 20, 3).await;
    // Everyone tries to post in every round; the contract refuses those who were not drawn.
    let runners = crowd(&world, session, &spec, 20, 3);
    let ended = world.until_ended(session).await;
    runners.await.unwrap();
    assert_eq!((ended.state, ended.finalRounds), (State::Completed.number(), 4));

    let mut present = BTreeSet::new();
    for round in 1..=4 {
        let drawn = sampled(&spec, round, 3);
        let accepted: BTreeSet<u16> =
            world.manifest(session, round).await.accepted.iter().map(|update| update.seat).collect();
        assert_eq!(accepted, (0..3).filter(|seat| drawn[usize::from(*seat)]).collect(), "round {round}");
        present.extend(accepted);
    }
    let seats = world.client.seats(U256::from(session)).await.unwrap();
    assert!(seats.iter().all(|seat| !seat.operator.is_zero()), "nobody lost a seat: {seats:?}");
    world.until_settled(session).await;
    let mut owed = owed(&world, session, &[keeper.address(); 4]).await;
    for seat in &present {
        let bonus = 5 * USDFC / u128::try_from(present.len()).unwrap();
        *owed.get_mut(&address(20 + u32::from(*seat)).unwrap()).unwrap() += bonus;
    }
    for (operator, owed) in owed {
        assert_eq!(world.balance(operator).await, owed);
    }
    let verdicts = world.verify(session).await.unwrap();
    assert!(verdicts.iter().all(|verdict| verdict.difference.is_none()), "{verdicts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_when_its_target_is_reached_and_the_bonus_is_paid_for_the_rounds_that_took_place() {
    let world = Arc::new(World::start().await);
    let (mut first, mut second) = (world.keeper(10).await, world.keeper(11).await);
    first.start();
    second.start();
    let mut spec = with_holdout(2);
    // The crowd's models classify half of the holdout or more, whatever they have learned.
    spec.target = Some(0.5);
    let mut terms = terms(&spec, 2, 9);
    terms.attestations = 2;
    let budget = world.client.sessions().budgetOf(terms.clone()).call().await.unwrap();
    let session = world.create(&spec, terms).await;
    for keeper in [&first, &second] {
        world.seal_holdout(session, spec.digest().unwrap(), keeper).await;
    }
    world.fill(session, 20, 2).await;
    let runners = crowd(&world, session, &spec, 20, 2);
    let ended = world.until_ended(session).await;
    runners.await.unwrap();
    assert_eq!(ended.state, State::Completed.number());
    let rounds = ended.finalRounds;
    assert!(rounds < 9, "{rounds} rounds");
    for round in 1..=rounds {
        let accuracy = world.report(session, round).await.evaluation.unwrap().accuracy.unwrap();
        assert_eq!(accuracy >= 0.5, round == rounds, "round {round}: {accuracy}");
    }
    world.until_settled(session).await;
    let paid = world.client.escrow().budget(world.client.deployments().sessions, U256::from(session)).call().await;
    let paid = paid.unwrap();
    assert_eq!((paid.claimed, paid.deposited), (paid.committed, budget));
    // Every round costs reward and fee, all but what rounding leaves; the bonus of 5 goes to both runners.
    let most = u128::from(rounds) * (11 * USDFC + 1) + 5 * USDFC;
    assert!((most - 10 * u128::from(rounds)..=most).contains(&paid.committed), "{} of {most}", paid.committed);
    assert_eq!(world.balance(address(REQUESTER).unwrap()).await, WEALTH - paid.committed);
    let verdicts = world.verify(session).await.unwrap();
    assert!(verdicts.iter().all(|verdict| verdict.difference.is_none()), "{verdicts:?}");
    assert_eq!(verdicts.len(), usize::from(rounds));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keeper_without_the_holdout_ends_no_session_that_has_a_target() {
    let world = Arc::new(World::start().await);
    let (mut blind, mut seeing) = (world.keeper(10).await, world.keeper(11).await);
    blind.start();
    let mut spec = with_holdout(1);
    spec.target = Some(0.5);
    let session = world.create(&spec, terms(&spec, 1, 3)).await;
    world.seal_holdout(session, spec.digest().unwrap(), &seeing).await;
    world.fill(session, 20, 1).await;
    let runners = crowd(&world, session, &spec, 20, 1);
    world.until(session, |s| s.phase == Phase::Closed.number()).await;
    let block = world.client.block_number().await.unwrap();
    world.client.wait_for_block(block + 20).await.unwrap();
    assert_eq!(world.session(session).await.phase, Phase::Closed.number(), "it does not propose what it cannot know");
    seeing.start();
    assert!(world.until_ended(session).await.finalRounds > 0);
    runners.await.unwrap();
    blind.assert_running();
}
