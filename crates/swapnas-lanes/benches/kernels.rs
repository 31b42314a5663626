//! Every kernel of the forward pass at every SIMD level of this machine, on the sizes that networks
//! have: 6x16x16, 3x32x32 and 6x32x32 are the states of the network that the SWAP-Score is released
//! with. Memory stays in the cache from call to call, as it does within a network.
//!
//! An item is a floating point operation; bytes are those of all that is read and written, once each.
//! `--bench limits` measures what there is to reach.

use std::fmt;
use std::hint::black_box;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use swapnas_lanes::kernels::window::Window;
use swapnas_lanes::{Activation, Lane, Layout, Level, Planes, PlanesMut, SAMPLES};

fn main() {
    divan::main();
}

/// A case at a level.
#[derive(Clone, Copy)]
struct At<C>(Level, C);

impl<C: fmt::Display> fmt::Display for At<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, self.1)
    }
}

/// Every case at every level but plain code, which is there to be right.
fn at<C: Copy>(cases: &[C]) -> Vec<At<C>> {
    let levels = Level::available().into_iter().filter(|level| *level != Level::PORTABLE);
    levels.flat_map(|level| cases.iter().map(move |case| At(level, *case))).collect()
}

/// Channels, height and width.
#[derive(Clone, Copy)]
struct Shape(usize, usize, usize);

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.0, self.1, self.2)
    }
}

const STATES: [Shape; 3] = [Shape(6, 16, 16), Shape(3, 32, 32), Shape(6, 32, 32)];

/// An image in memory.
struct Image {
    lanes: Vec<Lane>,
    layout: Layout,
}

impl Image {
    fn new(Shape(channels, height, width): Shape, halo: usize) -> Self {
        let layout = Layout::new(channels, height, width, halo);
        let lane = |i: usize| Lane(std::array::from_fn(|j| ((i * 7 + j * 3) % 11) as f32 / 5.0 - 1.0));
        Image { lanes: (0..layout.lanes()).map(lane).collect(), layout }
    }

    fn planes(&self) -> Planes<'_, Lane> {
        Planes::new(&self.lanes, self.layout)
    }

    fn planes_mut(&mut self) -> PlanesMut<'_, Lane> {
        PlanesMut::new(&mut self.lanes, self.layout)
    }

    fn bytes(&self) -> usize {
        size_of_val(self.lanes.as_slice())
    }
}

fn square(kernel: usize, stride: usize, dilation: usize) -> Window {
    let origin = -((dilation * (kernel - 1) / 2) as isize);
    Window { kernel: [kernel; 2], stride: [stride; 2], dilation: [dilation; 2], origin: [origin; 2] }
}

/// Operations of a multiply-add for every sample.
const MULTIPLY_ADD: usize = 2 * SAMPLES;

mod dense {
    use super::*;
    use swapnas_lanes::kernels::dense::{DenseWeights, convolve};
    use swapnas_lanes::kernels::winograd::{self, WinogradWeights};

    /// Input channels to output channels on images of one size, with square kernels.
    #[derive(Clone, Copy)]
    struct Case {
        inputs: usize,
        outputs: usize,
        size: usize,
        kernel: usize,
    }

    impl fmt::Display for Case {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let Case { inputs, outputs, size, kernel } = self;
            write!(f, "{kernel}x{kernel} {inputs}->{outputs} on {size}x{size}")
        }
    }

    const fn case(kernel: usize, inputs: usize, outputs: usize, size: usize) -> Case {
        Case { inputs, outputs, size, kernel }
    }

    fn packed(case: Case) -> (Vec<f32>, DenseWeights) {
        let taps = case.kernel * case.kernel;
        let numbers = vec![0.1; case.inputs * case.outputs * taps];
        let mut weights = DenseWeights::new();
        weights.pack(1, case.inputs, taps, &numbers, None);
        (numbers, weights)
    }

    #[divan::bench(args = at(&[
        case(3, 8, 8, 32),
        case(3, 12, 12, 32),
        case(3, 16, 16, 32),
        case(3, 32, 32, 16),
        case(3, 64, 64, 8),
        case(3, 64, 64, 4),
        case(1, 16, 16, 32),
        case(1, 32, 32, 16),
        case(1, 64, 64, 8),
        case(1, 3, 6, 32),
        case(1, 6, 6, 16),
        case(1, 12, 6, 16),
        case(1, 12, 6, 32),
        case(1, 96, 96, 8),
        case(1, 96, 24, 8),
        case(1, 128, 128, 8),
        case(1, 256, 256, 4),
        case(1, 256, 64, 8),
        case(1, 768, 768, 14),
        case(1, 768, 3072, 14),
        case(1, 3072, 768, 14),
        case(1, 256, 256, 16),
        case(1, 256, 1024, 12),
        case(1, 1024, 256, 12),
        case(3, 32, 64, 8),
        case(5, 16, 32, 16),
    ]))]
    fn convolution(bencher: Bencher<'_, '_>, At(level, case): At<Case>) {
        let Case { inputs, outputs, size, kernel } = case;
        let input = Image::new(Shape(inputs, size, size), kernel / 2);
        let mut out = Image::new(Shape(outputs, size, size), 0);
        let (_, weights) = packed(case);
        let window = square(kernel, 1, 1);
        bencher
            .counter(ItemsCount::new(MULTIPLY_ADD * inputs * outputs * kernel * kernel * size * size))
            .counter(BytesCount::new(input.bytes() + out.bytes()))
            .bench_local(|| {
                convolve(level, input.planes(), &window, &weights, 0..size, size, out.planes_mut());
            });
    }

    /// 3x3 convolutions by Winograd's algorithm; an item is an operation of the plain one.
    #[divan::bench(args = at(&[
        case(3, 8, 8, 32),
        case(3, 12, 12, 32),
        case(3, 16, 16, 32),
        case(3, 32, 32, 16),
        case(3, 64, 64, 8),
        case(3, 64, 64, 4),
    ]))]
    fn winograd(bencher: Bencher<'_, '_>, At(level, case): At<Case>) {
        let Case { inputs, outputs, size, .. } = case;
        let input = Image::new(Shape(inputs, size, size), 1);
        let mut out = Image::new(Shape(outputs, size, size), 0);
        let (numbers, _) = packed(case);
        let mut weights = WinogradWeights::default();
        weights.pack(inputs, &numbers, None);
        let (window, mut between) = (square(3, 1, 1), Vec::new());
        bencher.counter(ItemsCount::new(MULTIPLY_ADD * inputs * outputs * 9 * size * size)).bench_local(
            || {
                let (planes, out) = (input.planes(), out.planes_mut());
                winograd::convolve(level, planes, &window, &weights, 0..size, size, &mut between, out);
            },
        );
    }

    /// Bringing weights into the kernel's order; an item is a weight.
    #[divan::bench(args = [case(1, 3, 6, 1), case(1, 6, 6, 1), case(1, 12, 6, 1), case(3, 16, 16, 1)])]
    fn pack(bencher: Bencher<'_, '_>, case: Case) {
        let (numbers, mut weights) = packed(case);
        let taps = case.kernel * case.kernel;
        bencher
            .counter(ItemsCount::new(numbers.len()))
            .bench_local(|| weights.pack(1, case.inputs, taps, black_box(&numbers), None));
    }
}

mod depthwise {
    use super::*;
    use swapnas_lanes::kernels::dense::DenseWeights;
    use swapnas_lanes::kernels::depthwise::{convolve, convolve_separable};

    #[derive(Clone, Copy)]
    struct Case {
        /// Of the input.
        shape: Shape,
        kernel: usize,
        stride: usize,
        dilation: usize,
    }

    impl fmt::Display for Case {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let Case { shape, kernel, stride, dilation } = self;
            write!(f, "{kernel}x{kernel} stride {stride} dilation {dilation} {shape}")
        }
    }

    impl Case {
        fn window(&self) -> Window {
            square(self.kernel, self.stride, self.dilation)
        }

        fn input(&self) -> Image {
            Image::new(self.shape, self.dilation * (self.kernel / 2))
        }

        fn out(&self, channels: usize) -> Image {
            Image::new(Shape(channels, self.shape.1 / self.stride, self.shape.2 / self.stride), 0)
        }

        fn weights(&self) -> Vec<f32> {
            vec![0.1; self.shape.0 * self.kernel * self.kernel]
        }
    }

    /// Depthwise convolutions of the DARTS space: separable ones have dilation 1, dilated ones 2.
    fn cases() -> Vec<At<Case>> {
        let mut cases = Vec::new();
        for shape in STATES {
            for (kernel, stride, dilation) in
                [(3, 1, 1), (5, 1, 1), (3, 1, 2), (5, 1, 2), (3, 2, 1), (5, 2, 2)]
            {
                cases.push(Case { shape, kernel, stride, dilation });
            }
        }
        at(&cases)
    }

    #[divan::bench(args = cases())]
    fn alone(bencher: Bencher<'_, '_>, At(level, case): At<Case>) {
        let (input, window, weights) = (case.input(), case.window(), case.weights());
        let mut out = case.out(case.shape.0);
        let (rows, width) = (out.layout.rows, out.layout.columns);
        bencher
            .counter(ItemsCount::new(MULTIPLY_ADD * window.taps() * out.lanes.len()))
            .counter(BytesCount::new(input.bytes() + out.bytes()))
            .bench_local(|| {
                convolve(level, input.planes(), &window, &weights, 0..rows, width, out.planes_mut());
            });
    }

    /// Followed by a pointwise convolution to six channels.
    #[divan::bench(args = cases())]
    fn separable(bencher: Bencher<'_, '_>, At(level, case): At<Case>) {
        let (input, window, weights) = (case.input(), case.window(), case.weights());
        let channels = case.shape.0;
        let mut pointwise = DenseWeights::new();
        pointwise.pack(1, channels, 1, &vec![0.1; 6 * channels], None);
        let mut out = case.out(6);
        let (rows, width) = (out.layout.rows, out.layout.columns);
        let mut between = Vec::new();
        bencher
            .counter(ItemsCount::new(MULTIPLY_ADD * channels * (window.taps() + 6) * rows * width))
            .counter(BytesCount::new(input.bytes() + out.bytes()))
            .bench_local(|| {
                convolve_separable(
                    level,
                    input.planes(),
                    &window,
                    &weights,
                    &pointwise,
                    0..rows,
                    width,
                    &mut between,
                    out.planes_mut(),
                );
            });
    }
}

mod pool {
    use super::*;
    use swapnas_lanes::kernels::mean;
    use swapnas_lanes::kernels::pool::{Pool, pool};

    #[derive(Clone, Copy)]
    struct Case {
        shape: Shape,
        stride: usize,
    }

    impl fmt::Display for Case {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "3x3 stride {} {}", self.stride, self.shape)
        }
    }

    fn cases() -> Vec<At<Case>> {
        let cases = STATES.map(|shape| [1, 2].map(|stride| Case { shape, stride }));
        at(cases.as_flattened())
    }

    fn run(bencher: Bencher<'_, '_>, level: Level, case: Case, kind: Pool) {
        let Case { shape: Shape(channels, height, width), stride } = case;
        let input = Image::new(case.shape, 1);
        let mut out = Image::new(Shape(channels, height / stride, width / stride), 0);
        let (rows, width) = (out.layout.rows, out.layout.columns);
        let window = square(3, stride, 1);
        bencher
            .counter(ItemsCount::new(SAMPLES * window.taps() * out.lanes.len()))
            .counter(BytesCount::new(input.bytes() + out.bytes()))
            .bench_local(|| pool(level, input.planes(), &window, kind, 0..rows, width, out.planes_mut()));
    }

    #[divan::bench(args = cases())]
    fn max(bencher: Bencher<'_, '_>, At(level, case): At<Case>) {
        run(bencher, level, case, Pool::Max);
    }

    #[divan::bench(args = cases())]
    fn mean_of_window(bencher: Bencher<'_, '_>, At(level, case): At<Case>) {
        run(bencher, level, case, Pool::Mean { height: case.shape.1, width: case.shape.2 });
    }

    #[divan::bench(args = at(&STATES))]
    fn mean_of_image(bencher: Bencher<'_, '_>, At(level, shape): At<Shape>) {
        let input = Image::new(shape, 0);
        let mut out = vec![Lane::ZERO; shape.0];
        bencher
            .counter(ItemsCount::new(SAMPLES * input.lanes.len()))
            .counter(BytesCount::new(input.bytes()))
            .bench_local(|| mean::mean(level, input.planes(), shape.1, shape.2, &mut out));
    }
}

mod moments {
    use super::*;
    use swapnas_lanes::kernels::moments::{Moments, accumulate};

    /// A subtraction, an addition and a multiply-add for every number.
    #[divan::bench(args = at(&STATES))]
    fn of_image(bencher: Bencher<'_, '_>, At(level, shape): At<Shape>) {
        let input = Image::new(shape, 0);
        let mut moments = vec![Moments::default(); shape.0];
        bencher
            .counter(ItemsCount::new(4 * SAMPLES * input.lanes.len()))
            .counter(BytesCount::new(input.bytes()))
            .bench_local(|| {
                accumulate(level, input.planes(), 0..shape.1, shape.2, SAMPLES, &mut moments);
            });
    }
}

mod rows {
    use super::*;
    use swapnas_lanes::kernels::rows::{Affine, Source, WriteMode, load, signs};

    const AFFINE: [Affine; 6] = [Affine { scale: 1.5, shift: 0.25 }; 6];

    fn run(
        bencher: Bencher<'_, '_>,
        level: Level,
        shape: Shape,
        into: WriteMode,
        with_signs: bool,
        act: Activation,
    ) {
        let input = Image::new(shape, 0);
        // What is written has the border that a window reaches into.
        let mut out = Image::new(shape, 1);
        let mut words = vec![0u16; input.lanes.len()];
        let layout = input.layout;
        let source =
            Source { planes: input.planes(), affine: Some(&AFFINE[..shape.0]), activation: Some(act) };
        let read = if into == WriteMode::Sum { 2 } else { 1 };
        let bytes = (read + 1) * input.bytes() + if with_signs { size_of_val(words.as_slice()) } else { 0 };
        bencher.counter(BytesCount::new(bytes)).bench_local(|| {
            let signs = with_signs.then(|| PlanesMut::new(&mut words, layout));
            load(level, &source, 0..shape.1, shape.2, into, out.planes_mut(), signs);
        });
    }

    /// Normalisation, ReLU and signs, as before a convolution.
    #[divan::bench(args = at(&STATES))]
    fn overwrite_with_signs(bencher: Bencher<'_, '_>, At(level, shape): At<Shape>) {
        run(bencher, level, shape, WriteMode::Overwrite, true, Activation::Relu);
    }

    #[divan::bench(args = at(&STATES))]
    fn overwrite(bencher: Bencher<'_, '_>, At(level, shape): At<Shape>) {
        run(bencher, level, shape, WriteMode::Overwrite, false, Activation::Relu);
    }

    #[divan::bench(args = at(&STATES))]
    fn sum_with_signs(bencher: Bencher<'_, '_>, At(level, shape): At<Shape>) {
        run(bencher, level, shape, WriteMode::Sum, true, Activation::Relu);
    }

    #[divan::bench(args = at(&STATES))]
    fn sum(bencher: Bencher<'_, '_>, At(level, shape): At<Shape>) {
        run(bencher, level, shape, WriteMode::Sum, false, Activation::Relu);
    }

    #[divan::bench(args = at(&[Shape(6, 16, 16)]))]
    fn silu(bencher: Bencher<'_, '_>, At(level, shape): At<Shape>) {
        run(bencher, level, shape, WriteMode::Overwrite, false, Activation::Silu);
    }

    #[divan::bench(args = at(&[Shape(6, 16, 16)]))]
    fn gelu(bencher: Bencher<'_, '_>, At(level, shape): At<Shape>) {
        run(bencher, level, shape, WriteMode::Overwrite, false, Activation::Gelu);
    }

    #[divan::bench(args = at(&STATES))]
    fn signs_alone(bencher: Bencher<'_, '_>, At(level, shape): At<Shape>) {
        let input = Image::new(shape, 0);
        let mut words = vec![0u16; input.lanes.len()];
        let layout = input.layout;
        let source = Source { planes: input.planes(), affine: Some(&AFFINE[..shape.0]), activation: None };
        bencher
            .counter(BytesCount::new(input.bytes() + size_of_val(words.as_slice())))
            .bench_local(|| signs(level, &source, 0..shape.1, shape.2, PlanesMut::new(&mut words, layout)));
    }
}

/// One head of ViT-B/16 at 224x224: 197 tokens of 64 features.
mod attention {
    use swapnas_lanes::Strided;
    use swapnas_lanes::kernels::arrange;
    use swapnas_lanes::kernels::line::{self, Axis, Constants, Normalisation};
    use swapnas_lanes::kernels::product::Product;
    use swapnas_lanes::kernels::rows::WriteMode;

    use super::*;

    const TOKENS: usize = 197;
    const FEATURES: usize = 64;

    fn view(dims: [usize; 2]) -> Strided {
        Strided::contiguous(&dims).expect("a small view")
    }

    fn product(bencher: Bencher<'_, '_>, level: Level, product: Product, [a, b, out]: [usize; 3]) {
        let [a, b, mut out] = [a, b, out].map(|lanes| Image::new(Shape(lanes, 1, 1), 0).lanes);
        let operations = 2 * product.macs() as usize * SAMPLES;
        bencher
            .counter(ItemsCount::new(operations))
            .bench_local(|| product.run(level, &a, &b, WriteMode::Overwrite, &mut out));
    }

    #[divan::bench(args = at(&[Shape(FEATURES, 1, TOKENS)]))]
    fn scores(bencher: Bencher<'_, '_>, At(level, Shape(features, _, tokens)): At<Shape>) {
        let heads = view([features, tokens]);
        let of = Product { a: heads.permuted(&[1, 0]), b: heads, out: view([tokens, tokens]) };
        product(bencher, level, of, [features * tokens, features * tokens, tokens * tokens]);
    }

    #[divan::bench(args = at(&[Shape(FEATURES, 1, TOKENS)]))]
    fn weighted_sums(bencher: Bencher<'_, '_>, At(level, Shape(features, _, tokens)): At<Shape>) {
        let heads = view([features, tokens]);
        let of = Product { a: heads, b: view([tokens, tokens]), out: heads };
        product(bencher, level, of, [features * tokens, tokens * tokens, features * tokens]);
    }

    /// Bytes are those that are read and written, once each.
    fn along(bencher: Bencher<'_, '_>, count: usize, mut run: impl FnMut(&[Lane], &mut [Lane])) {
        let input = Image::new(Shape(count, 1, 1), 0);
        let mut out = input.lanes.clone();
        bencher
            .counter(BytesCount::new(2 * input.bytes()))
            .bench_local(|| run(black_box(&input.lanes), &mut out));
    }

    #[divan::bench(args = at(&[Shape(1, TOKENS, TOKENS)]))]
    fn softmax(bencher: Bencher<'_, '_>, At(level, Shape(outer, len, inner)): At<Shape>) {
        let axis = Axis { outer, len, inner };
        along(bencher, axis.elements(), |x, out| line::softmax(level, axis, x, out));
    }

    #[divan::bench(args = at(&[Shape(1, 768, TOKENS)]))]
    fn layer_norm(bencher: Bencher<'_, '_>, At(level, Shape(outer, len, inner)): At<Shape>) {
        let axis = Axis { outer, len, inner };
        let of = Normalisation { axis, epsilon: 1e-6, centred: true };
        let ones = vec![1.0; len];
        let weight = Constants { numbers: ones.as_slice(), direction: None, alike: inner };
        along(bencher, axis.elements(), |x, out| {
            line::normalise(level, &of, x, Some(weight), Some(weight), out);
        });
    }

    #[divan::bench(args = at(&[Shape(768, 1, TOKENS)]))]
    fn transposed(bencher: Bencher<'_, '_>, At(_, Shape(channels, _, tokens)): At<Shape>) {
        let turned = view([channels, tokens]).permuted(&[1, 0]);
        along(bencher, channels * tokens, |x, out| arrange::gather(x, &turned, out));
    }
}
