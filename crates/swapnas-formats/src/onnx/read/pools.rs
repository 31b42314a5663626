//! What looks at windows of images: pools, padding, and where convolutions look.

use swapnas_graph::{Padding, Shape, Window};

use super::arithmetic::real;
use super::attributes::Call;
use super::error::Problem;
use super::reader::Reader;
use super::shapes::shape_of;
use super::value::{Image, Pending, Value};
use crate::onnx::leaves_the_image;

/// The most that a stride, a dilation or a padding may be.
const MOST_STEP: i64 = 1 << 13;

/// Where windows lie, and what lies beyond the padding because their number is rounded up.
struct Place {
    window: Window,
    overhang: bool,
}

impl<'m> Reader<'m> {
    /// The image that a convolution reads, and where: zeros around the image become part of the window.
    pub(super) fn padded_window(
        &mut self,
        call: Call<'m>,
        kernel: [usize; 2],
    ) -> Result<(Image, Window), Problem> {
        let name = call.need(0)?;
        if let Value::Pending(Pending::Padded { of, padding, .. }) = self.value(name)?
            && let Some(shape) = padded_shape(self.shape(of), padding)
        {
            let Place { window, .. } = place(call, kernel, shape)?;
            if let Some(padding) = joined(padding, window.padding) {
                return Ok((of, Window { padding, ..window }));
            }
        }
        let of = self.whole_image(name)?;
        let Place { window, .. } = place(call, kernel, self.shape(of))?;
        Ok((of, window))
    }

    pub(super) fn max_pool(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let of = self.whole_image(call.need(0)?)?;
        let Place { window, .. } = place(call, pool_kernel(call)?, self.shape(of))?;
        check_padding(&window)?;
        let name = self.module([Some(&call.node.name), None], "max_pool");
        let value = self.builder.max_pool(&name, of.value, window)?;
        self.set_whole(call, value)
    }

    pub(super) fn average_pool(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let kernel = pool_kernel(call)?;
        let name = call.need(0)?;
        let module = self.module([Some(&call.node.name), None], "average_pool");
        // Zeros around the image count as pixels.
        if let Value::Pending(Pending::Padded { of, padding, .. }) = self.value(name)?
            && let Some(shape) = padded_shape(self.shape(of), padding)
            && let Place { window, overhang: false } = place(call, kernel, shape)?
            && window.padding == Padding::default()
        {
            let value = self.builder.avg_pool(&module, of.value, Window { padding, ..window }, true)?;
            return self.set_whole(call, value);
        }
        let of = self.whole_image(name)?;
        let Place { window, overhang } = place(call, kernel, self.shape(of))?;
        check_padding(&window)?;
        let count_padding = call.switch("count_include_pad", false)? && window.padding != Padding::default();
        if count_padding && overhang {
            return Err(Problem::unsupported(
                "an average pool that counts its padding and rounds the number of windows up",
                "average pools that do one of both",
            ));
        }
        if window.taps() == 1 && window.stride == [1, 1] && window.padding == Padding::default() {
            return self.alias(call, name);
        }
        let value = self.builder.avg_pool(&module, of.value, window, count_padding)?;
        self.set_whole(call, value)
    }

    /// A batch of several images of each sample.
    pub(super) fn parts_of_samples(&mut self, name: &'m str) -> Result<Option<Image>, Problem> {
        if matches!(self.value(name)?, Value::Pending(Pending::Padded { .. })) {
            return Ok(None);
        }
        let of = self.image(name)?;
        Ok(Some(of).filter(|of| of.batch == Some(0) && of.dims().len() == 4 && of.dims()[0] > 1))
    }

    /// Several images of each sample, one below the other, each with its padding, as one image; and where a convolution
    /// looks at it.
    pub(super) fn stacked(
        &mut self,
        call: Call<'m>,
        parts: Image,
        kernel: [usize; 2],
    ) -> Result<(Image, Window, [usize; 2]), Problem> {
        let &[count, channels, height, width] = parts.dims() else {
            return Err(Problem::broken("images of another number of dimensions"));
        };
        let Place { window, .. } = place(call, kernel, Shape::new(channels, height, width))?;
        let Padding { top, bottom, left, right } = window.padding;
        let result =
            window.output(height, width).ok_or_else(|| Problem::broken("images smaller than the kernel"))?;
        // As many rows as the stride divides, so that windows begin at the same row of every image.
        let rows = height + top as usize + bottom as usize;
        let more = rows.next_multiple_of(window.stride[0]) - rows;
        let mut padded = parts;
        for (before, size) in [(true, top as usize), (false, bottom as usize + more)] {
            if size > 0 {
                let dims = [count, channels, size, width];
                let zeros = self.builder.zero(shape_of(&dims));
                let zeros = Image { batch: padded.batch, before: padded.before, ..Image::of(zeros, &dims) };
                padded = self.joined(&if before { [zeros, padded] } else { [padded, zeros] }, 2)?;
            }
        }
        let height = count * padded.dims()[2];
        let turned = padded.with(padded.view.permuted(&[1, 0, 2, 3]), None);
        let shape = Shape::new(channels, height, width);
        let value = self.in_order(turned, shape)?;
        let padding = Padding { left, right, ..Padding::default() };
        Ok((Image::whole(value, shape), Window { padding, ..window }, [count, result.0]))
    }

    /// The image of one row that a convolution of lines reads, and where.
    pub(super) fn line(&mut self, call: Call<'m>, kernel: [usize; 2]) -> Result<(Image, Window), Problem> {
        let of = self.whole_line(call.need(0)?)?;
        let one = |name: &str, default: i64| -> Result<i64, Problem> {
            match call.ints(name)? {
                None => Ok(default),
                Some([number]) if (1..=MOST_STEP).contains(number) => Ok(*number),
                Some(numbers) => Err(Problem::broken(format!("{name} is {numbers:?}"))),
            }
        };
        let (stride, dilation) = (one("strides", 1)? as usize, one("dilations", 1)? as usize);
        let [left, right] = match call.ints("pads")? {
            None => [0, 0],
            Some(&[left, right]) if left >= 0 && right >= 0 => [step(left)?, step(right)?],
            Some(pads) => return Err(Problem::broken(format!("pads is {pads:?}"))),
        };
        if !matches!(call.text("auto_pad")?.as_deref(), None | Some("" | "NOTSET")) {
            return Err(Problem::unsupported("padding by itself", "padding that the file says"));
        }
        let padding = Padding { left, right, ..Padding::default() };
        let window = Window { kernel, stride: [1, stride], dilation: [1, dilation], padding };
        Ok((of, window))
    }

    /// A line as an image of one row.
    pub(super) fn whole_line(&mut self, name: &'m str) -> Result<Image, Problem> {
        let of = self.image(name)?;
        let &[1, channels, width] = of.dims() else {
            return Err(Problem::unsupported("this convolution of lines", "batch x channels x elements"));
        };
        let shape = Shape::new(channels, 1, width);
        Ok(Image::whole(self.in_order(of, shape)?, shape))
    }

    pub(super) fn global_average_pool(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let of = self.image(call.need(0)?)?;
        self.mean(call, of, &[2, 3], true)
    }

    /// The mean over dimensions.
    fn mean(&mut self, call: Call<'m>, of: Image, axes: &[usize], keeps: bool) -> Result<(), Problem> {
        let shape = self.shape(of);
        let image = if axes == [2, 3] && of.is_whole(shape) {
            let name = self.module([Some(&call.node.name), None], "global_average_pool");
            let value = self.builder.global_avg_pool(&name, of.value)?;
            let shape = self.builder.shape(value);
            if keeps { Image::whole(value, shape) } else { Image::flat(value, shape) }
        } else {
            self.mean_over(of, axes, keeps)?
        };
        self.set(call, Value::Built(image))
    }

    pub(super) fn global_max_pool(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let of = self.whole_image(call.need(0)?)?;
        let Shape { height, width, .. } = self.shape(of);
        let window = Window { kernel: [height, width], padding: Padding::default(), ..Window::square(1) };
        let name = self.module([Some(&call.node.name), None], "global_max_pool");
        let value = self.builder.max_pool(&name, of.value, window)?;
        self.set_whole(call, value)
    }

    pub(super) fn reduce_mean(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let of = self.image(call.need(0)?)?;
        let (axes, keeps) = self.reduced(call, of)?;
        self.mean(call, of, &axes, keeps)
    }

    /// The dimensions that an operation takes together, and whether they stay, with one element.
    pub(super) fn reduced(&mut self, call: Call<'m>, of: Image) -> Result<(Vec<usize>, bool), Problem> {
        let axes = match call.input(1) {
            Some(name) => self.integers(name)?,
            None => call.ints("axes")?.map(<[i64]>::to_vec).unwrap_or_default(),
        };
        let rank = of.dims().len();
        let mut axes = axes.iter().map(|axis| normal(*axis, rank)).collect::<Result<Vec<_>, _>>()?;
        axes.sort_unstable();
        axes.dedup();
        if axes.is_empty() && !call.switch("noop_with_empty_axes", false)? {
            axes = (0..rank).collect();
        }
        Ok((axes, call.switch("keepdims", true)?))
    }

    pub(super) fn pad(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let mode = call.text("mode")?.unwrap_or_else(|| "constant".to_owned());
        let number = match call.input(2) {
            Some(name) => self.scalar(name)?,
            None => Some(call.float("value")?.unwrap_or(0.0)),
        };
        let number = number.filter(|_| mode == "constant").ok_or_else(|| {
            Problem::unsupported("padding by something else than a number", "zeros or other numbers")
        })?;
        let pads = match call.input(1) {
            Some(name) => self.integers(name)?,
            None => call.ints("pads")?.map(<[i64]>::to_vec).unwrap_or_default(),
        };
        let of = self.image(call.need(0)?)?;
        let rank = of.dims().len();
        let axes = match call.input(3) {
            Some(name) => self.integers(name)?,
            None => (0..rank as i64).collect(),
        };
        let axes = axes.iter().map(|axis| normal(*axis, rank)).collect::<Result<Vec<_>, _>>()?;
        if pads.len() != 2 * axes.len() {
            return Err(Problem::broken(format!("{} numbers for {} dimensions", pads.len(), axes.len())));
        }
        let mut sides = vec![[0; 2]; rank];
        for (place, &axis) in axes.iter().enumerate() {
            sides[axis] = [step(pads[place])?, step(pads[place + axes.len()])?];
        }
        if sides.iter().all(|side| *side == [0; 2]) {
            return self.set(call, Value::Built(of));
        }
        if let [[0, 0], [0, 0], [top, bottom], [left, right]] = sides[..]
            && of.is_whole(self.shape(of))
            && number == 0.0
        {
            return self.set_padded(call, of, Padding { top, left, bottom, right });
        }
        if of.batch.is_some_and(|batch| sides[batch] != [0; 2])
            || sides.iter().flatten().any(|side| *side < 0)
        {
            return Err(Problem::unsupported(
                "padding of the batch, or less than nothing",
                "zeros around samples",
            ));
        }
        let mut padded = of;
        for (axis, [before, after]) in sides.into_iter().enumerate() {
            let mut parts = Vec::new();
            for (size, is_before) in [(before, true), (after, false)] {
                if size > 0 {
                    let mut dims = padded.dims().to_vec();
                    dims[axis] = size as usize;
                    let shape = shape_of(&dims);
                    let border = if number == 0.0 {
                        self.builder.zero(shape)
                    } else {
                        let numbers = vec![real(number)?; shape.elements()];
                        self.builder.constant(numbers.into(), shape)?
                    };
                    parts.push((
                        is_before,
                        Image { batch: padded.batch, before: padded.before, ..Image::of(border, &dims) },
                    ));
                }
            }
            if !parts.is_empty() {
                let place = usize::from(parts[0].0);
                let mut parts: Vec<Image> = parts.into_iter().map(|(_, image)| image).collect();
                parts.insert(place, padded);
                padded = self.joined(&parts, axis)?;
            }
        }
        self.set(call, Value::Built(padded))
    }

    /// Keeps an image with zeros around it until it is known what reads it.
    pub(super) fn set_padded(&mut self, call: Call<'m>, of: Image, padding: Padding) -> Result<(), Problem> {
        let shape = self.shape(of);
        if padded_shape(shape, padding).is_none() {
            return Err(Problem::broken(format!("nothing is left of an image of {shape}")));
        }
        let name = call.output()?;
        self.set(call, Value::Pending(Pending::Padded { of, padding, name }))
    }
}

/// A dimension counted from the front; negative ones count from the end.
pub(super) fn normal(axis: i64, rank: usize) -> Result<usize, Problem> {
    let from_front = if axis < 0 { axis.checked_add(rank as i64) } else { Some(axis) };
    let axis_of = |axis: i64| usize::try_from(axis).ok().filter(|axis| *axis < rank);
    let broken = || Problem::broken(format!("there is no dimension {axis} of {rank}"));
    from_front.and_then(axis_of).ok_or_else(broken)
}

/// A padding of one side.
fn step(number: i64) -> Result<i32, Problem> {
    let fits = |number: &i64| (-MOST_STEP..=MOST_STEP).contains(number);
    let number = Some(number).filter(fits).and_then(|number| i32::try_from(number).ok());
    number.ok_or_else(|| Problem::broken(format!("a padding is not from -{MOST_STEP} to {MOST_STEP}")))
}

fn padded_shape(shape: Shape, padding: Padding) -> Option<Shape> {
    let side = |size: usize, before: i32, after: i32| {
        let size = i64::try_from(size).ok()? + i64::from(before) + i64::from(after);
        usize::try_from(size).ok().filter(|size| *size > 0)
    };
    let height = side(shape.height, padding.top, padding.bottom)?;
    let width = side(shape.width, padding.left, padding.right)?;
    Some(Shape { height, width, ..shape })
}

/// Padding of an image and then of a window: pixels that are cut away do not come back as zeros.
fn joined(image: Padding, window: Padding) -> Option<Padding> {
    let side = |image: i32, window: i32| {
        if image >= 0 || window == 0 { image.checked_add(window) } else { None }
    };
    Some(Padding {
        top: side(image.top, window.top)?,
        left: side(image.left, window.left)?,
        bottom: side(image.bottom, window.bottom)?,
        right: side(image.right, window.right)?,
    })
}

/// Rows and columns of some attribute of windows.
fn pair(call: Call<'_>, name: &str) -> Result<Option<[usize; 2]>, Problem> {
    let Some(numbers) = call.ints(name)? else { return Ok(None) };
    let &[rows, columns] = numbers else {
        return Err(Problem::unsupported(
            format!("{name} of {} dimensions", numbers.len()),
            "windows of rows and columns",
        ));
    };
    let fits = [rows, columns].iter().all(|number| (1..=MOST_STEP).contains(number));
    let broken = || Problem::broken(format!("{name} is {numbers:?}"));
    fits.then_some(Some([rows as usize, columns as usize])).ok_or_else(broken)
}

fn pool_kernel(call: Call<'_>) -> Result<[usize; 2], Problem> {
    pair(call, "kernel_shape")?.ok_or_else(|| Problem::broken("it has no kernel_shape"))
}

/// Where windows of a kernel lie on an image.
fn place(call: Call<'_>, kernel: [usize; 2], shape: Shape) -> Result<Place, Problem> {
    let stride = pair(call, "strides")?.unwrap_or([1, 1]);
    let dilation = pair(call, "dilations")?.unwrap_or([1, 1]);
    let pads = match call.ints("pads")? {
        None => [[0; 2]; 2],
        Some(&[top, left, bottom, right]) => {
            let pads = [[step(top)?, step(bottom)?], [step(left)?, step(right)?]];
            if pads.iter().flatten().any(|pad| *pad < 0) {
                return Err(Problem::broken("the padding of a window is negative"));
            }
            pads
        }
        Some(pads) => return Err(Problem::broken(format!("{} paddings for two dimensions", pads.len()))),
    };
    let ceil = call.switch("ceil_mode", false)?;
    let auto = call.text("auto_pad")?.unwrap_or_default();
    let mut overhang = false;
    let mut axis = |axis: usize, size: usize| -> Result<[i32; 2], Problem> {
        let [size, stride] = [size as i64, stride[axis] as i64];
        let reach = (kernel[axis] as i64 - 1) * dilation[axis] as i64 + 1;
        let [mut before, mut after] = pads[axis].map(i64::from);
        match auto.as_str() {
            "" | "NOTSET" => {}
            "VALID" => [before, after] = [0, 0],
            "SAME_UPPER" | "SAME_LOWER" => {
                let outputs = (size + stride - 1) / stride;
                let total = ((outputs - 1) * stride + reach - size).max(0);
                let (small, large) = (total / 2, total - total / 2);
                [before, after] = if auto == "SAME_UPPER" { [small, large] } else { [large, small] };
            }
            _ => return Err(Problem::broken("auto_pad is none of those that there are")),
        }
        let room = size + before + after - reach;
        if ceil && room >= 0 {
            // One more window, if it begins within the image or its padding at the front.
            let last = (room + stride - 1) / stride * stride;
            if last > room && last < size + before {
                after += last - room;
                overhang = true;
            }
        }
        let side = |pixels: i64| i32::try_from(pixels).map_err(|_| Problem::broken("a window is too large"));
        Ok([side(before)?, side(after)?])
    };
    let [top, bottom] = axis(0, shape.height)?;
    let [left, right] = axis(1, shape.width)?;
    let padding = Padding { top, left, bottom, right };
    Ok(Place { window: Window { kernel, stride, dilation, padding }, overhang })
}

/// Where a transposed convolution takes the pixels of an image, or of a line, which has one number of each attribute.
pub(super) fn transposed_window(
    call: Call<'_>,
    kernel: [usize; 2],
    shape: Shape,
    is_line: bool,
) -> Result<Window, Problem> {
    let numbers = |name: &str, least: i64, most: i64| -> Result<Option<[i64; 2]>, Problem> {
        let Some(numbers) = call.ints(name)? else { return Ok(None) };
        let pair = match *numbers {
            [rows, columns] if !is_line => [rows, columns],
            // What a single row of pixels and of the kernel stays.
            [columns] if is_line => [least, columns],
            _ => return Err(Problem::broken(format!("{name} is {numbers:?}"))),
        };
        let fits = pair.iter().all(|number| (least..=most).contains(number));
        fits.then_some(Some(pair)).ok_or_else(|| Problem::broken(format!("{name} is {numbers:?}")))
    };
    let stride = numbers("strides", 1, MOST_STEP)?.unwrap_or([1, 1]);
    let dilation = numbers("dilations", 1, MOST_STEP)?.unwrap_or([1, 1]);
    let more = numbers("output_padding", 0, MOST_STEP)?.unwrap_or([0, 0]);
    let size = numbers("output_shape", 1, i64::from(u32::MAX))?;
    let pads = match (call.ints("pads")?, is_line) {
        (None, _) => [[0; 2]; 2],
        (Some(&[top, left, bottom, right]), false) => [[top, bottom], [left, right]],
        (Some(&[left, right]), true) => [[0; 2], [left, right]],
        (Some(pads), _) => return Err(Problem::broken(format!("pads is {pads:?}"))),
    };
    let auto = call.text("auto_pad")?.unwrap_or_default();
    let side = |axis: usize, pixels: usize| -> Result<[i32; 2], Problem> {
        let reach = (kernel[axis] as i64 - 1) * dilation[axis] + 1;
        let whole = (pixels as i64 - 1) * stride[axis] + reach + more[axis];
        let wanted = match (size, auto.as_str()) {
            (Some(size), _) => Some(size[axis]),
            (None, "SAME_UPPER" | "SAME_LOWER") => Some(pixels as i64 * stride[axis]),
            (None, "" | "NOTSET" | "VALID") => None,
            (None, _) => return Err(Problem::broken("auto_pad is none of those that there are")),
        };
        let [before, after] = match wanted {
            Some(wanted) => {
                let total = whole - wanted;
                let small = total.max(0) / 2;
                if auto == "SAME_UPPER" {
                    [small, total - small]
                } else {
                    [total.max(0) - small, total.min(0) + small]
                }
            }
            None if auto == "VALID" => [0, 0],
            None => pads[axis],
        };
        // More of the result is less that is cut away.
        Ok([step(before)?, step(after - more[axis])?])
    };
    let [top, bottom] = side(0, shape.height)?;
    let [left, right] = side(1, shape.width)?;
    let pair = |numbers: [i64; 2]| numbers.map(|number| number as usize);
    let padding = Padding { top, left, bottom, right };
    Ok(Window { kernel, stride: pair(stride), dilation: pair(dilation), padding })
}

/// Every window of a pool has to have a pixel of the image.
fn check_padding(window: &Window) -> Result<(), Problem> {
    if !leaves_the_image(window) {
        return Ok(());
    }
    Err(Problem::unsupported("a pool with a window that lies within the padding", "pools of the image"))
}
