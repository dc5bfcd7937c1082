//! What an operator says it can do: the bits of `Operators.capabilities`.

/// Trains in federated sessions.
pub const TRAIN: u64 = 1;
/// Proposes and attests aggregates.
pub const KEEP: u64 = 1 << 1;
/// Has a CUDA device it lends to trainers.
pub const CUDA: u64 = 1 << 2;
