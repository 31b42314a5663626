//! Shapes, what is computed of them, and what puts values into other forms or together.

use super::attributes::Call;
use super::constant::{Constant, Known, MOST_NUMBERS, Number, Numbers, known};
use super::error::{Limit, Problem, quote};
use super::pools::normal;
use super::reader::Reader;
use super::value::{Image, Value, View};
use super::{MOST_SIDE, MOST_VALUES};
use crate::onnx::proto::DataType;
use crate::{Padding, Shape, ValueId, Window};

/// The most elements of a tensor that is made of one number.
const MOST_FILLED: usize = 1 << 31;

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
            Value::Numbers(Numbers { scalar: true, .. }) => Vec::new(),
            Value::Numbers(numbers) => vec![Number::plain(numbers.items.len() as i64)],
            Value::Built(_) | Value::Pending(_) => {
                let image = self.image(name)?;
                self.all_dims(image)
            }
        };
        let rank = dims.len() as i64;
        let bound = |bound: i64| (if bound < 0 { bound.saturating_add(rank) } else { bound }).clamp(0, rank);
        let start = bound(call.int("start")?.unwrap_or(0)) as usize;
        let end = bound(call.int("end")?.unwrap_or(rank)) as usize;
        let items = dims.get(start..end).unwrap_or_default().to_vec();
        self.set(call, Value::Numbers(Numbers { items, scalar: false }))
    }

    pub(super) fn gather(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let data = self.numbers(call.need(0)?)?;
        let indices = self.numbers(call.need(1)?)?;
        if data.scalar || call.int("axis")?.unwrap_or(0) != 0 {
            return Err(Problem::broken("there is no such dimension"));
        }
        let places = indices.fixed()?;
        let place = |place: &i64| normal(*place, data.items.len()).map(|place| data.items[place]);
        let items = places.iter().map(place).collect::<Result<_, _>>()?;
        self.set(call, Value::Numbers(Numbers { items, scalar: indices.scalar }))
    }

    pub(super) fn concat(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let axis = call.int("axis")?.unwrap_or(1);
        let first = self.value(call.need(0)?)?;
        if matches!(first, Value::Numbers(_)) {
            let mut items = Vec::new();
            for name in call.inputs() {
                items.extend(self.numbers(name)?.items);
                if items.len() > MOST_NUMBERS {
                    let (found, most) = (items.len() as u128, MOST_NUMBERS as u128);
                    return Err(Limit { what: "numbers of a shape", found, most }.into());
                }
            }
            return self.set(call, Value::Numbers(Numbers { items, scalar: false }));
        }
        let images = call.inputs().map(|name| self.image(name)).collect::<Result<Vec<_>, _>>()?;
        let first = *images.first().ok_or_else(|| Problem::broken("nothing to join"))?;
        let rank = self.dims(first).len() + 1;
        let joins = |image: &Image| match image.view {
            View::Image => true,
            View::Flat => self.shape(*image).pixels() == 1,
            View::Pixels | View::Groups(_) => false,
        };
        if normal(axis, rank)? != 1 || !images.iter().all(|image| image.view == first.view && joins(image)) {
            return Err(Problem::unsupported(
                format!("values joined along dimension {axis} of {rank}"),
                "images joined along their channels",
            ));
        }
        let values: Vec<ValueId> = images.iter().map(|image| image.value).collect();
        let value = self.builder.concat(&values)?;
        self.set_image(call, value, first.view)
    }

    pub(super) fn split(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let of = self.whole_image(call.need(0)?)?;
        let channels = self.shape(of).channels;
        let axis = normal(call.int("axis")?.unwrap_or(0), 4)?;
        if axis != 1 {
            return Err(Problem::unsupported(
                format!("a split along dimension {axis}"),
                "splits of channels",
            ));
        }
        let outputs = &call.node.output;
        let sizes = match call.input(1) {
            Some(name) => self.integers(name)?,
            None => match call.ints("split")? {
                Some(sizes) => sizes.to_vec(),
                None => {
                    let size = channels.div_ceil(outputs.len().max(1));
                    let rest = |index: usize| channels.saturating_sub(index * size).min(size) as i64;
                    (0..outputs.len()).map(rest).collect()
                }
            },
        };
        let broken = || Problem::broken(format!("{channels} channels cannot be split into {sizes:?}"));
        let positive: Option<Vec<usize>> =
            sizes.iter().map(|size| usize::try_from(*size).ok().filter(|size| *size > 0)).collect();
        let positive = positive.filter(|sizes| sizes.len() == outputs.len()).ok_or_else(broken)?;
        let total = positive.iter().try_fold(0usize, |total, size| total.checked_add(*size));
        if total != Some(channels) {
            return Err(broken());
        }
        let mut start = 0;
        for (name, size) in outputs.iter().zip(positive) {
            let value = self.builder.slice(of.value, start, size)?;
            self.set_name(name, Image { value, view: View::Image })?;
            start += size;
        }
        Ok(())
    }

    pub(super) fn slice(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let mut list = |index: usize, name: &str| -> Result<Option<Vec<i64>>, Problem> {
            match call.input(index) {
                Some(input) => Ok(Some(self.integers(input)?)),
                None => Ok(call.ints(name)?.map(<[i64]>::to_vec)),
            }
        };
        let missing = || Problem::broken("it does not say where to begin and end");
        let starts = list(1, "starts")?.ok_or_else(missing)?;
        let ends = list(2, "ends")?.ok_or_else(missing)?;
        let axes = list(3, "axes")?.unwrap_or_else(|| (0..starts.len() as i64).collect());
        let steps = list(4, "steps")?.unwrap_or_else(|| vec![1; starts.len()]);
        if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] || starts.len() > 8 {
            return Err(Problem::broken("its lists are not equally long"));
        }
        let ranges = (0..starts.len()).map(|i| (axes[i], [starts[i], ends[i], steps[i]]));
        let name = call.need(0)?;
        if let Value::Numbers(numbers) = self.value(name)? {
            let mut items = numbers.items;
            for (axis, range) in ranges {
                normal(axis, 1)?;
                items = parts(range, items.len())?.into_iter().map(|place| items[place]).collect();
            }
            return self.set(call, Value::Numbers(Numbers { items, scalar: false }));
        }
        let mut of = self.whole_image(name)?;
        let Shape { channels, height, width } = self.shape(of);
        let mut padding = Padding::default();
        let mut stride = [1, 1];
        for (axis, range) in ranges {
            let axis = normal(axis, 4)?;
            let size = [usize::MAX, channels, height, width][axis];
            let [start, end, step] = range;
            let unsupported = || {
                let text = format!("the part {start}..{end} in steps of {step} of dimension {axis}");
                Problem::unsupported(
                    text,
                    "parts of the channels, and of rows and columns from front to back",
                )
            };
            if axis == 0 {
                if start != 0 || step != 1 || self.batch.map_or(end != i64::MAX, |batch| end < batch as i64) {
                    return Err(unsupported());
                }
                continue;
            }
            let (first, len) = range_of(range, size).ok_or_else(unsupported)?;
            if axis == 1 {
                if step != 1 {
                    return Err(unsupported());
                }
                of.value = self.builder.slice(of.value, first, len)?;
                continue;
            }
            // Images are not so large that these would not fit.
            let (before, after) = (-(first as i32), -((size - first - len) as i32));
            stride[axis - 2] = step as usize;
            if axis == 2 {
                [padding.top, padding.bottom] = [before, after];
            } else {
                [padding.left, padding.right] = [before, after];
            }
        }
        if stride == [1, 1] && padding == Padding::default() {
            return self.set(call, Value::Built(of));
        }
        if stride == [1, 1] {
            return self.set_padded(call, of, padding);
        }
        let window = Window { stride, ..Window::square(1).padding(padding) };
        let module = self.module([Some(&call.node.name), None], "slice");
        let value = self.builder.max_pool(&module, of.value, window)?;
        self.set_image(call, value, View::Image)
    }

    pub(super) fn flatten(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let of = self.image(call.need(0)?)?;
        let axis = normal(call.int("axis")?.unwrap_or(1), self.dims(of).len() + 1)?;
        if axis != 1 {
            return Err(Problem::unsupported(
                format!("everything before dimension {axis} in one"),
                "everything but the batch in one",
            ));
        }
        self.set_image(call, of.value, View::Flat)
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
                let wanted = Numbers { items: wanted, scalar: false }.fixed()?;
                let dims = resolve(&wanted, &constant.dims, copies)?;
                self.set(call, Value::Constant(constant.with_dims(dims)))
            }
            Value::Numbers(numbers) => {
                let wanted = Numbers { items: wanted, scalar: false }.fixed()?;
                let dims = resolve(&wanted, &[numbers.items.len()], copies)?;
                self.reshape_numbers(call, numbers, dims.len())
            }
            Value::Built(_) | Value::Pending(_) => {
                let of = self.image(name)?;
                let dims = self.dims(of);
                let Some((batch, rest)) = wanted.split_first() else {
                    return Err(Problem::unsupported("a value without a batch", "batches"));
                };
                let plain = |value: i64| Number::plain(value);
                let keeps_batch = *batch == Number::BATCH
                    || *batch == plain(-1)
                    || copies && *batch == plain(0)
                    || self.batch.is_some_and(|size| *batch == plain(size as i64));
                let rest = Numbers { items: rest.to_vec(), scalar: false }.fixed();
                let resolved = rest.ok().and_then(|rest| resolve(&rest, &dims, copies).ok());
                // With one more -1, nobody knows which is which.
                let resolved = resolved.filter(|_| keeps_batch);
                self.set_view(call, of, resolved, || describe(&wanted))
            }
        }
    }

    fn reshape_numbers(&mut self, call: Call<'m>, numbers: Numbers, rank: usize) -> Result<(), Problem> {
        if rank > 1 {
            return Err(Problem::unsupported("a table of whole numbers", "lists of whole numbers"));
        }
        self.set(call, Value::Numbers(Numbers { scalar: rank == 0, ..numbers }))
    }

    /// The same value with other dimensions behind that of the batch.
    fn set_view(
        &mut self,
        call: Call<'m>,
        of: Image,
        dims: Option<Vec<usize>>,
        wanted: impl FnOnce() -> String,
    ) -> Result<(), Problem> {
        let shape = self.shape(of);
        match dims.and_then(|dims| View::of(&dims, shape)) {
            Some(view) => self.set_image(call, of.value, view),
            None => {
                let dims = self.dims(of).iter().map(ToString::to_string).collect::<Vec<_>>();
                Err(Problem::unsupported(
                    format!("a value of batch x {} in the form {}", dims.join(" x "), wanted()),
                    "flattened images, and channels in groups",
                ))
            }
        }
    }

    pub(super) fn squeeze(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let axes = match call.input(1) {
            Some(name) => Some(self.integers(name)?),
            None => call.ints("axes")?.map(<[i64]>::to_vec),
        };
        let left = |dims: &[usize], first: usize| -> Result<Vec<usize>, Problem> {
            let rank = dims.len() + first;
            let gone = match &axes {
                Some(axes) => axes.iter().map(|axis| normal(*axis, rank)).collect::<Result<Vec<_>, _>>()?,
                None => (first..rank).filter(|axis| dims[axis - first] == 1).collect(),
            };
            if gone.iter().any(|axis| *axis < first || dims[axis - first] != 1) {
                return Err(Problem::broken(format!(
                    "of the dimensions {dims:?}, not all of {gone:?} are 1"
                )));
            }
            let kept = dims.iter().enumerate().filter(|(axis, _)| !gone.contains(&(axis + first)));
            Ok(kept.map(|(_, dim)| *dim).collect())
        };
        let name = call.need(0)?;
        match self.value(name)? {
            Value::Constant(constant) => {
                let dims = left(&constant.dims, 0)?;
                self.set(call, Value::Constant(constant.with_dims(dims)))
            }
            Value::Numbers(numbers) => {
                let dims = if numbers.scalar { Vec::new() } else { vec![numbers.items.len()] };
                let rank = left(&dims, 0)?.len();
                self.reshape_numbers(call, numbers, rank)
            }
            Value::Built(_) | Value::Pending(_) => {
                let of = self.image(name)?;
                let dims = left(&self.dims(of), 1)?;
                self.set_view(call, of, Some(dims.clone()), || format!("{dims:?}"))
            }
        }
    }

    pub(super) fn unsqueeze(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let axes = match call.input(1) {
            Some(name) => self.integers(name)?,
            None => call.ints("axes")?.map(<[i64]>::to_vec).unwrap_or_default(),
        };
        let more = |dims: &[usize], first: usize| -> Result<Vec<usize>, Problem> {
            if axes.len() > 8 {
                return Err(Problem::broken(format!("{} more dimensions", axes.len())));
            }
            let rank = dims.len() + first + axes.len();
            let mut places = axes.iter().map(|axis| normal(*axis, rank)).collect::<Result<Vec<_>, _>>()?;
            places.sort_unstable();
            let mut dims = dims.to_vec();
            for place in places {
                let place = place.checked_sub(first).filter(|place| *place <= dims.len());
                let broken = || Problem::broken(format!("there is no place for dimensions at {axes:?}"));
                dims.insert(place.ok_or_else(broken)?, 1);
            }
            Ok(dims)
        };
        let name = call.need(0)?;
        match self.value(name)? {
            Value::Constant(constant) => {
                let dims = more(&constant.dims, 0)?;
                self.set(call, Value::Constant(constant.with_dims(dims)))
            }
            Value::Numbers(numbers) => {
                let dims = if numbers.scalar { Vec::new() } else { vec![numbers.items.len()] };
                let rank = more(&dims, 0)?.len();
                self.reshape_numbers(call, numbers, rank)
            }
            Value::Built(_) | Value::Pending(_) => {
                let of = self.image(name)?;
                let dims = more(&self.dims(of), 1)?;
                self.set_view(call, of, Some(dims.clone()), || format!("{dims:?}"))
            }
        }
    }

    pub(super) fn transpose(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let order = call.ints("perm")?;
        let name = call.need(0)?;
        if let Value::Constant(constant) = self.value(name)? {
            return match order {
                None | Some([1, 0]) => self.set(call, Value::Constant(constant.transposed()?)),
                Some(order) => Err(Problem::unsupported(
                    format!("weights in the order {order:?}"),
                    "matrices, transposed",
                )),
            };
        }
        let of = self.image(name)?;
        let rank = self.dims(of).len() + 1;
        match (order, of.view) {
            (Some([0, 2, 1, 3, 4]), View::Groups(groups)) => {
                let value = self.shuffled(of.value, groups)?;
                let channels = self.builder.shape(value).channels;
                self.set_image(call, value, View::Groups(channels / groups))
            }
            (Some(order), _) if order.iter().copied().eq(0..rank as i64) => self.alias(call, name),
            (order, _) => Err(Problem::unsupported(
                format!("dimensions in the order {:?}", order.unwrap_or_default()),
                "the shuffling of channels in groups",
            )),
        }
    }

    /// The first channel of every group, then the second of every group, and so on.
    fn shuffled(&mut self, of: ValueId, groups: usize) -> Result<ValueId, Problem> {
        let channels = self.builder.shape(of).channels;
        let found = self.builder.nodes().len() as u128 + channels as u128;
        if found > MOST_VALUES {
            return Err(Limit { what: "operations of the network", found, most: MOST_VALUES }.into());
        }
        let of_group = channels / groups;
        let mut parts = Vec::with_capacity(channels);
        for channel in 0..of_group {
            for group in 0..groups {
                parts.push(self.builder.slice(of, group * of_group + channel, 1)?);
            }
        }
        Ok(self.builder.concat(&parts)?)
    }

    /// A softmax at the end is left out: metrics read the logits.
    pub(super) fn softmax(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let output = call.output()?;
        if self.readers(output) > 0 || !self.is_output(output) {
            return Err(Problem::Operator(super::error::hint("Softmax")));
        }
        self.alias(call, call.need(0)?)
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
            (Value::Numbers(Numbers { items, scalar }), Some(true)) => match items[..] {
                [number] if !number.of_batch => {
                    let dims = if scalar { Vec::new() } else { vec![1] };
                    self.set(call, Value::Constant(Constant::filled(number.value as f64, dims)))
                }
                _ => Err(Problem::unsupported("a shape that becomes fractional", "whole sizes")),
            },
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
            Value::Numbers(Numbers { items: vec![Number::plain(number)], scalar: true })
        } else if let Some(numbers) = call.ints("value_ints")? {
            if numbers.len() > MOST_NUMBERS {
                let (found, most) = (numbers.len() as u128, MOST_NUMBERS as u128);
                return Err(Limit { what: "numbers of a shape", found, most }.into());
            }
            Value::Numbers(Numbers::list(numbers.iter().copied()))
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
                return self.set(call, Value::Numbers(Numbers { items, scalar: false }));
            }
        };
        let number = number.number().ok_or_else(|| Problem::broken("its value is not one number"))?;
        if let [Number::BATCH, rest @ ..] = &shape.items[..] {
            let rest = Numbers { items: rest.to_vec(), scalar: false }.fixed()?;
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
                    self.set(call, Value::Numbers(Numbers { items, scalar: false }))
                }
                _ => Err(Problem::unsupported("a table of whole numbers", "lists of whole numbers")),
            },
            _ => Err(Problem::unsupported(format!("{} repeated", quote(name)), "single numbers, repeated")),
        }
    }

    fn set_name(&mut self, name: &'m str, image: Image) -> Result<(), Problem> {
        let place = self.place(Value::Built(image));
        self.name(name, place)
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
    if product == Some(elements) && resolved.len() <= 8 { Ok(resolved) } else { Err(broken()) }
}

/// Dimensions for messages.
fn describe(dims: &[Number]) -> String {
    let dims = dims.iter().take(8).map(|dim| match (dim.of_batch, dim.value) {
        (true, 1) => "batch".to_owned(),
        (true, times) => format!("{times} * batch"),
        (false, value) => value.to_string(),
    });
    dims.collect::<Vec<_>>().join(" x ")
}

/// The first place and the number of places of a range that goes forward and is not empty.
fn range_of([start, end, step]: [i64; 3], size: usize) -> Option<(usize, usize)> {
    let size = i64::try_from(size).ok()?;
    let bound = |bound: i64| (if bound < 0 { bound.saturating_add(size) } else { bound }).clamp(0, size);
    let (first, end) = (bound(start), bound(end));
    let fits = (1..=size).contains(&step) && first < end;
    fits.then_some((first as usize, (end - first) as usize))
}

/// The places of a range of a list, which may go backward.
fn parts([start, end, step]: [i64; 3], size: usize) -> Result<Vec<usize>, Problem> {
    if step > 0 {
        let Some((first, len)) = range_of([start, end, step.min(size.max(1) as i64)], size) else {
            return Ok(Vec::new());
        };
        return Ok((first..first + len).step_by(step as usize).collect());
    }
    if step == 0 {
        return Err(Problem::broken("steps of 0"));
    }
    let size = size as i64;
    let bound = |bound: i64| (if bound < 0 { bound.saturating_add(size) } else { bound }).clamp(-1, size - 1);
    let (first, end) = (bound(start), bound(end));
    let places = (0..).map(|i: i64| step.checked_mul(i).and_then(|way| first.checked_add(way)));
    let places = places.map_while(|place| place.filter(|place| *place > end));
    Ok(places.map(|place| place as usize).collect())
}
