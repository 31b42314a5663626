//! The metrics, one in each file.

mod macs;
mod params;
mod standard_patterns;
mod swap;
mod swap_reg;

use crate::Definition;

/// All metrics, in the order in which they are listed. A new one is added here.
static METRICS: [&Definition; 5] =
    [&swap::SWAP, &swap_reg::SWAP_REG, &standard_patterns::STANDARD_PATTERNS, &params::PARAMS, &macs::MACS];

/// All metrics.
pub fn all() -> &'static [&'static Definition] {
    &METRICS
}
