//! SIGKILL to any daemon at any point: every session completes, everybody is paid what is owed, once.

use std::{
    collections::BTreeMap,
    fs,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{
    devnet::{Devnet, Layout},
    files,
    random::Random,
    reindex,
    settlement::{self, Purses},
    wait,
};

/// Least number of kills.
const KILLS: usize = 32;
/// Longest pause between two kills, in milliseconds.
const PAUSE: u64 = 4000;
/// Sessions that run at the same time.
const TOGETHER: usize = 3;
/// Longest pause, in milliseconds, before the same daemon is hit again: in its start, in its recovery, or not at all.
const AGAIN: u64 = 600;
/// A session that is not over so long after the last kill hangs.
const PATIENCE: Duration = Duration::from_secs(180);

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

/// Kills daemons at random until there were enough; returns how often each was hit.
fn kill_many(devnet: &Devnet, killed: &AtomicUsize) -> BTreeMap<String, usize> {
    let mut random = Random::seeded();
    let names: Vec<String> = devnet.daemons().into_keys().collect();
    let mut hits = BTreeMap::new();
    let mut spared = Vec::new();
    while killed.load(Ordering::Relaxed) < KILLS {
        // Each gets its turn before one has another.
        if spared.is_empty() {
            spared.clone_from(&names);
        }
        let name = random.take(&mut spared);
        for pause in [random.below(PAUSE), random.below(AGAIN)] {
            thread::sleep(Duration::from_millis(pause));
            if kill(devnet, &name) {
                *hits.entry(name.clone()).or_default() += 1;
                killed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    hits
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
    let begun = Instant::now();

    let killed = AtomicUsize::new(0);
    let (sessions, hits) = thread::scope(|scope| {
        let killer = scope.spawn(|| kill_many(&devnet, &killed));
        let mut sessions = Vec::new();
        while killed.load(Ordering::Relaxed) < KILLS {
            assert!(!killer.is_finished() || killed.load(Ordering::Relaxed) >= KILLS, "the killer has died");
            let running = sessions.iter().filter(|session| !chain.is_completed(**session)).count();
            if running < TOGETHER {
                sessions.push(create(&devnet, sessions.len()));
            } else {
                thread::sleep(Duration::from_millis(100));
            }
        }
        (sessions, killer.join().unwrap())
    });
    assert!(hits.values().sum::<usize>() >= KILLS);
    assert_eq!(hits.len(), devnet.daemons().len(), "each daemon was killed: {hits:?}");
    println!("{} sessions, {hits:?} kills, {:.0} s", sessions.len(), begun.elapsed().as_secs_f64());

    for session in &sessions {
        wait::until(&format!("session {session} completes"), PATIENCE, || chain.is_completed(*session).then_some(()));
        let details = settlement::check(&devnet, &chain, *session);
        assert_eq!(details["final_rounds"].as_array().unwrap().len(), 4, "session {session}");
        settlement::verify(&devnet, &chain, *session);
    }
    purses.check(&chain);
    reindex::check(&devnet, &chain);
}
