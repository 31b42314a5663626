//! The manual as a book, and the commands of its tutorials.

mod support;

use std::fs::{read_dir, read_to_string};
use std::path::Path;

use support::stdout;

fn written(folder: &Path) -> std::path::PathBuf {
    stdout(folder, &["man", "--book", "book"]);
    folder.join("book/src")
}

/// The files that a page links to or shows.
fn links(page: &str) -> impl Iterator<Item = &str> {
    page.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

#[test]
fn every_page_is_in_the_summary_and_every_link_leads_somewhere() {
    let folder = tempfile::tempdir().unwrap();
    let source = written(folder.path());
    let summary = read_to_string(source.join("SUMMARY.md")).unwrap();
    let mut pages = 0;
    for chapter in ["tutorials", "commands", "spaces", "metrics"] {
        for entry in read_dir(source.join(chapter)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if let Some(page) = name.strip_suffix(".md") {
                assert!(summary.contains(&format!("({chapter}/{page}.md)")), "{chapter}/{page}");
                pages += 1;
                let text = read_to_string(&path).unwrap();
                assert!(text.starts_with("# "), "{chapter}/{page}");
                for figure in links(&text).filter(|link| link.ends_with(".svg")) {
                    assert!(
                        read_to_string(path.with_file_name(figure)).unwrap().starts_with("<svg"),
                        "{figure}"
                    );
                }
            }
        }
    }
    let linked: Vec<&str> = links(&summary).collect();
    assert_eq!(linked.len(), pages + 1);
    for link in linked {
        assert!(source.join(link).is_file(), "{link}");
    }
}

#[test]
fn commands_spaces_and_metrics_have_pages() {
    let folder = tempfile::tempdir().unwrap();
    let source = written(folder.path());
    let page = |name: &str| read_to_string(source.join(name)).unwrap();
    assert!(page("commands/swapnas-bench-create.md").contains("--networks"));
    for chapter in ["spaces", "metrics"] {
        let list: serde_json::Value =
            serde_json::from_str(&stdout(folder.path(), &[chapter, "--json"])).unwrap();
        for name in list.as_array().unwrap().iter().map(|object| object["name"].as_str().unwrap()) {
            let own = source.join(chapter).join(format!("{name}.md"));
            assert!(own.is_file() || page("metrics/together.md").contains(&format!("`{name}`")), "{name}");
        }
    }
    insta::assert_snapshot!(page("metrics/swap.md"), @r"
    # swap

    SWAP-Score: number of distinct sample-wise activation patterns of all ReLU units

    ## Definition

    \|{ (1\[p\_1(u) &gt; 0\], ..., 1\[p\_S(u) &gt; 0\]) : u a ReLU unit }\|, where p\_s(u) is what unit u computes of sample s. Every unit gives one pattern of S bits, S the batch size; the score is the number of different patterns among all units of all ReLUs. It cannot exceed 2^S, nor the number of units: near that ceiling it is saturated and says little.

    ## Source

    Peng, Song, Fayek, Ciesielski, Chang: SWAP-NAS: Sample-Wise Activation Patterns for Ultra-fast NAS, ICLR 2024, section 3

    ## Where implementations differ

    The released code draws weights from N(0, 1) and averages 32 draws over the same images; so does this implementation by default. Batch normalisation uses the statistics of the batch. All-zero and all-one patterns count.

    ## Cost

    one forward pass; what networks of equal weights have in common is computed once

    ## Weights

    32 x gaussian unless asked otherwise; higher is better.
    ");
    insta::assert_snapshot!(page("spaces/nbmacro.md"), @r#"
    # nbmacro

    NAS-Bench-Macro (Su et al., 2021): eight MobileNetV2-like blocks of three kinds

    - architectures: 6561
    - scored network: benchmark: stem 8, 8 blocks of 16 to 64 channels, 3x32x32, 10 classes
    - networks: `benchmark`

    ## Encodings

    **digits**: the benchmark's own: a digit for each of the eight blocks; 0 identity, 1 inverted residual with 3x3 kernel and expansion 3, 2 with 5x5 kernel and expansion 6

    ```text
    21221002
    ```

    **json**: the blocks under the names of the benchmark's code

    ```text
    {"blocks": ["ir_5x5_t6", "ir_3x3_t3", "ir_5x5_t6", "ir_5x5_t6", "ir_3x3_t3", "id", "id", "ir_5x5_t6"]}
    ```

    ## A sample

    ```text
    12210100
    ```

    ![The architecture](nbmacro.svg)
    "#);
}

/// The commands of a tutorial, as a shell runs them.
#[cfg(unix)]
fn follow(tutorial: &str) {
    let folder = tempfile::tempdir().unwrap();
    let text = read_to_string(written(folder.path()).join(format!("tutorials/{tutorial}.md"))).unwrap();
    let commands: Vec<&str> =
        text.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
    assert!(!commands.is_empty());
    let program = Path::new(env!("CARGO_BIN_EXE_swapnas")).parent().unwrap();
    let path = std::env::join_paths(
        std::iter::once(program.to_owned()).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    )
    .unwrap();
    let mut shell = std::process::Command::new("sh");
    let shell =
        shell.args(["-e", "-u", "-c", &commands.concat()]).env("PATH", path).current_dir(folder.path());
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{tutorial}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[cfg(unix)]
fn the_tutorial_on_ranking_runs() {
    follow("ranking");
}

#[test]
#[cfg(unix)]
fn the_tutorial_on_search_runs() {
    follow("search");
}

#[test]
#[cfg(unix)]
fn the_tutorial_on_benchmarks_runs() {
    follow("benchmark");
}

#[test]
#[cfg(unix)]
fn the_tutorial_on_machines_runs() {
    follow("machines");
}
