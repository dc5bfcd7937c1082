//! Agents that are killed at any moment do nothing twice.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use alloy::hex;
use parity_abi::State;
use parity_chain::Wallet;
use parity_learning::{
    compress, model,
    tensors::{Tensor, Tensors},
};
use parity_protocol::{
    B256,
    spec::{Compression, SessionSpec},
};
use parity_runner::RunnerConfig;
use parity_testkit::{
    anvil::account,
    child::{TiedChild, tied_command},
};
use rand::RngExt;
use tokio_util::sync::CancellationToken;

use crate::{
    hostile::HONEST,
    pilot,
    world::{Agent, World, terms, uploaded},
};

const CONFIG: &str = "PARITY_TEST_AGENT_CONFIG";
const KEY: &str = "PARITY_TEST_AGENT_KEY";

/// Not a test of its own: the process that the kill test starts and kills.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the agent of the kill test"]
async fn agent_process() {
    let path = std::env::var(CONFIG).expect("the kill test sets it");
    let config: RunnerConfig = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let key: B256 = std::env::var(KEY).unwrap().parse().unwrap();
    parity_service::init_tracing(false);
    parity_runner::run_as(config, Wallet::from_key(&key).unwrap(), CancellationToken::new()).await.unwrap();
}

fn spawn(config: &Path, index: u32, log: &Path) -> TiedChild {
    let mut command = tied_command(std::env::current_exe().unwrap().to_str().unwrap());
    command.args(["--exact", "kills::agent_process", "--ignored", "--nocapture"]);
    command.env(CONFIG, config).env(KEY, hex::encode_prefixed(account(index).unwrap().to_bytes()));
    TiedChild::spawn("agent", command, log).unwrap()
}

const AGENT: u32 = 10;

/// Runs a session of one seat to its end with an agent that is killed again and again; returns the session and how often.
async fn fly_and_kill(world: &World, agent: &Agent, spec: &SessionSpec, rounds: u16) -> (u64, usize) {
    let config = world.network.folder().join("agent.json");
    std::fs::write(&config, serde_json::to_vec(&agent.config).unwrap()).unwrap();
    let log = world.network.folder().join("agent.log");
    let session = world.create(spec, terms(spec, 1, rounds)).await;
    let mut kills = 0;
    let killing = async {
        let begun = Instant::now();
        while !world.is_over(session).await {
            assert!(begun.elapsed() < Duration::from_secs(110), "not over after {kills} kills; see {}", log.display());
            let mut process = spawn(&config, AGENT, &log);
            let life = rand::rng().random_range(100..1500);
            tokio::time::sleep(Duration::from_millis(life)).await;
            process.kill();
            kills += 1;
        }
    };
    tokio::join!(pilot::fly(world, session, spec), killing);
    (session, kills)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_is_killed_again_and_again_posts_every_round_once_and_pays_gas_once() {
    let world = World::start().await;
    let trained = world.network.folder().join("trained");
    // Takes a moment, so that kills hit it too, and counts what it finished.
    let script = format!("sleep 0.3\n{HONEST}\necho x >>{}", trained.display());
    let agent = world.agent(AGENT, &script).await;
    let before = world.transactions(&agent.wallet).await;
    let rounds = 12;
    let (session, kills) = fly_and_kill(&world, &agent, &uploaded(1), rounds).await;

    assert_eq!(world.session(session).await.state, State::Completed.number());
    let posted: Vec<u16> = world.posted(session).await.iter().map(|update| update.round).collect();
    assert_eq!(posted, (1..=rounds).collect::<Vec<_>>());
    // One claim and one update a round.
    assert_eq!(world.transactions(&agent.wallet).await - before, 1 + u64::from(rounds));
    let trained = std::fs::read_to_string(&trained).unwrap().lines().count();
    assert!(kills >= 5, "only {kills} kills");
    assert!(trained <= usize::from(rounds) + kills, "{trained} trainings for {rounds} rounds and {kills} kills");
    // Nothing that a killed agent left running survives it.
    assert!(!crate::sandbox::is_running(&agent.config.sandbox.trainer));
}

/// Replaces the six weights that the honest trainer echoes by 1 to 6, after a moment.
const SIX: &str = r"sleep 0.2
size=$(wc -c <$2/update.safetensors); head -c $((size-24)) $1/model.safetensors >$2/update.safetensors
printf '\000\000\200\077\000\000\000\100\000\000\100\100\000\000\200\100\000\000\240\100\000\000\300\100' >>$2/update.safetensors";

#[tokio::test(flavor = "multi_thread")]
async fn what_compression_leaves_out_survives_every_kill() {
    let world = World::start().await;
    let agent = world.agent(AGENT, &format!("{HONEST}\n{SIX}")).await;
    let spec = SessionSpec { compression: Compression::Largest { share: 0.25 }, ..uploaded(1) };
    let (session, kills) = fly_and_kill(&world, &agent, &spec, 8).await;
    assert!(kills >= 3, "only {kills} kills");

    let tensor = |shape: &[usize], data: &[f32]| Tensor { shape: shape.to_vec(), data: data.to_vec() };
    let trained = Tensors(
        [
            ("layers.0.bias".to_owned(), tensor(&[2], &[1.0, 2.0])),
            ("layers.0.weight".to_owned(), tensor(&[2, 2], &[3.0, 4.0, 5.0, 6.0])),
        ]
        .into(),
    );
    let (mut previous, mut residual) = (model::initial(&spec), None);
    let posted = world.posted(session).await;
    assert_eq!(posted.len(), 8);
    for update in posted {
        let bytes = pilot::weights(&world, &world.manifest(update.digest).await.weights, &spec).await;
        let (expected, left) = compress::encode(spec.compression, &previous, &trained, residual.as_ref()).unwrap();
        assert_eq!(bytes, expected, "round {}", update.round);
        (previous, residual) = (compress::decode(spec.compression, &bytes, &previous).unwrap(), left);
    }
}
