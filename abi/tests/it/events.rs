//! No event of any contract is unhandled.

use std::collections::BTreeSet;

use alloy::{
    primitives::{Address, B256, Bytes, Log, LogData, U256},
    sol_types::SolEvent,
};
use parity_abi::{Contract, DecodeError, Event, ISessions, Sessions};

use crate::json;

#[test]
fn every_event_of_every_abi_is_a_variant_and_nothing_else_is() {
    for contract in Contract::ALL {
        let (_, abi) = json(*contract);
        let exported: BTreeSet<(String, B256)> =
            abi.events().map(|event| (event.name.clone(), event.selector())).collect();
        let handled: BTreeSet<(String, B256)> = Event::TOPICS
            .iter()
            .filter(|(of, _, _)| of == contract)
            .map(|(_, name, topic)| ((*name).to_owned(), *topic))
            .collect();
        assert_eq!(handled, exported, "events of {contract}");
        assert_eq!(contract.topics().count(), exported.len());
    }
}

#[test]
fn no_two_events_share_a_topic() {
    let topics: BTreeSet<B256> = Event::TOPICS.iter().map(|(_, _, topic)| *topic).collect();
    assert_eq!(topics.len(), Event::TOPICS.len());
}

fn log(data: LogData) -> Log {
    Log { address: Address::repeat_byte(1), data }
}

#[test]
fn a_log_decodes_to_what_was_encoded() {
    let terms = ISessions::Terms {
        spec: B256::repeat_byte(3),
        seats: 4,
        quorum: 3,
        rounds: 10,
        roundReward: 5_000_000_000_000_000_000,
        ..Default::default()
    };
    let event = Sessions::SessionCreated {
        session: U256::from(7),
        requester: Address::repeat_byte(2),
        spec: B256::repeat_byte(3),
        budget: 99,
        terms,
    };
    let decoded = Event::decode_plain(&log(event.encode_log_data())).unwrap();
    assert_eq!((decoded.name(), decoded.contract()), ("SessionCreated", Contract::Sessions));
    assert_eq!(decoded, Event::SessionCreated(event));
    let text = serde_json::to_string(&decoded).unwrap();
    assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), decoded);
}

#[test]
fn a_foreign_log_and_a_log_cut_short_are_told_apart() {
    let foreign = log(LogData::new_unchecked(vec![B256::repeat_byte(9)], Bytes::new()));
    assert!(matches!(Event::decode_plain(&foreign), Err(DecodeError::UnknownTopic { topic: Some(_), .. })));
    let anonymous = log(LogData::new_unchecked(Vec::new(), Bytes::new()));
    assert!(matches!(Event::decode_plain(&anonymous), Err(DecodeError::UnknownTopic { topic: None, .. })));
    let event = Sessions::SessionStarted { session: U256::from(7) };
    let short = log(LogData::new_unchecked(event.encode_log_data().topics()[..1].to_vec(), Bytes::new()));
    assert!(matches!(Event::decode_plain(&short), Err(DecodeError::Malformed { event: "SessionStarted", .. })));
}
