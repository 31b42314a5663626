//! What the numbers of a plot span.

use std::ops::Range;

use plotters::coord::ranged1d::Ranged;
use plotters::coord::types::RangedCoordf64;

use super::{PlotError, ticks};
use crate::statistics::quantile;

/// Positive numbers whose largest is so many times the smallest are shown by their logarithms.
const LOGARITHMIC: f64 = 1e3;

/// Numbers further from the middle half than so many times its width do not stretch an axis,
const FAR: f64 = 5.0;

/// if it would become so many times as long.
const MUCH_LONGER: f64 = 3.0;

/// About how many ticks there are, and how many there are at most.
const TICKS: usize = 7;

/// An axis, or a scale of colours.
pub(super) struct Axis {
    /// From its beginning to its end: numbers, or their logarithms to base 10.
    pub range: Range<f64>,
    /// Where ticks are, in the same unit.
    pub ticks: Vec<f64>,
    is_logarithmic: bool,
}

impl Axis {
    /// An axis for numbers that are finite; `None` if there are none.
    pub(super) fn of(values: &[f64]) -> Result<Option<Self>, PlotError> {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let (Some(&low), Some(&high)) = (sorted.first(), sorted.last()) else { return Ok(None) };
        if low > 0.0 && high / low >= LOGARITHMIC {
            let logarithms: Vec<f64> = sorted.iter().map(|&value| libm::log10(value)).collect();
            let range = spread(robust(&logarithms).into_iter())?;
            let ticks = powers(&range);
            // Where all but a few outliers are of about one size, their logarithms would hardly differ.
            if ticks.len() > 1 {
                return Ok(Some(Axis { range, ticks, is_logarithmic: true }));
            }
        }
        let range = spread(robust(&sorted).into_iter())?;
        let ticks = RangedCoordf64::from(range.clone()).key_points(TICKS);
        Ok(Some(Axis { range, ticks, is_logarithmic: false }))
    }

    /// Where a number is on the axis, and whether that is an end since the number lies beyond it.
    pub(super) fn place(&self, value: f64) -> (f64, bool) {
        let place = if self.is_logarithmic { libm::log10(value) } else { value };
        let shown = place.clamp(self.range.start, self.range.end);
        (shown, shown != place)
    }

    /// What is written at a tick.
    pub(super) fn label(&self) -> Box<dyn Fn(&f64) -> String> {
        if self.is_logarithmic {
            Box::new(|tick| ticks::power_of_ten(tick.round() as i32))
        } else {
            Box::new(ticks::labels(&self.range))
        }
    }
}

/// The smallest and the largest of sorted numbers, without those that are so far from the others that these would be
/// squeezed into a corner.
fn robust(sorted: &[f64]) -> [f64; 2] {
    let all = [sorted[0], sorted[sorted.len() - 1]];
    let (first, third) = (quantile(sorted, 0.25), quantile(sorted, 0.75));
    let far = FAR * (third - first);
    if !(far > 0.0 && far.is_finite()) {
        return all;
    }
    let near = |value: &&f64| (first - far..=third + far).contains(*value);
    match (sorted.iter().find(near), sorted.iter().rfind(near)) {
        (Some(&low), Some(&high)) if all[1] - all[0] > MUCH_LONGER * (high - low) => [low, high],
        _ => all,
    }
}

/// The whole numbers within a range, or every so many-th of them.
fn powers(range: &Range<f64>) -> Vec<f64> {
    let (first, last) = (range.start.ceil() as i32, range.end.floor() as i32);
    let step = (last - first).max(0) as usize / TICKS + 1;
    (first..=last).filter(|power| power.rem_euclid(step as i32) == 0).map(f64::from).collect()
}

/// The range of values with a margin on both sides.
pub(crate) fn spread(values: impl Iterator<Item = f64>) -> Result<Range<f64>, PlotError> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let margin = if high > low { (high - low) * 0.04 } else { low.abs().max(1.0) * 0.04 };
    // Ticks closer than this would be the same number.
    let margin = margin.max(low.abs().max(high.abs()) * 1e-12).max(f64::MIN_POSITIVE);
    let range = low - margin..high + margin;
    if (range.end - range.start).is_finite() { Ok(range) } else { Err(PlotError::TooWide { low, high }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(values: &[f64]) -> Axis {
        Axis::of(values).unwrap().unwrap()
    }

    fn labels(values: &[f64]) -> String {
        let axis = axis(values);
        axis.ticks.iter().map(|tick| axis.label()(tick)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn three_decades_are_logarithmic() {
        assert_eq!(labels(&[1.0, 999.0]), "0 200 400 600 800 1000");
        assert_eq!(labels(&[1.0, 1000.0]), "10⁰ 10¹ 10² 10³");
        assert_eq!(labels(&[1e-30, 1e30]), "10⁻³⁰ 10⁻²⁰ 10⁻¹⁰ 10⁰ 10¹⁰ 10²⁰ 10³⁰");
        assert_eq!(axis(&[1.0, 100.0, 1e4]).place(100.0), (2.0, false));
        assert!(!axis(&[0.0, 1e9]).is_logarithmic && !axis(&[-1.0, 1e9]).is_logarithmic);
        // The two of 1000 that are tiny are no reason to show the others by their logarithms.
        let few: Vec<f64> = (0..1000).map(|i| if i < 2 { 1e-9 } else { f64::from(i) + 5000.0 }).collect();
        assert!(!axis(&few).is_logarithmic);
        assert!(axis(&few).range.start > 4000.0);
    }

    #[test]
    fn outliers_do_not_squeeze_the_rest() {
        let mut values: Vec<f64> = (0..100).map(f64::from).collect();
        values.push(1e6);
        // From 0 to 1e6 it would be: positive numbers only are logarithmic.
        let squeezed = axis(&values);
        assert_eq!(squeezed.range, -3.96..102.96);
        assert_eq!(squeezed.place(1e6), (102.96, true));
        assert_eq!(squeezed.place(99.0), (99.0, false));
        // Three times the length is not much longer.
        values[100] = 297.0;
        assert!(axis(&values).range.end > 297.0);
        values[100] = 320.0;
        assert!(axis(&values).range.end > 320.0, "that is not far from the middle half");
        // Nor is there a middle half if it has no width.
        values = vec![1.0; 100];
        values.push(50.0);
        assert!(axis(&values).range.end > 50.0);
        assert!(Axis::of(&[]).unwrap().is_none());
    }
}
