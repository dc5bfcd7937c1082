//! Several stores at once: every write goes to all that take writes, every read to the first that answers right.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::try_join_all;
use parity_protocol::Link;

use super::{DynStore, Store, check_size};
use crate::{Error, Result};

/// Stores in the order in which they are asked.
pub struct Many {
    stores: Vec<DynStore>,
}

impl Many {
    /// Combines `stores`; put the nearest first.
    pub fn new(stores: Vec<DynStore>) -> Self {
        Self { stores }
    }

    fn writable(&self) -> Result<impl Iterator<Item = &DynStore>> {
        if !self.is_writable() {
            return Err(Error::ReadOnly { place: format!("{self:?}") });
        }
        Ok(self.stores.iter().filter(|store| store.is_writable()))
    }
}

impl fmt::Debug for Many {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.stores).finish()
    }
}

#[async_trait]
impl Store for Many {
    /// Succeeds once every store that takes writes has the block: a copy that was asked for and is missing would be found
    /// out only when it is needed.
    async fn put_block(&self, codec: u64, block: Bytes) -> Result<Link> {
        check_size(block.len())?;
        try_join_all(self.writable()?.map(|store| store.put_block(codec, block.clone()))).await?;
        Ok(Link::of_block(codec, &block))
    }

    /// When no store has the right bytes, the error says what to hope for: unavailable before corrupt before not found.
    async fn get_block(&self, link: &Link) -> Result<Bytes> {
        let mut worst: Option<Error> = None;
        for store in &self.stores {
            match store.get_block(link).await {
                Ok(block) => return Ok(block),
                Err(error) => {
                    tracing::debug!(%link, %error, "asking the next store");
                    if worst.as_ref().is_none_or(|known| hope(known) < hope(&error)) {
                        worst = Some(error);
                    }
                }
            }
        }
        Err(worst.unwrap_or_else(|| Error::NotFound { link: *link, place: "an empty list of stores".to_owned() }))
    }

    async fn has_block(&self, link: &Link) -> Result<bool> {
        let mut failure = None;
        for store in &self.stores {
            match store.has_block(link).await {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(false), Err)
    }

    async fn keep(&self, root: &Link) -> Result<()> {
        try_join_all(self.writable()?.map(|store| store.keep(root))).await?;
        Ok(())
    }

    fn is_writable(&self) -> bool {
        self.stores.iter().any(|store| store.is_writable())
    }
}

/// How much asking again could help.
fn hope(error: &Error) -> u8 {
    match error {
        Error::NotFound { .. } => 0,
        Error::Corrupt { .. } => 1,
        Error::Unavailable { .. } => 3,
        _ => 2,
    }
}
