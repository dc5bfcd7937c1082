//! Sealed bytes in a store: right key, right context, right bytes, or a clear error.

use std::fs;

use bytes::Bytes;
use parity_content::{Error, Folder, SealingKey, get_artifact, get_bytes, put_bytes, put_sealed};
use parity_protocol::B256;

use crate::{folder::path_in, pattern::Pattern};

const LIMIT: u64 = 8 << 20;

fn store() -> (tempfile::TempDir, Folder) {
    let folder = tempfile::tempdir().unwrap();
    let store = Folder::open(folder.path()).unwrap();
    (folder, store)
}

#[tokio::test]
async fn every_recipient_reads_what_was_sealed() {
    let (_folder, store) = store();
    let keys = [SealingKey::generate(), SealingKey::generate(), SealingKey::generate()];
    let recipients: Vec<B256> = keys.iter().map(SealingKey::public).collect();
    for length in [0, 1, 1000, (1 << 20) - 48, (1 << 20) - 47, 5_000_000] {
        let plain = Pattern::new().bytes(length);
        let artifact = put_sealed(&store, plain.clone(), &recipients, b"context").await.unwrap();
        assert_eq!(artifact.envelopes.len(), 3);
        for key in &keys {
            let opened = get_artifact(&store, &artifact, Some(key), b"context", length as u64).await.unwrap();
            assert_eq!(opened, plain, "{length} bytes");
        }
    }
}

#[tokio::test]
async fn without_recipients_the_bytes_are_plain_and_need_no_key() {
    let (_folder, store) = store();
    let artifact = put_sealed(&store, Bytes::from_static(b"a model"), &[], b"context").await.unwrap();
    assert!(artifact.envelopes.is_empty());
    assert_eq!(&*get_artifact(&store, &artifact, None, b"", LIMIT).await.unwrap(), b"a model");
}

#[tokio::test]
async fn nobody_else_reads_sealed_bytes() {
    let (_folder, store) = store();
    let key = SealingKey::generate();
    let artifact = put_sealed(&store, Bytes::from_static(b"a secret"), &[key.public()], b"context").await.unwrap();
    for key in [Some(&SealingKey::generate()), None] {
        let refused = get_artifact(&store, &artifact, key, b"context", LIMIT).await;
        assert!(matches!(refused, Err(Error::NotRecipient { recipients: 1, .. })));
    }
    let stored = get_bytes(&store, &artifact.link, LIMIT).await.unwrap();
    assert!(!stored.windows(8).any(|window| window == b"a secret"));
}

#[tokio::test]
async fn another_context_does_not_open() {
    let (_folder, store) = store();
    let key = SealingKey::generate();
    let artifact = put_sealed(&store, Bytes::from_static(b"a secret"), &[key.public()], b"shard of 1").await.unwrap();
    let error = get_artifact(&store, &artifact, Some(&key), b"shard of 2", LIMIT).await.unwrap_err();
    assert!(matches!(error, Error::Unseal { .. }) && error.is_malformed(), "{error}");
}

#[tokio::test]
async fn an_envelope_for_another_key_that_claims_to_be_mine_does_not_open() {
    let (_folder, store) = store();
    let (key, other) = (SealingKey::generate(), SealingKey::generate());
    let mut artifact = put_sealed(&store, Bytes::from_static(b"a secret"), &[other.public()], b"").await.unwrap();
    artifact.envelopes[0].recipient = key.public();
    let refused = get_artifact(&store, &artifact, Some(&key), b"", LIMIT).await;
    assert!(matches!(refused, Err(Error::Unseal { .. })));
}

#[tokio::test]
async fn envelopes_of_one_artifact_do_not_open_another() {
    let (_folder, store) = store();
    let key = SealingKey::generate();
    let recipients = [key.public()];
    let mut one = put_sealed(&store, Bytes::from_static(b"one secret"), &recipients, b"").await.unwrap();
    let two = put_sealed(&store, Bytes::from_static(b"two secret"), &recipients, b"").await.unwrap();
    one.envelopes = two.envelopes;
    let error = get_artifact(&store, &one, Some(&key), b"", LIMIT).await.unwrap_err();
    assert!(error.to_string().contains("another key than its envelope holds"), "{error}");
}

#[tokio::test]
async fn a_cut_body_under_its_own_name_does_not_open() {
    let (_folder, store) = store();
    let key = SealingKey::generate();
    let plain = Pattern::new().bytes(3 << 20);
    let mut artifact = put_sealed(&store, plain, &[key.public()], b"").await.unwrap();
    let body = get_bytes(&store, &artifact.link, LIMIT).await.unwrap();
    let cut = put_bytes(&store, body.slice(..2 << 20)).await.unwrap();
    artifact.link = cut.link;
    let wrong_size = get_artifact(&store, &artifact, Some(&key), b"", LIMIT).await;
    assert!(matches!(wrong_size, Err(Error::Malformed { .. })));
    artifact.bytes = cut.bytes;
    let cut_off = get_artifact(&store, &artifact, Some(&key), b"", LIMIT).await;
    assert!(matches!(cut_off, Err(Error::Unseal { .. })));
}

#[tokio::test]
async fn damage_in_the_store_is_corruption_and_absence_is_absence() {
    let (folder, store) = store();
    let key = SealingKey::generate();
    let artifact = put_sealed(&store, Bytes::from_static(b"a secret"), &[key.public()], b"").await.unwrap();
    let path = path_in(folder.path(), &artifact.link);
    let mut bytes = fs::read(&path).unwrap();
    bytes[40] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert!(get_artifact(&store, &artifact, Some(&key), b"", LIMIT).await.unwrap_err().is_corrupt());
    fs::remove_file(&path).unwrap();
    assert!(get_artifact(&store, &artifact, Some(&key), b"", LIMIT).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn the_limit_counts_opened_bytes() {
    let (_folder, store) = store();
    let key = SealingKey::generate();
    let artifact = put_sealed(&store, Pattern::new().bytes(1000), &[key.public()], b"").await.unwrap();
    assert!(get_artifact(&store, &artifact, Some(&key), b"", 1000).await.is_ok());
    let refused = get_artifact(&store, &artifact, Some(&key), b"", 999).await;
    assert!(matches!(refused, Err(Error::TooLarge { .. })));
}

#[tokio::test]
async fn a_recipient_named_twice_gets_one_envelope_and_a_bad_one_is_named() {
    let (_folder, store) = store();
    let key = SealingKey::generate().public();
    let artifact = put_sealed(&store, Bytes::new(), &[key, key], b"").await.unwrap();
    assert_eq!(artifact.envelopes.len(), 1);
    let refused = put_sealed(&store, Bytes::new(), &[key, B256::ZERO], b"").await;
    assert!(matches!(refused, Err(Error::Recipient { key: B256::ZERO })));
}

#[tokio::test]
async fn sealing_twice_gives_different_bytes() {
    let (_folder, store) = store();
    let key = [SealingKey::generate().public()];
    let one = put_sealed(&store, Bytes::from_static(b"same"), &key, b"").await.unwrap();
    let two = put_sealed(&store, Bytes::from_static(b"same"), &key, b"").await.unwrap();
    assert_ne!(one.link, two.link);
}
