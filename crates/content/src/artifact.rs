//! Artifacts: stored bytes, plain or sealed, as manifests speak of them.

use bytes::Bytes;
use parity_protocol::{B256, manifest::Artifact};

use crate::{
    Error, Result, SealingKey, Store,
    get::get_bytes,
    put::{put_bytes, put_leaves},
    seal::{
        ContentKey,
        body::{self, Encryption},
        envelope,
    },
    task::blocking,
};

/// Stores bytes that only `recipients` (X25519 public keys) can read, bound to `context`; without recipients the bytes are
/// stored plain. A recipient named twice gets one envelope.
///
/// # Errors
/// [`Error::Recipient`] when a key is unusable, else what the store answers.
///
/// # Panics
/// When the operating system has no randomness.
pub async fn put_sealed(store: &dyn Store, plain: Bytes, recipients: &[B256], context: &[u8]) -> Result<Artifact> {
    if recipients.is_empty() {
        let file = put_bytes(store, plain).await?;
        return Ok(Artifact { link: file.link, bytes: file.bytes, envelopes: Vec::new() });
    }
    let key = ContentKey::new(rand::random());
    let mut envelopes = Vec::with_capacity(recipients.len());
    for (index, recipient) in recipients.iter().enumerate() {
        if !recipients[..index].contains(recipient) {
            envelopes.push(envelope::wrap(&key, *recipient, context)?);
        }
    }
    let encryption = Encryption::new(plain, key);
    let total = encryption.body_bytes();
    let file = put_leaves(store, total, move |index| Ok(encryption.leaf(index).into()), |_| {}).await?;
    Ok(Artifact { link: file.link, bytes: file.bytes, envelopes })
}

/// The bytes of an artifact, at most `limit` of them after opening; `key` and `context` matter only for sealed ones.
///
/// # Errors
/// [`Error::NotRecipient`] when the bytes are sealed to others, [`Error::Unseal`] when they do not open in this context,
/// [`Error::Malformed`] when their number is not the announced one, else as [`get_bytes`].
pub async fn get_artifact(
    store: &dyn Store,
    artifact: &Artifact,
    key: Option<&SealingKey>,
    context: &[u8],
    limit: u64,
) -> Result<Bytes> {
    let link = artifact.link;
    let content_key = if artifact.envelopes.is_empty() { None } else { Some(open(artifact, key, context)?) };
    let stored_limit = if content_key.is_some() { body::sealed_bytes(limit) } else { limit };
    let bytes = get_bytes(store, &link, stored_limit).await?;
    if bytes.len() as u64 != artifact.bytes {
        return Err(Error::Malformed { link, reason: "it has another size than its manifest announced" });
    }
    match content_key {
        None => Ok(bytes),
        Some(content_key) => {
            let opened =
                blocking(move || body::decrypt(&bytes, &content_key).map_err(|reason| Error::Unseal { link, reason }));
            Ok(opened.await?.into())
        }
    }
}

fn open(artifact: &Artifact, key: Option<&SealingKey>, context: &[u8]) -> Result<ContentKey> {
    let link = artifact.link;
    let not_recipient = || Error::NotRecipient { link, recipients: artifact.envelopes.len() };
    let key = key.ok_or_else(not_recipient)?;
    let mut own = artifact.envelopes.iter().filter(|envelope| envelope.recipient == key.public()).peekable();
    own.peek().ok_or_else(not_recipient)?;
    let reason = "its envelope was changed or made for another purpose";
    own.find_map(|envelope| envelope::unwrap(envelope, key, context)).ok_or(Error::Unseal { link, reason })
}
