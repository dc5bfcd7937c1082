//! From posted digests to checked content: fetches what runners posted and says of each update what became of it.
//!
//! Bytes that are wrong in themselves are rejected at once, because everyone who fetches them finds the same. Bytes that no
//! store has are waited for; only when the caller's patience is over they are rejected too. A store that does not answer
//! proves nothing, so it is an error, never a rejection.

use futures::{StreamExt, stream};
use parity_content::{SealingKey, Store, get_artifact, get_manifest};
use parity_learning::round::{UpdateContent, UpdateInput};
use parity_protocol::{
    B256,
    manifest::{Rejection, UpdateManifest},
};

use crate::{
    error::{Error, Result},
    history::PostedUpdate,
};

/// Updates fetched at the same time.
const CONCURRENT: usize = 16;

/// What is the same for all updates of a round.
#[derive(Clone, Copy, Debug)]
pub struct Fetch<'a> {
    /// Where content lies.
    pub store: &'a dyn Store,
    /// The key that sealed updates are opened with.
    pub key: Option<&'a SealingKey>,
    /// Digest of the session spec: binds sealed bytes to the session.
    pub spec: B256,
    /// Most bytes of a weights file.
    pub limit: u64,
    /// Round.
    pub round: u16,
    /// Whether content that no store has is given up.
    pub patience_over: bool,
    /// Whether runners knew of this keeper when the round began, so that not being among the recipients is their fault.
    pub surely_recipient: bool,
}

enum Fetched {
    Content(Box<UpdateContent>),
    Rejected(Rejection),
    /// Nobody has (the right) bytes so far; what to record if it stays so.
    Missing(Rejection),
    NotForUs,
}

impl Fetch<'_> {
    /// The content of every update, or why it is rejected, in the order given.
    ///
    /// # Errors
    /// [`Error::NotYet`] while content is missing and patience is not over, [`Error::Sealed`] when this keeper cannot judge the
    /// round, [`Error::Content`] when a store fails.
    pub async fn all(&self, posted: &[PostedUpdate]) -> Result<Vec<UpdateInput>> {
        let digests: Vec<B256> = posted.iter().map(|update| update.digest).collect();
        let fetching = stream::iter(digests).map(|digest| self.one(digest)).buffered(CONCURRENT);
        let fetched: Vec<Result<Fetched>> = fetching.collect().await;
        let fetched = fetched.into_iter().collect::<Result<Vec<_>>>()?;

        let missing = fetched.iter().filter(|update| matches!(update, Fetched::Missing(_))).count();
        if missing > 0 && !self.patience_over {
            return Err(Error::NotYet { round: self.round, missing });
        }
        let not_for_us = fetched.iter().filter(|update| matches!(update, Fetched::NotForUs)).count();
        let opened = fetched.iter().any(|update| matches!(update, Fetched::Content(_)));
        // One update sealed to nobody must not stop a round; but a keeper that nobody seals to has no say in it.
        if not_for_us > 0 && !(self.surely_recipient && opened) {
            return Err(Error::Sealed { round: self.round });
        }
        Ok((0..)
            .zip(posted.iter().zip(fetched))
            .map(|(place, (update, fetched))| input(place, update, fetched))
            .collect())
    }

    async fn one(&self, digest: B256) -> Result<Fetched> {
        let manifest: UpdateManifest = match get_manifest(self.store, digest).await {
            Ok(manifest) => manifest,
            Err(error) => return judge(error, "manifest", "fetch an update manifest"),
        };
        let context = [&b"parity/update/"[..], self.spec.as_slice()].concat();
        match get_artifact(self.store, &manifest.weights, self.key, &context, self.limit).await {
            Ok(weights) => Ok(Fetched::Content(Box::new(UpdateContent { manifest, weights }))),
            Err(error) => judge(error, "weights", "fetch the weights of an update"),
        }
    }
}

fn judge(error: parity_content::Error, part: &str, operation: &str) -> Result<Fetched> {
    if error.is_not_found() {
        return Ok(Fetched::Missing(Rejection::Unavailable));
    }
    if error.is_corrupt() {
        return Ok(Fetched::Missing(Rejection::WrongDigest));
    }
    if matches!(error, parity_content::Error::NotRecipient { .. }) {
        return Ok(Fetched::NotForUs);
    }
    if error.is_malformed() {
        return Ok(Fetched::Rejected(Rejection::Malformed { part: part.to_owned() }));
    }
    Err(Error::Content { operation: operation.to_owned(), source: Box::new(error) })
}

fn input(posted: u32, update: &PostedUpdate, fetched: Fetched) -> UpdateInput {
    let content = match fetched {
        Fetched::Content(content) => Ok(*content),
        Fetched::Rejected(reason) | Fetched::Missing(reason) => Err(reason),
        Fetched::NotForUs => Err(Rejection::Malformed { part: "weights".to_owned() }),
    };
    UpdateInput {
        operator: update.operator,
        seat: update.seat,
        digest: update.digest,
        samples: update.samples,
        posted,
        content,
    }
}
