//! What does not depend on images: weights, numbers, and shapes.

use std::borrow::Cow;
use std::sync::Arc;

use super::MOST_PARAMETERS;
use super::error::{Limit, Problem, quote};
use super::table::{Numbers, Table};
use crate::onnx::proto::{DataLocation, DataType, Tensor};

/// The most whole numbers that are computed with at once; shapes have a handful.
pub(super) const MOST_NUMBERS: usize = 1 << 8;

/// The most elements of a table of indices in the file, or of numbers that are no parameter.
pub(super) const MOST_CONSTANT: usize = 1 << 22;

/// A tensor of floating-point numbers.
#[derive(Clone)]
pub(super) struct Constant<'m> {
    data: Data<'m>,
    /// Dimensions, outermost first.
    pub dims: Vec<usize>,
    /// Rows and columns of the matrix whose columns are the file's rows, if it is one.
    transposed: Option<[usize; 2]>,
    /// Whether the network learns it: what is an initialiser and not computed by a node.
    pub learned: bool,
}

/// A tensor of the file, and the order in which it is read: whoever has the same ones has the same numbers.
pub(super) type Stored = (*const Tensor, Option<[usize; 2]>);

#[derive(Clone)]
enum Data<'m> {
    Tensor(&'m Tensor),
    /// What was computed.
    Listed(Arc<[f32]>),
    /// The same number everywhere.
    Filled(f64),
}

/// A whole number, or so many times the size of the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number {
    pub value: i64,
    pub of_batch: bool,
}

impl Number {
    /// The size of the batch.
    pub(super) const BATCH: Number = Number { value: 1, of_batch: true };

    pub(super) fn plain(value: i64) -> Self {
        Number { value, of_batch: false }
    }
}

/// The numbers, if none depends on the batch.
pub(super) fn fixed(items: &[Number]) -> Result<Vec<i64>, Problem> {
    let fixed = |number: &Number| (!number.of_batch).then_some(number.value);
    items.iter().map(fixed).collect::<Option<_>>().ok_or_else(|| {
        Problem::unsupported("something that depends on the size of the batch", "shapes that do")
    })
}

/// The dimensions of a tensor, checked.
fn dims(tensor: &Tensor) -> Result<Vec<usize>, Problem> {
    let size = |dim: &i64| usize::try_from(*dim).ok();
    let dims: Option<Vec<usize>> = tensor.dims.iter().map(size).collect();
    let broken = || {
        Problem::broken(format!("the tensor {} has the dimensions {:?}", quote(&tensor.name), tensor.dims))
    };
    let dims = dims.filter(|dims| dims.len() <= 8).ok_or_else(broken)?;
    // Those beside a dimension of 0 are multiplied as well, before it or without it.
    let elements = dims.iter().fold(1u128, |product, dim| product.saturating_mul((*dim).max(1) as u128));
    if elements > MOST_PARAMETERS {
        return Err(Limit { what: "elements of a tensor", found: elements, most: MOST_PARAMETERS }.into());
    }
    Ok(dims)
}

fn kind(tensor: &Tensor) -> Option<DataType> {
    DataType::try_from(tensor.data_type).ok()
}

pub(super) fn is_external(tensor: &Tensor) -> bool {
    tensor.data_location == i32::from(DataLocation::External)
}

/// Bytes of `raw_data` as pieces of one number each.
fn pieces<const N: usize>(tensor: &Tensor) -> Result<&[[u8; N]], Problem> {
    match tensor.raw_data.as_chunks::<N>() {
        (pieces, []) => Ok(pieces),
        _ => Err(Problem::broken(format!("the tensor {} ends within a number", quote(&tensor.name)))),
    }
}

/// How many numbers of the tensor are in the file.
fn stored(tensor: &Tensor, kind: DataType) -> Result<usize, Problem> {
    let raw = tensor.raw_data.len();
    Ok(match kind {
        DataType::Float if raw > 0 => pieces::<4>(tensor)?.len(),
        DataType::Float => tensor.float_data.len(),
        DataType::Double if raw > 0 => pieces::<8>(tensor)?.len(),
        DataType::Double => tensor.double_data.len(),
        DataType::Half | DataType::BFloat16 if raw > 0 => pieces::<2>(tensor)?.len(),
        DataType::Int64 if raw > 0 => pieces::<8>(tensor)?.len(),
        DataType::Int64 => tensor.int64_data.len(),
        DataType::Int32 if raw > 0 => pieces::<4>(tensor)?.len(),
        DataType::Bool if raw > 0 => raw,
        DataType::Int32 | DataType::Bool | DataType::Half | DataType::BFloat16 => tensor.int32_data.len(),
        DataType::Undefined => 0,
    })
}

/// A tensor of the file as far as networks have use for it.
pub(super) enum Known<'m> {
    Floats(Constant<'m>),
    Numbers(Numbers),
}

/// Looks at a tensor; `learned` if it is an initialiser.
pub(super) fn known<'m>(tensor: &'m Tensor, learned: bool) -> Result<Known<'m>, Problem> {
    let dims = dims(tensor)?;
    let elements: usize = dims.iter().product();
    let name = || quote(&tensor.name);
    let Some(kind) = kind(tensor).filter(|kind| *kind != DataType::Undefined) else {
        return Err(Problem::unsupported(
            format!("the tensor {} of type {}", name(), tensor.data_type),
            "floating-point numbers, whole numbers of 32 and 64 bits",
        ));
    };
    // Numbers may be in another file: weights are drawn, so that nobody needs them.
    if !is_external(tensor) {
        let found = stored(tensor, kind)?;
        if found != elements {
            let text = format!("the tensor {} has {found} numbers for {elements} elements", name());
            return Err(Problem::broken(text));
        }
    }
    if matches!(kind, DataType::Float | DataType::Double | DataType::Half | DataType::BFloat16) {
        let data = Data::Tensor(tensor);
        return Ok(Known::Floats(Constant { data, dims, transposed: None, learned }));
    }
    if is_external(tensor) {
        return Err(Problem::unsupported(
            format!("the tensor {} of whole numbers in another file", name()),
            "weights in another file",
        ));
    }
    if elements > MOST_CONSTANT {
        return Err(Problem::unsupported(
            format!("the tensor {} of whole numbers with dimensions {dims:?}", name()),
            "shapes and indices, of a few numbers",
        ));
    }
    let items: Vec<i64> = match kind {
        DataType::Int64 if tensor.raw_data.is_empty() => tensor.int64_data.clone(),
        DataType::Int64 => pieces(tensor)?.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect(),
        DataType::Int32 if !tensor.raw_data.is_empty() => {
            pieces(tensor)?.iter().map(|bytes| i32::from_le_bytes(*bytes).into()).collect()
        }
        DataType::Bool if !tensor.raw_data.is_empty() => {
            tensor.raw_data.iter().map(|byte| (*byte).into()).collect()
        }
        _ => tensor.int32_data.iter().map(|number| (*number).into()).collect(),
    };
    let items = items.into_iter().map(Number::plain).collect();
    Ok(Known::Numbers(Numbers { items, dims }))
}

impl<'m> Constant<'m> {
    /// The same number everywhere.
    pub(super) fn filled(number: f64, dims: Vec<usize>) -> Self {
        Constant { data: Data::Filled(number), dims, transposed: None, learned: false }
    }

    /// Numbers that were computed.
    pub(super) fn listed(Table { items, dims }: Table<f32>) -> Self {
        Constant { data: Data::Listed(items.into()), dims, transposed: None, learned: false }
    }

    /// The numbers, if the network does not learn them and they are few enough to compute with.
    pub(super) fn table(&self) -> Option<Table<f32>> {
        let few = !self.learned && self.elements() <= MOST_CONSTANT;
        few.then(|| self.numbers().ok().map(|items| Table { items, dims: self.dims.clone() }))?
    }

    pub(super) fn elements(&self) -> usize {
        self.dims.iter().product()
    }

    /// The same numbers with other dimensions; they have to be as many.
    pub(super) fn with_dims(&self, dims: Vec<usize>) -> Self {
        Constant { dims, ..self.clone() }
    }

    /// Rows and columns exchanged.
    pub(super) fn transposed(&self) -> Result<Self, Problem> {
        let &[rows, columns] = self.dims.as_slice() else {
            return Err(Problem::unsupported(
                format!("transposed weights of dimensions {:?}", self.dims),
                "those of two dimensions",
            ));
        };
        let transposed = self.transposed.is_none().then_some([columns, rows]);
        Ok(Constant { dims: vec![columns, rows], transposed, ..self.clone() })
    }

    /// The name in the file.
    pub(super) fn name(&self) -> Option<&'m str> {
        match self.data {
            Data::Tensor(tensor) => Some(&tensor.name),
            Data::Filled(_) | Data::Listed(_) => None,
        }
    }

    /// Whether the network learns it, where it is no weight of a layer: an initialiser, but not a mask, which has two
    /// different numbers, nor a number by itself that an exporter has named.
    pub(super) fn is_parameter(&self) -> bool {
        let Data::Tensor(tensor) = self.data else { return false };
        if !self.learned {
            return false;
        }
        if self.elements() == 1 {
            return !self.dims.is_empty() && tensor.name.contains('.');
        }
        let Ok(numbers) = self.numbers() else { return true };
        let Some(first) = numbers.first() else { return false };
        let other = numbers.iter().find(|x| *x != first);
        other.is_none_or(|other| numbers.iter().any(|x| x != first && x != other))
    }

    /// What is stored in the file, if that is what it is.
    pub(super) fn stored(&self) -> Option<Stored> {
        match self.data {
            Data::Tensor(tensor) => Some((tensor, self.transposed)),
            Data::Filled(_) | Data::Listed(_) => None,
        }
    }

    /// Whether its numbers are known, and not all the same.
    pub(super) fn varies(&self) -> bool {
        self.numbers().is_ok_and(|numbers| numbers.iter().any(|x| *x != numbers[0]))
    }

    /// The number that all elements are, if they are few or known to be alike.
    pub(super) fn number(&self) -> Option<f64> {
        match &self.data {
            Data::Filled(number) => Some(*number),
            Data::Listed(numbers) => match **numbers {
                [number] => Some(number.into()),
                _ => None,
            },
            Data::Tensor(tensor) if self.elements() == 1 && !is_external(tensor) => {
                self.numbers().ok()?.first().map(|x| f64::from(*x))
            }
            Data::Tensor(_) => None,
        }
    }

    /// Whether all elements are this number.
    pub(super) fn is_all(&self, number: f32) -> bool {
        match self.data {
            Data::Filled(filled) => filled == f64::from(number),
            Data::Tensor(_) | Data::Listed(_) => {
                self.numbers().is_ok_and(|numbers| numbers.iter().all(|x| *x == number))
            }
        }
    }

    /// All numbers in the order of the dimensions; says why if they cannot be had.
    pub(super) fn numbers(&self) -> Result<Vec<f32>, String> {
        let tensor = match &self.data {
            Data::Filled(number) => return Ok(vec![*number as f32; self.elements()]),
            Data::Listed(numbers) => return Ok(self.in_order(numbers.to_vec())),
            Data::Tensor(tensor) => *tensor,
        };
        if is_external(tensor) {
            return Err("they are in another file; export the model as a single one".to_owned());
        }
        let broken = |problem: Problem| problem.to_string();
        let numbers: Cow<'_, [f32]> = match kind(tensor) {
            Some(DataType::Float) if tensor.raw_data.is_empty() => Cow::Borrowed(&tensor.float_data),
            Some(DataType::Float) => {
                let pieces = pieces(tensor).map_err(broken)?;
                pieces.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
            }
            Some(DataType::Double) if tensor.raw_data.is_empty() => {
                tensor.double_data.iter().map(|x| *x as f32).collect()
            }
            Some(DataType::Double) => {
                let pieces = pieces(tensor).map_err(broken)?;
                pieces.iter().map(|bytes| f64::from_le_bytes(*bytes) as f32).collect()
            }
            _ => return Err("they have 16 bits; export the model in single precision".to_owned()),
        };
        Ok(self.in_order(numbers.into_owned()))
    }

    /// Numbers in the order of the dimensions.
    fn in_order(&self, numbers: Vec<f32>) -> Vec<f32> {
        let Some([rows, columns]) = self.transposed else { return numbers };
        let places = (0..numbers.len()).map(|place| place % columns * rows + place / columns);
        places.map(|place| numbers[place]).collect()
    }
}
