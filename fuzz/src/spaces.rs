//! Architectures as text.

use swapnas_graph::Key;
use swapnas_spaces::darts::Genotype;
use swapnas_spaces::{Arch, Architecture, ParseError, Position, PrintError, Space, by_name, spaces};

use crate::{choice, networks, text, told};

/// The longest that an architecture is when it is written, in characters.
const LONGEST: usize = 8192;

/// A genotype of DARTS.
pub(crate) fn genotype(input: &[u8]) {
    let text = text(input);
    let read: Result<Genotype, ParseError> = text.parse();
    match &read {
        Ok(genotype) => {
            let printed = genotype.to_string();
            assert_eq!(printed.parse().as_ref(), Ok(genotype), "{printed}");
            let arch = genotype.arch();
            assert_eq!(&Genotype::from(&arch), genotype);
            let darts = by_name("darts").expect("a space");
            assert_eq!(darts.print(&arch), printed);
            written(darts, &arch);
        }
        Err(error) => placed(error, text),
    }
    // Both spaces of genotypes read the same ones.
    let arch = read.map(|genotype| genotype.arch());
    for space in ["darts", "nb301"] {
        assert_eq!(by_name(space).expect("a space").parse(text), arch);
    }
}

/// An architecture of the space that the first byte chooses.
pub(crate) fn any(input: &[u8]) {
    let (first, rest) = choice(input);
    let all: Vec<&dyn Space> =
        spaces().iter().copied().chain(spaces().iter().filter_map(|space| space.one_cell())).collect();
    let space = all[first % all.len()];
    let text = text(rest);
    match space.parse(text) {
        Ok(arch) => {
            written(space, &arch);
            // A network takes much longer than all else. What the hash chooses, no search can hold on to.
            if Key::of(text).0.is_multiple_of(32) {
                let config = space.default_network();
                match space.network(&arch, &config) {
                    Ok(graph) => networks::sound(&graph),
                    Err(error) if joins_sizes(space, &arch) => {
                        told(&error);
                    }
                    Err(error) => panic!("{}: {}: {}", space.name(), space.print(&arch), told(&error)),
                }
            }
        }
        Err(error) => placed(&error, text),
    }
    if let Ok(value) = serde_json::from_str(text) {
        match space.parse_json(&value) {
            // Text that is JSON but no object may be another encoding.
            // An object of a text may have a key twice, which is an error, but that of a value has each once.
            Ok(arch) => match space.parse(text) {
                Ok(same) => assert_eq!(same, arch),
                Err(error) => assert!(error.found.ends_with(" twice"), "{error:?}"),
            },
            Err(error) => {
                let Position::Field(_) = error.position else { panic!("{error:?}") };
                told(&error);
            }
        }
    }
}

/// Whether the reduction cell of a genotype joins inputs with nodes, which have half their rows and columns, so that
/// there is no such network.
fn joins_sizes(space: &dyn Space, arch: &Arch) -> bool {
    let is_input = |state: &usize| *state < 2;
    matches!(space.name(), "darts" | "nb301") && {
        let genotype = Genotype::from(arch);
        let joined = genotype.reduce.concat();
        joined.iter().any(is_input) && !joined.iter().all(is_input)
    }
}

/// All encodings say the same, and the canonical form is its own.
fn written(space: &dyn Space, arch: &Arch) {
    for (place, encoding) in space.encodings().iter().enumerate() {
        match space.print_as(arch, encoding.name) {
            Ok(text) => {
                assert!(text.len() < LONGEST, "{}: {} bytes", space.name(), text.len());
                assert_eq!(space.parse(&text).as_ref(), Ok(arch), "{}: {text}", space.name());
                if place == 0 {
                    assert_eq!(text, space.print(arch));
                }
            }
            Err(error @ PrintError::Inexpressible { .. }) if place > 0 => {
                told(&error);
            }
            Err(error) => panic!("{}: {}", space.name(), told(&error)),
        }
    }
    assert_eq!(space.parse_json(&space.to_json(arch)).as_ref(), Ok(arch));
    let canonical = space.canonical(arch);
    assert_eq!(space.canonical(&canonical), canonical, "{}: {}", space.name(), space.print(arch));
    assert_eq!(space.parse(&space.print(&canonical)), Ok(canonical));
    for diagram in space.diagrams(arch) {
        assert!(diagram.edges.iter().all(|edge| edge.from < edge.to && edge.to < diagram.nodes.len()));
    }
}

/// The place of a mistake is one in the text.
fn placed(error: &ParseError, text: &str) {
    told(error);
    assert!(!error.expected.is_empty() && !error.found.is_empty(), "{error:?}");
    if let Position::Text { line, column } = error.position {
        let length = text.split('\n').nth(line.wrapping_sub(1)).map(|line| line.chars().count());
        // Behind the last character when something is missing; serde_json counts bytes, and 0 before the first.
        let longest = text.split('\n').nth(line.wrapping_sub(1)).map_or(0, str::len).max(length.unwrap_or(0));
        assert!(length.is_some() && column <= longest + 1, "{error:?} in {text:?}");
    }
}
