//! A real Kubo node: its names equal ours, its RPC and its gateway are stores.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use bytes::Bytes;
use parity_content::{
    Gateway, Kubo, SealingKey, Store, cid_of_file, get_artifact, get_bytes, get_file, get_manifest, put_bytes,
    put_file, put_manifest, put_sealed,
};
use parity_protocol::{
    B256, Link,
    link::{DAG_CBOR, RAW},
    manifest::SealedData,
};
use rand::RngExt;

use crate::pattern::Pattern;

const MIB: usize = 1 << 20;

fn ipfs(repository: &Path) -> Command {
    let program = std::env::var("PARITY_IPFS").expect(
        "PARITY_IPFS must name Kubo's `ipfs`: run the tests by script/test, or after `source script/lib/env.sh`",
    );
    let mut command = Command::new(program);
    command.env("IPFS_PATH", repository);
    command
}

fn run(repository: &Path, arguments: &[&str]) -> Output {
    let output = ipfs(repository).args(arguments).output().unwrap();
    assert!(output.status.success(), "ipfs {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn text(output: Output) -> String {
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["init", "--empty-repo"]);
    run(folder.path(), &["config", "profile", "apply", "unixfs-v1-2025"]);
    folder
}

/// An offline node on free ports, in a repository of its own.
struct Node {
    daemon: Child,
    repository: tempfile::TempDir,
    rpc: String,
    gateway: String,
}

impl Node {
    async fn start() -> Self {
        let repository = repository();
        let path = repository.path();
        for address in ["Addresses.API", "Addresses.Gateway"] {
            run(path, &["config", address, "/ip4/127.0.0.1/tcp/0"]);
        }
        run(path, &["config", "--json", "Addresses.Swarm", "[]"]);
        run(path, &["config", "--json", "AutoConf.Enabled", "false"]);
        for settings in ["Bootstrap", "DNS.Resolvers", "Routing.DelegatedRouters", "Ipns.DelegatedPublishers"] {
            let empty = if settings == "DNS.Resolvers" { "{}" } else { "[]" };
            run(path, &["config", "--json", settings, empty]);
        }
        let daemon = ipfs(path)
            .args(["daemon", "--offline"])
            .stdout(Stdio::null())
            .stderr(fs::File::create(path.join("daemon.log")).unwrap())
            .spawn()
            .unwrap();
        let rpc = published(&path.join("api")).await;
        let gateway = published(&path.join("gateway")).await;
        // The file of the RPC holds a multiaddress, /ip4/127.0.0.1/tcp/5001.
        let rpc = rpc.replacen("/ip4/", "http://", 1).replacen("/tcp/", ":", 1);
        Self { daemon, repository, rpc, gateway }
    }

    fn store(&self) -> Kubo {
        Kubo::new(&self.rpc).unwrap()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// What the node writes into its repository once it listens.
async fn published(file: &PathBuf) -> String {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match fs::read_to_string(file) {
            Ok(text) if !text.is_empty() => return text.trim().to_owned(),
            _ => assert!(
                Instant::now() < deadline,
                "Kubo did not start: {}",
                fs::read_to_string(file.with_file_name("daemon.log")).unwrap_or_default()
            ),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn names_of_files_of_random_sizes_equal_those_of_a_live_node() {
    let repository = repository();
    let file = repository.path().join("file");
    let mut random = rand::rng();
    // Small ones, some around the edges of leaves, some with many leaves.
    let mut sizes: Vec<usize> = (0..8).map(|_| random.random_range(0..3 * MIB)).collect();
    sizes.extend((0..4).map(|_| random.random_range(1..20) * MIB + random.random_range(0..3) - 1));
    sizes.extend((0..4).map(|_| random.random_range(3 * MIB..64 * MIB)));
    for size in sizes {
        let mut bytes = vec![0; size];
        random.fill(&mut bytes[..]);
        fs::write(&file, bytes).unwrap();
        let theirs = text(run(repository.path(), &["add", "-Q", "--only-hash", file.to_str().unwrap()]));
        assert_eq!(cid_of_file(&file, |_| {}).unwrap().link.to_string(), theirs, "{size} bytes");
    }
}

#[tokio::test]
async fn a_file_stored_by_rpc_is_the_file_that_the_node_would_have_made() {
    let node = Node::start().await;
    let (source, copy) = (node.repository.path().join("source"), node.repository.path().join("copy"));
    let bytes = Pattern::new().bytes(7 * MIB + 5);
    fs::write(&source, &bytes).unwrap();
    let store = node.store();
    let file = put_file(&store, &source, |_| {}).await.unwrap();
    let name = file.link.to_string();

    assert_eq!(text(run(node.repository.path(), &["add", "-Q", "--only-hash", source.to_str().unwrap()])), name);
    assert_eq!(run(node.repository.path(), &["cat", &name]).stdout, bytes);
    assert!(text(run(node.repository.path(), &["pin", "ls", "--type=recursive", "-q"])).contains(&name));

    run(node.repository.path(), &["repo", "gc", "-q"]);
    get_file(&store, &file.link, &copy, file.bytes, |_| {}).await.unwrap();
    assert_eq!(fs::read(&copy).unwrap(), bytes);

    let gateway = Gateway::new(&node.gateway).unwrap();
    assert_eq!(get_bytes(&gateway, &file.link, file.bytes).await.unwrap(), bytes);
}

#[tokio::test]
async fn manifests_and_sealed_bytes_go_through_a_node_and_survive_its_garbage_collection() {
    let node = Node::start().await;
    let store = node.store();
    let key = SealingKey::generate();
    let plain = Pattern::new().bytes(3 * MIB);
    let artifact = put_sealed(&store, plain.clone(), &[key.public()], b"context").await.unwrap();
    let manifest = SealedData { spec: B256::repeat_byte(9), rows: 12, artifact };
    let digest = put_manifest(&store, &manifest).await.unwrap();
    assert_eq!(put_manifest(&store, &manifest).await.unwrap(), digest);
    run(node.repository.path(), &["repo", "gc", "-q"]);

    let gateway = Gateway::new(&node.gateway).unwrap();
    for store in [&store as &dyn Store, &gateway] {
        let manifest: SealedData = get_manifest(store, digest).await.unwrap();
        let opened = get_artifact(store, &manifest.artifact, Some(&key), b"context", 3 << 20).await.unwrap();
        assert_eq!(opened, plain);
    }
}

#[tokio::test]
async fn what_a_node_does_not_have_is_not_found() {
    let node = Node::start().await;
    let missing = Link::of_block(DAG_CBOR, b"missing");
    let (store, gateway) = (node.store(), Gateway::new(&node.gateway).unwrap());
    assert!(store.get_block(&missing).await.unwrap_err().is_not_found());
    assert!(!store.has_block(&missing).await.unwrap());
    assert!(gateway.get_block(&missing).await.unwrap_err().is_not_found());
    let there = store.put_block(RAW, Bytes::from_static(b"there")).await.unwrap();
    assert!(store.has_block(&there).await.unwrap());
}

#[tokio::test]
async fn a_block_damaged_inside_the_node_never_arrives() {
    let node = Node::start().await;
    let store = node.store();
    let file = put_bytes(&store, Bytes::from_static(b"the bytes that were stored")).await.unwrap();
    let mut damaged = 0;
    for shard in fs::read_dir(node.repository.path().join("blocks")).unwrap().flatten().filter(|e| e.path().is_dir()) {
        for block in fs::read_dir(shard.path()).unwrap().flatten() {
            if fs::read(block.path()).unwrap() == b"the bytes that were stored" {
                fs::set_permissions(block.path(), std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
                fs::write(block.path(), b"the bytes that were forged").unwrap();
                damaged += 1;
            }
        }
    }
    assert_eq!(damaged, 1);
    assert!(get_bytes(&store, &file.link, 100).await.unwrap_err().is_corrupt());
}
