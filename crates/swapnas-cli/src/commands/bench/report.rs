//! `swapnas bench report`.

use std::io::Write;

use serde_json::{Map, Value, json};
use swapnas::report::{BenchmarkReport, render_benchmark};
use swapnas::statistics::Noise;
use swapnas::train::benchmark::Benchmark;
use swapnas::{Correlation, InputSpec, check_output, plain, plot, results, write_file};

use super::{describe, open};
use crate::args::{BenchReportArgs, CorrelateArgs, ScoringArgs, TableFormat};
use crate::commands::correlate::findings::{Finding, Found};
use crate::commands::correlate::{figure, find};
use crate::commands::scoring::start_threads;
use crate::render;
use crate::render::correlations;
use crate::{Ending, say};

pub(super) fn run(args: BenchReportArgs, given: &[String]) -> anyhow::Result<Ending> {
    start_threads(args.scoring.threads)?;
    if let Some(path) = &args.plot {
        plot::check_path(path)?;
    }
    for path in args.out.iter().chain(&args.plot) {
        check_output(path)?;
    }
    let made = open(&args.folder)?;
    made.write_table()?;
    let scoring = scoring(args.scoring, given, &made)?;
    let asked = CorrelateArgs {
        tables: vec![made.table()],
        space: vec![made.plan().space()?],
        scoring,
        columns: None,
        compare: false,
        seeds: 1,
        shard: None,
        scored: Vec::new(),
        limit: None,
        arch_column: vec!["arch".to_owned()],
        accuracy_column: vec!["accuracy".to_owned()],
        out: None,
        plot: None,
        format: TableFormat::Text,
        json: args.json,
    };
    let (found, bar) = find(&asked, given)?;
    let report = Report::new(&made, &found);
    if let Some(path) = &args.plot {
        figure::draw(path, &found.findings)?;
    }
    if let Some(path) = &args.out {
        write_file(path, render_benchmark(&report.page()?).as_bytes())?;
    }
    bar.print(|out| if args.json { Ok(writeln!(out, "{}", report.json())?) } else { report.write(out) })?;
    if found.done() < found.all() {
        let all = render::count(found.all(), found.noun());
        say(format_args!("stopped: {} of {all} are scored", found.done()));
        return Ok(bar.ending());
    }
    Ok(Ending::Complete)
}

/// How to score: unless told otherwise by all metrics, with the images and the network of the benchmark.
fn scoring(mut args: ScoringArgs, given: &[String], made: &Benchmark) -> anyhow::Result<ScoringArgs> {
    let plan = made.plan();
    let scoring = &mut args.options;
    scoring.metrics.get_or_insert_with(|| "all".to_owned());
    if !given.iter().any(|name| name == "inputs") {
        scoring.inputs = plan.inputs.parse::<InputSpec>()?;
    }
    let data = plan.data()?;
    let network = plan.network(data.classes())?;
    let asked = &mut scoring.network;
    asked.preset.get_or_insert(network.preset);
    asked.channels = asked.channels.or(network.channels);
    asked.cells = asked.cells.or(network.cells);
    asked.size.get_or_insert(swapnas::ImageSize::Shape(network.input));
    asked.classes.get_or_insert(network.classes);
    Ok(args)
}

/// What was found.
struct Report<'a> {
    made: &'a Benchmark,
    found: &'a Found,
    finding: &'a Finding,
    noise: Option<Noise>,
    /// Names with correlations, the highest rho first and those without one last.
    metrics: Vec<(&'a str, &'a Correlation)>,
}

impl<'a> Report<'a> {
    fn new(made: &'a Benchmark, found: &'a Found) -> Self {
        let finding = &found.findings[0];
        let mut metrics: Vec<_> =
            finding.rankings.iter().map(|ranking| &ranking.name[..]).zip(&finding.correlations).collect();
        let rho = |correlation: &Correlation| correlation.spearman.unwrap_or(f64::NEG_INFINITY);
        metrics.sort_by(|(_, a), (_, b)| rho(b).total_cmp(&rho(a)));
        Report { made, found, finding, noise: Noise::of(&made.accuracies()), metrics }
    }

    /// What it comes to, in sentences.
    fn verdict(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        if let Some((name, best)) = self.metrics.first()
            && let (Some(rho), Some([low, high])) = (best.spearman, best.spearman_ci95)
        {
            let ceiling = self.noise.map_or_else(String::new, |noise| {
                format!(", where no more than {:.3} can be expected", noise.ceiling)
            });
            let name = plain(name);
            sentences.push(format!(
                "{name} orders the networks best: Spearman's rho is {rho:.3} (95% interval {low:.3} to {high:.3}){ceiling}."
            ));
            // An interval that reaches the best rho says that chance may have decided.
            let alike: Vec<String> = self.metrics[1..]
                .iter()
                .filter(|(_, other)| other.spearman_ci95.is_some_and(|[_, high]| high >= rho))
                .map(|(name, _)| plain(name).to_string())
                .collect();
            if !alike.is_empty() {
                sentences
                    .push(format!("Not to be told apart from it with these networks: {}.", alike.join(", ")));
            }
            let size = self.metrics.iter().find(|(name, _)| *name == "params");
            if let Some(size) = size.and_then(|(_, params)| params.spearman) {
                sentences.push(format!("The number of parameters by itself: {size:.3}."));
            }
        }
        match &self.noise {
            Some(noise) => sentences.push(describe(noise, self.made.plan().seeds) + "."),
            None => sentences.push(
                "Each network was trained once, so it is not known how sure its accuracy is: --seeds 2 or more would tell."
                    .to_owned(),
            ),
        }
        sentences
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for (name, correlation) in &self.metrics {
            let reasons = correlation.reasons.iter();
            notes.extend(reasons.map(|reason| format!("{}: {}", plain(name), plain(reason))));
        }
        notes.extend(
            self.made.failed().map(|(arch, why)| format!("not trained: {}: {}", plain(arch), plain(why))),
        );
        notes
    }

    fn heading(&self) -> String {
        let (plan, rows) = (self.made.plan(), self.finding.rows.len());
        let networks = render::count(rows, "network");
        format!(
            "{}: {networks} trained on {} for {}",
            plan.space,
            plan.inputs,
            render::count(plan.settings.epochs, "epoch")
        )
    }

    fn write(&self, out: &mut impl Write) -> anyhow::Result<()> {
        writeln!(out, "{}", plain(&self.heading()))?;
        if let Some(subjects) = self.found.subjects_of(self.finding) {
            writeln!(out, "{}", subjects.describe())?;
        }
        writeln!(out, "{}", correlations::of_one_table(&self.metrics).text())?;
        for sentence in self.verdict().into_iter().chain(self.notes()) {
            writeln!(out, "{sentence}")?;
        }
        Ok(())
    }

    fn json(&self) -> Value {
        let metrics: Map<String, Value> =
            self.metrics.iter().map(|(name, correlation)| ((*name).to_owned(), json!(correlation))).collect();
        let rows = self.made.rows();
        let by_arch =
            |place: usize| rows.iter().find(|row| row.arch == self.finding.table.rows()[place].arch);
        let networks: Vec<Value> = self
            .finding
            .rows
            .iter()
            .enumerate()
            .filter_map(|(index, &place)| {
                let row = by_arch(place)?;
                let scores: Map<String, Value> = self
                    .finding
                    .rankings
                    .iter()
                    .map(|ranking| {
                        (ranking.name.clone(), results::score_json(ranking.origin, &ranking.values[index]))
                    })
                    .collect();
                Some(json!({
                    "arch": row.arch,
                    "accuracies": row.accuracies,
                    "epochs": row.epochs,
                    "params": row.params,
                    "macs": row.macs,
                    "scores": scores,
                }))
            })
            .collect();
        let settings = self.found.subjects_of(self.finding).map(|subjects| subjects.settings_json());
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "plan": self.made.plan(),
            "settings": settings,
            "noise": self.noise,
            "best": self.metrics.first().map(|(name, _)| name),
            "verdict": self.verdict(),
            "metrics": metrics,
            "networks": networks,
        })
    }

    fn page(&self) -> anyhow::Result<BenchmarkReport> {
        let plan = self.made.plan();
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let object = |value: Value| match value {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        let mut settings: Vec<(String, String)> = Vec::new();
        for (name, value) in object(serde_json::to_value(plan)?) {
            if name == "settings" {
                settings.extend(object(value).iter().map(|(name, value)| (name.clone(), text(value))));
            } else {
                settings.push((name, text(&value)));
            }
        }
        if let Some(subjects) = self.found.subjects_of(self.finding) {
            settings.push(("scored".to_owned(), subjects.describe()));
        }
        settings.push(("swapnas".to_owned(), env!("CARGO_PKG_VERSION").to_owned()));
        let drawn = self.finding.rankings.iter().any(|ranking| ranking.values.iter().any(Result::is_ok));
        let figure = drawn.then(|| figure::of(&self.found.findings).svg()).transpose()?;
        Ok(BenchmarkReport {
            title: self.heading(),
            verdict: self.verdict(),
            notes: self.notes(),
            metrics: self.metrics.iter().map(|(name, of)| ((*name).to_owned(), (*of).clone())).collect(),
            ceiling: self.noise.map(|noise| noise.ceiling),
            figure,
            settings,
        })
    }
}
