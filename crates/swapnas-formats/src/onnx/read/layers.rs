//! Layers with parameters.

use swapnas_graph::{Conv, Epsilon, Shape, Strided};

use super::attributes::Call;
use super::constant::Constant;
use super::error::Problem;
use super::pools::transposed_window;
use super::reader::Reader;
use super::value::{Image, Layer, LayerKind, Pending, Value};
use super::views::tokens_view;

/// The weights of a convolution, and what the node says of them.
struct Kernels<'m> {
    /// Of four dimensions.
    weight: Constant<'m>,
    /// The first two.
    dims: [usize; 2],
    /// The others.
    kernel: [usize; 2],
    groups: usize,
    /// Whether there were three.
    is_line: bool,
}

impl<'m> Reader<'m> {
    pub(super) fn conv(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let Kernels { weight, dims: [out, inputs], kernel, groups, is_line } = self.kernels(call)?;
        let several = if is_line { None } else { self.parts_of_samples(call.need(0)?)? };
        let (of, window, parts) = match several {
            Some(images) => {
                let (of, window, parts) = self.stacked(call, images, kernel)?;
                (of, window, Some(parts))
            }
            None => {
                let (of, window) =
                    if is_line { self.line(call, kernel)? } else { self.padded_window(call, kernel)? };
                (of, window, None)
            }
        };
        let channels = self.shape(of).channels;
        if inputs.checked_mul(groups) != Some(channels) {
            return Err(Problem::broken(format!(
                "the weights are for {groups} x {inputs} channels, but the image has {channels}"
            )));
        }
        let bias = call.input(2).map(|name| self.constant(name, "biases")).transpose()?;
        let kind = LayerKind::Conv { window, groups, is_line, parts };
        self.add_layer(call, Layer { kind, of, weight, names: names(call)? }, bias, out)
    }

    pub(super) fn conv_transpose(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let Kernels { weight, dims: [inputs, outputs], kernel, groups, is_line } = self.kernels(call)?;
        let name = call.need(0)?;
        let of = if is_line { self.whole_line(name)? } else { self.whole_image(name)? };
        let shape = self.shape(of);
        if inputs != shape.channels {
            let channels = shape.channels;
            return Err(Problem::broken(format!(
                "the weights are for {inputs} channels, but the image has {channels}"
            )));
        }
        let window = transposed_window(call, kernel, shape, is_line)?;
        let bias = call.input(2).map(|name| self.constant(name, "biases")).transpose()?;
        let kind = LayerKind::ConvTranspose { window, groups, is_line };
        let out = outputs.saturating_mul(groups);
        self.add_layer(call, Layer { kind, of, weight, names: names(call)? }, bias, out)
    }

    /// The weights of a convolution.
    fn kernels(&mut self, call: Call<'m>) -> Result<Kernels<'m>, Problem> {
        let weight = self.constant(call.need(1)?, "weights")?;
        let is_line = weight.dims.len() == 3;
        let weight = match weight.dims[..] {
            // Lines are images of one row.
            [first, second, columns] => weight.with_dims(vec![first, second, 1, columns]),
            _ => weight,
        };
        let &[first, second, rows, columns] = weight.dims.as_slice() else {
            return Err(Problem::unsupported(
                format!("a convolution with weights of {} dimensions", weight.dims.len()),
                "those of images, with weights of four dimensions",
            ));
        };
        let kernel = [rows, columns];
        if let Some(said) = call.ints("kernel_shape")?
            && said != &kernel.map(|side| side as i64)[usize::from(is_line)..]
        {
            return Err(Problem::broken(format!("kernel_shape is {said:?}, but the weights say {kernel:?}")));
        }
        let groups = call.int("group")?.unwrap_or(1);
        let groups = usize::try_from(groups).ok().filter(|groups| *groups > 0);
        let groups = groups.ok_or_else(|| Problem::broken("a convolution needs one group at least"))?;
        Ok(Kernels { weight, dims: [first, second], kernel, groups, is_line })
    }

    pub(super) fn gemm(&mut self, call: Call<'m>) -> Result<(), Problem> {
        for (name, expected) in [("alpha", 1.0), ("beta", 1.0)] {
            if let Some(found) = call.float(name)?
                && found != expected
                && (name == "alpha" || call.input(2).is_some())
            {
                return Err(Problem::unsupported(
                    format!("{name} = {found}"),
                    "linear layers, where it is 1",
                ));
            }
        }
        if call.switch("transA", false)? {
            return Err(Problem::unsupported("a transposed first factor", "linear layers"));
        }
        let weight = self.constant(call.need(1)?, "weights")?;
        let weight = if call.switch("transB", false)? { weight } else { weight.transposed()? };
        let bias = call.input(2).map(|name| self.constant(name, "biases")).transpose()?;
        self.linear(call, weight, bias)
    }

    /// A linear layer with weights `[out, in]` over the last dimension of the first input.
    pub(super) fn linear(
        &mut self,
        call: Call<'m>,
        weight: Constant<'m>,
        bias: Option<Constant<'m>>,
    ) -> Result<(), Problem> {
        let of = self.image(call.need(0)?)?;
        let &[out, inputs] = weight.dims.as_slice() else {
            return Err(Problem::broken("the weights of a linear layer need two dimensions"));
        };
        let shape = self.shape(of);
        if of.dims().last() != Some(&inputs) {
            return Err(Problem::Size { expected: inputs, found: shape });
        }
        let is_dense = of.is_flat(shape) && shape.pixels() > 1;
        let (kind, of) =
            if is_dense { (LayerKind::Dense, of) } else { (LayerKind::Linear, self.tokens(of)?) };
        self.add_layer(call, Layer { kind, of, weight, names: names(call)? }, bias, out)
    }

    /// Builds a layer, or keeps it until its bias is added.
    fn add_layer(
        &mut self,
        call: Call<'m>,
        layer: Layer<'m>,
        bias: Option<Constant<'m>>,
        out: usize,
    ) -> Result<(), Problem> {
        let output = call.output()?;
        // Exporters give layers without a bias one of zeros.
        let bias = bias.filter(|bias| bias.learned || !bias.is_all(0.0));
        if let Some(bias) = &bias {
            if !bias.learned {
                return Err(Problem::unsupported(
                    "a constant bias",
                    "biases that are stored as initialisers",
                ));
            }
            if bias.elements() != out {
                let text = format!("the bias has {} elements for {out} outputs", bias.elements());
                return Err(Problem::broken(text));
            }
        } else if self.readers(output) == 1 && !self.is_output(output) {
            return self.set(call, Value::Pending(Pending::Layer(layer)));
        }
        let image = self.layer(layer, bias)?;
        self.set(call, Value::Built(image))
    }

    /// Builds a layer.
    pub(super) fn layer(&mut self, layer: Layer<'m>, bias: Option<Constant<'m>>) -> Result<Image, Problem> {
        let Layer { kind, of, weight, names: [node, output] } = layer;
        let out = kind.outputs(&weight.dims);
        let of_weight = weight.name().and_then(|name| name.strip_suffix(".weight"));
        let is_conv = matches!(kind, LayerKind::Conv { .. } | LayerKind::ConvTranspose { .. });
        let otherwise = if is_conv { "conv" } else { "linear" };
        let name = self.module([of_weight, Some(if node.is_empty() { output } else { node })], otherwise);
        let key = self.key((kind.identity(), out), of.value);
        let first = self.builder.params().len();
        self.count(&weight)?;
        if let Some(bias) = &bias {
            self.count(bias)?;
        }
        let (x, bias) = (of.value, bias.is_some());
        let value = match kind {
            LayerKind::Conv { window, groups, .. } => {
                self.builder.conv2d(&name, x, Conv { out, window, groups, bias })?
            }
            LayerKind::ConvTranspose { window, groups, .. } => {
                self.builder.conv_transpose(&name, x, Conv { out, window, groups, bias })?
            }
            LayerKind::Linear => self.builder.linear(&name, x, out, bias)?,
            LayerKind::Dense => self.builder.dense(&name, x, out, bias)?,
        };
        self.builder.key_params(first, key);
        let value = self.share(first, value);
        let shape = self.builder.shape(value);
        Ok(match kind {
            LayerKind::Conv { is_line: true, .. } | LayerKind::ConvTranspose { is_line: true, .. } => {
                Image::of(value, &[1, shape.channels, shape.width])
            }
            LayerKind::Conv { parts: Some([parts, rows]), window, .. } => {
                // Between the results of parts are those of windows that see two of them.
                let of_part = self.shape(of).height / parts / window.stride[0];
                let Shape { channels, height, width } = shape;
                let dims = [(parts, of_part * width), (channels, height * width), (rows, width), (width, 1)];
                let view = Strided::new(&dims, 0).ok_or_else(|| Problem::broken("too many elements"))?;
                Image { value, view, batch: Some(0), before: 1 }
            }
            LayerKind::Conv { .. } | LayerKind::ConvTranspose { .. } => {
                Image { batch: of.batch, ..Image::whole(value, shape) }
            }
            LayerKind::Linear => {
                let others = &of.dims()[..of.dims().len() - 1];
                Image { value, view: tokens_view(out, others), ..of }
            }
            LayerKind::Dense => Image::flat(value, shape),
        })
    }

    pub(super) fn batch_norm(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let of = self.image(call.need(0)?)?;
        if of.batch != Some(0) || of.dims().len() < 2 || !call.switch("spatial", true)? {
            return Err(Problem::unsupported(
                "a normalisation of something else than channels",
                "batch normalisation of channels",
            ));
        }
        // Parts of samples that are batches of their own are pixels of these.
        let of = self.with_channels(of)?;
        let shape = self.shape(of);
        let scale = self.constant(call.need(1)?, "weights")?;
        let bias = self.constant(call.need(2)?, "biases")?;
        for constant in [&scale, &bias] {
            if constant.elements() != shape.channels {
                let (found, channels) = (constant.elements(), shape.channels);
                return Err(Problem::broken(format!("{found} parameters for {channels} channels")));
            }
        }
        // What is no initialiser is not learned: exporters write such a one where there are no parameters.
        let affine = scale.learned || bias.learned;
        let is_identity = || scale.is_all(1.0) && bias.is_all(0.0);
        if !affine && !is_identity() {
            return Err(Problem::unsupported(
                "a normalisation with constant weights",
                "those with weights that are stored as initialisers, or none",
            ));
        }
        let epsilon = epsilon(call)?;
        let [node, output] = names(call)?;
        let of_weight = scale.name().filter(|_| affine).and_then(|name| name.strip_suffix(".weight"));
        let name = self.module([of_weight, Some(if node.is_empty() { output } else { node })], "norm");
        let key = affine.then(|| self.key("norm", of.value));
        let first = self.builder.params().len();
        if affine {
            self.count(&scale)?;
            self.count(&bias)?;
        }
        let mut value = self.builder.batch_norm_with(&name, of.value, affine, epsilon)?;
        if let Some(key) = key {
            self.builder.key_params(first, key);
            value = self.share(first, value);
        }
        self.set(call, Value::Built(Image { value, ..of }))
    }
}

/// What a node is called, and what it returns.
pub(super) fn names<'m>(call: Call<'m>) -> Result<[&'m str; 2], Problem> {
    Ok([&call.node.name, call.output()?])
}

/// What is added to the variance. In the file it is rounded to single precision; the shortest number that is rounded to
/// it is meant.
pub(super) fn epsilon(call: Call<'_>) -> Result<Epsilon, Problem> {
    match call.float("epsilon")? {
        None => Ok(Epsilon::default()),
        Some(number) => {
            let number = (number as f32).to_string().parse().ok().and_then(Epsilon::new);
            number.ok_or_else(|| Problem::broken("epsilon is negative or no number"))
        }
    }
}
