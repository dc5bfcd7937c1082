//! Events as JSON for people and programs that have no ABI: fields by name, large integers as decimal strings.

use std::{collections::BTreeMap, sync::LazyLock};

use alloy::{
    dyn_abi::{DynSolValue, EventExt},
    json_abi::{Event, JsonAbi, Param},
    primitives::{B256, LogData, hex},
};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Integers of more bits than this do not survive JavaScript and are written as strings.
const SAFE_BITS: usize = 48;

static EVENTS: LazyLock<BTreeMap<B256, Event>> = LazyLock::new(|| {
    #[derive(Deserialize)]
    struct Artifact {
        abi: JsonAbi,
    }
    [
        include_str!("../../abi/json/Authority.json"),
        include_str!("../../abi/json/Stakes.json"),
        include_str!("../../abi/json/Escrow.json"),
        include_str!("../../abi/json/Operators.json"),
        include_str!("../../abi/json/Sessions.json"),
        include_str!("../../abi/json/Reputation.json"),
        include_str!("../../abi/json/MockUsdfc.json"),
    ]
    .into_iter()
    .map(|json| serde_json::from_str::<Artifact>(json).expect("the committed ABI parses, as a test shows").abi)
    .flat_map(|abi| abi.events.into_values().flatten())
    .map(|event| (event.selector(), event))
    .collect()
});

/// The fields of a log by name; none when it is no event of ours or does not fit the ABI.
pub(crate) fn fields(log: &LogData) -> Option<Value> {
    let event = EVENTS.get(log.topics().first()?)?;
    let decoded = event.decode_log(log).ok()?;
    let (mut indexed, mut body) = (decoded.indexed.into_iter(), decoded.body.into_iter());
    let mut fields = Map::new();
    for input in &event.inputs {
        let value = if input.indexed { indexed.next()? } else { body.next()? };
        fields.insert(input.name.clone(), json(&value, &input.components));
    }
    Some(Value::Object(fields))
}

fn json(value: &DynSolValue, components: &[Param]) -> Value {
    match value {
        DynSolValue::Bool(value) => Value::Bool(*value),
        DynSolValue::Uint(value, bits) if *bits <= SAFE_BITS => Value::from(value.saturating_to::<u64>()),
        DynSolValue::Uint(value, _) => Value::String(value.to_string()),
        DynSolValue::Int(value, bits) if *bits <= SAFE_BITS => Value::from(value.as_i64()),
        DynSolValue::Int(value, _) => Value::String(value.to_string()),
        DynSolValue::Address(value) => Value::String(hex::encode_prefixed(value)),
        DynSolValue::FixedBytes(word, size) => Value::String(hex::encode_prefixed(&word[..*size])),
        DynSolValue::Bytes(value) => Value::String(hex::encode_prefixed(value)),
        DynSolValue::String(value) => Value::String(value.clone()),
        DynSolValue::Array(values) | DynSolValue::FixedArray(values) => {
            Value::Array(values.iter().map(|value| json(value, components)).collect())
        }
        DynSolValue::Tuple(values) | DynSolValue::CustomStruct { tuple: values, .. } => Value::Object(
            values
                .iter()
                .zip(components)
                .map(|(value, param)| (param.name.clone(), json(value, &param.components)))
                .collect(),
        ),
        other => Value::String(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use alloy::{
        primitives::{Address, U256},
        sol_types::SolEvent,
    };
    use parity_abi::{Event, Sessions, Stakes};

    use super::*;

    #[test]
    fn every_event_has_named_fields() {
        for (contract, name, topic) in Event::TOPICS {
            let event = EVENTS.get(topic).unwrap_or_else(|| panic!("{contract}.{name} is not in the ABI"));
            assert_eq!(event.name, *name);
            assert!(event.inputs.iter().all(|input| !input.name.is_empty()), "{name}");
        }
    }

    #[test]
    fn amounts_are_strings_and_addresses_lower_case() {
        let operator = Address::repeat_byte(0xAB);
        let event = Stakes::Deposited { operator, from: operator, amount: u128::MAX };
        let fields = fields(&event.encode_log_data()).unwrap();
        assert_eq!(fields["amount"], "340282366920938463463374607431768211455");
        assert_eq!(fields["operator"], "0xabababababababababababababababababababab");
    }

    #[test]
    fn structs_are_objects() {
        let event = Sessions::SessionCreated {
            session: U256::from(7),
            requester: Address::ZERO,
            spec: B256::ZERO,
            budget: 5,
            terms: parity_abi::ISessions::Terms { seats: 3, roundReward: 9, ..terms() },
        };
        let fields = fields(&event.encode_log_data()).unwrap();
        assert_eq!(fields["session"], "7");
        assert_eq!(fields["terms"]["seats"], 3);
        assert_eq!(fields["terms"]["roundReward"], "9");
    }

    fn terms() -> parity_abi::ISessions::Terms {
        parity_abi::ISessions::Terms::default()
    }
}
