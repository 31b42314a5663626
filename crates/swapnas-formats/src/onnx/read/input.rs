//! What a network takes: images, or texts.

use std::collections::HashSet;

use swapnas_graph::{Shape, plain};

use super::MOST_SIDE;
use super::error::{InputProblem, Limit, ReadError, quote};
use super::texts::{self, Beside};
use crate::onnx::proto::{DataType, Dimension, DimensionValue, Graph, ValueInfo};

/// The images, or texts, that a network is read for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Images {
    /// Those that the file says.
    #[default]
    OfFile,
    /// Of this height and width, with the channels that the file says; of texts, so many tokens.
    Side(usize),
    /// Of this shape; of texts, with one channel and one row.
    Shape(Shape),
}

/// How a file is read.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// What the network is read for.
    pub images: Images,
    /// Names of initialisers that the network does not learn, as the buffers of a module: nothing in the file tells a
    /// table of positions that is computed from one that is learned.
    pub buffers: HashSet<String>,
}

impl From<Images> for Reading {
    /// Every initialiser that may be learned is.
    fn from(images: Images) -> Self {
        Reading { images, buffers: HashSet::new() }
    }
}

/// What a network takes.
pub(super) struct Taken<'m> {
    /// Name of the images, or of the tokens.
    pub name: &'m str,
    /// Size of the batch, if it is fixed.
    pub batch: Option<usize>,
    /// Shape of an image; of a text, one row of so many tokens.
    pub shape: Shape,
    pub is_text: bool,
    /// Other inputs.
    pub beside: Vec<(&'m str, Beside)>,
}

/// What is taken by the network of a file.
pub(super) fn of(
    file: &Graph,
    is_initialiser: impl Fn(&str) -> bool,
    images: Images,
) -> Result<Taken<'_>, ReadError> {
    // In old files, initialisers are inputs as well.
    let inputs: Vec<&ValueInfo> = file.input.iter().filter(|input| !is_initialiser(&input.name)).collect();
    if texts::are_texts(&inputs) {
        return texts::of(&inputs, images);
    }
    let [input] = inputs[..] else { return Err(InputProblem::Count(inputs.len()).into()) };
    let not_images = || not_images(input);
    let floats = [DataType::Float, DataType::Double, DataType::Half, DataType::BFloat16];
    if !kind(input).is_some_and(|kind| floats.contains(&kind)) {
        return Err(not_images().into());
    }
    let &[batch, channels, height, width] = &sizes(input)[..] else { return Err(not_images().into()) };
    let open = |what| InputProblem::Open { what };
    let shape = match images {
        Images::Shape(shape) => {
            if let Some(expected) = channels.filter(|channels| *channels != shape.channels) {
                return Err(InputProblem::Channels { expected, found: shape.channels }.into());
            }
            shape
        }
        Images::Side(side) => Shape::new(channels.ok_or(open("channels"))?, side, side),
        Images::OfFile => {
            let channels = channels.ok_or(open("shape"))?;
            let (Some(height), Some(width)) = (height, width) else {
                return Err(open("height and width").into());
            };
            Shape::new(channels, height, width)
        }
    };
    let sizes = [shape.channels, shape.height, shape.width];
    if sizes.contains(&0) {
        return Err(not_images().into());
    }
    if let Some(size) = sizes.into_iter().map(|size| size as u128).find(|size| *size > MOST_SIDE) {
        return Err(
            Limit { what: "channels, rows or columns of the images", found: size, most: MOST_SIDE }.into()
        );
    }
    Ok(Taken { name: &input.name, batch, shape, is_text: false, beside: Vec::new() })
}

/// The type of the numbers of an input.
pub(super) fn kind(input: &ValueInfo) -> Option<DataType> {
    let tensor = input.r#type.as_ref()?.tensor_type.as_ref()?;
    DataType::try_from(tensor.elem_type).ok()
}

/// The dimensions of an input, fixed or open; none if it has none that can be.
pub(super) fn sizes(input: &ValueInfo) -> Vec<Option<usize>> {
    let tensor = input.r#type.as_ref().and_then(|r#type| r#type.tensor_type.as_ref());
    let dims =
        tensor.and_then(|tensor| tensor.shape.as_ref()).map(|shape| shape.dim.iter().map(size).collect());
    dims.and_then(|dims: Option<Vec<_>>| dims).unwrap_or_default()
}

pub(super) fn not_images(input: &ValueInfo) -> InputProblem {
    InputProblem::NotImages { name: quote(&input.name), found: describe(input) }
}

/// A fixed size, or an open one; `None` if it is none.
fn size(dim: &Dimension) -> Option<Option<usize>> {
    match &dim.value {
        Some(DimensionValue::Size(size)) => Some(Some(usize::try_from(*size).ok().filter(|size| *size > 0)?)),
        Some(DimensionValue::Name(_)) | None => Some(None),
    }
}

/// The type of an input in words.
fn describe(input: &ValueInfo) -> String {
    let Some(tensor) = input.r#type.as_ref().and_then(|r#type| r#type.tensor_type.as_ref()) else {
        return "no tensor".to_owned();
    };
    let kind = match DataType::try_from(tensor.elem_type) {
        Ok(DataType::Int32 | DataType::Int64) => "of whole numbers",
        Ok(DataType::Float | DataType::Double | DataType::Half | DataType::BFloat16) => "of numbers",
        _ => "of another type",
    };
    let Some(shape) = &tensor.shape else { return format!("a tensor {kind} without dimensions") };
    let dims = shape.dim.iter().take(8).map(|dim| match &dim.value {
        Some(DimensionValue::Size(size)) => size.to_string(),
        Some(DimensionValue::Name(name)) => plain(name).to_string(),
        None => "?".to_owned(),
    });
    format!("a tensor {kind} of {} dimensions ({})", shape.dim.len(), dims.collect::<Vec<_>>().join(" x "))
}
