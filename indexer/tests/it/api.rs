//! The HTTP API as a reader sees it.

use parity_testkit::Postgres;

use crate::{chain::Chain, indexer::Indexer};

#[tokio::test]
async fn lists_are_paged_filtered_and_answers_name_their_block() {
    let postgres = Postgres::start().await.unwrap();
    let mut chain = Chain::start(10).await;
    for actor in [0, 1, 0, 2, 0] {
        assert!(chain.create(actor, false).await);
    }
    let indexer = Indexer::start(&chain.network, &postgres, "lists");
    indexer.caught_up(&chain.network).await;

    let ids =
        |rows: Vec<serde_json::Value>| rows.iter().map(|row| row["session"].as_u64().unwrap()).collect::<Vec<_>>();
    assert_eq!(ids(indexer.all("/v1/sessions", 2).await), [5, 4, 3, 2, 1]);
    let own = indexer.get(&format!("/v1/sessions?requester={}", chain.address(0))).await;
    assert_eq!(ids(own["data"].as_array().unwrap().clone()), [5, 3, 1]);
    assert_eq!(own["next"], serde_json::Value::Null);
    assert_eq!(indexer.get("/v1/sessions?state=completed").await["data"].as_array().unwrap().len(), 0);

    let head = chain.network.client().head().await.unwrap();
    for path in [
        "/v1/status",
        "/v1/sessions",
        "/v1/sessions/1",
        "/v1/sessions/1/seats",
        "/v1/sessions/1/rounds",
        "/v1/sessions/1/updates?round=1",
        "/v1/sessions/1/payouts",
        "/v1/operators?active=true",
        "/v1/reputation",
        "/v1/stakes/0x0000000000000000000000000000000000000001",
        "/v1/accounts/0x0000000000000000000000000000000000000001",
        "/v1/accounts/0x0000000000000000000000000000000000000001/history",
    ] {
        let answer = indexer.get(path).await;
        assert_eq!(answer["block"]["number"], head.number, "{path}");
        assert_eq!(answer["block"]["hash"], format!("{:?}", head.hash), "{path}");
        assert_eq!(answer["block"]["finality"], "latest", "{path}");
        assert!(answer["data"].is_array() || answer["data"].is_object(), "{path}");
    }
}

#[tokio::test]
async fn a_value_that_cannot_be_used_is_named_with_the_remedy() {
    let postgres = Postgres::start().await.unwrap();
    let chain = Chain::start(11).await;
    let indexer = Indexer::start(&chain.network, &postgres, "problems");
    indexer.caught_up(&chain.network).await;
    for (path, status, words) in [
        ("/v1/sessions/99", 404, "there is no session 99"),
        ("/v1/sessions/99/seats", 404, "there is no session 99"),
        ("/v1/sessions/first", 400, "'first' is not the number of a session"),
        ("/v1/sessions?limit=0", 400, "limit 0 is not between 1 and 500"),
        ("/v1/sessions?limit=many", 400, "/openapi.json"),
        ("/v1/sessions?state=finished", 400, "'finished' is none of open, active, completed, cancelled, expired"),
        ("/v1/sessions?requester=0x12", 400, "'0x12' is not an address"),
        ("/v1/sessions?cursor=zz", 400, "cursor 'zz'"),
        ("/v1/stakes/bob", 400, "'bob' is not an address"),
        ("/v1/operators/0x0000000000000000000000000000000000000001", 404, "is not registered"),
        ("/v2/sessions", 404, "/openapi.json"),
    ] {
        let answer = reqwest::get(indexer.url(path)).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
        let problem: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(problem["status"], status, "{path}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{path}: {problem}");
    }
    let posted = reqwest::Client::new().post(indexer.url("/v1/sessions")).send().await.unwrap();
    assert_eq!(posted.status().as_u16(), 405);
}

#[tokio::test]
async fn the_document_health_metrics_and_page_are_there() {
    let postgres = Postgres::start().await.unwrap();
    let chain = Chain::start(12).await;
    let indexer = Indexer::start(&chain.network, &postgres, "around");
    indexer.caught_up(&chain.network).await;

    let document = indexer.get("/openapi.json").await;
    for path in ["/v1/status", "/v1/sessions/{session}/updates", "/v1/accounts/{address}/history", "/v1/events"] {
        assert!(document["paths"][path]["get"].is_object(), "{path}");
    }
    let text = async |path: &str| reqwest::get(indexer.url(path)).await.unwrap().text().await.unwrap();
    assert_eq!(text("/health").await, "ok\n");
    let metrics = text("/metrics").await;
    let head = chain.network.client().head().await.unwrap().number;
    assert!(metrics.contains(&format!("parity_indexer_cursor {head}")), "{metrics}");
    assert!(metrics.contains("parity_indexer_lag_epochs 0"), "{metrics}");
    assert!(text("/").await.contains("<title>"));
}
