use crate::{Padding, Shape};

/// A network that cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// The kernel does not fit into the image.
    #[error(
        "{node}: the {op} with kernel {}x{} does not fit an image of {input}; use a larger input or fewer strides",
        kernel[0], kernel[1]
    )]
    WindowTooLarge {
        /// Module path of the node.
        node: String,
        /// The operation.
        op: &'static str,
        /// Rows and columns of the kernel.
        kernel: [usize; 2],
        /// Shape of the input.
        input: Shape,
    },
    /// Values of different shapes where one shape is needed.
    #[error("{node}: {op} of values of different shapes, {first} and {other}")]
    ShapeMismatch {
        /// Module path of the node.
        node: String,
        /// The operation.
        op: &'static str,
        /// Shape of the first input.
        first: Shape,
        /// The input that does not fit it.
        other: Shape,
    },
    /// Channels that cannot be divided into groups, sliced or made.
    #[error("{node}: {op} needs {expected}, but the value has {input}")]
    Channels {
        /// Module path of the node.
        node: String,
        /// The operation.
        op: &'static str,
        /// What would be valid.
        expected: String,
        /// Shape of the input.
        input: Shape,
    },
    /// Padding that is negative where it may not be.
    #[error(
        "{node}: the {op} cannot have padding {}, {}, {}, {} (top, left, bottom, right); it takes none below 0, but for \
         output padding, smaller than its stride or dilation", padding.top, padding.left, padding.bottom, padding.right
    )]
    Padding {
        /// Module path of the node.
        node: String,
        /// The operation.
        op: &'static str,
        /// What it was to be.
        padding: Padding,
    },
    /// An operation without inputs.
    #[error("{node}: {op} of nothing")]
    NoInputs {
        /// Module path of the node.
        node: String,
        /// The operation.
        op: &'static str,
    },
}

impl GraphError {
    /// The same of the node with this path; operators do not know where they are.
    pub(crate) fn at(mut self, path: String) -> Self {
        let (GraphError::WindowTooLarge { node, .. }
        | GraphError::ShapeMismatch { node, .. }
        | GraphError::Channels { node, .. }
        | GraphError::Padding { node, .. }
        | GraphError::NoInputs { node, .. }) = &mut self;
        *node = path;
        self
    }
}
