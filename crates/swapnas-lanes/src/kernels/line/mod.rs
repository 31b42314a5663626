//! Operations along one dimension: softmax, normalisation of single samples, means; and functions of single elements
//! that are not applied by whoever reads them.
//!
//! Everything is written once, for [`Number`]s: lanes, or [`Dual`]s, lanes with their tangents, whose results are
//! the tangents of what would come of lanes. A slope is the tangent along a direction of 1.

mod function;
mod mean;
mod normalise;
mod number;
mod read;
mod softmax;

pub use function::{Function, apply, apply_gradient};
pub use mean::{mean, mean_gradient};
pub use normalise::{Normalisation, normalise, normalise_gradient, normalise_weights};
pub use number::{Dual, Number};
pub use read::{Beside, Constants, Lines, Read, Tangents};
pub use softmax::{softmax, softmax_gradient};

/// The dimension that is gone along: element i of line (o, j) is `(o * len + i) * inner + j`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Axis {
    /// Elements of the dimensions before it.
    pub outer: usize,
    /// Its own.
    pub len: usize,
    /// Elements of the dimensions behind it.
    pub inner: usize,
}

impl Axis {
    /// Elements of all dimensions.
    pub const fn elements(&self) -> usize {
        self.outer * self.len * self.inner
    }

    /// Number of lines.
    pub const fn lines(&self) -> usize {
        self.outer * self.inner
    }

    /// The first element of a line, of which the others follow in steps of `inner`.
    #[inline(always)]
    fn first(&self, line: usize) -> usize {
        line / self.inner * self.len * self.inner + line % self.inner
    }
}

/// Elements that are summed up before they go to the sum of all, which keeps rounding errors small.
const CHUNK: usize = 64;
