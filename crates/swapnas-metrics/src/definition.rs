//! What a metric is.

use std::cmp::Ordering;
use std::fmt;

use swapnas_graph::{Element, Graph, Init};

use crate::patterns::Of;
use crate::trial::{Sizes, Takes, Trial};
use crate::undefined::Failure;
use crate::{Proxy, Undefined};

/// Which values of a metric are good ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Large values promise accuracy.
    HigherIsBetter,
    /// Small values promise accuracy.
    LowerIsBetter,
}

impl Direction {
    /// Puts the better of two values first.
    pub fn best_first(self, a: f64, b: f64) -> Ordering {
        match self {
            Direction::HigherIsBetter => b.total_cmp(&a),
            Direction::LowerIsBetter => a.total_cmp(&b),
        }
    }

    /// The value, negated if smaller values are better.
    pub fn ascending(self, value: f64) -> f64 {
        match self {
            Direction::HigherIsBetter => value,
            Direction::LowerIsBetter => -value,
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Direction::HigherIsBetter => "higher is better",
            Direction::LowerIsBetter => "lower is better",
        })
    }
}

/// A number that a metric can be given.
#[derive(Clone, Copy, Debug)]
pub struct Argument {
    /// Its name, as in `swap-reg:mu=1.5`.
    pub name: &'static str,
    /// Its value if none is given. `None`: one that fits the sizes of the networks of a space.
    pub default: Option<f64>,
    /// What it means, and in which unit.
    pub meaning: &'static str,
    /// Whether the metric is defined for a value.
    pub allows: fn(f64) -> bool,
    /// The allowed values in words.
    pub allowed: &'static str,
}

impl Argument {
    /// Something that is done (1) or not (0), by default not.
    pub(crate) const fn switch(name: &'static str, meaning: &'static str) -> Argument {
        Argument { name, default: Some(0.0), meaning, allows: |x| x == 0.0 || x == 1.0, allowed: "0 or 1" }
    }

    /// How many images of the batch are used.
    pub(crate) const fn images(default: f64) -> Argument {
        Argument {
            name: "images",
            default: Some(default),
            meaning: "how many images are used, the first ones of the batch",
            allows: |n| (2.0..=4096.0).contains(&n) && n.fract() == 0.0,
            allowed: "a whole number from 2 to 4096",
        }
    }
}

/// All that there is to say about a metric, and the function that computes it.
///
/// Every metric is one static of this type in one file; `swapnas metrics NAME` prints it.
#[derive(Debug)]
pub struct Definition {
    /// The name on the command line.
    pub name: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
    /// The definition.
    pub formula: &'static str,
    /// Where it is defined.
    pub source: &'static str,
    /// Which values are good.
    pub direction: Direction,
    /// What it is computed from, and what that costs.
    pub cost: &'static str,
    /// Where implementations differ, and what this one does.
    pub differences: &'static str,
    /// Numbers it can be given.
    pub arguments: &'static [Argument],
    /// How weights are drawn unless the user asks for something else.
    pub init: Init,
    /// How many sets of weights it is averaged over unless the user asks for another number.
    pub repeats: u32,
    pub(crate) compute: Compute<'static>,
}

/// How a metric is computed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Compute<'m> {
    /// From the graph alone.
    Graph(fn(&Graph) -> Result<f64, Undefined>),
    /// From how many different patterns there are over the batch, if there is a ReLU.
    Patterns { of: Of, compute: fn(&Graph, usize, &[f64]) -> Result<f64, Undefined> },
    /// From passes through a network, in single or in double precision.
    Passes { needs: Needs, takes: Taken, single: Measured<f32>, double: Measured<f64> },
    /// By somebody else, from passes that keep every value of the network.
    Proxy(&'m dyn Proxy),
}

type Measured<E> = fn(&mut Trial<'_, E>, &[f64]) -> Result<f64, Failure>;

type Taken = fn(&Sizes<'_>, &[f64]) -> Takes;

/// A metric that is computed from passes through a network.
pub(crate) trait Measure {
    /// What must be at hand besides the images and the network.
    const NEEDS: Needs = Needs::NONE;

    /// What it reads of a trial, and what it takes of memory besides.
    fn takes(sizes: &Sizes<'_>, arguments: &[f64]) -> Takes;

    /// The value for one network with one set of weights.
    fn measure<E: Element>(trial: &mut Trial<'_, E>, arguments: &[f64]) -> Result<f64, Failure>;
}

impl Compute<'static> {
    /// The function of such a metric.
    pub(crate) const fn passes<M: Measure>() -> Self {
        let (single, double) = (M::measure::<f32>, M::measure::<f64>);
        Compute::Passes { needs: M::NEEDS, takes: M::takes, single, double }
    }
}

/// What metrics look at besides the batch of images and the network that is scored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// A second batch of images.
    pub second: bool,
    /// Noise, and the same with a little noise added.
    pub noise: bool,
    /// The network for one image of 64x64.
    pub response: bool,
    /// The smallest network that the space builds.
    pub smallest: bool,
}

impl Needs {
    pub(crate) const NONE: Needs = Needs { second: false, noise: false, response: false, smallest: false };

    /// Bytes for each number of the images of a batch, where lanes have numbers of so many bytes.
    pub(crate) fn bytes_of_image(self, number: usize) -> usize {
        let picture = size_of::<f32>();
        let mut bytes = picture + number;
        if self.second {
            // It is drawn with the first one.
            bytes += 2 * picture + number;
        }
        if self.noise {
            bytes += picture + 3 * number;
        }
        bytes
    }

    /// What either needs.
    pub(crate) const fn or(self, other: Needs) -> Needs {
        Needs {
            second: self.second || other.second,
            noise: self.noise || other.noise,
            response: self.response || other.response,
            smallest: self.smallest || other.smallest,
        }
    }
}

/// Picks the function for a precision.
pub(crate) trait Precise: Element {
    fn of(single: Measured<f32>, double: Measured<f64>) -> Measured<Self>;
}

impl Precise for f32 {
    fn of(single: Measured<f32>, _double: Measured<f64>) -> Measured<f32> {
        single
    }
}

impl Precise for f64 {
    fn of(_single: Measured<f32>, double: Measured<f64>) -> Measured<f64> {
        double
    }
}
