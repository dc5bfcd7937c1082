//! The crate against real file systems, a real Kubo node and services that misbehave.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod artifacts;
mod files;
mod folder;
mod gateway;
mod kubo;
mod many;
mod pattern;
mod vectors;
