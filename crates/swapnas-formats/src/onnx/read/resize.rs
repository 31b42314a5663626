//! Images made larger or smaller, and sums up to each element: products with matrices of constants.

use swapnas_graph::Strided;

use super::attributes::Call;
use super::constant::{Constant, MOST_CONSTANT};
use super::error::Problem;
use super::pools::normal;
use super::reader::Reader;
use super::shapes::limited;
use super::table::Table;
use super::value::{Image, Value};
use super::views::Common;

/// How new pixels are made of old ones.
#[derive(Clone, Copy)]
enum Mode {
    Nearest,
    Linear,
    /// With the coefficient of Keys' kernel.
    Cubic(f64),
}

impl Mode {
    /// The weight of a pixel that lies so far away (Keys 1981, equation 4, for cubic ones).
    fn weight(self, distance: f64) -> f64 {
        let x = distance.abs();
        match self {
            Mode::Nearest => f64::from(u8::from(x == 0.0)),
            Mode::Linear => (1.0 - x).max(0.0),
            Mode::Cubic(a) if x <= 1.0 => ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0,
            Mode::Cubic(a) if x < 2.0 => ((x - 5.0) * x + 8.0) * x * a - 4.0 * a,
            Mode::Cubic(_) => 0.0,
        }
    }
}

/// Where the pixel number `x` of `new` is among `old` ones, whose ratio is `scale`.
fn place(x: usize, old: usize, new: usize, scale: f64, how: &str) -> Option<f64> {
    let x = x as f64;
    Some(match how {
        "half_pixel" => (x + 0.5) / scale - 0.5,
        "pytorch_half_pixel" if new == 1 => 0.0,
        "pytorch_half_pixel" => (x + 0.5) / scale - 0.5,
        "align_corners" if new == 1 => 0.0,
        "align_corners" => x * (old as f64 - 1.0) / (new as f64 - 1.0),
        "asymmetric" => x / scale,
        _ => return None,
    })
}

/// The pixel that is nearest.
fn nearest(x: f64, how: &str) -> Option<f64> {
    Some(match how {
        "floor" => x.floor(),
        "ceil" => x.ceil(),
        "round_prefer_floor" => (x - 0.5).ceil(),
        "round_prefer_ceil" => (x + 0.5).floor(),
        _ => return None,
    })
}

impl<'m> Reader<'m> {
    pub(super) fn resize(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let mut image = self.image(call.need(0)?)?;
        let rank = image.dims().len();
        let text = |name: &str, default: &str| {
            Ok::<_, Problem>(call.text(name)?.unwrap_or_else(|| default.to_owned()))
        };
        let mode = match text("mode", "nearest")?.as_str() {
            "nearest" => Mode::Nearest,
            "linear" => Mode::Linear,
            "cubic" => Mode::Cubic(call.float("cubic_coeff_a")?.unwrap_or(-0.75)),
            other => {
                let text = format!("images resized by the mode `{}`", swapnas_graph::plain(other));
                return Err(Problem::unsupported(text, "nearest, linear and cubic"));
            }
        };
        // Of version 10 of the operators, where factors are the second input.
        let is_first = self.version < 11;
        let coordinates =
            text("coordinate_transformation_mode", if is_first { "asymmetric" } else { "half_pixel" })?;
        let rounding = text("nearest_mode", if is_first { "floor" } else { "round_prefer_floor" })?;
        if call.switch("exclude_outside", false)? {
            return Err(Problem::unsupported("resizing without what is beyond the edge", "resizing with it"));
        }
        if call.switch("antialias", false)? {
            return Err(Problem::unsupported("resizing with antialiasing", "resizing without"));
        }
        let axes = match call.ints("axes")? {
            Some(axes) => axes.iter().map(|axis| normal(*axis, rank)).collect::<Result<Vec<_>, _>>()?,
            None => (0..rank).collect(),
        };
        let mut sizes: Vec<(usize, usize, f64)> = Vec::new();
        let old = |axis: usize| image.dims()[axis];
        if let Some(name) = call.input(3).filter(|_| !is_first) {
            let wanted = self.numbers(name)?.items;
            for (axis, size) in axes.iter().zip(wanted) {
                let new =
                    if size.of_batch || image.batch == Some(*axis) { old(*axis) as i64 } else { size.value };
                let new = usize::try_from(new).ok().filter(|new| *new > 0);
                let new = new.ok_or_else(|| Problem::broken("an image of no size"))?;
                sizes.push((*axis, new, new as f64 / old(*axis) as f64));
            }
        } else {
            let scales = self
                .constant(call.need(if is_first { 1 } else { 2 })?, "factors")?
                .numbers()
                .map_err(Problem::Broken)?;
            for (axis, scale) in axes.iter().zip(scales) {
                let new = (old(*axis) as f64 * f64::from(scale)).floor();
                if !(1.0..=super::MOST_SIDE as f64).contains(&new) {
                    return Err(Problem::broken("a factor of images that is too small or too large"));
                }
                sizes.push((*axis, new as usize, f64::from(scale)));
            }
        }
        for (axis, new, scale) in sizes {
            let old = image.dims()[axis];
            if old == new && scale == 1.0 {
                continue;
            }
            if image.batch == Some(axis) || new as u128 > super::MOST_SIDE {
                return Err(Problem::unsupported("a batch that is resized", "rows and columns that are"));
            }
            let unknown = || Problem::unsupported("this way of resizing", "those of PyTorch");
            limited("weights of a resized image", old.saturating_mul(new), MOST_CONSTANT)?;
            let mut weights = vec![0.0f32; old * new];
            let last = old as f64 - 1.0;
            for x in 0..new {
                let at = place(x, old, new, scale, &coordinates).ok_or_else(unknown)?;
                let at = match mode {
                    Mode::Nearest => nearest(at, &rounding).ok_or_else(unknown)?,
                    Mode::Linear => at.clamp(0.0, last),
                    Mode::Cubic(_) => at,
                };
                // Pixels beyond the edge are as those on it.
                for pixel in (-1..=2).map(|step| at.floor() + f64::from(step)) {
                    weights[pixel.clamp(0.0, last) as usize * new + x] += mode.weight(at - pixel) as f32;
                }
            }
            image = self.mixed(image, axis, weights, new)?;
        }
        self.set(call, Value::Built(image))
    }

    /// The sum of all elements of a dimension up to each.
    pub(super) fn cumulative_sum(&mut self, call: Call<'m>) -> Result<(), Problem> {
        if let Value::Numbers(numbers) = self.value(call.need(0)?)?
            && let [axis] = self.whole_numbers(call.need(1)?)?.fixed()?[..]
            && !call.switch("exclusive", false)?
            && !call.switch("reverse", false)?
        {
            let axis = normal(axis, numbers.dims.len())?;
            return self.set(call, Value::Numbers(numbers.summed(axis)?));
        }
        let image = self.image(call.need(0)?)?;
        let axis = match self.whole_numbers(call.need(1)?)?.fixed()?[..] {
            [axis] => normal(axis, image.dims().len())?,
            _ => return Err(Problem::broken("sums along several dimensions")),
        };
        let (exclusive, reverse) = (call.switch("exclusive", false)?, call.switch("reverse", false)?);
        let size = image.dims()[axis];
        if image.batch == Some(axis) {
            return Err(Problem::unsupported("sums over the batch", "sums within samples"));
        }
        limited("weights of sums", size.saturating_mul(size), MOST_CONSTANT)?;
        let counts = |from: usize, to: usize| {
            let [from, to] = if reverse { [to, from] } else { [from, to] };
            from < to || from == to && !exclusive
        };
        let weights = (0..size * size).map(|i| if counts(i / size, i % size) { 1.0 } else { 0.0 }).collect();
        let image = self.mixed(image, axis, weights, size)?;
        self.set(call, Value::Built(image))
    }

    /// The elements of a dimension replaced by `new` weighted sums of them; weights are `[old, new]`.
    fn mixed(&mut self, of: Image, axis: usize, weights: Vec<f32>, new: usize) -> Result<Image, Problem> {
        let rank = of.dims().len();
        let old = of.dims()[axis];
        let matrix =
            self.constant_image(&Constant::listed(Table { items: weights, dims: vec![old, new] }))?;
        // The dimension becomes the last but one, and others columns: out^T = weights^T x.
        let mut order: Vec<usize> = (0..rank).filter(|other| *other != axis).collect();
        let last = order.pop();
        order.push(axis);
        order.extend(last);
        let mut turned = of.with(of.view.permuted(&order), None);
        if last.is_none() {
            let view = Strided::new(&[(old, turned.view.strides()[0]), (1, 0)], turned.view.offset());
            turned = turned.with(view.ok_or_else(|| Problem::broken("too many elements"))?, None);
        }
        let mut dims = turned.dims().to_vec();
        let row = dims.len() - 2;
        dims[row] = new;
        dims.push(old);
        dims.swap(row + 1, row + 2);
        let common = Common { dims: dims[..row + 2].to_vec(), batch: None, before: 1 };
        let left = self.expanded(matrix.with(matrix.view.permuted(&[1, 0]), None), &common)?;
        let product = self.matrices([matrix, turned], [left, turned.view], None)?;
        let mut back = vec![0; order.len()];
        for (place, axis) in order.iter().enumerate() {
            back[*axis] = place;
        }
        Ok(Image { view: product.view.permuted(&back), value: product.value, ..of })
    }
}
