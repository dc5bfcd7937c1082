//! What must hold once a session is over, whoever was killed meanwhile: everybody paid, once, what the contracts owe.

use std::time::Duration;

use alloy::primitives::Address;
use serde_json::Value;

use crate::{chain::Chain, devnet::Devnet, wait};

/// How long payouts and refunds may take after the last round.
const PATIENCE: Duration = Duration::from_secs(60);

/// An amount in base units, as documents carry it.
pub(crate) fn units(value: &Value) -> u128 {
    value.as_str().unwrap_or_else(|| panic!("{value} is no amount")).parse().unwrap()
}

/// An address, as documents carry it.
pub(crate) fn address(value: &Value) -> Address {
    value.as_str().unwrap().parse().unwrap()
}

/// Waits for the payouts and the refund of a completed session and checks the books; returns what `fl get` says.
pub(crate) fn check(devnet: &Devnet, chain: &Chain, session: u64) -> Value {
    assert!(chain.is_completed(session), "session {session} has not completed");
    wait::until(&format!("everybody is paid for session {session}"), PATIENCE, || {
        let budget = chain.budget(session);
        (budget.claimed == budget.committed && budget.closed).then_some(())
    });
    let budget = chain.budget(session);
    assert_eq!(budget.deposited, budget.committed + budget.refunded, "session {session} lost or made money");

    let details = devnet.json(&["fl", "get", &session.to_string()]);
    assert_eq!(details["state"], "Completed");
    assert_eq!(units(&details["budget"]), budget.deposited);
    assert_eq!(units(&details["earned"]), budget.committed);
    assert_eq!(units(&details["paid"]), budget.claimed);
    assert_eq!(units(&details["refunded"]), budget.refunded);
    let payouts = details["payouts"].as_array().unwrap();
    for payout in payouts {
        let paid = chain.claimed_by(session, address(&payout["operator"]));
        assert_eq!(units(&payout["owed"]), paid, "session {session}: {payout}");
        assert_eq!(units(&payout["paid"]), paid, "session {session}: {payout}");
    }
    let owed: u128 = payouts.iter().map(|payout| units(&payout["owed"])).sum();
    assert_eq!(owed, budget.committed, "session {session} owes something else than its root says");
    details
}

/// Recomputes every round of a session; all must equal the chain.
pub(crate) fn verify(devnet: &Devnet, chain: &Chain, session: u64) {
    let verdict = devnet.json(&["fl", "verify", &session.to_string()]);
    assert_eq!(verdict["verified"], true, "{verdict}");
    // The holdout is where the session was created.
    assert_eq!(verdict["scores_as_published"], false, "{verdict}");
    assert_eq!(verdict["rounds"].as_array().unwrap().len(), usize::from(chain.session(session).finalRounds));
}

/// What accounts have, to compare before and after: every token paid must have come from a session, once.
#[derive(Debug)]
pub(crate) struct Purses {
    operators: Vec<(Address, u128)>,
    requester: (Address, u128),
    sessions: u64,
}

impl Purses {
    /// As of now.
    pub(crate) fn open(devnet: &Devnet, chain: &Chain) -> Self {
        let balance = |account: Address| (account, chain.usdfc(account));
        Self {
            operators: chain.operators().into_iter().map(balance).collect(),
            requester: balance(address(&devnet.json(&["wallet", "balance"])["account"])),
            sessions: chain.session_count(),
        }
    }

    /// The wallet that pays for sessions.
    pub(crate) fn requester(&self) -> Address {
        self.requester.0
    }

    /// Sessions created since, all of them over: what they paid arrived, what they did not use is back.
    pub(crate) fn check(&self, chain: &Chain) {
        let sessions = || self.sessions + 1..=chain.session_count();
        for (operator, before) in &self.operators {
            let earned: u128 = sessions().map(|session| chain.claimed_by(session, *operator)).sum();
            assert_eq!(chain.usdfc(*operator), before + earned, "{operator}");
        }
        let (requester, before) = self.requester;
        let spent: u128 = sessions().map(|session| chain.budget(session).committed).sum();
        // Keepers push refunds too, once a session is over.
        wait::until("the refund is back with the requester", PATIENCE, || (chain.credit(requester) == 0).then_some(()));
        assert_eq!(chain.usdfc(requester), before - spent, "the requester");
        assert_eq!(chain.escrowed(), 0, "money of sessions that are over is left in escrow");
    }
}
