//! What looks at windows of images: pools, padding, and where convolutions look.

use super::attributes::Call;
use super::error::Problem;
use super::reader::Reader;
use super::value::{Image, Pending, Value, View};
use crate::onnx::leaves_the_image;
use crate::{Padding, Shape, Window};

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
        self.set_image(call, value, View::Image)
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
            return self.set_image(call, value, View::Image);
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
        self.set_image(call, value, View::Image)
    }

    pub(super) fn global_average_pool(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let of = self.whole_image(call.need(0)?)?;
        self.mean(call, of, View::Image)
    }

    fn mean(&mut self, call: Call<'m>, of: Image, view: View) -> Result<(), Problem> {
        let name = self.module([Some(&call.node.name), None], "global_average_pool");
        let value = self.builder.global_avg_pool(&name, of.value)?;
        self.set_image(call, value, view)
    }

    pub(super) fn global_max_pool(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let of = self.whole_image(call.need(0)?)?;
        let Shape { height, width, .. } = self.shape(of);
        let window = Window { kernel: [height, width], padding: Padding::default(), ..Window::square(1) };
        let name = self.module([Some(&call.node.name), None], "global_max_pool");
        let value = self.builder.max_pool(&name, of.value, window)?;
        self.set_image(call, value, View::Image)
    }

    pub(super) fn reduce_mean(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let axes = match call.input(1) {
            Some(name) => self.integers(name)?,
            None => call.ints("axes")?.map(<[i64]>::to_vec).unwrap_or_default(),
        };
        let of = self.image(call.need(0)?)?;
        let rank = self.dims(of).len() + 1;
        let mut axes = axes.iter().map(|axis| normal(*axis, rank)).collect::<Result<Vec<_>, _>>()?;
        axes.sort_unstable();
        let all_pixels = match of.view {
            View::Image => axes == [2, 3],
            View::Pixels => axes == [2],
            View::Flat | View::Groups(_) => false,
        };
        if !all_pixels {
            return Err(Problem::unsupported(
                format!("the mean over the dimensions {axes:?} of {rank}"),
                "means over all rows and columns",
            ));
        }
        let view = if call.switch("keepdims", true)? { of.view } else { View::Flat };
        self.mean(call, of, view)
    }

    pub(super) fn pad(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let mode = call.text("mode")?.unwrap_or_else(|| "constant".to_owned());
        let number = match call.input(2) {
            Some(name) => self.scalar(name)?,
            None => Some(call.float("value")?.unwrap_or(0.0)),
        };
        if mode != "constant" || number != Some(0.0) {
            return Err(Problem::unsupported("padding by something else than zeros", "zeros"));
        }
        let pads = match call.input(1) {
            Some(name) => self.integers(name)?,
            None => call.ints("pads")?.map(<[i64]>::to_vec).unwrap_or_default(),
        };
        let axes = match call.input(3) {
            Some(name) => self.integers(name)?,
            None => vec![0, 1, 2, 3],
        };
        let of = self.whole_image(call.need(0)?)?;
        let axes = axes.iter().map(|axis| normal(*axis, 4)).collect::<Result<Vec<_>, _>>()?;
        if pads.len() != 2 * axes.len() {
            return Err(Problem::broken(format!("{} numbers for {} dimensions", pads.len(), axes.len())));
        }
        let mut sides = [[0; 2]; 4];
        for (place, &axis) in axes.iter().enumerate() {
            sides[axis] = [step(pads[place])?, step(pads[place + axes.len()])?];
        }
        let [batch, channels, [top, bottom], [left, right]] = sides;
        if [batch, channels] != [[0; 2]; 2] {
            return Err(Problem::unsupported(
                "padding of the batch or of channels",
                "padding of rows and columns",
            ));
        }
        self.set_padded(call, of, Padding { top, left, bottom, right })
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

/// Every window of a pool has to have a pixel of the image.
fn check_padding(window: &Window) -> Result<(), Problem> {
    if !leaves_the_image(window) {
        return Ok(());
    }
    Err(Problem::unsupported("a pool with a window that lies within the padding", "pools of the image"))
}
