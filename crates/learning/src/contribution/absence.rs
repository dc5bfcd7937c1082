//! Scores where a seat's part can be left out of what all seats told: forests and exact methods.

use rayon::prelude::*;

use super::{MAX_SCORE, counted::first_of_equals, of_losses};
use crate::Result;

/// A score for every seat by its place among `files`, which stand beside the order of posting. Seats that tell what another told
/// earlier score 0. `loss` is that of the next model on the held-out rows, made of what the seats at some places told; without it, or where
/// nobody's absence would have done harm, all others score the same.
pub(crate) fn by_absence(
    files: &[(u32, &[u8])],
    loss: Option<impl Fn(&[usize]) -> Result<f64> + Sync>,
) -> Result<Vec<u32>> {
    let counted = first_of_equals(files);
    let places: Vec<usize> = (0..files.len()).filter(|place| counted[*place]).collect();
    let mut scores: Vec<u32> = counted.iter().map(|counted| if *counted { MAX_SCORE } else { 0 }).collect();
    let Some(loss) = loss.filter(|_| places.len() > 1) else { return Ok(scores) };
    let with = loss(&places)?;
    let without = places.par_iter().map(|place| {
        let others: Vec<usize> = places.iter().copied().filter(|other| other != place).collect();
        loss(&others)
    });
    if let Some(found) = of_losses(with, &without.collect::<Result<Vec<f64>>>()?) {
        places.into_iter().zip(found).for_each(|(place, score)| scores[place] = score);
    }
    Ok(scores)
}
