use swapnas_lanes::kernels::line::Number as _;
use swapnas_lanes::{Element, Lane, SAMPLES};

use super::run::{At, Kernels, Operand, Way};
use super::{TensorOp, TensorOperator, unfit};
use crate::magnitude::Magnitude;
use crate::{GraphError, Key, ParamId, Shape};

/// Rows of a table, `[row, feature]`, whose numbers are the elements. The result has a channel for each feature. A row
/// that the table has not makes no number, which is an error of the run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Embedding {
    /// The table.
    pub table: ParamId,
}

impl Embedding {
    /// The shape of what rows of so many features are for the numbers in an image.
    pub(crate) fn shape(input: Shape, rows: usize, features: usize) -> Result<Shape, GraphError> {
        if rows == 0 || features == 0 || input.channels != 1 {
            let expected = "a table with rows, and one channel of their numbers".to_owned();
            return Err(unfit("embedding", expected, input));
        }
        Ok(input.with_channels(features))
    }

    /// Adds the gradient of the table, of all samples together, to `out`: few of its rows are read, and none of the
    /// others is looked at.
    pub(crate) fn add_table<'a, E: Element, R: Operand<'a, E>>(input: &R, gradient: R, out: &mut [E]) {
        of_table(input, gradient, out.len(), |element, _, gradient| {
            out[element] = out[element] + gradient;
        });
    }
}

impl TensorOperator for Embedding {
    fn name(&self) -> &'static str {
        "embedding"
    }

    fn attributes(&self) -> Option<Key> {
        Some(Key::of(()))
    }

    fn params(&self) -> [Option<ParamId>; 2] {
        [Some(self.table), None]
    }

    fn with_params(&self, [weight, _]: [Option<ParamId>; 2]) -> Option<TensorOp> {
        Some(TensorOp::Embedding(Embedding { table: weight? }))
    }

    fn is_module(&self) -> bool {
        true
    }
}

impl<'a, E: Element, R: Operand<'a, E>> Kernels<'a, E, R> for Embedding {
    /// Where a row is asked for that there is not, there is no number, so they are looked at.
    fn magnitude(&self, _bounds: &[f64], _params: [&[E]; 2]) -> Magnitude {
        Magnitude::plain(f64::INFINITY)
    }

    fn forward(&self, at: At<'_, E>, inputs: &[R], out: &mut [Lane<E>]) {
        let table = at.params.numbers[0].expect("an embedding has a table");
        let rows = inputs[0].len();
        let Some(table_part) = R::of_param(table, at.params.directions[0]) else {
            return out.fill(Lane::ZERO);
        };
        let features = out.len() / rows;
        for row in 0..rows {
            let index = table_rows(inputs[0].at(row).value(), table.len() / features);
            for feature in 0..features {
                for (out, index) in out[feature * rows + row].0.iter_mut().zip(index) {
                    let number = index.map(|index| table_part[index * features + feature]);
                    *out = number.unwrap_or(E::from_f64(f64::NAN));
                }
            }
        }
    }

    /// Which row is read changes by leaps.
    fn backward(&self, _at: At<'_, E>, _way: Way<'_, R>, _out: &mut [Lane<E>]) {}

    fn of_params(&self, _at: At<'_, E>, inputs: &[R], gradient: R, found: &mut [Vec<Lane<E>>; 2]) {
        let table = &mut found[0];
        let len = table.len();
        of_table(&inputs[0], gradient, len, |element, sample, gradient| {
            let to = &mut table[element].0[sample];
            *to = *to + gradient;
        });
    }
}

/// Shows the gradient of each element of a table of that length that is read, for each sample that reads it.
fn of_table<'a, E: Element, R: Operand<'a, E>>(
    input: &R,
    gradient: R,
    len: usize,
    mut add: impl FnMut(usize, usize, E),
) {
    let Some(gradient) = gradient.moving() else { return };
    let rows = input.len();
    let features = gradient.len() / rows;
    for row in 0..rows {
        let index = table_rows(input.at(row).value(), len / features);
        for feature in 0..features {
            for (sample, index) in index.into_iter().enumerate() {
                let Some(index) = index else { continue };
                add(index * features + feature, sample, gradient[feature * rows + row].0[sample]);
            }
        }
    }
}

/// The rows of a table that the samples of an element ask for, if there are such rows.
fn table_rows<E: Element>(lane: Lane<E>, rows: usize) -> [Option<usize>; SAMPLES] {
    lane.0.map(|x| {
        let index = x.to_f64();
        (index.fract() == 0.0 && (0.0..rows as f64).contains(&index)).then_some(index as usize)
    })
}
