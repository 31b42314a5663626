//! What operations compute, forward and back, of values and of their tangents.

use swapnas_lanes::kernels::line::{self, Beside, Constants, Number as _, Read, Tangents};
use swapnas_lanes::kernels::rows::WriteMode;
use swapnas_lanes::kernels::{arrange, product::Product};
use swapnas_lanes::{Element, Lane, Level, SAMPLES};

use super::transposed::{Direction, channels_last};
use super::{ConvTranspose, Normalise, TensorOp};

/// Weights, and what they are multiplied with.
type Weighted<'w, 'a, E> = Option<(&'w [E], &'a [Lane<E>])>;

/// The elements of one block: lanes, or lanes with their tangents, of which results are tangents.
pub(crate) trait Operand<'a, E: Element>: Read<E, N: Beside<E>> {
    /// How many there are.
    fn len(&self) -> usize;

    /// What a linear operation is applied to; nothing if it does not change.
    fn moving(&self) -> Option<&'a [Lane<E>]>;

    /// What is multiplied with each other and summed up for a product.
    fn factors(a: Self, b: Self) -> [Option<[&'a [Lane<E>]; 2]>; 2];

    /// The same of weights, which are the same for every sample and move in a direction if they do, and this one.
    fn weighted<'w>(self, weights: &'w [E], direction: Option<&'w [E]>) -> [Weighted<'w, 'a, E>; 2];

    /// What a number that is the same for every sample adds to the result: itself, or its direction.
    fn of_param<'p>(number: &'p [E], direction: Option<&'p [E]>) -> Option<&'p [E]>;
}

impl<'a, E: Element> Operand<'a, E> for &'a [Lane<E>] {
    fn len(&self) -> usize {
        <[Lane<E>]>::len(self)
    }

    fn moving(&self) -> Option<&'a [Lane<E>]> {
        Some(self)
    }

    fn factors(a: Self, b: Self) -> [Option<[&'a [Lane<E>]; 2]>; 2] {
        [Some([a, b]), None]
    }

    fn weighted<'w>(self, weights: &'w [E], _direction: Option<&'w [E]>) -> [Weighted<'w, 'a, E>; 2] {
        [Some((weights, self)), None]
    }

    fn of_param<'p>(number: &'p [E], _direction: Option<&'p [E]>) -> Option<&'p [E]> {
        Some(number)
    }
}

impl<'a, E: Element> Operand<'a, E> for Tangents<'a, E> {
    fn len(&self) -> usize {
        self.values.len()
    }

    fn moving(&self) -> Option<&'a [Lane<E>]> {
        self.tangents
    }

    fn factors(a: Self, b: Self) -> [Option<[&'a [Lane<E>]; 2]>; 2] {
        [a.tangents.map(|tangents| [tangents, b.values]), b.tangents.map(|tangents| [a.values, tangents])]
    }

    fn weighted<'w>(self, weights: &'w [E], direction: Option<&'w [E]>) -> [Weighted<'w, 'a, E>; 2] {
        [direction.map(|direction| (direction, self.values)), self.tangents.map(|x| (weights, x))]
    }

    fn of_param<'p>(_number: &'p [E], direction: Option<&'p [E]>) -> Option<&'p [E]> {
        direction
    }
}

/// The numbers of an operation's parameters, in the order of [`TensorOp::params`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Params<'a, E> {
    pub numbers: [Option<&'a [E]>; 2],
    /// Along which they move, if they do.
    pub directions: [Option<&'a [E]>; 2],
}

impl<'a, E> Params<'a, E> {
    fn constants(&self, which: usize, alike: usize) -> Option<Constants<'a, E>> {
        let direction = self.directions[which];
        self.numbers[which].map(|numbers| Constants { numbers, direction, alike })
    }
}

/// An operation at work on a block.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a, E> {
    pub op: &'a TensorOp,
    pub level: Level,
    pub params: Params<'a, E>,
}

impl Normalise {
    fn for_lanes(&self) -> line::Normalisation {
        line::Normalisation { axis: self.axis, epsilon: self.epsilon.number(), centred: self.centred }
    }
}

impl<E: Element> Run<'_, E> {
    /// Writes the result.
    pub(crate) fn forward<'a, R: Operand<'a, E>>(&self, inputs: &[R], out: &mut [Lane<E>]) {
        let level = self.level;
        match self.op {
            TensorOp::Parameter(_) => {
                let numbers = self.params.numbers[0].expect("a parameter has numbers");
                match R::of_param(numbers, self.params.directions[0]) {
                    Some(numbers) => {
                        for (out, number) in out.iter_mut().zip(numbers) {
                            *out = Lane::splat(*number);
                        }
                    }
                    None => out.fill(Lane::ZERO),
                }
            }
            TensorOp::Constant(numbers) => {
                let moves = R::of_param(&[], None).is_none();
                for (out, number) in out.iter_mut().zip(&**numbers) {
                    let number = if moves { E::ZERO } else { E::from_f64(number.number()) };
                    *out = Lane::splat(number);
                }
            }
            TensorOp::Rearrange(view) => match inputs[0].moving() {
                Some(from) => arrange::gather(from, view, out),
                None => out.fill(Lane::ZERO),
            },
            TensorOp::Pick(places) => match inputs[0].moving() {
                Some(from) => {
                    for (out, place) in out.iter_mut().zip(&**places) {
                        *out = from[*place as usize];
                    }
                }
                None => out.fill(Lane::ZERO),
            },
            &TensorOp::Join { outer, inner } => {
                let row = out.len() / outer;
                let mut first = 0;
                for input in inputs {
                    let part = input.len() / outer;
                    for (number, out) in out.chunks_exact_mut(row).enumerate() {
                        let out = &mut out[first..first + part];
                        match input.moving() {
                            Some(from) => out.copy_from_slice(&from[number * part..][..part]),
                            None => out.fill(Lane::ZERO),
                        }
                    }
                    first += part;
                }
                debug_assert!(row.is_multiple_of(inner) && first == row);
            }
            TensorOp::Product(product) => multiply(level, product, R::factors(inputs[0], inputs[1]), out),
            TensorOp::Softmax(axis) => line::softmax(level, *axis, inputs[0], out),
            TensorOp::Normalise(of) => {
                let [weight, bias] = [0, 1].map(|which| self.params.constants(which, of.alike));
                line::normalise(level, &of.for_lanes(), inputs[0], weight, bias, out);
            }
            TensorOp::Mean(axis) => match inputs[0].moving() {
                Some(from) => line::mean(level, *axis, from, out),
                None => out.fill(Lane::ZERO),
            },
            TensorOp::Function(function) => line::apply(level, *function, inputs[0], out),
            TensorOp::Embedding(_) => {
                let table = self.params.numbers[0].expect("an embedding has a table");
                let rows = inputs[0].len();
                let Some(table_part) = R::of_param(table, self.params.directions[0]) else {
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
            TensorOp::ConvTranspose(of) => {
                let bias = self.params.numbers[1];
                let bias = bias.and_then(|numbers| R::of_param(numbers, self.params.directions[1]));
                for (channel, out) in out.chunks_exact_mut(of.output.pixels()).enumerate() {
                    out.fill(bias.map_or(Lane::ZERO, |bias| Lane::splat(bias[channel])));
                }
                self.through_taps(of, inputs[0], Direction::Forward, out);
            }
        }
    }

    /// Adds the gradient of the result, taken back to the input number `which`, to `out`; `result` is what
    /// [`forward`](Self::forward) has written.
    pub(crate) fn backward<'a, R: Operand<'a, E>>(
        &self,
        which: usize,
        inputs: &[R],
        result: R,
        gradient: R,
        out: &mut [Lane<E>],
    ) {
        let level = self.level;
        match self.op {
            TensorOp::Parameter(_) | TensorOp::Constant(_) => unreachable!("nothing is read"),
            // Which row is read changes by leaps.
            TensorOp::Embedding(_) => {}
            TensorOp::Rearrange(view) => {
                if let Some(gradient) = gradient.moving() {
                    arrange::scatter(level, gradient, view, out);
                }
            }
            TensorOp::Pick(places) => {
                for (gradient, place) in gradient.moving().unwrap_or_default().iter().zip(&**places) {
                    let to = &mut out[*place as usize];
                    *to = *to + *gradient;
                }
            }
            &TensorOp::Join { outer, .. } => {
                let part = |input: &R| input.len() / outer;
                let (row, first): (usize, usize) =
                    (inputs.iter().map(part).sum(), inputs[..which].iter().map(part).sum());
                let part = part(&inputs[which]);
                let rows = gradient.moving().unwrap_or_default().chunks_exact(row);
                for (gradient, out) in rows.zip(out.chunks_exact_mut(part)) {
                    for (out, gradient) in out.iter_mut().zip(&gradient[first..]) {
                        *out = *out + *gradient;
                    }
                }
            }
            TensorOp::Product(product) => {
                if which == 0 {
                    multiply(level, &product.back_to_a(), R::factors(gradient, inputs[1]), out);
                } else {
                    multiply(level, &product.back_to_b(), R::factors(inputs[0], gradient), out);
                }
            }
            TensorOp::Softmax(axis) => line::softmax_gradient(level, *axis, result, gradient, out),
            TensorOp::Normalise(of) => {
                let weight = self.params.constants(0, of.alike);
                line::normalise_gradient(level, &of.for_lanes(), inputs[0], weight, gradient, out);
            }
            TensorOp::Mean(axis) => {
                if let Some(gradient) = gradient.moving() {
                    line::mean_gradient(level, *axis, gradient, out);
                }
            }
            TensorOp::Function(function) => {
                line::apply_gradient(level, *function, inputs[0], gradient, out);
            }
            TensorOp::ConvTranspose(of) => self.through_taps(of, gradient, Direction::Back, out),
        }
    }

    /// The gradients of the parameters, sample by sample: a lane for each element.
    pub(crate) fn of_params<'a, R: Operand<'a, E>>(&self, inputs: &[R], gradient: R) -> [Vec<Lane<E>>; 2] {
        let room = |which: usize| vec![Lane::ZERO; self.params.numbers[which].map_or(0, <[E]>::len)];
        let mut found = [room(0), room(1)];
        match self.op {
            TensorOp::Parameter(_) => {
                if let Some(gradient) = gradient.moving() {
                    found[0].copy_from_slice(gradient);
                }
            }
            TensorOp::Normalise(of) => {
                // The kernel takes both; the one that is not there is let go.
                let count = found[0].len().max(found[1].len());
                let mut both = [0, 1].map(|_| vec![Lane::ZERO; count]);
                if count > 0 {
                    let [weight, bias] = &mut both;
                    let of_lanes = of.for_lanes();
                    let out = [weight.as_mut_slice(), bias.as_mut_slice()];
                    line::normalise_weights(self.level, &of_lanes, inputs[0], gradient, of.alike, out);
                }
                for (found, all) in found.iter_mut().zip(both) {
                    if !found.is_empty() {
                        *found = all;
                    }
                }
            }
            TensorOp::Embedding(_) => {
                let table = &mut found[0];
                let len = table.len();
                self.of_table(&inputs[0], gradient, len, |element, sample, gradient| {
                    let to = &mut table[element].0[sample];
                    *to = *to + gradient;
                });
            }
            TensorOp::ConvTranspose(of) => {
                for tap in of.taps() {
                    let mut of_tap = vec![Lane::ZERO; of.weights_of_tap()];
                    multiply(self.level, &tap.of_weights(), R::factors(gradient, inputs[0]), &mut of_tap);
                    tap.spread(&of_tap, &mut found[0]);
                }
                let pixels = gradient.moving().unwrap_or_default().chunks_exact(of.output.pixels());
                for (found, pixels) in found[1].iter_mut().zip(pixels) {
                    *found = pixels.iter().fold(Lane::ZERO, |sum, x| sum + *x);
                }
            }
            _ => {}
        }
        found
    }

    /// Adds what the taps of a transposed convolution make of `x` that way.
    fn through_taps<'a, R: Operand<'a, E>>(
        &self,
        of: &ConvTranspose,
        x: R,
        way: Direction,
        out: &mut [Lane<E>],
    ) {
        let shape = if way == Direction::Forward { of.input } else { of.output };
        let weights = self.params.numbers[0].expect("a layer has weights");
        for (weights, x) in x.weighted(weights, self.params.directions[0]).into_iter().flatten() {
            let last = channels_last(x, shape);
            for tap in of.taps() {
                tap.product(way).run(self.level, &tap.lanes(weights, way), &last, WriteMode::Sum, out);
            }
        }
    }

    /// Adds the gradient of an embedding's table, of all samples together, to `out`: few of its rows are read, and none
    /// of the others is looked at.
    pub(crate) fn add_table<'a, R: Operand<'a, E>>(&self, input: &R, gradient: R, out: &mut [E]) {
        self.of_table(input, gradient, out.len(), |element, _, gradient| {
            out[element] = out[element] + gradient;
        });
    }

    /// Shows the gradient of each element of a table of that length that is read, for each sample that reads it.
    fn of_table<'a, R: Operand<'a, E>>(
        &self,
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
}

/// The rows of a table that the samples of an element ask for, if there are such rows.
fn table_rows<E: Element>(lane: Lane<E>, rows: usize) -> [Option<usize>; SAMPLES] {
    lane.0.map(|x| {
        let index = x.to_f64();
        (index.fract() == 0.0 && (0.0..rows as f64).contains(&index)).then_some(index as usize)
    })
}

/// Writes the sum of one or two products.
fn multiply<E: Element>(
    level: Level,
    product: &Product,
    factors: [Option<[&[Lane<E>]; 2]>; 2],
    out: &mut [Lane<E>],
) {
    out.fill(Lane::ZERO);
    for [a, b] in factors.into_iter().flatten() {
        product.run(level, a, b, WriteMode::Sum, out);
    }
}
