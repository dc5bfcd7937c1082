//! Agents at work on a real chain, with trainers of all characters.

use parity_abi::State;
use parity_content::put_manifest;
use parity_learning::{model, round::sampled, tensors::Tensors};
use parity_protocol::{B256, TokenAmount, U256, codec::Block, spec::Privacy};
use parity_runner::{RoundTiming, status};

use crate::{
    hostile::HONEST,
    pilot,
    world::{ROWS, World, spec, terms, uploaded},
};

#[tokio::test(flavor = "multi_thread")]
async fn agents_fill_the_seats_train_every_round_and_post_once() {
    let world = World::start().await;
    let mut agents = [world.agent(10, HONEST).await, world.agent(11, HONEST).await];
    let spec = uploaded(2);
    let session = world.create(&spec, terms(&spec, 2, 3)).await;
    for agent in &mut agents {
        agent.start();
    }
    pilot::fly(&world, session, &spec).await;

    assert_eq!(world.session(session).await.state, State::Completed.number());
    let posted = world.posted(session).await;
    for round in 1..=3 {
        for agent in &agents {
            let mine = |update: &&parity_abi::Sessions::UpdateSubmitted| {
                update.round == round && update.operator == agent.wallet.address()
            };
            assert_eq!(posted.iter().filter(mine).count(), 1, "round {round}");
        }
    }
    for update in &posted {
        let manifest = world.manifest(update.digest).await;
        assert_eq!((manifest.session, manifest.round, manifest.seat), (session, update.round, update.seat));
        assert_eq!((manifest.operator, manifest.samples, update.samples), (update.operator, ROWS, ROWS));
        // The honest trainer returns its starting model, which is the initial one in every round.
        let weights = pilot::weights(&world, &manifest.weights, &spec).await;
        assert_eq!(Tensors::from_bytes(&weights, 1 << 20).unwrap(), model::initial(&spec));
    }
    for agent in &mut agents {
        agent.stop().await;
        // Register, deposit, three updates, and a claim, or two where another was faster.
        let transactions = world.transactions(&agent.wallet).await;
        assert!((6..=7).contains(&transactions), "{transactions} transactions");
        let timings = std::fs::read_to_string(agent.state().join("timings.jsonl")).unwrap();
        let timings: Vec<RoundTiming> = timings.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(timings.iter().map(|timing| timing.round).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(timings.iter().all(|timing| timing.own_ms > 0.0 && timing.own_ms < timing.total_ms), "{timings:?}");
        let rounds = status(agent.state(), 2).unwrap();
        assert!(rounds.iter().all(|round| round.stage == "posted" && round.failures.is_empty()), "{rounds:?}");
        assert_eq!(std::fs::read_dir(agent.state().join("work")).unwrap().count(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_train_only_in_rounds_that_their_seat_is_drawn_for() {
    let world = World::start().await;
    let mut agents = [world.agent(10, HONEST).await, world.agent(11, HONEST).await];
    let mut spec = uploaded(2);
    spec.aggregation.participation = 0.5;
    let session = world.create(&spec, terms(&spec, 2, 4)).await;
    for agent in &mut agents {
        agent.start();
    }
    pilot::fly(&world, session, &spec).await;
    assert_eq!(world.session(session).await.finalRounds, 4);
    let posted: Vec<_> = world.posted(session).await.iter().map(|update| (update.round, update.seat)).collect();
    let drawn = |round| u16::from(sampled(&spec, round, 2)[1]);
    assert_eq!(posted, (1..=4).map(|round| (round, drawn(round))).collect::<Vec<_>>());
    let trained: usize = agents.iter().map(|agent| status(agent.state(), 2).unwrap().len()).sum();
    assert_eq!(trained, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_of_a_sealed_session_are_for_keepers_alone() {
    let world = World::start().await;
    let mut agent = world.agent(10, HONEST).await;
    let spec = parity_protocol::spec::SessionSpec { privacy: Privacy::Low, ..uploaded(1) };
    let session = world.create(&spec, terms(&spec, 1, 1)).await;
    agent.start();
    pilot::fly(&world, session, &spec).await;
    let manifest = world.manifest(world.posted(session).await[0].digest).await;
    let recipients: Vec<_> = manifest.weights.envelopes.iter().map(|envelope| envelope.recipient).collect();
    assert_eq!(recipients, [world.keeper_key.public()]);
    let stored = parity_content::get_bytes(&*world.store, &manifest.weights.link, 1 << 20).await.unwrap();
    assert!(Tensors::from_bytes(&stored, 1 << 20).is_err());
}

/// A trainer that misbehaves, and how its failure reads.
const HOSTILE: [(&str, &str); 4] = [
    // The last weight becomes 0xffffffff, which is NaN.
    (
        "size=$(wc -c <$2/update.safetensors); head -c $((size-4)) $1/model.safetensors >$2/update.safetensors; printf '\\377\\377\\377\\377' >>$2/update.safetensors",
        "not finite",
    ),
    // 1e30 as f32, little-endian.
    (
        "size=$(wc -c <$2/update.safetensors); head -c $((size-4)) $1/model.safetensors >$2/update.safetensors; printf '\\312\\362\\111\\161' >>$2/update.safetensors",
        "would be dropped",
    ),
    ("sed -i 's/layers.0.weight/layers.9.weight/' $2/update.safetensors", "layers.0.weight"),
    ("echo 'out of patience' >&2; exit 4", "out of patience"),
];

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_trainer_got_wrong_is_posted_and_nobody_else_is_hurt() {
    let world = World::start().await;
    let mut agents = Vec::new();
    for (index, (script, _)) in (10..).zip(HOSTILE) {
        agents.push(world.agent(index, &format!("{HONEST}\n{script}")).await);
    }
    agents.push(world.agent(20, HONEST).await);
    let seats = u16::try_from(agents.len()).unwrap();
    let spec = uploaded(agents.len());
    let mut terms = terms(&spec, seats, 1);
    (terms.quorum, terms.roundPeriod) = (1, 150_u64.try_into().unwrap());
    let session = world.create(&spec, terms).await;
    for agent in &mut agents {
        agent.start();
    }
    pilot::fly(&world, session, &spec).await;
    let posted = world.posted(session).await;
    assert_eq!(posted.iter().map(|update| update.operator).collect::<Vec<_>>(), [agents[4].wallet.address()]);
    for (agent, (_, expected)) in agents.iter().zip(HOSTILE) {
        let rounds = status(agent.state(), agent.config.attempts).unwrap();
        let [round] = &rounds[..] else { panic!("{rounds:?}") };
        assert_eq!(round.stage, "given up");
        assert!(round.failures.iter().all(|failure| failure.contains(expected)), "{round:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_keeps_an_agent_out_of_cheap_sessions() {
    let world = World::start().await;
    let mut proud = world.agent(10, HONEST).await;
    proud.config.policy.min_seat_reward = TokenAmount::from_base_units(1001);
    proud.start();
    let spec = uploaded(1);
    let cheap = world.create(&spec, terms(&spec, 1, 1)).await;
    let mut generous = terms(&spec, 1, 1);
    generous.roundReward = 1001;
    let generous = world.create(&spec, generous).await;
    world.until_claimed(generous, 1).await;
    assert_eq!(world.session(cheap).await.claimed, 0);
    let mut humble = world.agent(11, HONEST).await;
    humble.start();
    world.until_claimed(cheap, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_waits_for_content_that_is_missing_or_damaged() {
    let world = World::start().await;
    let mut agent = world.agent(10, HONEST).await;
    agent.start();
    let spec = uploaded(1);
    let session = world.create_without_spec(terms(&spec, 1, 1)).await;
    // Long enough for the agent to look for the spec and not find it.
    world.client().wait_for_block(world.client().block_number().await.unwrap() + 10).await.unwrap();
    assert_eq!(world.session(session).await.claimed, 0);
    put_manifest(&*world.store, &spec).await.unwrap();
    world.until_claimed(session, 1).await;

    world.seal(session, &spec).await;
    let shard = world.client().seats(U256::from(session)).await.unwrap()[0].shard;
    let path = world.block_path(shard);
    let good = std::fs::read(&path).unwrap();
    std::fs::write(&path, b"forged").unwrap();
    world.keeper.send("start", &world.client().sessions().start(U256::from(session))).await.unwrap();
    world.client().wait_for_block(world.client().block_number().await.unwrap() + 20).await.unwrap();
    assert_eq!(world.session(session).await.posted, 0);
    std::fs::write(&path, good).unwrap();
    world.eventually("an update", async || world.session(session).await.posted == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_with_other_rows_than_agreed_is_not_trained_on() {
    let world = World::start().await;
    let mut agent = world.agent(10, HONEST).await;
    agent.start();
    // The spec promises more rows than the requester seals.
    let data = parity_protocol::spec::Data::Uploaded {
        partition: parity_protocol::spec::Partition::Iid,
        min_samples: 1,
        overlap_ratio: 0.0,
        shard_rows: vec![ROWS + 1],
        holdout_rows: 1,
        holdout_digest: B256::ZERO,
    };
    let spec = spec(data, Privacy::None);
    let session = world.create(&spec, terms(&spec, 1, 1)).await;
    world.until_claimed(session, 1).await;
    world.seal(session, &spec).await;
    world.keeper.send("start", &world.client().sessions().start(U256::from(session))).await.unwrap();
    world
        .eventually("the refusal", async || {
            let rounds = status(agent.state(), 2).unwrap();
            rounds.iter().any(|round| round.stage == "given up" && round.failures[0].contains("the shard has 10 rows"))
        })
        .await;
    assert_eq!(world.session(session).await.posted, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_lost_its_seat_claims_again_and_serves() {
    let world = World::start().await;
    let mut agent = world.agent(10, HONEST).await;
    agent.start();
    let spec = uploaded(1);
    let mut terms = terms(&spec, 1, 2);
    terms.roundPeriod = 30_u64.try_into().unwrap();
    terms.maxRollovers = 100;
    let session = world.create(&spec, terms).await;
    world.until_claimed(session, 1).await;
    agent.stop().await;
    world.seal(session, &spec).await;
    let (id, sessions) = (U256::from(session), world.client().sessions());
    world.keeper.send("start", &sessions.start(id)).await.unwrap();
    let deadline: u64 = world.session(session).await.deadline.to();
    world.client().wait_for_block(deadline + 1).await.unwrap();
    world.keeper.send("forfeit", &sessions.forfeit(id, 0)).await.unwrap();
    world.keeper.send("roll", &sessions.rollOver(id, 1)).await.unwrap();
    agent.start();
    // Reopened seats are sealed to the new key; rounds that ran out meanwhile are extended.
    world
        .eventually("an update", async || {
            world.seal(session, &spec).await;
            let now = world.session(session).await;
            if now.deadline.to::<u64>() < world.client().block_number().await.unwrap() {
                let roll = sessions.rollOver(id, now.round);
                world.keeper.send(&format!("roll/{}", now.rollovers), &roll).await.ok();
            }
            world.session(session).await.posted == 1
        })
        .await;
    assert_eq!(spec.digest().unwrap(), world.client().terms(id).await.unwrap().spec);
}
