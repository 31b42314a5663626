use std::error::Error;

use swapnas_graph::RunError;
use swapnas_graph::grad::GradError;
use swapnas_graph::option::{BATCH, INPUTS, SIZE};

/// Why a metric has no value for a network.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Undefined {
    /// The metric looks at ReLUs.
    #[error("the network has no ReLU nor an activation like it")]
    NoRelu,
    /// The metric is of networks of images.
    #[error("the network reads texts, and the metric takes {0}")]
    Texts(&'static str),
    /// The metric looks at attention.
    #[error("the network has no attention: no product of matrices reads a softmax")]
    NoAttention,
    /// The metric looks at feed-forward networks.
    #[error("the network has no feed-forward layer: no activation reads a linear layer")]
    NoFeedForward,
    /// The metric looks at convolutions and linear layers.
    #[error("no convolution and no linear layer has a gradient")]
    NoLayers,
    /// The metric compares images, or texts, with each other.
    #[error("the batch has one sample, and the metric compares samples; give a {BATCH} of two or more")]
    OneImage,
    /// Images that differ in nothing cannot be compared.
    #[error("all images of the batch are the same, and the metric compares them; give other {INPUTS}")]
    SameImages,
    /// Images that the metric must be able to tell apart.
    #[error(
        "images {0} and {1} of the batch, counted from 0, are the same, and the metric is of images that differ"
    )]
    Twins(usize, usize),
    /// The metric compares images of one class.
    #[error(
        "no class has two images that differ, and the metric compares images of one class; raise {BATCH}"
    )]
    Singles,
    /// The metric compares classes.
    #[error("all images are of one class, and with so many classes the metric compares them; raise {BATCH}")]
    OneLabel,
    /// The cross entropy says nothing.
    #[error("the network has one class, so the cross entropy is zero whatever its weights are")]
    OneClass,
    /// The factor of the regularised score is too small for a number.
    #[error(
        "the regularisation factor of {thousands} thousand parameters is too small for a number with mu={mu} \
         and sigma={sigma}; give mu and sigma of the size of the networks"
    )]
    Underflow {
        /// Parameters of the network, in thousands.
        thousands: f64,
        /// The size that is preferred.
        mu: f64,
        /// How much a network may differ from it.
        sigma: f64,
    },
    /// There is no space whose sizes mu and sigma could fit.
    #[error(
        "mu and sigma fit the networks of a space, and there is none; give them, as in swap-reg:mu=20:sigma=400"
    )]
    NoSizes,
    /// The result is infinite or no number.
    #[error("the value is {0}")]
    NotFinite(f64),
    /// Numbers that the result would be made of are infinite or none.
    #[error("{what} are not finite: {place}; give images or weights of a smaller scale")]
    Overflow {
        /// Values or gradients.
        what: &'static str,
        /// Where they are.
        place: String,
    },
    /// A correlation with something that does not vary.
    #[error("{0}, so nothing can be correlated with it")]
    Constant(&'static str),
    /// A logarithm or a quotient of something that is zero.
    #[error("{0} is zero")]
    Zero(&'static str),
    /// The metric counts blocks.
    #[error("the network has no blocks, which are known by the names of modules")]
    NoBlocks,
    /// The metric looks at the shapes of weights.
    #[error("the network has no convolution and no linear layer")]
    NoWeights,
    /// The metric compares blocks.
    #[error("the network has {0} of the blocks that the metric compares; it takes two")]
    Blocks(usize),
    /// Pixels of two blocks that do not belong together.
    #[error(
        "the image before block {0} is not a whole number of times as large as the one after it; give another \
         {SIZE} that every stage divides evenly"
    )]
    Uneven(usize),
    /// A block returns what it gets.
    #[error("block {0} of the network passes its gradient on unchanged")]
    Unchanged(usize),
    /// The network that the metric looks at cannot be built from the architecture.
    #[error("the network for this metric cannot be built: {0}")]
    Unbuildable(String),
    /// A component of an aggregate is undefined.
    #[error("{metric}: {reason}")]
    Component {
        /// The component.
        metric: String,
        /// Why it has no value.
        reason: Box<Undefined>,
    },
    /// The network could not be scored at all.
    #[error("{0}")]
    Refused(String),
    /// What a metric of one's own says.
    #[error("{0}")]
    Stated(String),
    /// What was written down when the network was scored.
    #[error("{0}")]
    Recorded(String),
}

/// What keeps a metric from having a value.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It has none for this network.
    Undefined(Undefined),
    /// The network cannot be run.
    Run(RunError),
    /// Gradients cannot be taken.
    Gradient(GradError),
    /// A metric of one's own has failed.
    Proxy(Box<dyn Error + Send + Sync>),
}

impl From<Undefined> for Failure {
    fn from(reason: Undefined) -> Self {
        Failure::Undefined(reason)
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::NotFinite { place } => {
                Failure::Undefined(Undefined::Overflow { what: "values of the network", place })
            }
            error => Failure::Run(error),
        }
    }
}

impl From<GradError> for Failure {
    fn from(error: GradError) -> Self {
        match error {
            GradError::Run(error) => error.into(),
            GradError::NotFinite { of } => Failure::Undefined(Undefined::Overflow {
                what: "gradients of the network",
                place: format!("those of {of}"),
            }),
            error => Failure::Gradient(error),
        }
    }
}
