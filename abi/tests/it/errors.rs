//! Every error of every contract has words for a person.

use alloy::{
    dyn_abi::{DynSolType, DynSolValue},
    json_abi,
    primitives::{Address, U256, hex, keccak256},
    sol_types::{Panic, Revert, SolError},
};
use parity_abi::{Contract, ContractError, Escrow, Sessions, State};

use crate::json;

/// Revert data of an error with the simplest arguments.
fn simplest(error: &json_abi::Error) -> Vec<u8> {
    let arguments = error.inputs.iter().map(|input| match input.ty.parse().unwrap() {
        DynSolType::Uint(bits) => DynSolValue::Uint(U256::ZERO, bits),
        DynSolType::Address => DynSolValue::Address(Address::ZERO),
        DynSolType::FixedBytes(size) => DynSolValue::FixedBytes(Default::default(), size),
        DynSolType::String => DynSolValue::String(String::new()),
        other => panic!("give {other} a simplest value"),
    });
    let arguments = DynSolValue::Tuple(arguments.collect());
    [error.selector().as_slice(), &arguments.abi_encode_params()].concat()
}

#[test]
fn every_error_of_every_abi_is_described() {
    let mut silent = Vec::new();
    for contract in Contract::ALL {
        let (name, abi) = json(*contract);
        for error in abi.errors() {
            let decoded = ContractError::decode(&simplest(error));
            let words = decoded.describe().unwrap_or_default();
            if words.len() < 15 || words.contains(&error.name) {
                silent.push(format!("{name}.{}: {decoded:?}", error.name));
            }
        }
    }
    assert!(silent.is_empty(), "errors without words:\n{}", silent.join("\n"));
}

#[test]
fn words_carry_the_values_and_the_remedy() {
    let stake = Sessions::Sessions_InsufficientStake { expected: 2 * 10_u128.pow(18), actual: 5 * 10_u128.pow(17) };
    assert_eq!(
        ContractError::decode(&stake.abi_encode()).to_string(),
        "an active stake of 2 USDFC is needed, it is 0.5 USDFC; deposit with `parity stake deposit`"
    );
    let state = Sessions::Sessions_WrongState { expected: State::Open.into(), actual: State::Completed.into() };
    assert_eq!(
        ContractError::decode(&state.abi_encode()).to_string(),
        "the session is Completed, this needs it to be Open; look at it again"
    );
    let terms = Sessions::Sessions_InvalidTerms {
        field: {
            let mut word = [0; 32];
            word[..6].copy_from_slice(b"quorum");
            word.into()
        },
    };
    assert!(ContractError::decode(&terms.abi_encode()).to_string().contains("'quorum'"));
}

#[test]
fn what_solidity_itself_throws_is_understood() {
    let message = Revert { reason: "ERC20: transfer amount exceeds balance".to_owned() };
    assert_eq!(ContractError::decode(&message.abi_encode()), ContractError::Message(message.reason));
    let panic = Panic { code: U256::from(0x11) };
    assert_eq!(ContractError::decode(&panic.abi_encode()), ContractError::Panic(0x11));
    assert_eq!(ContractError::decode(&[]), ContractError::Silent);
    let unknown = &keccak256("Nobody_Knows()")[..4];
    let decoded = ContractError::decode(unknown);
    assert_eq!(decoded, ContractError::Unknown(unknown.to_vec().into()));
    assert!(decoded.to_string().contains(&hex::encode(unknown)), "{decoded}");
}

#[test]
fn what_somebody_else_has_done_is_told_apart_from_what_is_wrong() {
    let posted = Sessions::Sessions_AlreadyPosted { seat: 1, round: 2 }.abi_encode();
    let early = Sessions::Sessions_TooEarly {
        expected: alloy::primitives::aliases::U40::from(9),
        actual: alloy::primitives::aliases::U40::from(3),
    };
    let claimed = Escrow::Escrow_NothingToClaim { operator: Address::ZERO, cumulative: 1 }.abi_encode();
    let key = Sessions::Sessions_ZeroKey {}.abi_encode();
    let error = ContractError::decode;
    assert!(error(&posted).is_superseded() && error(&claimed).is_superseded());
    assert!(error(&early.abi_encode()).is_early() && !error(&early.abi_encode()).is_superseded());
    assert!(!error(&key).is_superseded() && !error(&key).is_early());
}
