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
