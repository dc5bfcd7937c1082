//! The job's folder on the host: inputs that the trainer reads, outputs that are read with suspicion.
//!
//! Whatever lies in the output folder was written by code that is not trusted: links are not followed, pipes are not
//! waited for, and nothing larger than allowed is read.

use std::{
    fs,
    io::{self, Read},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use parity_protocol::job::{Job, JobKind, JobResult, files};
use rustix::fs::{Mode, OFlags};
use tempfile::TempDir;

use super::{
    Error, Material, Output, Result,
    limits::{OUTPUT_FILES, RESULT_BYTES},
};

/// A folder with `job/` and `out/`, removed on drop. The folder itself is closed to other users of the host.
#[derive(Debug)]
pub(crate) struct JobFolder {
    root: TempDir,
}

/// How often removing is tried, and the pause between: a killed job's last writes may race with it.
const REMOVALS: u32 = 25;
const REMOVAL_PAUSE: Duration = Duration::from_millis(20);

impl Drop for JobFolder {
    fn drop(&mut self) {
        for _ in 0..REMOVALS {
            match fs::remove_dir_all(self.root.path()) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => std::thread::sleep(REMOVAL_PAUSE),
                _ => return,
            }
        }
    }
}

impl JobFolder {
    /// Writes the inputs below `workdir`. Blocking.
    pub(crate) fn create(workdir: &Path, job: &Job, material: Material<'_>) -> Result<Self> {
        fs::create_dir_all(workdir).map_err(Error::io("create the folder", workdir))?;
        let workdir = workdir.canonicalize().map_err(Error::io("find the folder", workdir))?;
        let root = tempfile::Builder::new()
            .prefix("job-")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(&workdir)
            .map_err(Error::io("create a folder in", workdir))?;
        let folder = Self { root };
        make_dir(&folder.job(), 0o755)?;
        make_dir(&folder.out(), 0o777)?;
        let text = serde_json::to_vec(job).map_err(|e| Error::io("write", folder.job())(e.into()))?;
        folder.put(files::JOB, &text)?;
        folder.put(files::DATA, material.rows)?;
        let optional = [(files::MODEL, material.model), (files::CORRECTION, material.correction)];
        for (name, bytes) in optional.into_iter().filter_map(|(name, bytes)| Some((name, bytes?))) {
            folder.put(name, bytes)?;
        }
        Ok(folder)
    }

    /// The folder of inputs.
    pub(crate) fn job(&self) -> PathBuf {
        self.root.path().join("job")
    }

    /// The folder of outputs.
    pub(crate) fn out(&self) -> PathBuf {
        self.root.path().join("out")
    }

    /// User and group of this process, as the file system knows them.
    pub(crate) fn owner(&self) -> Result<(u32, u32)> {
        let metadata = fs::metadata(self.root.path()).map_err(Error::io("read", self.root.path()))?;
        Ok((metadata.uid(), metadata.gid()))
    }

    /// Checks the output folder while the job runs.
    pub(crate) fn check_output(&self, limit: u64) -> Result<()> {
        let out = self.out();
        let mut total = 0_u64;
        for (index, entry) in fs::read_dir(&out).map_err(Error::io("list", &out))?.enumerate() {
            if index >= OUTPUT_FILES {
                return Err(Error::OutputTooLarge { limit });
            }
            let entry = entry.map_err(Error::io("list", &out))?;
            // A file that vanished between listing and looking is a temporary file that was renamed.
            let Ok(metadata) = fs::symlink_metadata(entry.path()) else { continue };
            if !metadata.is_file() {
                return Err(Error::UnexpectedOutput { name: entry.file_name().to_string_lossy().into_owned() });
            }
            total = total.saturating_add(metadata.len().max(metadata.blocks().saturating_mul(512)));
        }
        if total > limit.saturating_add(RESULT_BYTES) {
            return Err(Error::OutputTooLarge { limit });
        }
        Ok(())
    }

    /// Whether a file of the output reached the size at which the kernel refuses to let it grow.
    pub(crate) fn has_full_file(&self, limit: u64) -> bool {
        let entries = fs::read_dir(self.out()).into_iter().flatten().take(OUTPUT_FILES).flatten();
        entries.filter_map(|entry| fs::symlink_metadata(entry.path()).ok()).any(|metadata| metadata.len() >= limit)
    }

    /// Reads what the job left. Blocking.
    pub(crate) fn read_output(&self, kind: &JobKind, limit: u64) -> Result<Output> {
        self.check_output(limit)?;
        let text = self.take(files::RESULT, RESULT_BYTES)?;
        let result: JobResult = serde_json::from_slice(&text)
            .map_err(|e| Error::BadResult { file: files::RESULT, reason: e.to_string() })?;
        let update = match kind {
            JobKind::Train { .. } => Some(self.take(files::UPDATE, limit)?),
            JobKind::Evaluate {} => None,
        };
        Ok(Output { result, update, start: Default::default(), run: Default::default() })
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.job().join(name);
        fs::write(&path, bytes).map_err(Error::io("write", &path))?;
        set_mode(&path, 0o644)
    }

    fn take(&self, file: &'static str, limit: u64) -> Result<Vec<u8>> {
        let path = self.out().join(file);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = match rustix::fs::open(&path, flags, Mode::empty()) {
            Ok(opened) => fs::File::from(opened),
            Err(rustix::io::Errno::NOENT) => return Err(Error::NoResult { file }),
            Err(errno) => return Err(Error::BadResult { file, reason: errno.to_string() }),
        };
        let metadata = opened.metadata().map_err(Error::io("read", &path))?;
        if !metadata.is_file() {
            return Err(Error::BadResult { file, reason: "it is not a plain file".into() });
        }
        let mut bytes = Vec::new();
        opened.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(Error::io("read", &path))?;
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
            return Err(Error::BadResult { file, reason: format!("it has more than {limit} bytes") });
        }
        // An update may be empty: a finished forest wants nothing more. Whether it may here is for the caller to check.
        Ok(bytes)
    }
}

fn make_dir(path: &Path, mode: u32) -> Result<()> {
    fs::create_dir(path).map_err(Error::io("create the folder", path))?;
    set_mode(path, mode)
}

/// Sets the mode without regard to the umask.
fn set_mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(Error::io("set the permissions of", path))
}
