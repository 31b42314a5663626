use super::coefficients::{Coefficient, Room};
use super::{NoStatistic, order};

/// Pairs of a score and an accuracy, or of any two numbers, ready for statistics.
///
/// There are at least two, all numbers are finite, and neither side is constant, so that every
/// [`Coefficient`] is defined.
#[derive(Clone, Debug)]
pub struct Pairs {
    pub(super) x: Column,
    pub(super) y: Column,
    /// Where each pair stands in the lists that the pairs were made of.
    pub(super) order: Vec<usize>,
}

/// One side of the pairs, in ascending order of x, and of y where x is equal.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) values: Vec<f64>,
    /// The values, moved and scaled so that neither they nor their squares overflow or vanish.
    pub(super) scaled: Vec<f64>,
    /// Of each value, how many smaller distinct ones there are.
    pub(super) place: Vec<u32>,
    /// Number of distinct values.
    pub(super) distinct: usize,
}

impl Pairs {
    /// The pairs of two lists, which are called by their names (in the plural) if something is wrong
    /// with them.
    ///
    /// # Errors
    /// If the lists are not equally long, there are fewer than two pairs, values are not finite or all
    /// values of a list are equal.
    pub fn new(
        x_name: &'static str,
        x: &[f64],
        y_name: &'static str,
        y: &[f64],
    ) -> Result<Self, NoStatistic> {
        if x.len() != y.len() {
            return Err(NoStatistic::Unpaired { x_name, x: x.len(), y_name, y: y.len() });
        }
        if x.len() < 2 {
            return Err(NoStatistic::TooFew(x.len()));
        }
        order::check_finite(x_name, x)?;
        order::check_finite(y_name, y)?;
        let mut order: Vec<usize> = (0..x.len()).collect();
        let key = |i: usize| (x[i] + 0.0, y[i] + 0.0); // the sum makes -0 equal to 0
        order.sort_unstable_by(|&a, &b| {
            let ((ax, ay), (bx, by)) = (key(a), key(b));
            ax.total_cmp(&bx).then(ay.total_cmp(&by)).then(a.cmp(&b))
        });
        let column = |name, values: &[f64]| Column::new(name, order.iter().map(|&i| values[i]).collect());
        Ok(Pairs { x: column(x_name, x)?, y: column(y_name, y)?, order })
    }

    /// Number of pairs, two or more.
    pub fn count(&self) -> usize {
        self.order.len()
    }

    /// A coefficient of the pairs.
    pub fn coefficient(&self, coefficient: Coefficient) -> f64 {
        let all_once = vec![1; self.count()];
        coefficient.of(self, &all_once, &mut Room::default()).expect("neither side of pairs is constant")
    }
}

impl Column {
    fn new(name: &'static str, values: Vec<f64>) -> Result<Self, NoStatistic> {
        let mut place = vec![0; values.len()];
        let mut distinct = 0;
        for group in order::ascending(&values).chunk_by(|&a, &b| values[a] == values[b]) {
            for &index in group {
                place[index] = distinct as u32;
            }
            distinct += 1;
        }
        if distinct == 1 {
            return Err(NoStatistic::Constant(name));
        }
        let scaled = centred(&unit(&values));
        Ok(Column { name, scaled: unit(&scaled), values, place, distinct })
    }
}

fn centred(values: &[f64]) -> Vec<f64> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|value| value - mean).collect()
}

/// The values over a power of two, so that the largest size is from 1 to 2; but for underflow, the
/// division is exact.
fn unit(values: &[f64]) -> Vec<f64> {
    let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    let exponent = largest.to_bits() & f64::INFINITY.to_bits();
    let power = f64::from_bits(exponent).max(f64::MIN_POSITIVE);
    values.iter().map(|value| value / power).collect()
}
