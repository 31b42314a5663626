//! Numbers that are no parameters, as one would write them: a table of cosines by its formula, and numbers one by one
//! where there is none.

use swapnas_graph::Shape;
use swapnas_graph::tensor::Real;

/// The function that tables of sines and cosines are made by.
pub(super) const WAVE: &str = "wave";

/// Its definition.
pub(super) const WAVE_DEFINITION: &str = "
def wave(function, rows, columns, period):
    \"\"\"The function of a full turn times each row times each column, divided by the period.\"\"\"
    return function((torch.outer(rows, columns) % period).double() * (2 * torch.pi / period)).float()
";

/// How far numbers may be from those of a formula, as a part of the largest: as far as single precision rounds.
const ROUNDING: f64 = 1e-7;

/// The tensor, `(1, channels, height, width)`; lines after the first one are indented as is usual within `__init__`.
pub(super) fn constant(numbers: &[Real], shape: Shape) -> String {
    let Shape { channels, height, width } = shape;
    let numbers: Vec<f64> = numbers.iter().map(|number| number.number()).collect();
    let first = numbers[0];
    if numbers.iter().all(|number| *number == first) {
        return match first {
            0.0 => format!("torch.zeros(1, {channels}, {height}, {width})"),
            _ => format!("torch.full((1, {channels}, {height}, {width}), {})", number(first)),
        };
    }
    let table = waves(&numbers, shape).unwrap_or_else(|| format!("torch.tensor([{}])", list(&numbers)));
    // A sign or factor would bind less tightly.
    let table = if table.starts_with("torch.") { table } else { format!("({table})") };
    format!("{table}.reshape(1, {channels}, {height}, {width})")
}

/// A number in single precision, as networks compute with it.
pub(super) fn number(number: f64) -> String {
    let single = number.clamp(f32::MIN.into(), f32::MAX.into()) as f32;
    let short = format!("{single:?}");
    // The shortest digits of the largest number are those of one that is too large before it is rounded.
    let fits = short.parse().is_ok_and(|read: f64| read.abs() <= f32::MAX.into());
    if fits { short } else { format!("{:?}", f64::from(single)) }
}

fn list(numbers: &[f64]) -> String {
    lines(numbers.iter().map(|x| number(*x)))
}

/// Items one after the other, on as many lines as they take.
pub(super) fn lines(items: impl Iterator<Item = String>) -> String {
    const WIDTH: usize = 88;
    let mut out = String::new();
    let mut width = 0;
    for (place, item) in items.enumerate() {
        if place > 0 {
            out.push(',');
            if width + item.len() > WIDTH {
                out.push_str("\n            ");
                width = 0;
            } else {
                out.push(' ');
            }
        }
        width += item.len() + 2;
        out.push_str(&item);
    }
    out
}

/// Square tables of sines or cosines, beside and below each other; those of several channels one below the other.
fn waves(numbers: &[f64], shape: Shape) -> Option<String> {
    let Shape { channels, height, width } = shape;
    let rows = if height == 1 { channels } else { height };
    if rows < 3 || !width.is_multiple_of(rows) {
        return None;
    }
    let mut below = Vec::new();
    for plane in numbers.chunks(rows * width) {
        let block = |first: usize| wave(rows, |i, j| plane[i * width + first + j]);
        let beside: Vec<String> = (0..width).step_by(rows).map(block).collect::<Option<_>>()?;
        below.push(joined(beside, 1));
    }
    Some(joined(below, 0))
}

fn joined(mut tables: Vec<String>, dim: usize) -> String {
    match tables.len() {
        1 => tables.remove(0),
        _ => format!("torch.cat([\n            {},\n        ], dim={dim})", tables.join(",\n            ")),
    }
}

/// The number of a row or column.
type Number = fn(usize) -> usize;

/// The formula of a table of `size` rows and columns, if it is that of a Fourier transform, or of a cosine or sine
/// transform whose rows or columns are odd.
fn wave(size: usize, of: impl Fn(usize, usize) -> f64) -> Option<String> {
    let places = || (0..size).flat_map(|i| (0..size).map(move |j| (i, j)));
    let largest = places().map(|(i, j)| of(i, j).abs()).fold(0.0, f64::max);
    let every = |i: usize| i;
    let odd = |i: usize| 2 * i + 1;
    let sides: [(Number, String); 2] =
        [(every, format!("torch.arange({size})")), (odd, format!("torch.arange(1, {}, 2)", 2 * size))];
    for (period, row, column) in [(size, 0, 0), (4 * size, 0, 1), (4 * size, 1, 0), (8 * size, 1, 1)] {
        let [(row, rows), (column, columns)] = [&sides[row], &sides[column]];
        for (name, function) in [("cos", f64::cos as fn(f64) -> f64), ("sin", f64::sin)] {
            let at = |(i, j): (usize, usize)| {
                let part = (row(i) * column(j) % period) as f64 / period as f64;
                function(part * 2.0 * std::f64::consts::PI)
            };
            let (highest, place) = places()
                .map(|place| (at(place).abs(), place))
                .fold((0.0, (0, 0)), |a, b| if b.0 > a.0 { b } else { a });
            if highest == 0.0 {
                continue;
            }
            // Multiples that are whole but for rounding are whole.
            let scale = of(place.0, place.1) / at(place);
            let scale = if (scale - scale.round()).abs() < ROUNDING { scale.round() } else { scale };
            if scale != 0.0
                && places().all(|(i, j)| (of(i, j) - scale * at((i, j))).abs() <= ROUNDING * largest)
            {
                let factor = match scale {
                    1.0 => String::new(),
                    -1.0 => "-".to_owned(),
                    scale => format!("{scale:?} * "),
                };
                return Some(format!("{factor}{WAVE}(torch.{name}, {rows}, {columns}, {period})"));
            }
        }
    }
    None
}
