//! Stores as they are written in a configuration: `folder:/path`, `kubo:http://…`, `gateway:http://…`.

use std::{path::Path, sync::Arc};

use super::{DynStore, Folder, Gateway, Kubo, Many};
use crate::{Error, Result};

/// Opens the stores named by `locations`; with several, writes go to all that take writes, reads to the first that answers
/// right, in this order.
///
/// | location | store |
/// |---|---|
/// | `folder:/path/to/blocks` | local folder, created if missing |
/// | `kubo:http://127.0.0.1:5001` | RPC of a Kubo node |
/// | `gateway:https://trustless-gateway.link` | trustless gateway, read only |
///
/// # Errors
/// [`Error::Location`] when the list is empty or an entry names no store, [`Error::Io`] when a folder cannot be created.
pub fn open(locations: &[String]) -> Result<DynStore> {
    match locations {
        [] => Err(Error::Location { text: String::new(), reason: format!("no store is given; {HINT}") }),
        [location] => open_one(location),
        several => {
            let stores = several.iter().map(|location| open_one(location)).collect::<Result<_>>()?;
            Ok(Arc::new(Many::new(stores)))
        }
    }
}

const HINT: &str = "write folder:/path, kubo:http://host:5001 or gateway:https://host";

fn open_one(location: &str) -> Result<DynStore> {
    let refuse = || Error::Location { text: location.to_owned(), reason: HINT.to_owned() };
    let (kind, rest) = location.split_once(':').filter(|(_, rest)| !rest.is_empty()).ok_or_else(refuse)?;
    Ok(match kind {
        "folder" => Arc::new(Folder::open(Path::new(rest))?),
        "kubo" => Arc::new(Kubo::new(rest)?),
        "gateway" => Arc::new(Gateway::new(rest)?),
        _ => return Err(refuse()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_that_names_no_store_is_refused_with_a_hint() {
        for text in
            ["", "folder:", "/tmp/blocks", "http://127.0.0.1:5001", "kubo:127.0.0.1", "kubo:ftp://host", "ipfs:x"]
        {
            let error = open(&[text.to_owned()]).unwrap_err();
            assert!(matches!(error, Error::Location { .. }), "{text}: {error}");
            assert!(error.to_string().contains("write "), "{error}");
        }
        assert!(open(&[]).unwrap_err().to_string().contains("folder:/path"));
    }

    #[test]
    fn every_kind_of_store_opens_without_being_asked_anything() {
        let folder = tempfile::tempdir().unwrap();
        let folder = format!("folder:{}", folder.path().join("deep/blocks").display());
        let locations = [folder, "kubo:http://127.0.0.1:1".to_owned(), "gateway:http://127.0.0.1:1/sub".to_owned()];
        assert!(open(&locations).unwrap().is_writable());
        assert!(!open(&locations[2..]).unwrap().is_writable());
    }
}
