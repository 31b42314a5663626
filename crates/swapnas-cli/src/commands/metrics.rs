//! `swapnas metrics`.

use std::io::Write;

use serde_json::{Value, json};
use swapnas::{Definition, Metric, Named};

use crate::Ending;
use crate::args::MetricsArgs;
use crate::render;

pub(crate) fn run(args: MetricsArgs) -> anyhow::Result<Ending> {
    let mut out = std::io::stdout().lock();
    let Some(name) = &args.metric else {
        list(&mut out, args.json)?;
        return Ok(Ending::Complete);
    };
    let named = Named::ALL.iter().find(|named| named.name == name);
    let metric = if named.is_none() { Some(name.parse::<Metric>()?) } else { None };
    match (named, metric.as_ref().and_then(Metric::definition)) {
        (Some(named), _) if args.json => writeln!(out, "{:#}", aggregate(named))?,
        (Some(Named { name, summary, stands_for }), _) => {
            writeln!(out, "{name}: {summary}\n\nstands for\n  {stands_for}")?;
        }
        (None, Some(definition)) if args.json => writeln!(out, "{:#}", object(definition))?,
        (None, Some(definition)) => explain(&mut out, definition)?,
        (None, None) => {}
    }
    Ok(Ending::Complete)
}

fn list(out: &mut impl Write, json: bool) -> std::io::Result<()> {
    if json {
        let metrics = swapnas::metrics().iter().map(|definition| object(definition));
        let all: Vec<Value> = metrics.chain(Named::ALL.iter().map(aggregate)).collect();
        return writeln!(out, "{:#}", Value::from(all));
    }
    let metrics = swapnas::metrics().iter().map(|definition| (definition.name, definition.summary));
    let all: Vec<_> = metrics.chain(Named::ALL.iter().map(|named| (named.name, named.summary))).collect();
    let width = all.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, summary) in all {
        writeln!(out, "{name:width$}  {summary}")?;
    }
    writeln!(out, "\nrank(a,b,...) is the mean of the ranks by several metrics over the scored networks,")?;
    writeln!(out, "logrank(a,b,...) the sum of the logarithms of the ranks")
}

fn explain(out: &mut impl Write, definition: &Definition) -> std::io::Result<()> {
    let Definition { name, summary, formula, source, direction, cost, differences, arguments, .. } =
        definition;
    writeln!(out, "{name}: {summary}\n")?;
    for (title, text) in [("definition", *formula), ("source", source), ("differences", differences)] {
        writeln!(out, "{title}\n{}\n", render::paragraph(text, "  "))?;
    }
    if !arguments.is_empty() {
        writeln!(out, "arguments")?;
        for argument in *arguments {
            let default = argument
                .default
                .map_or("by default as the sizes of the space have it".to_owned(), |default| {
                    format!("default {default}")
                });
            let text = format!("{}: {}; {} ({default})", argument.name, argument.meaning, argument.allowed);
            writeln!(out, "{}", render::paragraph(&text, "  "))?;
        }
        writeln!(out)?;
    }
    writeln!(out, "direction\n  {direction}\n\ncost\n{}\n", render::paragraph(cost, "  "))?;
    writeln!(out, "weights\n  {} x {} unless asked otherwise", definition.repeats, definition.init)
}

fn object(definition: &Definition) -> Value {
    let arguments = definition
        .arguments
        .iter()
        .map(|a| json!({ "name": a.name, "default": a.default, "meaning": a.meaning, "allowed": a.allowed }));
    json!({
        "name": definition.name,
        "summary": definition.summary,
        "definition": definition.formula,
        "source": definition.source,
        "differences": definition.differences,
        "direction": definition.direction.to_string(),
        "cost": definition.cost,
        "init": definition.init.name(),
        "repeats": definition.repeats,
        "arguments": arguments.collect::<Vec<_>>(),
    })
}

fn aggregate(named: &Named) -> Value {
    json!({ "name": named.name, "summary": named.summary, "stands_for": named.stands_for })
}
