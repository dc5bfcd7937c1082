//! A requester whose command is killed, who changes its mind, or for whom nobody comes: nothing is lost, nothing stays locked.

use std::time::Duration;

use serde_json::json;

use crate::{
    chain::Chain,
    command::Running,
    devnet::Devnet,
    files,
    settlement::{self, Purses},
    wait,
};

/// How long runners and keepers may take to act.
const PATIENCE: Duration = Duration::from_secs(90);

fn start(devnet: &Devnet, flags: &[&str]) -> Running {
    let arguments = ["--json", "fl", "create-session-with-data", "iris_data.csv", "--total-rounds", "2"];
    devnet.home().start_in(&files::examples(), &[&arguments[..], flags].concat())
}

fn until_claimed(chain: &Chain, session: u64, seats: u16) {
    wait::until(&format!("{seats} seats of session {session} are claimed"), PATIENCE, || {
        (chain.session_count() >= session && chain.session(session).claimed == seats).then_some(())
    });
}

#[test]
fn a_creation_that_is_killed_is_finished_cancelled_or_expires() {
    let devnet = Devnet::start();
    let chain = devnet.chain();
    let purses = Purses::open(&devnet, &chain);

    // Killed as soon as the money is locked: sealing goes on with `fl seal`.
    let creation = start(&devnet, &[]);
    creation.says("session 1 is created");
    creation.kill();
    assert_eq!(devnet.json(&["fl", "seal"])["session"], 1);
    assert_eq!(devnet.watch(1).1["state"], "Completed");
    settlement::check(&devnet, &chain, 1);
    settlement::verify(&devnet, &chain, 1);

    // More seats than there are runners: the requester gives up and has everything back.
    let creation = start(&devnet, &["--seats", "4"]);
    until_claimed(&chain, 2, 3);
    creation.kill();
    assert_eq!(devnet.json(&["fl", "cancel", "2"])["state"], "Cancelled");
    let budget = chain.budget(2);
    assert_eq!((budget.refunded, budget.committed), (budget.deposited, 0));
    devnet.parity(&["fl", "seal", "2"]).refused_with(&["session 2 is Cancelled"]);
    devnet.parity(&["fl", "cancel", "2"]).refusal();

    // Or nobody does anything: a keeper ends it after its time, and the waiting command says so.
    let creation = start(&devnet, &["--seats", "4", "--open-period", "60"]);
    until_claimed(&chain, 3, 3);
    chain.call("anvil_mine", json!(["0x50", "0x1"]));
    creation.finish().refused_with(&["session 3 is Expired"]);
    let budget = chain.budget(3);
    assert_eq!((budget.refunded, budget.committed), (budget.deposited, 0));
    purses.check(&chain);
}
