use super::NoStatistic;

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
