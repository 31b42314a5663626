/// A number for people: whole ones in full, others with so many digits and one behind the point at least, and those
/// that are very small or large as powers of ten.
///
/// ```
/// assert_eq!(swapnas::number(471_000.0, 5), "471000");
/// assert_eq!(swapnas::number(-0.012_345_678, 5), "-0.012346");
/// assert_eq!(swapnas::number(1.5e12, 5), "1500000000000");
/// assert_eq!(swapnas::number(1.234_567e-9, 5), "1.2346e-9");
/// ```
pub fn number(x: f64, digits: usize) -> String {
    let size = x.abs();
    if x.fract() == 0.0 && size < 1e15 {
        format!("{x}")
    } else if (1e-3..1e6).contains(&size) {
        let decimals = digits as i32 - 1 - size.log10().floor() as i32;
        format!("{x:.*}", decimals.clamp(1, 8) as usize)
    } else {
        format!("{x:.*e}", digits - 1)
    }
}

/// A count as people write it, such as 3300000, 3.3M, 600k or 1.2G; `None` if it is none, zero or beyond 10^18.
///
/// ```
/// assert_eq!(swapnas::count("3.3M"), Some(3_300_000));
/// assert_eq!(swapnas::count("0.2"), None);
/// ```
pub fn count(text: &str) -> Option<u64> {
    // Those that have too many digits for the fractions below.
    if let Some(number) = text.parse().ok().filter(|number| *number > 0) {
        return Some(number);
    }
    let (digits, factor) = match text.char_indices().last() {
        Some((place, 'k' | 'K')) => (&text[..place], 1e3),
        Some((place, 'm' | 'M')) => (&text[..place], 1e6),
        Some((place, 'g' | 'G')) => (&text[..place], 1e9),
        _ => (text, 1.0),
    };
    let number = digits.parse::<f64>().ok().map(|number| (number * factor).round());
    number.filter(|number| (1.0..1e18).contains(number)).map(|number| number as u64)
}
