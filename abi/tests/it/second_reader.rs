//! `ethers-contract-abigen` reads the same JSON on its own; every selector and topic must be the one that alloy found.

use std::collections::BTreeSet;

use alloy::{
    primitives::{B256, Selector, keccak256},
    sol_types::SolInterface,
};
use ethers_contract_abigen::Abigen;
use parity_abi::{
    Authority::{AuthorityCalls, AuthorityErrors},
    Contract,
    Escrow::{EscrowCalls, EscrowErrors},
    MockUsdfc::{MockUsdfcCalls, MockUsdfcErrors},
    Operators::{OperatorsCalls, OperatorsErrors},
    Reputation::{ReputationCalls, ReputationErrors},
    Sessions::{SessionsCalls, SessionsErrors},
    Stakes::{StakesCalls, StakesErrors},
};

use crate::json;

/// The code that ethers generates, without white space.
fn generated(contract: Contract) -> String {
    let (name, abi) = json(contract);
    let abi = serde_json::to_string(&abi).unwrap();
    let bindings = Abigen::new(name, abi).unwrap().generate().unwrap();
    bindings.to_string().split_whitespace().collect()
}

/// The pieces of the code between each `start` and the next `end`.
fn between<'a>(code: &'a str, start: &'a str, end: &'a str) -> impl Iterator<Item = &'a str> {
    code.split(start).skip(1).map(move |rest| rest.split(end).next().unwrap())
}

/// Canonical signatures in the attributes of one kind.
fn signatures<'a>(code: &'a str, attribute: &'a str) -> impl Iterator<Item = &'a str> {
    between(code, attribute, ")]").map(|inside| inside.split("abi=\"").nth(1).unwrap().split('"').next().unwrap())
}

/// Selectors in the documentation of one kind of type, where ethers writes down what it computed.
fn selectors(code: &str, documented: &str) -> BTreeSet<Selector> {
    between(code, documented, "#[").map(|doc| between(doc, "selector`", "`").next().unwrap().parse().unwrap()).collect()
}

fn of_interface<I: SolInterface>() -> BTreeSet<Selector> {
    I::selectors().map(Selector::from).collect()
}

fn compare<Calls: SolInterface, Errors: SolInterface>(contract: Contract) {
    let code = generated(contract);
    let calls = of_interface::<Calls>();
    assert!(!calls.is_empty());
    let found = selectors(&code, "///Containertypeforallinputparametersforthe");
    assert_eq!(found, calls, "function selectors of {contract}");
    let errors = of_interface::<Errors>();
    assert_eq!(selectors(&code, "///CustomErrortype"), errors, "error selectors of {contract}");
    let topics: BTreeSet<B256> = signatures(&code, "#[ethevent(name").map(keccak256).collect();
    assert_eq!(topics, contract.topics().collect(), "topics of {contract}");
}

#[test]
fn ethers_finds_the_same_selectors_and_topics() {
    compare::<AuthorityCalls, AuthorityErrors>(Contract::Authority);
    compare::<StakesCalls, StakesErrors>(Contract::Stakes);
    compare::<EscrowCalls, EscrowErrors>(Contract::Escrow);
    compare::<OperatorsCalls, OperatorsErrors>(Contract::Operators);
    compare::<SessionsCalls, SessionsErrors>(Contract::Sessions);
    compare::<ReputationCalls, ReputationErrors>(Contract::Reputation);
    compare::<MockUsdfcCalls, MockUsdfcErrors>(Contract::Usdfc);
}
