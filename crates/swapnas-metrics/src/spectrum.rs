//! Products of rows, their eigenvalues and determinants, in double precision.
//!
//! The products are summed in one fixed order, and the decompositions are plain loops, so the bits do
//! not depend on the machine.

use nalgebra::DMatrix;
use swapnas_graph::Element;

use crate::trial::product;

/// Numbers of each row that are multiplied before the next ones are looked at: few enough for those of
/// many rows to stay in the cache, and a multiple of the number of sums.
const CHUNK: usize = 1024;

/// The products of all pairs of rows, which have the same length.
pub(crate) fn gram<E: Element, R: AsRef<[E]>>(rows: &[R]) -> DMatrix<f64> {
    let len = rows.first().map_or(0, |row| row.as_ref().len());
    let mut sums = vec![ProductSums::default(); rows.len() * rows.len()];
    let mut chunks = vec![Vec::with_capacity(CHUNK); rows.len()];
    for start in (0..len).step_by(CHUNK) {
        for (chunk, row) in chunks.iter_mut().zip(rows) {
            chunk.clear();
            chunk.extend(row.as_ref()[start..len.min(start + CHUNK)].iter().map(|x| x.to_f64()));
        }
        for (i, a) in chunks.iter().enumerate() {
            for (j, b) in chunks[..=i].iter().enumerate() {
                sums[i * rows.len() + j].add(a, b);
            }
        }
    }
    DMatrix::from_fn(rows.len(), rows.len(), |i, j| sums[i.max(j) * rows.len() + i.min(j)].total())
}

/// Bytes that the products of so many rows and their eigenvalues take, besides the rows.
pub(crate) fn gram_bytes(rows: usize) -> usize {
    // ProductSums, the matrix, and copies that it is decomposed in.
    product([rows, rows, size_of::<ProductSums>() + 4 * size_of::<f64>()])
}

/// Bytes that so many rows take once they are [standardised].
pub(crate) fn standardised_bytes(rows: usize, len: usize) -> usize {
    product([rows.saturating_add(1), len, size_of::<f64>()])
}

/// The sum of products.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = ProductSums::default();
    sums.add(a, b);
    sums.total()
}

/// A sum of products, in eight sums that are added in the end.
#[derive(Clone, Copy, Default)]
struct ProductSums {
    sums: [f64; 8],
    rest: f64,
}

impl ProductSums {
    /// Adds further products; those that do not make up eight are the last ones.
    fn add(&mut self, a: &[f64], b: &[f64]) {
        let (a_chunks, a_rest) = a.as_chunks::<8>();
        let (b_chunks, b_rest) = b.as_chunks::<8>();
        for (a, b) in a_chunks.iter().zip(b_chunks) {
            for (sum, (a, b)) in self.sums.iter_mut().zip(a.iter().zip(b)) {
                *sum += a * b;
            }
        }
        self.rest += a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>();
    }

    fn total(&self) -> f64 {
        self.sums.iter().sum::<f64>() + self.rest
    }
}

/// The eigenvalues of a symmetric matrix in ascending order; `None` if not all entries are finite.
pub(crate) fn eigenvalues(matrix: DMatrix<f64>) -> Option<Vec<f64>> {
    if matrix.iter().any(|x| !x.is_finite()) {
        return None;
    }
    let mut values: Vec<f64> = matrix.symmetric_eigenvalues().iter().copied().collect();
    values.sort_by(f64::total_cmp);
    Some(values)
}

/// The natural logarithm of the absolute determinant; minus infinity if it is zero.
pub(crate) fn log_abs_determinant(matrix: DMatrix<f64>) -> f64 {
    let upper = matrix.lu().u();
    upper.diagonal().iter().map(|x| libm::log(x.abs())).sum()
}

/// Rows with their means removed, scaled to length 1: their products are Pearson correlations. `None`
/// for a row that is constant; one with numbers that are not finite stays so.
pub(crate) fn standardised<'a>(rows: impl Iterator<Item = &'a [f64]>) -> Vec<Option<Vec<f64>>> {
    let standardise = |row: &[f64]| {
        let mean = row.iter().sum::<f64>() / row.len() as f64;
        let centred: Vec<f64> = row.iter().map(|x| x - mean).collect();
        let length = dot(&centred, &centred).sqrt();
        (length != 0.0).then(|| centred.iter().map(|x| x / length).collect())
    };
    rows.map(standardise).collect()
}
