//! What takes values apart and puts them together.

use swapnas_graph::{Padding, ValueId, Window};

use super::attributes::Call;
use super::constant::{Constant, MOST_NUMBERS};
use super::error::Problem;
use super::pools::normal;
use super::reader::Reader;
use super::shapes::{laid_out, limited, shape_of};
use super::table::{Table, range_of};
use super::value::{Image, Value};
use super::views::{is_own, storage_order};

impl<'m> Reader<'m> {
    pub(super) fn concat(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let axis = call.int("axis")?.unwrap_or(1);
        let names: Vec<&'m str> = call.inputs().collect();
        // Whole numbers may be of a type for fractions: some paddings are computed that way.
        if let Ok(all) = names.iter().map(|name| self.whole_numbers(name)).collect::<Result<Vec<_>, _>>() {
            return self.set(call, Value::Numbers(Table::joined(&all, axis)?));
        }
        let tables = names.iter().map(|name| self.fractions(name)).collect::<Result<Option<Vec<_>>, _>>()?;
        if let Some(tables) = tables {
            return self.set(call, Value::Constant(Constant::listed(Table::joined(&tables, axis)?)));
        }
        let images = call.inputs().map(|name| self.image(name)).collect::<Result<Vec<_>, _>>()?;
        let first = *images.first().ok_or_else(|| Problem::broken("nothing to join"))?;
        let axis = normal(axis, first.dims().len())?;
        let image = self.joined(&images, axis)?;
        self.set(call, Value::Built(image))
    }

    /// Images joined along a dimension.
    pub(super) fn joined(&mut self, images: &[Image], axis: usize) -> Result<Image, Problem> {
        let of_batch = images.iter().find_map(|image| image.batch);
        let as_batch = |image: &Image| of_batch.map_or(*image, |axis| self.as_batch(*image, axis));
        let images = &images.iter().map(as_batch).collect::<Vec<_>>()[..];
        let first = images[0];
        let rank = first.dims().len();
        let of_batch = images.iter().find(|image| image.batch.is_some()).unwrap_or(&first);
        let Image { batch, before, .. } = *of_batch;
        let fits = |image: &Image| {
            image.dims().len() == rank
                && (image.batch.is_none() || (image.batch, image.before) == (batch, before))
                && (0..rank).all(|other| other == axis || image.dims()[other] == first.dims()[other])
        };
        if !images.iter().all(fits) || batch == Some(axis) {
            return Err(self.unequal(images));
        }
        let are_whole = images.iter().all(|image| image.is_whole(self.shape(*image)));
        let are_flat = || images.iter().all(|image| image.is_flat(self.shape(*image)));
        let of_one_pixel = || images.iter().all(|image| self.shape(*image).pixels() == 1);
        if axis == 1 && (are_whole || are_flat() && of_one_pixel()) {
            let values: Vec<ValueId> = images.iter().map(|image| image.value).collect();
            let value = self.builder.concat(&values)?;
            let shape = self.builder.shape(value);
            return Ok(if are_whole { Image::whole(value, shape) } else { Image::flat(value, shape) });
        }
        // In the order in which the first one lies, so that channels stay channels.
        let own = images.iter().find(|image| is_own(&image.view, self.shape(**image))).unwrap_or(&first);
        let order = storage_order(&own.view);
        let place = order.iter().position(|other| *other == axis).unwrap_or_default();
        let mut values = Vec::with_capacity(images.len());
        let mut size = 0;
        for image in images {
            let turned = image.with(image.view.permuted(&order), None);
            size += image.dims()[axis];
            let shape = shape_of(turned.dims());
            values.push(self.in_order(turned, shape)?);
        }
        let mut dims: Vec<usize> = order.iter().map(|axis| first.dims()[*axis]).collect();
        dims[place] = size;
        let [outer, inner] = [&dims[..place], &dims[place + 1..]].map(|dims| dims.iter().product());
        let value = self.builder.join(&values, outer, inner, shape_of(&dims))?;
        Ok(Image { value, view: laid_out(&dims, &order), batch, before })
    }

    pub(super) fn split(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let of = self.image(call.need(0)?)?;
        let axis = normal(call.int("axis")?.unwrap_or(0), of.dims().len())?;
        let size = of.dims()[axis];
        let outputs = &call.node.output;
        let sizes = match call.input(1) {
            Some(name) => self.integers(name)?,
            None => match call.ints("split")? {
                Some(sizes) => sizes.to_vec(),
                None => {
                    let part = size.div_ceil(outputs.len().max(1));
                    let rest = |index: usize| size.saturating_sub(index * part).min(part) as i64;
                    (0..outputs.len()).map(rest).collect()
                }
            },
        };
        if sizes.len() != outputs.len() {
            return Err(Problem::broken(format!("{} parts for {} outputs", sizes.len(), outputs.len())));
        }
        for (name, part) in outputs.iter().zip(self.parts(of, axis, &sizes)?) {
            let place = self.place(Value::Built(part));
            self.name(name, place)?;
        }
        Ok(())
    }

    /// Parts of so many elements of a dimension each.
    fn parts(&mut self, of: Image, axis: usize, sizes: &[i64]) -> Result<Vec<Image>, Problem> {
        let size = of.dims()[axis];
        let mut start = 0;
        let mut parts = Vec::with_capacity(sizes.len());
        for part in sizes {
            let part = usize::try_from(*part).ok().filter(|part| (1..=size - start).contains(part));
            let Some(part) = part else { break };
            parts.push(self.part(of, axis, [start, part, 1])?);
            start += part;
        }
        if parts.len() < sizes.len() || start < size {
            return Err(Problem::broken(format!("{size} elements cannot be split into {sizes:?}")));
        }
        Ok(parts)
    }

    /// Elements of a dimension: the first, their number, and the steps between them.
    fn part(&mut self, of: Image, axis: usize, [first, count, step]: [usize; 3]) -> Result<Image, Problem> {
        if of.batch == Some(axis) {
            return Err(Problem::unsupported("a part of the batch", "parts of samples"));
        }
        if axis == 1 && step == 1 && of.is_whole(self.shape(of)) {
            let value = self.builder.slice(of.value, first, count)?;
            return Ok(Image::whole(value, self.builder.shape(value)));
        }
        Ok(of.with(of.view.part(axis, first, count, step), of.batch))
    }

    pub(super) fn split_to_sequence(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let of = self.image(call.need(0)?)?;
        let axis = normal(call.int("axis")?.unwrap_or(0), of.dims().len())?;
        let size_of_axis = of.dims()[axis] as i64;
        let Some(split) = call.input(1).map(|name| self.numbers(name)).transpose()? else {
            return Err(Problem::unsupported("this sequence of parts", "parts of so many elements each"));
        };
        let sizes = match (split.fixed()?, split.dims.is_empty()) {
            (sizes, false) => sizes,
            (size, true) => match size[..] {
                // The last part is what is left.
                [size] if (1..=size_of_axis).contains(&size) => {
                    limited("parts of a value", size_of_axis as usize / size as usize, MOST_NUMBERS)?;
                    let starts = (0..size_of_axis).step_by(size as usize);
                    starts.map(|start| size.min(size_of_axis - start)).collect()
                }
                _ => return Err(Problem::broken(format!("{size_of_axis} elements, in parts of {size:?}"))),
            },
        };
        let parts = self.parts(of, axis, &sizes)?;
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
                numbers = numbers.part_of(axis, range)?;
            }
            return self.set(call, Value::Numbers(numbers));
        }
        if let Some(mut table) = self.fractions(name)? {
            for (axis, range) in ranges {
                table = table.part_of(axis, range)?;
            }
            return self.set(call, Value::Constant(Constant::listed(table)));
        }
        let mut of = self.image(name)?;
        let mut padding = Padding::default();
        let mut stride = [1, 1];
        for (axis, range) in ranges {
            let axis = normal(axis, of.dims().len())?;
            let [start, end, step] = range;
            let unsupported = || {
                let text = format!("the part {start}..{end} in steps of {step} of dimension {axis}");
                Problem::unsupported(text, "parts of samples, from front to back")
            };
            if of.batch == Some(axis) {
                let all = self.batch.map_or(end == i64::MAX, |batch| {
                    i64::try_from(batch.saturating_mul(of.dims()[axis])).is_ok_and(|all| end >= all)
                });
                if start != 0 || step != 1 || !all {
                    return Err(unsupported());
                }
                continue;
            }
            let size = of.dims()[axis];
            let (first, len) = range_of(range, size).ok_or_else(unsupported)?;
            let count = len.div_ceil(step as usize);
            let is_whole = of.is_whole(self.shape(of));
            if !is_whole || axis == 1 {
                of = self.part(of, axis, [first, count, step as usize])?;
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
        self.set_whole(call, value)
    }
}
