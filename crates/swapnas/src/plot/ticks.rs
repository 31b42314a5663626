use std::ops::Range;

/// What is written at the ticks of an axis: as many digits as ticks of the range differ in, and powers
/// of ten where numbers are very large or small.
pub(crate) fn labels(range: &Range<f64>) -> impl Fn(&f64) -> String + use<> {
    let width = range.end - range.start;
    let largest = range.start.abs().max(range.end.abs());
    let exponent = largest.log10().floor() as i32;
    // Half a dozen ticks differ by a tenth of the width or more, and may be fives of the next digit.
    let last_digit = width.log10().floor() as i32 - 2;
    let power = if (-3..6).contains(&exponent) { 0 } else { exponent };
    let decimals = (power - last_digit).clamp(0, 17) as usize;
    move |tick: &f64| {
        if tick.abs() < width * 1e-9 {
            return "0".to_owned();
        }
        // In two steps, since 10^308 is the largest power that is a number, and 10^-308 the smallest.
        let half = f64::from(power / 2);
        let mantissa = tick / 10_f64.powf(half) / 10_f64.powf(f64::from(power) - half);
        let number = format!("{mantissa:.decimals$}");
        let number = if decimals > 0 { number.trim_end_matches('0').trim_end_matches('.') } else { &number };
        let number = number.replace('-', "\u{2212}");
        if power == 0 { number } else { format!("{number}×{}", power_of_ten(power)) }
    }
}

/// `10⁻³`
pub(crate) fn power_of_ten(exponent: i32) -> String {
    format!("10{}", superscript(exponent))
}

fn superscript(number: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let raised = |c: char| c.to_digit(10).map_or('⁻', |digit| DIGITS[digit as usize]);
    number.to_string().chars().map(raised).collect()
}

#[cfg(test)]
mod tests {
    use super::labels;

    #[test]
    fn ticks_have_the_digits_they_need() {
        let shown = |range, ticks: &[f64]| ticks.iter().map(labels(&range)).collect::<Vec<_>>().join(" ");
        assert_eq!(shown(52.0..93.0, &[60.0, 70.0, 90.000_000_000_1]), "60 70 90");
        assert_eq!(shown(-0.1..0.5, &[-0.1, 1e-17, 0.1, 0.300_000_000_000_000_04]), "−0.1 0 0.1 0.3");
        assert_eq!(shown(93.12..93.13, &[93.1225, 93.125]), "93.1225 93.125");
        assert_eq!(shown(0.0..40_000.0, &[5000.0, 20_000.0]), "5000 20000");
        assert_eq!(shown(0.0..1.9e7, &[5e6, 1.5e7]), "0.5×10⁷ 1.5×10⁷");
        assert_eq!(shown(1e-5..4e-5, &[1.5e-5, 3e-5]), "1.5×10⁻⁵ 3×10⁻⁵");
        assert_eq!(shown(1e307..1e308, &[5e307]), "0.5×10³⁰⁸");
    }
}
