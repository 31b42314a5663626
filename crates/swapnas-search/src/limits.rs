use std::fmt;

use serde::{Deserialize, Serialize};
use swapnas_graph::Graph;

use crate::{LatencyTable, SearchError};

/// The size of the network that is to be trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sizes {
    /// Parameters.
    pub params: u64,
    /// Multiply-accumulates for one image.
    pub macs: u64,
    /// Milliseconds by the latency table, if there is one.
    pub latency: Option<f64>,
}

impl Sizes {
    /// Of a network.
    ///
    /// # Errors
    /// If the latency table lacks an operation.
    pub fn of(graph: &Graph, table: Option<&LatencyTable>) -> Result<Sizes, SearchError> {
        let latency = table.map(|table| table.latency(graph)).transpose()?;
        Ok(Sizes { params: graph.parameter_count(), macs: graph.macs(), latency })
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} parameters, {} multiply-accumulates", self.params, self.macs)?;
        match self.latency {
            Some(latency) => write!(f, ", {latency} ms"),
            None => Ok(()),
        }
    }
}

/// What the network that is to be trained may be like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Fewest parameters.
    pub min_params: Option<u64>,
    /// Most parameters.
    pub max_params: Option<u64>,
    /// Most multiply-accumulates for one image.
    pub max_macs: Option<u64>,
    /// Most milliseconds.
    pub max_latency: Option<f64>,
}

impl Limits {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Limits::default()
    }

    /// Whether a network is within them.
    pub fn allow(&self, sizes: &Sizes) -> bool {
        self.min_params.is_none_or(|least| sizes.params >= least)
            && self.max_params.is_none_or(|most| sizes.params <= most)
            && self.max_macs.is_none_or(|most| sizes.macs <= most)
            && self.max_latency.is_none_or(|most| sizes.latency.is_none_or(|latency| latency <= most))
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.min_params.map(|n| format!("at least {n} parameters")),
            self.max_params.map(|n| format!("at most {n} parameters")),
            self.max_macs.map(|n| format!("at most {n} multiply-accumulates")),
            self.max_latency.map(|ms| format!("at most {ms} ms")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        f.write_str(if parts.is_empty() { "none" } else { "" })?;
        f.write_str(&parts.join(", "))
    }
}
