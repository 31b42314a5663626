use super::{Lowered, Operator, Work};
use crate::{GraphError, Key, Shape, ValueId};

/// Channels `start .. start + shape.channels` of a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Slice {
    /// First channel.
    pub start: usize,
}

impl Slice {
    /// The shape of so many channels of an image.
    pub(crate) fn shape(&self, input: Shape, channels: usize) -> Result<Shape, GraphError> {
        let Slice { start } = *self;
        if channels > 0 && start + channels <= input.channels {
            return Ok(input.with_channels(channels));
        }
        let expected = format!("channels {start} to {}", start + channels);
        Err(GraphError::Channels { node: String::new(), op: "channel slice", expected, input })
    }
}

impl Operator for Slice {
    fn name(&self) -> &'static str {
        "channel slice"
    }

    fn attributes(&self) -> Key {
        Key::of(self.start)
    }

    fn lowered(&self, _value: ValueId, _input: Shape) -> Lowered {
        Lowered::Compute(Work::Slice { start: self.start })
    }
}
