//! Scores the networks of tables, and correlates what is found.

use std::ops::Range;
use std::time::Instant;

use swapnas::shard::Rows;
use swapnas::statistics::Spread;
use swapnas::table::{Problems, Table};
use swapnas::{
    Comparison, Correlation, Progress, Ranking, Scored, Scoring, compare, correlate, spearman, tell_apart,
};

use super::tables::{Job, Silent};
use crate::args::CorrelateArgs;
use crate::subjects::{Subject, Subjects};

/// Tables whose networks are scored together, so that those that are in several of them are scored once.
pub(super) struct Group {
    scoring: Scoring,
    /// What is to be scored, if anything is.
    subjects: Option<Subjects>,
    /// The tables by their places among all, each with the places of its networks among the subjects.
    jobs: Vec<(usize, Job, Range<usize>)>,
}

impl Group {
    /// How many networks are to be scored.
    pub(super) fn len(&self) -> usize {
        self.subjects.as_ref().map_or(0, Subjects::len)
    }

    /// What is to be scored, if anything is, and how.
    pub(super) fn into_subjects(self) -> Option<(Scoring, Subjects)> {
        Some((self.scoring, self.subjects?))
    }
}

/// What is known of a table.
pub(crate) struct Finding {
    pub label: String,
    pub table: Table,
    pub failed: Problems,
    pub(super) silent: Silent,
    /// Whether metrics were computed.
    pub has_metrics: bool,
    /// How many lines could have been used.
    pub all: usize,
    /// The places of the lines that are correlated.
    pub rows: Vec<usize>,
    pub accuracies: Vec<f64>,
    /// Their networks, if any were built.
    pub scored: Option<Vec<Scored>>,
    pub rankings: Vec<Ranking>,
    /// One for each ranking.
    pub correlations: Vec<Correlation>,
    pub comparison: Option<Comparison>,
    /// What its networks were scored with: a place in [`Found::subjects`].
    pub subjects: Option<usize>,
}

/// What is known of all tables.
pub(crate) struct Found {
    /// In the order of the tables.
    pub findings: Vec<Finding>,
    pub subjects: Vec<Subjects>,
    /// With how many seeds all networks were scored.
    pub seeds: usize,
    /// How long that took.
    pub seconds: f64,
}

impl Found {
    pub(crate) fn subjects_of(&self, finding: &Finding) -> Option<&Subjects> {
        finding.subjects.map(|place| &self.subjects[place])
    }

    /// How many networks are scored.
    pub(crate) fn done(&self) -> usize {
        self.findings.iter().map(|finding| finding.rows.len()).sum()
    }

    /// How many should have been.
    pub(crate) fn all(&self) -> usize {
        self.findings.iter().map(|finding| finding.all).sum()
    }

    /// What one of them is called.
    pub(crate) fn noun(&self) -> &'static str {
        self.subjects.first().map_or("row", Subjects::noun)
    }
}

/// Puts tables of one space together. `given` are the options that were typed.
pub(super) fn group(jobs: Vec<Job>, given: &[String]) -> anyhow::Result<Vec<Group>> {
    let is_model = |subject: &Subject| matches!(subject, Subject::Model(_));
    let kind = |job: &Job| match &job.subjects {
        None => "",
        Some(subjects) if subjects.iter().any(is_model) => "onnx",
        Some(_) => job.scoring.space.name(),
    };
    // Options of spaces may be meant for the other tables.
    let has_archs = jobs.iter().any(|job| !matches!(kind(job), "" | "onnx"));
    let given: Vec<String> = given.iter().filter(|name| !has_archs || *name != "space").cloned().collect();
    let mut kinds: Vec<&'static str> = Vec::new();
    let mut members: Vec<Vec<(usize, Job)>> = Vec::new();
    for (place, job) in jobs.into_iter().enumerate() {
        let kind = kind(&job);
        match kinds.iter().position(|known| *known == kind) {
            Some(group) => members[group].push((place, job)),
            None => {
                kinds.push(kind);
                members.push(vec![(place, job)]);
            }
        }
    }
    let mut groups = Vec::new();
    for members in members {
        let Some((_, first)) = members.first() else { continue };
        let scoring = first.scoring.clone();
        let mut all = Vec::new();
        let mut jobs = Vec::new();
        let mut is_scored = false;
        for (place, mut job) in members {
            let subjects = job.subjects.take();
            is_scored |= subjects.is_some();
            let start = all.len();
            all.extend(subjects.into_iter().flatten());
            jobs.push((place, job, start..all.len()));
        }
        let subjects = is_scored.then(|| Subjects::new(all, &scoring, None, &given)).transpose()?;
        groups.push(Group { scoring, subjects, jobs });
    }
    Ok(groups)
}

/// Scores what is to be scored, with all seeds, unless there are rows of others who did, and correlates.
pub(super) fn find(
    args: &CorrelateArgs,
    groups: Vec<Group>,
    rows: Option<&Rows>,
    progress: &dyn Progress,
) -> anyhow::Result<Found> {
    let mut found = Found { findings: Vec::new(), subjects: Vec::new(), seeds: args.seeds, seconds: 0.0 };
    let mut findings: Vec<(usize, Finding)> = Vec::new();
    for Group { scoring, subjects, jobs } in groups {
        let began = Instant::now();
        let scored = subjects.as_ref().map(|subjects| score(subjects, rows, progress)).transpose()?;
        found.seconds += began.elapsed().as_secs_f64();
        let mut scored = scored.map(Vec::into_iter);
        let place = found.subjects.len();
        let mut of_group: Vec<(usize, Finding, Range<usize>)> = Vec::new();
        for (table, job, range) in jobs {
            let networks = scored.as_mut().map(|scored| scored.by_ref().take(range.len()).collect());
            let mut finding = finding(args, job, subjects.as_ref(), networks);
            finding.subjects = subjects.is_some().then_some(place);
            of_group.push((table, finding, range));
        }
        if let Some(mut subjects) = subjects {
            if args.seeds > 1 && of_group.iter().any(|(_, finding, _)| finding.has_metrics) {
                let began = Instant::now();
                let seeds = spread(args, &scoring, &mut subjects, &mut of_group, rows, progress)?;
                found.seconds += began.elapsed().as_secs_f64();
                found.seeds = found.seeds.min(seeds);
            }
            found.subjects.push(subjects);
        }
        findings.extend(of_group.into_iter().map(|(table, finding, _)| (table, finding)));
    }
    findings.sort_by_key(|(table, _)| *table);
    found.findings = findings.into_iter().map(|(_, finding)| finding).collect();
    Ok(found)
}

/// Scores, or takes what was found.
fn score(
    subjects: &Subjects,
    rows: Option<&Rows>,
    progress: &dyn Progress,
) -> anyhow::Result<Vec<Option<Scored>>> {
    let Some(rows) = rows else { return Ok(subjects.score(progress)?) };
    let names: Vec<String> = (0..subjects.len()).map(|index| subjects.name(index)).collect();
    let metrics = &subjects.settings().metrics;
    let scored = rows.scored(&names, subjects.origin(), &subjects.settings_json(), metrics)?;
    progress.advance(scored.len() as f64);
    Ok(scored.into_iter().map(Some).collect())
}

/// Correlates what was found of a table.
fn finding(
    args: &CorrelateArgs,
    job: Job,
    subjects: Option<&Subjects>,
    networks: Option<Vec<Option<Scored>>>,
) -> Finding {
    let Job { label, table, has_metrics, rows, failed, silent, .. } = job;
    let all = rows.len();
    let (rows, scored) = match networks {
        None => (rows, None),
        Some(networks) => {
            let done = rows.into_iter().zip(networks).filter_map(|(row, scored)| Some((row, scored?)));
            let (rows, scored): (Vec<usize>, Vec<Scored>) = done.unzip();
            (rows, Some(scored))
        }
    };
    let accuracies: Vec<f64> = rows.iter().map(|&row| table.rows()[row].accuracy).collect();
    let mut rankings = Vec::new();
    if let (true, Some(subjects), Some(scored)) = (has_metrics, subjects, &scored) {
        rankings = Ranking::of_metrics(&subjects.columns, &scored.iter().collect::<Vec<_>>());
    }
    rankings.extend(table.columns().iter().map(|column| Ranking::of_column(column, &rows)));
    tell_apart(&mut rankings);
    let params: Option<Vec<u64>> =
        scored.as_ref().map(|scored| scored.iter().map(|scored| scored.params).collect());
    let correlations = rankings
        .iter()
        .map(|ranking| correlate(ranking, &accuracies, params.as_deref(), args.scoring.options.seed))
        .collect();
    let comparison = args.compare.then(|| compare(&rankings));
    Finding {
        label,
        table,
        failed,
        silent,
        has_metrics,
        all,
        rows,
        accuracies,
        scored,
        rankings,
        correlations,
        comparison,
        subjects: None,
    }
}

/// Scores with the seeds after the first one, and says of each metric how its correlation varies. Returns with how
/// many seeds all networks were scored.
fn spread(
    args: &CorrelateArgs,
    scoring: &Scoring,
    subjects: &mut Subjects,
    findings: &mut [(usize, Finding, Range<usize>)],
    rows: Option<&Rows>,
    progress: &dyn Progress,
) -> anyhow::Result<usize> {
    let is_complete = findings.iter().all(|(_, finding, _)| finding.rows.len() == finding.all);
    let mut rhos: Vec<Vec<Vec<f64>>> = findings
        .iter()
        .map(|(_, finding, _)| {
            finding.correlations.iter().map(|c| c.spearman.into_iter().collect()).collect()
        })
        .collect();
    let mut seeds = usize::from(is_complete);
    while seeds > 0 && seeds < args.seeds {
        subjects.reseed(scoring, args.scoring.options.seed + seeds as u64)?;
        let scored: Option<Vec<Scored>> = score(subjects, rows, progress)?.into_iter().collect();
        let Some(scored) = scored else { break }; // the work was stopped
        for ((_, finding, range), rhos) in findings.iter().zip(&mut rhos) {
            let networks: Vec<&Scored> = scored[range.clone()].iter().collect();
            let rankings = Ranking::of_metrics(&subjects.columns, &networks);
            for (ranking, rhos) in rankings.iter().zip(rhos).take(metrics(finding)) {
                rhos.extend(spearman(ranking, &finding.accuracies));
            }
        }
        seeds += 1;
    }
    subjects.reseed(scoring, args.scoring.options.seed)?;
    for ((_, finding, _), rhos) in findings.iter_mut().zip(&rhos) {
        let metrics = metrics(finding);
        for (correlation, rhos) in finding.correlations.iter_mut().zip(rhos).take(metrics) {
            correlation.spearman_over_seeds = Spread::of(rhos);
        }
    }
    Ok(seeds)
}

/// How many of the rankings, which come first, are computed.
fn metrics(finding: &Finding) -> usize {
    finding.rankings.len() - finding.table.columns().len()
}
