//! `swapnas convert`.

use std::io::{BufWriter, Write};

use anyhow::Context;
use swapnas::table::{self, Archs, Conversion, Options, Row, Table};
use swapnas::{Space, check_output};

use super::correlate::tables;
use crate::args::ConvertArgs;
use crate::{Ending, render, say};

pub(crate) fn run(args: ConvertArgs) -> anyhow::Result<Ending> {
    args.out.as_deref().map_or(Ok(()), check_output)?;
    let options = Options {
        arch_column: args.arch_column.clone(),
        accuracy_column: args.accuracy_column.clone(),
        limit: args.limit.map(|limit| limit as usize),
        columns: tables::columns(args.columns.as_deref())?,
        archs: Archs::Needed,
    };
    let table = table::read(&args.table, &options)?;
    let mut problems = table.problems().clone();
    let mut rows: Vec<usize> = Vec::new();
    let mut archs: Vec<String> = Vec::new();
    for (row, Row { place, arch, .. }) in table.rows().iter().enumerate() {
        match args.space.map(|space| spelled(space, arch, args.encoding.as_deref())).transpose() {
            Ok(arch) => {
                archs.extend(arch);
                rows.push(row);
            }
            Err(error) => problems.add(*place, error),
        }
    }
    let conversion = Conversion {
        table: &table,
        rows: &rows,
        archs: args.space.map(|_| &archs[..]),
        chosen_only: args.columns.is_some(),
    };
    if args.skip_bad {
        problems.iter().for_each(|(place, reason)| say(format_args!("skipped {place}: {reason}")));
    } else {
        problems.check().context("nothing is written; mend these, or leave them out with --skip-bad")?;
    }
    write(&args, &conversion)?;
    say(summary(&args, &table, rows.len()));
    Ok(Ending::Complete)
}

/// An architecture in the space's canonical encoding, or in another.
fn spelled(space: &dyn Space, arch: &str, encoding: Option<&str>) -> anyhow::Result<String> {
    let arch = space.parse(arch)?;
    Ok(match encoding {
        Some(encoding) => space.print_as(&arch, encoding)?,
        None => space.print(&arch),
    })
}

fn write(args: &ConvertArgs, conversion: &Conversion<'_>) -> anyhow::Result<()> {
    let contents = |out: &mut dyn Write| match args.json {
        true => conversion.write_json(out),
        false => conversion.write_csv(out),
    };
    match &args.out {
        Some(path) => Ok(swapnas::write_by(path, contents)?),
        None => Ok(contents(&mut BufWriter::new(std::io::stdout().lock()))?),
    }
}

/// What was written, and what was taken though nobody chose it: not among the rows, but beside them.
fn summary(args: &ConvertArgs, table: &Table, rows: usize) -> String {
    let choices = render::choices(table, args.arch_column.is_none(), args.accuracy_column.is_none());
    let choices = choices.map(|choices| format!("; {choices}")).unwrap_or_default();
    format!("{} of {}{choices}", render::count(rows, "row"), swapnas::plain(table.file()))
}
