use std::fmt;

use swapnas_graph::option::SIZE;
use swapnas_graph::{GraphError, Shape, plain};

/// An ONNX file that cannot be read as a network.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is something else, or its end is missing.
    #[error("this is no ONNX file, or not all of it: {0}")]
    Format(String),
    /// A file without a network, as any file may look that happens to be well-formed.
    #[error("this is no ONNX file: there is no graph in it")]
    NoGraph,
    /// Operators that mean something else today.
    #[error("the file has version {0} of the operators of ONNX; export it with 7 or a later one")]
    Version(i64),
    /// The network does not take one batch of images.
    #[error("{0}")]
    Input(#[from] InputProblem),
    /// The network returns nothing that depends on its images.
    #[error("the network returns {0}; its first output has to be computed from its images")]
    Output(String),
    /// A number that no network has, or that would only exhaust the memory.
    #[error(transparent)]
    Limit(#[from] Limit),
    /// A node that cannot be understood.
    #[error("{node}: {problem}")]
    Node {
        /// Which.
        node: NodeName,
        /// Why.
        problem: Box<Problem>,
    },
    /// Numbers of a parameter that are not at hand.
    #[error("the numbers of {name} cannot be read: {reason}")]
    Weights {
        /// The parameter.
        name: String,
        /// Why.
        reason: String,
    },
}

/// What is wrong with the inputs of a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputProblem {
    /// None or several.
    #[error(
        "the network takes {0} inputs; networks are supported that take one, a batch of images, or the tokens of texts \
         with what is called a mask, type or position of them"
    )]
    Count(usize),
    /// Not a batch of images.
    #[error(
        "the input {name} is {found}; networks are supported that take images, batch x channels x height x width, or \
         texts, whole numbers of batch x tokens"
    )]
    NotImages {
        /// The input.
        name: String,
        /// Its type and dimensions.
        found: String,
    },
    /// Sizes that the file does not say.
    #[error("the file leaves the {what} of the images open; give them, as in {}", SIZE.of(&[3, 224, 224]))]
    Open {
        /// Channels, or height and width.
        what: &'static str,
    },
    /// Lengths of texts that the file does not say.
    #[error("the file leaves the length of the texts open; give it, as in {}", SIZE.of(&[128]))]
    Length,
    /// A network of texts that is to be shown images.
    #[error("the network takes texts, not images; give the number of their tokens, as in {}", SIZE.of(&[128]))]
    Texts,
    /// Another number of channels.
    #[error("the network takes images of {expected} channels, not of {found}")]
    Channels {
        /// What the file says.
        expected: usize,
        /// What was asked for.
        found: usize,
    },
}

/// A node of the file, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeName {
    /// Its number in the file, from 1 on.
    pub number: usize,
    /// Its operator.
    pub operator: String,
    /// Its name, which may be empty.
    pub name: String,
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {}, {}", self.number, plain(&self.operator))?;
        if self.name.is_empty() { Ok(()) } else { write!(f, " {}", quote(&self.name)) }
    }
}

/// A network that is too large.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {found}; the most is {most}")]
pub struct Limit {
    /// What there is too much of.
    pub what: &'static str,
    /// How much there is.
    pub found: u128,
    /// How much there may be.
    pub most: u128,
}

/// Why a node cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// An operator that networks here do not have.
    #[error("the operator is not supported; {0}")]
    Operator(&'static str),
    /// An operator that is not one of ONNX.
    #[error("the operator belongs to the domain {0}; those of ONNX itself are supported")]
    Domain(String),
    /// Something that an operator may do, but not here.
    #[error("{found} cannot be expressed here; supported: {supported}")]
    Unsupported {
        /// What is asked for.
        found: String,
        /// What can be had.
        supported: &'static str,
    },
    /// A linear layer that was made for more or fewer numbers.
    #[error(
        "the linear layer takes {expected} numbers, but gets {} ({found}); give images of the size that it is made for",
        found.elements()
    )]
    Size {
        /// How many numbers it takes.
        expected: usize,
        /// What it gets.
        found: Shape,
    },
    /// Something that no ONNX file should have.
    #[error("the file is broken: {0}")]
    Broken(String),
    /// Parts that do not fit together, as may happen where the size of images is not the one of the file.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// Too much of something.
    #[error(transparent)]
    Limit(#[from] Limit),
}

impl Problem {
    pub(super) fn unsupported(found: impl Into<String>, supported: &'static str) -> Self {
        Problem::Unsupported { found: found.into(), supported }
    }

    pub(super) fn broken(what: impl Into<String>) -> Self {
        Problem::Broken(what.into())
    }
}

/// What is said of operators that are not supported: what networks may have instead.
pub(super) fn hint(operator: &str) -> &'static str {
    match operator {
        "If" | "Loop" | "Scan" => "networks without control flow are",
        "RandomNormal" | "RandomUniform" | "RandomNormalLike" | "RandomUniformLike" | "Bernoulli"
        | "Multinomial" => {
            "networks that draw no random numbers are: export the model in evaluation mode, as after model.eval()"
        }
        "QLinearConv" | "QuantizeLinear" | "DequantizeLinear" | "ConvInteger" | "MatMulInteger" => {
            "networks of floating-point numbers are: export the model before it is quantised"
        }
        "Attention" | "MultiHeadAttention" | "RotaryEmbedding" => {
            "attention is where it is written as products of matrices: export the model for version 20 of the operators"
        }
        "Upsample" | "GridSample" => "images are made larger by Resize and ConvTranspose",
        "LRN" => "of normalisations, those of batches, layers, groups and instances are, and RMSNorm",
        "LSTM" | "GRU" | "RNN" => "feed-forward networks are",
        _ => {
            "those of networks of images are: convolutions, products of matrices, normalisations, activations, pools, \
             sums, products, functions of elements, and what takes values apart and puts them together"
        }
    }
}

/// A text of the file in backticks, as messages show it.
pub(super) fn quote(text: &str) -> String {
    format!("`{}`", plain(text))
}
