//! What the names of a file stand for.

use swapnas_graph::{Activation, Padding, Shape, Strided, ValueId, Window};

use super::constant::Constant;
use super::table::Numbers;

/// There is one for each name of a file, so it does not matter that some are larger than others.
#[allow(clippy::large_enum_variant)]
#[derive(Clone)]
pub(super) enum Value<'m> {
    /// A value of the network.
    Built(Image),
    /// One that is built when it is known what becomes of it.
    Pending(Pending<'m>),
    Constant(Constant<'m>),
    Numbers(Numbers),
    /// Parts of a value.
    Parts(Vec<Image>),
}

/// A value of the network, and how the file arranges its elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Image {
    pub value: ValueId,
    /// The elements of one sample in the dimensions of the file. That of the batch is among them, with as many
    /// elements as it has for each sample: one, or more where others were merged into it.
    pub view: Strided,
    /// The dimension of the batch; none of what is the same for every sample.
    pub batch: Option<usize>,
    /// How many elements dimensions had that came before the batch when they were merged with it: the samples of
    /// `50*batch` may be its outer or its inner part, where this is 1 or 50.
    pub before: usize,
}

impl Image {
    /// A value as a batch of images.
    pub(super) fn whole(value: ValueId, shape: Shape) -> Self {
        let Shape { channels, height, width } = shape;
        Image::of(value, &[1, channels, height, width])
    }

    /// A value as a batch of feature vectors.
    pub(super) fn flat(value: ValueId, shape: Shape) -> Self {
        Image::of(value, &[1, shape.elements()])
    }

    /// A value whose elements are in order, with these dimensions, the first of which is the batch.
    pub(super) fn of(value: ValueId, dims: &[usize]) -> Self {
        let view = Strided::contiguous(dims).expect("values have no more elements than can be counted");
        Image { value, view, batch: Some(0), before: 1 }
    }

    /// Whether it is a batch of images, the channels of which are those of a value of this shape.
    pub(super) fn is_whole(&self, shape: Shape) -> bool {
        *self == Image::whole(self.value, shape)
    }

    /// Whether it is a batch of feature vectors of all elements in order.
    pub(super) fn is_flat(&self, shape: Shape) -> bool {
        *self == Image::flat(self.value, shape)
    }

    /// The dimensions, that of the batch included.
    pub(super) fn dims(&self) -> &[usize] {
        self.view.sizes()
    }

    /// The same elements in other dimensions.
    pub(super) fn with(&self, view: Strided, batch: Option<usize>) -> Self {
        Image { view, batch, ..*self }
    }
}

#[derive(Clone)]
pub(super) enum Pending<'m> {
    /// A layer to which a bias may be added.
    Layer(Layer<'m>),
    /// What may become an activation.
    Term(Term<'m>),
    /// Zeros around an image, which may become part of a window.
    Padded { of: Image, padding: Padding, name: &'m str },
}

/// A layer that has weights.
#[derive(Clone)]
pub(super) struct Layer<'m> {
    pub kind: LayerKind,
    pub of: Image,
    pub weight: Constant<'m>,
    /// What the node is called, and what it returns.
    pub names: [&'m str; 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LayerKind {
    Conv {
        window: Window,
        groups: usize,
        /// Whether it is one of lines, which are images of one row.
        is_line: bool,
        /// How many images of a sample lie one below the other, each with its padding, and rows of the result of each.
        parts: Option<[usize; 2]>,
    },
    ConvTranspose {
        window: Window,
        groups: usize,
        is_line: bool,
    },
    /// Over the last dimension.
    Linear,
    /// Over all pixels of an image.
    Dense,
}

/// What a layer's weights are named by: not where its images come from, which what it reads says.
#[derive(Hash)]
pub(super) enum Identity {
    Conv { window: Window, groups: usize },
    ConvTranspose { window: Window, groups: usize },
    Linear,
    Dense,
}

impl LayerKind {
    pub(super) fn identity(self) -> Identity {
        match self {
            LayerKind::Conv { window, groups, .. } => Identity::Conv { window, groups },
            LayerKind::ConvTranspose { window, groups, .. } => Identity::ConvTranspose { window, groups },
            LayerKind::Linear => Identity::Linear,
            LayerKind::Dense => Identity::Dense,
        }
    }

    /// How many channels or features a layer makes by weights of these dimensions.
    pub(super) fn outputs(self, weights: &[usize]) -> usize {
        match self {
            LayerKind::ConvTranspose { groups, .. } => weights[1].saturating_mul(groups),
            LayerKind::Conv { .. } | LayerKind::Linear | LayerKind::Dense => weights[0],
        }
    }
}

/// `factor * part(x)`, or `factor * x * part(x)`.
#[derive(Clone, Copy)]
pub(super) struct Term<'m> {
    pub of: Image,
    pub factor: f64,
    pub times_x: bool,
    pub part: Part,
    pub name: &'m str,
}

/// What activations are put together from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// x.
    Same,
    /// An activation, complete.
    Act(Activation),
    /// erf(x / sqrt 2).
    Erf,
    /// 1 + erf(x / sqrt 2).
    OnePlusErf,
    /// x + 3.
    Plus3,
    /// max(x + 3, 0).
    Above0,
    /// min(max(x + 3, 0), 6).
    Ramp,
    /// min(x, 6).
    Below6,
}

/// What a term is once nothing more is done to it.
pub(super) enum Complete {
    Same,
    Act(Activation),
    /// No activation that is known: to be computed part by part.
    Parts,
}

/// Whether two numbers are the same, but for the rounding of single precision.
pub(super) fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * b.abs()
}

impl Term<'_> {
    pub(super) fn complete(&self) -> Complete {
        let is = |factor: f64| near(self.factor, factor);
        let act = match (self.part, self.times_x) {
            (Part::Same, false) if is(1.0) => return Complete::Same,
            (Part::Act(act), false) if is(1.0) => act,
            (Part::Act(Activation::Sigmoid), true) if is(1.0) => Activation::Silu,
            (Part::Act(Activation::HardSigmoid), true) if is(1.0) => Activation::HardSwish,
            (Part::OnePlusErf, true) if is(0.5) => Activation::Gelu,
            (Part::Ramp, false) if is(1.0 / 6.0) => Activation::HardSigmoid,
            (Part::Ramp, true) if is(1.0 / 6.0) => Activation::HardSwish,
            _ => return Complete::Parts,
        };
        Complete::Act(act)
    }

    /// Whether it is the part and nothing else.
    pub(super) fn is(&self, part: Part) -> bool {
        self.part == part && !self.times_x && near(self.factor, 1.0)
    }
}
