//! Files through a store: what goes in comes out, and nothing else does.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use parity_content::{
    DynStore, Error, Folder, MAX_BLOCK_BYTES, SealingKey, Store, cid_of_bytes, cid_of_file, get_artifact, get_bytes,
    get_file, get_manifest, put_bytes, put_file, put_manifest, put_sealed,
};
use parity_protocol::{
    B256, Link, TokenAmount,
    link::{DAG_CBOR, DAG_PB, RAW},
    manifest::{PayoutLeaf, RoundReport, SealedData},
};

use crate::{folder::path_in, pattern::Pattern};

const MIB: usize = 1 << 20;

fn store() -> (tempfile::TempDir, Folder) {
    let folder = tempfile::tempdir().unwrap();
    let store = Folder::open(folder.path()).unwrap();
    (folder, store)
}

#[tokio::test]
async fn bytes_come_back_at_every_edge() {
    let (_folder, store) = store();
    let pattern = Pattern::new();
    for length in [0, 1, MIB - 1, MIB, MIB + 1, 2 * MIB, 9 * MIB + 7] {
        let bytes = pattern.bytes(length);
        let file = put_bytes(&store, bytes.clone()).await.unwrap();
        assert_eq!(file, cid_of_bytes(&bytes));
        assert_eq!(get_bytes(&store, &file.link, length as u64).await.unwrap(), bytes, "{length} bytes");
    }
}

/// 1,025 leaves: a second level of nodes. The file is sparse, so neither it nor its one kind of leaf costs space.
#[tokio::test]
async fn a_file_with_two_levels_of_nodes_is_stored_under_its_name() {
    let (folder, store) = store();
    let source = folder.path().join("source");
    let length = 1024 * MIB as u64 + 1;
    fs::File::create(&source).unwrap().set_len(length).unwrap();

    let done = AtomicU64::new(0);
    let file = put_file(&store, &source, |more| _ = done.fetch_add(more, Ordering::Relaxed)).await.unwrap();
    assert_eq!(file, cid_of_file(&source, |_| {}).unwrap());
    assert_eq!((file.bytes, done.into_inner()), (length, length));
    let first = get_bytes(&store, &file.link, length - 1).await;
    assert!(matches!(first, Err(Error::TooLarge { actual, .. }) if actual == length));
}

#[tokio::test]
async fn parts_under_several_levels_of_nodes_come_back_in_order() {
    let (folder, store) = store();
    let mut leaves = Vec::new();
    for text in ["one ", "two ", "three ", "four"] {
        leaves.push((store.put_block(RAW, Bytes::from_static(text.as_bytes())).await.unwrap(), text.len() as u64));
    }
    let low = store.put_block(DAG_PB, forged_node(&leaves[..2])).await.unwrap();
    let high = store.put_block(DAG_PB, forged_node(&[(low, 8), leaves[2]])).await.unwrap();
    let root = store.put_block(DAG_PB, forged_node(&[(high, 14), leaves[3]])).await.unwrap();
    assert_eq!(&*get_bytes(&store, &root, 18).await.unwrap(), b"one two three four");

    let (copy, done) = (folder.path().join("copy"), AtomicU64::new(0));
    let bytes = get_file(&store, &root, &copy, 18, |more| _ = done.fetch_add(more, Ordering::Relaxed));
    assert_eq!((bytes.await.unwrap(), done.into_inner()), (18, 18));
    assert_eq!(fs::read(&copy).unwrap(), b"one two three four");
}

#[tokio::test]
async fn a_file_over_the_limit_is_refused_before_its_parts_are_fetched() {
    let (folder, store) = store();
    let file = put_bytes(&store, Pattern::new().bytes(3 * MIB)).await.unwrap();
    let leaf = Link::of_block(RAW, &Pattern::new().bytes(MIB));
    fs::remove_file(path_in(folder.path(), &leaf)).unwrap();

    let refused = get_bytes(&store, &file.link, 3 * MIB as u64 - 1).await;
    assert!(matches!(refused, Err(Error::TooLarge { limit, actual, .. }) if limit + 1 == actual));
    assert!(get_bytes(&store, &file.link, 3 * MIB as u64).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_failed_fetch_leaves_neither_a_file_nor_a_trace_of_one() {
    let (folder, store) = store();
    let file = put_bytes(&store, Pattern::new().bytes(5 * MIB)).await.unwrap();
    fs::remove_file(path_in(folder.path(), &cid_of_bytes(&Pattern::new().bytes(5 * MIB)[4 * MIB..]).link)).unwrap();
    let output = tempfile::tempdir().unwrap();
    let target = output.path().join("model");

    let failed = get_file(&store, &file.link, &target, u64::MAX, |_| {}).await;
    assert!(failed.unwrap_err().is_not_found());
    assert_eq!(fs::read_dir(output.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_fetched_file_replaces_the_one_that_was_there() {
    let (_folder, store) = store();
    let file = put_bytes(&store, Bytes::from_static(b"new")).await.unwrap();
    let output = tempfile::tempdir().unwrap();
    let target = output.path().join("model");
    fs::write(&target, "old and longer").unwrap();
    assert_eq!(get_file(&store, &file.link, &target, 3, |_| {}).await.unwrap(), 3);
    assert_eq!(fs::read(&target).unwrap(), b"new");
}

#[tokio::test]
async fn a_missing_source_is_named() {
    let (_folder, store) = store();
    let error = put_file(&store, Path::new("/nowhere/data.csv"), |_| {}).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot open /nowhere/data.csv");
    assert!(cid_of_file(Path::new("/nowhere/data.csv"), |_| {}).is_err());
    assert!(cid_of_file(Path::new("/"), |_| {}).is_err());
}

/// A node that says what is not so: `children` are (link, announced bytes), all of them claimed in `total`.
fn forged_node(children: &[(Link, u64)]) -> Bytes {
    fn varint(mut value: u64) -> Vec<u8> {
        let mut out = Vec::new();
        while value >= 0x80 {
            out.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        out.push(value.to_le_bytes()[0]);
        out
    }
    fn field(key: u8, bytes: &[u8]) -> Vec<u8> {
        [&[key], &*varint(bytes.len() as u64), bytes].concat()
    }
    let mut node = Vec::new();
    let mut sizes = Vec::new();
    for (link, bytes) in children {
        let entry = [field(0x0a, &link.cid().to_bytes()), field(0x12, b""), vec![0x18], varint(*bytes)].concat();
        node.extend(field(0x12, &entry));
        sizes.extend([vec![0x20], varint(*bytes)].concat());
    }
    let total = varint(children.iter().map(|child| child.1).sum());
    node.extend(field(0x0a, &[vec![0x08, 0x02, 0x18], total, sizes].concat()));
    node.into()
}

#[tokio::test]
async fn a_node_that_lies_about_its_parts_is_malformed() {
    let (_folder, store) = store();
    let leaf = store.put_block(RAW, Bytes::from_static(b"ten bytes!")).await.unwrap();
    let honest = store.put_block(DAG_PB, forged_node(&[(leaf, 10), (leaf, 10)])).await.unwrap();
    assert_eq!(&*get_bytes(&store, &honest, 20).await.unwrap(), b"ten bytes!ten bytes!");

    for lie in [forged_node(&[(leaf, 9)]), forged_node(&[(leaf, 11)]), forged_node(&[(honest, 21)])] {
        let root = store.put_block(DAG_PB, lie).await.unwrap();
        let error = get_bytes(&store, &root, 1000).await.unwrap_err();
        assert!(error.is_malformed() && !error.is_corrupt(), "{error}");
    }
}

#[tokio::test]
async fn a_chain_of_nodes_without_end_is_malformed() {
    let (_folder, store) = store();
    let mut root = store.put_block(RAW, Bytes::from_static(b"x")).await.unwrap();
    for _ in 0..5 {
        root = store.put_block(DAG_PB, forged_node(&[(root, 1)])).await.unwrap();
    }
    assert_eq!(&*get_bytes(&store, &root, 1).await.unwrap(), b"x");
    root = store.put_block(DAG_PB, forged_node(&[(root, 1)])).await.unwrap();
    assert!(matches!(get_bytes(&store, &root, 1).await, Err(Error::Malformed { .. })));
}

#[tokio::test]
async fn a_manifest_is_no_file_and_noise_is_no_node() {
    let (_folder, store) = store();
    let manifest = store.put_block(DAG_CBOR, Bytes::from_static(&[0xa0])).await.unwrap();
    let noise = store.put_block(DAG_PB, Bytes::from_static(b"noise")).await.unwrap();
    for link in [manifest, noise] {
        assert!(matches!(get_bytes(&store, &link, 1000).await, Err(Error::Malformed { .. })));
    }
}

#[tokio::test]
async fn a_block_that_no_network_would_carry_is_refused() {
    let (_folder, store) = store();
    assert!(store.put_block(RAW, vec![0; MAX_BLOCK_BYTES].into()).await.is_ok());
    let refused = store.put_block(RAW, vec![0; MAX_BLOCK_BYTES + 1].into()).await;
    assert!(matches!(refused, Err(Error::TooLarge { .. })));
}

#[tokio::test]
async fn a_manifest_is_named_by_its_digest_alone() {
    let (_folder, store) = store();
    let report = RoundReport {
        session: 7,
        round: 3,
        aggregate: B256::repeat_byte(1),
        evaluation: None,
        confusion: None,
        payouts: vec![PayoutLeaf { operator: Default::default(), cumulative: TokenAmount::from_base_units(5) }],
    };
    let digest = put_manifest(&store, &report).await.unwrap();
    assert_eq!(get_manifest::<RoundReport>(&store, digest).await.unwrap(), report);

    let other_kind = get_manifest::<SealedData>(&store, digest).await.unwrap_err();
    assert!(other_kind.is_malformed(), "{other_kind}");
    let missing = get_manifest::<RoundReport>(&store, B256::ZERO).await.unwrap_err();
    assert!(missing.is_not_found(), "{missing}");
}

/// Daemons fetch and store inside spawned tasks: this compiles only if every future may move between threads.
#[tokio::test]
async fn every_operation_can_run_in_a_spawned_task() {
    let (folder, store) = store();
    let (source, copy) = (folder.path().join("source"), folder.path().join("copy"));
    fs::write(&source, "spawned").unwrap();
    let store: DynStore = Arc::new(store);
    let task = tokio::spawn(async move {
        let file = put_file(&*store, &source, |_| {}).await.unwrap();
        get_file(&*store, &file.link, &copy, 100, |_| {}).await.unwrap();
        let key = SealingKey::generate();
        let sealed = put_sealed(&*store, Bytes::from_static(b"spawned"), &[key.public()], b"").await.unwrap();
        let opened = get_artifact(&*store, &sealed, Some(&key), b"", 100).await.unwrap();
        let manifest = SealedData { spec: B256::ZERO, rows: 1, artifact: sealed };
        let digest = put_manifest(&*store, &manifest).await.unwrap();
        (opened, get_manifest::<SealedData>(&*store, digest).await.unwrap() == manifest)
    });
    assert_eq!(task.await.unwrap(), (Bytes::from_static(b"spawned"), true));
}
