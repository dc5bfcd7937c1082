//! Connecting and reading.

use parity_abi::{ContractError, Deployments};
use parity_chain::{Client, Error, Permit};
use parity_protocol::TokenAmount;
use parity_testkit::{Network, Quirks, anvil};

#[tokio::test]
async fn the_wrong_chain_is_refused_with_both_ids() {
    let network = Network::start().await.unwrap();
    let deployments = Deployments { chain_id: 314, ..anvil::deployments().unwrap() };
    let error = Client::connect(&network.rpc(), deployments).await.unwrap_err();
    assert!(matches!(error, Error::WrongChain { expected: 314, actual: 314_159, .. }));
    let text = error.to_string();
    assert!(text.contains("314159") && text.contains("chain 314;"), "{text}");
}

#[tokio::test]
async fn a_silent_node_is_named_with_the_remedy() {
    let port = parity_testkit::port::free_port().unwrap();
    let url = format!("http://127.0.0.1:{port}");
    let error = Client::connect(&url, anvil::deployments().unwrap()).await.unwrap_err();
    assert!(error.is_retryable());
    let text = error.to_string();
    assert!(text.contains(&url) && text.contains("check that it runs"), "{text}");
    assert!(text.to_lowercase().contains("refused"), "{text}");
}

#[tokio::test]
async fn what_is_no_address_is_refused() {
    for url in ["localhost", "ftp://127.0.0.1", ""] {
        let error = Client::connect(url, anvil::deployments().unwrap()).await.unwrap_err();
        assert!(matches!(error, Error::Url { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_node_that_comes_back_is_used_again() {
    let network = Network::start().await.unwrap();
    let proxy = network.proxy(Quirks::default()).await.unwrap();
    let client = network.client_through(&proxy).await.unwrap();
    proxy.set_down(true);
    let error = client.block_number().await.unwrap_err();
    assert!(error.is_retryable() && error.to_string().contains(&proxy.rpc()), "{error}");
    proxy.set_down(false);
    client.block_number().await.unwrap();
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again() {
    let network = Network::start().await.unwrap();
    let proxy = network.proxy(Quirks::default()).await.unwrap();
    let client = network.client_through(&proxy).await.unwrap();
    proxy.refuse("eth_blockNumber", 1);
    proxy.lose_answers("eth_blockNumber", 1);
    client.block_number().await.unwrap();
    assert_eq!(proxy.calls("eth_blockNumber"), 3);
}

#[tokio::test]
async fn contracts_are_there_and_a_missing_one_is_named() {
    let network = Network::start().await.unwrap();
    network.client().check_contracts().await.unwrap();
    let nowhere = alloy::primitives::Address::repeat_byte(7);
    let deployments = Deployments { escrow: nowhere, ..anvil::deployments().unwrap() };
    let client = Client::connect(&network.rpc(), deployments).await.unwrap();
    let error = client.check_contracts().await.unwrap_err();
    assert!(matches!(&error, Error::NoContract { name, address, .. } if name == "Escrow" && *address == nowhere));
}

#[tokio::test]
async fn a_refused_call_comes_back_as_a_typed_error() {
    let network = Network::start().await.unwrap();
    let error = network.client().session(alloy::primitives::U256::from(99)).await.unwrap_err();
    assert!(matches!(error, Error::Reverted(ContractError::Sessions(_))), "{error:?}");
    assert!(error.to_string().contains("there is no session 99"), "{error}");
    let close = network.client().sessions().close(alloy::primitives::U256::from(99), 1).call().await.err().unwrap();
    let error = Error::from(close);
    assert!(error.to_string().contains("there is no session 99"), "{error}");
}

#[tokio::test]
async fn null_rounds_are_no_blocks_and_their_neighbours_are() {
    let network = Network::start().await.unwrap();
    network.mine(9).await.unwrap();
    let proxy = network.proxy(Quirks::lotus()).await.unwrap();
    let client = network.client_through(&proxy).await.unwrap();
    let head = client.head().await.unwrap();
    let mut gaps = 0;
    let mut parent = None;
    for number in head.number - 6..=head.number {
        match client.header_at(number).await.unwrap() {
            None => gaps += 1,
            Some(header) => {
                assert_eq!(header.number, number);
                assert!(parent.is_none_or(|parent| parent == header.parent_hash));
                parent = Some(header.hash);
            }
        }
    }
    assert!(gaps >= 2, "{gaps} null rounds");
}

#[tokio::test]
async fn a_permit_is_worth_an_allowance() {
    let network = Network::start().await.unwrap();
    let amount = TokenAmount::from_whole(5);
    let wallet = network.funded(3, amount).await.unwrap();
    let spender = network.deployments().stakes;
    let permit = Permit::sign(network.client(), &wallet, spender, amount, 600).await.unwrap();
    let outbox = network.outbox(3).await.unwrap();
    let stakes = network.client().stakes();
    let units = alloy::primitives::U256::from(amount.base_units());
    let call = stakes.depositWithPermit(units, permit.deadline, permit.v, permit.r, permit.s);
    outbox.send("deposit", &call).await.unwrap();
    assert_eq!(stakes.active(wallet.address()).call().await.unwrap(), amount.base_units());
}
