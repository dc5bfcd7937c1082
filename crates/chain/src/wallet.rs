//! Keys on disk: encrypted keystores (Web3 Secret Storage v3) that `cast wallet` reads and writes too.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use alloy::{
    primitives::{Address, B256},
    signers::{k256::elliptic_curve::rand_core::OsRng, local::PrivateKeySigner},
};

use crate::{Error, Result};

/// A key that signs. Its `Debug` shows the address alone.
#[derive(Clone)]
pub struct Wallet(PrivateKeySigner);

/// A keystore file in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletFile {
    /// Name of the file, which is the name of the wallet.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// The address, where the file tells it (`cast` leaves it out).
    pub address: Option<Address>,
}

impl Wallet {
    /// Opens a keystore. Takes a moment: the password is stretched on purpose.
    ///
    /// # Errors
    /// [`Error::Keystore`] when the file is missing or no keystore, or the password is wrong.
    pub fn load(path: &Path, password: &str) -> Result<Self> {
        if !path.is_file() {
            return Err(refuse(path, "there is no such file; create one with `parity wallet new`"));
        }
        PrivateKeySigner::decrypt_keystore(path, password).map(Self).map_err(|error| {
            let reason = error.to_string();
            if reason.to_lowercase().contains("mac") {
                refuse(path, "the password is wrong")
            } else {
                refuse(path, &format!("it cannot be read ({reason})"))
            }
        })
    }

    /// Makes a new random key and stores it as `dir/name`.
    ///
    /// # Errors
    /// [`Error::Keystore`] when the name is taken or the file cannot be written.
    pub fn create(dir: &Path, name: &str, password: &str) -> Result<Self> {
        Self::store(PrivateKeySigner::random(), dir, name, password)
    }

    /// Stores an existing private key (64 hexadecimal digits) as `dir/name`.
    ///
    /// # Errors
    /// [`Error::Keystore`] when the key is none, the name is taken or the file cannot be written.
    pub fn import(dir: &Path, name: &str, private_key: &str, password: &str) -> Result<Self> {
        let signer: PrivateKeySigner = private_key
            .trim()
            .parse()
            .map_err(|_| refuse(&dir.join(name), "the private key must be 64 hexadecimal digits"))?;
        Self::store(signer, dir, name, password)
    }

    /// A wallet of a bare private key, which is stored nowhere.
    ///
    /// # Errors
    /// [`Error::Sign`] when the number is no key.
    pub fn from_key(private_key: &B256) -> Result<Self> {
        PrivateKeySigner::from_bytes(private_key)
            .map(Self)
            .map_err(|error| Error::Sign(alloy::signers::Error::other(error)))
    }

    /// A new random key, which is stored nowhere.
    pub fn random() -> Self {
        Self(PrivateKeySigner::random())
    }

    fn store(signer: PrivateKeySigner, dir: &Path, name: &str, password: &str) -> Result<Self> {
        let path = dir.join(name);
        if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\']) {
            return Err(refuse(&path, "a wallet's name is a plain file name"));
        }
        if path.exists() {
            return Err(refuse(&path, "a wallet of that name exists already; choose another name"));
        }
        let io = |error: std::io::Error| refuse(&path, &format!("it cannot be written ({error})"));
        // Written under a hidden name first, so that a crash leaves no half keystore behind.
        let draft = format!(".{name}.new");
        fs::create_dir_all(dir).map_err(io)?;
        PrivateKeySigner::encrypt_keystore(dir, &mut OsRng, signer.to_bytes(), password, Some(&draft))
            .map_err(|error| refuse(&path, &format!("it cannot be written ({error})")))?;
        let draft = dir.join(draft);
        let text = fs::read_to_string(&draft).map_err(io)?;
        let mut document: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| refuse(&path, &error.to_string()))?;
        document["address"] = format!("{:x}", signer.address()).into();
        fs::write(&draft, document.to_string()).map_err(io)?;
        restrict(&draft).map_err(io)?;
        fs::rename(&draft, &path).map_err(io)?;
        Ok(Self(signer))
    }

    /// The keystores of a folder, by name. A folder that does not exist has none.
    ///
    /// # Errors
    /// [`Error::Keystore`] when the folder cannot be read.
    pub fn list(dir: &Path) -> Result<Vec<WalletFile>> {
        if !dir.exists() {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for entry in fs::read_dir(dir).map_err(|error| refuse(dir, &error.to_string()))? {
            let path = entry.map_err(|error| refuse(dir, &error.to_string()))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with('.') || !path.is_file() {
                continue;
            }
            let Ok(text) = fs::read_to_string(&path) else { continue };
            let Ok(document) = serde_json::from_str::<serde_json::Value>(&text) else { continue };
            if document.get("crypto").is_none() && document.get("Crypto").is_none() {
                continue;
            }
            let address = document["address"].as_str().and_then(|text| text.parse().ok());
            found.push(WalletFile { name, path, address });
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// The address.
    pub const fn address(&self) -> Address {
        self.0.address()
    }

    /// The signer, for messages that are no transactions.
    pub const fn signer(&self) -> &PrivateKeySigner {
        &self.0
    }
}

impl fmt::Debug for Wallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Wallet").field(&self.address()).finish()
    }
}

fn refuse(path: &Path, reason: &str) -> Error {
    Error::Keystore { path: path.to_owned(), reason: reason.to_owned() }
}

/// Leaves the file to its owner alone.
fn restrict(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(())
}
