//! `swapnas man --book`: the manual as a book for mdBook, with a page for each command, space and metric, made of what the
//! program itself says of them, and tutorials, whose commands the tests run.

mod pages;
mod text;

use std::fmt::Write;
use std::path::Path;

use anyhow::Context;
use swapnas::{plain, write_file};

/// What mdBook has to know.
const SETTINGS: &str = "\
[book]
title = \"swapnas\"
description = \"Rank neural architectures without training them\"
language = \"en\"

[output.html]
default-theme = \"light\"
preferred-dark-theme = \"navy\"
";

/// Tutorials in the order in which they are read, each with its title.
const TUTORIALS: [(&str, &str, &str); 4] = [
    ("ranking", "Rank networks, and see whether to believe it", include_str!("tutorials/ranking.md")),
    ("search", "From a search to a network", include_str!("tutorials/search.md")),
    ("benchmark", "Which metric suits your pictures", include_str!("tutorials/benchmark.md")),
    ("machines", "Long lists on several machines", include_str!("tutorials/machines.md")),
];

/// Part of the book: pages in a folder of their own.
struct Chapter {
    title: &'static str,
    folder: &'static str,
    pages: Vec<Page>,
}

/// A page, with files that it shows.
struct Page {
    /// The file's name, without `.md`.
    name: String,
    title: String,
    text: String,
    figure: Option<String>,
}

impl Page {
    fn new(name: impl Into<String>, title: impl Into<String>, text: String) -> Page {
        Page { name: name.into(), title: title.into(), text, figure: None }
    }
}

/// Writes the book into a folder: `book.toml`, and the pages under `src`.
pub(super) fn write(folder: &Path, command: &clap::Command) -> anyhow::Result<()> {
    let tutorials = TUTORIALS.map(|(name, title, text)| Page::new(name, title, text.to_owned()));
    let chapters = [
        Chapter { title: "Tutorials", folder: "tutorials", pages: tutorials.into() },
        Chapter { title: "Commands", folder: "commands", pages: pages::commands(command) },
        Chapter { title: "Search spaces", folder: "spaces", pages: pages::spaces() },
        Chapter { title: "Metrics", folder: "metrics", pages: pages::metrics() },
    ];
    let source = folder.join("src");
    for chapter in &chapters {
        let folder = source.join(chapter.folder);
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", plain(&folder)))?;
        for Page { name, text, figure, .. } in &chapter.pages {
            write_file(&folder.join(format!("{name}.md")), text.as_bytes())?;
            if let Some(figure) = figure {
                write_file(&folder.join(format!("{name}.svg")), figure.as_bytes())?;
            }
        }
    }
    write_file(&folder.join("book.toml"), SETTINGS.as_bytes())?;
    write_file(&source.join("introduction.md"), introduction(&chapters).as_bytes())?;
    Ok(write_file(&source.join("SUMMARY.md"), summary(&chapters).as_bytes())?)
}

/// The list of all pages, by which mdBook finds them.
fn summary(chapters: &[Chapter]) -> String {
    let mut summary = "# Summary\n\n[Introduction](introduction.md)\n".to_owned();
    for chapter in chapters {
        let _ = write!(summary, "\n# {}\n\n", chapter.title);
        for page in &chapter.pages {
            let _ = writeln!(summary, "- [{}]({}/{}.md)", page.title, chapter.folder, page.name);
        }
    }
    summary
}

fn introduction(chapters: &[Chapter]) -> String {
    let mut text = format!(
        "# swapnas {}\n\nswapnas ranks neural architectures without training them: in seconds, on an ordinary CPU, \
         with no GPU, no PyTorch and no dataset. Its heart is the SWAP-Score (Peng et al., ICLR 2024), the number of \
         different patterns in which the units of an untrained network answer to a batch of images.\n\n",
        env!("CARGO_PKG_VERSION")
    );
    for Chapter { title, folder, pages } in chapters {
        if let Some(first) = pages.first() {
            let _ = writeln!(text, "- [{title}]({folder}/{}.md): {} pages", first.name, pages.len());
        }
    }
    text
}
