//! Gateways that lie, fail, flood or hang.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use parity_content::{Error, Gateway, MAX_BLOCK_BYTES, Store};
use parity_protocol::{Link, link::RAW};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// A service that gives the scripted answers, one a connection, and repeats the last.
pub(crate) struct Script {
    pub(crate) address: String,
    asked: Arc<AtomicUsize>,
}

impl Script {
    pub(crate) async fn start(answers: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        tokio::spawn({
            let asked = Arc::clone(&asked);
            async move {
                while let Ok((mut stream, _)) = listener.accept().await {
                    let index = asked.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
                    let mut request = [0; 4096];
                    let _ = stream.read(&mut request).await;
                    let _ = stream.write_all(&answers[index]).await;
                    let _ = stream.shutdown().await;
                }
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

pub(crate) fn answer(status: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn wanted() -> Link {
    Link::of_block(RAW, b"wanted")
}

#[tokio::test]
async fn the_right_bytes_are_accepted() {
    let script = Script::start(vec![answer("200 OK", b"wanted")]).await;
    let gateway = Gateway::new(&script.address).unwrap();
    assert_eq!(&*gateway.get_block(&wanted()).await.unwrap(), b"wanted");
    assert!(gateway.has_block(&wanted()).await.unwrap());
}

#[tokio::test]
async fn other_bytes_are_corrupt_and_the_error_names_the_gateway() {
    let script = Script::start(vec![answer("200 OK", b"forged")]).await;
    let error = Gateway::new(&script.address).unwrap().get_block(&wanted()).await.unwrap_err();
    assert!(error.is_corrupt());
    assert!(error.to_string().contains(&script.address), "{error}");
}

#[tokio::test]
async fn a_busy_gateway_is_asked_again() {
    let busy = answer("503 Service Unavailable", b"later");
    let script = Script::start(vec![busy.clone(), busy, answer("200 OK", b"wanted")]).await;
    assert_eq!(&*Gateway::new(&script.address).unwrap().get_block(&wanted()).await.unwrap(), b"wanted");
    assert_eq!(script.asked(), 3);
}

#[tokio::test]
async fn a_gateway_that_stays_busy_is_unavailable() {
    let script = Script::start(vec![answer("504 Gateway Timeout", b"no peers")]).await;
    let error = Gateway::new(&script.address).unwrap().get_block(&wanted()).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert!(error.to_string().contains("no peers"), "{error}");
    assert_eq!(script.asked(), 4);
}

#[tokio::test]
async fn an_answer_cut_off_is_fetched_again() {
    let mut cut = answer("200 OK", b"wanted");
    cut.truncate(cut.len() - 2);
    let script = Script::start(vec![cut, answer("200 OK", b"wanted")]).await;
    assert_eq!(&*Gateway::new(&script.address).unwrap().get_block(&wanted()).await.unwrap(), b"wanted");
    assert_eq!(script.asked(), 2);
}

#[tokio::test]
async fn a_flood_is_cut_off_and_not_asked_for_again() {
    let script = Script::start(vec![answer("200 OK", &vec![0; 2 * MAX_BLOCK_BYTES])]).await;
    let error = Gateway::new(&script.address).unwrap().get_block(&wanted()).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    assert_eq!(script.asked(), 1);
}

#[tokio::test]
async fn an_absent_block_is_not_found() {
    let script = Script::start(vec![answer("404 Not Found", b"")]).await;
    let gateway = Gateway::new(&script.address).unwrap();
    assert!(gateway.get_block(&wanted()).await.unwrap_err().is_not_found());
    assert!(!gateway.has_block(&wanted()).await.unwrap());
}

#[tokio::test]
async fn a_refusal_is_told_in_the_words_of_the_gateway() {
    let script = Script::start(vec![answer("403 Forbidden", b"not for you")]).await;
    let error = Gateway::new(&script.address).unwrap().get_block(&wanted()).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }) && error.to_string().contains("not for you"), "{error}");
    assert_eq!(script.asked(), 1);
}

#[tokio::test]
async fn a_gateway_that_is_down_is_unavailable_and_takes_no_writes() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let gateway = Gateway::new(&format!("http://127.0.0.1:{port}")).unwrap();
    assert!(gateway.get_block(&wanted()).await.unwrap_err().is_retryable());
    let refused = gateway.put_block(RAW, "x".into()).await;
    assert!(matches!(refused, Err(Error::ReadOnly { .. })));
}
