//! What users write to say which images they want.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use swapnas_graph::plain;

use super::error::counted;
use super::folder::listing;
use super::{Array, PictureFolder, Shapes, Skipped, Spectral, Zipf};

/// Where the images come from.
///
/// Written and read as text, but for images in memory: `spectral`, `spectral:exponent=2:correlation=0.9`, `gaussian`, `shapes`,
/// `cifar10:PATH`, `images:DIR`, `images-skip-bad:DIR`, `npy:FILE`, `zipf`. A path is everything after the first colon, colons included.
#[derive(Clone, Debug, PartialEq)]
pub enum InputSpec {
    /// Random images with the amplitude spectrum of natural ones.
    Spectral(Spectral),
    /// White noise: every value from N(0, 1).
    Gaussian,
    /// Drawn shapes, with labels.
    Shapes(Shapes),
    /// Random texts, for networks of texts.
    Zipf(Zipf),
    /// CIFAR-10 in its binary format: a file, or the folder of the training batches; see
    /// [`Cifar10`](super::Cifar10).
    Cifar10(PathBuf),
    /// The PNG and JPEG pictures below a folder, of any size.
    ///
    /// All files ending in `.png`, `.jpg` or `.jpeg`, in whatever case, are taken, subfolders included
    /// and hidden files (`.name`) left out, in the order of their names. If every picture lies in a
    /// subfolder, the first folder of its path is its class, and classes are numbered in the order of
    /// their names; otherwise there are no labels.
    ///
    /// The largest centred part with the needed aspect ratio is resized with a triangle filter (bilinear;
    /// when shrinking, over the area a pixel covers) and normalised with the mean and standard deviation of
    /// ImageNet. Grey pictures have three equal colours, transparency is ignored, and 16 bits are rounded
    /// to 8.
    ///
    /// Whether the pictures can be used is found out before the first batch is drawn. If there are no more than
    /// 32 MiB of them, all are decoded; of a larger folder, files are decoded that do not begin and end as a picture
    /// does, and those that are drawn. What cannot be decoded, takes more than 512 MiB, may not be read, or is a link
    /// that leads nowhere is an error that lists it, or is left out of a folder that is written as
    /// `images-skip-bad:DIR`. Pictures are drawn from all, and those that cannot be used are passed over.
    Images(PictureFolder),
    /// A NumPy array of shape (N, channels, height, width) in float32, float64 or uint8.
    ///
    /// For networks of texts, one of shape (N, tokens) in whole numbers.
    ///
    /// Values are used as they are, except that uint8 is divided by 255 in images. An array of exactly as many
    /// images as needed is a batch and keeps its order; from a larger one they are drawn by the seed.
    Npy(PathBuf),
    /// Images in memory. As of a file of NumPy, exactly as many as needed are a batch and keep their order,
    /// and from more they are drawn by the seed. They have no text that could be read again.
    Array(Arc<Array>),
}

/// A kind of input as help texts list it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputKind {
    /// How it is written.
    pub syntax: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
}

impl InputSpec {
    /// Every kind of input, the default first.
    pub const KINDS: [InputKind; 7] = [
        InputKind {
            syntax: "spectral[:exponent=2.5][:correlation=0.97]",
            summary: "random images with amplitude spectrum 1/f^exponent and correlated channels (default)",
        },
        InputKind { syntax: "gaussian", summary: "white noise, N(0, 1)" },
        InputKind {
            syntax: "shapes[:noise=0.1]",
            summary: "drawn shapes of ten classes, with labels, to train with where there are no pictures",
        },
        InputKind {
            syntax: "cifar10:PATH",
            summary: "a binary batch of CIFAR-10, or the folder of data_batch_*.bin",
        },
        InputKind {
            syntax: "images:DIR",
            summary: "a folder of PNG and JPEG pictures, with or without classes; images-skip-bad:DIR leaves out what cannot be decoded",
        },
        InputKind {
            syntax: "npy:FILE",
            summary: "a NumPy array (N, channels, height, width), or (N, tokens) for networks of texts",
        },
        InputKind {
            syntax: "zipf[:exponent=1]",
            summary: "texts whose tokens are drawn by Zipf's law (default for networks of texts)",
        },
    ];
}

impl InputSpec {
    /// The same without pictures that cannot be used; `None` if it is no folder of pictures.
    pub fn skipping_bad(&self) -> Option<InputSpec> {
        match self {
            InputSpec::Images(folder) => Some(InputSpec::Images(PictureFolder::skipping_bad(folder.path()))),
            _ => None,
        }
    }

    /// What was left out of the batches that have been drawn, since it could not be used.
    pub fn skipped(&self) -> Vec<Skipped> {
        match self {
            InputSpec::Images(folder) => folder.skipped(),
            _ => Vec::new(),
        }
    }

    /// What a reader of scores should know of the images: the pictures that were left out.
    pub fn warning(&self) -> Option<String> {
        let skipped = self.skipped();
        let files = counted(skipped.len());
        (!skipped.is_empty()).then(|| format!("left out {files} that cannot be used:{}", listing(&skipped)))
    }
}

impl Default for InputSpec {
    fn default() -> Self {
        InputSpec::Spectral(Spectral::default())
    }
}

impl fmt::Display for InputSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InputSpec::Spectral(spectral) => spectral.fmt(f),
            InputSpec::Gaussian => write!(f, "gaussian"),
            InputSpec::Shapes(shapes) => shapes.fmt(f),
            InputSpec::Zipf(zipf) => zipf.fmt(f),
            InputSpec::Cifar10(path) => write!(f, "cifar10:{}", path.display()),
            InputSpec::Images(folder) => {
                let kind = if folder.skips_bad() { "images-skip-bad" } else { "images" };
                write!(f, "{kind}:{}", folder.path().display())
            }
            InputSpec::Npy(file) => write!(f, "npy:{}", file.display()),
            InputSpec::Array(array) => write!(f, "{} images of {} in memory", array.count(), array.shape()),
        }
    }
}

/// A text that says no input.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SpecError {
    /// A kind that does not exist.
    #[error("unknown input `{}`; known are {}", plain(found), known_kinds())]
    Kind {
        /// What stands there.
        found: String,
    },
    /// A kind that needs a path, without one.
    #[error("input `{kind}` needs a path: write `{kind}:{placeholder}`")]
    Path {
        /// The kind.
        kind: &'static str,
        /// What the path leads to.
        placeholder: &'static str,
    },
    /// Something after a kind that takes no options.
    #[error("input `{kind}` takes no options, but `{}` follows; write `{kind}` alone", plain(found))]
    NoOptions {
        /// The kind.
        kind: &'static str,
        /// What follows.
        found: String,
    },
    /// An option that does not exist, or lacks its value.
    #[error("unknown option `{}` at column {column}; `{kind}` takes {takes}", plain(found))]
    Option {
        /// The kind of input.
        kind: &'static str,
        /// Its options.
        takes: &'static str,
        /// What stands there.
        found: String,
        /// Where it begins, counted in characters from 1.
        column: usize,
    },
    /// An option given twice.
    #[error("option `{name}` is given again at column {column}; leave one of them out")]
    Twice {
        /// The option.
        name: &'static str,
        /// Where it begins the second time, counted in characters from 1.
        column: usize,
    },
    /// An option whose value is no number.
    #[error("`{}` at column {column} is no number; write for example `{name}={example}`", plain(found))]
    Number {
        /// The option.
        name: &'static str,
        /// What stands there.
        found: String,
        /// Where it begins, counted in characters from 1.
        column: usize,
        /// A value that works.
        example: f64,
    },
    /// An option whose value is out of range.
    #[error("{name} {value} is out of range: take a number from {low} to {high}")]
    Range {
        /// The option.
        name: &'static str,
        /// Its value.
        value: f64,
        /// The smallest valid one.
        low: f64,
        /// The largest valid one.
        high: f64,
    },
}

fn known_kinds() -> String {
    InputSpec::KINDS.map(|kind| kind.syntax).join(", ")
}

impl FromStr for InputSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let (kind, rest) = match text.split_once(':') {
            Some((kind, rest)) => (kind, Some(rest)),
            None => (text, None),
        };
        let path = |kind, placeholder| match rest {
            Some(path) if !path.is_empty() => Ok(PathBuf::from(path)),
            _ => Err(SpecError::Path { kind, placeholder }),
        };
        match kind {
            "spectral" => parse_spectral(text).map(InputSpec::Spectral),
            "zipf" => parse_zipf(text).map(InputSpec::Zipf),
            "shapes" => {
                let options = [("noise", Shapes::default().noise())];
                let [noise] = numbers(text, "shapes", "`noise=NUMBER`", options)?;
                Shapes::new(noise).map(InputSpec::Shapes)
            }
            "gaussian" => match rest {
                None => Ok(InputSpec::Gaussian),
                Some(found) => Err(SpecError::NoOptions { kind: "gaussian", found: found.to_owned() }),
            },
            "cifar10" => path("cifar10", "PATH").map(InputSpec::Cifar10),
            "images" => path("images", "DIR").map(|path| InputSpec::Images(PictureFolder::new(path))),
            "images-skip-bad" => path("images-skip-bad", "DIR")
                .map(|path| InputSpec::Images(PictureFolder::skipping_bad(path))),
            "npy" => path("npy", "FILE").map(InputSpec::Npy),
            _ => Err(SpecError::Kind { found: kind.to_owned() }),
        }
    }
}

/// The numbers behind the kind, by the names of the options that there are, each with a value that works.
fn numbers<const N: usize>(
    text: &str,
    kind: &'static str,
    takes: &'static str,
    options: [(&'static str, f64); N],
) -> Result<[f64; N], SpecError> {
    let mut found = [None; N];
    let mut parts = text.split(':');
    let mut column = 1 + parts.next().map_or(0, |kind| kind.chars().count() + 1);
    for option in parts {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let Some(place) = options.iter().position(|(known, _)| *known == name) else {
            return Err(SpecError::Option { kind, takes, found: option.to_owned(), column });
        };
        let (name, example) = options[place];
        let number = value.parse().map_err(|_| SpecError::Number {
            name,
            found: value.to_owned(),
            column: column + name.len() + 1,
            example,
        })?;
        if found[place].replace(number).is_some() {
            return Err(SpecError::Twice { name, column });
        }
        column += option.chars().count() + 1;
    }
    Ok(std::array::from_fn(|place| found[place].unwrap_or(options[place].1)))
}

fn parse_spectral(text: &str) -> Result<Spectral, SpecError> {
    let default = Spectral::default();
    let options = [("exponent", default.exponent()), ("correlation", default.correlation())];
    let takes = "`exponent=NUMBER` and `correlation=NUMBER`";
    let [exponent, correlation] = numbers(text, "spectral", takes, options)?;
    Spectral::new(exponent, correlation)
}

fn parse_zipf(text: &str) -> Result<Zipf, SpecError> {
    let [exponent] = numbers(text, "zipf", "`exponent=NUMBER`", [("exponent", Zipf::default().exponent())])?;
    let [low, high] = Zipf::EXPONENTS;
    Zipf::new(exponent).ok_or(SpecError::Range { name: "exponent", value: exponent, low, high })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn specs() -> impl Strategy<Value = InputSpec> {
        let path = "[^\u{0}]{1,20}".prop_map(PathBuf::from);
        prop_oneof![
            Just(InputSpec::default()),
            (0.0..=10.0, 0.0..=1.0).prop_map(|(e, c)| InputSpec::Spectral(Spectral::new(e, c).unwrap())),
            Just(InputSpec::Gaussian),
            (0.0..=10.0).prop_map(|noise| InputSpec::Shapes(Shapes::new(noise).unwrap())),
            (0.0..=10.0).prop_map(|exponent| InputSpec::Zipf(Zipf::new(exponent).unwrap())),
            path.clone().prop_map(InputSpec::Cifar10),
            path.clone().prop_map(|path| InputSpec::Images(PictureFolder::new(path))),
            path.clone().prop_map(|path| InputSpec::Images(PictureFolder::skipping_bad(path))),
            path.prop_map(InputSpec::Npy),
        ]
    }

    proptest! {
        #[test]
        fn print_and_parse_are_inverse(spec in specs()) {
            prop_assert_eq!(spec.to_string().parse(), Ok(spec));
        }

        #[test]
        fn any_text_is_a_spec_or_an_error(text in "(spectral|gaussian|shapes|zipf|cifar10|npy|images|)[:=a-z0-9.\\-]*|.*") {
            if let Ok(spec) = text.parse::<InputSpec>() {
                prop_assert_eq!(spec.to_string().parse(), Ok(spec));
            }
        }
    }

    #[test]
    fn texts_mean_what_they_say() {
        let parse = |text: &str| text.parse::<InputSpec>().unwrap();
        assert_eq!(parse("spectral"), InputSpec::default());
        assert_eq!(parse("spectral:exponent=2.5:correlation=0.97"), InputSpec::default());
        let spec = parse("spectral:correlation=.5:exponent=3");
        assert_eq!(spec, InputSpec::Spectral(Spectral::new(3.0, 0.5).unwrap()));
        assert_eq!(spec.to_string(), "spectral:exponent=3:correlation=0.5");
        assert_eq!(parse("cifar10:C:\\data"), InputSpec::Cifar10("C:\\data".into()));
    }

    #[test]
    fn every_kind_is_listed_with_a_syntax_that_parses() {
        for kind in InputSpec::KINDS {
            let text = kind.syntax.replace(['[', ']'], "");
            assert!(text.parse::<InputSpec>().is_ok(), "{text}");
        }
    }

    #[test]
    fn errors_say_what_is_wrong_and_what_to_write() {
        let error = |text: &str| text.parse::<InputSpec>().unwrap_err().to_string();
        insta::assert_snapshot!(error("cifar:x"), @"unknown input `cifar`; known are spectral[:exponent=2.5][:correlation=0.97], gaussian, shapes[:noise=0.1], cifar10:PATH, images:DIR, npy:FILE, zipf[:exponent=1]");
        insta::assert_snapshot!(error(""), @"unknown input ``; known are spectral[:exponent=2.5][:correlation=0.97], gaussian, shapes[:noise=0.1], cifar10:PATH, images:DIR, npy:FILE, zipf[:exponent=1]");
        insta::assert_snapshot!(error("cifar10"), @"input `cifar10` needs a path: write `cifar10:PATH`");
        insta::assert_snapshot!(error("npy:"), @"input `npy` needs a path: write `npy:FILE`");
        insta::assert_snapshot!(error("gaussian:std=2"), @"input `gaussian` takes no options, but `std=2` follows; write `gaussian` alone");
        insta::assert_snapshot!(error("spectral:"), @"unknown option `` at column 10; `spectral` takes `exponent=NUMBER` and `correlation=NUMBER`");
        insta::assert_snapshot!(error("spectral:exponent=2:slope=1"), @"unknown option `slope=1` at column 21; `spectral` takes `exponent=NUMBER` and `correlation=NUMBER`");
        insta::assert_snapshot!(error("spectral:exponent=2:correlation=high"), @"`high` at column 33 is no number; write for example `correlation=0.97`");
        insta::assert_snapshot!(error("spectral:exponent"), @"`` at column 19 is no number; write for example `exponent=2.5`");
        insta::assert_snapshot!(error("spectral:exponent=2:exponent=3"), @"option `exponent` is given again at column 21; leave one of them out");
        insta::assert_snapshot!(error("spectral:exponent=11"), @"exponent 11 is out of range: take a number from 0 to 10");
        insta::assert_snapshot!(error("spectral:correlation=NaN"), @"correlation NaN is out of range: take a number from 0 to 1");
    }
}
