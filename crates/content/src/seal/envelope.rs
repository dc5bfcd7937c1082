//! The content key wrapped to one recipient: HPKE base mode (RFC 9180), DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
//! ChaCha20-Poly1305. The context is HPKE's `info`.

use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable, aead::ChaCha20Poly1305, kdf::HkdfSha256, kem::X25519HkdfSha256,
};
use parity_protocol::{B256, manifest::Envelope};
use zeroize::{Zeroize, Zeroizing};

use super::{ContentKey, SealingKey};
use crate::{Error, Result};

type Public = <X25519HkdfSha256 as Kem>::PublicKey;
type Encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey;

/// Wraps `key` to `recipient`.
///
/// # Errors
/// [`Error::Recipient`] when the recipient is no usable public key, such as a point of low order.
pub(crate) fn wrap(key: &ContentKey, recipient: B256, context: &[u8]) -> Result<Envelope> {
    let refuse = |_| Error::Recipient { key: recipient };
    let public = Public::from_bytes(recipient.as_slice()).map_err(refuse)?;
    let (encapsulated, sealed_key) = hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &public,
        context,
        &**key,
        b"",
    )
    .map_err(refuse)?;
    Ok(Envelope { recipient, encapsulated: B256::from_slice(&encapsulated.to_bytes()), sealed_key })
}

/// Unwraps the content key; none when the envelope was made for another key or context, or was changed.
pub(crate) fn unwrap(envelope: &Envelope, key: &SealingKey, context: &[u8]) -> Option<ContentKey> {
    let encapsulated = Encapsulated::from_bytes(envelope.encapsulated.as_slice()).ok()?;
    let mut opened = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        key.secret(),
        &encapsulated,
        context,
        &envelope.sealed_key,
        b"",
    )
    .ok()?;
    let content_key = <[u8; 32]>::try_from(opened.as_slice()).map(Zeroizing::new).ok();
    opened.zeroize();
    content_key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_key_in_the_right_context_unwraps() {
        let (key, other) = (SealingKey::generate(), SealingKey::generate());
        let content_key = Zeroizing::new([7; 32]);
        let envelope = wrap(&content_key, key.public(), b"here").unwrap();
        assert_eq!(unwrap(&envelope, &key, b"here"), Some(content_key));
        assert_eq!(unwrap(&envelope, &other, b"here"), None);
        assert_eq!(unwrap(&envelope, &key, b"there"), None);
    }

    #[test]
    fn any_changed_byte_of_an_envelope_is_noticed() {
        let key = SealingKey::generate();
        let envelope = wrap(&Zeroizing::new([7; 32]), key.public(), b"").unwrap();
        for at in 0..envelope.sealed_key.len() {
            let mut changed = envelope.clone();
            changed.sealed_key[at] ^= 1;
            assert_eq!(unwrap(&changed, &key, b""), None);
        }
        let mut changed = envelope;
        changed.encapsulated[3] ^= 1;
        assert_eq!(unwrap(&changed, &key, b""), None);
    }

    #[test]
    fn a_point_of_low_order_is_no_recipient() {
        let refused = wrap(&Zeroizing::new([7; 32]), B256::ZERO, b"");
        assert!(matches!(refused, Err(Error::Recipient { .. })));
    }
}
