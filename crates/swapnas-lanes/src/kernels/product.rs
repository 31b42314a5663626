//! Products of two matrices that both depend on the sample, as attention has them.

use std::ops::Range;

use super::rows::WriteMode;
use crate::simd::{Level, Simd, Task};
use crate::{Element, Lane, Strided};

/// Terms that are added to sums at once.
const TERMS: usize = 64;

/// Rows of the first factor that are brought together: with so many terms, 192 kilobytes, to stay in the second cache.
const ROWS: usize = 48;

/// Columns of the second factor that are brought together: with so many terms, 16 kilobytes, to stay in the first
/// cache.
const COLUMNS: usize = 4;

/// The product of two views, matrix by matrix: `out[.., i, j] = sum over k of a[.., i, k] * b[.., k, j]`.
///
/// The dimensions before the last two are alike in all three. Sums are taken in the order of k, fused, whatever
/// the level. With [`WriteMode::Sum`], products are added to what is there, and elements of `out` may be there several
/// times in the dimensions before the last two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Product {
    /// `[.., i, k]`.
    pub a: Strided,
    /// `[.., k, j]`.
    pub b: Strided,
    /// `[.., i, j]`.
    pub out: Strided,
}

impl Product {
    /// Whether dimensions fit: as many of them, at least two, and alike where they have to be.
    pub fn fits(&self) -> bool {
        let [a, b, out] = [self.a.sizes(), self.b.sizes(), self.out.sizes()];
        let rank = a.len();
        rank >= 2
            && [b.len(), out.len()] == [rank; 2]
            && a[..rank - 2] == b[..rank - 2]
            && a[..rank - 2] == out[..rank - 2]
            && a[rank - 1] == b[rank - 2]
            && a[rank - 2] == out[rank - 2]
            && b[rank - 1] == out[rank - 1]
    }

    /// Multiply-accumulates for one sample.
    pub fn macs(&self) -> u64 {
        self.a.len() as u64 * self.b.sizes().last().map_or(0, |columns| *columns as u64)
    }

    /// What takes the gradient of the result and the second factor to the gradient of the first.
    #[must_use]
    pub fn back_to_a(&self) -> Product {
        Product { a: self.out, b: transposed(&self.b), out: self.a }
    }

    /// What takes the first factor and the gradient of the result to the gradient of the second.
    #[must_use]
    pub fn back_to_b(&self) -> Product {
        Product { a: transposed(&self.a), b: self.out, out: self.b }
    }

    /// Multiplies.
    ///
    /// # Panics
    /// If dimensions do not fit or a view reaches beyond its lanes.
    pub fn run<E: Element>(
        &self,
        level: Level,
        a: &[Lane<E>],
        b: &[Lane<E>],
        into: WriteMode,
        out: &mut [Lane<E>],
    ) {
        assert!(self.fits(), "{self:?}");
        assert!(self.a.end() <= a.len() && self.b.end() <= b.len() && self.out.end() <= out.len());
        level.run(Run { of: self, a, b, into, out });
    }
}

/// The last two dimensions exchanged.
fn transposed(view: &Strided) -> Strided {
    let mut order: Vec<usize> = (0..view.sizes().len()).collect();
    let last = order.len() - 1;
    order.swap(last - 1, last);
    view.permuted(&order)
}

struct Run<'a, E> {
    of: &'a Product,
    a: &'a [Lane<E>],
    b: &'a [Lane<E>],
    into: WriteMode,
    out: &'a mut [Lane<E>],
}

/// The matrices of a view: size and stride of rows and columns.
#[derive(Clone, Copy)]
struct Matrix {
    rows: usize,
    columns: usize,
    row: usize,
    column: usize,
}

impl Matrix {
    fn of(view: &Strided) -> Self {
        let mut dims = view.dims().rev();
        let ((columns, column), (rows, row)) = (dims.next().unwrap_or((1, 0)), dims.next().unwrap_or((1, 0)));
        Matrix { rows, columns, row, column }
    }
}

impl<E: Element> Task<E> for Run<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<E = E>>(mut self, simd: S) {
        let Product { a, b, out } = self.of;
        let firsts = a.outer(2).places().zip(b.outer(2).places()).zip(out.outer(2).places());
        let mut blocks = Blocks { rows: Vec::new(), columns: Vec::new() };
        for ((a, b), out) in firsts {
            self.multiply(simd, &mut blocks, [a, b, out]);
        }
    }
}

/// Blocks of both factors as tiles read them: some rows, or columns, side by side for one term after the other.
struct Blocks<E> {
    rows: Vec<Lane<E>>,
    columns: Vec<Lane<E>>,
}

/// Puts `count` lanes that are `apart` from each other side by side, for one term after the other, which are `stride`
/// apart.
#[inline(always)]
fn gather<E: Element>(
    lanes: &[Lane<E>],
    first: usize,
    (terms, stride): (&Range<usize>, usize),
    (count, apart): (usize, usize),
    into: &mut Vec<Lane<E>>,
) {
    for k in terms.clone() {
        into.extend((0..count).map(|i| lanes[first + k * stride + i * apart]));
    }
}

impl<E: Element> Run<'_, E> {
    /// One matrix.
    #[inline(always)]
    fn multiply<S: Simd<E = E>>(&mut self, simd: S, blocks: &mut Blocks<E>, [a, b, out]: [usize; 3]) {
        let (first, second) = (Matrix::of(&self.of.a), Matrix::of(&self.of.b));
        let Blocks { rows, columns } = blocks;
        // Where there are registers for it, six rows at a time.
        let sizes: &[usize] = if S::REGISTERS >= 32 { &[6, 3, 1] } else { &[3, 1] };
        // Without terms, sums are written all the same.
        for start in (0..first.columns.max(1)).step_by(TERMS) {
            let terms = start..first.columns.min(start + TERMS);
            for top in (0..first.rows).step_by(ROWS) {
                let tiles = || Tiles { next: top, end: first.rows.min(top + ROWS), sizes };
                rows.clear();
                for (i, count) in tiles() {
                    gather(self.a, a + i * first.row, (&terms, first.column), (count, first.row), rows);
                }
                for (j, wide) in (Tiles { next: 0, end: second.columns, sizes: &[COLUMNS, 1] }) {
                    columns.clear();
                    let from = b + j * second.column;
                    gather(self.b, from, (&terms, second.row), (wide, second.column), columns);
                    let mut rest = rows.as_slice();
                    for (i, count) in tiles() {
                        let (these, others) = rest.split_at(count * terms.len());
                        rest = others;
                        let to = [i, j];
                        let add = start > 0 || self.into == WriteMode::Sum;
                        match (count, wide) {
                            (6, 4) => self.tile::<S, 6, 4>(simd, these, columns, add, out, to),
                            (6, _) => self.tile::<S, 6, 1>(simd, these, columns, add, out, to),
                            (3, 4) => self.tile::<S, 3, 4>(simd, these, columns, add, out, to),
                            (3, _) => self.tile::<S, 3, 1>(simd, these, columns, add, out, to),
                            (_, 4) => self.tile::<S, 1, 4>(simd, these, columns, add, out, to),
                            (_, _) => self.tile::<S, 1, 1>(simd, these, columns, add, out, to),
                        }
                    }
                }
            }
        }
    }

    /// The products of blocks of `M` rows and `N` columns, which are added to what is at a place of a result, or
    /// overwrite it.
    #[inline(always)]
    fn tile<S: Simd<E = E>, const M: usize, const N: usize>(
        &mut self,
        simd: S,
        rows: &[Lane<E>],
        columns: &[Lane<E>],
        add: bool,
        out: usize,
        [i, j]: [usize; 2],
    ) {
        let result = Matrix::of(&self.of.out);
        let ((rows, _), (columns, _)) = (rows.as_chunks::<M>(), columns.as_chunks::<N>());
        for part in 0..S::PARTS {
            let mut sums = [[simd.zero(); N]; M];
            if add {
                for (m, sums) in sums.iter_mut().enumerate() {
                    for (n, sum) in sums.iter_mut().enumerate() {
                        let place = out + (i + m) * result.row + (j + n) * result.column;
                        *sum = simd.load(&self.out[place], part);
                    }
                }
            }
            for (row, column) in rows.iter().zip(columns) {
                // The shorter side stays in registers, and the numbers of the other pass by.
                if M < N {
                    let mut x = [simd.zero(); M];
                    for (x, lane) in x.iter_mut().zip(row) {
                        *x = simd.load(lane, part);
                    }
                    for (n, lane) in column.iter().enumerate() {
                        let factor = simd.load(lane, part);
                        for (sums, x) in sums.iter_mut().zip(x) {
                            sums[n] = simd.fma(x, factor, sums[n]);
                        }
                    }
                } else {
                    let mut factors = [simd.zero(); N];
                    for (factor, lane) in factors.iter_mut().zip(column) {
                        *factor = simd.load(lane, part);
                    }
                    for (sums, lane) in sums.iter_mut().zip(row) {
                        let x = simd.load(lane, part);
                        for (sum, factor) in sums.iter_mut().zip(factors) {
                            *sum = simd.fma(x, factor, *sum);
                        }
                    }
                }
            }
            for (m, sums) in sums.iter().enumerate() {
                for (n, sum) in sums.iter().enumerate() {
                    let place = out + (i + m) * result.row + (j + n) * result.column;
                    simd.store(*sum, &mut self.out[place], part);
                }
            }
        }
    }
}

/// Rows or columns that go together, the first of them and how many: as many as there can be, of some sizes down to 1.
struct Tiles<'a> {
    next: usize,
    end: usize,
    sizes: &'a [usize],
}

impl Iterator for Tiles<'_> {
    type Item = (usize, usize);

    #[inline(always)]
    fn next(&mut self) -> Option<(usize, usize)> {
        let (first, left) = (self.next, self.end - self.next);
        let count = *self.sizes.iter().find(|size| **size <= left)?;
        self.next += count;
        Some((first, count))
    }
}
