//! What is computed before the network runs: shapes, indices and constants.

use swapnas_graph::tensor::{self, TensorOp};
use swapnas_graph::{MOST_DIMS, Op, Shape};

use super::MOST_SIDE;
use super::arithmetic::Combine;
use super::attributes::Call;
use super::constant::{Constant, Known, MOST_CONSTANT, MOST_NUMBERS, Number, fixed, known};
use super::error::{Limit, Problem};
use super::pools::normal;
use super::reader::Reader;
use super::shapes::{laid_out, shape_of};
use super::table::{Numbers, Table, common, places_of};
use super::value::{Image, Value};
use super::views::{Common, storage_order};
use crate::onnx::proto::DataType;

/// What numbers are made.
#[derive(Clone, Copy)]
enum To {
    Fractions,
    Whole,
    Truth,
}

/// The most elements of a tensor that is made of one number.
const MOST_FILLED: usize = 1 << 31;

impl<'m> Reader<'m> {
    /// All dimensions.
    fn all_dims(&self, image: Image) -> Vec<Number> {
        let dim = |(axis, size): (usize, &usize)| Number {
            value: *size as i64,
            of_batch: image.batch == Some(axis),
        };
        image.dims().iter().enumerate().map(dim).collect()
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
        let (data, axis) = (call.need(0)?, call.int("axis")?.unwrap_or(0));
        match self.value(data)? {
            Value::Numbers(data) => {
                let gathered = data.gathered(axis, &self.numbers(call.need(1)?)?)?;
                self.set(call, Value::Numbers(gathered))
            }
            Value::Constant(table) if axis == 0 && self.tokens_of_text(call.need(1)?)?.is_some() => {
                let tokens = self.image(call.need(1)?)?;
                self.embedding(call, &table, tokens)
            }
            _ => match self.fractions(data)? {
                Some(data) => {
                    let gathered = data.gathered(axis, &self.numbers(call.need(1)?)?)?;
                    self.set(call, Value::Constant(Constant::listed(gathered)))
                }
                None => self.gather_elements(call),
            },
        }
    }

    pub(super) fn cast(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let name = call.need(0)?;
        let to = match (call.int("to")?, call.input(1)) {
            (Some(kind), _) => {
                match i32::try_from(kind).ok().and_then(|kind| DataType::try_from(kind).ok()) {
                    Some(DataType::Float | DataType::Double | DataType::Half | DataType::BFloat16) => {
                        To::Fractions
                    }
                    Some(DataType::Int32 | DataType::Int64) => To::Whole,
                    Some(DataType::Bool) => To::Truth,
                    _ => {
                        return Err(Problem::unsupported(
                            "this type of numbers",
                            "fractions and whole numbers",
                        ));
                    }
                }
            }
            (None, Some(like)) if matches!(self.value(like)?, Value::Numbers(_)) => To::Whole,
            (None, Some(_)) => To::Fractions,
            (None, None) => return Err(Problem::broken("it does not say into what")),
        };
        if self.tokens_of_text(name)?.is_some() {
            return self.alias(call, name);
        }
        let is = |holds: bool| Number::plain(i64::from(holds));
        match (self.value(name)?, to) {
            (Value::Numbers(_), To::Whole) => self.alias(call, name),
            (Value::Numbers(numbers), To::Truth) => {
                numbers.fixed()?;
                self.set(call, Value::Numbers(numbers.map(|number| is(number.value != 0))))
            }
            (Value::Numbers(numbers), To::Fractions) => {
                numbers.fixed()?;
                let constant = match numbers.items[..] {
                    [number] => Constant::filled(number.value as f64, numbers.dims),
                    _ => Constant::listed(numbers.map(|number| number.value as f32)),
                };
                self.set(call, Value::Constant(constant))
            }
            (_, To::Fractions) => self.alias(call, name),
            // What says yes or no everywhere does so as a number of any type.
            (Value::Built(image), _) if self.says_whether(image) => self.alias(call, name),
            _ => match self.fractions(name)?.filter(|table| table.items.iter().all(|x| x.abs() < 1e15)) {
                // Towards zero, as numbers are made whole.
                Some(table) => self.set(
                    call,
                    Value::Numbers(match to {
                        To::Truth => table.map(|x| is(x != 0.0)),
                        _ => table.map(|x| Number::plain(x as i64)),
                    }),
                ),
                None => Err(Problem::unsupported(
                    "whole numbers of what is computed",
                    "those of what is known before the network runs",
                )),
            },
        }
    }

    /// Whether a value is known before the network runs, and is 0 or 1 everywhere.
    fn says_whether(&self, image: Image) -> bool {
        match &self.builder.nodes()[image.value.index()].op {
            Op::Zero => true,
            Op::Tensor(TensorOp::Constant(tensor::Constant { numbers })) => {
                numbers.iter().all(|x| [0.0, 1.0].contains(&x.number()))
            }
            _ => false,
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
        } else if let Some(numbers) = call.floats("value_floats")? {
            Value::Constant(Constant::listed(Table::list(numbers.to_vec())))
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
        let several = || Problem::broken("its value is not one number");
        let number = match call.tensor("value")?.map(|tensor| known(tensor, false)).transpose()? {
            None => 0.0,
            Some(Known::Floats(constant)) => constant.number().ok_or_else(several)?,
            Some(Known::Numbers(Numbers { items, .. })) => {
                let [number] = items[..] else { return Err(several()) };
                if let Ok(sizes) = shape.fixed() {
                    let dims = filled_dims(&sizes)?;
                    let numbers = Numbers { items: vec![number], dims: Vec::new() }.repeated(&dims)?;
                    return self.set(call, Value::Numbers(numbers));
                }
                number.value as f64
            }
        };
        if let [Number::BATCH, rest @ ..] = &shape.items[..] {
            let rest = fixed(rest)?;
            let size = |size: &i64| {
                usize::try_from(*size).ok().filter(|size| *size > 0 && *size as u128 <= MOST_SIDE)
            };
            let sizes: Option<Vec<usize>> = rest.iter().map(size).collect();
            if let Some(&[channels, height, width]) = sizes.as_deref().filter(|_| number == 0.0) {
                let value = self.builder.zero(Shape::new(channels, height, width));
                return self.set_whole(call, value);
            }
            let dims = filled_dims(&[&[1], &rest[..]].concat())?;
            let image = self.constant_image(&Constant::filled(number, dims))?;
            return self.set(call, Value::Built(Image { batch: Some(0), ..image }));
        }
        let dims = filled_dims(&shape.fixed()?)?;
        self.set(call, Value::Constant(Constant::filled(number, dims)))
    }

    pub(super) fn expand(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let shape = self.numbers(call.need(1)?)?;
        let name = call.need(0)?;
        if let Ok(sizes) = shape.fixed() {
            let wanted = filled_dims(&sizes)?;
            match self.value(name)? {
                Value::Constant(constant) if !constant.is_parameter() => {
                    // One number takes no more room the more often it is there.
                    if let Some(number) = constant.number() {
                        let dims = common(&constant.dims, &wanted)?;
                        let dims = filled_dims(&dims.iter().map(|dim| *dim as i64).collect::<Vec<_>>())?;
                        return self.set(call, Value::Constant(Constant::filled(number, dims)));
                    }
                    if let Some(table) = constant.table() {
                        let repeated = table.repeated(&wanted)?;
                        return self.set(call, Value::Constant(Constant::listed(repeated)));
                    }
                }
                Value::Numbers(numbers) => {
                    return self.set(call, Value::Numbers(numbers.repeated(&wanted)?));
                }
                _ => {}
            }
        }
        let of = self.image(name)?;
        let image = self.repeated(of, &shape.items)?;
        self.set(call, Value::Built(image))
    }

    /// An image with the elements of dimensions of one element repeated.
    pub(super) fn repeated(&mut self, of: Image, wanted: &[Number]) -> Result<Image, Problem> {
        let rank = wanted.len().max(of.dims().len());
        if rank > MOST_DIMS {
            return Err(Problem::broken("a value of too many dimensions"));
        }
        let mut common = Common { dims: vec![1; rank], batch: None, before: of.before };
        for (dim, wanted) in common.dims[rank - wanted.len()..].iter_mut().zip(wanted) {
            // What is there already, where nothing else is wanted.
            *dim = usize::try_from(wanted.value).unwrap_or(1).max(1);
        }
        let before = rank - of.dims().len();
        common.batch = of.batch.map(|axis| axis + before);
        let new_batch = wanted.iter().position(|dim| dim.of_batch).map(|axis| axis + rank - wanted.len());
        if let (Some(axis), Some(size), None) = (common.batch, self.batch, new_batch) {
            // With the size of the batch known, dimensions say it as any other number.
            common.dims[axis] = common.dims[axis].div_ceil(size);
        }
        if common.batch.is_some() && new_batch.is_some() && common.batch != new_batch {
            return Err(self.unequal(&[of]));
        }
        for (dim, size) in common.dims[before..].iter_mut().zip(of.dims()) {
            if *dim != *size && *size != 1 {
                if *dim != 1 {
                    return Err(self.unequal(&[of]));
                }
                *dim = *size;
            }
        }
        let view = self.expanded(of, &common)?;
        Ok(of.with(view, common.batch.or(new_batch)))
    }

    pub(super) fn tile(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let name = call.need(0)?;
        let repeats = self.numbers(call.need(1)?)?.items;
        if let Ok(times) = fixed(&repeats) {
            if let Value::Numbers(numbers) = self.value(name)? {
                return self.set(call, Value::Numbers(numbers.tiled(&times)?));
            }
            if let Some(table) = self.fractions(name)? {
                return self.set(call, Value::Constant(Constant::listed(table.tiled(&times)?)));
            }
        }
        let of = self.image(name)?;
        let fits = repeats.len() == of.dims().len();
        let one = |(axis, repeat): (usize, &Number)| {
            *repeat == Number::plain(1) || of.dims()[axis] == 1 && of.batch != Some(axis)
        };
        if !fits || !repeats.iter().enumerate().all(one) {
            return Err(Problem::unsupported("dimensions that are repeated", "single elements, repeated"));
        }
        let wanted: Vec<Number> = repeats
            .iter()
            .zip(of.dims())
            .map(
                |(repeat, size)| {
                    if *repeat == Number::plain(1) { Number::plain(*size as i64) } else { *repeat }
                },
            )
            .collect();
        let image = self.repeated(of, &wanted)?;
        self.set(call, Value::Built(image))
    }

    /// Elements of a dimension by their indices.
    fn gather_elements(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let axis = call.int("axis")?.unwrap_or(0);
        let (data, indices) = (call.need(0)?, call.need(1)?);
        let indices = self.numbers(indices)?;
        let of = self.image(data)?;
        let axis = normal(axis, of.dims().len())?;
        let image = self.gathered(of, axis, indices)?;
        self.set(call, Value::Built(image))
    }

    /// The elements of a dimension with these indices, whose dimensions take its place.
    fn gathered(&mut self, of: Image, axis: usize, mut indices: Numbers) -> Result<Image, Problem> {
        let size = of.dims()[axis];
        let mut batch =
            of.batch.map(|batch| if batch > axis { batch + indices.dims.len() - 1 } else { batch });
        if of.batch == Some(axis) {
            indices = self.of_first_sample(of, indices)?;
            batch = of.batch;
        }
        let places = indices.fixed()?;
        let places = places.iter().map(|place| normal(*place, size)).collect::<Result<Vec<_>, _>>()?;
        let Some(&first) = places.first() else { return Err(Problem::broken("nothing is gathered")) };
        let steps = places.windows(2).map(|pair| pair[1].checked_sub(pair[0]).filter(|step| *step > 0));
        let steps: Option<Vec<usize>> = steps.collect();
        let even = steps.filter(|steps| steps.windows(2).all(|pair| pair[0] == pair[1]));
        let picked = match even {
            Some(steps) => {
                let step = steps.first().copied().unwrap_or(1);
                of.with(of.view.part(axis, first, places.len(), step), of.batch)
            }
            None => self.picked(of, axis, &places)?,
        };
        let mut dims = picked.dims().to_vec();
        dims.splice(axis..=axis, indices.dims.iter().copied());
        self.in_dims(Image { batch, ..picked }, &dims)
    }

    /// Of indices of all samples, those of the first one, if the others have the same of their own elements: so strides
    /// are written that are known when a network is exported.
    fn of_first_sample(&self, of: Image, indices: Numbers) -> Result<Numbers, Problem> {
        let size = of.batch.map_or(1, |axis| of.dims()[axis]) as i64;
        let samples = self.batch.filter(|samples| indices.dims.first() == Some(samples) && of.before == 1);
        let row = samples.map_or(0, |samples| indices.items.len() / samples);
        let own = |(place, index): (usize, &Number)| {
            let first = indices.items[place % row];
            let shifted = first.value.checked_add((place / row) as i64 * size);
            (0..size).contains(&first.value) && shifted == Some(index.value)
        };
        if row == 0 || !indices.items.iter().enumerate().all(own) {
            return Err(Problem::unsupported("some samples of the batch", "some elements of samples"));
        }
        let mut first = indices.part_of(0, [0, 1, 1])?;
        first.dims[0] = 1;
        Ok(first)
    }

    /// Elements by indices of several dimensions, which are the last dimension of a table.
    pub(super) fn gather_by_tuples(&mut self, call: Call<'m>) -> Result<(), Problem> {
        if call.int("batch_dims")?.unwrap_or(0) != 0 {
            return Err(Problem::unsupported("indices for each sample", "the same for all"));
        }
        let indices = self.numbers(call.need(1)?)?;
        if let Value::Numbers(numbers) = self.value(call.need(0)?)? {
            return self.set(call, Value::Numbers(numbers.at(&indices)?));
        }
        if let Some(table) = self.fractions(call.need(0)?)? {
            return self.set(call, Value::Constant(Constant::listed(table.at(&indices)?)));
        }
        let of = self.image(call.need(0)?)?;
        let depth = indices.dims.last().copied().unwrap_or(0);
        if depth == 0 || depth > of.dims().len() || of.batch.is_some_and(|batch| batch < depth) {
            return Err(Problem::unsupported("this kind of indices", "those of elements of samples"));
        }
        let (outer, inner) = of.dims().split_at(depth);
        let (places, _) = places_of(&indices, of.dims())?;
        let merged: Vec<Number> = places.into_iter().map(|place| Number::plain(place as i64)).collect();
        let dims = indices.dims[..indices.dims.len() - 1].to_vec();
        let flat = [&[outer.iter().product()], inner].concat();
        let batch = of.batch.map(|batch| batch + 1 - depth);
        let of = self.in_dims(Image { batch, ..of }, &flat)?;
        let image = self.gathered(of, 0, Numbers { items: merged, dims })?;
        self.set(call, Value::Built(image))
    }

    /// Elements of a dimension in any order, as a value of their own.
    fn picked(&mut self, of: Image, axis: usize, places: &[usize]) -> Result<Image, Problem> {
        let mut dims = of.dims().to_vec();
        dims[axis] = places.len();
        let elements = dims.iter().fold(1u128, |product, dim| product.saturating_mul(*dim as u128));
        let elements = elements.max(of.view.len() as u128);
        if elements > MOST_CONSTANT as u128 {
            let most = MOST_CONSTANT as u128;
            return Err(Limit { what: "elements that are gathered", found: elements, most }.into());
        }
        // In the order in which they lie, so that channels stay channels.
        let order = storage_order(&of.view);
        let view = of.view.permuted(&order);
        let place = order.iter().position(|other| *other == axis).unwrap_or_default();
        let stored: Vec<usize> = order.iter().map(|axis| dims[*axis]).collect();
        let all: Vec<usize> = view.places().collect();
        let inner: usize = stored[place + 1..].iter().product();
        let rows: usize = stored[..place].iter().product();
        let mut picked = Vec::with_capacity(rows * places.len() * inner);
        for row in 0..rows {
            for index in places {
                let first = (row * of.dims()[axis] + index) * inner;
                picked.extend(all[first..first + inner].iter().map(|place| *place as u32));
            }
        }
        let value = self.builder.pick(of.value, picked.into(), shape_of(&stored))?;
        Ok(Image { value, view: laid_out(&stored, &order), ..of })
    }

    /// Elements of one value or another, by whether a table says so: `x m + y (1 - m)` with 1 and 0 for what it says.
    pub(super) fn choose_elements(
        &mut self,
        call: Call<'m>,
        condition: &Numbers,
        names: [&'m str; 2],
    ) -> Result<(), Problem> {
        let says = condition.fixed()?;
        let mask = |chosen: bool| {
            let items = says.iter().map(|x| if (*x != 0) == chosen { 1.0 } else { 0.0 }).collect();
            Constant::listed(Table { items, dims: condition.dims.clone() })
        };
        let mut parts = Vec::with_capacity(2);
        for (name, chosen) in names.into_iter().zip([true, false]) {
            let mask = self.constant_image(&mask(chosen))?;
            let of = self.image(name)?;
            parts.push(self.combined([of, mask], Combine::Product)?);
        }
        let image = self.combined([parts[0], parts[1]], Combine::Sum)?;
        self.set(call, Value::Built(image))
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
