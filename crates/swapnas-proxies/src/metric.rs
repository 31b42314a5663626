use std::fmt;
use std::str::FromStr;

use swapnas_graph::plain;

use crate::definition::{Argument, Compute, Definition, Needs};
use crate::metrics;
use crate::trial::{Sizes, Takes};

/// A metric with its arguments, such as `swap` or `swap-reg:mu=1.5:sigma=5`.
#[derive(Clone, Debug)]
pub struct Metric {
    definition: &'static Definition,
    values: Vec<f64>,
}

impl Metric {
    /// The metric with all arguments at their defaults.
    pub fn new(definition: &'static Definition) -> Self {
        let values = definition.arguments.iter().map(|argument| argument.default).collect();
        Metric { definition, values }
    }

    /// What it is.
    pub fn definition(&self) -> &'static Definition {
        self.definition
    }

    /// What must be at hand to compute it.
    pub(crate) fn needs(&self) -> Needs {
        match self.definition.compute {
            Compute::Graph(_) | Compute::Patterns { .. } => Needs::NONE,
            Compute::Passes { needs, .. } => needs,
        }
    }

    /// What it reads of a trial and takes of memory.
    pub(crate) fn takes(&self, sizes: &Sizes<'_>) -> Takes {
        match self.definition.compute {
            Compute::Graph(_) | Compute::Patterns { .. } => Takes::default(),
            Compute::Passes { takes, .. } => takes(sizes, &self.values),
        }
    }

    /// The values of its arguments, in the order of the definition.
    pub(crate) fn values(&self) -> &[f64] {
        &self.values
    }
}

impl PartialEq for Metric {
    fn eq(&self, other: &Metric) -> bool {
        self.definition.name == other.definition.name && self.values == other.values
    }
}

/// Arguments that have their defaults are left out.
impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.definition.name)?;
        for (argument, value) in self.definition.arguments.iter().zip(&self.values) {
            if *value != argument.default {
                write!(f, ":{}={value}", argument.name)?;
            }
        }
        Ok(())
    }
}

/// A text that names no metric.
#[derive(Clone, Debug, thiserror::Error)]
pub enum MetricError {
    /// There is no such metric.
    #[error("no metric is called `{}`{}; the metrics are {}", plain(name), hint(nearest), metric_names())]
    UnknownName {
        /// The name given.
        name: String,
        /// A name close to it.
        nearest: Option<&'static str>,
    },
    /// The metric has no such argument.
    #[error("the metric {metric} has no argument `{}`; it {}", plain(name), takes(arguments))]
    UnknownArgument {
        /// The metric.
        metric: &'static str,
        /// The name given.
        name: String,
        /// The arguments it has.
        arguments: &'static [Argument],
    },
    /// An argument is not of the form name=value.
    #[error(
        "the argument `{}` of the metric {metric} should read name=value; the metric {}",
        plain(text),
        takes(arguments)
    )]
    NoValue {
        /// The metric.
        metric: &'static str,
        /// The text given.
        text: String,
        /// The arguments it has.
        arguments: &'static [Argument],
    },
    /// An argument is given twice.
    #[error("the metric {metric} has the argument {name} twice; leave one of them out")]
    Twice {
        /// The metric.
        metric: &'static str,
        /// Name of the argument.
        name: &'static str,
    },
    /// An argument has a value that it cannot have.
    #[error(
        "{name}={} is not possible for the metric {metric}: {name} is {meaning}; give {allowed}",
        plain(value)
    )]
    BadValue {
        /// The metric.
        metric: &'static str,
        /// Name of the argument.
        name: &'static str,
        /// The value given.
        value: String,
        /// What it means.
        meaning: &'static str,
        /// What it can be.
        allowed: &'static str,
    },
}

fn hint(nearest: &Option<&str>) -> String {
    nearest.map(|name| format!(" (did you mean {name}?)")).unwrap_or_default()
}

fn metric_names() -> String {
    metrics::all().iter().map(|definition| definition.name).collect::<Vec<_>>().join(", ")
}

fn takes(arguments: &[Argument]) -> String {
    match arguments {
        [] => "takes none".to_owned(),
        some => format!("takes {}", some.iter().map(|a| a.name).collect::<Vec<_>>().join(" and ")),
    }
}

/// The metric whose name differs from this one in at most two letters, if there is one.
fn nearest(name: &str) -> Option<&'static str> {
    const MOST: usize = 2;
    let names = || metrics::all().iter().map(|definition| definition.name);
    // No long text is close to any of them, and there is no need to compare it letter by letter.
    let longest = names().map(str::len).max()?;
    if name.chars().nth(longest + MOST).is_some() {
        return None;
    }
    let close = names().map(|known| (strsim::damerau_levenshtein(known, name), known));
    close.min().filter(|(distance, _)| *distance <= MOST).map(|(_, name)| name)
}

impl FromStr for Metric {
    type Err = MetricError;

    fn from_str(text: &str) -> Result<Self, MetricError> {
        let mut parts = text.trim().split(':');
        let name = parts.next().unwrap_or_default();
        let definition = metrics::all()
            .iter()
            .find(|definition| definition.name == name)
            .ok_or_else(|| MetricError::UnknownName { name: name.to_owned(), nearest: nearest(name) })?;
        let mut metric = Metric::new(definition);
        let (metric_name, arguments) = (definition.name, definition.arguments);
        let mut given = vec![false; arguments.len()];
        for part in parts {
            let Some((name, value)) = part.split_once('=') else {
                return Err(MetricError::NoValue { metric: metric_name, text: part.to_owned(), arguments });
            };
            let Some(place) = arguments.iter().position(|argument| argument.name == name) else {
                return Err(MetricError::UnknownArgument {
                    metric: metric_name,
                    name: name.to_owned(),
                    arguments,
                });
            };
            let argument = &arguments[place];
            if std::mem::replace(&mut given[place], true) {
                return Err(MetricError::Twice { metric: metric_name, name: argument.name });
            }
            let number = value.parse().ok().filter(|number| (argument.allows)(*number));
            metric.values[place] = number.ok_or_else(|| MetricError::BadValue {
                metric: metric_name,
                name: argument.name,
                value: value.to_owned(),
                meaning: argument.meaning,
                allowed: argument.allowed,
            })?;
        }
        Ok(metric)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn metrics_are_documented_and_unique() {
        let mut names = HashSet::new();
        for definition in metrics::all() {
            assert!(names.insert(definition.name), "two metrics are called {}", definition.name);
            for text in [
                definition.summary,
                definition.formula,
                definition.source,
                definition.differences,
                definition.cost,
            ] {
                assert!(!text.is_empty(), "{} is not explained", definition.name);
            }
            assert!(!definition.summary.contains('\n'), "{}: one line", definition.name);
            for argument in definition.arguments {
                assert!((argument.allows)(argument.default), "{}:{}", definition.name, argument.name);
                assert!(!(argument.allows)(f64::NAN), "{}:{}", definition.name, argument.name);
            }
            let metric: Metric = definition.name.parse().expect("its own name");
            assert_eq!(metric.to_string(), definition.name);
        }
    }

    #[test]
    fn arguments_are_read_and_printed() {
        for text in ["swap", "swap-reg", "swap-reg:mu=40", "swap-reg:mu=2.5:sigma=0.5"] {
            assert_eq!(text.parse::<Metric>().unwrap().to_string(), text);
        }
        assert_eq!("swap-reg:sigma=5:mu=1.5".parse::<Metric>().unwrap().to_string(), "swap-reg");
    }

    #[test]
    fn mistakes_are_explained() {
        let error = |text: &str| text.parse::<Metric>().unwrap_err().to_string();
        insta::assert_snapshot!(error("swapp").split(';').next().unwrap(), @"no metric is called `swapp` (did you mean swap?)");
        insta::assert_snapshot!(error("swap:mu=1"), @"the metric swap has no argument `mu`; it takes none");
        insta::assert_snapshot!(error("swap-reg:nu=1"), @"the metric swap-reg has no argument `nu`; it takes mu and sigma");
        insta::assert_snapshot!(error("swap-reg:mu"), @"the argument `mu` of the metric swap-reg should read name=value; the metric takes mu and sigma");
        insta::assert_snapshot!(error("swap-reg:mu=1:sigma=2:mu=3"), @"the metric swap-reg has the argument mu twice; leave one of them out");
        insta::assert_snapshot!(error("swap-reg:sigma=-1"), @"sigma=-1 is not possible for the metric swap-reg: sigma is how far from mu a network may be, in thousands squared; give a positive number");
    }
}
