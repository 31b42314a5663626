use super::NoStatistic;
use super::pairs::{Column, Pairs};

/// A measure of correlation, from -1 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coefficient {
    /// Spearman's rho: Pearson's r of the ranks, equal values sharing their mean rank
    /// (Spearman 1904).
    Spearman,
    /// Kendall's tau-b: (concordant - discordant) / sqrt((pairs not tied in x) (pairs not tied in y))
    /// (Kendall 1945).
    Kendall,
    /// Pearson's r: the covariance over the product of the standard deviations.
    Pearson,
}

/// Memory that is used again from resample to resample.
#[derive(Default)]
pub(super) struct Room {
    /// How often each distinct x and y occurs.
    counts: [Vec<u32>; 2],
    /// The deviations of their ranks from the mean rank, doubled, and so whole.
    deviations: [Vec<i64>; 2],
    tree: Vec<u32>,
}

impl Coefficient {
    /// All of them.
    pub const ALL: [Coefficient; 3] = [Coefficient::Spearman, Coefficient::Kendall, Coefficient::Pearson];

    /// The coefficient of the pairs, pair i taken `weights[i]` times.
    pub(super) fn of(self, pairs: &Pairs, weights: &[u32], room: &mut Room) -> Result<f64, NoStatistic> {
        match self {
            Coefficient::Spearman => spearman(pairs, weights, room),
            Coefficient::Kendall => kendall(pairs, weights, room),
            Coefficient::Pearson => pearson(pairs, weights),
        }
    }
}

fn pearson(Pairs { x, y, .. }: &Pairs, weights: &[u32]) -> Result<f64, NoStatistic> {
    let triples = || x.scaled.iter().zip(&y.scaled).zip(weights).map(|((&x, &y), &w)| (x, y, f64::from(w)));
    let (mut n, mut x_sum, mut y_sum) = (0.0, 0.0, 0.0);
    for (x, y, w) in triples() {
        n += w;
        x_sum += w * x;
        y_sum += w * y;
    }
    let (x_mean, y_mean) = (x_sum / n, y_sum / n);
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y, w) in triples() {
        let (x, y) = (x - x_mean, y - y_mean);
        xx += w * x * x;
        yy += w * y * y;
        xy += w * x * y;
    }
    for (column, squares) in [(x, xx), (y, yy)] {
        // Equal values can differ from their mean by a rounding error, and values that differ in the
        // last digits only can have no squares left.
        if squares == 0.0 || is_constant(column, weights) {
            return Err(NoStatistic::Constant(column.name));
        }
    }
    Ok((xy / xx.sqrt() / yy.sqrt()).clamp(-1.0, 1.0))
}

fn is_constant(column: &Column, weights: &[u32]) -> bool {
    let mut taken = column.place.iter().zip(weights).filter(|(_, weight)| **weight > 0);
    let first = taken.next();
    taken.all(|(place, _)| first.is_some_and(|(first, _)| first == place))
}

fn spearman(Pairs { x, y, .. }: &Pairs, weights: &[u32], room: &mut Room) -> Result<f64, NoStatistic> {
    let Room { counts: [x_counts, y_counts], deviations: [x_rank, y_rank], .. } = room;
    // Sums of whole numbers are exact, so equal orders give 1 and opposite ones -1.
    let xx = rank(x, weights, x_counts, x_rank)?;
    let yy = rank(y, weights, y_counts, y_rank)?;
    let mut xy = 0_i128;
    for ((&x, &y), &weight) in x.place.iter().zip(&y.place).zip(weights) {
        xy += i128::from(x_rank[x as usize] * y_rank[y as usize]) * i128::from(weight);
    }
    Ok((xy as f64 / (xx as f64 * yy as f64).sqrt()).clamp(-1.0, 1.0))
}

/// Puts in the doubled deviations of ranks from their mean; gives the sum of their squares.
fn rank(
    column: &Column,
    weights: &[u32],
    counts: &mut Vec<u32>,
    deviations: &mut Vec<i64>,
) -> Result<i128, NoStatistic> {
    let n = count(column, weights, counts)?;
    deviations.clear();
    let mut before = 0;
    let mut squares = 0_i128;
    for count in counts.iter().map(|&count| i64::from(count)) {
        // Ranks before + 1 to before + count have the mean before + (count + 1) / 2, all ranks have
        // the mean (n + 1) / 2.
        let deviation = 2 * before + count - n;
        deviations.push(deviation);
        squares += i128::from(deviation * deviation) * i128::from(count);
        before += count;
    }
    Ok(squares)
}

/// Puts in how often each distinct value occurs; gives the sum.
fn count(column: &Column, weights: &[u32], counts: &mut Vec<u32>) -> Result<i64, NoStatistic> {
    counts.clear();
    counts.resize(column.distinct, 0);
    for (&place, &weight) in column.place.iter().zip(weights) {
        counts[place as usize] += weight;
    }
    if counts.iter().filter(|count| **count > 0).count() < 2 {
        return Err(NoStatistic::Constant(column.name));
    }
    Ok(counts.iter().map(|&count| i64::from(count)).sum())
}

/// Counts discordant pairs with a tree of partial sums over the values of y (Knight 1966 sorts
/// instead; the order stays the same here from resample to resample).
fn kendall(Pairs { x, y, .. }: &Pairs, weights: &[u32], room: &mut Room) -> Result<f64, NoStatistic> {
    let Room { counts: [x_counts, y_counts], tree, .. } = room;
    let n = count(x, weights, x_counts)?;
    count(y, weights, y_counts)?;
    let couples = |n: i64| n * (n - 1) / 2;
    let untied = |counts: &[u32]| couples(n) - counts.iter().map(|&c| couples(i64::from(c))).sum::<i64>();
    let (x_untied, y_untied) = (untied(x_counts), untied(y_counts));

    // The tree and the counts of y hold the pairs with smaller x, by their y.
    tree.clear();
    tree.resize(y.distinct + 1, 0);
    let seen = y_counts;
    seen.fill(0);
    let mut total = 0;
    let mut balance = 0;
    let mut start = 0;
    for equal_x in x.place.chunk_by(|a, b| a == b) {
        let group = start..start + equal_x.len();
        start = group.end;
        for (&place, &weight) in y.place[group.clone()].iter().zip(&weights[group.clone()]) {
            if weight > 0 {
                let below = i64::from(prefix(tree, place as usize));
                let above = total - below - i64::from(seen[place as usize]);
                balance += i64::from(weight) * (below - above);
            }
        }
        for (&place, &weight) in y.place[group.clone()].iter().zip(&weights[group]) {
            if weight > 0 {
                insert(tree, place as usize, weight);
                seen[place as usize] += weight;
                total += i64::from(weight);
            }
        }
    }
    Ok((balance as f64 / (x_untied as f64 * y_untied as f64).sqrt()).clamp(-1.0, 1.0))
}

/// The sum of the first `count` entries of a Fenwick tree (Fenwick 1994).
fn prefix(tree: &[u32], count: usize) -> u32 {
    let mut sum = 0;
    let mut node = count;
    while node > 0 {
        sum += tree[node];
        node &= node - 1;
    }
    sum
}

/// Adds to entry `place` of a Fenwick tree.
fn insert(tree: &mut [u32], place: usize, value: u32) {
    let mut node = place + 1;
    while node < tree.len() {
        tree[node] += value;
        node += node & node.wrapping_neg();
    }
}
