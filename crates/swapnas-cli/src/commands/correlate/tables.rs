//! The tables that are read, each with the options that are for it.

use std::path::Path;

use anyhow::{Context, bail};
use swapnas::table::{self, Archs, Options, Problems, Row, Table};
use swapnas::{ImageSize, Scoring, Space, plain};

use crate::args::CorrelateArgs;
use crate::render;
use crate::subjects::{Reader, Subject};

/// A table, and what is to be done with it.
pub(super) struct Job {
    /// What it is called among several.
    pub label: String,
    pub table: Table,
    pub scoring: Scoring,
    /// Whether metrics are computed, or columns of the table are all that is asked for.
    pub has_metrics: bool,
    /// The places of the rows that can be used.
    pub rows: Vec<usize>,
    /// What stands in them, unless nothing is to be known of networks.
    pub subjects: Option<Vec<Subject>>,
    pub failed: Problems,
    /// Which columns nobody chose.
    pub silent: Silent,
}

/// Whether the columns of architectures and of accuracies were found by the program.
#[derive(Clone, Copy)]
pub(super) struct Silent {
    pub arch: bool,
    pub accuracy: bool,
}

/// Reads all tables.
pub(super) fn read(args: &CorrelateArgs, given: &[String]) -> anyhow::Result<Vec<Job>> {
    if args.tables.is_empty() {
        return Ok(vec![built_in(args, given)?]);
    }
    let tables = &args.tables;
    let spaces = each(&args.space, tables.len(), "space")?;
    let arch_columns = each(&args.arch_column, tables.len(), "arch-column")?;
    let accuracy_columns = each(&args.accuracy_column, tables.len(), "accuracy-column")?;
    if tables.iter().filter(|table| table.as_path() == Path::new("-")).count() > 1 {
        bail!("standard input can be read once; give the name of a file");
    }
    let columns = columns(args.columns.as_deref())?;
    let has_metrics = args.columns.is_none() || args.scoring.options.metrics.is_some();
    let is_space_given = given.iter().any(|option| option == "space");
    let mut jobs = Vec::new();
    for (place, path) in tables.iter().enumerate() {
        let (arch, accuracy) = (arch_columns[place], accuracy_columns[place]);
        let options = Options {
            arch_column: arch.cloned(),
            accuracy_column: accuracy.cloned(),
            limit: args.limit.map(|limit| limit as usize),
            columns: columns.clone(),
            archs: if has_metrics || is_space_given { Archs::Needed } else { Archs::IfThere },
        };
        let space: &'static dyn Space = *spaces[place].context("there is a default")?;
        let mut scoring = args.scoring.of(space);
        if !has_metrics {
            // Networks are built to count their parameters.
            scoring.options.metrics = Some("params".to_owned());
        }
        let job = Job {
            label: String::new(),
            table: table::read(path, &options)?,
            scoring,
            has_metrics,
            rows: Vec::new(),
            subjects: None,
            failed: Problems::new(""),
            silent: Silent { arch: arch.is_none(), accuracy: accuracy.is_none() },
        };
        jobs.push(job.read(options.archs, args.scoring.skip_bad)?);
    }
    label(&mut jobs, tables);
    Ok(jobs)
}

/// The table that comes with the program, for a space and a network of its own.
fn built_in(args: &CorrelateArgs, given: &[String]) -> anyhow::Result<Job> {
    let typed = |option: &&str| given.iter().any(|name| name == option);
    if let Some(option) = ["space", "skip_bad"].into_iter().find(typed) {
        bail!("--{} is for a table, and none is given", option.replace('_', "-"));
    }
    let options = Options {
        arch_column: args.arch_column.first().cloned(),
        accuracy_column: args.accuracy_column.first().cloned(),
        limit: args.limit.map(|limit| limit as usize),
        columns: columns(args.columns.as_deref())?,
        archs: Archs::Needed,
    };
    let mut scoring = args.scoring.of(swapnas::space(table::EMBEDDED_SPACE)?);
    // What is scored is what was trained, since that is small.
    let [channels, cells, side] = table::EMBEDDED_NETWORK;
    let network = &mut scoring.options.network;
    network.channels.get_or_insert(channels);
    network.cells.get_or_insert(cells);
    network.size.get_or_insert(ImageSize::Side(side));
    let has_metrics = args.columns.is_none() || args.scoring.options.metrics.is_some();
    if !has_metrics {
        scoring.options.metrics = Some("params".to_owned());
    }
    let job = Job {
        label: "built-in".to_owned(),
        table: table::embedded(&options)?,
        scoring,
        has_metrics,
        rows: Vec::new(),
        subjects: None,
        failed: Problems::new(""),
        silent: Silent { arch: false, accuracy: false },
    };
    job.read(options.archs, false)
}

/// The columns of a list that was typed, if it was.
pub(crate) fn columns(list: Option<&str>) -> anyhow::Result<Vec<String>> {
    let Some(list) = list else { return Ok(Vec::new()) };
    let columns: Vec<String> = list.split(',').map(|column| column.trim().to_owned()).collect();
    if columns.iter().any(String::is_empty) {
        bail!("the list of columns `{}` has an empty place; put one comma between two columns", plain(list));
    }
    Ok(columns)
}

/// The value of an option for each table, which is given once for all or once for each.
fn each<'a, T>(values: &'a [T], tables: usize, option: &str) -> anyhow::Result<Vec<Option<&'a T>>> {
    match values {
        [] => Ok(vec![None; tables]),
        [value] => Ok(vec![Some(value); tables]),
        _ if values.len() == tables => Ok(values.iter().map(Some).collect()),
        _ => bail!(
            "--{option} is given {} times for {}; give it once, or once for each",
            values.len(),
            render::count(tables, "table")
        ),
    }
}

impl Job {
    /// Reads what stands in the rows, each network being built for once.
    fn read(mut self, archs: Archs, skips_bad: bool) -> anyhow::Result<Self> {
        let mut problems = self.table.problems().clone();
        if archs == Archs::IfThere {
            self.rows = (0..self.table.rows().len()).collect();
        } else {
            let mut reader = Reader::new(&self.scoring).building();
            let mut subjects = Vec::with_capacity(self.table.rows().len());
            for (row, Row { place, arch, .. }) in self.table.rows().iter().enumerate() {
                match reader.read(arch) {
                    Ok(subject) => {
                        subjects.push(subject);
                        self.rows.push(row);
                    }
                    Err(error) => problems.add(*place, error),
                }
            }
            self.subjects = Some(subjects);
        }
        if !skips_bad && !problems.is_empty() {
            return Err(problems).context("nothing is scored; mend these, or leave them out with --skip-bad");
        }
        if self.rows.len() < 2 {
            let rows = render::count(self.rows.len(), "usable row");
            let few = format!("{} has {rows}; a correlation takes two", plain(self.table.file()));
            // What was left out is the reason, if anything was.
            problems.check().context(few.clone())?;
            bail!(few);
        }
        self.failed = problems;
        Ok(self)
    }
}

/// Gives each table a name of its own: that of its file, with the data set and that of its accuracies where a file is
/// there several times.
fn label(jobs: &mut [Job], paths: &[std::path::PathBuf]) {
    let name = |place: usize, job: &Job| match Path::new(job.table.file()).file_stem() {
        Some(stem) if paths[place] != Path::new("-") => stem.to_string_lossy().into_owned(),
        _ => job.table.file().to_owned(),
    };
    for (place, job) in jobs.iter_mut().enumerate() {
        job.label = name(place, job);
    }
    specify(jobs, |job| {
        let part = job.table.part()?;
        let names = [&part.dataset, &part.epochs].into_iter().flatten().map(|choice| &choice.name[..]);
        Some(names.collect::<Vec<_>>().join(" "))
    });
    specify(jobs, |job| {
        let accuracy = job.table.accuracy_column();
        Some(accuracy.name.clone().unwrap_or_else(|| accuracy.number.to_string()))
    });
    for place in 1..jobs.len() {
        let (before, rest) = jobs.split_at_mut(place);
        let label = &mut rest[0].label;
        let own = label.clone();
        let mut number = 2;
        while before.iter().any(|job| job.label == *label) {
            *label = format!("{own} ({number})");
            number += 1;
        }
    }
}

/// Says more of tables that have a name with others.
fn specify(jobs: &mut [Job], more: impl Fn(&Job) -> Option<String>) {
    let labels: Vec<String> = jobs.iter().map(|job| job.label.clone()).collect();
    for job in jobs {
        if labels.iter().filter(|other| **other == job.label).count() > 1
            && let Some(more) = more(job)
        {
            job.label = format!("{} {more}", job.label);
        }
    }
}
