//! Metrics of one's own.

mod view;

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use swapnas_graph::{Element, Init, plain};

pub use view::NetworkView;

use crate::trial::{Sizes, Takes, Trial};
use crate::undefined::Failure;
use crate::{Direction, Undefined, metrics};

/// A metric that is none of the library's own: a training-free proxy of the accuracy, computed from what a network
/// with one set of weights does to one batch of images.
///
/// ```
/// use swapnas_metrics::{NetworkView, Proxy, ProxyError};
///
/// /// SNIP (Lee et al., ICLR 2019): how much the loss depends on each weight of convolutions and linear layers.
/// struct Snip;
///
/// impl Proxy for Snip {
///     fn name(&self) -> &str {
///         "mine"
///     }
///
///     fn measure(&self, network: &mut NetworkView<'_>) -> Result<f64, ProxyError> {
///         let mut sum = 0.0;
///         for (weight, _) in network.layers() {
///             let gradient = network.gradient(weight)?;
///             sum += network.weight(weight).iter().zip(gradient).map(|(w, g)| (w * g).abs()).sum::<f64>();
///         }
///         Ok(sum)
///     }
/// }
/// ```
pub trait Proxy: Send + Sync {
    /// The name in lists of metrics and in results: what no metric of the library is called.
    fn name(&self) -> &str;

    /// Which values promise accuracy.
    fn direction(&self) -> Direction {
        Direction::HigherIsBetter
    }

    /// How weights are drawn unless the user asks for something else.
    fn init(&self) -> Init {
        Init::PyTorch
    }

    /// How many sets of weights it is averaged over unless the user asks for another number.
    fn repeats(&self) -> u32 {
        1
    }

    /// The value for one network with one set of weights. Several threads ask at a time, each with its own
    /// network.
    ///
    /// Equal networks are measured once, so it should depend on nothing but what the view shows.
    ///
    /// # Errors
    /// If the metric is undefined for the network, or nothing should be scored any more.
    fn measure(&self, network: &mut NetworkView<'_>) -> Result<f64, ProxyError>;
}

impl fmt::Debug for dyn Proxy + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({:?})", self.name())
    }
}

/// Why a proxy has no value.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// It is undefined for this network; all others are scored.
    #[error(transparent)]
    Undefined(#[from] Undefined),
    /// The scoring ends with this error.
    #[error(transparent)]
    Failed(Box<dyn Error + Send + Sync>),
}

impl ProxyError {
    /// It is undefined for this network, for a reason in words.
    pub fn undefined(reason: impl Into<String>) -> Self {
        ProxyError::Undefined(Undefined::Stated(reason.into()))
    }
}

impl From<Failure> for ProxyError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Undefined(reason) => ProxyError::Undefined(reason),
            Failure::Run(error) => ProxyError::Failed(error.into()),
            Failure::Gradient(error) => ProxyError::Failed(error.into()),
            Failure::Proxy(error) => ProxyError::Failed(error),
        }
    }
}

impl From<ProxyError> for Failure {
    fn from(error: ProxyError) -> Self {
        match error {
            ProxyError::Undefined(reason) => Failure::Undefined(reason),
            ProxyError::Failed(error) => match error.downcast() {
                Ok(error) => Failure::Run(*error),
                Err(error) => match error.downcast() {
                    Ok(error) => Failure::Gradient(*error),
                    Err(error) => Failure::Proxy(error),
                },
            },
        }
    }
}

/// What a proxy is called where it cannot be called that.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyNameError {
    /// The name could not be told from others in a list of metrics.
    #[error(
        "a metric cannot be called `{}`; give it a name of letters, digits, `-`, `_` and `.`, 100 at most", plain(.0)
    )]
    Unreadable(String),
    /// There is such a metric.
    #[error("there is a metric `{}` already; give yours another name", plain(.0))]
    Taken(String),
}

/// Metrics of one's own, which lists of metrics may name beside those of the library.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Vec<Arc<dyn Proxy>>);

impl Proxies {
    /// # Errors
    /// If a name is that of another metric, or is none.
    pub fn new(proxies: impl IntoIterator<Item = Arc<dyn Proxy>>) -> Result<Self, ProxyNameError> {
        let mut all: Vec<Arc<dyn Proxy>> = Vec::new();
        for proxy in proxies {
            let name = proxy.name();
            let is_of_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
            // No name is longer than a list of metrics takes without trouble.
            if name.is_empty() || !name.chars().all(is_of_name) || name.len() > 100 {
                return Err(ProxyNameError::Unreadable(name.to_owned()));
            }
            if metrics::is_name(name) || all.iter().any(|known| known.name() == name) {
                return Err(ProxyNameError::Taken(name.to_owned()));
            }
            all.push(proxy);
        }
        Ok(Proxies(all))
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<dyn Proxy>> {
        self.0.iter()
    }

    /// The one of this name.
    pub(crate) fn find(&self, name: &str) -> Option<&Arc<dyn Proxy>> {
        self.iter().find(|proxy| proxy.name() == name)
    }
}

/// Proxies are the same if they are called the same: nobody can tell functions apart.
impl PartialEq for Proxies {
    fn eq(&self, other: &Self) -> bool {
        self.iter().map(|proxy| proxy.name()).eq(other.iter().map(|proxy| proxy.name()))
    }
}

/// The value of a proxy for a trial.
pub(crate) fn measure<E: Element>(proxy: &dyn Proxy, trial: &mut Trial<'_, E>) -> Result<f64, Failure> {
    Ok(proxy.measure(&mut NetworkView::new(trial))?)
}

/// What a proxy may read of a trial before its own memory is looked for: the passes, and the numbers of one tensor as
/// they are handed over.
pub(crate) fn takes(sizes: &Sizes<'_>) -> Takes {
    let graph = &sizes.network.graph;
    let values = graph.values().map(|(_, node)| node.shape.elements().saturating_mul(sizes.batch));
    let params = graph.params().iter().map(swapnas_graph::Param::len);
    let largest = values.chain(params).max().unwrap_or(0);
    Takes { own: largest.saturating_mul(3 * size_of::<f64>()), ..Takes::GRADIENTS }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Called(&'static str);

    impl Proxy for Called {
        fn name(&self) -> &str {
            self.0
        }

        fn measure(&self, _network: &mut NetworkView<'_>) -> Result<f64, ProxyError> {
            Err(ProxyError::undefined("never asked"))
        }
    }

    #[test]
    fn names_are_told_from_others() {
        let proxies = |names: &[&'static str]| {
            Proxies::new(names.iter().map(|name| Arc::new(Called(name)) as Arc<dyn Proxy>))
        };
        let error = |names: &[&'static str]| proxies(names).unwrap_err().to_string();
        assert_eq!(proxies(&["mine", "my_own-2.b", "größe"]).unwrap().iter().len(), 3);
        insta::assert_snapshot!(error(&["a,b"]), @"a metric cannot be called `a,b`; give it a name of letters, digits, `-`, `_` and `.`, 100 at most");
        insta::assert_snapshot!(error(&["swap"]), @"there is a metric `swap` already; give yours another name");
        insta::assert_snapshot!(error(&["mine", "mine"]), @"there is a metric `mine` already; give yours another name");
        for name in ["", "rank(a)", "a b", "te-nas", "all", "a:b", "rank", "logrank"] {
            assert!(proxies(&[name]).is_err(), "{name}");
        }
    }
}
