use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use swapnas_graph::{Init, nearest, plain};

use crate::definition::{Argument, Compute, Definition, Needs};
use crate::trial::{Sizes, Takes};
use crate::{Direction, Proxies, Proxy, metrics, proxy};

/// A metric with its arguments, such as `swap` or `swap-reg:mu=1.5:sigma=5`, or one of one's own.
#[derive(Clone, Debug)]
pub struct Metric {
    what: What,
    /// What is given for its arguments.
    given: Vec<Option<f64>>,
    /// The arguments as they are used; no number for those that are not known yet.
    values: Vec<f64>,
}

#[derive(Clone, Debug)]
enum What {
    Listed(&'static Definition),
    Own(Arc<dyn Proxy>),
}

impl Metric {
    /// The metric with all arguments at their defaults.
    pub fn new(definition: &'static Definition) -> Self {
        let values =
            definition.arguments.iter().map(|argument| argument.default.unwrap_or(f64::NAN)).collect();
        Metric { what: What::Listed(definition), given: vec![None; definition.arguments.len()], values }
    }

    /// A metric of one's own. It has no arguments.
    pub fn own(proxy: Arc<dyn Proxy>) -> Self {
        Metric { what: What::Own(proxy), given: Vec::new(), values: Vec::new() }
    }

    /// What it is, unless it is one of one's own.
    pub fn definition(&self) -> Option<&'static Definition> {
        match &self.what {
            What::Listed(definition) => Some(definition),
            What::Own(_) => None,
        }
    }

    /// Its name, without arguments.
    pub fn name(&self) -> &str {
        match &self.what {
            What::Listed(definition) => definition.name,
            What::Own(proxy) => proxy.name(),
        }
    }

    /// Which values are good.
    pub fn direction(&self) -> Direction {
        match &self.what {
            What::Listed(definition) => definition.direction,
            What::Own(proxy) => proxy.direction(),
        }
    }

    /// How weights are drawn unless the user asks for something else.
    pub(crate) fn init(&self) -> Init {
        match &self.what {
            What::Listed(definition) => definition.init,
            What::Own(proxy) => proxy.init(),
        }
    }

    /// How many sets of weights it is averaged over unless the user asks for another number.
    pub(crate) fn repeats(&self) -> u32 {
        match &self.what {
            What::Listed(definition) => definition.repeats,
            What::Own(proxy) => proxy.repeats(),
        }
    }

    /// How it is computed.
    pub(crate) fn compute(&self) -> Compute<'_> {
        match &self.what {
            What::Listed(definition) => definition.compute,
            What::Own(proxy) => Compute::Proxy(&**proxy),
        }
    }

    /// What must be at hand to compute it.
    pub(crate) fn needs(&self) -> Needs {
        match self.compute() {
            Compute::Graph(_) | Compute::Patterns { .. } | Compute::Proxy(_) => Needs::NONE,
            Compute::Passes { needs, .. } => needs,
        }
    }

    /// What it reads of a trial and takes of memory.
    pub(crate) fn takes(&self, sizes: &Sizes<'_>) -> Takes {
        match self.compute() {
            Compute::Graph(_) | Compute::Patterns { .. } => Takes::default(),
            Compute::Passes { takes, .. } => takes(sizes, &self.values),
            Compute::Proxy(_) => proxy::takes(sizes),
        }
    }

    /// The values of its arguments, in the order of the definition.
    pub(crate) fn values(&self) -> &[f64] {
        &self.values
    }

    /// The arguments that were neither given nor have a default, with the values that fit the networks of the
    /// space; none before a [`Scorer`](crate::Scorer) has found them.
    pub fn found(&self) -> impl Iterator<Item = (&'static Argument, f64)> {
        let arguments = self.definition().map_or(&[][..], |definition| definition.arguments);
        let open = |place: usize| self.given[place].is_none() && arguments[place].default.is_none();
        let found = arguments.iter().zip(&self.values).enumerate().filter(move |(place, _)| open(*place));
        found.map(|(_, (argument, value))| (argument, *value)).filter(|(_, value)| !value.is_nan())
    }

    /// What is given for its arguments or is their default.
    fn explicit(&self) -> Vec<Option<f64>> {
        let defaults = self.definition().map_or(&[][..], |definition| definition.arguments).iter();
        self.given.iter().zip(defaults).map(|(given, argument)| given.or(argument.default)).collect()
    }

    /// Whether it has arguments that take values from the space.
    pub(crate) fn is_open(&self) -> bool {
        self.values.iter().any(|value| value.is_nan())
    }

    /// Gives these arguments values: mu and sigma of `swap-reg`, as `fit` has them for the mu that is given. They are
    /// not printed, unless as `given`.
    pub(crate) fn settle(&mut self, fit: impl Fn(Option<f64>) -> [f64; 2], given: bool) {
        if !self.is_open() {
            return;
        }
        let fit = fit(self.given[0]);
        for (place, value) in self.values.iter_mut().enumerate().filter(|(_, value)| value.is_nan()) {
            *value = fit[place];
            self.given[place] = given.then_some(*value);
        }
    }

    /// Reads a metric: one of the library, or one of `proxies`, which take no arguments.
    ///
    /// # Errors
    /// If the text names no metric, or arguments that it does not have.
    pub fn parse(text: &str, proxies: &Proxies) -> Result<Self, MetricError> {
        let mut parts = text.trim().split(':');
        let name = parts.next().unwrap_or_default();
        if let Some(proxy) = proxies.find(name) {
            return match parts.next() {
                None => Ok(Metric::own(proxy.clone())),
                Some(argument) => Err(MetricError::OwnArgument {
                    metric: name.to_owned(),
                    name: argument.split('=').next().unwrap_or_default().to_owned(),
                }),
            };
        }
        let definition =
            metrics::all().iter().find(|definition| definition.name == name).ok_or_else(|| {
                let own: Vec<String> = proxies.iter().map(|proxy| proxy.name().to_owned()).collect();
                let listed = metrics::all().iter().map(|definition| definition.name);
                let close = nearest(name, listed.chain(own.iter().map(String::as_str)));
                let nearest = close.first().map(|&name| name.to_owned());
                MetricError::UnknownName { name: name.to_owned(), nearest, own }
            })?;
        let mut metric = Metric::new(definition);
        let (metric_name, arguments) = (definition.name, definition.arguments);
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
            if metric.given[place].is_some() {
                return Err(MetricError::Twice { metric: metric_name, name: argument.name });
            }
            let number = value.parse().ok().filter(|number| (argument.allows)(*number));
            let number = number.ok_or_else(|| MetricError::BadValue {
                metric: metric_name,
                name: argument.name,
                value: value.to_owned(),
                meaning: argument.meaning,
                allowed: argument.allowed,
            })?;
            metric.given[place] = Some(number);
            metric.values[place] = number;
        }
        Ok(metric)
    }
}

impl PartialEq for Metric {
    fn eq(&self, other: &Metric) -> bool {
        self.name() == other.name() && self.explicit() == other.explicit()
    }
}

/// Arguments that have their defaults are left out.
impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        let arguments = self.definition().map_or(&[][..], |definition| definition.arguments);
        for (argument, given) in arguments.iter().zip(&self.given) {
            if let Some(value) = given
                && *given != argument.default
            {
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
    #[error("no metric is called `{}`{}; the metrics are {}", plain(name), hint(nearest), metric_names(own))]
    UnknownName {
        /// The name given.
        name: String,
        /// A name close to it.
        nearest: Option<String>,
        /// Metrics of one's own that there are.
        own: Vec<String>,
    },
    /// A metric of one's own has no arguments.
    #[error("the metric {metric} has no argument `{}`; it is one of your own, which take none", plain(name))]
    OwnArgument {
        /// The metric.
        metric: String,
        /// The name given.
        name: String,
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

fn hint(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!(" (did you mean {name}?)")).unwrap_or_default()
}

fn metric_names(own: &[String]) -> String {
    let listed = metrics::all().iter().map(|definition| definition.name);
    own.iter().map(String::as_str).chain(listed).collect::<Vec<_>>().join(", ")
}

fn takes(arguments: &[Argument]) -> String {
    match arguments {
        [] => "takes none".to_owned(),
        some => format!("takes {}", some.iter().map(|a| a.name).collect::<Vec<_>>().join(" and ")),
    }
}

impl FromStr for Metric {
    type Err = MetricError;

    fn from_str(text: &str) -> Result<Self, MetricError> {
        Metric::parse(text, &Proxies::default())
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
                assert!(
                    argument.default.is_none_or(argument.allows),
                    "{}:{}",
                    definition.name,
                    argument.name
                );
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
        assert_eq!(
            "swap-reg:sigma=5:mu=1.5".parse::<Metric>().unwrap().to_string(),
            "swap-reg:mu=1.5:sigma=5"
        );
        assert_eq!("ntk:images=16".parse::<Metric>().unwrap().to_string(), "ntk");
        assert_eq!("ntk:images=8".parse::<Metric>().unwrap().to_string(), "ntk:images=8");
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
