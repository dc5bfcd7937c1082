//! Several stores at once.

use std::{fs, sync::Arc};

use bytes::Bytes;
use parity_content::{DynStore, Error, Folder, Gateway, Many, Store, get_bytes, open, put_bytes};
use parity_protocol::{Link, link::RAW};

use crate::{
    folder::path_in,
    gateway::{Script, answer},
    pattern::Pattern,
};

async fn down() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn two_folders() -> (tempfile::TempDir, tempfile::TempDir, DynStore) {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let locations = [&one, &two].map(|folder| format!("folder:{}", folder.path().display()));
    let many = open(&locations).unwrap();
    (one, two, many)
}

#[tokio::test]
async fn a_write_goes_to_all_and_a_read_survives_damage_and_loss_in_either() {
    let (one, two, many) = two_folders();
    let bytes = Pattern::new().bytes(5 << 20);
    let file = put_bytes(&*many, bytes.clone()).await.unwrap();
    let blocks: Vec<Link> = bytes.chunks(1 << 20).map(|leaf| Link::of_block(RAW, leaf)).collect();
    fs::write(path_in(one.path(), &blocks[0]), "damaged").unwrap();
    fs::remove_file(path_in(one.path(), &blocks[2])).unwrap();
    fs::remove_file(path_in(two.path(), &blocks[3])).unwrap();
    assert_eq!(get_bytes(&*many, &file.link, 5 << 20).await.unwrap(), bytes);
}

#[tokio::test]
async fn a_read_only_store_gets_no_writes_and_answers_what_the_others_lack() {
    let script = Script::start(vec![answer("200 OK", b"elsewhere")]).await;
    let folder = tempfile::tempdir().unwrap();
    let local: DynStore = Arc::new(Folder::open(folder.path()).unwrap());
    let many = Many::new(vec![local, Arc::new(Gateway::new(&script.address).unwrap())]);
    let link = many.put_block(RAW, Bytes::from_static(b"mine")).await.unwrap();
    assert!(path_in(folder.path(), &link).exists());
    assert_eq!(&*many.get_block(&Link::of_block(RAW, b"elsewhere")).await.unwrap(), b"elsewhere");
}

#[tokio::test]
async fn the_error_of_all_says_whether_asking_again_may_help() {
    let missing = Link::of_block(RAW, b"missing");
    let (one, _two, many) = two_folders();
    assert!(many.get_block(&missing).await.unwrap_err().is_not_found());

    fs::create_dir_all(path_in(one.path(), &missing).parent().unwrap()).unwrap();
    fs::write(path_in(one.path(), &missing), "damaged").unwrap();
    assert!(many.get_block(&missing).await.unwrap_err().is_corrupt());

    let gateway: DynStore = Arc::new(Gateway::new(&down().await).unwrap());
    let with_gateway = Many::new(vec![many, gateway]);
    assert!(with_gateway.get_block(&missing).await.unwrap_err().is_retryable());
}

#[tokio::test]
async fn a_write_that_one_store_did_not_take_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let many = open(&[format!("folder:{}", folder.path().display()), format!("kubo:{}", down().await)]).unwrap();
    assert!(many.put_block(RAW, Bytes::from_static(b"x")).await.unwrap_err().is_retryable());
}

#[tokio::test]
async fn stores_that_only_read_take_no_writes() {
    let many = open(&["gateway:http://127.0.0.1:1".into(), "gateway:http://127.0.0.1:2".into()]).unwrap();
    assert!(!many.is_writable());
    let refused = many.put_block(RAW, Bytes::from_static(b"x")).await;
    assert!(matches!(refused, Err(Error::ReadOnly { .. })));
}
