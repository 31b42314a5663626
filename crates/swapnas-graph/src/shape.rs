use std::fmt;

/// The shape of a value for one sample: channels, height, width.
///
/// Batches are not part of it: a network is described once and run on any number of samples. A
/// feature vector is a 1x1 image; a sequence of tokens is an image of height 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Number of channels.
    pub channels: usize,
    /// Rows of pixels.
    pub height: usize,
    /// Columns of pixels.
    pub width: usize,
}

impl Shape {
    /// A shape of `channels` x `height` x `width`.
    pub const fn new(channels: usize, height: usize, width: usize) -> Self {
        Shape { channels, height, width }
    }

    /// Pixels of one channel.
    pub const fn pixels(self) -> usize {
        self.height * self.width
    }

    /// Elements of one sample: the number of units if the value is a ReLU's.
    pub const fn elements(self) -> usize {
        self.channels * self.pixels()
    }

    /// The same image with another number of channels.
    pub const fn with_channels(self, channels: usize) -> Self {
        Shape { channels, ..self }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.channels, self.height, self.width)
    }
}
