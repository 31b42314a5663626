//! Held against SciPy, against definitions written out plainly, and against what must not matter.

use proptest::prelude::*;
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Case {
    name: String,
    x: Vec<f64>,
    y: Vec<f64>,
    z: Vec<f64>,
    ranks: Vec<f64>,
    spearman: f64,
    kendall: f64,
    pearson: f64,
    spearman_given_z: f64,
    ndcg: f64,
    mean_ranks: Vec<f64>,
    log_rank_sums: Vec<f64>,
    spearman_ci95: Option<[f64; 2]>,
    kendall_ci95: Option<[f64; 2]>,
    pearson_ci95: Option<[f64; 2]>,
}

/// Made by `scipy_values.py`.
fn scipy() -> Vec<Case> {
    #[derive(Deserialize)]
    struct File {
        cases: Vec<Case>,
    }
    let file: File =
        serde_json::from_str(include_str!("scipy_values.json")).expect("the file is well-formed");
    assert!(!file.cases.is_empty());
    file.cases
}

fn pairs(x: &[f64], y: &[f64]) -> Result<Pairs, NoStatistic> {
    Pairs::new("scores", x, "accuracies", y)
}

#[track_caller]
fn assert_close(ours: f64, theirs: f64, tolerance: f64, what: &str) {
    assert!((ours - theirs).abs() <= tolerance, "{what}: {ours} instead of {theirs}");
}

#[test]
fn statistics_are_those_of_scipy() {
    for case in scipy() {
        let pairs = pairs(&case.x, &case.y).expect("all cases are defined");
        let ours = |c| pairs.coefficient(c);
        assert_close(ours(Coefficient::Spearman), case.spearman, 1e-14, &case.name);
        assert_close(ours(Coefficient::Kendall), case.kendall, 1e-14, &case.name);
        assert_close(ours(Coefficient::Pearson), case.pearson, 1e-13, &case.name);
        let partial = partial_spearman(&pairs, "sizes", &case.z).expect("all cases are defined");
        assert_close(partial, case.spearman_given_z, 1e-13, &case.name);
        assert_close(ndcg(&pairs), case.ndcg, 1e-13, &case.name);
        assert_eq!(ranks(&case.x), case.ranks, "{}", case.name);
        let metrics: [&[f64]; 3] = [&case.x, &case.y, &case.z];
        for (ours, theirs) in
            [(mean_ranks(&metrics), case.mean_ranks), (log_rank_sums(&metrics), case.log_rank_sums)]
        {
            assert_eq!(ours.len(), theirs.len());
            for (ours, theirs) in ours.iter().zip(&theirs) {
                assert_close(*ours, *theirs, 1e-12, &case.name);
            }
        }
    }
}

#[test]
fn intervals_are_those_of_scipy() {
    let mut seen = 0;
    for case in scipy() {
        let theirs = [case.spearman_ci95, case.kendall_ci95, case.pearson_ci95];
        for (coefficient, theirs) in Coefficient::ALL.into_iter().zip(theirs) {
            let Some([low, high]) = theirs else { continue };
            let ours = pairs(&case.x, &case.y).unwrap().interval(coefficient, 7).unwrap();
            // 1000 resamples know a bound of these to a few thousandths.
            assert_close(ours.low, low, 0.008, &case.name);
            assert_close(ours.high, high, 0.008, &case.name);
            seen += 1;
        }
    }
    assert_eq!(seen, 6);
}

#[test]
fn quantiles_lie_between_values_in_proportion() {
    let values = [1.0, 2.0, 4.0, 8.0, 16.0];
    for (share, expected) in [(0.0, 1.0), (0.25, 2.0), (0.3, 2.4), (0.5, 4.0), (0.875, 12.0), (1.0, 16.0)] {
        assert_close(quantile(&values, share), expected, 1e-14, &format!("share {share}"));
    }
}

#[test]
fn every_order_is_as_likely() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(11);
    let mut met = std::collections::HashMap::new();
    for _ in 0..6000 {
        let mut places = [0, 1, 2];
        bootstrap::shuffle(&mut places, &mut rng);
        *met.entry(places).or_insert(0) += 1;
    }
    assert_eq!(met.len(), 6);
    assert!(met.values().all(|times| (850..1150).contains(times)), "{met:?}");
}

/// Hardly any part of the pairs has a one, so they say nothing; nearly every resample has some.
#[test]
fn up_to_the_most_that_are_resampled_all_pairs_are_drawn_anew() {
    let interval = |n: usize| {
        let x: Vec<f64> = (0..n).map(|i| f64::from(u8::from(i % 2000 == 0))).collect();
        let y: Vec<f64> = (0..n).map(|i| (i as f64).sin()).collect();
        pairs(&x, &y).unwrap().interval(Coefficient::Pearson, 0)
    };
    assert!(interval(MOST_RESAMPLED).is_ok());
    assert!(matches!(interval(MOST_RESAMPLED + 1), Err(NoStatistic::Resamples { of: 141, .. })));
}

#[test]
fn intervals_repeat_for_a_seed() {
    let case = &scipy()[7];
    let bounds = |order: &[usize], seed| {
        let (x, y): (Vec<f64>, Vec<f64>) = order.iter().map(|&i| (case.x[i], case.y[i])).unzip();
        let interval = pairs(&x, &y).unwrap().interval(Coefficient::Kendall, seed).unwrap();
        (interval.low.to_bits(), interval.high.to_bits())
    };
    let forward: Vec<usize> = (0..case.x.len()).collect();
    let backward: Vec<usize> = forward.iter().rev().copied().collect();
    assert_eq!(bounds(&forward, 1), bounds(&forward, 1));
    assert_eq!(bounds(&forward, 1), bounds(&backward, 1));
    assert_ne!(bounds(&forward, 1), bounds(&forward, 2));
}

#[test]
fn what_is_undefined_says_why() {
    let error = |x: &[f64], y: &[f64]| pairs(x, y).unwrap_err().to_string();
    insta::assert_snapshot!(error(&[1.0, 2.0], &[1.0]), @"there are 2 scores but 1 accuracies; every one needs its partner");
    insta::assert_snapshot!(error(&[], &[]), @"it takes at least two networks, and there are none");
    insta::assert_snapshot!(error(&[1.0], &[1.0]), @"it takes at least two networks, and there is one");
    insta::assert_snapshot!(error(&[0.0, -0.0], &[1.0, 2.0]), @"all scores are equal");
    insta::assert_snapshot!(error(&[1.0, 2.0], &[3.0, 3.0]), @"all accuracies are equal");
    insta::assert_snapshot!(error(&[1.0, 2.0], &[3.0, f64::NAN]), @"number 2 of the accuracies is not finite");

    let few = pairs(&[1.0, 2.0, 3.0], &[1.0, 3.0, 2.0]).unwrap();
    let partial = |z: &[f64]| partial_spearman(&few, "sizes", z).unwrap_err().to_string();
    insta::assert_snapshot!(partial(&[9.0, 8.0, 7.0]), @"the scores are ordered exactly as the sizes or exactly against them");
    insta::assert_snapshot!(partial(&[1.0, 9.0, 2.0]), @"the accuracies are ordered exactly as the sizes or exactly against them");
    insta::assert_snapshot!(partial(&[1.0]), @"there are 3 scores but 1 sizes; every one needs its partner");
    insta::assert_snapshot!(partial(&[1.0, 2.0, f64::INFINITY]), @"number 3 of the sizes is not finite");
    insta::assert_snapshot!(top_overlap(&few, 4).unwrap_err(), @"there are no 4 best of 3 networks; give a number from 1 to 3");
    assert_eq!(top_overlap(&few, 0), Err(NoStatistic::Best { k: 0, n: 3 }));
    assert_eq!(top_regret(&few, 0), Err(NoStatistic::Best { k: 0, n: 3 }));
    let same_size = |x: &[f64], sizes: &[u64]| {
        kendall_of_same_size(&pairs(x, &[1.0, 3.0, 2.0]).unwrap(), "sizes", sizes, 0).unwrap_err().to_string()
    };
    insta::assert_snapshot!(same_size(&[1.0, 2.0, 3.0], &[10, 20, 30]), @"no two networks have sizes that differ by a tenth or less");
    insta::assert_snapshot!(same_size(&[1.0, 1.0, 3.0], &[10, 10, 30]), @"all networks whose sizes differ by a tenth or less have equal scores");
    insta::assert_snapshot!(same_size(&[1.0, 2.0, 3.0], &[10]), @"there are 3 scores but 1 sizes; every one needs its partner");
    for coefficient in Coefficient::ALL {
        // One of nine resamples draws one pair only.
        assert!(matches!(
            few.interval(coefficient, 0),
            Err(NoStatistic::Resamples { missing: 80..150, of: 1000 })
        ));
    }
}

#[test]
fn equal_values_share_the_border_of_the_best() {
    let overlap = |x: &[f64], y: &[f64], k| top_overlap(&pairs(x, y).unwrap(), k).unwrap();
    let y = [1.0, 2.0, 3.0, 4.0];
    assert_eq!(overlap(&y, &y, 2), 1.0);
    assert_eq!(overlap(&[4.0, 3.0, 2.0, 1.0], &y, 2), 0.0);
    assert_eq!(overlap(&[4.0, 3.0, 2.0, 1.0], &y, 3), 2.0 / 3.0);
    // Of the networks 2, 3 and 4 two are chosen, so 3 and 4 with probability 2/3 each.
    assert_eq!(overlap(&[0.0, 5.0, 5.0, 5.0], &y, 2), 2.0 / 3.0);
}

#[test]
fn what_is_lost_by_training_the_best_scored_only() {
    let regret = |x: &[f64], y: &[f64], k| top_regret(&pairs(x, y).unwrap(), k).unwrap();
    let y = [90.0, 94.0, 91.0, 92.0];
    assert_eq!(regret(&y, &y, 1), 0.0);
    // The best-scored has 91, the two best-scored 91 and 92.
    assert_eq!(regret(&[1.0, 2.0, 4.0, 3.0], &y, 1), 3.0);
    assert_eq!(regret(&[1.0, 2.0, 4.0, 3.0], &y, 2), 2.0);
    assert_eq!(regret(&[1.0, 2.0, 4.0, 3.0], &y, 3), 0.0);
    assert_eq!(regret(&[1.0, 2.0, 4.0, 3.0], &y, 100), 0.0);
    // The first three share the top, so one of 90, 94 and 91 is taken.
    assert_close(
        regret(&[5.0, 5.0, 5.0, 1.0], &y, 1),
        94.0 - (90.0 + 94.0 + 91.0) / 3.0,
        1e-12,
        "one of three",
    );
    // Two of them: 94 with either other, or 90 and 91.
    assert_close(
        regret(&[5.0, 5.0, 5.0, 1.0], &y, 2),
        94.0 - (94.0 + 94.0 + 91.0) / 3.0,
        1e-12,
        "two of three",
    );
    // 92 is sure, and one of the others is added.
    assert_close(
        regret(&[5.0, 5.0, 5.0, 9.0], &y, 2),
        94.0 - (92.0 + 94.0 + 92.0) / 3.0,
        1e-12,
        "after the first",
    );
}

#[test]
fn networks_of_one_size_are_compared() {
    let tau = |x: &[f64], y: &[f64], sizes: &[u64]| {
        kendall_of_same_size(&pairs(x, y).unwrap(), "sizes", sizes, 0).unwrap()
    };
    // Sizes say it all, but for the two of 100 and the two of 1000, which are the other way round.
    let x = [1.0, 2.0, 3.0, 4.0];
    let y = [2.0, 1.0, 4.0, 3.0];
    assert_eq!(tau(&x, &y, &[100, 100, 1000, 1000]), -1.0);
    // 110 is a tenth more than 100, and 111 is more than that; 121 is a tenth more than 110.
    assert_eq!(tau(&x, &y, &[100, 110, 1000, 1101]), -1.0);
    assert_eq!(tau(&x, &y, &[100, 111, 1000, 1100]), -1.0);
    // Pairs (1, 2) and (2, 3) count, and (1, 3) does not.
    assert_eq!(tau(&x, &y, &[100, 110, 121, 1000]), 0.0);
    // All are of one size.
    let pairs = pairs(&x, &y).unwrap();
    assert_eq!(tau(&x, &y, &[7; 4]), pairs.coefficient(Coefficient::Kendall));
    assert_eq!(tau(&x, &y, &[0; 4]), tau(&x, &y, &[u64::MAX; 4]));
}

/// A few thousandths of the coefficient of all pairs, in a moment.
#[test]
fn of_many_networks_some_are_compared() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
    let n = 1_000_000;
    let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
    let x: Vec<f64> = (0..n).map(|_| normal()).collect();
    let y: Vec<f64> = x.iter().map(|x| x + normal()).collect();
    let sizes: Vec<u64> = (0..n as u64).map(|i| [1000, 2000, 4000][i as usize % 3] + i % 50).collect();
    let many = pairs(&x, &y).unwrap();
    let tau = |seed| kendall_of_same_size(&many, "sizes", &sizes, seed).unwrap();
    // Kendall's tau of normal variables is 2 / pi asin r (Greiner 1909), and r is 1 / sqrt 2 here.
    assert_close(tau(0), 0.5, 0.015, "seed 0");
    assert_eq!(tau(0), tau(0));
    assert_ne!(tau(0), tau(1));
}

#[test]
fn seeds_spread() {
    assert_eq!(Spread::of(&[]), None);
    assert_eq!(Spread::of(&[0.5]), Some(Spread { n: 1, mean: 0.5, std: None, min: 0.5, max: 0.5 }));
    let spread = Spread::of(&[1.0, 4.0, 2.0, 5.0]).unwrap();
    assert_eq!((spread.n, spread.mean, spread.min, spread.max), (4, 3.0, 1.0, 5.0));
    assert_close(spread.std.unwrap(), (10.0_f64 / 3.0).sqrt(), 1e-15, "the standard deviation");
    // Equal numbers do not differ, though a third of their sum may.
    let equal = Spread::of(&[0.1; 3]).unwrap();
    assert_eq!((equal.mean, equal.std), (0.1, Some(0.0)));
}

#[test]
fn numbers_of_any_size_have_a_correlation() {
    let shape = [0.25, -1.5, 0.75, 1.0, 0.0];
    let y = [1.0, 0.0, 3.0, 2.0, 2.5];
    let expected = pairs(&shape, &y).unwrap().coefficient(Coefficient::Pearson);
    for scale in [f64::MIN_POSITIVE, 1e-250, 1e-30, 1.0, 1e30, 1e250, f64::MAX / 2.0] {
        let x = shape.map(|value| value * scale);
        let pairs = pairs(&x, &y).unwrap();
        assert_close(pairs.coefficient(Coefficient::Pearson), expected, 1e-14, &format!("scale {scale}"));
        let interval = pairs.interval(Coefficient::Pearson, 0);
        assert!(interval.is_ok_and(|i| -1.0 <= i.low && i.low <= i.high && i.high <= 1.0), "scale {scale}");
    }
    let close = pairs(&[0.0, f64::from_bits(1)], &[1.0, 1.0 + f64::EPSILON]).unwrap();
    assert_close(close.coefficient(Coefficient::Pearson), 1.0, 1e-15, "smallest differences");
    assert_close(ndcg(&close), 1.0, 0.0, "smallest differences");
    // Resamples without the third pair have no variance that a number could hold.
    let tiny = pairs(&[0.0, 1e-200, 1.0], &[1.0, 2.0, 4.0]).unwrap();
    assert!(matches!(tiny.interval(Coefficient::Pearson, 0), Err(NoStatistic::Resamples { .. })));
}

/// The mean of equal values is not always that value, so there are deviations from it.
#[test]
fn resamples_of_equal_values_have_no_coefficient() {
    let values = [0.1, 0.7, 1.3, -2.9, 3.1];
    let pairs = pairs(&values, &values.map(|x| x * x)).unwrap();
    for coefficient in Coefficient::ALL {
        for place in 0..values.len() {
            for times in 1..50 {
                let mut weights = [0; 5];
                weights[place] = times;
                let of = coefficient.of(&pairs, &weights, &mut coefficients::Room::default());
                assert_eq!(
                    of,
                    Err(NoStatistic::Constant("scores")),
                    "{coefficient:?}, {times} times {place}"
                );
            }
        }
    }
}

#[test]
fn negative_zero_is_zero() {
    assert_eq!(order::ascending(&[0.0, -0.0, 1.0, -1.0, -0.0, 0.0]), [3, 0, 1, 4, 5, 2]);
}

/// Of normal variables, intervals are known: Fisher's transformation with the variances of Bonett and Wright (Sample
/// size requirements for estimating Pearson, Kendall and Spearman correlations, Psychometrika 65, 2000).
#[test]
fn intervals_of_many_pairs_are_as_wide_as_they_should_be() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
    let n = MOST_RESAMPLED * 2;
    let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
    let x: Vec<f64> = (0..n).map(|_| normal()).collect();
    let y: Vec<f64> = x.iter().map(|x| 0.75 * x + normal()).collect();
    let many = pairs(&x, &y).unwrap();
    for coefficient in Coefficient::ALL {
        let r = many.coefficient(coefficient);
        let Interval { low, high } = many.interval(coefficient, 3).unwrap();
        let variance = match coefficient {
            Coefficient::Pearson => 1.0,
            Coefficient::Spearman => 1.0 + r * r / 2.0,
            Coefficient::Kendall => 0.437,
        };
        let width = 2.0 * 1.96 * (1.0 - r * r) * (variance / n as f64).sqrt();
        assert!(low < r && r < high, "{coefficient:?}: {r} is between {low} and {high}");
        assert!(
            (0.8..1.25).contains(&((high - low) / width)),
            "{coefficient:?}: {low} to {high}, not {width}"
        );
        let backwards = |v: &[f64]| -> Vec<f64> { v.iter().rev().copied().collect() };
        let reversed = pairs(&backwards(&x), &backwards(&y)).unwrap();
        assert_eq!(reversed.interval(coefficient, 3).unwrap(), Interval { low, high });
    }
    // Nearly all values are equal, so most parts have one value only.
    let rare: Vec<f64> = (0..n).map(|i| f64::from(u8::from(i % 2000 == 0))).collect();
    let rare = pairs(&rare, &y).unwrap();
    assert!(matches!(rare.interval(Coefficient::Kendall, 3), Err(NoStatistic::Resamples { of: 200, .. })));
}

/// Tau-b by its definition.
fn naive_kendall(x: &[f64], y: &[f64]) -> f64 {
    let (mut balance, mut x_untied, mut y_untied) = (0.0, 0.0, 0.0);
    for j in 0..x.len() {
        for i in 0..j {
            let sign = |v: &[f64]| f64::from(i8::from(v[i] < v[j]) - i8::from(v[i] > v[j]));
            balance += sign(x) * sign(y);
            x_untied += sign(x).abs();
            y_untied += sign(y).abs();
        }
    }
    balance / f64::sqrt(x_untied * y_untied)
}

/// Of all ways of choosing the k best by x, the mean of how much less accurate the best of them is than the best of all.
fn naive_regret(x: &[f64], y: &[f64], k: usize) -> f64 {
    let n = x.len();
    let best = |of: &mut dyn Iterator<Item = usize>| of.map(|i| y[i]).fold(f64::NEG_INFINITY, f64::max);
    let (mut sum, mut ways) = (0.0, 0.0);
    for chosen in 0_u32..1 << n {
        let is_in = |i: &usize| chosen >> i & 1 == 1;
        let lowest_in = (0..n).filter(is_in).map(|i| x[i]).fold(f64::INFINITY, f64::min);
        let highest_out = (0..n).filter(|i| !is_in(i)).map(|i| x[i]).fold(f64::NEG_INFINITY, f64::max);
        if chosen.count_ones() as usize == k && lowest_in >= highest_out {
            sum += best(&mut (0..n)) - best(&mut (0..n).filter(is_in));
            ways += 1.0;
        }
    }
    sum / ways
}

/// Tau-b over pairs of about one size, by its definition.
fn naive_kendall_of_same_size(x: &[f64], y: &[f64], sizes: &[u64]) -> f64 {
    let (mut balance, mut x_untied, mut y_untied) = (0.0, 0.0, 0.0);
    for j in 0..x.len() {
        for i in 0..j {
            let [smaller, larger] = [sizes[i].min(sizes[j]) as f64, sizes[i].max(sizes[j]) as f64];
            if larger > smaller * 1.1 + 1e-9 {
                continue;
            }
            let sign = |v: &[f64]| f64::from(i8::from(v[i] < v[j]) - i8::from(v[i] > v[j]));
            balance += sign(x) * sign(y);
            x_untied += sign(x).abs();
            y_untied += sign(y).abs();
        }
    }
    balance / f64::sqrt(x_untied * y_untied)
}

/// Each value's rank: one more than the smaller values, and half of the other equal ones.
fn naive_ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: &f64| {
        let smaller = values.iter().filter(|other| *other < value).count() as f64;
        let equal = values.iter().filter(|other| *other == value).count() as f64;
        smaller + (equal + 1.0) / 2.0
    };
    values.iter().map(rank).collect()
}

fn naive_pearson(x: &[f64], y: &[f64]) -> f64 {
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let product =
        |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(p, q)| (p - mean(a)) * (q - mean(b))).sum::<f64>();
    product(x, y) / (product(x, x) * product(y, y)).sqrt()
}

/// Two lists with many equal values.
fn lists() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    prop::collection::vec((-5_i8..5, -8_i8..8), 2..60)
        .prop_map(|values| {
            values.into_iter().map(|(x, y)| (f64::from(x), f64::from(y))).unzip::<_, _, Vec<_>, Vec<_>>()
        })
        .prop_filter("neither constant", |(x, y)| pairs(x, y).is_ok())
}

proptest! {
    #[test]
    fn coefficients_follow_their_definitions((x, y) in lists()) {
        let pairs = pairs(&x, &y).unwrap();
        let ours = |c| pairs.coefficient(c);
        prop_assert_eq!(ranks(&x), naive_ranks(&x));
        prop_assert!((ours(Coefficient::Kendall) - naive_kendall(&x, &y)).abs() < 1e-13);
        prop_assert!((ours(Coefficient::Pearson) - naive_pearson(&x, &y)).abs() < 1e-12);
        let rho = naive_pearson(&naive_ranks(&x), &naive_ranks(&y));
        prop_assert!((ours(Coefficient::Spearman) - rho).abs() < 1e-12);
    }

    #[test]
    fn regret_is_the_mean_over_all_choices((x, y) in lists(), k in 1_usize..10) {
        let (x, y) = (&x[..x.len().min(9)], &y[..y.len().min(9)]);
        prop_assume!(pairs(x, y).is_ok());
        let k = k.min(x.len());
        let ours = top_regret(&pairs(x, y).unwrap(), k).unwrap();
        prop_assert!((ours - naive_regret(x, y, k)).abs() < 1e-12, "{ours}");
    }

    #[test]
    fn sizes_choose_pairs((x, y) in lists(), seed in 0_u64..1000) {
        let sizes: Vec<u64> = (0..x.len() as u64).map(|i| 90 + (i * 37 + seed) * (i + 11) % 60).collect();
        let naive = naive_kendall_of_same_size(&x, &y, &sizes);
        match kendall_of_same_size(&pairs(&x, &y).unwrap(), "sizes", &sizes, 0) {
            Ok(ours) => prop_assert!((ours - naive).abs() < 1e-13, "{} instead of {}", ours, naive),
            Err(_) => prop_assert!(naive.is_nan()),
        }
    }

    #[test]
    fn weights_count_pairs((x, y) in lists(), seed in 0_usize..1000) {
        let pairs = pairs(&x, &y).unwrap();
        let weights: Vec<u32> = (0..x.len()).map(|i| ((i * 7 + seed) % 4) as u32).collect();
        let repeated = |column: &[f64]| -> Vec<f64> {
            column.iter().zip(&weights).flat_map(|(v, w)| vec![*v; *w as usize]).collect()
        };
        let (long_x, long_y) = (repeated(&pairs.x.values), repeated(&pairs.y.values));
        for coefficient in Coefficient::ALL {
            let weighted = coefficient.of(&pairs, &weights, &mut coefficients::Room::default());
            match Pairs::new("scores", &long_x, "accuracies", &long_y) {
                Ok(long) => prop_assert!((weighted.unwrap() - long.coefficient(coefficient)).abs() < 1e-12),
                Err(_) => prop_assert!(weighted.is_err()),
            }
        }
    }

    #[test]
    fn only_order_matters_to_ranks((x, y) in lists()) {
        let cubed: Vec<f64> = x.iter().map(|x| x.powi(3) + 1e3).collect();
        let reversed: Vec<f64> = x.iter().map(|x| -x).collect();
        for coefficient in [Coefficient::Spearman, Coefficient::Kendall] {
            let of = |x: &[f64], y: &[f64]| pairs(x, y).unwrap().coefficient(coefficient);
            prop_assert_eq!(of(&cubed, &y), of(&x, &y));
            prop_assert_eq!(of(&reversed, &y), -of(&x, &y));
            prop_assert_eq!(of(&y, &x), of(&x, &y));
            prop_assert_eq!(of(&x, &x), 1.0);
        }
    }

    #[test]
    fn rankings_lie_between_the_worst_and_the_best((x, y) in lists(), k in 1_usize..60) {
        let pairs = pairs(&x, &y).unwrap();
        let gain = ndcg(&pairs);
        prop_assert!(0.0 < gain && gain <= 1.0 + 1e-12);
        let best = Pairs::new("", &y, "", &y).unwrap();
        prop_assert!((ndcg(&best) - 1.0).abs() < 1e-12);
        let k = k.min(x.len());
        prop_assert!((0.0..=1.0 + 1e-12).contains(&top_overlap(&pairs, k).unwrap()));
        prop_assert!((top_overlap(&pairs, x.len()).unwrap() - 1.0).abs() < 1e-12);
    }
}
