//! The X25519 key to which others seal.

use std::{
    fmt, fs,
    io::{ErrorKind, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use hpke::{Deserializable, Kem, Serializable, kem::X25519HkdfSha256};
use parity_protocol::B256;
use zeroize::Zeroizing;

use crate::{Error, Result};

type Secret = <X25519HkdfSha256 as Kem>::PrivateKey;

/// A secret X25519 key and its public half; the secret is wiped from memory when dropped and never printed.
pub struct SealingKey {
    secret: Secret,
    public: B256,
}

impl SealingKey {
    /// A new random key.
    ///
    /// # Panics
    /// When the operating system has no randomness.
    pub fn generate() -> Self {
        let (secret, _) = X25519HkdfSha256::gen_keypair();
        Self::of(secret)
    }

    /// The key kept in the file at `path` (64 hexadecimal digits, readable by its owner alone); made there if the file is
    /// missing. Two processes that start together get the same key.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be read or written, [`Error::Key`] when it holds no key or others may read it.
    pub fn load_or_create(path: &Path) -> Result<Self> {
        if let Some(key) = Self::load(path)? {
            return Ok(key);
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
        // A temporary file is created with mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(Error::io("create a file in", folder))?;
        let text = Zeroizing::new(hex::encode(Self::generate().secret.to_bytes()));
        writeln!(file, "{}", *text).map_err(Error::io("write", file.path()))?;
        file.as_file().sync_all().map_err(Error::io("force to disk", file.path()))?;
        match file.persist_noclobber(path) {
            Err(e) if e.error.kind() != ErrorKind::AlreadyExists => {
                return Err(Error::io("put in place", path)(e.error));
            }
            _ => {}
        }
        let key = Self::load(path)?;
        key.ok_or_else(|| Error::Key { path: path.to_owned(), reason: "it vanished while it was read".to_owned() })
    }

    /// The key in an existing file of [`SealingKey::load_or_create`].
    ///
    /// # Errors
    /// As there, and [`Error::Key`] when there is no such file.
    pub fn open(path: &Path) -> Result<Self> {
        let key = Self::load(path)?;
        key.ok_or_else(|| Error::Key { path: path.to_owned(), reason: "there is no such file".to_owned() })
    }

    fn load(path: &Path) -> Result<Option<Self>> {
        let refuse = |reason: String| Error::Key { path: path.to_owned(), reason };
        let mode = match fs::metadata(path) {
            Ok(metadata) => metadata.permissions().mode(),
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Error::io("look at", path)(e)),
        };
        if mode & 0o077 != 0 {
            return Err(refuse(format!("others may read it (mode {:o}); run chmod 600 on it", mode & 0o777)));
        }
        let text = Zeroizing::new(fs::read(path).map_err(Error::io("read", path))?);
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim_ascii(), &mut *bytes)
            .map_err(|_| refuse("it is not 64 hexadecimal digits; move it away to have a new one made".to_owned()))?;
        let secret = Secret::from_bytes(&*bytes).map_err(|_| refuse("its digits are no X25519 key".to_owned()))?;
        Ok(Some(Self::of(secret)))
    }

    fn of(secret: Secret) -> Self {
        let public = B256::from_slice(&X25519HkdfSha256::sk_to_pk(&secret).to_bytes());
        Self { secret, public }
    }

    /// The public key, as a seat or a keeper posts it.
    pub fn public(&self) -> B256 {
        self.public
    }

    pub(super) fn secret(&self) -> &Secret {
        &self.secret
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealingKey").field("public", &self.public).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/sealing");
        let made = SealingKey::load_or_create(&path).unwrap();
        assert_eq!(SealingKey::load_or_create(&path).unwrap().public(), made.public());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn keys_differ_and_their_secret_is_not_printed() {
        let (one, other) = (SealingKey::generate(), SealingKey::generate());
        assert_ne!(one.public(), other.public());
        assert!(!format!("{one:?}").contains(&hex::encode(one.secret.to_bytes())));
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sealing");
        SealingKey::load_or_create(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(SealingKey::load_or_create(&path).unwrap_err().to_string().contains("chmod 600"));
    }

    #[test]
    fn a_file_without_a_key_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sealing");
        fs::write(&path, "not a key").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(SealingKey::load_or_create(&path), Err(Error::Key { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"not a key");
    }
}
