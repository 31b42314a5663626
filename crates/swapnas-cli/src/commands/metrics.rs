//! `swapnas metrics`.

use std::io::Write;

use serde_json::{Value, json};
use swapnas::Definition;

use crate::Ending;
use crate::args::MetricsArgs;
use crate::render;

pub(crate) fn run(args: MetricsArgs) -> anyhow::Result<Ending> {
    let mut out = std::io::stdout().lock();
    let metric = args.metric.as_ref().map(|metric| metric.definition());
    match (metric, args.json) {
        (Some(definition), true) => writeln!(out, "{:#}", object(definition))?,
        (Some(definition), false) => explain(&mut out, definition)?,
        (None, true) => {
            let all: Vec<Value> = swapnas::metrics().iter().map(|definition| object(definition)).collect();
            writeln!(out, "{:#}", Value::from(all))?;
        }
        (None, false) => {
            let width = swapnas::metrics().iter().map(|d| d.name.len()).max().unwrap_or_default();
            for definition in swapnas::metrics() {
                writeln!(out, "{:width$}  {}", definition.name, definition.summary)?;
            }
        }
    }
    Ok(Ending::Complete)
}

fn explain(out: &mut impl Write, definition: &Definition) -> std::io::Result<()> {
    let Definition { name, summary, formula, source, direction, needs, differences, arguments, .. } =
        definition;
    writeln!(out, "{name}: {summary}\n")?;
    for (title, text) in [("definition", *formula), ("source", source), ("differences", differences)] {
        writeln!(out, "{title}\n{}\n", render::paragraph(text, "  "))?;
    }
    if !arguments.is_empty() {
        writeln!(out, "arguments")?;
        for argument in *arguments {
            let text = format!(
                "{}: {}; {} (default {})",
                argument.name, argument.meaning, argument.allowed, argument.default
            );
            writeln!(out, "{}", render::paragraph(&text, "  "))?;
        }
        writeln!(out)?;
    }
    writeln!(out, "direction\n  {direction}\n\nneeds\n  {needs}")
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
        "needs": definition.needs.to_string(),
        "arguments": arguments.collect::<Vec<_>>(),
    })
}
