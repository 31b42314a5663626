//! Commands that can be typed to do again what was done.

use std::ffi::OsStr;
use std::path::Path;

use swapnas_graph::plain;
use swapnas_search::{AlgorithmKind, Configuration};
use swapnas_spaces::{NetworkConfig, Preset, Space};

use crate::ImageSize;
use crate::options::{SCORING, SEARCH, Takes};

/// The command that runs a search with these settings; `latency_table` is a file with its latencies, as
/// [`results::write`](crate::results::write) leaves one, if there are any. What is one's own, metrics, a space or an
/// algorithm, is named behind it, since no command knows it.
///
/// ```
/// use swapnas::{Scoring, ScoringOptions, Searching, command};
///
/// let options = ScoringOptions { metrics: Some("rank(swap,params)".into()), ..ScoringOptions::default() };
/// let scoring = Scoring { options, ..Scoring::new(swapnas::space("nb201")?) };
/// let (configuration, _) = Searching::new(scoring).configuration()?;
/// assert!(command::search(&configuration, None).contains("--metrics 'rank(swap,params)'"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn search(configuration: &Configuration, latency_table: Option<&Path>) -> String {
    let Configuration { space, proxies, scoring, search: options, .. } = configuration;
    let mut words = Words::new("search");
    words.option("space", Some(space));
    for row in SCORING {
        words.option(row.name, row.print(scoring));
    }
    for row in SEARCH.iter().filter(|row| options.algorithm.reads(row.name)) {
        match row.takes {
            Takes::File => words.option(row.name, latency_table.filter(|_| options.latency.is_some())),
            _ => words.option(row.name, row.print(options)),
        }
    }
    // What is one's own cannot be typed.
    let metrics: Vec<&str> = proxies.iter().map(|proxy| proxy.name()).collect();
    let own = [
        (!metrics.is_empty()).then(|| format!("{} is a metric", metrics.join(", "))),
        crate::space(space).is_err().then(|| format!("{} is a space", plain(space))),
        (options.algorithm == AlgorithmKind::Own).then(|| "there is an algorithm".to_owned()),
    ];
    let own: Vec<String> = own.into_iter().flatten().collect();
    if !own.is_empty() {
        words.text.push_str(&format!("  # from where {} of one's own", own.join(" and ")));
    }
    words.text
}

/// The command that exports an architecture as a network, as a module of PyTorch.
pub fn export(space: &dyn Space, arch: &str, network: &NetworkConfig) -> String {
    let default = space.final_network();
    let NetworkConfig { preset, channels, cells, input, classes } = *network;
    let mut words = Words::new("export");
    words.word(OsStr::new(arch));
    words.option("space", Some(space.name()));
    words.option("network", (preset != Preset::Benchmark).then(|| preset.to_string()));
    words.option("channels", channels.map(|n| n.to_string()));
    words.option("cells", cells.map(|n| n.to_string()));
    words.option("classes", (classes != default.classes).then(|| classes.to_string()));
    words.option("input", (input != default.input).then(|| ImageSize::Shape(input).to_string()));
    words.option("format", Some("torch"));
    words.text
}

/// A command in the making.
struct Words {
    text: String,
}

impl Words {
    fn new(subcommand: &str) -> Self {
        Words { text: format!("swapnas {subcommand}") }
    }

    fn word(&mut self, word: &OsStr) {
        self.text.push(' ');
        self.text.push_str(&quoted(word));
    }

    fn option(&mut self, name: &str, value: Option<impl AsRef<OsStr>>) {
        let Some(value) = value else { return };
        let value = value.as_ref();
        // What begins as an option does would be taken for one.
        let between = if value.as_encoded_bytes().starts_with(b"-") { '=' } else { ' ' };
        self.text.push_str(&format!(" --{name}{between}{}", quoted(value)));
    }
}

/// A word as a shell takes it for what it is: in quotes where a shell would do something with it, and with escapes,
/// which all shells of our days know, where it has parts that cannot be seen.
///
/// ```
/// use swapnas::command::quoted;
///
/// assert_eq!(quoted("run-2"), "run-2");
/// assert_eq!(quoted("my run"), "'my run'");
/// assert_eq!(quoted("it's"), "\"it's\"");
/// assert_eq!(quoted("two\nlines"), r"$'two\012lines'");
/// ```
pub fn quoted(word: impl AsRef<OsStr>) -> String {
    let word = word.as_ref();
    let visible = |letter: char| matches!(letter, '\'' | '"' | '\\') || letter.escape_debug().len() == 1;
    let Some(text) = word.to_str().filter(|text| text.chars().all(visible)) else {
        return escaped(word.as_encoded_bytes());
    };
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.,:=/".contains(letter);
    if !text.is_empty() && text.chars().all(plain) && !text.starts_with('=') {
        text.to_owned()
    } else if text.contains('\'') && !text.contains(['"', '$', '`', '\\', '!']) {
        // Easier to read than each quote by itself.
        format!("\"{text}\"")
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

fn escaped(bytes: &[u8]) -> String {
    let mut text = "$'".to_owned();
    for byte in bytes {
        match byte {
            b'\'' | b'\\' => text.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => text.push(char::from(*byte)),
            _ => text.push_str(&format!("\\{byte:03o}")),
        }
    }
    text + "'"
}
