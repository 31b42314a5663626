//! Views as other libraries have them: elements reshaped, parts of their dimensions taken, and these put in order.

use swapnas_graph::tensor::Axis;
use swapnas_graph::{Shape, Strided};

/// Channels, rows, columns.
pub(crate) fn sizes(shape: Shape) -> [usize; 3] {
    [shape.channels, shape.height, shape.width]
}

/// How the elements of a view are had of those of a value.
///
/// The value is reshaped to the lengths of [`sides`](Self::sides), of each side some places are taken, and what comes of
/// it are the dimensions of the view in another order. A dimension in which the view repeats its elements is none of
/// them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrangement {
    /// Outermost first.
    pub sides: Vec<Side>,
}

/// A dimension that a value has once it is reshaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Side {
    pub len: usize,
    /// The first place that is taken.
    pub start: usize,
    /// The dimensions of the view that go along it: none if only one place is taken, and several in the order of the
    /// view if windows overlap.
    pub along: Vec<Along>,
}

/// A dimension of the view that goes along a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Along {
    /// Its number.
    pub dim: usize,
    pub size: usize,
    /// Places from one element to the next.
    pub step: usize,
}

impl Side {
    /// Whether it is a dimension of the view as it is.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self.along[..], [Along { size, .. }] if size == self.len)
    }

    /// The places that are taken, in the order of the view.
    pub(crate) fn places(&self) -> Vec<usize> {
        self.along.iter().fold(vec![self.start], |places, along| {
            let from = |place: usize| (0..along.size).map(move |i| place + i * along.step);
            places.into_iter().flat_map(from).collect()
        })
    }
}

impl Arrangement {
    /// The arrangement of a view of a value of this shape.
    pub(crate) fn of(view: &Strided, shape: Shape) -> Self {
        let dims = view.dims().enumerate().filter(|(_, (size, stride))| *size > 1 && *stride > 0);
        let mut open: Vec<Along> = dims.map(|(dim, (size, step))| Along { dim, size, step }).collect();
        open.sort_by_key(|along| along.step);
        let mut rest =
            Rest { elements: shape.elements(), offset: view.offset(), open, natural: natural(shape) };
        let mut sides = Vec::new();
        while rest.elements > 1 || !rest.open.is_empty() {
            sides.push(rest.take());
        }
        sides.reverse();
        Arrangement { sides }
    }

    /// The same for elements that lie pixel by pixel, channels last, if no side has some of both.
    pub(crate) fn of_pixels_first(&self, shape: Shape) -> Option<Self> {
        let pixels = shape.pixels();
        let mut behind = 1;
        let mut first = self.sides.len();
        while behind < pixels {
            first = first.checked_sub(1)?;
            behind *= self.sides[first].len;
        }
        let mut sides = self.sides.clone();
        sides.rotate_left(first);
        (behind == pixels).then_some(Arrangement { sides })
    }

    /// Whether every element of the value is taken once.
    pub(crate) fn is_all(&self) -> bool {
        self.sides.iter().all(Side::is_whole)
    }

    /// Lengths of the sides.
    pub(crate) fn lens(&self) -> Vec<usize> {
        self.sides.iter().map(|side| side.len).collect()
    }

    /// The view's dimensions as they come out of the sides.
    pub(crate) fn dims(&self) -> impl Iterator<Item = Along> {
        self.sides.iter().flat_map(|side| side.along.iter().copied())
    }

    /// Which of [`dims`](Self::dims) is the first one of the view, the second one, and so on.
    pub(crate) fn order(&self) -> Vec<usize> {
        let dims: Vec<usize> = self.dims().map(|along| along.dim).collect();
        let mut order: Vec<usize> = (0..dims.len()).collect();
        order.sort_by_key(|place| dims[*place]);
        order
    }
}

/// Lengths at which one would take a value apart: rows, and channels.
fn natural(shape: Shape) -> Vec<usize> {
    [shape.width, shape.pixels()].into_iter().filter(|len| *len > 1).collect()
}

/// What is left of a view: the sides that are further out.
struct Rest {
    /// All measured in elements of the sides that are further in.
    elements: usize,
    offset: usize,
    /// By their steps, the smallest first.
    open: Vec<Along>,
    natural: Vec<usize>,
}

impl Rest {
    /// The innermost side.
    fn take(&mut self) -> Side {
        let (len, inner) = self.innermost();
        let start = self.offset % len;
        let mut along: Vec<Along> = self.open.drain(..inner).collect();
        along.sort_by_key(|along| along.dim);
        self.elements /= len;
        self.offset /= len;
        self.open.iter_mut().for_each(|along| along.step /= len);
        self.natural = self.natural.iter().filter(|n| *n % len == 0 && **n > len).map(|n| n / len).collect();
        Side { len, start, along }
    }

    /// The length of the innermost side, and how many dimensions go along it: as few as possible.
    fn innermost(&self) -> (usize, usize) {
        let fitting = |inner: usize| {
            let steps = self.open[inner..].iter().map(|along| along.step);
            let between = steps.reduce(greatest_common_divisor).unwrap_or(self.elements);
            let reach: usize = self.open[..inner].iter().map(|along| (along.size - 1) * along.step).sum();
            let fits = |len: usize| {
                len > 1
                    && self.elements.is_multiple_of(len)
                    && between.is_multiple_of(len)
                    && self.offset % len + reach < len
            };
            // Without dimensions, only what one would take apart anyway.
            let all = (inner > 0 || self.open.is_empty()).then_some(between);
            self.natural.iter().copied().chain(all).find(|len| fits(*len)).map(|len| (len, inner))
        };
        let found = (0..=self.open.len()).find_map(fitting);
        found.expect("all that is left goes along all that is left")
    }
}

/// Elements at any places: of a value with the dimensions `outer`, `len` and `inner`, all of the first and the last one,
/// and some of the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    pub outer: usize,
    pub len: usize,
    pub inner: usize,
    pub places: Vec<usize>,
}

impl Selection {
    /// The selection of these places of so many elements, with as few places as possible.
    pub(crate) fn of(places: &[u32], elements: usize) -> Self {
        let places: Vec<usize> = places.iter().map(|place| *place as usize).collect();
        let common = |count: usize| greatest_common_divisor(count, elements);
        let divisors = |number: usize| (1..=number).rev().filter(move |d| number.is_multiple_of(*d));
        let is_run =
            |run: &[usize]| run[0].is_multiple_of(run.len()) && run.windows(2).all(|p| p[0] + 1 == p[1]);
        let inner =
            divisors(common(places.len())).find(|inner| places.chunks(*inner).all(is_run)).unwrap_or(1);
        let places: Vec<usize> = places.chunks(inner).map(|run| run[0] / inner).collect();
        let elements = elements / inner;
        let repeats = |outer: &usize| {
            let (len, count) = (elements / outer, places.len() / outer);
            let is_shifted = |(i, place): (usize, &usize)| *place == places[i % count] + i / count * len;
            places.iter().enumerate().all(is_shifted) && places[..count].iter().all(|place| *place < len)
        };
        let count = greatest_common_divisor(places.len(), elements);
        let outer = divisors(count).find(repeats).unwrap_or(1);
        let first = places[..places.len() / outer].to_vec();
        Selection { outer, len: elements / outer, inner, places: first }
    }
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// Whether an axis is dimension 0, 1 or 2 of channels x rows x columns.
pub(crate) fn is_dimension(axis: Axis, shape: Shape, dim: usize) -> bool {
    let Shape { channels, height, width } = shape;
    let around = [(1, channels, height * width), (channels, height, width), (channels * height, width, 1)];
    around[dim] == (axis.outer, axis.len, axis.inner)
}

/// Which dimension of channels x rows x columns an axis is, if it is one.
pub(crate) fn dimension(axis: Axis, shape: Shape) -> Option<usize> {
    (0..3).find(|dim| is_dimension(axis, shape, *dim))
}

/// The dimension of channels x rows x columns along which values of these shapes are joined, if it is one of all.
pub(crate) fn joint(shapes: &[Shape], outer: usize, inner: usize) -> Option<usize> {
    let axis = |shape: &Shape| Axis { outer, len: shape.elements() / (outer * inner), inner };
    (0..3).find(|dim| shapes.iter().all(|shape| is_dimension(axis(shape), *shape, *dim)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places that an arrangement says, in the order of the view, whose repeated dimensions are left out.
    fn places(arrangement: &Arrangement) -> Vec<usize> {
        let mut all: Vec<(Vec<usize>, usize)> = vec![(Vec::new(), 0)];
        for side in &arrangement.sides {
            let sizes: Vec<usize> = side.along.iter().map(|along| along.size).collect();
            let mut next = Vec::new();
            for (index, place) in &all {
                for (number, own) in side.places().iter().enumerate() {
                    let mut index = index.clone();
                    let mut left = number;
                    let mut own_index: Vec<usize> = Vec::new();
                    for size in sizes.iter().rev() {
                        own_index.insert(0, left % size);
                        left /= size;
                    }
                    index.extend(own_index);
                    next.push((index, place * side.len + own));
                }
            }
            all = next;
        }
        let order = arrangement.order();
        all.sort_by_key(|(index, _)| order.iter().map(|place| index[*place]).collect::<Vec<_>>());
        all.into_iter().map(|(_, place)| place).collect()
    }

    fn check(shape: Shape, dims: &[(usize, usize)], offset: usize) -> Arrangement {
        let view = Strided::new(dims, offset).unwrap();
        let arrangement = Arrangement::of(&view, shape);
        assert_eq!(arrangement.lens().iter().product::<usize>(), shape.elements(), "{view:?}");
        let kept: Vec<_> = dims.iter().copied().filter(|(_, stride)| *stride > 0).collect();
        let expected: Vec<usize> = Strided::new(&kept, offset).unwrap().places().collect();
        assert_eq!(places(&arrangement), expected, "{view:?}");
        if let Some(turned) = arrangement.of_pixels_first(shape) {
            let (channels, pixels) = (shape.channels, shape.pixels());
            let back = |place: usize| place % channels * pixels + place / channels;
            let found: Vec<usize> = places(&turned).into_iter().map(back).collect();
            assert_eq!(found, expected, "{view:?}");
        }
        arrangement
    }

    #[test]
    fn views_are_taken_to_sides() {
        let tokens = Shape::new(12, 1, 5);
        // Heads, and the other way round.
        let heads = check(tokens, &[(3, 20), (5, 1), (4, 5)], 0);
        assert_eq!(heads.lens(), [3, 4, 5]);
        assert_eq!(heads.order(), [0, 2, 1]);
        assert_eq!(heads.of_pixels_first(tokens).unwrap().lens(), [5, 3, 4]);
        // The first token, and the others.
        assert_eq!(check(tokens, &[(12, 5)], 0).lens(), [12, 5]);
        assert_eq!(check(tokens, &[(12, 5), (4, 1)], 1).lens(), [12, 5]);
        // Windows that overlap, repeated.
        let windows = check(tokens, &[(2, 0), (3, 1), (12, 5), (3, 1)], 0);
        assert_eq!(windows.lens(), [12, 5]);
        assert_eq!(windows.sides[1].along.len(), 2);
        // Patches of images, and such that leave a part.
        let images = Shape::new(3, 6, 8);
        assert_eq!(check(images, &[(3, 16), (4, 2), (3, 48), (2, 8), (2, 1)], 0).lens(), [3, 3, 2, 4, 2]);
        check(images, &[(2, 8), (2, 1), (5, 8), (7, 1), (3, 48)], 0);
        check(images, &[(3, 48), (3, 17)], 5);
        check(images, &[(2, 70), (3, 1)], 1);
        check(images, &[(1, 0)], 77);
        check(Shape::new(1, 1, 7), &[(3, 2)], 1);
        check(Shape::new(1, 1, 1), &[(4, 0)], 0);
    }

    #[test]
    fn all_small_views_are_arranged() {
        let shape = Shape::new(2, 2, 3);
        for sizes in [[2, 2, 2], [2, 3, 1], [3, 1, 2], [1, 1, 4]] {
            for strides in 0..6 * 6 * 6 {
                let dims = [0, 1, 2].map(|axis| (sizes[axis], strides / 6usize.pow(axis as u32) % 6));
                for offset in 0..3 {
                    if Strided::new(&dims, offset).unwrap().end() <= shape.elements() {
                        check(shape, &dims, offset);
                    }
                }
            }
        }
    }

    #[test]
    fn selections_are_of_one_dimension() {
        let of = |places: &[u32], elements| {
            let Selection { outer, len, inner, places } = Selection::of(places, elements);
            ([outer, len, inner], places)
        };
        assert_eq!(of(&[3, 0, 2], 4), ([1, 4, 1], vec![3, 0, 2]));
        assert_eq!(of(&[2, 3, 0, 1, 2, 3], 4), ([1, 2, 2], vec![1, 0, 1]));
        assert_eq!(of(&[1, 1, 4, 4, 7, 7], 9), ([3, 3, 1], vec![1, 1]));
        assert_eq!(of(&[2, 3, 0, 1, 8, 9, 6, 7], 12), ([2, 3, 2], vec![1, 0]));
        assert_eq!(of(&[0, 1, 2, 3], 4), ([1, 1, 4], vec![0]));
    }

    #[test]
    fn axes_are_dimensions() {
        let shape = Shape::new(4, 2, 3);
        let of = |outer, len, inner| dimension(Axis { outer, len, inner }, shape);
        assert_eq!([of(1, 4, 6), of(4, 2, 3), of(8, 3, 1), of(2, 2, 6)], [Some(0), Some(1), Some(2), None]);
        // Dimensions of one element are any.
        assert_eq!(joint(&[Shape::new(4, 1, 1), Shape::new(4, 1, 3), Shape::new(4, 1, 4)], 4, 1), Some(2));
        assert_eq!(joint(&[shape, Shape::new(4, 2, 6)], 4, 1), None);
    }
}
