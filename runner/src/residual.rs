//! A seat's update made smaller, with what its earlier updates left out.
//!
//! The residual is taken from the seat's newest update under the same holder that a final round may have received: a void round
//! is trained again from the same model, so what it left out is not taken up. Nothing but the chain and the disk decides, so the
//! same round gives the same bytes however often it is done. A residual that is lost or damaged counts as 0.

use parity_learning::{
    compress, model,
    round::{check_update, weights_limit},
    tensors::Tensors,
    weights::Weights,
};
use parity_protocol::spec::SessionSpec;

use crate::{
    inputs::Start,
    journal::{Journal, RoundKey},
    trouble::{Result, Trouble},
};

/// Where the residual of a seat lies, and which rounds it may come from.
#[derive(Clone, Debug)]
pub(crate) struct Residual {
    pub(crate) journal: Journal,
    /// The round that is trained.
    pub(crate) key: RoundKey,
    /// First round of the present holder.
    pub(crate) joined: u16,
    /// Last round it posted in; 0 for none.
    pub(crate) last: u16,
}

/// What a compressed update leaves out, and from which round on earlier residuals may still be asked for.
#[derive(Debug)]
pub(crate) struct Rest {
    tensors: Tensors,
    oldest: u16,
}

impl Residual {
    /// The bytes to post for the new weights, and what they leave out. Blocking.
    pub(crate) fn compress(
        &self,
        spec: &SessionSpec,
        start: &Start,
        weights: Vec<u8>,
    ) -> Result<(Vec<u8>, Option<Rest>)> {
        let Weights::Tensors(previous) = &start.model else { return Ok((weights, None)) };
        if spec.compression.is_none() {
            return Ok((weights, None));
        }
        let update = Tensors::from_bytes(&weights, weights_limit(spec))?;
        let (oldest, residual) = self.take_up(spec, start.round)?;
        let (bytes, left) = compress::encode(spec.compression, previous, &update, residual.as_ref())?;
        if let Err(reason) = check_update(spec, previous, &bytes) {
            return Err(Trouble::Hopeless(format!("the compressed update would be dropped: {reason}")));
        }
        Ok((bytes, left.map(|tensors| Rest { tensors, oldest })))
    }

    /// Puts what an update left out on disk. Blocking.
    pub(crate) fn keep(&self, rest: &Rest) -> Result<()> {
        Ok(self.journal.record_residual(self.key, &rest.tensors.to_bytes(), rest.oldest)?)
    }

    /// The residual to add, and the oldest round whose residual a repetition of this one may ask for.
    fn take_up(&self, spec: &SessionSpec, last_final: u16) -> Result<(u16, Option<Tensors>)> {
        let Some((round, bytes)) = self.journal.residual(self.key, self.joined..=self.last.min(last_final))? else {
            return Ok((self.joined, None));
        };
        let read = Tensors::from_bytes(&bytes, weights_limit(spec)).and_then(|residual| {
            model::check_shapes(&model::shapes(spec), &residual)?;
            Ok(residual)
        });
        match read {
            Ok(residual) if residual.not_finite().is_none() => Ok((round, Some(residual))),
            _ => {
                tracing::warn!(left_in = round, "what an earlier update left out is damaged; it is not sent");
                Ok((round, None))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use parity_protocol::compression::Compression;

    use super::*;
    use crate::testing::spec;

    fn residual(folder: &std::path::Path, round: u16, joined: u16, last: u16) -> Residual {
        let key = RoundKey { session: 1, round, seat: 0 };
        Residual { journal: Journal::new(folder, "local"), key, joined, last }
    }

    fn compressed() -> SessionSpec {
        SessionSpec { compression: Compression::Largest { share: 0.3 }, ..spec() }
    }

    /// The starting model of a round, and what a training makes of it.
    fn start(round: u16) -> (Start, Vec<u8>) {
        let model = model::initial(&spec());
        let mut trained = model.clone();
        let places = trained.0.values_mut().flat_map(|tensor| &mut tensor.data);
        places.zip(1_u8..).for_each(|(value, place)| *value += f32::from(place));
        (Start { round, model: Weights::Tensors(model), correction: None }, trained.to_bytes())
    }

    #[test]
    fn an_update_repeated_from_the_same_residual_has_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let (first, trained) = start(0);
        let (bytes, rest) = residual(folder.path(), 1, 1, 0).compress(&compressed(), &first, trained.clone()).unwrap();
        residual(folder.path(), 1, 1, 0).keep(&rest.unwrap()).unwrap();
        let second = |last, round| {
            let (bytes, rest) =
                residual(folder.path(), 2, 1, last).compress(&compressed(), &start(round).0, trained.clone()).unwrap();
            (bytes, rest.unwrap())
        };
        let (taken_up, rest) = second(1, 1);
        assert_ne!(taken_up, bytes);
        residual(folder.path(), 2, 1, 1).keep(&rest).unwrap();
        assert_eq!(second(1, 1).0, taken_up);
        // A void first round is as good as none, and so is a residual of another holder.
        assert_eq!(second(1, 0).0, bytes);
        let other = residual(folder.path(), 3, 3, 0).compress(&compressed(), &start(2).0, trained.clone()).unwrap();
        assert_eq!(other.0, bytes);
    }

    #[test]
    fn a_damaged_residual_counts_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let (first, trained) = start(0);
        let (bytes, _) = residual(folder.path(), 1, 1, 0).compress(&compressed(), &first, trained.clone()).unwrap();
        for damage in [&b"half a fi"[..], &Tensors::default().to_bytes()] {
            let second = residual(folder.path(), 2, 1, 1);
            second.journal.record_residual(RoundKey { round: 1, ..second.key }, damage, 0).unwrap();
            assert_eq!(second.compress(&compressed(), &start(1).0, trained.clone()).unwrap().0, bytes);
        }
    }

    #[test]
    fn nothing_changes_and_nothing_is_left_without_compression() {
        let folder = tempfile::tempdir().unwrap();
        let (first, trained) = start(0);
        let (bytes, rest) = residual(folder.path(), 1, 1, 0).compress(&spec(), &first, trained.clone()).unwrap();
        assert!(bytes == trained && rest.is_none());
    }
}
