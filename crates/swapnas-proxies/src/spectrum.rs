//! Products of rows, their eigenvalues and determinants, in double precision.
//!
//! The products are summed in one fixed order, and the decompositions are plain loops, so the bits do
//! not depend on the machine.

use nalgebra::DMatrix;

/// The products of all pairs of rows.
pub(crate) fn gram<R: AsRef<[f64]>>(rows: &[R]) -> DMatrix<f64> {
    let mut gram = DMatrix::zeros(rows.len(), rows.len());
    for (i, a) in rows.iter().enumerate() {
        for (j, b) in rows[..=i].iter().enumerate() {
            let product = dot(a.as_ref(), b.as_ref());
            gram[(i, j)] = product;
            gram[(j, i)] = product;
        }
    }
    gram
}

/// The sum of products, in eight sums that are added in the end.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a_chunks, a_rest) = a.as_chunks::<8>();
    let (b_chunks, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
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
/// for a row that is constant.
pub(crate) fn standardised<'a>(rows: impl Iterator<Item = &'a [f64]>) -> Vec<Option<Vec<f64>>> {
    let standardise = |row: &[f64]| {
        let mean = row.iter().sum::<f64>() / row.len() as f64;
        let centred: Vec<f64> = row.iter().map(|x| x - mean).collect();
        let length = dot(&centred, &centred).sqrt();
        (length > 0.0).then(|| centred.iter().map(|x| x / length).collect())
    };
    rows.map(standardise).collect()
}
