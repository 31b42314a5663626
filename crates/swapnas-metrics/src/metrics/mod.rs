//! The metrics, one in each file.

mod attention_confidence;
mod attention_importance;
mod az_expressivity;
mod az_progressivity;
mod az_trainability;
mod blocks;
mod depth;
mod dss;
mod epe_nas;
mod fisher;
#[cfg(test)]
mod fixtures;
mod flops;
mod grad_norm;
mod gradsign;
mod grasp;
mod jacov;
mod l2_norm;
mod linear_regions;
mod live_params;
mod logsynflow;
mod macs;
mod meco;
mod nsc;
mod ntk;
mod nwot;
mod params;
mod plain;
mod snip;
mod standard_patterns;
mod swap;
mod swap_plus;
mod swap_reg;
mod synflow;
mod units;
mod vkdnw;
mod w_pca;
mod zen;
mod zico;

pub use swap_reg::rounded;
pub(crate) use swap_reg::{fitting, regularisation};

use crate::{Definition, Named};

/// All metrics, in the order in which they are listed. A new one is added here.
static METRICS: [&Definition; 37] = [
    &swap::SWAP,
    &swap_reg::SWAP_REG,
    &swap_plus::SWAP_PLUS,
    &standard_patterns::STANDARD_PATTERNS,
    &nwot::NWOT,
    &plain::PLAIN,
    &grad_norm::GRAD_NORM,
    &snip::SNIP,
    &grasp::GRASP,
    &fisher::FISHER,
    &l2_norm::L2_NORM,
    &synflow::SYNFLOW,
    &logsynflow::LOGSYNFLOW,
    &jacov::JACOV,
    &epe_nas::EPE_NAS,
    &zico::ZICO,
    &gradsign::GRADSIGN,
    &zen::ZEN,
    &ntk::NTK,
    &linear_regions::LINEAR_REGIONS,
    &meco::MECO,
    &az_expressivity::AZ_EXPRESSIVITY,
    &az_progressivity::AZ_PROGRESSIVITY,
    &az_trainability::AZ_TRAINABILITY,
    &vkdnw::VKDNW,
    &dss::DSS,
    &attention_confidence::ATTENTION_CONFIDENCE,
    &attention_importance::ATTENTION_IMPORTANCE,
    &w_pca::W_PCA,
    &nsc::NSC,
    &params::PARAMS,
    &live_params::LIVE_PARAMS,
    &macs::MACS,
    &flops::FLOPS,
    &units::UNITS,
    &depth::DEPTH,
    &blocks::BLOCKS,
];

/// All metrics.
pub fn all() -> &'static [&'static Definition] {
    &METRICS
}

/// Whether a list of metrics means something else by this name than a metric of one's own.
pub(crate) fn is_name(name: &str) -> bool {
    let listed = METRICS.iter().map(|definition| definition.name);
    listed
        .chain(Named::ALL.iter().map(|named| named.name))
        .chain(["all", "rank", "logrank"])
        .any(|known| known == name)
}
