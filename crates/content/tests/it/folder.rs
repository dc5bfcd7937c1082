//! The folder store: damage is found, named and repaired; kills leave no half block.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use parity_content::{Error, Folder, Store, get_bytes, put_bytes};
use parity_protocol::{Link, link::RAW};

use crate::pattern::Pattern;

/// Where the folder store under `root` keeps a block.
pub(crate) fn path_in(root: &Path, link: &Link) -> PathBuf {
    let name: String = link.digest().iter().map(|byte| format!("{byte:02x}")).collect();
    root.join("blocks").join(&name[..2]).join(name)
}

async fn one_block() -> (tempfile::TempDir, Folder, Link, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let store = Folder::open(folder.path()).unwrap();
    let link = store.put_block(RAW, Bytes::from_static(b"a block")).await.unwrap();
    let path = path_in(folder.path(), &link);
    (folder, store, link, path)
}

#[tokio::test]
async fn a_changed_block_is_corrupt_and_the_error_names_block_and_file() {
    let (_folder, store, link, path) = one_block().await;
    for damage in [b"A block".as_slice(), b"a bloc", b"a block and more", b""] {
        fs::write(&path, damage).unwrap();
        let error = store.get_block(&link).await.unwrap_err();
        assert!(error.is_corrupt() && !error.is_not_found() && !error.is_retryable());
        let text = error.to_string();
        assert!(text.contains(&link.to_string()) && text.contains(path.to_str().unwrap()), "{text}");
    }
}

#[tokio::test]
async fn putting_a_block_again_repairs_it() {
    let (_folder, store, link, path) = one_block().await;
    fs::write(&path, b"damaged").unwrap();
    assert!(store.get_block(&link).await.unwrap_err().is_corrupt());
    store.put_block(RAW, Bytes::from_static(b"a block")).await.unwrap();
    assert_eq!(&*store.get_block(&link).await.unwrap(), b"a block");
}

#[tokio::test]
async fn a_huge_file_in_the_place_of_a_block_is_corrupt_and_not_read_whole() {
    let (_folder, store, link, path) = one_block().await;
    // Sparse: 1 TiB would not fit memory.
    fs::File::options().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
    assert!(store.get_block(&link).await.unwrap_err().is_corrupt());
}

#[tokio::test]
async fn a_missing_block_is_not_found_and_the_error_names_the_folder() {
    let (folder, store, link, path) = one_block().await;
    assert!(store.has_block(&link).await.unwrap());
    fs::remove_file(path).unwrap();
    assert!(!store.has_block(&link).await.unwrap());
    let error = store.get_block(&link).await.unwrap_err();
    assert!(error.is_not_found());
    assert!(error.to_string().contains(folder.path().to_str().unwrap()), "{error}");
}

#[tokio::test]
async fn opening_removes_only_what_was_abandoned() {
    let (folder, store, link, _) = one_block().await;
    let (old, fresh) = (folder.path().join("incoming/old"), folder.path().join("incoming/fresh"));
    for path in [&old, &fresh] {
        fs::write(path, "half a blo").unwrap();
    }
    let yesterday = SystemTime::now() - Duration::from_secs(86_400);
    fs::File::options().write(true).open(&old).unwrap().set_modified(yesterday).unwrap();
    Folder::open(folder.path()).unwrap();
    assert!(!old.exists() && fresh.exists());
    assert!(store.has_block(&link).await.unwrap());
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let error = Folder::open(Path::new("/dev/null/blocks")).unwrap_err();
    assert!(matches!(error, Error::Io { .. }) && error.to_string().contains("/dev/null/blocks"), "{error}");
}

/// Not a test of its own: the process that the next test kills, again and again.
#[tokio::test]
#[ignore = "run by a_kill_at_any_instant_leaves_whole_blocks_only"]
async fn write_until_killed() {
    let Ok(folder) = std::env::var("PARITY_TEST_FOLDER") else { return };
    let store = Folder::open(Path::new(&folder)).unwrap();
    let pattern = Pattern::new();
    for length in 0.. {
        put_bytes(&store, pattern.bytes(300_000 + length * 7919)).await.unwrap();
    }
}

#[tokio::test]
async fn a_kill_at_any_instant_leaves_whole_blocks_only() {
    let folder = tempfile::tempdir().unwrap();
    let mut blocks = 0;
    for kill in 0..10 {
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "folder::write_until_killed"])
            .env("PARITY_TEST_FOLDER", folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // Kills must fall while blocks are being written, so wait for the first new one.
        while count(folder.path()) == blocks {
            assert!(writer.try_wait().unwrap().is_none(), "the writer ended by itself");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_millis(kill * 7)).await;
        writer.kill().unwrap();
        writer.wait().unwrap();
        blocks = count(folder.path());
        for path in files(folder.path()) {
            let bytes = fs::read(&path).unwrap();
            let link = Link::of_block(RAW, &bytes);
            assert_eq!(path, path_in(folder.path(), &link), "half a block under a final name");
        }
    }
    let store = Folder::open(folder.path()).unwrap();
    let again = put_bytes(&store, Pattern::new().bytes(300_000)).await.unwrap();
    assert_eq!(get_bytes(&store, &again.link, 300_000).await.unwrap(), Pattern::new().bytes(300_000));
}

fn files(root: &Path) -> Vec<PathBuf> {
    let Ok(shards) = fs::read_dir(root.join("blocks")) else { return Vec::new() };
    let files = |shard: fs::DirEntry| fs::read_dir(shard.path()).unwrap().map(|entry| entry.unwrap().path());
    shards.map(Result::unwrap).flat_map(files).collect()
}

fn count(root: &Path) -> usize {
    files(root).len()
}
