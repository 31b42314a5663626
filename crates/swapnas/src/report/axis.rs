//! Axes of charts.

use plotters::coord::ranged1d::Ranged;
use plotters::coord::types::RangedCoordf64;

use crate::plot::{spread, ticks};

/// What the numbers on an axis are.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Kind {
    /// Any numbers.
    Score,
    /// Whole numbers that are counted up.
    Count,
    /// Positive numbers of any size.
    Size,
}

/// An axis with its ticks.
pub(super) struct Axis {
    pub label: String,
    /// Places from 0 to 1, and what is written there.
    pub ticks: Vec<(f64, String)>,
    low: f64,
    high: f64,
    logarithmic: bool,
}

/// Sizes that differ by this factor or more are shown on a logarithmic axis.
const LOGARITHMIC: f64 = 8.0;

/// About how many ticks a linear axis has.
const TICKS: usize = 6;

impl Axis {
    /// The axis for these values, which are finite; `None` if there are none or they are too far apart.
    pub(super) fn new(label: &str, kind: Kind, values: impl Iterator<Item = f64> + Clone) -> Option<Self> {
        let lowest = values.clone().min_by(f64::total_cmp)?;
        let highest = values.clone().max_by(f64::total_cmp)?;
        let logarithmic = kind == Kind::Size && lowest > 0.0 && highest / lowest >= LOGARITHMIC;
        let range =
            if logarithmic { spread([lowest.ln(), highest.ln()].into_iter()) } else { spread(values) };
        let mut range = range.ok()?;
        if kind != Kind::Score && !logarithmic {
            range.start = range.start.max(0.0);
        }
        let mut axis = Axis {
            label: if logarithmic { format!("{label} (logarithmic)") } else { label.to_owned() },
            ticks: Vec::new(),
            low: range.start,
            high: range.end,
            logarithmic,
        };
        let numbers = if logarithmic {
            logarithmic_ticks(lowest, highest)
        } else {
            RangedCoordf64::from(range.clone()).key_points(TICKS)
        };
        let score_label = ticks::labels(&range);
        let shown = |number: f64| match kind {
            Kind::Score => score_label(&number),
            // Milliseconds can be fractions.
            Kind::Size if logarithmic && number < 1.0 => number.to_string(),
            Kind::Size if !logarithmic && highest < 1000.0 => score_label(&number),
            Kind::Count | Kind::Size => short(number),
        };
        let can_be = |number: &f64| kind != Kind::Count || number.fract() == 0.0;
        axis.ticks =
            numbers.into_iter().filter(can_be).map(|number| (axis.place(number), shown(number))).collect();
        axis.ticks.retain(|(place, _)| (0.0..=1.0).contains(place));
        Some(axis)
    }

    /// Where a value is, from 0 to 1.
    pub(super) fn place(&self, value: f64) -> f64 {
        let value = if self.logarithmic { value.ln() } else { value };
        (value - self.low) / (self.high - self.low)
    }
}

/// 1, 2 and 5 times the powers of ten, or the powers alone where that would be too many.
fn logarithmic_ticks(lowest: f64, highest: f64) -> Vec<f64> {
    let powers = lowest.log10().floor() as i32..=highest.log10().ceil() as i32;
    let factors: &[f64] = if highest / lowest < 300.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    // Divided where it can be, so that 0.005 is the number that is nearest to it.
    let times = |factor: f64, power: i32| {
        if power < 0 { factor / 10_f64.powi(-power) } else { factor * 10_f64.powi(power) }
    };
    powers.flat_map(|power| factors.iter().map(move |&factor| times(factor, power))).collect()
}

/// A number in thousands, millions or billions, with three digits.
pub(super) fn short(number: f64) -> String {
    let (unit, sign) = match number.abs() {
        size if size >= 1e9 => (1e9, " G"),
        size if size >= 1e6 => (1e6, " M"),
        size if size >= 1e3 => (1e3, " k"),
        _ => (1.0, ""),
    };
    let number = number / unit;
    let decimals =
        if number.abs() >= 100.0 || unit == 1.0 { 0 } else { 2 - usize::from(number.abs() >= 10.0) };
    let text = format!("{number:.decimals$}");
    let text = if decimals > 0 { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{sign}")
}

#[cfg(test)]
mod tests {
    use super::{Axis, Kind, short};

    #[test]
    fn numbers_are_short() {
        let shown = [0.0, 7.0, 999.0, 1000.0, 3_312_456.0, 12_345.0, 250_000.0, 1.05e9].map(short);
        assert_eq!(shown, ["0", "7", "999", "1 k", "3.31 M", "12.3 k", "250 k", "1.05 G"]);
    }

    #[test]
    fn sizes_far_apart_are_logarithmic() {
        let axis = |values: [f64; 2]| Axis::new("parameters", Kind::Size, values.into_iter()).unwrap();
        let far = axis([1e5, 1e7]);
        assert_eq!(far.label, "parameters (logarithmic)");
        assert!((far.place(1e6) - 0.5).abs() < 1e-9);
        let labels: Vec<&str> = far.ticks.iter().map(|(_, label)| label.as_str()).collect();
        assert_eq!(labels, ["100 k", "200 k", "500 k", "1 M", "2 M", "5 M", "10 M"]);
        let near = axis([1e6, 2e6]);
        assert!((near.place(1.5e6) - 0.5).abs() < 1e-9);
        assert!(near.ticks.len() >= 4);
    }

    #[test]
    fn fractions_have_labels() {
        let labels = |values: [f64; 2]| -> Vec<String> {
            let axis = Axis::new("ms", Kind::Size, values.into_iter()).unwrap();
            axis.ticks.into_iter().map(|(_, label)| label).collect()
        };
        assert_eq!(labels([0.002, 0.02]), ["0.002", "0.005", "0.01", "0.02"]);
        for values in [[0.5, 0.9], [2.1, 2.8], [0.02, 1.4]] {
            let mut distinct = labels(values);
            let count = distinct.len();
            distinct.dedup();
            assert!(count >= 2 && distinct.len() == count, "{distinct:?}");
        }
    }

    #[test]
    fn awkward_values_have_an_axis_or_none() {
        assert!(Axis::new("", Kind::Score, std::iter::empty()).is_none());
        assert!(Axis::new("", Kind::Score, [f64::MIN, f64::MAX].into_iter()).is_none());
        for kind in [Kind::Score, Kind::Count, Kind::Size] {
            for value in [0.0, 1.0, 1e12] {
                let axis = Axis::new("", kind, [value].into_iter()).unwrap();
                assert!((0.0..=1.0).contains(&axis.place(value)), "{value}");
            }
        }
    }
}
