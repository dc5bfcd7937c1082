//! Linear models solved from sums: least squares in one round, softmax regression by Newton's method in about eight.
//!
//! Seats do not train. They tell sums over their rows ([`Sums`]: moments, or loss, gradient and second derivatives at the round's model),
//! and the aggregator solves with the sums of all ([`session`]). The objectives, and hence the coefficients, are those of scikit-learn's
//! `LinearRegression`, `Ridge` and `LogisticRegression` on the same standardised features.
//!
//! Invariant: the model after a round has the same bits however the rows are dealt to seats, in whatever order the updates come, with any
//! number of threads. Every row's terms are a function of the row and the model alone, integers add them exactly, and everything after
//! the sums runs in a fixed order with f64's basic operations and our own exponential.

mod coefficients;
mod derivatives;
mod double;
mod factor;
mod fixed;
mod job;
mod least_squares;
mod moments;
mod newton;
mod predict;
mod problem;
mod rows;
mod score;
pub mod session;
mod sums;

pub use coefficients::Coefficients;
pub use job::{do_job, is_job};
pub use predict::LinearPredictor;
pub use problem::Problem;
pub use sums::Sums;
