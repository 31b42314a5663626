//! Ranks, and what becomes of several metrics by them.

/// The ranks of values, from 1 for the smallest; equal values share the mean of their ranks.
///
/// The values must not be NaN.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut ranks = vec![0.0; values.len()];
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| (values[a] + 0.0).total_cmp(&(values[b] + 0.0))); // -0 is equal to 0
    let mut before = 0;
    for group in order.chunk_by(|&a, &b| values[a] == values[b]) {
        for &index in group {
            ranks[index] = before as f64 + (group.len() + 1) as f64 / 2.0;
        }
        before += group.len();
    }
    ranks
}

/// One number for every network out of several metrics: the mean of its [`ranks`] by each of them.
///
/// The inner lists are the metrics, each with a finite value for every network of one set, larger
/// values being better. The result holds within this set only: ranks change with the company.
///
/// # Panics
/// If the metrics do not have equally many values.
pub fn mean_ranks(metrics: &[&[f64]]) -> Vec<f64> {
    let sums = sum_of_ranks(metrics, |rank, _| rank);
    sums.into_iter().map(|sum| sum / metrics.len() as f64).collect()
}

/// One number for every network out of several metrics: the sum over the metrics of log(rank / n) of
/// the n networks, as AZ-NAS aggregates (Lee and Ham, CVPR 2024). A bad rank in one metric costs more
/// than in [`mean_ranks`], which takes the same lists.
///
/// # Panics
/// As for [`mean_ranks`].
pub fn log_rank_sums(metrics: &[&[f64]]) -> Vec<f64> {
    sum_of_ranks(metrics, |rank, n| libm::log(rank / n))
}

fn sum_of_ranks(metrics: &[&[f64]], term: fn(f64, f64) -> f64) -> Vec<f64> {
    let n = metrics.first().map_or(0, |first| first.len());
    let mut sums = vec![0.0; n];
    for values in metrics {
        assert_eq!(values.len(), n, "every metric has a value for every network");
        for (sum, rank) in sums.iter_mut().zip(ranks(values)) {
            *sum += term(rank, n as f64);
        }
    }
    sums
}
