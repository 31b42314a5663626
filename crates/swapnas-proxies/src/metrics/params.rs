use crate::Evidence;
use crate::metric::{Definition, Direction, Needs, Undefined};

pub(super) static PARAMS: Definition = Definition {
    name: "params",
    summary: "number of parameters: the baseline that a metric has to beat",
    formula: "elements of all parameters of the network: weights, biases, scales and shifts",
    source: "common",
    direction: Direction::HigherIsBetter,
    needs: Needs::NONE,
    differences: "Benchmarks differ in whether they count auxiliary heads and parameters that cannot \
                  reach the output; here, every parameter of the network as it is scored counts.",
    arguments: &[],
    compute,
};

fn compute(evidence: &Evidence<'_>, _arguments: &[f64]) -> Result<f64, Undefined> {
    Ok(evidence.params() as f64)
}
