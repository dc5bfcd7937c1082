//! The journal on disk: one JSON document a line, appended and synced before anything is sent.
//!
//! Invariant: an entry that [`Journal::append`] has returned from survives a crash. A line that a crash cut short was never
//! acted upon and is cut off at the next opening.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use alloy::primitives::Address;

use super::ledger::{Entry, Ledger};
use crate::{Error, Result};

/// How long an opening waits for the process that has the journal.
const PATIENCE: Duration = Duration::from_secs(5);
/// Size in bytes above which the journal is rewritten at its opening.
const COMPACT_ABOVE: u64 = 1 << 20;

/// The open journal of one signer, locked against other processes until it is dropped.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    /// Holds the lock.
    _lock: File,
}

impl Journal {
    /// Opens the journal of `address` in `dir` and reads it. A journal of another network is set aside.
    pub(super) fn open(dir: &Path, address: Address, network: &str) -> Result<(Self, Ledger)> {
        let path = dir.join(format!("{address:#x}.jsonl"));
        fs::create_dir_all(dir).map_err(failed("create the folder of", &path))?;
        let lock = lock(&path.with_extension("lock"), address)?;
        let mut ledger = read(&path)?;
        if ledger.network.as_deref().is_some_and(|found| found != network) {
            let aside = (0_u32..)
                .map(|n| path.with_extension(format!("other-network-{n}.jsonl")))
                .find(|path| !path.exists())
                .unwrap_or_else(|| path.with_extension("other-network.jsonl"));
            tracing::warn!(path = %aside.display(), "the journal is of another network; it was set aside");
            fs::rename(&path, aside).map_err(failed("set aside", &path))?;
            ledger = Ledger::default();
        }
        let fresh = ledger.network.is_none();
        ledger.network = Some(network.to_owned());
        if fresh || fs::metadata(&path).is_ok_and(|data| data.len() > COMPACT_ABOVE) {
            ledger.forget_settled();
            rewrite(&path, &ledger)?;
        }
        let file = OpenOptions::new().append(true).open(&path).map_err(failed("open", &path))?;
        Ok((Self { path, file, _lock: lock }, ledger))
    }

    /// Writes an entry and waits until the disk has it.
    pub(super) fn append(&mut self, entry: &Entry) -> Result<()> {
        let line = line(entry);
        self.file.write_all(&line).map_err(failed("write", &self.path))?;
        self.file.sync_data().map_err(failed("sync", &self.path))
    }
}

fn line(entry: &Entry) -> Vec<u8> {
    let mut line = serde_json::to_vec(entry).expect("entries are plain data with text keys");
    line.push(b'\n');
    line
}

fn failed<'a>(verb: &'static str, path: &'a Path) -> impl Fn(io::Error) -> Error + 'a {
    move |source| Error::Journal { verb, path: path.to_owned(), source }
}

fn lock(path: &Path, address: Address) -> Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(failed("open the lock of", path))?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(fs::TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(fs::TryLockError::WouldBlock) => return Err(Error::Locked { address, path: path.to_owned() }),
            Err(fs::TryLockError::Error(source)) => return Err(failed("lock", path)(source)),
        }
    }
}

/// Reads all whole lines and cuts off what a crash left of another.
fn read(path: &Path) -> Result<Ledger> {
    let mut ledger = Ledger::default();
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(ledger),
        Err(error) => return Err(failed("read", path)(error)),
    };
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    for (number, line) in bytes[..whole].split(|byte| *byte == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        let entry = serde_json::from_slice(line).map_err(|source| Error::JournalLine {
            path: path.to_owned(),
            line: number + 1,
            source,
        })?;
        ledger.apply(entry);
    }
    if whole < bytes.len() {
        let file = OpenOptions::new().write(true).open(path).map_err(failed("open", path))?;
        file.set_len(u64::try_from(whole).unwrap_or(u64::MAX)).map_err(failed("repair", path))?;
        file.sync_data().map_err(failed("sync", path))?;
    }
    Ok(ledger)
}

/// Replaces the journal by the shortest one that says the same.
fn rewrite(path: &Path, ledger: &Ledger) -> Result<()> {
    let draft = path.with_extension("jsonl.new");
    let mut file = File::create(&draft).map_err(failed("write", &draft))?;
    for entry in ledger.entries() {
        file.write_all(&line(&entry)).map_err(failed("write", &draft))?;
    }
    file.sync_all().map_err(failed("sync", &draft))?;
    fs::rename(&draft, path).map_err(failed("replace", path))?;
    if let Some(dir) = path.parent() {
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed("sync the folder of", path))?;
    }
    Ok(())
}
