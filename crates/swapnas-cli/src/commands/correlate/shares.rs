//! Networks of tables that several machines score, a share each.

use std::io::Write;

use anyhow::bail;
use swapnas::Scored;
use swapnas::shard::{Shard, row};

use super::findings::Group;
use super::tables::Job;
use crate::args::CorrelateArgs;
use crate::progress::Bar;
use crate::render;
use crate::subjects::Subject;
use crate::{Ending, say};

/// Leaves each table the networks of a share.
pub(super) fn share(shard: Shard, jobs: &mut [Job]) -> anyhow::Result<()> {
    for job in jobs {
        let Some(subjects) = job.subjects.take() else {
            bail!("there is nothing to score, and so nothing to share; leave out --shard");
        };
        if subjects.iter().any(|subject| matches!(subject, Subject::Model(_))) {
            bail!("--shard is for architectures of a space; give each machine its own ONNX files");
        }
        let mut subjects: Vec<Option<Subject>> = subjects.into_iter().map(Some).collect();
        let places = shard.places(subjects.len());
        job.subjects = Some(places.filter_map(|place| subjects[place].take()).collect());
    }
    Ok(())
}

/// Scores the networks of a share with each seed, and prints what is found of each, a line for each.
pub(super) fn print(args: &CorrelateArgs, groups: Vec<Group>) -> anyhow::Result<Ending> {
    let all: usize = groups.iter().map(|group| group.len() * args.seeds).sum();
    let bar = Bar::new(all)?;
    let mut lines = Vec::new();
    for group in groups {
        let Some((scoring, mut subjects)) = group.into_subjects() else { continue };
        for seed in 0..args.seeds as u64 {
            if seed > 0 {
                subjects.reseed(&scoring, args.scoring.options.seed + seed)?;
            }
            let settings = subjects.settings_json();
            let metrics = &subjects.settings().metrics;
            let line = |(index, scored): (usize, &Scored)| {
                row(&subjects.name(index), subjects.origin(), &settings, metrics, scored)
            };
            let scored = subjects.score(&bar)?;
            let done =
                scored.iter().enumerate().filter_map(|(index, scored)| Some((index, scored.as_ref()?)));
            lines.extend(done.map(line));
        }
    }
    bar.finish();
    bar.print(|out| {
        for line in &lines {
            writeln!(out, "{line}")?;
        }
        Ok(())
    })?;
    if lines.len() < all {
        let all = render::count(all, "score");
        say(format_args!("stopped: {} of {all} are there", lines.len()));
        return Ok(bar.ending());
    }
    Ok(Ending::Complete)
}
