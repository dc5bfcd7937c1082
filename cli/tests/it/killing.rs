//! SIGKILL to any daemon at any point: every session completes, everybody is paid what is owed, once.

use std::{
    collections::BTreeMap,
    fs,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use crate::{
    devnet::{Devnet, Layout},
    files,
    random::Random,
    reindex,
    settlement::{self, Purses},
};

/// Least number of kills.
const KILLS: usize = 32;
/// Longest pause between two kills, in milliseconds.
const PAUSE: u64 = 2500;
/// Sessions that run at the same time.
const TOGETHER: usize = 3;
/// Kills in that many milliseconds hit the same daemon again: in its start, or in its recovery.
const AGAIN: u64 = 600;
/// After this without an end something hangs.
const PATIENCE: Duration = Duration::from_secs(420);

/// Kills a daemon if it runs; says whether it did.
fn kill(devnet: &Devnet, name: &str) -> bool {
    let id = devnet.daemons()[name];
    // A number may have been given to somebody else: this must be our daemon.
    let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    let home = devnet.home().path().to_str().unwrap().as_bytes();
    if !line.windows(home.len()).any(|window| window == home) {
        return false;
    }
    Command::new("kill").args(["-KILL", &id.to_string()]).status().unwrap().success()
}

/// A small session: 3 seats, 4 rounds.
fn create(devnet: &Devnet, number: usize) -> u64 {
    let model = ["logistic_regression", "neural_network"][number % 2];
    let seed = number.to_string();
    let arguments = ["fl", "create-session-with-data", "iris_data.csv", "--model-type", model];
    let created =
        devnet.json_in(&files::examples(), &[&arguments[..], &["--total-rounds", "4", "--seed", &seed]].concat());
    created["session"].as_u64().unwrap()
}

#[test]
fn daemons_killed_at_random_lose_nothing_and_pay_once() {
    let devnet = Devnet::start_as(&Layout { keepers: 2, ..Layout::default() });
    let chain = devnet.chain();
    let purses = Purses::open(&devnet, &chain);
    let mut random = Random::seeded();
    let names: Vec<String> = devnet.daemons().into_keys().collect();
    let begun = Instant::now();

    let mut kills = BTreeMap::<String, usize>::new();
    let mut sessions = Vec::new();
    loop {
        let running = sessions.iter().filter(|session| !chain.is_completed(**session)).count();
        let killed: usize = kills.values().sum();
        if running == 0 && killed >= KILLS {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{killed} kills and {running} of {sessions:?} still running");
        if running < TOGETHER && killed < KILLS {
            sessions.push(create(&devnet, sessions.len()));
            continue;
        }
        if killed >= KILLS {
            thread::sleep(Duration::from_millis(200));
            continue;
        }
        let name = random.pick(&names);
        for pause in [random.below(PAUSE), random.below(AGAIN)] {
            thread::sleep(Duration::from_millis(pause));
            if kill(&devnet, name) {
                *kills.entry(name.clone()).or_default() += 1;
            }
        }
    }
    println!("{} sessions, {kills:?} kills, {:.0} s", sessions.len(), begun.elapsed().as_secs_f64());

    for session in &sessions {
        let details = settlement::check(&devnet, &chain, *session);
        assert_eq!(details["final_rounds"].as_array().unwrap().len(), 4, "session {session}");
        settlement::verify(&devnet, &chain, *session);
    }
    purses.check(&chain);
    reindex::check(&devnet, &chain);
}
