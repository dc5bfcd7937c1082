//! Updates in fewer bytes: 8-bit steps, or only the largest changes, with what was lost carried to the next round.
//!
//! What is sent is the change `d = update - previous` plus the seat's residual `e` of earlier rounds; the new residual is what the
//! receiver does not get, `e' = d + e - decoded` (error feedback, Karimireddy et al. 2019, algorithm 1). Names and shapes are
//! those of the previous model and are not repeated.
//!
//! Bytes: version `1`, method (`1` steps, `2` largest), then every tensor in name order. Steps: the size of a step (f32) and one
//! signed byte per value, -127 to 127. Largest: their number (u32), their places ascending (u32 each), their values (f32 each,
//! finite, not 0). Integers and floats are little-endian. Only one file decodes to the same content: the reader refuses steps of
//! a negative size or of 0 with values, the byte -128, a largest step below 127, places out of order, more places than the
//! share allows and bytes left over.
//!
//! A residual is a seat's own affair. One that is lost, or does not fit the model, is taken as 0: the update is valid all the
//! same, and what the lost residual held is not sent again.

use parity_protocol::{compression::Compression, spec::SessionSpec};

use crate::{
    Error, Result,
    aggregate::zip,
    model, round,
    tensors::{Tensor, Tensors},
};

const VERSION: u8 = 1;
const STEPS: u8 = 1;
const LARGEST: u8 = 2;
/// Most steps in one direction.
const MOST: f64 = 127.0;

/// Most bytes that a compressed update of a spec can have.
pub fn limit(spec: &SessionSpec) -> usize {
    let bytes = |part: &dyn Fn(usize) -> usize| {
        let lengths = model::shapes(spec).into_values().map(|shape| shape.iter().product());
        2 + lengths.map(|length| 4 + part(length)).sum::<usize>()
    };
    match spec.compression {
        Compression::None {} => round::weights_limit(spec),
        Compression::Steps {} => bytes(&|length| length),
        Compression::Largest { share } => bytes(&|length| 8 * counted(share, length)),
    }
}

/// The bytes of an update and the residual for the next one; without compression the update as safetensors, and none.
/// `residual` is that of the seat's last update, none for the first.
///
/// # Errors
/// [`Error::Aggregate`] when names or shapes differ, [`Error::Tensors`] when a change is not finite or the share is out of range.
pub fn encode(
    compression: Compression,
    previous: &Tensors,
    update: &Tensors,
    residual: Option<&Tensors>,
) -> Result<(Vec<u8>, Option<Tensors>)> {
    crate::aggregate::same_shape(previous, update)?;
    let mut change = zip(previous, update, |from, to| to - from);
    if let Some(residual) = residual {
        crate::aggregate::same_shape(previous, residual)?;
        change = zip(&change, residual, |change, residual| change + residual);
    }
    if let Some(name) = change.not_finite() {
        return Err(Error::Tensors(format!("the change of '{name}' is not finite; train with a smaller step size")));
    }
    let mut bytes = vec![VERSION];
    match compression {
        Compression::None {} => return Ok((update.to_bytes(), None)),
        Compression::Steps {} => {
            bytes.push(STEPS);
            change.0.values().for_each(|tensor| write_steps(tensor, &mut bytes));
        }
        Compression::Largest { share } if share > 0.0 && share <= 1.0 => {
            bytes.push(LARGEST);
            change.0.values().try_for_each(|tensor| write_largest(tensor, share, &mut bytes))?;
        }
        Compression::Largest { share } => {
            return Err(Error::Tensors(format!("the share of values to send is {share}, expected above 0, at most 1")));
        }
    }
    let received = read(compression, &bytes, previous)?;
    Ok((bytes, Some(zip(&change, &received, |change, received| change - received))))
}

/// The update that the bytes stand for: the previous model and what they change; without compression the tensors of the file,
/// whatever their shapes.
///
/// # Errors
/// [`Error::Tensors`] when the bytes are not canonical, not of this model's shape or compressed in another way. No more memory is
/// used than for the model.
pub fn decode(compression: Compression, bytes: &[u8], previous: &Tensors) -> Result<Tensors> {
    match compression {
        Compression::None {} => Tensors::from_bytes(bytes, round::file_limit(previous.values())),
        _ => Ok(zip(previous, &read(compression, bytes, previous)?, |from, change| from + change)),
    }
}

fn write_steps(tensor: &Tensor, bytes: &mut Vec<u8>) {
    let largest = tensor.data.iter().fold(0.0_f64, |largest, value| largest.max(f64::from(*value).abs()));
    let step = narrow(largest / MOST);
    bytes.extend(step.to_le_bytes());
    bytes.extend(tensor.data.iter().flat_map(|value| steps(f64::from(*value), f64::from(step)).to_le_bytes()));
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to -127..=127 before")]
fn steps(value: f64, step: f64) -> i8 {
    if step > 0.0 { (value / step).round_ties_even().clamp(-MOST, MOST) as i8 } else { 0 }
}

#[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is wanted")]
fn narrow(value: f64) -> f32 {
    value as f32
}

fn write_largest(tensor: &Tensor, share: f64, bytes: &mut Vec<u8>) -> Result<()> {
    let length = u32::try_from(tensor.data.len()).map_err(|_| {
        Error::Tensors(format!("a tensor of {} values, at most 2^32 can be numbered", tensor.data.len()))
    })?;
    let mut places: Vec<u32> = (0..length).collect();
    let value = |place: u32| tensor.data.get(usize::try_from(place).unwrap_or(usize::MAX)).copied().unwrap_or(0.0);
    // The larger first, of equals the earlier.
    let order = |a: &u32, b: &u32| value(*b).abs().total_cmp(&value(*a).abs()).then(a.cmp(b));
    let count = counted(share, places.len());
    if count < places.len() && count > 0 {
        places.select_nth_unstable_by(count, order);
        places.truncate(count);
    }
    places.retain(|place| value(*place) != 0.0);
    places.sort_unstable();
    bytes.extend(u32::try_from(places.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend(places.iter().flat_map(|place| place.to_le_bytes()));
    bytes.extend(places.iter().flat_map(|place| value(*place).to_le_bytes()));
    Ok(())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to the number of values")]
#[expect(clippy::cast_precision_loss, reason = "places are numbered by 32 bits")]
fn counted(share: f64, length: usize) -> usize {
    (share * length as f64).ceil() as usize
}

/// The changes that the bytes stand for.
fn read(compression: Compression, bytes: &[u8], previous: &Tensors) -> Result<Tensors> {
    let mut rest = bytes;
    let [version, method] = take::<2>(&mut rest)?;
    let (expected, share) = match compression {
        Compression::Largest { share } => (LARGEST, share),
        _ => (STEPS, 1.0),
    };
    if version != VERSION || method != expected {
        return Err(refuse(format!(
            "version {version}, method {method}; expected version {VERSION}, method {expected}"
        )));
    }
    let mut change = Tensors::default();
    for (name, tensor) in &previous.0 {
        let length = tensor.data.len();
        let data = match method {
            STEPS => read_steps(&mut rest, length),
            _ => read_largest(&mut rest, length, counted(share, length)),
        };
        let data = data.map_err(|reason| refuse(format!("'{name}': {reason}")))?;
        change.0.insert(name.clone(), Tensor { shape: tensor.shape.clone(), data });
    }
    if rest.is_empty() { Ok(change) } else { Err(refuse(format!("{} bytes are left over", rest.len()))) }
}

fn read_steps(rest: &mut &[u8], length: usize) -> Result<Vec<f32>> {
    let step = f32::from_le_bytes(take(rest)?);
    let values = take_slice(rest, length)?;
    if !step.is_finite() || step.is_sign_negative() {
        return Err(refuse(format!("a step of {step}")));
    }
    let largest = values.iter().map(|byte| byte.cast_signed().unsigned_abs()).max().unwrap_or(0);
    let right = if step > 0.0 { largest == 127 } else { largest == 0 };
    // Of a subnormal step the largest change need not be 127 steps.
    if largest == 128 || !(right || (step > 0.0 && step < f32::MIN_POSITIVE)) {
        return Err(refuse(format!("the largest change has {largest} steps of {step}")));
    }
    Ok(values.iter().map(|byte| narrow(f64::from(byte.cast_signed()) * f64::from(step))).collect())
}

fn read_largest(rest: &mut &[u8], length: usize, most: usize) -> Result<Vec<f32>> {
    let count = usize::try_from(u32::from_le_bytes(take(rest)?)).unwrap_or(usize::MAX);
    if count > most.min(length) {
        return Err(refuse(format!("{count} places in a tensor of {length}, at most {most} are allowed")));
    }
    let (places, values) = (take_slice(rest, 4 * count)?, take_slice(rest, 4 * count)?);
    let mut data = vec![0.0; length];
    let mut next = 0;
    for (place, value) in places.as_chunks::<4>().0.iter().zip(values.as_chunks::<4>().0) {
        let place = usize::try_from(u32::from_le_bytes(*place)).unwrap_or(usize::MAX);
        let value = f32::from_le_bytes(*value);
        if place < next || place >= length || !value.is_finite() || value == 0.0 {
            return Err(refuse(format!("place {place} with value {value} of {length}, after place {next}")));
        }
        data[place] = value;
        next = place + 1;
    }
    Ok(data)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or_else(|| refuse("the bytes end too early".into()))?;
    *rest = tail;
    Ok(*head)
}

fn take_slice<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(length).ok_or_else(|| refuse("the bytes end too early".into()))?;
    *rest = tail;
    Ok(head)
}

fn refuse(reason: String) -> Error {
    Error::Tensors(format!("compressed update: {reason}"))
}

#[cfg(test)]
mod tests;
