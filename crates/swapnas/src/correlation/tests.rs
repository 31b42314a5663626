use swapnas_metrics::{Direction, Score, Undefined};

use super::*;

fn metric(name: &str, direction: Direction, values: &[Option<f64>]) -> Ranking {
    let value =
        |value: &Option<f64>| value.map(|mean| Score { mean, std: 0.0 }).ok_or(Undefined::NoRelu.into());
    Ranking {
        name: name.to_owned(),
        origin: Origin::Metric,
        direction,
        values: values.iter().map(value).collect(),
    }
}

#[test]
fn undefined_networks_are_left_out_and_small_numbers_may_be_good() {
    let values = [Some(4.0), None, Some(3.0), Some(1.0), Some(2.0)];
    let ranking = metric("ntk", Direction::LowerIsBetter, &values);
    let accuracies = [90.0, 99.0, 91.0, 93.0, 92.0];
    let params = [100, 105, 100, 100, 200];
    let found = correlate(&ranking, &accuracies, Some(&params), 0);
    assert_eq!((found.n, found.undefined), (4, 1));
    assert_eq!((found.spearman, found.kendall), (Some(1.0), Some(1.0)));
    assert_eq!(found.kendall_same_size, Some(1.0));
    // The 99 is not among those that have a score.
    assert_eq!((found.regret_at_1, found.regret_at_10), (Some(0.0), Some(0.0)));
    assert_eq!(spearman(&ranking, &accuracies), Some(1.0));
    assert_eq!(found.reasons[0], "the network has no ReLU nor an activation like it");
    // Whatever is said of sizes takes sizes, and is not missed where there are none.
    let without = correlate(&ranking, &accuracies, None, 0);
    assert_eq!((without.spearman_given_params, without.kendall_same_size), (None, None));
    assert!(!without.reasons.iter().any(|reason| reason.contains("parameter")), "{:?}", without.reasons);
    assert_eq!(without.spearman, found.spearman);
}

#[test]
fn too_few_networks_are_a_reason() {
    let found = correlate(&metric("m", Direction::HigherIsBetter, &[Some(1.0), None]), &[1.0, 2.0], None, 0);
    assert_eq!((found.spearman, found.regret_at_1), (None, None));
    insta::assert_snapshot!(found.reasons.join("\n"), @"
    the network has no ReLU nor an activation like it
    it takes at least two networks, and there is one
    ");
    assert_eq!(spearman(&metric("m", Direction::HigherIsBetter, &[]), &[]), None);
}

#[test]
fn rankings_are_compared_where_both_are_defined() {
    let rankings = [
        metric("a", Direction::HigherIsBetter, &[Some(1.0), Some(2.0), Some(3.0), None]),
        metric("b", Direction::LowerIsBetter, &[Some(1.0), Some(2.0), Some(3.0), Some(4.0)]),
        Ranking::of_numbers("c", &[2.0, 3.0, 1.0, f64::NAN]),
        Ranking::of_numbers("d", &[7.0; 4]),
    ];
    let Comparison { names, spearman, n } = compare(&rankings);
    assert_eq!(names, ["a", "b", "c", "d"]);
    // Ranks 1, 2, 3 against 2, 3, 1: 1 - 6 (1 + 1 + 4) / (3 * 8).
    let (one, ac) = (Some(1.0), Some(-0.5));
    assert_eq!(spearman[0], [one, Some(-1.0), ac, None]);
    assert_eq!(spearman[1], [Some(-1.0), one, Some(0.5), None]);
    assert_eq!(spearman[2], [ac, Some(0.5), one, None]);
    assert_eq!(spearman[3], [None; 4], "a constant one has no ranks, even with itself");
    assert_eq!(n, [[3, 3, 3, 3], [3, 4, 3, 4], [3, 3, 3, 3], [3, 4, 3, 4]]);
    let reason = rankings[2].values[3].as_ref().unwrap_err().to_string();
    insta::assert_snapshot!(reason, @"number 3 is NaN");
}

#[test]
fn columns_get_names_of_their_own() {
    let mut rankings = [
        metric("synflow", Direction::HigherIsBetter, &[]),
        Ranking::of_numbers("synflow", &[]),
        Ranking::of_numbers("snip", &[]),
        Ranking::of_numbers("synflow (table)", &[]),
    ];
    tell_apart(&mut rankings);
    let names: Vec<&str> = rankings.iter().map(|ranking| &ranking.name[..]).collect();
    assert_eq!(names, ["synflow", "synflow (table) (table)", "snip", "synflow (table)"]);
}
