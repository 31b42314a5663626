//! `swapnas spaces`.

use std::io::Write;

use serde_json::{Value, json};
use swapnas::Space;

use crate::Ending;
use crate::args::SpacesArgs;
use crate::render;

pub(crate) fn run(args: SpacesArgs) -> anyhow::Result<Ending> {
    let mut out = std::io::stdout().lock();
    match (args.space, args.json) {
        (Some(space), true) => writeln!(out, "{:#}", object(space))?,
        (Some(space), false) => explain(&mut out, space)?,
        (None, true) => {
            let all: Vec<Value> = swapnas::spaces().iter().map(|space| object(*space)).collect();
            writeln!(out, "{:#}", Value::from(all))?;
        }
        (None, false) => {
            let width = swapnas::spaces().iter().map(|space| space.name().len()).max().unwrap_or_default();
            for space in swapnas::spaces() {
                writeln!(out, "{:width$}  {}", space.name(), space.description())?;
            }
        }
    }
    Ok(Ending::Complete)
}

fn explain(out: &mut impl Write, space: &dyn Space) -> std::io::Result<()> {
    writeln!(out, "{}: {}", space.name(), space.description())?;
    writeln!(out, "size: {} architectures", space.size())?;
    writeln!(out, "scored network: {}", space.describe(&space.scored_network()))?;
    let presets: Vec<_> = space.presets().iter().map(|preset| preset.name()).collect();
    writeln!(out, "networks: {}", presets.join(", "))?;
    writeln!(out, "encodings:")?;
    for encoding in space.encodings() {
        writeln!(out, "\n  {}", encoding.name)?;
        writeln!(out, "{}", render::paragraph(encoding.description, "    "))?;
        writeln!(out, "    {}", encoding.example)?;
    }
    Ok(())
}

fn object(space: &dyn Space) -> Value {
    let encodings = space
        .encodings()
        .into_iter()
        .map(|e| json!({ "name": e.name, "example": e.example, "description": e.description }));
    json!({
        "name": space.name(),
        "description": space.description(),
        "size": space.size().to_string(),
        "network": space.describe(&space.scored_network()),
        "networks": space.presets().iter().map(|preset| preset.name()).collect::<Vec<_>>(),
        "encodings": encodings.collect::<Vec<_>>(),
    })
}
