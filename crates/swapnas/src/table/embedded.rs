//! The table that comes with the project.

use super::{Options, Table, TableError, from_bytes};

/// What messages call it.
const NAME: &str = "the built-in table";

/// The space of its architectures.
pub const EMBEDDED_SPACE: &str = "nb201";

/// Channels of the first stage, cells of each stage, and the sides of the images of its networks.
pub const EMBEDDED_NETWORK: [usize; 3] = [8, 1, 16];

/// What it is, in a sentence.
pub const EMBEDDED: &str = "100 networks of NAS-Bench-201 with 8 channels, trained by swapnas on drawn shapes of 16x16 \
    pixels: a synthetic task, which says little of others";

/// A table of architectures and accuracies to try everything on where there is no other: made by
/// `swapnas bench create`, as docs/benchmarks.md says.
///
/// # Errors
/// If the options ask for columns that it does not have.
pub fn embedded(options: &Options) -> Result<Table, TableError> {
    from_bytes(NAME, include_bytes!("shapes.csv").to_vec(), options)
}
