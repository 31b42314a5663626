//! Elements brought into other dimensions by operators one after the other.

use super::File;
use super::message::{int, ints};
use crate::arrangement::{Arrangement, Side};
use crate::onnx::proto::Attribute;

/// Operators on a tensor whose first dimension is that of the samples.
pub(super) struct Chain {
    /// The dimensions behind it, as they have become.
    dims: Vec<usize>,
    steps: Vec<Step>,
}

struct Step {
    op: &'static str,
    /// What it reads besides.
    inputs: Vec<Beside>,
    attributes: Vec<Attribute>,
}

enum Beside {
    /// What has a name.
    Named(String),
    /// Whole numbers, which get one when they are read.
    Numbers { dims: Vec<usize>, numbers: Vec<i64> },
}

impl Beside {
    fn list(numbers: Vec<i64>) -> Self {
        Beside::Numbers { dims: vec![numbers.len()], numbers }
    }
}

impl Chain {
    pub(super) fn of(dims: impl Into<Vec<usize>>) -> Self {
        Chain { dims: dims.into(), steps: Vec::new() }
    }

    pub(super) fn push(&mut self, op: &'static str, inputs: Vec<String>, attributes: Vec<Attribute>) {
        self.step(op, inputs.into_iter().map(Beside::Named).collect(), attributes);
    }

    fn step(&mut self, op: &'static str, inputs: Vec<Beside>, attributes: Vec<Attribute>) {
        self.steps.push(Step { op, inputs, attributes });
    }

    /// Whether it does nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The mean over a dimension, which stays with one element.
    pub(super) fn mean(&mut self, place: usize) {
        self.push("ReduceMean", Vec::new(), vec![ints("axes", vec![place as i64 + 1])]);
        self.dims[place] = 1;
    }

    /// Gives the elements other dimensions.
    pub(super) fn reshape(&mut self, dims: impl Into<Vec<usize>>) {
        let dims = dims.into();
        // Of two in a row, the second one is enough.
        if self.steps.last().is_some_and(|step| step.op == "Reshape") {
            self.steps.pop();
        } else if self.dims == dims {
            return;
        }
        // That of the samples stays.
        let sizes: Vec<i64> = std::iter::once(0).chain(dims.iter().map(|dim| *dim as i64)).collect();
        self.step("Reshape", vec![Beside::list(sizes)], Vec::new());
        self.dims = dims;
    }

    /// Puts the dimensions in another order.
    pub(super) fn transpose(&mut self, order: &[usize]) {
        if order.is_sorted() {
            return;
        }
        let places = std::iter::once(0).chain(order.iter().map(|dim| *dim as i64 + 1)).collect();
        self.push("Transpose", Vec::new(), vec![ints("perm", places)]);
        self.dims = order.iter().map(|dim| self.dims[*dim]).collect();
    }

    /// Repeats the elements of dimensions of one element.
    pub(super) fn expand(&mut self, dims: &[usize]) {
        if self.dims != dims {
            let sizes: Vec<i64> = std::iter::once(1).chain(dims.iter().map(|dim| *dim as i64)).collect();
            self.step("Expand", vec![Beside::list(sizes)], Vec::new());
            self.dims = dims.to_vec();
        }
    }

    /// Takes elements such that the dimensions are those of a view, without those in which it repeats its elements.
    pub(super) fn arrange(&mut self, arrangement: &Arrangement) {
        self.reshape(arrangement.lens());
        self.slice(&arrangement.sides);
        // From behind, so that dimensions in front are where they were.
        for (axis, side) in arrangement.sides.iter().enumerate().rev() {
            if side.along.len() > 1 {
                let sizes: Vec<usize> = side.along.iter().map(|along| along.size).collect();
                let places: Vec<i64> = side.places().into_iter().map(|place| place as i64).collect();
                self.gather(axis, &sizes, &places);
            }
        }
        let dims: Vec<usize> = arrangement.dims().map(|along| along.size).collect();
        self.reshape(dims);
        self.transpose(&arrangement.order());
    }

    /// Takes the elements of a dimension at these places, whose own dimensions stand in its place then.
    pub(super) fn gather(&mut self, axis: usize, sizes: &[usize], places: &[i64]) {
        let places = Beside::Numbers { dims: sizes.to_vec(), numbers: places.to_vec() };
        self.step("Gather", vec![places], vec![int("axis", axis as i64 + 1)]);
        self.dims.splice(axis..=axis, sizes.iter().copied());
    }

    /// Takes the parts of sides along which no more than one dimension goes.
    fn slice(&mut self, sides: &[Side]) {
        let [mut starts, mut ends, mut axes, mut steps] = [const { Vec::new() }; 4];
        for (axis, side) in sides.iter().enumerate() {
            let (size, step) = match side.along[..] {
                [along] => (along.size, along.step),
                [] => (1, 1),
                _ => continue,
            };
            if size != side.len {
                starts.push(side.start as i64);
                ends.push((side.start + (size - 1) * step + 1) as i64);
                axes.push(axis as i64 + 1);
                steps.push(step as i64);
                self.dims[axis] = size;
            }
        }
        if axes.is_empty() {
            return;
        }
        self.step("Slice", [starts, ends, axes, steps].map(Beside::list).into(), Vec::new());
    }
}

impl File<'_> {
    /// Applies operators and returns what the result is called: `output`, with an addition for what is between.
    pub(super) fn run(&mut self, chain: Chain, from: String, output: String) -> String {
        let mut name = from;
        let last = chain.steps.len().saturating_sub(1);
        for (number, Step { op, inputs, attributes }) in chain.steps.into_iter().enumerate() {
            let result = match number == last {
                true => output.clone(),
                false => self.fresh(format!("{output}.{number}")),
            };
            let mut read = vec![name];
            for input in inputs {
                read.push(match input {
                    Beside::Named(name) => name,
                    Beside::Numbers { dims, numbers } => self.table(&dims, &numbers),
                });
            }
            self.push(op, read, result.clone(), attributes);
            name = result;
        }
        name
    }

    /// The same for a value of the graph, which needs its name even if nothing is done to it.
    pub(super) fn finish(&mut self, chain: Chain, from: String, output: String) {
        let name = self.run(chain, from, output.clone());
        if name != output {
            self.push("Identity", vec![name], output, Vec::new());
        }
    }
}
