//! The keywords in stubs and signatures are those of the tables of options. `SWAPNAS_STUBS=write` writes them anew.

use std::path::Path;

use swapnas::options::{Row, SCORING, SEARCH, TRAINING, Takes};

/// A keyword with its type and its default.
struct Keyword {
    name: String,
    kind: String,
    default: String,
}

impl Keyword {
    fn of<T: Default>(row: &Row<T>) -> Self {
        let default = row.default();
        let optional = |kind: &str| match default {
            Some(_) => kind.to_owned(),
            None => format!("Optional[{kind}]"),
        };
        let literal = |names: Vec<&str>| {
            optional(&format!(
                "Literal[{}]",
                names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
            ))
        };
        let kind = match row.takes {
            Takes::Nothing => "bool".to_owned(),
            Takes::Number { .. } => optional("int"),
            Takes::Count => "Union[int, float, str, None]".to_owned(),
            Takes::Positive | Takes::NotNegative | Takes::Share => optional("float"),
            Takes::Size => "Union[int, Iterable[int], None]".to_owned(),
            Takes::Name(names) => literal(names()),
            Takes::Explained(names) => literal(names.iter().map(|(name, _)| *name).collect()),
            Takes::Text => optional("str"),
            Takes::File => optional("_Path"),
        };
        let default = match (row.takes, default) {
            (Takes::Nothing, _) => "False".to_owned(),
            (Takes::Number { .. }, Some(number)) => number,
            (Takes::Positive | Takes::NotNegative | Takes::Share, Some(number)) => {
                format!("{:?}", number.parse::<f64>().unwrap())
            }
            (_, Some(text)) => format!("\"{text}\""),
            (_, None) => "None".to_owned(),
        };
        Keyword { name: row.identifier(), kind, default }
    }
}

/// The keywords of scoring, where those that have Python objects for values are taken as `inputs` says.
fn scoring(of_spaces: bool, inputs: &str) -> Vec<Keyword> {
    let rows = SCORING.iter().filter(|row| row.name != "threads" && (of_spaces || !row.of_spaces));
    rows.map(|row| {
        let keyword = Keyword::of(row);
        let kind = match row.name {
            "metrics" => "_Metrics",
            "inputs" => inputs,
            _ => return keyword,
        };
        Keyword { kind: kind.to_owned(), default: "None".to_owned(), ..keyword }
    })
    .collect()
}

fn searching() -> Vec<Keyword> {
    scoring(true, "Optional[str]").into_iter().chain(SEARCH.iter().map(Keyword::of)).collect()
}

fn training() -> Vec<Keyword> {
    let rows = TRAINING.iter().filter(|row| row.name != "threads");
    rows.map(|row| {
        let keyword = Keyword::of(row);
        match row.name {
            "inputs" => Keyword { kind: "Any".to_owned(), ..keyword },
            "no-flip" => Keyword { name: "flip".to_owned(), default: "True".to_owned(), ..keyword },
            _ => keyword,
        }
    })
    .collect()
}

/// The part of a text behind `anchor` from `begin` on until `end`.
fn part<'a>(text: &'a str, anchor: &str, begin: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(anchor).unwrap_or_else(|| panic!("{anchor} is there"));
    let from = &rest[rest.find(begin).unwrap_or_else(|| panic!("{begin} is there"))..];
    &from[..from.find(end).unwrap_or_else(|| panic!("{end} is there"))]
}

fn check(file: &str, anchor: &str, begin: &str, end: &str, keywords: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let found = part(&text, anchor, begin, end);
    if std::env::var_os("SWAPNAS_STUBS").is_some_and(|what| what == "write") {
        let from = found.as_ptr() as usize - text.as_ptr() as usize;
        let written = [&text[..from], keywords, &text[from + found.len()..]].concat();
        std::fs::write(&path, written).unwrap();
        return;
    }
    assert!(
        found == keywords,
        "{file}, {anchor}: run this test with SWAPNAS_STUBS=write; it should be\n{keywords}"
    );
}

#[test]
fn stubs_have_the_keywords_of_the_tables() {
    const STUBS: &str = "python/swapnas/_swapnas.pyi";
    let lines = |indent: &str, keywords: Vec<Keyword>| -> String {
        let line =
            |Keyword { name, kind, default }: &Keyword| format!("{indent}{name}: {kind} = {default},\n");
        keywords.iter().map(line).collect()
    };
    let (four, eight) = ("    ", "        ");
    check(
        STUBS,
        "class Scorer:",
        "        metrics:",
        "        threads:",
        &lines(eight, scoring(true, "Any")),
    );
    check(STUBS, "def score_onnx(", "    metrics:", "    threads:", &lines(four, scoring(false, "Any")));
    check(STUBS, "def search(", "    metrics:", "    budget_seconds:", &lines(four, searching()));
    for function in ["def train(", "def create_benchmark("] {
        check(STUBS, function, "    inputs:", "    threads:", &lines(four, training()));
    }
}

#[test]
fn signatures_have_the_keywords_of_the_tables() {
    // As a literal that goes on in lines of their own.
    let literal = |column: usize, keywords: Vec<Keyword>| -> String {
        let mut text = String::new();
        let mut width = 80;
        for Keyword { name, default, .. } in keywords {
            let word = format!("{name}={}, ", default.replace('"', "'"));
            if width + word.len() > 112 {
                text.push_str(&format!("\\\n{:column$}", ""));
                width = column;
            }
            width += word.len();
            text.push_str(&word);
        }
        text
    };
    let (scorer, search, onnx) = ("src/scorer.rs", "src/search.rs", "src/onnx.rs");
    check(scorer, "(space='darts', *, ", "", "threads=None)", &literal(26, scoring(true, "Any")));
    check(search, "folder=None, progress=None, ", "", "budget_seconds=", &literal(22, searching()));
    check(onnx, "strict=None, progress=None, ", "", "threads=None)", &literal(22, scoring(false, "Any")));
    for before in ["checkpoint=None, progress=None, ", "seeds=1, progress=None, "] {
        check("src/train.rs", before, "", "threads=None)", &literal(22, training()));
    }
}
