use insta::assert_snapshot;
use swapnas::{Ranking, compare, correlate};

use super::*;

/// A correlation whose numbers are known: ranks 1, 2, 3 against 2, 3, 1.
fn correlation() -> Correlation {
    let found = correlate(&Ranking::of_numbers("m", &[1.0, 2.0, 3.0]), &[92.0, 93.0, 91.5], None, 0);
    assert_eq!(found.spearman, Some(-0.5));
    Correlation { spearman_ci95: Some([-1.0, 0.25]), reasons: vec!["some, reason".to_owned()], ..found }
}

#[test]
fn a_table_of_one_file() {
    let correlation = correlation();
    let metrics = [("swap", &correlation), ("a_b|c & {x}", &correlation)];
    let grid = of_one_table(&metrics);
    assert_snapshot!(grid.text(), @"
    metric       Spearman (95% interval)   given params  Kendall  same size  Pearson  top 10%  regret@10  nDCG   n  undefined 
    swap         -0.500 (-1.000 to 0.250)             -   -0.333          -   -0.327    0.000      0.000  0.659  3          0 
    a_b|c & {x}  -0.500 (-1.000 to 0.250)             -   -0.333          -   -0.327    0.000      0.000  0.659  3          0
    ");
    assert_snapshot!(grid.markdown(), @r"
    | metric       | Spearman (95% interval)  | given params | Kendall | same size | Pearson | top 10% | regret@10 | nDCG  | n | undefined |
    |--------------|--------------------------|--------------|---------|-----------|---------|---------|-----------|-------|---|-----------|
    | swap         | -0.500 (-1.000 to 0.250) |            - |  -0.333 |         - |  -0.327 |   0.000 |     0.000 | 0.659 | 3 |         0 |
    | a_b\|c & {x} | -0.500 (-1.000 to 0.250) |            - |  -0.333 |         - |  -0.327 |   0.000 |     0.000 | 0.659 | 3 |         0 |
    ");
    assert_snapshot!(grid.latex(), @r"
    \begin{tabular}{lrrrrrrrrrr}
    \toprule
    metric & Spearman (95\% interval) & given params & Kendall & same size & Pearson & top 10\% & regret@10 & nDCG & n & undefined \\
    \midrule
    swap & -0.500 (-1.000 to 0.250) & -- & -0.333 & -- & -0.327 & 0.000 & 0.000 & 0.659 & 3 & 0 \\
    a\_b\textbar{}c \& \{x\} & -0.500 (-1.000 to 0.250) & -- & -0.333 & -- & -0.327 & 0.000 & 0.000 & 0.659 & 3 & 0 \\
    \bottomrule
    \end{tabular}
    ");
    let spread = Spread::of(&[-0.5, -0.25]);
    let seeds = Correlation { spearman_over_seeds: spread, ..correlation };
    assert!(of_one_table(&[("swap", &seeds)]).text().contains("-0.375 ± 0.177"));
}

#[test]
fn a_table_of_several_files() {
    let correlation = correlation();
    let none = Correlation { spearman: None, spearman_ci95: None, ..correlation.clone() };
    let tables = [
        ("darts", vec![("swap", &correlation), ("params", &none)]),
        ("nb_201", vec![("swap", &none), ("params", &correlation)]),
    ];
    assert_snapshot!(of_tables(&tables).latex(), @r"
    \begin{tabular}{lrr}
    \toprule
    metric & darts & nb\_201 \\
    \midrule
    swap & -0.500 (-1.000 to 0.250) & -- \\
    params & -- & -0.500 (-1.000 to 0.250) \\
    \bottomrule
    \end{tabular}
    ");
}

#[test]
fn a_matrix() {
    let rankings = [
        Ranking::of_numbers("a", &[1.0, 2.0, 3.0]),
        Ranking::of_numbers("b", &[2.0, 3.0, 1.0]),
        Ranking::of_numbers("c", &[1.0; 3]),
    ];
    assert_snapshot!(of_each_with_each(&compare(&rankings)).text(), @"
       a       b       c 
    a   1.000  -0.500  - 
    b  -0.500   1.000  - 
    c       -       -  -
    ");
}

#[test]
fn what_latex_would_take_for_its_own() {
    assert_eq!(
        latex(r#"50% of $a_1 & #b {c} \d ~e ^f <g> |h| "i" [j]*"#),
        r"50\% of \$a\_1 \& \#b \{c\} \textbackslash{}d \textasciitilde{}e \textasciicircum{}f \textless{}g\textgreater{} \textbar{}h\textbar{} ''i'' {[}j]{*}"
    );
    assert_eq!(latex("a\nb\x1b[1m"), latex("a\nb\x1b[1m").replace(['\n', '\x1b'], ""));
}

#[test]
fn csv_has_all_numbers() {
    let correlation = Correlation { spearman_over_seeds: Spread::of(&[-0.5, -0.25]), ..correlation() };
    let row = Row {
        table: "t",
        file: "t,1.csv",
        accuracy: "val_acc".to_owned(),
        space: "darts",
        metric: "swap",
        correlation: &correlation,
    };
    let mut text = Vec::new();
    csv(&mut text, [row].into_iter()).unwrap();
    assert_snapshot!(String::from_utf8(text).unwrap(), @r#"
    table,file,accuracy_column,space,metric,n,undefined,spearman,spearman_low,spearman_high,kendall,kendall_low,kendall_high,pearson,pearson_low,pearson_high,spearman_given_params,kendall_same_size,top10_overlap,regret_at_1,regret_at_10,ndcg,seeds,spearman_mean,spearman_std,spearman_min,spearman_max,reasons
    t,"t,1.csv",val_acc,darts,swap,3,0,-0.5,-1.0,0.25,-0.3333333333333333,,,-0.3273268353539885,,,,,0.0,1.5,0.0,0.6590018048024133,2,-0.375,0.1767766952966369,-0.5,-0.25,"some, reason"
    "#);
}
