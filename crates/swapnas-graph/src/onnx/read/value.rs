//! What the names of a file stand for.

use super::constant::{Constant, Numbers};
use crate::{Activation, Padding, Shape, ValueId, Window};

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

/// A value of the network, and how the file arranges its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Image {
    pub value: ValueId,
    pub view: View,
}

/// Dimensions after that of the batch. The order of the numbers is the same in all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// Channels, rows, columns.
    Image,
    /// All in one.
    Flat,
    /// Channels, pixels.
    Pixels,
    /// So many groups, the channels of each, rows, columns.
    Groups(usize),
}

impl View {
    pub(super) fn dims(self, shape: Shape) -> Vec<usize> {
        let Shape { channels, height, width } = shape;
        match self {
            View::Image => vec![channels, height, width],
            View::Flat => vec![shape.elements()],
            View::Pixels => vec![channels, shape.pixels()],
            View::Groups(groups) => vec![groups, channels / groups, height, width],
        }
    }

    /// The view in which a value has these dimensions.
    pub(super) fn of(dims: &[usize], shape: Shape) -> Option<Self> {
        let groups = dims.first().copied().filter(|groups| *groups > 0);
        let groups = groups.filter(|groups| shape.channels.is_multiple_of(*groups)).map(View::Groups);
        let views = [View::Image, View::Flat, View::Pixels].into_iter().chain(groups);
        views.into_iter().find(|view| view.dims(shape) == dims)
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
    /// Of the result.
    pub view: View,
    /// What the node is called, and what it returns.
    pub names: [&'m str; 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum LayerKind {
    Conv {
        window: Window,
        groups: usize,
    },
    /// Over the channels of an image of one pixel.
    Linear,
    /// Over all pixels of an image.
    Dense,
}

/// `factor * part(x)`, or `factor * x * part(x)`.
#[derive(Clone, Copy)]
pub(super) struct Term<'m> {
    pub of: Image,
    pub factor: f64,
    pub times_x: bool,
    pub part: Part,
    pub name: &'m str,
    /// The node that made it, for messages.
    pub maker: usize,
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
}

/// Whether two numbers are the same, but for the rounding of single precision.
pub(super) fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * b.abs()
}

impl Term<'_> {
    pub(super) fn complete(&self) -> Option<Complete> {
        let is = |factor: f64| near(self.factor, factor);
        let act = match (self.part, self.times_x) {
            (Part::Same, false) if is(1.0) => return Some(Complete::Same),
            (Part::Act(act), false) if is(1.0) => act,
            (Part::Act(Activation::Sigmoid), true) if is(1.0) => Activation::Silu,
            (Part::Act(Activation::HardSigmoid), true) if is(1.0) => Activation::HardSwish,
            (Part::OnePlusErf, true) if is(0.5) => Activation::Gelu,
            (Part::Ramp, false) if is(1.0 / 6.0) => Activation::HardSigmoid,
            (Part::Ramp, true) if is(1.0 / 6.0) => Activation::HardSwish,
            _ => return None,
        };
        Some(Complete::Act(act))
    }

    /// Whether it is the part and nothing else.
    pub(super) fn is(&self, part: Part) -> bool {
        self.part == part && !self.times_x && near(self.factor, 1.0)
    }

    /// What it is, for messages.
    pub(super) fn describe(&self) -> String {
        let part = match self.part {
            Part::Same => "a product with a constant",
            Part::Act(_) => "an activation times a constant",
            Part::Erf | Part::OnePlusErf => "the error function outside of GELU",
            Part::Plus3 => "the sum with a constant",
            Part::Above0 | Part::Ramp => "a part of hard-swish by itself",
            Part::Below6 => "the minimum of a value and 6",
        };
        part.to_owned()
    }
}
