//! What takes values apart, puts them together, and gives them other forms.

use super::attributes::Call;
use super::constant::{MOST_NUMBERS, Number, Numbers, fixed, range_of};
use super::error::{Limit, Problem};
use super::pools::normal;
use super::reader::Reader;
use super::value::{Image, Value, View};
use crate::{Padding, Shape, ValueId, Window};

impl<'m> Reader<'m> {
    pub(super) fn concat(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let axis = call.int("axis")?.unwrap_or(1);
        let first = self.value(call.need(0)?)?;
        if matches!(first, Value::Numbers(_) | Value::Constant(_)) {
            let mut items = Vec::new();
            for name in call.inputs() {
                let numbers = self.whole_numbers(name)?;
                if numbers.dims.len() != 1 {
                    return Err(Problem::unsupported(
                        "tables of whole numbers, joined",
                        "lists of whole numbers",
                    ));
                }
                items.extend(numbers.items);
                limited("numbers of a shape", items.len(), MOST_NUMBERS)?;
            }
            return self.set(call, Value::Numbers(Numbers::list(items)));
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
        if sizes.len() != outputs.len() {
            return Err(Problem::broken(format!("{} parts for {} outputs", sizes.len(), outputs.len())));
        }
        for (name, part) in outputs.iter().zip(self.parts(of, &sizes)?) {
            let place = self.place(Value::Built(part));
            self.name(name, place)?;
        }
        Ok(())
    }

    /// Parts of so many channels each.
    fn parts(&mut self, of: Image, sizes: &[i64]) -> Result<Vec<Image>, Problem> {
        let channels = self.shape(of).channels;
        let mut start = 0;
        let mut parts = Vec::with_capacity(sizes.len());
        for size in sizes {
            let size = usize::try_from(*size).ok().filter(|size| (1..=channels - start).contains(size));
            let Some(size) = size else { break };
            let value = self.builder.slice(of.value, start, size)?;
            parts.push(Image { value, view: View::Image });
            start += size;
        }
        if parts.len() < sizes.len() || start < channels {
            return Err(Problem::broken(format!("{channels} channels cannot be split into {sizes:?}")));
        }
        Ok(parts)
    }

    pub(super) fn split_to_sequence(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let of = self.whole_image(call.need(0)?)?;
        let channels = self.shape(of).channels as i64;
        let axis = normal(call.int("axis")?.unwrap_or(0), 4)?;
        let split = call.input(1).map(|name| self.numbers(name)).transpose()?;
        let (1, Some(split)) = (axis, split) else {
            return Err(Problem::unsupported("this sequence of parts", "parts of so many channels each"));
        };
        let sizes = match (split.fixed()?, split.dims.is_empty()) {
            (sizes, false) => sizes,
            (size, true) => match size[..] {
                // The last part is what is left.
                [size] if (1..=channels).contains(&size) => {
                    limited("parts of a value", channels as usize / size as usize, MOST_NUMBERS)?;
                    let starts = (0..channels).step_by(size as usize);
                    starts.map(|start| size.min(channels - start)).collect()
                }
                _ => return Err(Problem::broken(format!("{channels} channels, in parts of {size:?}"))),
            },
        };
        let parts = self.parts(of, &sizes)?;
        self.set(call, Value::Parts(parts))
    }

    pub(super) fn sequence_at(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let place = self.integers(call.need(1)?)?;
        match (self.value(call.need(0)?)?, &place[..]) {
            (Value::Parts(parts), &[place]) => {
                let place = normal(place, parts.len())?;
                self.set(call, Value::Built(parts[place]))
            }
            _ => Err(Problem::unsupported("this member of a sequence", "one part of a split value")),
        }
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
        if let Value::Numbers(mut numbers) = self.value(name)? {
            for (axis, range) in ranges {
                if normal(axis, numbers.dims.len())? != 0 {
                    return Err(Problem::unsupported("parts of the rows of a table", "parts of lists"));
                }
                numbers = numbers.part(range)?;
            }
            return self.set(call, Value::Numbers(numbers));
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
                let dims = self.dims(of);
                let Some((batch, rest)) = wanted.split_first() else {
                    return Err(Problem::unsupported("a value without a batch", "batches"));
                };
                let plain = |value: i64| Number::plain(value);
                let keeps_batch = *batch == Number::BATCH
                    || *batch == plain(-1)
                    || copies && *batch == plain(0)
                    || self.batch.is_some_and(|size| *batch == plain(size as i64));
                let rest = fixed(rest);
                let resolved = rest.ok().and_then(|rest| resolve(&rest, &dims, copies).ok());
                // With one more -1, nobody knows which is which.
                let resolved = resolved.filter(|_| keeps_batch);
                self.set_view(call, of, resolved, || describe(&wanted))
            }
        }
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
        self.redimension(call, left)
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
        self.redimension(call, more)
    }

    /// The same numbers in the dimensions that `dims` makes of those that there are. Of the network's values, it gets
    /// those behind the batch, the first of which is then number 1.
    fn redimension(
        &mut self,
        call: Call<'m>,
        dims: impl Fn(&[usize], usize) -> Result<Vec<usize>, Problem>,
    ) -> Result<(), Problem> {
        let name = call.need(0)?;
        match self.value(name)? {
            Value::Constant(constant) => {
                let wanted = dims(&constant.dims, 0)?;
                self.set(call, Value::Constant(constant.with_dims(wanted)))
            }
            Value::Numbers(numbers) => {
                let wanted = dims(&numbers.dims, 0)?;
                self.set(call, Value::Numbers(numbers.with_dims(wanted)))
            }
            _ => {
                let of = self.image(name)?;
                let wanted = dims(&self.dims(of), 1)?;
                self.set_view(call, of, Some(wanted.clone()), || format!("{wanted:?}"))
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
        if let Value::Numbers(numbers) = self.value(name)? {
            return self.set(call, Value::Numbers(numbers.transposed()?));
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
        limited("channels that are shuffled", channels, MOST_SHUFFLED)?;
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
}

/// The most channels that are shuffled; each is an operation of its own.
const MOST_SHUFFLED: usize = 1 << 14;

fn limited(what: &'static str, found: usize, most: usize) -> Result<(), Limit> {
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

/// Dimensions for messages.
fn describe(dims: &[Number]) -> String {
    let dims = dims.iter().take(8).map(|dim| match (dim.of_batch, dim.value) {
        (true, 1) => "batch".to_owned(),
        (true, times) => format!("{times} * batch"),
        (false, value) => value.to_string(),
    });
    dims.collect::<Vec<_>>().join(" x ")
}
