use super::NoStatistic;

/// The ranks of values, from 1 for the smallest; equal values share the mean of their ranks.
///
/// The values must not be NaN.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for group in ascending(values).chunk_by(|&a, &b| values[a] == values[b]) {
        for &index in group {
            ranks[index] = before as f64 + (group.len() + 1) as f64 / 2.0;
        }
        before += group.len();
    }
    ranks
}

/// One number for every network out of several metrics: the mean of its [`ranks`] by each of them.
///
/// The inner lists are the metrics, each with a value for every network of one set, larger values
/// being better. The result holds within this set only: ranks change with the company.
///
/// # Errors
/// If the metrics do not have equally many values, or not all of them are finite.
pub fn mean_ranks(metrics: &[&[f64]]) -> Result<Vec<f64>, NoStatistic> {
    let sums = sum_of_ranks(metrics, |rank, _| rank)?;
    Ok(sums.into_iter().map(|sum| sum / metrics.len() as f64).collect())
}

/// One number for every network out of several metrics: the sum over the metrics of log(rank / n) of
/// the n networks, as AZ-NAS aggregates (Lee and Ham, CVPR 2024). A bad rank in one metric costs more
/// than in [`mean_ranks`], which takes the same lists.
///
/// # Errors
/// As for [`mean_ranks`].
pub fn log_rank_sums(metrics: &[&[f64]]) -> Result<Vec<f64>, NoStatistic> {
    sum_of_ranks(metrics, |rank, n| libm::log(rank / n))
}

fn sum_of_ranks(metrics: &[&[f64]], term: fn(f64, f64) -> f64) -> Result<Vec<f64>, NoStatistic> {
    let n = metrics.first().map_or(0, |first| first.len());
    let mut sums = vec![0.0; n];
    for values in metrics {
        if values.len() != n {
            let (x_name, y_name) = ("values of the first metric", "values of another");
            return Err(NoStatistic::Unpaired { x_name, x: n, y_name, y: values.len() });
        }
        check_finite("values", values)?;
        for (sum, rank) in sums.iter_mut().zip(ranks(values)) {
            *sum += term(rank, n as f64);
        }
    }
    Ok(sums)
}

pub(super) fn check_finite(name: &'static str, values: &[f64]) -> Result<(), NoStatistic> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(NoStatistic::NotFinite { name, index }),
        None => Ok(()),
    }
}

/// The indices of values in ascending order of the values; in their own order where values are equal.
pub(super) fn ascending(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| (values[a] + 0.0).total_cmp(&(values[b] + 0.0))); // -0 is equal to 0
    order
}
