use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use serde_json::Value;
use swapnas_graph::{Graph, Shape};

use super::{Module, Skeleton, network};
use crate::{
    About, Arch, Architecture, Moves, NetworkConfig, NetworkError, ParseError, Preset, TypedEncoding,
    TypedSpace,
};

/// The space `transnas-macro`.
pub(crate) struct Macro;

static ABOUT: About<Skeleton> = About {
    name: "transnas-macro",
    description: "TransNAS-Bench-101 (Duan et al., 2021), macro: where channels double and images shrink",
    encodings: &ENCODINGS,
    presets: &[Preset::Benchmark],
    // Of the benchmark's task `class_object`.
    input: Shape::new(3, 256, 256),
    classes: 75,
    fixed_cells: None,
};

static ENCODINGS: [TypedEncoding<Skeleton>; 3] = [
    TypedEncoding {
        name: "string",
        example: "64-1234-basic",
        description: "the benchmark's own: base channels, which are always 64, and four to six modules; 1 plain, \
                      2 twice the channels, 3 half the image size, 4 both",
        print: |skeleton| Ok(skeleton.to_string()),
    },
    TypedEncoding {
        name: "naslib",
        example: "(1, 2, 3, 4, 0, 0)",
        description: "NASLib's tuple: the digits, followed by zeros if there are fewer than six",
        print: |skeleton| Ok(skeleton.print_naslib()),
    },
    TypedEncoding {
        name: "json",
        example: r#"{"modules": [1, 2, 3, 4]}"#,
        description: "the digits as an object",
        print: |skeleton| Ok(skeleton.to_json().to_string()),
    },
];

impl TypedSpace for Macro {
    type Architecture = Skeleton;

    fn about(&self) -> &About<Skeleton> {
        &ABOUT
    }

    fn moves(&self) -> &dyn Moves {
        self
    }

    fn decode(&self, arch: &Arch) -> Skeleton {
        arch.into()
    }

    fn parse(&self, text: &str) -> Result<Skeleton, ParseError> {
        text.parse()
    }

    fn parse_json(&self, value: &Value) -> Result<Skeleton, ParseError> {
        Skeleton::from_json(value)
    }

    fn describe(&self, config: &NetworkConfig) -> String {
        network::describe(config)
    }

    fn network(&self, skeleton: &Skeleton, config: &NetworkConfig) -> Result<Graph, NetworkError> {
        Ok(network::build(skeleton.modules(), config, network::basic_block)?)
    }
}

impl Moves for Macro {
    fn size(&self) -> u128 {
        Skeleton::all().len() as u128
    }

    fn sample(&self, rng: &mut dyn Rng) -> Arch {
        Skeleton::all().choose(rng).expect("there are skeletons").arch()
    }

    /// One module replaced, left out or put in, as far as that gives a skeleton.
    fn neighbours(&self, arch: &Arch) -> Vec<Arch> {
        let own = Skeleton::from(arch);
        let modules = own.modules();
        let with =
            |start, end, put: &[Module]| Skeleton::new(&[&modules[..start], put, &modules[end..]].concat());
        let mut neighbours: Vec<Skeleton> = Vec::new();
        for place in 0..=modules.len() {
            neighbours.extend(Module::ALL.iter().filter_map(|&module| with(place, place, &[module])));
            if place < modules.len() {
                neighbours.extend(with(place, place + 1, &[]));
                neighbours.extend(Module::ALL.iter().filter_map(|&module| with(place, place + 1, &[module])));
            }
        }
        // Equal neighbouring modules can be left out or doubled in several ways.
        neighbours.sort_unstable();
        neighbours.dedup();
        neighbours.iter().filter(|&skeleton| *skeleton != own).map(Architecture::arch).collect()
    }

    /// Every module comes from either parent, or from the longer one where the other has none; as
    /// many modules as one of the parents has, and only if they make a skeleton.
    fn crossover(&self, a: &Arch, b: &Arch, rng: &mut dyn Rng) -> Arch {
        let (a, b) = (Skeleton::from(a), Skeleton::from(b));
        let (long, short) = if a.modules().len() >= b.modules().len() { (a, b) } else { (b, a) };
        loop {
            let mut child = long.modules().to_vec();
            for (module, &other) in child.iter_mut().zip(short.modules()) {
                if rng.random() {
                    *module = other;
                }
            }
            if rng.random() {
                child.truncate(short.modules().len());
            }
            if let Some(child) = Skeleton::new(&child) {
                return child.arch();
            }
        }
    }

    fn all(&self) -> Option<Box<dyn Iterator<Item = Arch> + Send>> {
        Some(Box::new(Skeleton::all().iter().map(Architecture::arch)))
    }
}
