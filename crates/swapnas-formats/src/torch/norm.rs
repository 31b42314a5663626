//! Normalisations of single samples, as modules of PyTorch where there is one.

use swapnas_graph::tensor::{Axis, Normalise};
use swapnas_graph::{Epsilon, Graph, Node};

use super::expr::{Layer, Wrap};
use crate::facts::has_weights_along;

/// The class for normalisations that PyTorch does not have.
pub(super) const SAMPLE_NORM: &str = "SampleNorm";

/// Its definition.
pub(super) const SAMPLE_NORM_DEFINITION: &str = "
class SampleNorm(nn.Module):
    \"\"\"Normalises each sample along the second dimension of `dims`. Of `count` weights and biases, each is that of so many
    elements in a row as are alike.\"\"\"

    def __init__(self, dims, count, alike, eps, centred, weight, bias):
        super().__init__()
        self.dims, self.count, self.alike, self.eps, self.centred = dims, count, alike, eps, centred
        self.weight = nn.Parameter(torch.ones(count)) if weight else None
        self.bias = nn.Parameter(torch.zeros(count)) if bias else None

    def forward(self, x):
        y = x.reshape(-1, *self.dims)
        if self.centred:
            y = y - y.mean(2, keepdim=True)
        y = y / (y.square().mean(2, keepdim=True) + self.eps).sqrt()
        y = y.flatten(1)
        places = torch.arange(y.shape[1], device=y.device) // self.alike % self.count
        if self.weight is not None:
            y = y * self.weight[places]
        if self.bias is not None:
            y = y + self.bias[places]
        return y.reshape(x.shape)
";

pub(super) fn normalisation(graph: &Graph, node: &Node, norm: &Normalise) -> Layer {
    let &Normalise { axis, epsilon, centred, weight, bias, alike } = norm;
    let Axis { outer, len, inner } = axis;
    let (channels, elements) = (node.shape.channels, node.shape.elements());
    let eps = |default: bool| match epsilon.number() {
        _ if default && epsilon == Epsilon::default() => String::new(),
        number => format!(", eps={number:?}"),
    };
    let wrap = match axis {
        Axis { outer: 1, inner: 1, .. } if len == channels => Some(Wrap::Flatten),
        Axis { outer: 1, .. } if len == channels => Some(Wrap::ChannelsLast),
        _ => Some(Wrap::Lines(axis)),
    };
    let along = has_weights_along(graph, norm);
    let plain = weight.is_none() && bias.is_none();
    let affine = if plain { ", elementwise_affine=False" } else { "" };
    if centred && along && (weight.is_some() || plain) {
        let bias = if weight.is_some() && bias.is_none() { ", bias=False" } else { "" };
        return Layer { constructor: format!("nn.LayerNorm({len}{}{affine}{bias})", eps(true)), wrap };
    }
    if !centred && along && bias.is_none() {
        return Layer { constructor: format!("nn.RMSNorm({len}{}{affine})", eps(false)), wrap };
    }
    let count = weight.or(bias).map_or(channels, |id| graph.param(id).len());
    let is_grouped = inner == 1 && elements == count * alike && count.is_multiple_of(outer);
    if centred && is_grouped && weight.is_some() && bias.is_some() {
        let wrap = (count != channels).then_some(Wrap::Rows { count, len: alike });
        return Layer { constructor: format!("nn.GroupNorm({outer}, {count}{})", eps(true)), wrap };
    }
    let python = |holds: bool| if holds { "True" } else { "False" };
    let [centred, weight, bias] = [centred, weight.is_some(), bias.is_some()].map(python);
    let epsilon = epsilon.number();
    let constructor = format!(
        "{SAMPLE_NORM}(({outer}, {len}, {inner}), {count}, {alike}, eps={epsilon:?}, centred={centred}, weight={weight}, \
         bias={bias})"
    );
    Layer { constructor, wrap: None }
}
