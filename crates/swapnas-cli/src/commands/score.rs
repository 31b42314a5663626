//! `swapnas score`.

use std::io::Write;

use anyhow::{Context, bail};
use serde_json::{Map, Value, json};
use swapnas::shard::Shard;
use swapnas::table::{ListedArch, Place, Problems};
use swapnas::{
    Column, Columns, Finding, Origin, Refusals, Scoring, Shape, Tensors, plain, plain_sentence, results,
    saturation_warnings, scored, table,
};

use crate::args::ScoreArgs;
use crate::commands::scoring::{check_skip_bad, start_threads};
use crate::progress::Bar;
use crate::render;
use crate::render::Row;
use crate::subjects::{Reader, Subject, Subjects, reason};
use crate::{Ending, say};

/// How many of the sampled architectures are shown unless asked otherwise.
const BEST_OF_SAMPLE: u64 = 10;

/// Of how many networks that are not printed it is said why they were refused.
const REFUSED: usize = 20;

pub(crate) fn run(args: ScoreArgs, given: &[String]) -> anyhow::Result<Ending> {
    start_threads(args.scoring.threads)?;
    check_skip_bad(&args.scoring, args.archs_file.is_some())?;
    let scoring = args.scoring.of(args.space);
    // What cannot be computed need not be looked for.
    let columns = scoring.columns()?;
    if args.shard.is_some() {
        check_share(&columns)?;
    }
    let Asked { mut subjects, failed, refusals } = asked(&args, &scoring)?;
    let all = subjects.len();
    if let Some(shard) = args.shard {
        subjects = share(shard, subjects)?;
    }
    let tensors = args.tensors.as_deref().map(Tensors::read).transpose()?;
    let subjects = Subjects::new(subjects, &scoring, tensors, given)?;
    let columns = &subjects.columns;
    let bar = Bar::new(subjects.len())?;
    let found = subjects.score_each(refusals, &bar);
    bar.finish();
    let found = found?;
    let done = found.iter().flatten().count();
    let mut rows = rows(columns, &subjects, &found);
    let sampled = args.random.filter(|_| args.shard.is_none());
    let top = args.top.or(sampled.map(|_| BEST_OF_SAMPLE));
    let mut cut = Vec::new();
    if let Some(top) = top {
        best_first(columns, &mut rows);
        cut = rows.split_off(rows.len().min(top as usize));
    }
    bar.print(|out| {
        if args.json {
            let settings = subjects.settings_json();
            for row in &rows {
                let mut object = object(columns, row);
                object["space"] = subjects.origin().into();
                object["settings"] = settings.clone();
                if let Some(shard) = args.shard {
                    Shard::mark(&mut object, shard.place(row.index), all);
                }
                writeln!(out, "{object}")?;
            }
            // Lines of standard output are networks.
            skipped_lines(&failed).chain(subjects.settings().inputs.warning()).for_each(say);
            return Ok(());
        }
        let shown = rows.iter().filter(|row| row.found.is_ok()).count();
        let all = render::count(done, subjects.noun());
        let shown = match top {
            _ if shown == done => all,
            Some(_) if !cut.is_empty() => format!("the best {shown} of {all}"),
            _ => format!("{shown} of {all}"),
        };
        writeln!(out, "{}: {shown}", subjects.origin())?;
        writeln!(out, "{}", subjects.describe())?;
        writeln!(out, "{}", render::scores(subjects.noun(), columns, &rows))?;
        let saturation = saturation_warnings(subjects.settings().batch, subjects.remedy(), scored(&found));
        for warning in skipped_lines(&failed).chain(saturation).chain(subjects.warnings()) {
            writeln!(out, "{warning}")?;
        }
        Ok(())
    })?;
    say_refused(&cut);
    let refused = swapnas::refused(&found);
    if done < subjects.len() {
        refused.into_iter().for_each(say);
        let all = render::count(subjects.len(), subjects.noun());
        say(format_args!("stopped: {} of {all} are scored", scored(&found).count()));
        return Ok(bar.ending());
    }
    match refused {
        // A share of a list may well have nothing but such lines.
        Some(refused) if scored(&found).next().is_none() && args.shard.is_none() => bail!(refused),
        refused => refused.into_iter().for_each(say),
    }
    Ok(Ending::Complete)
}

/// Refuses what cannot be said of a share by itself.
fn check_share(columns: &Columns) -> anyhow::Result<()> {
    match columns.iter().find(|column| matches!(column, Column::Aggregate { .. })) {
        Some(column) => bail!(
            "{column} ranks all networks, of which a share has only some: leave it out, and rank what \
             `swapnas merge` prints"
        ),
        None => Ok(()),
    }
}

/// The networks of a share, all of which are architectures.
fn share(shard: Shard, subjects: Vec<Subject>) -> anyhow::Result<Vec<Subject>> {
    if subjects.iter().any(|subject| matches!(subject, Subject::Model(_))) {
        bail!("--shard is for architectures of a space; give each machine its own ONNX files");
    }
    let mut subjects: Vec<Option<Subject>> = subjects.into_iter().map(Some).collect();
    Ok(shard.places(subjects.len()).filter_map(|place| subjects[place].take()).collect())
}

/// What is said of lines that are left out.
fn skipped_lines(failed: &Problems) -> impl Iterator<Item = String> {
    failed.iter().map(|(place, reason)| format!("skipped {place}: {reason}"))
}

/// Says of networks that were refused, and are not among those that are printed, why they were.
fn say_refused(cut: &[Row<'_>]) {
    let refused: Vec<_> = cut.iter().filter_map(|row| Some((&row.name, row.found.err()?))).collect();
    for (name, reason) in refused.iter().take(REFUSED) {
        say(format_args!("{}: refused: {}", plain(name), plain_sentence(reason)));
    }
    if refused.len() > REFUSED {
        say(format_args!("and {} more", refused.len() - REFUSED));
    }
}

/// What is asked for.
struct Asked {
    subjects: Vec<Subject>,
    /// The lines that are left out.
    failed: Problems,
    refusals: Refusals,
}

/// Reads all that is asked for.
fn asked(args: &ScoreArgs, scoring: &Scoring) -> anyhow::Result<Asked> {
    let list = args.archs_file.as_deref().map(table::read_list).transpose()?;
    let lines = list.as_ref().map_or(0, |list| list.entries().len() + list.problems().iter().len());
    let random = args.random.unwrap_or(0) as usize;
    let refusals = Refusals::of(args.strict.then_some(true), args.archs.len() + lines + random);
    let mut failed = Problems::new("");
    let mut subjects = Vec::new();
    for text in &args.archs {
        subjects.push(match refusals {
            Refusals::Errors => Subject::typed(text, scoring)?,
            Refusals::Kept => {
                Subject::read(text, scoring).unwrap_or_else(|error| Subject::unread(text, reason(&error)))
            }
        });
    }
    if let Some(list) = &list {
        let keeps = refusals == Refusals::Kept && !args.scoring.skip_bad;
        let (read, problems) = listed(list, scoring, keeps);
        subjects.extend(read);
        if args.scoring.skip_bad {
            failed = problems;
        } else {
            problems.check()?;
        }
    }
    let archs = swapnas::sample(scoring.space, random, scoring.options.seed);
    subjects.extend(archs.into_iter().map(Subject::Arch));
    if subjects.is_empty() && !failed.is_empty() {
        return Err(failed).context("there is nothing to score but lines that cannot be used");
    }
    if subjects.is_empty() {
        bail!("there is nothing to score: give architectures, ONNX files, --archs FILE or --random N");
    }
    Ok(Asked { subjects, failed, refusals })
}

/// What a file lists, in its order. Lines that cannot be used are among it if it `keeps` them, else problems.
fn listed(list: &table::List, scoring: &Scoring, keeps: bool) -> (Vec<Subject>, Problems) {
    let unread =
        |place: Place, name: &str, reason| (place, Subject::unread(name, format!("{place}: {reason}")));
    let (mut subjects, mut problems) = (Vec::new(), Problems::new(""));
    if keeps {
        let lines = list.problems().iter();
        subjects.extend(lines.map(|(place, problem)| unread(place, list.file(), problem.to_string())));
    } else {
        problems = list.problems().clone();
    }
    let mut reader = Reader::new(scoring);
    for ListedArch { place, arch } in list.entries() {
        match reader.read(arch) {
            Ok(subject) => subjects.push((*place, subject)),
            Err(error) if keeps => subjects.push(unread(*place, arch, reason(&error))),
            Err(error) => problems.add(*place, error),
        }
    }
    subjects.sort_by_key(|(place, _)| *place);
    (subjects.into_iter().map(|(_, subject)| subject).collect(), problems)
}

/// Those that are done. Ranks are taken over all that are scored.
fn rows<'a>(columns: &Columns, subjects: &Subjects, found: &'a [Option<Finding>]) -> Vec<Row<'a>> {
    let row = |(index, (finding, values)): (usize, (&'a Option<Finding>, Option<_>))| {
        let found = finding.as_ref()?.as_ref().map_err(String::as_str);
        let (name, is_foreign) = (subjects.name(index), subjects.is_foreign(index));
        Some(Row { index, name, is_foreign, shapes: subjects.shapes(index), found, values: values? })
    };
    found.iter().zip(swapnas::values(columns, found)).enumerate().filter_map(row).collect()
}

/// Sorts by the first column; networks for which it is undefined come behind the others, and refused ones last.
fn best_first(columns: &Columns, rows: &mut [Row<'_>]) {
    let Some(column) = columns.iter().next() else { return };
    let better = column.direction();
    rows.sort_by(|a, b| match (&a.values[0], &b.values[0]) {
        (Ok(a), Ok(b)) => better.best_first(a.mean, b.mean),
        (of_a, of_b) => (a.found.is_err(), of_a.is_err()).cmp(&(b.found.is_err(), of_b.is_err())),
    });
}

fn object(columns: &Columns, row: &Row<'_>) -> Value {
    let scores: Map<String, Value> = columns
        .iter()
        .zip(&row.values)
        .map(|(column, score)| (column.to_string(), results::score_json(Origin::of(column), score)))
        .collect();
    let Row { name, shapes, found, .. } = row;
    let scored = found.ok();
    let mut object = json!({
        "arch": name,
        "params": scored.map(|scored| scored.params),
        "macs": scored.map(|scored| scored.macs),
        "units": scored.map(|scored| scored.units),
        "scores": scores,
    });
    if let Err(reason) = found {
        object["refused"] = (*reason).into();
    }
    if let Some((Shape { channels, height, width }, classes)) = shapes {
        object["input"] = json!([channels, height, width]);
        object["classes"] = json!(classes);
    }
    if scored.and_then(|scored| scored.saturation).is_some_and(|s| s.is_saturated()) {
        object["saturated"] = true.into();
    }
    object
}
