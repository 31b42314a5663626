//! Products of two matrices that both depend on the sample, as attention has them.

use super::rows::WriteMode;
use crate::simd::{Level, Simd, Task};
use crate::{Element, Lane, Strided};

/// Columns of the second factor that are gone through before the next rows of the first: with 64 rows, an
/// eighth of a megabyte, to stay in the second cache.
const COLUMNS: usize = 32;

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
        for ((a, b), out) in firsts {
            self.multiply(simd, [a, b, out]);
        }
    }
}

impl<E: Element> Run<'_, E> {
    /// One matrix.
    #[inline(always)]
    fn multiply<S: Simd<E = E>>(&mut self, simd: S, [a, b, out]: [usize; 3]) {
        let (first, second) = (Matrix::of(&self.of.a), Matrix::of(&self.of.b));
        for columns in (0..second.columns).step_by(COLUMNS) {
            let end = (columns + COLUMNS).min(second.columns);
            let mut i = 0;
            while i < first.rows {
                // Where there are registers for it, six rows and four columns at a time.
                let together = match first.rows - i {
                    6.. if S::REGISTERS >= 32 => 6,
                    3.. => 3,
                    _ => 1,
                };
                let mut j = columns;
                while j < end {
                    let at = [a + i * first.row, b + j * second.column, out];
                    match (together, end - j) {
                        (6, 4..) => self.tile::<S, 6, 4>(simd, at, i, j),
                        (6, _) => self.tile::<S, 6, 1>(simd, at, i, j),
                        (3, 4..) => self.tile::<S, 3, 4>(simd, at, i, j),
                        (3, _) => self.tile::<S, 3, 1>(simd, at, i, j),
                        (_, 4..) => self.tile::<S, 1, 4>(simd, at, i, j),
                        _ => self.tile::<S, 1, 1>(simd, at, i, j),
                    }
                    j += if end - j >= 4 { 4 } else { 1 };
                }
                i += together;
            }
        }
    }

    /// `M` rows and `N` columns of a result, from row `i` and column `j` on.
    #[inline(always)]
    fn tile<S: Simd<E = E>, const M: usize, const N: usize>(
        &mut self,
        simd: S,
        [a, b, out]: [usize; 3],
        i: usize,
        j: usize,
    ) {
        let (first, second) = (Matrix::of(&self.of.a), Matrix::of(&self.of.b));
        let result = Matrix::of(&self.of.out);
        for part in 0..S::PARTS {
            let mut sums = [[simd.zero(); N]; M];
            if self.into == WriteMode::Sum {
                for (m, sums) in sums.iter_mut().enumerate() {
                    for (n, sum) in sums.iter_mut().enumerate() {
                        let place = out + (i + m) * result.row + (j + n) * result.column;
                        *sum = simd.load(&self.out[place], part);
                    }
                }
            }
            for k in 0..first.columns {
                let (a, b) = (a + k * first.column, b + k * second.row);
                // The shorter side stays in registers, and the numbers of the other pass by.
                if M < N {
                    let mut x = [simd.zero(); M];
                    for (m, x) in x.iter_mut().enumerate() {
                        *x = simd.load(&self.a[a + m * first.row], part);
                    }
                    for n in 0..N {
                        let factor = simd.load(&self.b[b + n * second.column], part);
                        for (sums, x) in sums.iter_mut().zip(x) {
                            sums[n] = simd.fma(x, factor, sums[n]);
                        }
                    }
                } else {
                    let mut factors = [simd.zero(); N];
                    for (n, factor) in factors.iter_mut().enumerate() {
                        *factor = simd.load(&self.b[b + n * second.column], part);
                    }
                    for (m, sums) in sums.iter_mut().enumerate() {
                        let x = simd.load(&self.a[a + m * first.row], part);
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
