//! The event stream: live, resumed, and across reorganisations.

use std::time::Duration;

use parity_testkit::Postgres;
use serde_json::Value;

use crate::{chain::Chain, indexer::Indexer};

/// One message of a stream.
#[derive(Debug, Clone)]
struct Message {
    event: String,
    id: String,
    data: Value,
}

/// A reader of a stream.
struct Reader {
    answer: reqwest::Response,
    text: String,
}

impl Reader {
    async fn open(indexer: &Indexer, path: &str, last: Option<&str>) -> Self {
        let mut request = reqwest::Client::new().get(indexer.url(path));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        Self { answer, text: String::new() }
    }

    async fn next(&mut self) -> Message {
        loop {
            if let Some((message, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    message.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
                };
                let message = Message {
                    event: field("event:"),
                    id: field("id:"),
                    data: serde_json::from_str(&field("data:")).unwrap_or_default(),
                };
                self.text = rest.to_owned();
                if !message.event.is_empty() {
                    return message;
                }
                continue;
            }
            let chunk = tokio::time::timeout(Duration::from_secs(30), self.answer.chunk()).await;
            let chunk = chunk.expect("the stream is silent").unwrap().expect("the stream ended");
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// Messages up to the first that fits.
    async fn until(&mut self, fits: impl Fn(&Message) -> bool) -> Vec<Message> {
        let mut messages = Vec::new();
        loop {
            messages.push(self.next().await);
            if fits(messages.last().unwrap()) {
                return messages;
            }
        }
    }
}

#[tokio::test]
async fn events_come_as_they_happen_and_only_those_of_the_session() {
    let postgres = Postgres::start().await.unwrap();
    let mut chain = Chain::start(20).await;
    assert!(chain.create(0, false).await);
    let indexer = Indexer::start(&chain.network, &postgres, "live");
    indexer.caught_up(&chain.network).await;

    let mut reader = Reader::open(&indexer, "/v1/events?session=2", None).await;
    assert!(chain.create(1, false).await);
    let message = reader.until(|message| message.data["event"] == "SessionCreated").await.pop().unwrap();
    assert_eq!(message.event, "log");
    assert_eq!(message.data["session"], 2);
    assert_eq!(message.data["fields"]["requester"], format!("{:?}", chain.address(1)));
    assert_eq!(message.data["fields"]["terms"]["roundReward"], "1000");
    assert_eq!(message.data["block"]["finality"], "latest");

    let mut replay = Reader::open(&indexer, "/v1/events?from=0&session=1", None).await;
    assert_eq!(replay.next().await.data["session"], 1);
}

#[tokio::test]
async fn a_reader_that_comes_back_gets_what_it_missed_once() {
    let postgres = Postgres::start().await.unwrap();
    let mut chain = Chain::start(21).await;
    let indexer = Indexer::start(&chain.network, &postgres, "missed");
    indexer.caught_up(&chain.network).await;
    let mut reader = Reader::open(&indexer, "/v1/events", None).await;
    for actor in [0, 1, 2] {
        assert!(chain.create(actor, false).await);
    }
    let created = |message: &Message| message.data["event"] == "SessionCreated";
    let first = reader.until(created).await.pop().unwrap();
    drop(reader);
    let mut reader = Reader::open(&indexer, "/v1/events", Some(&first.id)).await;
    let mut sessions = Vec::new();
    while sessions.len() < 2 {
        let message = reader.until(created).await.pop().unwrap();
        sessions.push(message.data["session"].as_u64().unwrap());
    }
    assert_eq!(sessions, [2, 3]);
}

#[tokio::test]
async fn a_reorganisation_is_told_to_live_and_to_returning_readers() {
    let postgres = Postgres::start().await.unwrap();
    let mut chain = Chain::start(22).await;
    let indexer = Indexer::start(&chain.network, &postgres, "told");
    indexer.caught_up(&chain.network).await;
    let fork = chain.network.client().head().await.unwrap();
    let mut reader = Reader::open(&indexer, "/v1/events", None).await;
    for actor in [0, 1, 2] {
        assert!(chain.create(actor, false).await);
    }
    let third = |message: &Message| message.data["event"] == "SessionCreated" && message.data["session"] == 3;
    let last = reader.until(third).await.pop().unwrap();
    indexer.caught_up(&chain.network).await;

    chain.network.rollback(3, 1).await.unwrap();
    assert!(chain.create(3, false).await);
    let mut returning = Reader::open(&indexer, "/v1/events", Some(&last.id)).await;
    for reader in [&mut reader, &mut returning] {
        // What is left of the last block comes first: the rest of its events.
        let mut messages = reader.until(|message| message.event == "rollback").await;
        let rollback = messages.pop().unwrap();
        assert!(messages.iter().all(|message| message.data["block"] == last.data["block"]), "{messages:?}");
        assert_eq!(rollback.data["to"]["number"], fork.number);
        let created = reader.until(|message| message.data["event"] == "SessionCreated").await.pop().unwrap();
        assert_eq!(created.data["session"], 1);
        assert_eq!(created.data["fields"]["requester"], format!("{:?}", chain.address(3)));
    }
}

#[tokio::test]
async fn a_place_that_nobody_remembers_resets_the_reader() {
    let postgres = Postgres::start().await.unwrap();
    let chain = Chain::start(23).await;
    let indexer = Indexer::start(&chain.network, &postgres, "forgotten");
    indexer.caught_up(&chain.network).await;
    let unknown = format!("5-0-{:x}", alloy::primitives::B256::repeat_byte(3));
    let mut reader = Reader::open(&indexer, "/v1/events", Some(&unknown)).await;
    assert_eq!(reader.next().await.event, "reset");
    let nonsense = reqwest::Client::new().get(indexer.url("/v1/events")).header("last-event-id", "yesterday");
    assert_eq!(nonsense.send().await.unwrap().status().as_u16(), 400);
}
