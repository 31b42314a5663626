//! Elements in other dimensions, which costs nothing unless they have to be moved.

use swapnas_graph::{MOST_DIMS, Shape, Strided};

use super::attributes::Call;
use super::constant::{Constant, Number, fixed};
use super::error::{Limit, Problem};
use super::pools::normal;
use super::reader::Reader;
use super::value::{Image, Value};
use super::views::tokens_view;

impl<'m> Reader<'m> {
    pub(super) fn flatten(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let of = self.image(call.need(0)?)?;
        let axis = call.int("axis")?.unwrap_or(1);
        let axis =
            if axis == of.dims().len() as i64 { axis as usize } else { normal(axis, of.dims().len())? };
        let (before, behind) = of.dims().split_at(axis);
        let of_batch = of.batch.is_some_and(|batch| batch < axis);
        let size = |dims: &[usize]| dims.iter().product::<usize>() as i64;
        let wanted = [
            Number { value: size(before), of_batch },
            Number { value: size(behind), of_batch: of.batch.is_some() && !of_batch },
        ];
        let image = self.reshaped(of, &wanted)?;
        self.set(call, Value::Built(image))
    }

    pub(super) fn reshape(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let wanted = match call.input(1) {
            Some(name) => self.numbers(name)?.items,
            None => {
                let attribute = call.ints("shape")?.ok_or_else(|| Problem::broken("it has no shape"))?;
                attribute.iter().map(|dim| Number::plain(*dim)).collect()
            }
        };
        let copies = !call.switch("allowzero", false)?;
        let name = call.need(0)?;
        match self.value(name)? {
            Value::Constant(constant) => {
                let wanted = fixed(&wanted)?;
                let dims = resolve(&wanted, &constant.dims, copies)?;
                self.set(call, Value::Constant(constant.with_dims(dims)))
            }
            Value::Numbers(numbers) => {
                let wanted = fixed(&wanted)?;
                let dims = resolve(&wanted, &numbers.dims, copies)?;
                self.set(call, Value::Numbers(numbers.with_dims(dims)))
            }
            _ => {
                let of = self.image(name)?;
                let mut copied = wanted;
                for (axis, dim) in copied.iter_mut().enumerate() {
                    if copies && *dim == Number::plain(0) {
                        let size =
                            of.dims().get(axis).ok_or_else(|| Problem::broken("a dimension too many"))?;
                        *dim = Number { value: *size as i64, of_batch: of.batch == Some(axis) };
                    }
                }
                let image = self.reshaped(of, &copied)?;
                self.set(call, Value::Built(image))
            }
        }
    }

    /// The same elements in other dimensions, of which one may be -1, what is left.
    fn reshaped(&mut self, of: Image, wanted: &[Number]) -> Result<Image, Problem> {
        let Some(batch) = of.batch else {
            let dims = resolve(&fixed(wanted)?, of.dims(), false)?;
            return self.in_dims(of, &dims);
        };
        // What comes before the samples stays before them, in dimensions of its own or merged with theirs.
        let before = of.dims()[..batch].iter().product::<usize>() * of.before;
        let places = (0..wanted.len()).filter_map(|axis| {
            let dims = self.with_batch_at(axis, wanted, of.view.len())?;
            let left = dims[..axis].iter().product::<usize>();
            let merged = before.checked_div(left).filter(|merged| merged * left == before)?;
            (dims[axis] % merged == 0).then_some((axis, dims, merged))
        });
        let places: Vec<(usize, Vec<usize>, usize)> = places.collect();
        // If the size of the batch is known, as 1, more than one dimension may be it: rather one that is nothing else, or
        // one that is as far from the front as before, and not that of features.
        let alone = |(axis, dims, _): &&(usize, Vec<usize>, usize)| dims[*axis] == 1;
        let stays =
            |(axis, dims, merged): &&(usize, Vec<usize>, usize)| *merged == 1 && axis + 1 < dims.len();
        let place = places.iter().find(alone).or_else(|| places.iter().find(stays)).or(places.first());
        match place {
            Some((axis, dims, merged)) => {
                self.in_dims(Image { batch: Some(*axis), before: *merged, ..of }, dims)
            }
            None => {
                let found = wanted.iter().take(8).map(|dim| match (dim.of_batch, dim.value) {
                    (true, 1) => "batch".to_owned(),
                    (true, times) => format!("{times}*batch"),
                    (false, value) => value.to_string(),
                });
                let found = found.collect::<Vec<_>>().join("x");
                Err(Problem::broken(format!("dimensions {:?} of a sample cannot become {found}", of.dims())))
            }
        }
    }

    /// The dimensions that so many elements of a sample have where the batch is in the one at `axis`, if it can be.
    fn with_batch_at(&self, axis: usize, wanted: &[Number], elements: usize) -> Option<Vec<usize>> {
        let mut open = None;
        let mut dims = Vec::with_capacity(wanted.len());
        for (place, dim) in wanted.iter().enumerate() {
            // The dimension that is left may be the batch's, or, where that is known, one of the others.
            let size = match (dim.of_batch, dim.value, place == axis) {
                (false, -1, _) if open.is_none() => {
                    open = Some(place);
                    1
                }
                (true, times, true) => times,
                (false, size, false) => size,
                (false, size, true) => {
                    let batch = i64::try_from(self.batch?).ok()?;
                    (size % batch == 0).then_some(size / batch)?
                }
                (true, ..) => return None,
            };
            dims.push(usize::try_from(size).ok().filter(|size| *size > 0)?);
        }
        let known = dims.iter().try_fold(1usize, |product, dim| product.checked_mul(*dim))?;
        if let Some(place) = open {
            dims[place] = elements / known;
        }
        (dims.len() <= MOST_DIMS && dims.iter().product::<usize>() == elements).then_some(dims)
    }

    /// The same elements in order with these dimensions.
    pub(super) fn in_dims(&mut self, of: Image, dims: &[usize]) -> Result<Image, Problem> {
        if let Some(view) = of.view.reshaped(dims) {
            return Ok(Image { view, ..of });
        }
        // Features that are put together become channels.
        let others = &dims[..dims.len() - 1];
        let features = dims[dims.len() - 1];
        let small = dims.iter().filter(|dim| **dim != 1).count();
        let value_shape = if small <= 1 { Shape::new(of.view.len(), 1, 1) } else { shape_of(dims) };
        let (last, split) = last_dims(&of.view, features);
        if small > 1 && split {
            // The dimensions that the last one is made of come first.
            let rank = of.dims().len();
            let order: Vec<usize> = (rank - last..rank).chain(0..rank - last).collect();
            let turned = of.with(of.view.permuted(&order), None);
            let pixels = of.view.len() / features;
            let shape = match *others {
                [1, height, width] => Shape::new(features, height, width),
                _ => Shape::new(features, 1, pixels),
            };
            let value = self.in_order(turned, shape)?;
            return Ok(Image { value, view: tokens_view(features, others), ..of });
        }
        let value = self.in_order(of, value_shape)?;
        let view = Strided::contiguous(dims).ok_or_else(|| Problem::broken("too many dimensions"))?;
        Ok(Image { value, view, ..of })
    }

    pub(super) fn squeeze(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let axes = match call.input(1) {
            Some(name) => Some(self.integers(name)?),
            None => call.ints("axes")?.map(<[i64]>::to_vec),
        };
        let left = |dims: &[usize], batch: Option<usize>| -> Result<Vec<Option<usize>>, Problem> {
            let rank = dims.len();
            let gone = match &axes {
                Some(axes) => axes.iter().map(|axis| normal(*axis, rank)).collect::<Result<Vec<_>, _>>()?,
                None => (0..rank).filter(|axis| dims[*axis] == 1 && batch != Some(*axis)).collect(),
            };
            if gone.iter().any(|axis| batch == Some(*axis) || dims[*axis] != 1) {
                return Err(Problem::broken(format!(
                    "of the dimensions {dims:?}, not all of {gone:?} are 1"
                )));
            }
            Ok((0..rank).filter(|axis| !gone.contains(axis)).map(Some).collect())
        };
        self.redimension(call, left)
    }

    pub(super) fn unsqueeze(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let axes = match call.input(1) {
            Some(name) => self.integers(name)?,
            None => call.ints("axes")?.map(<[i64]>::to_vec).unwrap_or_default(),
        };
        let more = |dims: &[usize], _batch: Option<usize>| -> Result<Vec<Option<usize>>, Problem> {
            if axes.len() > 8 {
                return Err(Problem::broken(format!("{} more dimensions", axes.len())));
            }
            let rank = dims.len() + axes.len();
            let mut places = axes.iter().map(|axis| normal(*axis, rank)).collect::<Result<Vec<_>, _>>()?;
            places.sort_unstable();
            let mut dims: Vec<Option<usize>> = (0..dims.len()).map(Some).collect();
            for place in places {
                let broken = || Problem::broken(format!("there is no place for dimensions at {axes:?}"));
                if place > dims.len() {
                    return Err(broken());
                }
                dims.insert(place, None);
            }
            Ok(dims)
        };
        self.redimension(call, more)
    }

    /// The same elements in those of their dimensions that `dims` keeps, and others of one element.
    fn redimension(
        &mut self,
        call: Call<'m>,
        dims: impl Fn(&[usize], Option<usize>) -> Result<Vec<Option<usize>>, Problem>,
    ) -> Result<(), Problem> {
        let sizes = |old: &[usize], kept: &[Option<usize>]| -> Vec<usize> {
            kept.iter().map(|axis| axis.map_or(1, |axis| old[axis])).collect()
        };
        let name = call.need(0)?;
        match self.value(name)? {
            Value::Constant(constant) => {
                let kept = dims(&constant.dims, None)?;
                let wanted = sizes(&constant.dims, &kept);
                self.set(call, Value::Constant(constant.with_dims(wanted)))
            }
            Value::Numbers(numbers) => {
                let kept = dims(&numbers.dims, None)?;
                let wanted = sizes(&numbers.dims, &kept);
                self.set(call, Value::Numbers(numbers.with_dims(wanted)))
            }
            _ => {
                let of = self.image(name)?;
                let kept = dims(of.dims(), of.batch)?;
                let old: Vec<(usize, usize)> = of.view.dims().collect();
                let new: Vec<_> = kept.iter().map(|axis| axis.map_or((1, 0), |axis| old[axis])).collect();
                let view = Strided::new(&new, of.view.offset());
                let view = view.ok_or_else(|| Problem::broken("a value of too many dimensions"))?;
                let batch = of.batch.and_then(|batch| kept.iter().position(|axis| *axis == Some(batch)));
                self.set(call, Value::Built(of.with(view, batch)))
            }
        }
    }

    pub(super) fn transpose(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let order = call.ints("perm")?;
        let name = call.need(0)?;
        if let Value::Constant(constant) = self.value(name)?
            && matches!(order, None | Some([1, 0]))
            && constant.dims.len() == 2
        {
            return self.set(call, Value::Constant(constant.transposed()?));
        }
        if let Value::Numbers(numbers) = self.value(name)? {
            return self.set(call, Value::Numbers(numbers.permuted(order)?));
        }
        if let Some(table) = self.fractions(name)? {
            return self.set(call, Value::Constant(Constant::listed(table.permuted(order)?)));
        }
        let of = self.image(name)?;
        let rank = of.dims().len();
        let order = order_of(order, rank)?;
        let batch = of.batch.and_then(|batch| order.iter().position(|axis| *axis == batch));
        self.set(call, Value::Built(of.with(of.view.permuted(&order), batch)))
    }
}

/// An order of dimensions; all turned round if none is given.
pub(super) fn order_of(order: Option<&[i64]>, rank: usize) -> Result<Vec<usize>, Problem> {
    let order: Vec<usize> = match order {
        None => (0..rank).rev().collect(),
        Some(order) => order.iter().map(|axis| normal(*axis, rank)).collect::<Result<_, _>>()?,
    };
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if sorted.into_iter().eq(0..rank) {
        Ok(order)
    } else {
        Err(Problem::broken(format!("{order:?} is no order of {rank} dimensions")))
    }
}

/// How many of the last dimensions make up `features`, and whether they do.
fn last_dims(view: &Strided, features: usize) -> (usize, bool) {
    let (mut count, mut product) = (0, 1);
    for size in view.sizes().iter().rev() {
        if product == features {
            break;
        }
        count += 1;
        product *= size;
    }
    (count, product == features && count > 1)
}

/// The shape of a value whose elements lie in the order of these dimensions.
pub(super) fn shape_of(dims: &[usize]) -> Shape {
    let dims: Vec<usize> = dims.iter().copied().filter(|dim| *dim != 1).collect();
    match dims[..] {
        [] => Shape::new(1, 1, 1),
        [channels] => Shape::new(channels, 1, 1),
        [channels, width] => Shape::new(channels, 1, width),
        [channels, ref others @ .., width] => Shape::new(channels, others.iter().product(), width),
    }
}

/// The view of a value whose elements lie in the order of `dims`, which are those of a view in this order.
pub(super) fn laid_out(dims: &[usize], order: &[usize]) -> Strided {
    let stored = Strided::contiguous(dims).expect("as many as a value has");
    let place = |axis: usize| order.iter().position(|other| *other == axis).expect("all dimensions");
    let back: Vec<usize> = (0..order.len()).map(place).collect();
    stored.permuted(&back)
}

pub(super) fn limited(what: &'static str, found: usize, most: usize) -> Result<(), Limit> {
    let (found, most) = (found as u128, most as u128);
    if found > most { Err(Limit { what, found, most }) } else { Ok(()) }
}

/// Dimensions in which -1 is what is left over and 0, if it `copies`, what was there.
fn resolve(wanted: &[i64], dims: &[usize], copies: bool) -> Result<Vec<usize>, Problem> {
    let broken = || Problem::broken(format!("dimensions {dims:?} cannot become {wanted:?}"));
    let elements: usize = dims.iter().product();
    let mut open = None;
    let mut resolved = Vec::with_capacity(wanted.len());
    for (place, &dim) in wanted.iter().enumerate() {
        resolved.push(match dim {
            -1 if open.is_none() => {
                open = Some(place);
                1
            }
            0 if copies => *dims.get(place).ok_or_else(broken)?,
            _ => usize::try_from(dim).map_err(|_| broken())?,
        });
    }
    let product = resolved.iter().try_fold(1usize, |product, dim| product.checked_mul(*dim));
    let product = product.ok_or_else(broken)?;
    if let Some(place) = open {
        resolved[place] = elements.checked_div(product).ok_or_else(broken)?;
    }
    let product = resolved.iter().try_fold(1usize, |product, dim| product.checked_mul(*dim));
    // Those beside a dimension of 0 are multiplied as well, before it or without it.
    let others = resolved.iter().try_fold(1usize, |product, dim| product.checked_mul((*dim).max(1)));
    if product == Some(elements) && others.is_some() && resolved.len() <= 8 {
        Ok(resolved)
    } else {
        Err(broken())
    }
}
