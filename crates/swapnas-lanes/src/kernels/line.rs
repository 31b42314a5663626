//! Operations along one dimension: softmax, normalisation of single samples, means; and functions of single elements
//! that are not applied by whoever reads them.
//!
//! Everything is written once, for [`Number`]s: lanes, or [`Dual`]s, lanes with their tangents, whose results are
//! the tangents of what would come of lanes. A slope is the tangent along a direction of 1.

use std::ops::{Add, Div, Mul, Sub};

use crate::simd::{Level, Simd, Task};
use crate::{Element, Lane};

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

/// What lines are computed with.
pub trait Number<E>:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// The same constant for every sample.
    fn of(x: E) -> Self;
    /// A lane that does not change.
    fn lane(lane: Lane<E>) -> Self;
    /// The lane without tangents.
    fn value(self) -> Lane<E>;
    /// What is to be known: the lane itself, or its tangent.
    fn result(self) -> Lane<E>;
    /// The square root.
    fn sqrt(self) -> Self;
    /// e to the power of the number.
    fn exp(self) -> Self;
    /// The error function.
    fn erf(self) -> Self;
    /// The natural logarithm.
    fn ln(self) -> Self;
    /// The sine.
    fn sin(self) -> Self;
    /// The cosine.
    fn cos(self) -> Self;
    /// The number of each sample where it is above a bound, which it is not at the bound itself; the bound elsewhere.
    fn max(self, bound: E) -> Self;
}

/// A function of every sample by itself.
#[inline(always)]
fn map<E: Element>(mut lane: Lane<E>, f: impl Fn(E) -> E) -> Lane<E> {
    for x in &mut lane.0 {
        *x = f(*x);
    }
    lane
}

impl<E: Element> Number<E> for Lane<E> {
    #[inline(always)]
    fn of(x: E) -> Self {
        Lane::splat(x)
    }
    #[inline(always)]
    fn lane(lane: Lane<E>) -> Self {
        lane
    }
    #[inline(always)]
    fn value(self) -> Lane<E> {
        self
    }
    #[inline(always)]
    fn result(self) -> Lane<E> {
        self
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        map(self, E::sqrt)
    }
    #[inline(always)]
    fn exp(self) -> Self {
        map(self, E::quick_exp)
    }
    #[inline(always)]
    fn erf(self) -> Self {
        map(self, E::quick_erf)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        map(self, E::ln)
    }
    #[inline(always)]
    fn sin(self) -> Self {
        map(self, |x| x.sin_cos().0)
    }
    #[inline(always)]
    fn cos(self) -> Self {
        map(self, |x| x.sin_cos().1)
    }
    #[inline(always)]
    fn max(self, bound: E) -> Self {
        map(self, |x| if x > bound { x } else { bound })
    }
}

/// A number with its tangent (Clifford's dual numbers).
#[derive(Clone, Copy, Debug)]
pub struct Dual<N> {
    /// The number.
    pub value: N,
    /// How it changes.
    pub tangent: N,
}

impl<N: Add<Output = N>> Add for Dual<N> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Dual { value: self.value + other.value, tangent: self.tangent + other.tangent }
    }
}

impl<N: Sub<Output = N>> Sub for Dual<N> {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Dual { value: self.value - other.value, tangent: self.tangent - other.tangent }
    }
}

impl<N: Copy + Add<Output = N> + Mul<Output = N>> Mul for Dual<N> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let tangent = self.tangent * other.value + self.value * other.tangent;
        Dual { value: self.value * other.value, tangent }
    }
}

impl<N: Copy + Sub<Output = N> + Mul<Output = N> + Div<Output = N>> Div for Dual<N> {
    type Output = Self;

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        Dual { value, tangent: (self.tangent - value * other.tangent) / other.value }
    }
}

impl<E: Element, N: Number<E>> Number<E> for Dual<N> {
    #[inline(always)]
    fn of(x: E) -> Self {
        Dual { value: N::of(x), tangent: N::of(E::ZERO) }
    }
    #[inline(always)]
    fn lane(lane: Lane<E>) -> Self {
        Dual { value: N::lane(lane), tangent: N::of(E::ZERO) }
    }
    #[inline(always)]
    fn value(self) -> Lane<E> {
        self.value.value()
    }
    #[inline(always)]
    fn result(self) -> Lane<E> {
        self.tangent.value()
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        let value = self.value.sqrt();
        Dual { value, tangent: self.tangent / (value + value) }
    }
    #[inline(always)]
    fn exp(self) -> Self {
        let value = self.value.exp();
        Dual { value, tangent: self.tangent * value }
    }
    #[inline(always)]
    fn erf(self) -> Self {
        let factor = N::of(E::from_f64(std::f64::consts::FRAC_2_SQRT_PI));
        let slope = factor * (N::of(E::ZERO) - self.value * self.value).exp();
        Dual { value: self.value.erf(), tangent: self.tangent * slope }
    }
    #[inline(always)]
    fn ln(self) -> Self {
        Dual { value: self.value.ln(), tangent: self.tangent / self.value }
    }
    #[inline(always)]
    fn sin(self) -> Self {
        Dual { value: self.value.sin(), tangent: self.tangent * self.value.cos() }
    }
    #[inline(always)]
    fn cos(self) -> Self {
        let slope = N::of(E::ZERO) - self.value.sin();
        Dual { value: self.value.cos(), tangent: self.tangent * slope }
    }
    #[inline(always)]
    fn max(self, bound: E) -> Self {
        // 1 where the number is above the bound, 0 elsewhere.
        let above = map(self.value.value(), |x| if x > bound { E::ONE } else { E::ZERO });
        Dual { value: self.value.max(bound), tangent: self.tangent * N::lane(above) }
    }
}

/// Where the numbers of all elements are.
pub trait Read<E>: Copy {
    /// What they are.
    type N: Number<E>;

    /// The number of an element.
    fn at(&self, place: usize) -> Self::N;

    /// Does what is computed of lines. Without tangents, it is compiled for the level; few ask for tangents, and they
    /// get the same bits of code that is compiled once.
    fn compute(level: Level, lines: impl Lines<E>);
}

impl<E: Element> Read<E> for &[Lane<E>] {
    type N = Lane<E>;

    #[inline(always)]
    fn at(&self, place: usize) -> Lane<E> {
        self[place]
    }

    fn compute(level: Level, lines: impl Lines<E>) {
        level.run(Run(lines));
    }
}

/// Lanes and their tangents; what has none does not change.
#[derive(Clone, Copy, Debug)]
pub struct Tangents<'a, E> {
    /// The lanes.
    pub values: &'a [Lane<E>],
    /// How they change.
    pub tangents: Option<&'a [Lane<E>]>,
}

impl<E: Element> Read<E> for Tangents<'_, E> {
    type N = Dual<Lane<E>>;

    #[inline(always)]
    fn at(&self, place: usize) -> Dual<Lane<E>> {
        let tangent = self.tangents.map_or(Lane::ZERO, |tangents| tangents[place]);
        Dual { value: self.values[place], tangent }
    }

    fn compute(_level: Level, lines: impl Lines<E>) {
        lines.lines();
    }
}

/// Numbers that are the same for every sample: weights or biases.
#[derive(Clone, Copy, Debug)]
pub struct Constants<'a, E> {
    /// The numbers.
    pub numbers: &'a [E],
    /// How they change; not at all without.
    pub direction: Option<&'a [E]>,
    /// So many elements that follow each other have the same number.
    pub alike: usize,
}

impl<E: Element> Constants<'_, E> {
    #[inline(always)]
    fn index(&self, place: usize) -> usize {
        place / self.alike % self.numbers.len()
    }
}

/// What constants become beside numbers of some kind.
pub trait Beside<E: Element>: Number<E> {
    /// The constant of an element.
    fn constant(of: &Constants<'_, E>, place: usize) -> Self;
}

impl<E: Element> Beside<E> for Lane<E> {
    #[inline(always)]
    fn constant(of: &Constants<'_, E>, place: usize) -> Self {
        Lane::splat(of.numbers[of.index(place)])
    }
}

impl<E: Element> Beside<E> for Dual<Lane<E>> {
    #[inline(always)]
    fn constant(of: &Constants<'_, E>, place: usize) -> Self {
        let index = of.index(place);
        let tangent = of.direction.map_or(E::ZERO, |direction| direction[index]);
        Dual { value: Lane::splat(of.numbers[index]), tangent: Lane::splat(tangent) }
    }
}

/// Elements that are summed up before they go to the sum of all, which keeps rounding errors small.
const CHUNK: usize = 64;

/// Runs what is written for numbers of any kind, compiled for a level.
struct Run<F>(F);

/// What is computed of all lines.
pub trait Lines<E> {
    /// Computes it.
    fn lines(self);
}

impl<E: Element, F: Lines<E>> Task<E> for Run<F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<E = E>>(self, _simd: S) {
        self.0.lines();
    }
}

/// Writes e^x divided by its sum along the axis.
///
/// # Panics
/// If there are fewer lanes than elements.
pub fn softmax<E: Element, X: Read<E>>(level: Level, axis: Axis, x: X, out: &mut [Lane<E>]) {
    X::compute(level, Softmax { axis, x, out });
}

struct Softmax<'a, E, X> {
    axis: Axis,
    x: X,
    out: &'a mut [Lane<E>],
}

impl<E: Element, X: Read<E>> Lines<E> for Softmax<'_, E, X> {
    #[inline(always)]
    fn lines(self) {
        let Softmax { axis, x, out } = self;
        for line in 0..axis.lines() {
            let place = |i: usize| axis.first(line) + i * axis.inner;
            // What is subtracted cancels, so it needs no tangent.
            let mut most = Lane::splat(E::NEG_INFINITY);
            for i in 0..axis.len {
                let x = x.at(place(i)).value();
                for (most, x) in most.0.iter_mut().zip(x.0) {
                    *most = if x > *most { x } else { *most };
                }
            }
            let mut sum = X::N::of(E::ZERO);
            for i in 0..axis.len {
                sum = sum + (x.at(place(i)) - X::N::lane(most)).exp();
            }
            for i in 0..axis.len {
                out[place(i)] = ((x.at(place(i)) - X::N::lane(most)).exp() / sum).result();
            }
        }
    }
}

/// Adds to `out` what the gradient of a softmax is, given its result `y`.
///
/// # Panics
/// If there are fewer lanes than elements.
pub fn softmax_gradient<E: Element, X: Read<E>>(
    level: Level,
    axis: Axis,
    y: X,
    gradient: X,
    out: &mut [Lane<E>],
) {
    X::compute(level, SoftmaxGradient { axis, y, gradient, out });
}

struct SoftmaxGradient<'a, E, X> {
    axis: Axis,
    y: X,
    gradient: X,
    out: &'a mut [Lane<E>],
}

impl<E: Element, X: Read<E>> Lines<E> for SoftmaxGradient<'_, E, X> {
    #[inline(always)]
    fn lines(self) {
        let SoftmaxGradient { axis, y, gradient, out } = self;
        for line in 0..axis.lines() {
            let place = |i: usize| axis.first(line) + i * axis.inner;
            let mut sum = X::N::of(E::ZERO);
            for i in 0..axis.len {
                sum = sum + y.at(place(i)) * gradient.at(place(i));
            }
            for i in 0..axis.len {
                let back = y.at(place(i)) * (gradient.at(place(i)) - sum);
                out[place(i)] = out[place(i)] + back.result();
            }
        }
    }
}

/// A normalisation of every sample by itself: `(x - mean) / sqrt(variance + epsilon)` with mean and biased variance
/// along an axis (layer, group and instance normalisation), or `x / sqrt(mean of x^2 + epsilon)` (RMSNorm).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalisation {
    /// Along what.
    pub axis: Axis,
    /// What is added to the variance.
    pub epsilon: f64,
    /// Whether the mean is subtracted.
    pub centred: bool,
}

/// Mean and 1 / deviation of a line.
#[inline(always)]
fn statistics<E: Element, X: Read<E>>(of: &Normalisation, x: X, first: usize) -> (X::N, X::N) {
    let (axis, zero) = (of.axis, X::N::of(E::ZERO));
    let count = X::N::of(E::from_f64(axis.len as f64));
    let mut mean = zero;
    if of.centred {
        for chunk in (0..axis.len).step_by(CHUNK) {
            let mut sum = zero;
            for i in chunk..(chunk + CHUNK).min(axis.len) {
                sum = sum + x.at(first + i * axis.inner);
            }
            mean = mean + sum;
        }
        mean = mean / count;
    }
    let mut squares = zero;
    for chunk in (0..axis.len).step_by(CHUNK) {
        let mut sum = zero;
        for i in chunk..(chunk + CHUNK).min(axis.len) {
            let apart = x.at(first + i * axis.inner) - mean;
            sum = sum + apart * apart;
        }
        squares = squares + sum;
    }
    let deviation = (squares / count + X::N::of(E::from_f64(of.epsilon))).sqrt();
    (mean, X::N::of(E::ONE) / deviation)
}

/// Writes what is normalised, times a weight plus a bias if there are any.
///
/// # Panics
/// If there are fewer lanes than elements.
pub fn normalise<E: Element, X: Read<E, N: Beside<E>>>(
    level: Level,
    of: &Normalisation,
    x: X,
    weight: Option<Constants<'_, E>>,
    bias: Option<Constants<'_, E>>,
    out: &mut [Lane<E>],
) {
    X::compute(level, Normalise { of: *of, x, weight, bias, out });
}

struct Normalise<'a, E, X> {
    of: Normalisation,
    x: X,
    weight: Option<Constants<'a, E>>,
    bias: Option<Constants<'a, E>>,
    out: &'a mut [Lane<E>],
}

impl<E: Element, X: Read<E, N: Beside<E>>> Lines<E> for Normalise<'_, E, X> {
    #[inline(always)]
    fn lines(self) {
        let Normalise { of, x, weight, bias, out } = self;
        for line in 0..of.axis.lines() {
            let first = of.axis.first(line);
            let (mean, factor) = statistics(&of, x, first);
            for i in 0..of.axis.len {
                let place = first + i * of.axis.inner;
                let mut y = weighted((x.at(place) - mean) * factor, weight.as_ref(), place);
                if let Some(bias) = &bias {
                    y = y + X::N::constant(bias, place);
                }
                out[place] = y.result();
            }
        }
    }
}

/// Adds to `out` what the gradient is of what was normalised, from that of the result.
///
/// # Panics
/// If there are fewer lanes than elements.
pub fn normalise_gradient<E: Element, X: Read<E, N: Beside<E>>>(
    level: Level,
    of: &Normalisation,
    x: X,
    weight: Option<Constants<'_, E>>,
    gradient: X,
    out: &mut [Lane<E>],
) {
    X::compute(level, NormaliseGradient { of: *of, x, weight, gradient, out });
}

struct NormaliseGradient<'a, E, X> {
    of: Normalisation,
    x: X,
    weight: Option<Constants<'a, E>>,
    gradient: X,
    out: &'a mut [Lane<E>],
}

impl<E: Element, X: Read<E, N: Beside<E>>> Lines<E> for NormaliseGradient<'_, E, X> {
    #[inline(always)]
    fn lines(self) {
        let NormaliseGradient { of, x, weight, gradient, out } = self;
        let zero = X::N::of(E::ZERO);
        let count = X::N::of(E::from_f64(of.axis.len as f64));
        for line in 0..of.axis.lines() {
            let first = of.axis.first(line);
            let (mean, factor) = statistics(&of, x, first);
            let (mut sum, mut products) = (zero, zero);
            for i in 0..of.axis.len {
                let place = first + i * of.axis.inner;
                let g = weighted(gradient.at(place), weight.as_ref(), place);
                sum = sum + g;
                products = products + g * (x.at(place) - mean) * factor;
            }
            let sum = if of.centred { sum / count } else { zero };
            let products = products / count;
            for i in 0..of.axis.len {
                let place = first + i * of.axis.inner;
                let g = weighted(gradient.at(place), weight.as_ref(), place);
                let back = (g - sum - (x.at(place) - mean) * factor * products) * factor;
                out[place] = out[place] + back.result();
            }
        }
    }
}

#[inline(always)]
fn weighted<E: Element, N: Beside<E>>(x: N, weight: Option<&Constants<'_, E>>, place: usize) -> N {
    match weight {
        Some(weight) => x * N::constant(weight, place),
        None => x,
    }
}

/// Adds the gradients of weights and biases of a normalisation, sample by sample: a lane for each of them, of which
/// `alike` elements that follow each other have the same.
///
/// # Panics
/// If there are fewer lanes than elements, or not as many weights as biases.
pub fn normalise_weights<E: Element, X: Read<E>>(
    level: Level,
    of: &Normalisation,
    x: X,
    gradient: X,
    alike: usize,
    out: [&mut [Lane<E>]; 2],
) {
    let [weight, bias] = out;
    assert_eq!(weight.len(), bias.len());
    X::compute(level, NormaliseWeights { of: *of, x, gradient, alike, weight, bias });
}

struct NormaliseWeights<'a, E, X> {
    of: Normalisation,
    x: X,
    gradient: X,
    alike: usize,
    weight: &'a mut [Lane<E>],
    bias: &'a mut [Lane<E>],
}

impl<E: Element, X: Read<E>> Lines<E> for NormaliseWeights<'_, E, X> {
    #[inline(always)]
    fn lines(self) {
        let NormaliseWeights { of, x, gradient, alike, weight, bias } = self;
        for line in 0..of.axis.lines() {
            let first = of.axis.first(line);
            let (mean, factor) = statistics(&of, x, first);
            for i in 0..of.axis.len {
                let place = first + i * of.axis.inner;
                let index = place / alike % weight.len();
                let g = gradient.at(place);
                weight[index] = weight[index] + (g * (x.at(place) - mean) * factor).result();
                bias[index] = bias[index] + g.result();
            }
        }
    }
}

/// Writes the mean along an axis: one lane for every line.
///
/// # Panics
/// If there are fewer lanes than elements, or more in `out` than lines.
pub fn mean<E: Element>(level: Level, axis: Axis, x: &[Lane<E>], out: &mut [Lane<E>]) {
    assert_eq!(out.len(), axis.lines());
    level.run(Run(Mean { axis, x, out }));
}

struct Mean<'a, E> {
    axis: Axis,
    x: &'a [Lane<E>],
    out: &'a mut [Lane<E>],
}

impl<E: Element> Lines<E> for Mean<'_, E> {
    #[inline(always)]
    fn lines(self) {
        let Mean { axis, x, out } = self;
        let share = Lane::splat(E::from_f64(1.0 / axis.len as f64));
        for (line, out) in out.iter_mut().enumerate() {
            let mut total = Lane::ZERO;
            for chunk in (0..axis.len).step_by(CHUNK) {
                let mut sum = Lane::ZERO;
                for i in chunk..(chunk + CHUNK).min(axis.len) {
                    sum = sum + x[axis.first(line) + i * axis.inner];
                }
                total = total + sum;
            }
            *out = total * share;
        }
    }
}

/// Adds the gradient of a mean to every element of its line.
///
/// # Panics
/// If there are fewer lanes than elements, or not one of the gradient for each line.
pub fn mean_gradient<E: Element>(level: Level, axis: Axis, gradient: &[Lane<E>], out: &mut [Lane<E>]) {
    assert_eq!(gradient.len(), axis.lines());
    level.run(Run(MeanGradient { axis, gradient, out }));
}

struct MeanGradient<'a, E> {
    axis: Axis,
    gradient: &'a [Lane<E>],
    out: &'a mut [Lane<E>],
}

impl<E: Element> Lines<E> for MeanGradient<'_, E> {
    #[inline(always)]
    fn lines(self) {
        let MeanGradient { axis, gradient, out } = self;
        let share = Lane::splat(E::from_f64(1.0 / axis.len as f64));
        for (line, gradient) in gradient.iter().enumerate() {
            let each = *gradient * share;
            for i in 0..axis.len {
                let place = axis.first(line) + i * axis.inner;
                out[place] = out[place] + each;
            }
        }
    }
}

/// A function of every element by itself.
pub trait Function: Copy {
    /// The function.
    fn of<E: Element, N: Number<E>>(&self, x: N) -> N;
}

/// Writes a function of every element.
pub fn apply<E: Element, X: Read<E>>(level: Level, function: impl Function, x: X, out: &mut [Lane<E>]) {
    X::compute(level, Apply { function, x, out });
}

struct Apply<'a, E, F, X> {
    function: F,
    x: X,
    out: &'a mut [Lane<E>],
}

impl<E: Element, F: Function, X: Read<E>> Lines<E> for Apply<'_, E, F, X> {
    #[inline(always)]
    fn lines(self) {
        for (place, out) in self.out.iter_mut().enumerate() {
            *out = self.function.of(self.x.at(place)).result();
        }
    }
}

/// Adds the gradient times the slope of a function at every element.
pub fn apply_gradient<E: Element, X: Read<E>>(
    level: Level,
    function: impl Function,
    x: X,
    gradient: X,
    out: &mut [Lane<E>],
) {
    X::compute(level, ApplyGradient { function, x, gradient, out });
}

struct ApplyGradient<'a, E, F, X> {
    function: F,
    x: X,
    gradient: X,
    out: &'a mut [Lane<E>],
}

impl<E: Element, F: Function, X: Read<E>> Lines<E> for ApplyGradient<'_, E, F, X> {
    #[inline(always)]
    fn lines(self) {
        for (place, out) in self.out.iter_mut().enumerate() {
            let along = Dual { value: self.x.at(place), tangent: X::N::of(E::ONE) };
            let slope = self.function.of(along).tangent;
            *out = *out + (slope * self.gradient.at(place)).result();
        }
    }
}
