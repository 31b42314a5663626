//! The table of a benchmark.

use super::Benchmark;

/// A row for each network: architecture, accuracy, parameters, multiply-accumulates, seconds, and the accuracies by
/// epoch and by seed. Accuracies are percentages of the validation images.
pub(super) fn csv(benchmark: &Benchmark) -> Vec<u8> {
    let (seeds, first) = (benchmark.plan().seeds, benchmark.plan().settings.seed);
    let mut out = csv::Writer::from_writer(Vec::new());
    let mut header: Vec<String> = ["arch", "accuracy", "params", "macs", "seconds"].map(str::to_owned).into();
    header.extend((1..=benchmark.plan().settings.epochs).map(|epoch| format!("epoch_{epoch}")));
    if seeds > 1 {
        header.extend((0..seeds as u64).map(|seed| format!("seed_{}", first.wrapping_add(seed))));
    }
    out.write_record(&header).expect("memory takes anything");
    for row in benchmark.rows() {
        let mut cells = vec![
            row.arch.clone(),
            percent(row.accuracy()),
            row.params.to_string(),
            row.macs.to_string(),
            format!("{:.2}", row.seconds),
        ];
        cells.extend(row.epochs.iter().copied().map(percent));
        if seeds > 1 {
            cells.extend(row.accuracies.iter().copied().map(percent));
        }
        out.write_record(&cells).expect("memory takes anything");
    }
    out.into_inner().expect("memory takes anything")
}

/// To a thousandth, which tells apart what a hundred thousand images tell apart.
fn percent(accuracy: f64) -> String {
    let text = format!("{accuracy:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
