//! What is computed before the network runs: shapes, indices and constants.

use super::MOST_SIDE;
use super::attributes::Call;
use super::constant::{Constant, Known, MOST_NUMBERS, Number, Numbers, fixed, known};
use super::error::{Limit, Problem, quote};
use super::pools::normal;
use super::reader::Reader;
use super::value::{Image, Value, View};
use crate::Shape;
use crate::onnx::proto::DataType;

/// The most elements of a tensor that is made of one number.
const MOST_FILLED: usize = 1 << 31;

/// What is computed of whole numbers.
pub(super) type Arithmetic = fn(Number, Number) -> Option<Number>;

impl<'m> Reader<'m> {
    /// All dimensions, that of the batch included.
    fn all_dims(&self, image: Image) -> Vec<Number> {
        let dims = self.dims(image).into_iter().map(|dim| Number::plain(dim as i64));
        [Number::BATCH].into_iter().chain(dims).collect()
    }

    pub(super) fn shape_node(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let name = call.need(0)?;
        let dims = match self.value(name)? {
            Value::Constant(constant) => constant.dims.iter().map(|dim| Number::plain(*dim as i64)).collect(),
            Value::Numbers(numbers) => numbers.dims.iter().map(|dim| Number::plain(*dim as i64)).collect(),
            _ => {
                let image = self.image(name)?;
                self.all_dims(image)
            }
        };
        let rank = dims.len() as i64;
        let bound = |bound: i64| (if bound < 0 { bound.saturating_add(rank) } else { bound }).clamp(0, rank);
        let start = bound(call.int("start")?.unwrap_or(0)) as usize;
        let end = bound(call.int("end")?.unwrap_or(rank)) as usize;
        let items = dims.get(start..end).unwrap_or_default().to_vec();
        self.set(call, Value::Numbers(Numbers::list(items)))
    }

    pub(super) fn gather(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let data = self.numbers(call.need(0)?)?;
        let indices = self.numbers(call.need(1)?)?;
        if data.dims.len() != 1 || call.int("axis")?.unwrap_or(0) != 0 {
            return Err(Problem::broken("there is no such dimension"));
        }
        let places = indices.fixed()?;
        let place = |place: &i64| normal(*place, data.items.len()).map(|place| data.items[place]);
        let items = places.iter().map(place).collect::<Result<_, _>>()?;
        self.set(call, Value::Numbers(Numbers { items, dims: indices.dims }))
    }

    pub(super) fn cast(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let name = call.need(0)?;
        let floats = |kind: i64| {
            let kind = i32::try_from(kind).ok().and_then(|kind| DataType::try_from(kind).ok());
            match kind {
                Some(DataType::Float | DataType::Double | DataType::Half | DataType::BFloat16) => Some(true),
                Some(DataType::Int32 | DataType::Int64) => Some(false),
                _ => None,
            }
        };
        let to_floats = match (call.int("to")?, call.input(1)) {
            (Some(kind), _) => floats(kind),
            (None, Some(like)) => Some(!matches!(self.value(like)?, Value::Numbers(_))),
            (None, None) => return Err(Problem::broken("it does not say into what")),
        };
        match (self.value(name)?, to_floats) {
            (Value::Numbers(_), Some(false)) => self.alias(call, name),
            (Value::Numbers(Numbers { items, dims }), Some(true)) => match items[..] {
                [number] if !number.of_batch => {
                    self.set(call, Value::Constant(Constant::filled(number.value as f64, dims)))
                }
                _ => Err(Problem::unsupported("a shape that becomes fractional", "whole sizes")),
            },
            (Value::Constant(constant), Some(false)) if constant.number().is_some_and(|x| x.abs() < 1e15) => {
                // Towards zero, as numbers are made whole.
                let number = Number::plain(constant.number().unwrap_or_default() as i64);
                self.set(call, Value::Numbers(Numbers { items: vec![number], dims: constant.dims }))
            }
            (Value::Constant(_) | Value::Built(_) | Value::Pending(_), Some(true)) => self.alias(call, name),
            _ => Err(Problem::unsupported(
                "this change of type",
                "changes between types of floating-point numbers",
            )),
        }
    }

    pub(super) fn constant_node(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let value = if let Some(tensor) = call.tensor("value")? {
            match known(tensor, false)? {
                Known::Floats(constant) => Value::Constant(constant),
                Known::Numbers(numbers) => Value::Numbers(numbers),
            }
        } else if let Some(number) = call.float("value_float")? {
            Value::Constant(Constant::filled(number, Vec::new()))
        } else if let Some(&[first, ref others @ ..]) = call.floats("value_floats")? {
            if others.iter().any(|other| *other != first) {
                return Err(Problem::unsupported("a list of different numbers", "tensors"));
            }
            Value::Constant(Constant::filled(first.into(), vec![1 + others.len()]))
        } else if let Some(number) = call.int("value_int")? {
            Value::Numbers(Numbers { items: vec![Number::plain(number)], dims: Vec::new() })
        } else if let Some(numbers) = call.ints("value_ints")? {
            if numbers.len() > MOST_NUMBERS {
                let (found, most) = (numbers.len() as u128, MOST_NUMBERS as u128);
                return Err(Limit { what: "numbers of a shape", found, most }.into());
            }
            Value::Numbers(Numbers::list(numbers.iter().copied().map(Number::plain).collect()))
        } else {
            return Err(Problem::unsupported("a constant of this kind", "tensors and numbers"));
        };
        self.set(call, value)
    }

    pub(super) fn constant_of_shape(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let shape = self.numbers(call.need(0)?)?;
        let number = match call.tensor("value")?.map(|tensor| known(tensor, false)).transpose()? {
            None => Constant::filled(0.0, Vec::new()),
            Some(Known::Floats(constant)) => constant,
            Some(Known::Numbers(Numbers { items, .. })) => {
                let ([number], [len]) = (&items[..], &shape.fixed()?[..]) else {
                    return Err(Problem::unsupported("a table of whole numbers", "lists of whole numbers"));
                };
                let len = usize::try_from(*len).ok().filter(|len| *len <= MOST_NUMBERS);
                let len = len.ok_or_else(|| Problem::broken("a list cannot be of this length"))?;
                let items = vec![*number; len];
                return self.set(call, Value::Numbers(Numbers::list(items)));
            }
        };
        let number = number.number().ok_or_else(|| Problem::broken("its value is not one number"))?;
        if let [Number::BATCH, rest @ ..] = &shape.items[..] {
            let rest = fixed(rest)?;
            let size = |size: &i64| {
                usize::try_from(*size).ok().filter(|size| *size > 0 && *size as u128 <= MOST_SIDE)
            };
            let sizes: Option<Vec<usize>> = rest.iter().map(size).collect();
            let Some(&[channels, height, width]) = sizes.as_deref().filter(|_| number == 0.0) else {
                return Err(Problem::unsupported("a batch of constants", "images of zeros"));
            };
            let value = self.builder.zero(Shape::new(channels, height, width));
            return self.set_image(call, value, View::Image);
        }
        let dims = filled_dims(&shape.fixed()?)?;
        self.set(call, Value::Constant(Constant::filled(number, dims)))
    }

    pub(super) fn expand(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let shape = self.numbers(call.need(1)?)?;
        let name = call.need(0)?;
        match self.value(name)? {
            Value::Constant(constant) if constant.number().is_some() => {
                let wanted = filled_dims(&shape.fixed()?)?;
                let rank = wanted.len().max(constant.dims.len());
                let at = |dims: &[usize], place: usize| {
                    (place + dims.len()).checked_sub(rank).map_or(1, |place| dims[place])
                };
                let dims = (0..rank).map(|place| at(&wanted, place).max(at(&constant.dims, place)));
                let dims: Vec<usize> = dims.collect();
                let number = constant.number().unwrap_or_default();
                let dims = filled_dims(&dims.iter().map(|dim| *dim as i64).collect::<Vec<_>>())?;
                self.set(call, Value::Constant(Constant::filled(number, dims)))
            }
            Value::Numbers(numbers) if numbers.items.len() == 1 => match shape.fixed()?[..] {
                [] => self.alias(call, name),
                [len] if (1..=MOST_NUMBERS as i64).contains(&len) => {
                    let items = vec![numbers.items[0]; len as usize];
                    self.set(call, Value::Numbers(Numbers::list(items)))
                }
                _ => Err(Problem::unsupported("a table of whole numbers", "lists of whole numbers")),
            },
            _ => Err(Problem::unsupported(format!("{} repeated", quote(name)), "single numbers, repeated")),
        }
    }

    /// Computes something of numbers, one by one.
    pub(super) fn compute(
        &mut self,
        call: Call<'m>,
        a: &Numbers,
        b: &Numbers,
        arithmetic: Arithmetic,
    ) -> Result<(), Problem> {
        if a.dims.len() > 1 || b.dims.len() > 1 {
            return Err(Problem::unsupported("a table of whole numbers", "lists of whole numbers"));
        }
        let len = match [a.items.len(), b.items.len()] {
            [1, len] | [len, 1] => len,
            [a, b] if a == b => a,
            [a, b] => return Err(Problem::broken(format!("{a} and {b} numbers"))),
        };
        let of = |numbers: &Numbers, i: usize| numbers.items[if numbers.items.len() == 1 { 0 } else { i }];
        let items: Option<Vec<Number>> = (0..len).map(|i| arithmetic(of(a, i), of(b, i))).collect();
        let items = items.ok_or_else(|| {
            Problem::unsupported(
                "a size that is computed this way",
                "whole sizes, and multiples of the batch",
            )
        })?;
        let dims = if a.dims.len() >= b.dims.len() { a.dims.clone() } else { b.dims.clone() };
        self.set(call, Value::Numbers(Numbers { items, dims }))
    }
}

/// Dimensions of a tensor that is made of one number.
fn filled_dims(sizes: &[i64]) -> Result<Vec<usize>, Problem> {
    let dims: Option<Vec<usize>> = sizes.iter().map(|size| usize::try_from(*size).ok()).collect();
    let fits = |dims: &Vec<usize>| {
        let elements = dims.iter().try_fold(1usize, |product, dim| product.checked_mul(*dim));
        dims.len() <= 8 && elements.is_some_and(|elements| elements <= MOST_FILLED)
    };
    dims.filter(fits).ok_or_else(|| Problem::broken(format!("a tensor cannot have the dimensions {sizes:?}")))
}
