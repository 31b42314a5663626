use std::fmt;
use std::io;
use std::path::PathBuf;

use swapnas_graph::option::SKIP_BAD;
use swapnas_graph::{Shape, plain};

use super::MAX_SIDE;
use super::folder::{Skipped, listing};

/// A batch of images that cannot be had.
///
/// The message tells the cause as well, which is therefore no [`source`](std::error::Error::source).
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// A batch without values, or of more than can be held.
    #[error(
        "cannot make {count} images of {shape}: ask for at least one image, one channel and sides of \
         1 to {MAX_SIDE} pixels, and no more than memory holds"
    )]
    Size {
        /// Shape of one image.
        shape: Shape,
        /// Number of images.
        count: usize,
    },
    /// A file or folder that cannot be read.
    #[error("cannot read `{}`: {}; check the path and its permissions", plain(path), plain(&cause.to_string()))]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        cause: io::Error,
    },
    /// Fewer images or texts than the batch needs.
    #[error("`{}` holds {found} {what}, but {needed} are needed; add {what} or draw fewer", plain(path))]
    TooFew {
        /// The file or folder.
        path: PathBuf,
        /// Images or texts, as one says for several.
        what: &'static str,
        /// How many are asked for.
        needed: usize,
        /// How many there are.
        found: u64,
    },
    /// Images in memory of another shape than the network's.
    #[error(
        "the images are {found}, but the network takes {expected}; resize them, or build the network for them"
    )]
    ArrayShape {
        /// Shape of one image as the network needs it.
        expected: Shape,
        /// Shape of each of them.
        found: Shape,
    },
    /// Fewer images in memory than the batch needs.
    #[error("there are {found} images, but {needed} are needed; add images or draw fewer")]
    ArrayTooFew {
        /// Images asked for.
        needed: usize,
        /// Images there are.
        found: usize,
    },
    /// An image asked for by a number beyond the last one.
    #[error("`{}` has no image {index}; ask for one of its {found}, numbered from 0", plain(path))]
    NoSuchImage {
        /// The file or folder.
        path: PathBuf,
        /// Number of the image.
        index: usize,
        /// Images there are.
        found: usize,
    },
    /// A file whose length is not one of the binary CIFAR-10 format.
    #[error(
        "`{}` is no binary CIFAR-10 batch: its {bytes} bytes are not a multiple of 3073 (a label and \
         3x32x32 pixels) above 0; take a file of cifar-10-binary.tar.gz, such as data_batch_1.bin",
        plain(path)
    )]
    Cifar10Length {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
    },
    /// A CIFAR-10 label beyond the ten classes.
    #[error(
        "`{}` is no binary CIFAR-10 batch: image {image} has label {label}, but labels are 0 to 9; take a \
         file of cifar-10-binary.tar.gz, such as data_batch_1.bin",
        plain(path)
    )]
    Cifar10Label {
        /// The file.
        path: PathBuf,
        /// Number of the image in the file, from 0.
        image: usize,
        /// Its label byte.
        label: u8,
    },
    /// A folder without CIFAR-10 training batches.
    #[error(
        "`{}` has no files data_batch_*.bin; give the folder cifar-10-batches-bin, or a batch's file",
        plain(folder)
    )]
    Cifar10Folder {
        /// The folder.
        folder: PathBuf,
    },
    /// Files of a folder that are no pictures, or broken.
    #[error(
        "{} in `{}` cannot be used; replace what is broken, move it away, or leave it out with {SKIP_BAD}:{}",
        counted(bad.len()), plain(folder), listing(bad)
    )]
    Pictures {
        /// The folder.
        folder: PathBuf,
        /// Those that cannot be used.
        bad: Vec<Skipped>,
    },
    /// A folder without pictures.
    #[error(
        "`{}` has no pictures: no file below it ends in .png, .jpg or .jpeg; convert what there is, or give \
         another folder",
        plain(folder)
    )]
    NoPictures {
        /// The folder.
        folder: PathBuf,
    },
    /// A file that does not begin as a NumPy array.
    #[error("`{}` is no NumPy array: {}; write it with numpy.save", plain(path), plain(reason))]
    NpyHeader {
        /// The file.
        path: PathBuf,
        /// What is wrong with the header, in one line.
        reason: String,
    },
    /// A NumPy array of something else than numbers that images are made of.
    #[error("`{}` is an array of {}; save it as float32, float64 or uint8", plain(path), plain(found))]
    NpyType {
        /// The file.
        path: PathBuf,
        /// Its element type, as NumPy writes it.
        found: String,
    },
    /// A NumPy array of another shape than the network needs.
    #[error(
        "`{}` is an array of shape {found:?}, but the network needs [N, {}, {}, {}] (images, channels, \
         height, width); reshape or transpose it",
        plain(path), expected.channels, expected.height, expected.width
    )]
    NpyShape {
        /// The file.
        path: PathBuf,
        /// Shape of one image as the network needs it.
        expected: Shape,
        /// Shape of the array.
        found: Vec<u64>,
    },
    /// A NumPy array whose first index runs fastest.
    #[error("`{}` is in Fortran order; save numpy.ascontiguousarray of the array instead", plain(path))]
    NpyOrder {
        /// The file.
        path: PathBuf,
    },
    /// A NumPy file that ends before its array does.
    #[error(
        "`{}` ends early: its array needs {expected} bytes, but {found} follow the header; save it again",
        plain(path)
    )]
    NpyLength {
        /// The file.
        path: PathBuf,
        /// Bytes of the array as its header describes it.
        expected: u128,
        /// Bytes in the file.
        found: u64,
    },
    /// A NumPy array that is not one of texts as long as these.
    #[error(
        "`{}` is an array of shape {found:?}, but the network needs [N, {length}] (texts, tokens); reshape it",
        plain(path)
    )]
    NpyTexts {
        /// The file.
        path: PathBuf,
        /// Tokens of a text.
        length: usize,
        /// Shape of the array.
        found: Vec<u64>,
    },
    /// A NumPy array of numbers that are no tokens.
    #[error(
        "`{}` is an array of {}, but tokens are whole numbers; save it as int64",
        plain(path),
        plain(found)
    )]
    NpyTokens {
        /// The file.
        path: PathBuf,
        /// Type of its values.
        found: String,
    },
    /// A number that stands for no token.
    #[error(
        "token {place} of text {text}, counted from 0, is {found}, but the network knows the whole numbers from 0 to {}",
        vocabulary - 1
    )]
    Token {
        /// Which text.
        text: usize,
        /// Which of its tokens.
        place: usize,
        /// The number.
        found: f32,
        /// How many tokens the network knows.
        vocabulary: usize,
    },
    /// Images, for a network of texts.
    #[error(
        "the network reads texts, but the input is `{}`; give zipf, or npy:FILE with an array of tokens",
        plain(found)
    )]
    Texts {
        /// The input.
        found: String,
    },
    /// Texts, for a network of images.
    #[error("the input is texts, `{}`, but the network takes images; give images, as spectral", plain(found))]
    NoTexts {
        /// The input.
        found: String,
    },
    /// A NumPy array with a value that no network can work with.
    #[error(
        "`{}`: {place} is {value:?}, {}; replace it by a number that is finite as a 32-bit float",
        plain(path), unfit(*value)
    )]
    NpyValue {
        /// The file.
        path: PathBuf,
        /// Where the value is.
        place: Place,
        /// The value.
        value: f64,
    },
}

pub(super) fn counted(files: usize) -> String {
    format!("{files} file{}", if files == 1 { "" } else { "s" })
}

/// Where a number of a batch of images is; everything is counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Number of the image.
    pub image: u64,
    /// Its channel.
    pub channel: usize,
    /// The row of pixels.
    pub row: usize,
    /// The column of pixels.
    pub column: usize,
}

impl Place {
    /// Where the number with this `index` of an image of some shape is.
    pub(super) fn new(image: u64, shape: Shape, index: usize) -> Self {
        let Shape { height, width, .. } = shape;
        Place { image, channel: index / (height * width), row: index / width % height, column: index % width }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { image, channel, row, column } = self;
        write!(f, "image {image}, channel {channel}, row {row}, column {column}")
    }
}

/// What is wrong with a value that is not finite as a 32-bit float.
pub(super) fn unfit(value: f64) -> &'static str {
    if value.is_nan() {
        "which is no number"
    } else if value.is_infinite() {
        "which is infinite"
    } else {
        "which is too large"
    }
}
