//! Elements of a block in any order.

use std::fmt;

/// The most dimensions of a view.
pub const MOST_DIMS: usize = 8;

/// Some elements of a block of lanes in any order: the one at `[i, j, ...]` is the lane
/// `offset + i * strides[0] + j * strides[1] + ...`. An element may be there several times, with a stride of 0.
///
/// Since an element is a lane, the numbers of all samples, it does not matter to kernels how far apart elements
/// are: transposing costs nothing.
///
/// ```
/// use swapnas_lanes::Strided;
///
/// let matrix = Strided::contiguous(&[2, 3]).unwrap();
/// let transposed = matrix.permuted(&[1, 0]);
/// assert_eq!(transposed.places().collect::<Vec<_>>(), [0, 3, 1, 4, 2, 5]);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Strided {
    sizes: [usize; MOST_DIMS],
    strides: [usize; MOST_DIMS],
    rank: usize,
    offset: usize,
}

impl Strided {
    /// Dimensions as pairs of size and stride, outermost first, from lane `offset` on. `None` if there are more
    /// than [`MOST_DIMS`], or more elements or places than can be counted.
    pub fn new(dims: &[(usize, usize)], offset: usize) -> Option<Self> {
        let mut view = Strided { sizes: [0; MOST_DIMS], strides: [0; MOST_DIMS], rank: dims.len(), offset };
        let (mut elements, mut last) = (1usize, offset);
        for (axis, &(size, stride)) in dims.iter().enumerate() {
            // A dimension of one element has no stride, so that equal views are equal.
            let stride = if size == 1 { 0 } else { stride };
            *view.sizes.get_mut(axis)? = size;
            view.strides[axis] = stride;
            // Those beside a dimension of 0 are counted as well.
            elements = elements.checked_mul(size.max(1))?;
            last = last.checked_add(size.saturating_sub(1).checked_mul(stride)?)?;
        }
        last.checked_add(1)?;
        Some(view)
    }

    /// All elements in order.
    pub fn contiguous(sizes: &[usize]) -> Option<Self> {
        let mut dims: Vec<(usize, usize)> = sizes.iter().map(|size| (*size, 0)).collect();
        let mut stride = 1usize;
        for dim in dims.iter_mut().rev() {
            dim.1 = stride;
            stride = stride.checked_mul(dim.0.max(1))?;
        }
        Self::new(&dims, 0)
    }

    /// Sizes of the dimensions, outermost first.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes[..self.rank]
    }

    /// Lanes from one element of each dimension to the next; 0 for dimensions of one element.
    pub fn strides(&self) -> &[usize] {
        &self.strides[..self.rank]
    }

    /// The lane of the first element.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.sizes().iter().product()
    }

    /// Whether it has no elements.
    pub fn is_empty(&self) -> bool {
        self.sizes().contains(&0)
    }

    /// The lane behind the last one that is an element; 0 if there is none.
    pub fn end(&self) -> usize {
        if self.is_empty() {
            return 0;
        }
        let far: usize = self.dims().map(|(size, stride)| (size - 1) * stride).sum();
        self.offset + far + 1
    }

    /// Pairs of size and stride, outermost first.
    pub fn dims(&self) -> impl DoubleEndedIterator<Item = (usize, usize)> + ExactSizeIterator + use<> {
        let view = *self;
        (0..view.rank).map(move |axis| (view.sizes[axis], view.strides[axis]))
    }

    /// The dimensions in another order: dimension `i` of the result is the one number `order[i]`.
    ///
    /// # Panics
    /// If `order` names a dimension that is not there.
    #[must_use]
    pub fn permuted(&self, order: &[usize]) -> Self {
        let dims: Vec<_> = order.iter().map(|axis| (self.sizes()[*axis], self.strides()[*axis])).collect();
        self.with(&dims, self.offset)
    }

    /// Elements `first, first + step, ...` of a dimension, `count` of them.
    ///
    /// # Panics
    /// If they are not there.
    #[must_use]
    pub fn part(&self, axis: usize, first: usize, count: usize, step: usize) -> Self {
        assert!(count == 0 || first + (count - 1) * step < self.sizes()[axis], "a part that is not there");
        let mut dims: Vec<_> = self.dims().collect();
        let stride = dims[axis].1;
        dims[axis] = (count, stride * step);
        self.with(&dims, self.offset + first * stride)
    }

    /// The same elements with other dimensions; `None` if they do not lie in equal distances there, so that
    /// they would have to be moved.
    ///
    /// # Panics
    /// If the number of elements is not the same.
    pub fn reshaped(&self, sizes: &[usize]) -> Option<Self> {
        assert_eq!(self.len(), sizes.iter().product::<usize>(), "the same elements");
        let merged = self.merged();
        let mut dims = Vec::with_capacity(sizes.len());
        // From the innermost on, each new dimension is a part of what is left of an old one.
        let mut old = merged.dims().rev();
        let (mut left, mut stride) = old.next().unwrap_or((1, 0));
        for &size in sizes.iter().rev() {
            if size == 1 {
                dims.push((1, 0));
                continue;
            }
            if left == 1 {
                (left, stride) = old.next().unwrap_or((1, 0));
            }
            if !left.is_multiple_of(size.max(1)) || size == 0 {
                return if self.is_empty() { Self::contiguous(sizes) } else { None };
            }
            dims.push((size, stride));
            left /= size;
            stride *= size;
        }
        dims.reverse();
        Self::new(&dims, self.offset)
    }

    /// The same order of elements with as few dimensions as possible.
    #[must_use]
    pub fn merged(&self) -> Self {
        let mut dims: Vec<(usize, usize)> = Vec::with_capacity(self.rank);
        for (size, stride) in self.dims().filter(|(size, _)| *size != 1) {
            match dims.last_mut() {
                Some(outer) if outer.1 == size * stride => *outer = (outer.0 * size, stride),
                _ => dims.push((size, stride)),
            }
        }
        self.with(&dims, self.offset)
    }

    /// The lanes of all elements, in order.
    pub fn places(&self) -> Places {
        Places { view: *self, index: [0; MOST_DIMS], place: self.offset, left: self.len() }
    }

    /// The view without its last `inner` dimensions: of the first element of each.
    pub(crate) fn outer(&self, inner: usize) -> Self {
        let dims: Vec<_> = self.dims().take(self.rank - inner).collect();
        self.with(&dims, self.offset)
    }

    fn with(&self, dims: &[(usize, usize)], offset: usize) -> Self {
        Self::new(dims, offset).expect("no larger than a view that there is")
    }
}

impl fmt::Debug for Strided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dims = self.dims().map(|(size, stride)| format!("{size}:{stride}"));
        write!(f, "[{}]+{}", dims.collect::<Vec<_>>().join(", "), self.offset)
    }
}

/// The lanes of a view's elements.
#[derive(Clone, Debug)]
pub struct Places {
    view: Strided,
    index: [usize; MOST_DIMS],
    place: usize,
    left: usize,
}

impl Iterator for Places {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        self.left = self.left.checked_sub(1)?;
        let place = self.place;
        for axis in (0..self.view.rank).rev() {
            self.index[axis] += 1;
            self.place += self.view.strides[axis];
            if self.index[axis] < self.view.sizes[axis] {
                break;
            }
            self.place -= self.view.strides[axis] * self.view.sizes[axis];
            self.index[axis] = 0;
        }
        Some(place)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Places {}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(view: Strided) -> Vec<usize> {
        view.places().collect()
    }

    #[test]
    fn views_are_taken_of_views() {
        let cube = Strided::contiguous(&[2, 3, 4]).unwrap();
        assert_eq!(places(cube), (0..24).collect::<Vec<_>>());
        assert_eq!(places(cube.merged()), places(cube));
        assert_eq!(cube.merged().sizes(), [24]);
        let turned = cube.permuted(&[2, 0, 1]);
        assert_eq!(places(turned)[..7], [0, 4, 8, 12, 16, 20, 1]);
        assert_eq!(turned.merged().sizes(), [4, 6]);
        assert_eq!(places(cube.part(1, 1, 1, 1)), [4, 5, 6, 7, 16, 17, 18, 19]);
        assert_eq!(places(cube.part(2, 1, 2, 2))[..4], [1, 3, 5, 7]);
        assert_eq!(cube.end(), 24);
        assert_eq!(turned.end(), 24);
        assert_eq!(places(Strided::new(&[(2, 0), (2, 1)], 5).unwrap()), [5, 6, 5, 6]);
    }

    #[test]
    fn what_lies_in_equal_distances_is_reshaped() {
        let cube = Strided::contiguous(&[2, 3, 4]).unwrap();
        assert_eq!(cube.reshaped(&[6, 2, 2]), Strided::contiguous(&[6, 2, 2]));
        let turned = cube.permuted(&[2, 0, 1]);
        for sizes in [&[4, 6][..], &[2, 2, 6], &[4, 1, 2, 3], &[2, 2, 3, 2, 1]] {
            assert_eq!(places(turned.reshaped(sizes).unwrap()), places(turned), "{sizes:?}");
        }
        assert_eq!(turned.reshaped(&[24]), None);
        assert_eq!(turned.reshaped(&[8, 3]), None);
        let none = Strided::contiguous(&[0, 3]).unwrap();
        assert_eq!(none.reshaped(&[3, 0]).unwrap().len(), 0);
    }

    #[test]
    fn what_cannot_be_counted_is_no_view() {
        assert_eq!(Strided::contiguous(&[1 << 40, 1 << 40, 0]), None);
        assert_eq!(Strided::new(&[(1 << 33, 1 << 33)], 0), None);
        assert_eq!(Strided::new(&[(2, 1); 9], 0), None);
    }
}
