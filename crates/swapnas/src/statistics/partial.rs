use super::pairs::{Column, Pairs};
use super::{Coefficient, NoStatistic};

/// Spearman's rho of x and y with what z says about both taken out:
/// (r_xy - r_xz r_yz) / sqrt((1 - r_xz^2) (1 - r_yz^2)), where r are Spearman's rhos.
///
/// A score that does no more than count parameters has nothing left when z is the number of
/// parameters. Where z is constant it says nothing, and the result is Spearman's rho of x and y.
///
/// # Errors
/// If z does not have as many values as there are pairs, or not all of them are finite, or if x or y is
/// ordered exactly as z or exactly against it.
pub fn partial_spearman(pairs: &Pairs, z_name: &'static str, z: &[f64]) -> Result<f64, NoStatistic> {
    if z.len() != pairs.count() {
        let (x_name, x) = (pairs.x.name, pairs.count());
        return Err(NoStatistic::Unpaired { x_name, x, y_name: z_name, y: z.len() });
    }
    let z: Vec<f64> = pairs.order.iter().map(|&index| z[index]).collect();
    let with_z = |column: &Column| match Pairs::new(column.name, &column.values, z_name, &z) {
        Ok(pairs) => Ok(pairs.coefficient(Coefficient::Spearman)),
        Err(NoStatistic::Constant(_)) => Ok(0.0), // which is z, as x and y are not constant
        Err(reason) => Err(reason),
    };
    let (xz, yz) = (with_z(&pairs.x)?, with_z(&pairs.y)?);
    let left = |r: f64, column: &Column| {
        let rest = (1.0 - r) * (1.0 + r);
        if rest > 0.0 { Ok(rest) } else { Err(NoStatistic::Determined { name: column.name, by: z_name }) }
    };
    let rest = left(xz, &pairs.x)? * left(yz, &pairs.y)?;
    Ok(((pairs.coefficient(Coefficient::Spearman) - xz * yz) / rest.sqrt()).clamp(-1.0, 1.0))
}
