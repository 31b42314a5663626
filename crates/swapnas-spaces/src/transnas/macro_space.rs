use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use serde_json::Value;
use swapnas_graph::{Graph, Shape};

use super::{Module, Skeleton, network};
use crate::diagram::Diagram;
use crate::space::find_encoding;
use crate::{Arch, Encoding, NetworkConfig, NetworkError, ParseError, Preset, PrintError, Space};

/// The space `transnas-macro`.
pub(crate) struct Macro;

static PRESETS: [Preset; 1] = [Preset::Benchmark];

static ENCODINGS: [Encoding; 3] = [
    Encoding {
        name: "string",
        example: "64-1234-basic",
        description: "the benchmark's own: base channels, which are always 64, and four to six modules; 1 plain, \
                      2 twice the channels, 3 half the image size, 4 both",
    },
    Encoding {
        name: "naslib",
        example: "(1, 2, 3, 4, 0, 0)",
        description: "NASLib's tuple: the digits, followed by zeros if there are fewer than six",
    },
    Encoding {
        name: "json",
        example: r#"{"modules": [1, 2, 3, 4]}"#,
        description: "the digits as an object",
    },
];

impl Space for Macro {
    fn name(&self) -> &'static str {
        "transnas-macro"
    }

    fn description(&self) -> &'static str {
        "TransNAS-Bench-101 (Duan et al., 2021), macro: where channels double and images shrink"
    }

    fn encodings(&self) -> &'static [Encoding] {
        &ENCODINGS
    }

    fn size(&self) -> u128 {
        Skeleton::all().len() as u128
    }

    fn presets(&self) -> &'static [Preset] {
        &PRESETS
    }

    /// For the benchmark's task `class_object`.
    fn default_network(&self) -> NetworkConfig {
        NetworkConfig::new(Preset::Benchmark, Shape::new(3, 256, 256), 75)
    }

    fn describe(&self, config: &NetworkConfig) -> String {
        network::describe(config)
    }

    fn parse(&self, text: &str) -> Result<Arch, ParseError> {
        Ok((&text.parse::<Skeleton>()?).into())
    }

    fn print(&self, arch: &Arch) -> String {
        Skeleton::from(arch).to_string()
    }

    fn print_as(&self, arch: &Arch, encoding: &str) -> Result<String, PrintError> {
        Ok(match find_encoding(self, encoding)?.name {
            "naslib" => Skeleton::from(arch).print_naslib(),
            "json" => self.to_json(arch).to_string(),
            _ => self.print(arch),
        })
    }

    fn to_json(&self, arch: &Arch) -> Value {
        Skeleton::from(arch).to_json()
    }

    fn parse_json(&self, value: &Value) -> Result<Arch, ParseError> {
        Ok((&Skeleton::from_json(value)?).into())
    }

    /// The row of modules, with their output channels.
    fn diagrams(&self, arch: &Arch) -> Vec<Diagram> {
        let mut channels = 64;
        let modules = Skeleton::from(arch).modules().to_vec().into_iter().map(|module| {
            channels *= if module.widens() { 2 } else { 1 };
            let stride = if module.shrinks() { "\nstride 2" } else { "" };
            format!("2 × basic\n{channels} channels{stride}")
        });
        let stem = "stem\n64 channels\nstride 4".to_owned();
        vec![Diagram::chain("modules", [stem].into_iter().chain(modules))]
    }

    fn sample(&self, rng: &mut dyn Rng) -> Arch {
        Skeleton::all().choose(rng).expect("there are skeletons").into()
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
        neighbours.iter().filter(|&skeleton| *skeleton != own).map(Arch::from).collect()
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
                return (&child).into();
            }
        }
    }

    /// Every skeleton is a function of its own.
    fn canonical(&self, arch: &Arch) -> Arch {
        arch.clone()
    }

    fn all(&self) -> Option<Box<dyn Iterator<Item = Arch> + Send>> {
        Some(Box::new(Skeleton::all().iter().map(Arch::from)))
    }

    fn network(&self, arch: &Arch, config: &NetworkConfig) -> Result<Graph, NetworkError> {
        config.check(self.name(), &PRESETS)?;
        Ok(network::build(Skeleton::from(arch).modules(), config, network::basic_block)?)
    }
}
