use crate::Evidence;
use crate::metric::{Definition, Direction, Needs, Undefined};

pub(super) static MACS: Definition = Definition {
    name: "macs",
    summary: "multiply-accumulate operations of one forward pass of one image",
    formula: "sum over convolutions of out * in / groups * kernel * pixels, and over linear layers of \
              out * in",
    source: "common",
    direction: Direction::HigherIsBetter,
    needs: Needs::NONE,
    differences: "What other tools call FLOPs may count each as two operations, and additions, \
                  normalisations and activations as well.",
    arguments: &[],
    compute,
};

fn compute(evidence: &Evidence<'_>, _arguments: &[f64]) -> Result<f64, Undefined> {
    Ok(evidence.macs() as f64)
}
