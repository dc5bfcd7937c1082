//! A JSON-RPC proxy before a node: the quirks of Filecoin, and failures on demand.

use std::{
    collections::BTreeMap,
    net::Ipv4Addr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, response::IntoResponse, routing::post};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::quirks::{Quirks, error, null_round, quantity, sender_and_nonce};

/// A running proxy; stopped on drop.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    rpc: String,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    upstream: String,
    http: reqwest::Client,
    quirks: Quirks,
    down: AtomicBool,
    /// Calls of a method that are still to be refused before they reach the node.
    refuse: Mutex<BTreeMap<String, u64>>,
    /// Calls of a method whose answer is still to be withheld after they reached the node.
    lose: Mutex<BTreeMap<String, u64>>,
    /// Methods whose answer is always `null`.
    hide: Mutex<BTreeMap<String, bool>>,
    counts: Mutex<BTreeMap<String, u64>>,
}

/// What a request comes to; no answer at all makes the HTTP request fail.
enum Reply {
    Result(Value),
    Error(Value),
    Nothing,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Proxy {
    /// Starts a proxy before the node at `upstream`.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(upstream: &str, quirks: Quirks) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            http: reqwest::Client::new(),
            quirks,
            down: AtomicBool::new(false),
            refuse: Mutex::default(),
            lose: Mutex::default(),
            hide: Mutex::default(),
            counts: Mutex::default(),
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let rpc = format!("http://{}", listener.local_addr()?);
        let router = Router::new().route("/", post(answer)).with_state(shared.clone());
        let task = tokio::spawn(async move {
            // Ends with the task; a failing listener shows as an unreachable proxy.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { shared, rpc, task })
    }

    /// JSON-RPC endpoint.
    pub fn rpc(&self) -> String {
        self.rpc.clone()
    }

    /// Answers nothing but HTTP 503 while `down`.
    pub fn set_down(&self, down: bool) {
        self.shared.down.store(down, Ordering::SeqCst);
    }

    /// Refuses the next `count` calls of `method` (HTTP 503) without asking the node.
    pub fn refuse(&self, method: &str, count: u64) {
        lock(&self.shared.refuse).insert(method.to_owned(), count);
    }

    /// Passes the next `count` calls of `method` on and withholds the answer (HTTP 503).
    pub fn lose_answers(&self, method: &str, count: u64) {
        lock(&self.shared.lose).insert(method.to_owned(), count);
    }

    /// Answers `null` to every call of `method` while `hidden`.
    pub fn hide(&self, method: &str, hidden: bool) {
        lock(&self.shared.hide).insert(method.to_owned(), hidden);
    }

    /// How often `method` was called, refused calls included.
    pub fn calls(&self, method: &str) -> u64 {
        lock(&self.shared.counts).get(method).copied().unwrap_or(0)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(shared): State<Arc<Shared>>, body: Bytes) -> impl IntoResponse {
    const SILENCE: (StatusCode, String) = (StatusCode::SERVICE_UNAVAILABLE, String::new());
    if shared.down.load(Ordering::SeqCst) {
        return SILENCE;
    }
    let Ok(request) = serde_json::from_slice::<Value>(&body) else { return SILENCE };
    let Some(batch) = request.as_array() else {
        return match shared.reply(&request).await {
            Some(answer) => (StatusCode::OK, answer.to_string()),
            None => SILENCE,
        };
    };
    if shared.quirks.batch.is_some_and(|most| batch.len() > most) {
        return (StatusCode::BAD_REQUEST, error(-32600, "batch too large").to_string());
    }
    let mut answers = Vec::new();
    for request in batch {
        match shared.reply(request).await {
            Some(answer) => answers.push(answer),
            None => return SILENCE,
        }
    }
    (StatusCode::OK, Value::Array(answers).to_string())
}

impl Shared {
    /// The whole answer to one request; `None` when there is to be none.
    async fn reply(&self, request: &Value) -> Option<Value> {
        let id = &request["id"];
        match self.decide(request["method"].as_str().unwrap_or_default(), &request["params"]).await {
            Reply::Result(result) => Some(json!({ "jsonrpc": "2.0", "id": id, "result": result })),
            Reply::Error(error) => Some(json!({ "jsonrpc": "2.0", "id": id, "error": error })),
            Reply::Nothing => None,
        }
    }

    async fn decide(&self, method: &str, params: &Value) -> Reply {
        *lock(&self.counts).entry(method.to_owned()).or_default() += 1;
        if lock(&self.hide).get(method) == Some(&true) {
            return Reply::Result(Value::Null);
        }
        if take(&self.refuse, method) {
            return Reply::Nothing;
        }
        let reply = match method {
            "eth_blockNumber" => self.head().await.map_or(Reply::Nothing, |head| Reply::Result(head["number"].clone())),
            "eth_getBlockByNumber" => self.block(params).await,
            "eth_getLogs" => self.logs(params).await,
            "eth_getTransactionReceipt" => self.receipt(params).await,
            "eth_sendRawTransaction" => self.send(params).await,
            _ => self.ask(method, params).await,
        };
        if take(&self.lose, method) { Reply::Nothing } else { reply }
    }

    /// What the node says.
    async fn ask(&self, method: &str, params: &Value) -> Reply {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let Ok(response) = self.http.post(&self.upstream).json(&request).send().await else { return Reply::Nothing };
        let Ok(mut answer) = response.json::<Value>().await else { return Reply::Nothing };
        match answer.get_mut("error") {
            Some(error) => Reply::Error(error.take()),
            None => Reply::Result(answer["result"].take()),
        }
    }

    async fn ask_result(&self, method: &str, params: Value) -> Option<Value> {
        match self.ask(method, &params).await {
            Reply::Result(result) => Some(result),
            _ => None,
        }
    }

    /// The newest block that is no null round.
    async fn head(&self) -> Option<Value> {
        let latest = self.ask_result("eth_getBlockByNumber", json!(["latest", false])).await?;
        self.real(latest).await
    }

    /// The block itself, or the one below if it is a null round (two in a row cannot be).
    async fn real(&self, block: Value) -> Option<Value> {
        if !self.quirks.is_null(&block) {
            return Some(block);
        }
        self.ask_result("eth_getBlockByHash", json!([block["parentHash"], false])).await
    }

    async fn block(&self, params: &Value) -> Reply {
        let asked = self.ask("eth_getBlockByNumber", params).await;
        let Reply::Result(mut block) = asked else { return asked };
        if block.is_null() {
            return Reply::Result(block);
        }
        if self.quirks.is_null(&block) {
            return match (quantity(&params[0]), self.real(block).await) {
                (Some(number), _) => Reply::Error(null_round(number)),
                (None, Some(below)) => Box::pin(self.block(&json!([below["number"], params[1]]))).await,
                (None, None) => Reply::Nothing,
            };
        }
        if self.quirks.null_rounds
            && let Some(parent) = self.ask_result("eth_getBlockByHash", json!([block["parentHash"], false])).await
            && self.quirks.is_null(&parent)
        {
            block["parentHash"] = parent["parentHash"].clone();
        }
        Reply::Result(block)
    }

    async fn head_number(&self) -> u64 {
        self.head().await.and_then(|head| quantity(&head["number"])).unwrap_or(0)
    }

    async fn logs(&self, params: &Value) -> Reply {
        let filter = &params[0];
        let limited = self.quirks.log_range.is_some() || self.quirks.log_results.is_some();
        if limited && let Some(error) = self.quirks.range_error(filter, self.head_number().await) {
            return Reply::Error(error);
        }
        let asked = self.ask("eth_getLogs", params).await;
        let Reply::Result(results) = asked else { return asked };
        match self.quirks.result_error(filter, &results) {
            Some(error) => Reply::Error(error),
            None => Reply::Result(results),
        }
    }

    async fn receipt(&self, params: &Value) -> Reply {
        let asked = self.ask("eth_getTransactionReceipt", params).await;
        let (Some(memory), Reply::Result(receipt)) = (self.quirks.receipt_memory, &asked) else { return asked };
        match quantity(&receipt["blockNumber"]) {
            Some(block) if block + memory < self.head_number().await => Reply::Result(Value::Null),
            _ => asked,
        }
    }

    async fn send(&self, params: &Value) -> Reply {
        if self.quirks.strict_nonces
            && let Some((sender, nonce)) = sender_and_nonce(&params[0])
            && let Some(next) = self.ask_result("eth_getTransactionCount", json!([sender, "pending"])).await
            && quantity(&next).is_some_and(|next| nonce > next)
        {
            return Reply::Error(error(1, "unfulfilled nonce gap"));
        }
        self.ask("eth_sendRawTransaction", params).await
    }
}

/// Takes one from the count of a method, if it has one.
fn take(counts: &Mutex<BTreeMap<String, u64>>, method: &str) -> bool {
    match lock(counts).get_mut(method) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    }
}
