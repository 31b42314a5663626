//! Layers with parameters.

use super::attributes::Call;
use super::constant::Constant;
use super::error::Problem;
use super::reader::Reader;
use super::value::{Image, Layer, LayerKind, Pending, Value, View};
use crate::{Conv, Epsilon};

impl<'m> Reader<'m> {
    pub(super) fn conv(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let weight = self.constant(call.need(1)?, "weights")?;
        let &[out, inputs, rows, columns] = weight.dims.as_slice() else {
            return Err(Problem::unsupported(
                format!("a convolution with weights of {} dimensions", weight.dims.len()),
                "those of images, with weights of four dimensions",
            ));
        };
        let kernel = [rows, columns];
        if let Some(said) = call.ints("kernel_shape")?
            && said != kernel.map(|side| side as i64)
        {
            return Err(Problem::broken(format!("kernel_shape is {said:?}, but the weights say {kernel:?}")));
        }
        let groups = call.int("group")?.unwrap_or(1);
        let groups = usize::try_from(groups).ok().filter(|groups| *groups > 0);
        let groups = groups.ok_or_else(|| Problem::broken("a convolution needs one group at least"))?;
        let (of, window) = self.padded_window(call, kernel)?;
        let channels = self.shape(of).channels;
        if inputs.checked_mul(groups) != Some(channels) {
            return Err(Problem::broken(format!(
                "the weights are for {groups} x {inputs} channels, but the image has {channels}"
            )));
        }
        let bias = call.input(2).map(|name| self.constant(name, "biases")).transpose()?;
        let kind = LayerKind::Conv { window, groups };
        self.add_layer(call, Layer { kind, of, weight, view: View::Image, names: names(call)? }, bias, out)
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

    pub(super) fn matmul(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let [a, b] = [self.value(call.need(0)?)?, self.value(call.need(1)?)?];
        let (Value::Built(_) | Value::Pending(_), Value::Constant(weight)) = (a, b) else {
            return Err(Problem::unsupported(
                "a matrix product other than of images and weights",
                "linear layers; transformers are not supported",
            ));
        };
        let weight = weight.transposed()?;
        self.linear(call, weight, None)
    }

    /// A linear layer with weights `[out, in]`.
    fn linear(
        &mut self,
        call: Call<'m>,
        weight: Constant<'m>,
        bias: Option<Constant<'m>>,
    ) -> Result<(), Problem> {
        let of = self.image(call.need(0)?)?;
        if of.view != View::Flat {
            let dims = self.dims(of).len();
            return Err(Problem::unsupported(
                format!("a linear layer over something of {} dimensions", dims + 1),
                "linear layers of batch x features; transformers are not supported",
            ));
        }
        let (shape, &[out, inputs]) = (self.shape(of), weight.dims.as_slice()) else {
            return Err(Problem::broken("the weights of a linear layer need two dimensions"));
        };
        if inputs != shape.elements() {
            return Err(Problem::Size { expected: inputs, found: shape });
        }
        let kind = if shape.pixels() == 1 { LayerKind::Linear } else { LayerKind::Dense };
        self.add_layer(call, Layer { kind, of, weight, view: View::Flat, names: names(call)? }, bias, out)
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
        let Layer { kind, of, weight, view, names: [node, output] } = layer;
        let out = weight.dims[0];
        let of_weight = weight.name().and_then(|name| name.strip_suffix(".weight"));
        let otherwise = if matches!(kind, LayerKind::Conv { .. }) { "conv" } else { "linear" };
        let name = self.module([of_weight, Some(if node.is_empty() { output } else { node })], otherwise);
        let key = self.key((kind, out), of.value);
        let first = self.builder.params().len();
        self.count(&weight)?;
        if let Some(bias) = &bias {
            self.count(bias)?;
        }
        let (x, bias) = (of.value, bias.is_some());
        let value = match kind {
            LayerKind::Conv { window, groups } => {
                self.builder.conv2d(&name, x, Conv { out, window, groups, bias })?
            }
            LayerKind::Linear => self.builder.linear(&name, x, out, bias)?,
            LayerKind::Dense => self.builder.dense(&name, x, out, bias)?,
        };
        self.builder.key_params(first, key);
        Ok(Image { value, view })
    }

    pub(super) fn batch_norm(&mut self, call: Call<'m>) -> Result<(), Problem> {
        let of = self.image(call.need(0)?)?;
        let shape = self.shape(of);
        let by_channels = match of.view {
            View::Image | View::Pixels => true,
            View::Flat => shape.pixels() == 1,
            View::Groups(_) => false,
        };
        if !by_channels || !call.switch("spatial", true)? {
            return Err(Problem::unsupported(
                "a normalisation of something else than channels",
                "batch normalisation of channels",
            ));
        }
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
        // In the file it is rounded to single precision; the shortest number that is rounded to it is meant.
        let epsilon = match call.float("epsilon")? {
            None => Epsilon::default(),
            Some(number) => {
                let number = (number as f32).to_string().parse().ok().and_then(Epsilon::new);
                number.ok_or_else(|| Problem::broken("epsilon is negative or no number"))?
            }
        };
        let [node, output] = names(call)?;
        let of_weight = scale.name().filter(|_| affine).and_then(|name| name.strip_suffix(".weight"));
        let name = self.module([of_weight, Some(if node.is_empty() { output } else { node })], "norm");
        let key = affine.then(|| self.key("norm", of.value));
        let first = self.builder.params().len();
        if affine {
            self.count(&scale)?;
            self.count(&bias)?;
        }
        let value = self.builder.batch_norm_with(&name, of.value, affine, epsilon)?;
        if let Some(key) = key {
            self.builder.key_params(first, key);
        }
        self.set_image(call, value, of.view)
    }
}

/// What a node is called, and what it returns.
fn names<'m>(call: Call<'m>) -> Result<[&'m str; 2], Problem> {
    Ok([&call.node.name, call.output()?])
}
