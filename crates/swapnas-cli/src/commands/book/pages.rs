//! Pages of what the program knows.

use clap::Command;
use swapnas::{Argument, Definition, Named, Space};

use super::Page;
use super::text::{block, escape, table};

/// A page for every command that does something, with its help.
pub(super) fn commands(command: &Command) -> Vec<Page> {
    command.get_subcommands().flat_map(|command| page_of_command(command, "swapnas")).collect()
}

fn page_of_command(command: &Command, above: &str) -> Vec<Page> {
    let title = format!("{above} {}", command.get_name());
    if command.has_subcommands() {
        return command.get_subcommands().flat_map(|below| page_of_command(below, &title)).collect();
    }
    let help = command.clone().bin_name(&title).render_long_help().to_string();
    let text = format!("# {title}\n\n{}", block(&help));
    vec![Page::new(title.replace(' ', "-"), title, text)]
}

/// A page for every search space, with what one of its architectures looks like.
pub(super) fn spaces() -> Vec<Page> {
    swapnas::spaces().iter().map(|space| page_of_space(*space)).collect()
}

fn page_of_space(space: &dyn Space) -> Page {
    let name = space.name();
    let networks: Vec<String> = space.presets().iter().map(|preset| format!("`{preset}`")).collect();
    let mut text = format!(
        "# {name}\n\n{}\n\n- architectures: {}\n- scored network: {}\n- networks: {}\n\n## Encodings\n\n",
        escape(space.description()),
        space.size(),
        escape(&space.describe(&space.scored_network())),
        networks.join(", ")
    );
    for encoding in space.encodings() {
        let (name, what) = (escape(encoding.name), escape(encoding.description));
        text.push_str(&format!("**{name}**: {what}\n\n{}\n", block(encoding.example)));
    }
    let sample = swapnas::sample(space, 1, 0);
    let figure = sample.first().map(|arch| {
        text.push_str(&format!(
            "## A sample\n\n{}\n![The architecture]({name}.svg)\n",
            block(&space.print(arch))
        ));
        swapnas::drawing::svg(&space.diagrams(arch))
    });
    Page { figure, ..Page::new(name, name, text) }
}

/// A page for every metric, and one for the names of several put together.
pub(super) fn metrics() -> Vec<Page> {
    let mut pages: Vec<Page> =
        swapnas::metrics().iter().map(|definition| page_of_metric(definition)).collect();
    let rows: Vec<[String; 3]> = Named::ALL
        .iter()
        .map(|Named { name, summary, stands_for }| {
            [format!("`{name}`"), escape(summary), format!("`{stands_for}`")]
        })
        .collect();
    let text = format!(
        "# Several metrics put together\n\n`rank(a,b,...)` is the mean of the ranks by several metrics over the scored \
         networks, `logrank(a,b,...)` the sum of the logarithms of the ranks. Some have names:\n\n{}",
        table(["name", "what it is", "stands for"], &rows)
    );
    pages.push(Page::new("together", "Several put together", text));
    pages
}

fn page_of_metric(definition: &Definition) -> Page {
    let Definition { name, summary, formula, source, direction, cost, differences, arguments, .. } =
        definition;
    let mut text = format!("# {name}\n\n{}\n", escape(summary));
    let sections = [
        ("Definition", *formula),
        ("Source", source),
        ("Where implementations differ", differences),
        ("Cost", cost),
    ];
    for (title, section) in sections {
        text.push_str(&format!("\n## {title}\n\n{}\n", escape(section)));
    }
    if !arguments.is_empty() {
        let rows: Vec<[String; 4]> = arguments.iter().map(row_of_argument).collect();
        text.push_str("\n## Arguments\n\n");
        text.push_str(&table(["name", "what it means", "allowed", "by default"], &rows));
    }
    text.push_str(&format!(
        "\n## Weights\n\n{} x {} unless asked otherwise; {direction}.\n",
        definition.repeats, definition.init
    ));
    Page::new(*name, *name, text)
}

fn row_of_argument(argument: &Argument) -> [String; 4] {
    let default = argument.default.map_or("as the sizes of the space have it".to_owned(), |x| x.to_string());
    [format!("`{}`", argument.name), escape(argument.meaning), escape(argument.allowed), default]
}
