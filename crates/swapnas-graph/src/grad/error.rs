use crate::{RunError, Shape, ValueId};

/// A gradient that cannot be computed.
#[derive(Debug, thiserror::Error)]
pub enum GradError {
    /// The network cannot be run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Not one label for every sample.
    #[error("the batch has {samples} samples, but there are {labels} labels; give one label per sample")]
    LabelCount {
        /// Samples of the batch.
        samples: usize,
        /// Labels given.
        labels: usize,
    },
    /// A label beyond the classes.
    #[error("label {label} of sample {sample} names none of the {classes} classes, which count from 0")]
    Label {
        /// The sample.
        sample: usize,
        /// Its label.
        label: usize,
        /// Number of classes.
        classes: usize,
    },
    /// A sample beyond the batch.
    #[error("the batch has {samples} samples, counted from 0, so there is no sample {sample}")]
    Sample {
        /// The sample asked for.
        sample: usize,
        /// Samples of the batch.
        samples: usize,
    },
    /// Not one number for every element of a value.
    #[error("the gradient of value {} over the batch has {expected} numbers, but {found} were given", value.index())]
    GradientSize {
        /// The value.
        value: ValueId,
        /// Elements of the value for all samples.
        expected: usize,
        /// Numbers given.
        found: usize,
    },
    /// A loss of no numbers.
    #[error("the loss is of a value of shape {shape}, which has no elements; give images with pixels")]
    NoElements {
        /// Shape of the value for one sample.
        shape: Shape,
    },
    /// A value that was not announced when the plan was made.
    #[error("value {} is not kept by the plan; name it in `Want::values` when making the plan", value.index())]
    NotKept {
        /// The value.
        value: ValueId,
    },
    /// Numbers on the way back are infinite or none.
    #[error(
        "gradients of the network are not finite: those of {of}; give images or weights of a smaller scale"
    )]
    NotFinite {
        /// What they are the gradients of.
        of: String,
    },
    /// A network without outputs has no loss.
    #[error("the network has no outputs, so there is nothing to take the gradient of")]
    NoOutputs,
}
