//! What operations on single samples are, element by element.

use swapnas_graph::tensor::{
    Axis, Constant, ConvTranspose, Embedding, Function, Join, Mean, Normalise, Parameter, Pick, Rearrange,
    Softmax, TensorOp,
};
use swapnas_graph::{Node, ParamId, Strided};

use crate::dual::Dual;
use crate::interpreter::{Number, mean, sigmoid};

/// The places of a view's elements, by its definition.
fn places(view: &Strided) -> Vec<usize> {
    let mut places = vec![view.offset()];
    for (size, stride) in view.dims() {
        places = places.iter().flat_map(|place| (0..size).map(move |i| place + i * stride)).collect();
    }
    places
}

/// The places of the elements of every line along an axis.
fn lines(axis: Axis) -> Vec<Vec<usize>> {
    let line = |outer: usize, inner: usize| {
        (0..axis.len).map(|i| (outer * axis.len + i) * axis.inner + inner).collect()
    };
    (0..axis.outer).flat_map(|outer| (0..axis.inner).map(move |inner| line(outer, inner))).collect()
}

fn function<T: Number>(function: Function, x: T) -> T {
    let of = T::of;
    match function {
        Function::Linear { factor, summand } => of(factor.number()) * x + of(summand.number()),
        Function::Exp => x.exp(),
        Function::Ln => x.ln(),
        Function::Sqrt => x.sqrt(),
        Function::Reciprocal => of(1.0) / x,
        Function::Tanh => of(2.0) * sigmoid(of(2.0) * x) - of(1.0),
        Function::Sin => x.sin(),
        Function::Cos => (x + of(std::f64::consts::FRAC_PI_2)).sin(),
        Function::Erf => x.erf(),
        Function::Max(bound) if x.real() <= bound.number() => of(bound.number()),
        Function::Min(bound) if x.real() >= bound.number() => of(bound.number()),
        Function::Max(_) | Function::Min(_) => x,
        Function::Power(n) => (0..n).fold(of(1.0), |power, _| power * x),
        Function::RealPower(exponent) => (of(exponent.number()) * x.ln()).exp(),
    }
}

/// The result of an operation for one sample.
pub(crate) fn forward<T: Number>(
    op: &TensorOp,
    node: &Node,
    inputs: &[Vec<T>],
    weight: impl Fn(ParamId, usize) -> T,
) -> Vec<T> {
    let mut out = vec![T::of(0.0); node.shape.elements()];
    match op {
        TensorOp::Parameter(Parameter { id }) => {
            for (i, out) in out.iter_mut().enumerate() {
                *out = weight(*id, i);
            }
        }
        TensorOp::Constant(Constant { numbers }) => out = numbers.iter().map(|x| T::of(x.number())).collect(),
        TensorOp::Rearrange(Rearrange { view }) => {
            out = places(view).into_iter().map(|place| inputs[0][place]).collect()
        }
        TensorOp::Pick(Pick { places }) => {
            out = places.iter().map(|place| inputs[0][*place as usize]).collect()
        }
        TensorOp::Join(Join { outer, .. }) => {
            out.clear();
            for row in 0..*outer {
                for input in inputs {
                    let part = input.len() / outer;
                    out.extend_from_slice(&input[row * part..(row + 1) * part]);
                }
            }
        }
        TensorOp::Product(product) => {
            let sizes = product.out.sizes();
            let [.., rows, columns] = *sizes else { panic!("matrices") };
            let terms = *product.a.sizes().last().expect("matrices");
            let [a, b, to] = [places(&product.a), places(&product.b), places(&product.out)];
            for (index, to) in to.into_iter().enumerate() {
                let (matrix, row, column) =
                    (index / (rows * columns), index / columns % rows, index % columns);
                for k in 0..terms {
                    let x = inputs[0][a[(matrix * rows + row) * terms + k]];
                    let y = inputs[1][b[(matrix * terms + k) * columns + column]];
                    out[to] = out[to] + x * y;
                }
            }
        }
        TensorOp::Softmax(Softmax { axis }) => {
            for line in lines(*axis) {
                // Any number can be taken from all; with the largest, no power is too large.
                let x = |place: &usize| inputs[0][*place];
                let largest = line.iter().map(|place| x(place).real()).fold(f64::NEG_INFINITY, f64::max);
                let power = |place: &usize| (x(place) - T::of(largest)).exp();
                let sum = line.iter().fold(T::of(0.0), |sum, place| sum + power(place));
                for place in line {
                    out[place] = power(&place) / sum;
                }
            }
        }
        TensorOp::Normalise(Normalise { axis, epsilon, centred, weight: w, bias, alike }) => {
            for line in lines(*axis) {
                let x = |place: &usize| inputs[0][*place];
                let centre = if *centred { mean(line.iter().map(x)) } else { T::of(0.0) };
                let squares = line.iter().map(|place| (x(place) - centre) * (x(place) - centre));
                let deviation = (mean(squares) + T::of(epsilon.number())).sqrt();
                let channels = |count: usize, place: usize| place / alike % count;
                for place in line {
                    let mut y = (x(&place) - centre) / deviation;
                    // In all networks here, as many weights as there are channels or elements.
                    let count = out.len() / alike;
                    if let Some(id) = w {
                        y = y * weight(*id, channels(count, place));
                    }
                    if let Some(id) = bias {
                        y = y + weight(*id, channels(count, place));
                    }
                    out[place] = y;
                }
            }
        }
        TensorOp::Mean(Mean { axis }) => {
            for (out, line) in out.iter_mut().zip(lines(*axis)) {
                *out = mean(line.iter().map(|place| inputs[0][*place]));
            }
        }
        TensorOp::Function(of) => out = inputs[0].iter().map(|x| function(*of, *x)).collect(),
        TensorOp::Embedding(Embedding { table: id }) => {
            let rows = inputs[0].len();
            let features = out.len() / rows;
            for (row, x) in inputs[0].iter().enumerate() {
                for feature in 0..features {
                    out[feature * rows + row] = weight(*id, x.real() as usize * features + feature);
                }
            }
        }
        TensorOp::ConvTranspose(of) => {
            let &ConvTranspose { window, groups, weight: w, bias, input, output } = of;
            assert_eq!(output, node.shape);
            let [rows, columns] = window.kernel;
            let outputs = output.channels / groups;
            if let Some(id) = bias {
                for (place, out) in out.iter_mut().enumerate() {
                    *out = weight(id, place / output.pixels());
                }
            }
            // Where a tap takes a row or a column, if it is not cut away.
            let place = |from: usize, tap: usize, axis: usize| {
                let before = [window.padding.top, window.padding.left][axis] as i64;
                let to = (from * window.stride[axis] + tap * window.dilation[axis]) as i64 - before;
                let inside = (0..[output.height, output.width][axis] as i64).contains(&to);
                inside.then_some(to as usize)
            };
            for (index, x) in inputs[0].iter().enumerate() {
                let (channel, row, column) =
                    (index / input.pixels(), index % input.pixels() / input.width, index % input.width);
                let first = channel / (input.channels / groups) * outputs;
                for (to, tap_row, tap_column) in (0..outputs).flat_map(|to| {
                    (0..rows).flat_map(move |row| (0..columns).map(move |column| (to, row, column)))
                }) {
                    let (Some(y), Some(x_to)) = (place(row, tap_row, 0), place(column, tap_column, 1)) else {
                        continue;
                    };
                    let element = ((channel * outputs + to) * rows + tap_row) * columns + tap_column;
                    let out = &mut out[((first + to) * output.height + y) * output.width + x_to];
                    *out = *out + weight(w, element) * *x;
                }
            }
        }
    }
    out
}

/// The gradient of one sample: how the result, times its own gradient, changes with each element of the inputs and of
/// the parameters.
#[allow(clippy::too_many_arguments)]
pub(crate) fn backward<T: Number>(
    op: &TensorOp,
    node: &Node,
    inputs: &[Vec<T>],
    weight: impl Fn(ParamId, usize) -> T,
    gradient: &[T],
    lens: &[(ParamId, usize)],
    mut to_input: impl FnMut(usize, usize, T),
    mut to_param: impl FnMut(ParamId, usize, T),
) {
    let still = |x: T| Dual::new(x, T::of(0.0));
    let moving = |x: T| Dual::new(x, T::of(1.0));
    let total = |result: Vec<Dual<T>>| {
        let pairs = result.iter().zip(gradient);
        pairs.fold(T::of(0.0), |sum, (result, gradient)| sum + result.tangent * *gradient)
    };
    let duals = |inputs: &[Vec<T>]| -> Vec<Vec<Dual<T>>> {
        inputs.iter().map(|input| input.iter().map(|x| still(*x)).collect()).collect()
    };
    for which in 0..inputs.len() {
        for place in 0..inputs[which].len() {
            let mut inputs = duals(inputs);
            inputs[which][place].tangent = T::of(1.0);
            to_input(which, place, total(forward(op, node, &inputs, |id, i| still(weight(id, i)))));
        }
    }
    for (id, len) in lens {
        for element in 0..*len {
            let weight = |of: ParamId, i: usize| {
                let x = weight(of, i);
                if (of, i) == (*id, element) { moving(x) } else { still(x) }
            };
            to_param(*id, element, total(forward(op, node, &duals(inputs), weight)));
        }
    }
}
