//! Operations on the elements of single samples, as expressions.

use swapnas_graph::tensor::{Axis, Function, Product};
use swapnas_graph::{Shape, Strided};

use super::constant::{lines, number};
use super::expr::Expr;
use crate::arrangement::{Along, Arrangement, Selection, Side, dimension, joint, sizes};

/// The most places that are written where they are used.
const FEW: usize = 12;

/// Parts of the sides of a value, in their order.
fn taken(of: Expr, arrangement: &Arrangement, shape: Shape) -> Expr {
    let of = of.reshaped(&sizes(shape), &arrangement.lens());
    let parts = arrangement.sides.iter().map(|side| match side.along[..] {
        [] => side.start.to_string(),
        _ => part(side),
    });
    let mut of = indexed(of, parts.collect());
    // Windows that overlap, from behind, so that dimensions in front are where they were.
    for (place, side) in arrangement.sides.iter().enumerate().rev() {
        if side.along.len() > 1 {
            let [before, behind] = [&arrangement.sides[..place], &arrangement.sides[place + 1..]]
                .map(|sides| sides.iter().filter(|side| !side.along.is_empty()).count());
            of = match unfolded(side).filter(|_| behind == 0) {
                Some([size, step]) => of.method(format!(".unfold(-1, {size}, {step})")),
                None => of.method(format!("[:, {}{}]", ":, ".repeat(before), windows(side))),
            };
        }
    }
    of
}

/// The places of a side along which no more than one dimension goes, as a part of it.
fn part(side: &Side) -> String {
    let (size, step) = match side.along[..] {
        [Along { size, step, .. }] if !side.is_whole() => (size, step),
        [] => (1, 1),
        _ => return ":".to_owned(),
    };
    let (start, end) = (side.start, side.start + (size - 1) * step + 1);
    let start = if start == 0 { String::new() } else { start.to_string() };
    let end = if end == side.len { String::new() } else { end.to_string() };
    if step == 1 { format!("{start}:{end}") } else { format!("{start}:{end}:{step}") }
}

/// Parts of the dimensions behind that of the samples.
fn indexed(of: Expr, mut parts: Vec<String>) -> Expr {
    while parts.last().is_some_and(|part| part == ":") {
        parts.pop();
    }
    if parts.is_empty() { of } else { of.method(format!("[:, {}]", parts.join(", "))) }
}

/// Size and step of the windows of a side, if they are all there are and have no gaps.
fn unfolded(side: &Side) -> Option<[usize; 2]> {
    match side.along[..] {
        [count, Along { size, step: 1, .. }] if side.start == 0 && size <= side.len => {
            ((side.len - size) / count.step + 1 == count.size).then_some([size, count.step])
        }
        _ => None,
    }
}

/// A part of each dimension, if that is all that a view is.
fn parts(arrangement: &Arrangement, view: &Strided, [from, to]: [Shape; 2]) -> Option<Vec<String>> {
    let is_repeated = view.dims().any(|(size, stride)| size > 1 && stride == 0);
    if is_repeated || !arrangement.order().is_sorted() {
        return None;
    }
    let mut sides = arrangement.sides.iter();
    let mut parts = Vec::new();
    for (from, to) in sizes(from).into_iter().zip(sizes(to)) {
        let side = if from > 1 { sides.next() } else { None };
        let Some(side) = side else {
            parts.push(":".to_owned());
            continue;
        };
        let count = match side.along[..] {
            [] => 1,
            [along] => along.size,
            _ => return None,
        };
        if (side.len, count) != (from, to) {
            return None;
        }
        parts.push(part(side));
    }
    (sides.next().is_none() && to.elements() == view.len()).then_some(parts)
}

/// The places of windows: sums of those of their dimensions.
fn windows(side: &Side) -> String {
    let along = side.along.iter().enumerate().map(|(place, Along { size, step, .. })| {
        let behind = side.along.len() - 1 - place;
        let range = match step {
            1 => format!("torch.arange({size})"),
            step => format!("torch.arange(0, {}, {step})", (size - 1) * step + 1),
        };
        if behind == 0 { range } else { format!("{range}[:{}]", ", None".repeat(behind)) }
    });
    let start = (side.start > 0).then(|| side.start.to_string());
    along.chain(start).collect::<Vec<_>>().join(" + ")
}

/// The elements of a view in order.
pub(super) fn rearranged(of: Expr, view: &Strided, from: Shape, to: Shape) -> Expr {
    let arrangement = Arrangement::of(view, from);
    if let Some(parts) = parts(&arrangement, view, [from, to]) {
        return indexed(of, parts);
    }
    let mut of = taken(of, &arrangement, from);
    let order = arrangement.order();
    let dims: Vec<usize> = arrangement.dims().map(|along| along.size).collect();
    let ordered: Vec<usize> = order.iter().map(|place| dims[*place]).collect();
    if !order.is_sorted() {
        let order: Vec<String> = order.iter().map(|place| (place + 1).to_string()).collect();
        of = of.method(format!(".permute(0, {})", order.join(", ")));
    }
    if view.dims().all(|(size, stride)| size == 1 || stride > 0) {
        return of.reshaped(&ordered, &sizes(to));
    }
    let Shape { channels, height, width } = to;
    if let [(count, 1..), (pixels, 0)] = view.dims().collect::<Vec<_>>()[..]
        && (count, pixels) == (channels, height * width)
    {
        let all = format!(".expand(-1, {channels}, {height}, {width})");
        return of.reshaped(&ordered, &[channels, 1, 1]).method(all);
    }
    let own: Vec<usize> = view.dims().map(|(size, stride)| if stride == 0 { 1 } else { size }).collect();
    let all: Vec<String> = view.sizes().iter().map(usize::to_string).collect();
    let of = of.reshaped(&ordered, &own).method(format!(".expand(-1, {})", all.join(", ")));
    of.reshaped(view.sizes(), &sizes(to))
}

/// The elements at the places of a selection; where these are many, `table` holds them.
pub(super) fn picked(
    of: Expr,
    selection: &Selection,
    [from, to]: [Shape; 2],
    table: impl FnOnce(String) -> String,
) -> Expr {
    let Selection { outer, len, inner, places } = selection;
    let list = lines(places.iter().map(usize::to_string));
    let places_name =
        if places.len() <= FEW { format!("[{list}]") } else { table(format!("torch.tensor([{list}])")) };
    let of = of.reshaped(&sizes(from), &[*outer, *len, *inner]).method(format!("[:, :, {places_name}]"));
    of.reshaped(&[*outer, places.len(), *inner], &sizes(to))
}

/// The product of the matrices of two views, with a letter for each dimension.
pub(super) fn product(factors: [Expr; 2], product: &Product, from: [Shape; 2], to: Shape) -> Expr {
    let Product { a, b, out } = product;
    let rank = out.sizes().len();
    // Samples have n, matrices the letters up to h, rows and columns i and j, and terms k.
    let letter = |dim: usize, last: [char; 2]| match rank - dim {
        1 => last[1],
        2 => last[0],
        behind => char::from(b"hgfedc"[behind - 3]),
    };
    let letters = |view: &Strided, shape: Shape, last: [char; 2]| -> String {
        Arrangement::of(view, shape).dims().map(|along| letter(along.dim, last)).collect()
    };
    let mut subscripts = [letters(a, from[0], ['i', 'k']), letters(b, from[1], ['k', 'j'])];
    let of_out = letters(out, to, ['i', 'j']);
    let [of_a, of_b] = factors;
    let mut factors = [(of_a, a, from[0]), (of_b, b, from[1])].map(|(of, view, shape)| {
        let arrangement = Arrangement::of(view, shape);
        (taken(of, &arrangement, shape), arrangement.dims().count())
    });
    // What both repeat, one of them has to have.
    let repeated = |dim: usize, view: &Strided, last: [char; 2]| (letter(dim, last), view.sizes()[dim]);
    let all = (0..rank)
        .map(|dim| (0, repeated(dim, a, ['i', 'k'])))
        .chain([(1, repeated(rank - 1, b, ['k', 'j']))]);
    for (which, (letter, size)) in all {
        if size > 1 && !subscripts.iter().any(|letters| letters.contains(letter)) {
            let (of, dims) = factors[which].clone();
            let kept = "-1, ".repeat(dims + 1);
            factors[which] = (of.method(format!("[..., None].expand({kept}{size})")), dims + 1);
            subscripts[which].push(letter);
        }
    }
    let equation = format!("\"n{},n{}->n{of_out}\"", subscripts[0], subscripts[1]);
    let args = std::iter::once(Expr::Own(equation)).chain(factors.map(|(of, _)| of)).collect();
    let dims: Vec<usize> = Arrangement::of(out, to).lens();
    Expr::Call { module: "torch.einsum".to_owned(), args }.reshaped(&dims, &sizes(to))
}

pub(super) fn softmax(of: Expr, axis: Axis, shape: Shape) -> Expr {
    if let Some(dim) = dimension(axis, shape) {
        return of.method(format!(".softmax({})", dim + 1));
    }
    let dims = [axis.outer, axis.len, axis.inner];
    of.reshaped(&sizes(shape), &dims).method(".softmax(2)").reshaped(&dims, &sizes(shape))
}

pub(super) fn mean(of: Expr, axis: Axis, from: Shape, to: Shape) -> Expr {
    if (axis.outer, axis.inner, to) == (from.channels, 1, Shape::new(from.channels, 1, 1)) {
        return Expr::Mean(Box::new(of));
    }
    let dims = [axis.outer, axis.len, axis.inner];
    of.reshaped(&sizes(from), &dims).method(".mean(2)").reshaped(&[axis.outer, axis.inner], &sizes(to))
}

/// Values joined along a dimension with so many elements before and behind it.
pub(super) fn joined(parts: Vec<(Expr, Shape)>, outer: usize, inner: usize, to: Shape) -> Expr {
    let shapes: Vec<Shape> = parts.iter().map(|(_, shape)| *shape).chain([to]).collect();
    if let Some(place) = joint(&shapes, outer, inner) {
        return Expr::Concat { parts: parts.into_iter().map(|(of, _)| of).collect(), dim: place + 1 };
    }
    let dims = |shape: Shape| [outer, shape.elements() / (outer * inner), inner];
    let parts = parts.into_iter().map(|(of, shape)| of.reshaped(&sizes(shape), &dims(shape))).collect();
    Expr::Concat { parts, dim: 2 }.reshaped(&dims(to), &sizes(to))
}

pub(super) fn function(of: Expr, function: Function) -> Expr {
    let bound = |name: &str, bound: f64| format!(".clamp({name}={})", number(bound));
    let call = match function {
        Function::Linear { factor, summand } => {
            let [factor, summand] = [factor, summand].map(|real| real.number());
            return Expr::Affine { of: Box::new(of), factor, summand };
        }
        Function::Exp => ".exp()".to_owned(),
        Function::Ln => ".log()".to_owned(),
        Function::Sqrt => ".sqrt()".to_owned(),
        Function::Reciprocal => ".reciprocal()".to_owned(),
        Function::Sin => ".sin()".to_owned(),
        Function::Cos => ".cos()".to_owned(),
        Function::Tanh => ".tanh()".to_owned(),
        Function::Erf => ".erf()".to_owned(),
        Function::Power(2) => ".square()".to_owned(),
        Function::Power(n) => format!(".pow({n})"),
        Function::RealPower(exponent) => format!(".pow({:?})", exponent.number()),
        Function::Max(low) => bound("min", low.number()),
        Function::Min(high) => bound("max", high.number()),
    };
    of.method(call)
}
