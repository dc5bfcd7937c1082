//! Reorganisations under a running session: it completes, and the indexer's tables are those of a fresh index.

use std::{thread, time::Duration};

use serde_json::{Value, json};

use crate::{
    chain::Chain,
    devnet::Devnet,
    files,
    random::Random,
    reindex,
    settlement::{self, Purses},
    wait,
};

/// Deepest reorganisation.
const DEEPEST: u64 = 20;
/// Long enough for everybody to look at the chain while it has retreated.
const SEEN: Duration = Duration::from_millis(400);
/// How long the session may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// Replaces the newest `depth` blocks by others of the same heights, in one step.
fn replace(chain: &Chain, depth: u64) {
    chain.call("anvil_reorg", json!([depth, []]));
}

/// Takes the newest `depth` blocks back, lets everybody see the chain retreat, and mines other ones.
fn retreat(chain: &Chain, depth: u64) {
    chain.call("anvil_rollback", json!([depth]));
    thread::sleep(SEEN);
    chain.call("anvil_mine", json!([format!("{depth:#x}"), "0x1"]));
}

/// The signed bytes of the transactions in the newest `depth` blocks, oldest first.
fn transactions(chain: &Chain, head: u64, depth: u64) -> Vec<Value> {
    (head + 1 - depth..=head)
        .flat_map(|height| {
            let block = chain.call("eth_getBlockByNumber", json!([format!("{height:#x}"), false]));
            block["transactions"].as_array().unwrap().clone()
        })
        .map(|hash| chain.call("eth_getRawTransactionByHash", json!([hash])))
        .collect()
}

/// One reorganisation, with the clock of the chain stopped. A node puts what it took back into its pool again, where it may
/// wait or get lost: with `keeping`, the transactions are sent again as the node would; otherwise their senders must do it.
/// Returns how many there were.
fn reorganise(chain: &Chain, depth: u64, retreats: bool, keeping: bool) -> usize {
    chain.call("evm_setIntervalMining", json!([0]));
    let head = chain.height();
    let dropped = transactions(chain, head, depth);
    let oldest = chain.hash_at(head + 1 - depth);
    let base = chain.hash_at(head - depth);
    // A miner that no other reorganisation has: not even empty blocks are the same as before.
    chain.call("anvil_setCoinbase", json!([format!("0x{:040x}", 2 * depth + u64::from(retreats))]));
    if retreats {
        retreat(chain, depth);
    } else {
        replace(chain, depth);
    }
    assert_ne!(chain.hash_at(head + 1 - depth), oldest, "the block at depth {depth} is another one");
    assert_eq!(chain.hash_at(head - depth), base, "the block below is the same");
    if keeping {
        for raw in &dropped {
            // Its sender may have been faster.
            let _ = chain.try_call("eth_sendRawTransaction", json!([raw]));
        }
    }
    chain.call("evm_setIntervalMining", json!([1]));
    dropped.len()
}

#[test]
fn sessions_and_tables_survive_reorganisations_of_every_depth() {
    let devnet = Devnet::start();
    let chain = devnet.chain();
    let purses = Purses::open(&devnet, &chain);
    let mut random = Random::seeded();
    let arguments = ["fl", "create-session-with-data", "iris_data.csv", "--total-rounds", "8"];
    let session = devnet.json_in(&files::examples(), &arguments)["session"].as_u64().unwrap();
    // The requester's command has ended and sends nothing again: what it did must be deeper than any reorganisation.
    chain.call("anvil_mine", json!([format!("{:#x}", DEEPEST + 1), "0x1"]));

    let mut plans: Vec<(u64, bool)> = (1..=DEEPEST).flat_map(|depth| [(depth, false), (depth, true)]).collect();
    let (all, mut dropped, mut struck) = (plans.len(), 0, 0);
    while !plans.is_empty() {
        thread::sleep(Duration::from_millis(300 + random.below(1900)));
        struck += usize::from(!chain.is_completed(session));
        let (depth, retreats) = random.take(&mut plans);
        let keeping = random.below(2) == 0;
        let transactions = reorganise(&chain, depth, retreats, keeping);
        println!("depth {depth}: retreats {retreats}, {transactions} transactions dropped, kept in the pool {keeping}");
        dropped += transactions;
    }
    println!("{dropped} transactions were taken back, {struck} of {all} reorganisations hit the running session");
    assert!(dropped > 0, "no reorganisation took a transaction back");
    assert!(struck * 4 > all * 3, "the session was over before most reorganisations");

    wait::until("the session completes", PATIENCE, || chain.is_completed(session).then_some(()));
    settlement::check(&devnet, &chain, session);
    settlement::verify(&devnet, &chain, session);
    purses.check(&chain);
    reindex::check(&devnet, &chain);
}
