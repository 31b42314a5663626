use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

use super::bootstrap::shuffle;
use super::pairs::Pairs;
use super::{MOST_RESAMPLED, NoStatistic};

/// Kendall's tau-b over those pairs of networks that are of about the same size: the larger has at most a tenth more
/// than the smaller.
///
/// Of these pairs of networks, it is (concordant - discordant) / sqrt((not tied in x) (not tied in y)), as
/// [`Coefficient::Kendall`](super::Coefficient::Kendall) is of all of them (Kendall 1945). A score that only counts
/// parameters orders networks of one size by chance, while a search with a limit of parameters has to choose among
/// just these; [`partial_spearman`](super::partial_spearman) asks the same of ranks, but takes size to act alike
/// everywhere.
///
/// Up to [`MOST_RESAMPLED`] networks all pairs are looked at; of more, so many are drawn by `seed`, among which the
/// coefficient is known to a hundredth or so.
///
/// # Errors
/// If there are not as many sizes as networks, no two networks are of about the same size, or all that are have equal
/// scores or equal accuracies.
pub fn kendall_of_same_size(
    pairs: &Pairs,
    sizes_name: &'static str,
    sizes: &[u64],
    seed: u64,
) -> Result<f64, NoStatistic> {
    if sizes.len() != pairs.count() {
        let (x_name, x) = (pairs.x.name, pairs.count());
        return Err(NoStatistic::Unpaired { x_name, x, y_name: sizes_name, y: sizes.len() });
    }
    let mut places: Vec<usize> = (0..pairs.count()).collect();
    if places.len() > MOST_RESAMPLED {
        shuffle(&mut places, &mut Xoshiro256PlusPlus::seed_from_u64(seed));
        places.truncate(MOST_RESAMPLED);
    }
    let size = |place: usize| sizes[pairs.order[place]];
    places.sort_unstable_by_key(|&place| (size(place), place));
    // Signs of differences of places are those of values, and small numbers fit more to a register. There are fewer
    // places than 2^31.
    let column = |of: &[u32]| -> Vec<i32> { places.iter().map(|&place| of[place] as i32).collect() };
    let (x, y) = (column(&pairs.x.place), column(&pairs.y.place));

    let (mut couples, mut balance, mut x_untied, mut y_untied) = (0, 0, 0, 0);
    let mut start = 0;
    for end in 1..places.len() {
        while !is_alike(size(places[start]), size(places[end])) {
            start += 1;
        }
        couples += end - start;
        let [b, x_more, y_more] = compare(&x[start..end], &y[start..end], x[end], y[end]);
        balance += i64::from(b);
        x_untied += i64::from(x_more);
        y_untied += i64::from(y_more);
    }
    if couples == 0 {
        return Err(NoStatistic::NoneAlike { by: sizes_name });
    }
    for (name, untied) in [(pairs.x.name, x_untied), (pairs.y.name, y_untied)] {
        if untied == 0 {
            return Err(NoStatistic::ConstantAmongAlike { name, by: sizes_name });
        }
    }
    Ok((balance as f64 / (x_untied as f64 * y_untied as f64).sqrt()).clamp(-1.0, 1.0))
}

/// Whether the larger size is at most a tenth more than the smaller.
fn is_alike(smaller: u64, larger: u64) -> bool {
    u128::from(larger) * 10 <= u128::from(smaller) * 11
}

/// Of one network and others: concordant less discordant pairs, those not tied in x and those not tied in y.
fn compare(xs: &[i32], ys: &[i32], x: i32, y: i32) -> [i32; 3] {
    let (mut balance, mut x_untied, mut y_untied) = (0, 0, 0);
    for (&other_x, &other_y) in xs.iter().zip(ys) {
        let x_sign = i32::from(other_x < x) - i32::from(other_x > x);
        let y_sign = i32::from(other_y < y) - i32::from(other_y > y);
        balance += x_sign * y_sign;
        x_untied += i32::from(other_x != x);
        y_untied += i32::from(other_y != y);
    }
    [balance, x_untied, y_untied]
}
