use super::pairs::Pairs;
use super::{NoStatistic, order};

/// The share of the `k` pairs with the largest y that is among the `k` with the largest x: of the most
/// accurate networks, those that the score finds.
///
/// Where equal values straddle the border, each of them counts with the probability that it is among
/// the k if ties are broken at random, so the result does not depend on the order of the networks.
///
/// # Errors
/// Unless `k` is from 1 to the number of pairs.
pub fn top_overlap(pairs: &Pairs, k: usize) -> Result<f64, NoStatistic> {
    if !(1..=pairs.count()).contains(&k) {
        return Err(NoStatistic::Best { k, n: pairs.count() });
    }
    let (scored, accurate) = (among_best(&pairs.x.values, k), among_best(&pairs.y.values, k));
    Ok(scored.iter().zip(&accurate).map(|(s, a)| s * a).sum::<f64>() / k as f64)
}

/// Of each value, the probability that it is one of the `k` largest.
fn among_best(values: &[f64], k: usize) -> Vec<f64> {
    let mut shares = vec![0.0; values.len()];
    let mut left = k;
    for group in best_first(values).chunk_by(|&a, &b| values[a] == values[b]) {
        let taken = left.min(group.len());
        for &index in group {
            shares[index] = taken as f64 / group.len() as f64;
        }
        left -= taken;
    }
    shares
}

fn best_first(values: &[f64]) -> Vec<usize> {
    let mut order = order::ascending(values);
    order.reverse();
    order
}

/// How much accuracy is lost by training only the `k` pairs with the largest x and taking the best of them: the largest
/// y of all less the largest y among these (what Bubeck, Munos
/// and Stoltz call the simple regret: Pure exploration in multi-armed bandits problems, ALT 2009).
///
/// Where equal x straddle the border, it is the mean over all ways of choosing among them, so the result does not
/// depend on the order of the networks. If `k` is the number of pairs or more, all are trained, and nothing is lost.
///
/// # Errors
/// If `k` is 0.
pub fn top_regret(pairs: &Pairs, k: usize) -> Result<f64, NoStatistic> {
    let (x, y) = (&pairs.x.values, &pairs.y.values);
    if k == 0 {
        return Err(NoStatistic::Best { k, n: pairs.count() });
    }
    let best = y.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut best_taken = f64::NEG_INFINITY;
    let mut left = k;
    for group in best_first(x).chunk_by(|&a, &b| x[a] == x[b]) {
        let mut ys: Vec<f64> = group.iter().map(|&index| y[index]).collect();
        if left >= ys.len() {
            best_taken = ys.iter().copied().fold(best_taken, f64::max);
            left -= ys.len();
            continue;
        }
        if left == 0 {
            break;
        }
        // The network with the m-th smallest y is the best of those chosen if none above it is, with probability
        // `none_above`, and it is itself, which `left` of m are.
        ys.sort_unstable_by(f64::total_cmp);
        let (mut lost, mut none_above) = (0.0, 1.0);
        for (index, y) in ys.iter().enumerate().skip(left - 1).rev() {
            let chosen = left as f64 / (index + 1) as f64;
            lost += none_above * chosen * (best - y.max(best_taken));
            none_above *= 1.0 - chosen;
        }
        return Ok(lost);
    }
    Ok(best - best_taken)
}

/// Normalised discounted cumulative gain of the ranking by x (Järvelin and Kekäläinen 2002): the sum
/// over the ranks r = 1, 2, ..., n, the largest x first, of gain / log2(r + 1), divided by the largest
/// sum that any ranking has.
///
/// The gain of a network is its y, scaled so that the worst of the networks has 0 and the best 1;
/// unscaled, accuracies in percent would give any ranking nearly 1. Networks of equal x share the mean
/// of their discounts (McSherry and Najork 2008).
pub fn ndcg(pairs: &Pairs) -> f64 {
    // Moved and scaled alike, and free of overflow.
    let y = &pairs.y.scaled;
    let (low, high) = y.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
    let gain = |index: usize| (y[index] - low) / (high - low);
    let sum = |keys: &[f64]| {
        let mut rank = 1;
        let mut sum = 0.0;
        for group in best_first(keys).chunk_by(|&a, &b| keys[a] == keys[b]) {
            let discounts: f64 = (rank..rank + group.len()).map(|r| 1.0 / libm::log2((r + 1) as f64)).sum();
            let gains: f64 = group.iter().map(|&index| gain(index)).sum();
            sum += discounts * gains / group.len() as f64;
            rank += group.len();
        }
        sum
    };
    sum(&pairs.x.values) / sum(&pairs.y.values)
}
