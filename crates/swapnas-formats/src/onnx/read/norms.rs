//! What is computed along dimensions: normalisations of single samples, softmax, means and sums.

use swapnas_graph::tensor::{Axis, Function, Norm};
use swapnas_graph::{ParamKind, Shape, Window};

use super::attributes::Call;
use super::constant::Constant;
use super::error::Problem;
use super::functions::linear;
use super::layers::{epsilon, names};
use super::pools::normal;
use super::reader::Reader;
use super::shapes::{laid_out, shape_of};
use super::value::{Image, Value};
use super::views::{is_own, storage_order};

impl<'m> Reader<'m> {
    /// An image whose elements are in order, but for those of dimensions that lie otherwise, such that `axes` are one
    /// dimension of its value; with that dimension, and the order of the others.
    fn along(&mut self, of: Image, axes: &[usize]) -> Result<(Image, Axis, Vec<usize>), Problem> {
        let order = storage_order(&of.view);
        let places: Vec<usize> = (0..order.len()).filter(|place| axes.contains(&order[*place])).collect();
        let together = places.windows(2).all(|pair| pair[0] + 1 == pair[1]);
        let (of, order) = if is_own(&of.view, self.shape(of)) && together {
            (of, order)
        } else {
            // The others first, as they lie, then these.
            let others = order.iter().copied().filter(|axis| !axes.contains(axis));
            let order: Vec<usize> = others.chain(axes.iter().copied()).collect();
            let turned = of.with(of.view.permuted(&order), None);
            let dims = turned.dims().to_vec();
            let value = self.in_order(turned, shape_of(&dims))?;
            (Image { value, view: laid_out(&dims, &order), ..of }, order)
        };
        let mut axis = Axis { outer: 1, len: 1, inner: 1 };
        let last = order.iter().rposition(|axis| axes.contains(axis));
        for (place, dim) in order.iter().enumerate() {
            let size = of.dims()[*dim];
            if axes.contains(dim) {
                axis.len *= size;
            } else if last.is_some_and(|last| place < last) {
                axis.outer *= size;
            } else {
                axis.inner *= size;
            }
        }
        let others = order.into_iter().filter(|axis| !axes.contains(axis)).collect();
        Ok((of, axis, others))
    }

    /// The mean over dimensions, which stay with one element or go.
    pub(super) fn mean_over(&mut self, of: Image, axes: &[usize], keeps: bool) -> Result<Image, Problem> {
        if of.batch.is_some_and(|batch| axes.contains(&batch)) {
            return Err(Problem::unsupported("a mean over the batch", "means within samples"));
        }
        let (of, axis, others) = self.along(of, axes)?;
        let stored: Vec<usize> = others.iter().map(|axis| of.dims()[*axis]).collect();
        let value = self.builder.mean_along(of.value, axis, shape_of(&stored))?;
        // Dimensions of one element lie anywhere.
        let all: Vec<usize> = others.iter().chain(axes).copied().collect();
        let dims: Vec<usize> = stored.iter().copied().chain(axes.iter().map(|_| 1)).collect();
        let image = Image { value, view: laid_out(&dims, &all), ..of };
        if keeps {
            return Ok(image);
        }
        let kept: Vec<usize> = (0..of.dims().len()).filter(|axis| !axes.contains(axis)).collect();
        let batch = of.batch.and_then(|batch| kept.iter().position(|axis| *axis == batch));
        Ok(image.with(image.view.permuted(&kept), batch))
    }

    /// The largest or smallest element over dimensions: that of windows as long as these, of images of one row.
    pub(super) fn extreme(&mut self, call: Call<'m>, is_largest: bool) -> Result<(), Problem> {
        let mut of = self.image(call.need(0)?)?;
        let (axes, keeps) = self.reduced(call, of)?;
        if of.batch.is_some_and(|batch| axes.contains(&batch)) {
            return Err(Problem::unsupported("an extreme over the batch", "extremes within samples"));
        }
        let minus = linear(-1.0, 0.0)?;
        if !is_largest {
            of = self.applied(of, minus)?;
        }
        let others: Vec<usize> = (0..of.dims().len()).filter(|axis| !axes.contains(axis)).collect();
        let order = [&others[..], &axes[..]].concat();
        let kept: Vec<usize> = others.iter().map(|axis| of.dims()[*axis]).collect();
        let outer: usize = kept.iter().product();
        let length = of.view.len() / outer.max(1);
        let value = self.in_order(of.with(of.view.permuted(&order), None), Shape::new(outer, 1, length))?;
        let window = Window { kernel: [1, length], ..Window::square(1) };
        let name = self.module([Some(&call.node.name), None], "max");
        let value = self.builder.max_pool(&name, value, window)?;
        let dims = if keeps { [&kept[..], &vec![1; axes.len()][..]].concat() } else { kept };
        let order = if keeps { order } else { (0..dims.len()).collect() };
        let place =
            |axis: usize| if keeps { Some(axis) } else { others.iter().position(|other| *other == axis) };
        let mut image = of.with(laid_out(&dims, &order), of.batch.and_then(place));
        image.value = value;
        if !is_largest {
            image = self.applied(image, minus)?;
        }
        self.set(call, Value::Built(image))
    }

    /// The sum over dimensions of a function of each element, and a function of the sum.
    pub(super) fn reduce(
        &mut self,
        call: Call<'m>,
        before: Option<Function>,
        is_mean: bool,
        after: Option<Function>,
    ) -> Result<(), Problem> {
        let of = self.image(call.need(0)?)?;
        let (axes, keeps) = self.reduced(call, of)?;
        let of = match before {
            Some(function) => self.applied(of, function)?,
            None => of,
        };
        let count: usize = axes.iter().map(|axis| of.dims()[*axis]).product();
        let mut image = self.mean_over(of, &axes, keeps)?;
        if !is_mean {
            let times = linear(count as f64, 0.0)?;
            image = self.applied(image, times)?;
        }
        if let Some(function) = after {
            image = self.applied(image, function)?;
        }
        self.set(call, Value::Built(image))
    }

    /// A softmax at the end is left out: metrics read the logits. Before version 13 of the operators, it is one over all
    /// dimensions from one on.
    pub(super) fn softmax(&mut self, call: Call<'m>, logarithm: bool) -> Result<(), Problem> {
        let output = call.output()?;
        if self.readers(output) == 0 && self.is_output(output) {
            return self.alias(call, call.need(0)?);
        }
        let of = self.image(call.need(0)?)?;
        let rank = of.dims().len();
        let axes: Vec<usize> = if self.version < 13 {
            (normal(call.int("axis")?.unwrap_or(1), rank)?..rank).collect()
        } else {
            vec![normal(call.int("axis")?.unwrap_or(-1), rank)?]
        };
        if of.batch.is_some_and(|batch| axes.contains(&batch)) {
            return Err(Problem::unsupported("a softmax over the batch", "those within samples"));
        }
        let (of, axis, _) = self.along(of, &axes)?;
        let value = self.builder.softmax(of.value, axis)?;
        let image = Image { value, ..of };
        let image = if logarithm { self.applied(image, Function::Ln)? } else { image };
        self.set(call, Value::Built(image))
    }

    /// Whether weights or biases of a normalisation are parameters; constants that change nothing are none.
    fn is_learned(constant: &Constant<'m>, neutral: f32) -> Result<bool, Problem> {
        let named_by_exporter = constant.name().is_some_and(|name| !name.contains('.'));
        if constant.is_all(neutral) && (!constant.learned || named_by_exporter) {
            return Ok(false);
        }
        if !constant.learned {
            return Err(Problem::unsupported(
                "a normalisation with constant weights",
                "those with weights that are stored as initialisers, or none",
            ));
        }
        Ok(true)
    }

    /// Builds a normalisation whose weights and biases are inputs 2 and 3 of the node.
    fn sample_norm(&mut self, call: Call<'m>, of: Image, norm: Norm) -> Result<Image, Problem> {
        let mut params = Vec::new();
        for (input, neutral) in [(1, 1.0), (2, 0.0)] {
            let constant = call.input(input).map(|name| self.constant(name, "weights")).transpose()?;
            let constant = match constant {
                Some(constant) if Self::is_learned(&constant, neutral)? => Some(constant),
                _ => None,
            };
            if let Some(constant) = &constant
                && constant.elements() != norm.count
            {
                let (found, count) = (constant.elements(), norm.count);
                return Err(Problem::broken(format!("{found} parameters where there are {count}")));
            }
            params.push(constant);
        }
        let norm =
            Norm { weight: params[0].is_some(), bias: params[1].is_some(), epsilon: epsilon(call)?, ..norm };
        let [node, output] = names(call)?;
        let of_weight = params[0].as_ref().and_then(|weight| weight.name()?.strip_suffix(".weight"));
        let name = self.module([of_weight, Some(if node.is_empty() { output } else { node })], "norm");
        let key =
            self.key((norm.axis.len, norm.axis.outer == 1, norm.count, ParamKind::NormWeight), of.value);
        let first = self.builder.params().len();
        for constant in params.iter().flatten() {
            self.count(constant)?;
        }
        let value = self.builder.normalise(&name, of.value, norm)?;
        self.builder.key_params(first, key);
        let value = self.share(first, value);
        Ok(Image { value, ..of })
    }

    /// Layer normalisation, or RMSNorm if it is not centred.
    pub(super) fn layer_norm(&mut self, call: Call<'m>, centred: bool) -> Result<(), Problem> {
        let of = self.image(call.need(0)?)?;
        let rank = of.dims().len();
        let first = normal(call.int("axis")?.unwrap_or(-1), rank)?;
        let axes: Vec<usize> = (first..rank).collect();
        if of.batch.is_some_and(|batch| axes.contains(&batch)) {
            return Err(Problem::unsupported("a normalisation over the batch", "those within samples"));
        }
        let (of, norm) = if first + 1 == rank {
            let of = self.tokens(of)?;
            (of, Norm::over_channels(self.shape(of)))
        } else {
            let (of, axis, _) = self.along(of, &axes)?;
            // Several dimensions have a weight for each of their elements, in order.
            let norm = Norm { axis, count: axis.len, alike: 1, ..Norm::over_channels(self.shape(of)) };
            if axis.inner != 1 || axis.outer * axis.len != of.view.len() {
                return Err(Problem::unsupported(
                    "this normalisation of several dimensions",
                    "those of the last ones",
                ));
            }
            (of, norm)
        };
        let image = self.sample_norm(call, of, Norm { centred, ..norm })?;
        self.set(call, Value::Built(image))
    }

    /// Group normalisation: the elements of the channels of each group; or instance normalisation, where each channel
    /// is a group.
    pub(super) fn group_norm(&mut self, call: Call<'m>, each_channel: bool) -> Result<(), Problem> {
        let of = self.image(call.need(0)?)?;
        let of = self.batch_in_order(of)?;
        let [_, channels, ..] = *of.dims() else {
            return Err(Problem::unsupported("a normalisation of vectors", "those of channels"));
        };
        let groups = if each_channel { Some(channels as i64) } else { call.int("num_groups")? };
        let groups = groups.and_then(|groups| usize::try_from(groups).ok());
        let groups = groups.filter(|groups| *groups > 0 && channels.is_multiple_of(*groups));
        let groups = groups.ok_or_else(|| Problem::broken("groups that do not divide the channels"))?;
        let axis = Axis { outer: groups, len: of.view.len() / groups, inner: 1 };
        let alike = of.view.len() / channels;
        let norm = Norm { axis, count: channels, alike, ..Norm::over_channels(self.shape(of)) };
        let image = self.sample_norm(call, of, norm)?;
        self.set(call, Value::Built(image))
    }

    /// A batch whose elements are in order.
    fn batch_in_order(&mut self, of: Image) -> Result<Image, Problem> {
        if of.batch != Some(0) || of.dims()[0] != 1 {
            return Err(Problem::unsupported("a normalisation of parts of samples", "those of samples"));
        }
        let dims = of.dims().to_vec();
        if of == Image::of(of.value, &dims) && of.view.len() == self.shape(of).elements() {
            return Ok(of);
        }
        let value = self.in_order(of, shape_of(&dims))?;
        Ok(Image::of(value, &dims))
    }
}
