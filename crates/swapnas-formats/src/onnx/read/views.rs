//! Elements brought into the order in which operations of the network read them.

use std::sync::Arc;

use swapnas_graph::tensor::Real;
use swapnas_graph::{Shape, Strided, ValueId};

use super::MOST_ELEMENTS;
use super::constant::{Constant, MOST_CONSTANT};
use super::error::{Limit, Problem, quote};
use super::reader::Reader;
use super::shapes::laid_out;
use super::value::Image;

/// Dimensions that several values are brought to, that of the batch with what it has for each sample.
pub(super) struct Common {
    pub dims: Vec<usize>,
    pub batch: Option<usize>,
    pub before: usize,
}

impl<'m> Reader<'m> {
    /// The value of that name as images: batch x channels x height x width.
    pub(super) fn whole_image(&mut self, name: &'m str) -> Result<Image, Problem> {
        let image = self.image(name)?;
        let image = if image.dims().is_empty() { image } else { self.as_batch(image, 0) };
        let &[1, channels, height, width] = image.dims() else {
            return Err(Problem::unsupported(
                format!("an operation on {} of {} dimensions", quote(name), image.dims().len()),
                "images of batch x channels x height x width",
            ));
        };
        if image.batch.is_some_and(|batch| batch != 0) {
            return Err(Problem::unsupported(
                format!("an operation on {}, whose samples are not its outermost dimension", quote(name)),
                "images of batch x channels x height x width",
            ));
        }
        // One that is the same for every sample stays so.
        let shape = Shape::new(channels, height, width);
        let value = self.in_order(image, shape)?;
        Ok(Image { batch: image.batch, ..Image::whole(value, shape) })
    }

    /// A value of this shape with the elements of an image in order.
    pub(super) fn in_order(&mut self, image: Image, shape: Shape) -> Result<ValueId, Problem> {
        let Shape { channels, height, width } = shape;
        if image.view.merged() == whole(shape) && self.shape(image) == shape {
            return Ok(image.value);
        }
        // Some channels of images are a part of their own.
        let (from, pixels) = (self.shape(image), height * width);
        let parts = Strided::new(&[(channels, pixels), (pixels, 1)], image.view.offset());
        if (from.height, from.width) == (height, width)
            && image.view.offset().is_multiple_of(pixels)
            && parts.map(|view| view.merged()) == Some(image.view.merged())
        {
            return Ok(self.builder.slice(image.value, image.view.offset() / pixels, channels)?);
        }
        Ok(self.builder.rearrange(image.value, image.view, shape)?)
    }

    /// The same image, all of whose value's elements are its own, each once: what functions of single elements can be
    /// applied to as it lies.
    pub(super) fn own(&mut self, image: Image) -> Result<Image, Problem> {
        if is_own(&image.view, self.shape(image)) {
            return Ok(image);
        }
        // Channels stay channels where they are some of an image's.
        let shape = match *image.dims() {
            [1, channels, height, width] if image.batch == Some(0) => Shape::new(channels, height, width),
            [.., last] if image.dims().len() > 2 => Shape::new(image.view.len() / last.max(1), 1, last),
            _ => Shape::new(image.view.len(), 1, 1),
        };
        let value = self.in_order(image, shape)?;
        let view = Strided::contiguous(image.dims()).expect("as many as there are");
        Ok(Image { value, view, ..image })
    }

    /// The value of what the network returns: images, or the features of vectors or tokens as channels.
    pub(super) fn returned(&mut self, image: Image) -> Result<ValueId, Problem> {
        let shape = self.shape(image);
        if image.is_whole(shape) || image.is_flat(shape) {
            return Ok(image.value);
        }
        match *image.dims() {
            [1, channels, height, width] => self.in_order(image, Shape::new(channels, height, width)),
            [1, features] => self.in_order(image, Shape::new(features, 1, 1)),
            _ => Ok(self.tokens(image)?.value),
        }
    }

    /// A value whose channels are the last dimension of an image and whose pixels are all others in order, and the
    /// view that has them in the image's dimensions.
    pub(super) fn tokens(&mut self, image: Image) -> Result<Image, Problem> {
        let Some((&features, others)) = image.dims().split_last() else {
            return Err(Problem::unsupported("one number by itself", "what has dimensions"));
        };
        let view = tokens_view(features, others);
        let shape = self.shape(image);
        if image.view == view && shape.channels == features {
            return Ok(image);
        }
        let order: Vec<usize> = std::iter::once(others.len()).chain(0..others.len()).collect();
        let pixels: usize = others.iter().product();
        // As images have them, if they are some.
        let shape = match *others {
            [1, height, width] => Shape::new(features, height, width),
            _ => Shape::new(features, 1, pixels),
        };
        let turned = image.with(image.view.permuted(&order), None);
        let value = self.in_order(turned, shape)?;
        Ok(Image { value, view, ..image })
    }

    /// A batch whose second dimension is the channels of its value, and the others are pixels.
    pub(super) fn with_channels(&mut self, image: Image) -> Result<Image, Problem> {
        let rank = image.dims().len();
        let order: Vec<usize> = [1, 0].into_iter().chain(2..rank).collect();
        let dims: Vec<usize> = order.iter().map(|axis| image.dims()[*axis]).collect();
        let view = laid_out(&dims, &order);
        let found = self.shape(image);
        // As they are, whatever the rows and columns.
        if image.view == view && found.channels == dims[0] {
            return Ok(image);
        }
        let shape = match dims[..] {
            [channels, parts, height, width] => Shape::new(channels, parts * height, width),
            _ => Shape::new(dims[0], 1, image.view.len() / dims[0].max(1)),
        };
        let value = self.in_order(image.with(image.view.permuted(&order), None), shape)?;
        Ok(Image { value, view, ..image })
    }

    /// What is the same for all samples as a batch along a dimension in which it is repeated for each of them, as it is
    /// written where the size of the batch is known.
    pub(super) fn as_batch(&self, image: Image, axis: usize) -> Image {
        let repeated =
            image.view.dims().nth(axis).is_some_and(|(size, stride)| Some(size) == self.batch && stride == 0);
        if image.batch.is_none() && repeated {
            return image.with(image.view.part(axis, 0, 1, 1), Some(axis));
        }
        image
    }

    /// The same of two values that are joined element by element: along the batch of the other one.
    pub(super) fn as_batches(&self, images: [Image; 2]) -> [Image; 2] {
        let along = |image: Image, other: Image| {
            let behind = other.batch.map(|axis| other.dims().len() - axis);
            match behind.and_then(|behind| image.dims().len().checked_sub(behind)) {
                Some(axis) => self.as_batch(image, axis),
                None => image,
            }
        };
        [along(images[0], images[1]), along(images[1], images[0])]
    }

    /// The dimensions that the values of an operation on pairs of elements have together.
    pub(super) fn common(&self, images: &[Image]) -> Result<Common, Problem> {
        let rank = images.iter().map(|image| image.dims().len()).max().unwrap_or(0);
        let (mut dims, mut batch) = (vec![1; rank], None);
        let of_batch = images.iter().find(|image| image.batch.is_some());
        let merged = of_batch.map_or(1, |image| image.before);
        for image in images {
            let before = rank - image.dims().len();
            for (dim, size) in dims[before..].iter_mut().zip(image.dims()) {
                if *dim != *size && *dim != 1 && *size != 1 {
                    return Err(self.unequal(images));
                }
                *dim = (*dim).max(*size);
            }
            if let Some(axis) = image.batch.map(|axis| axis + before)
                && (batch.replace(axis).is_some_and(|other| other != axis) || image.before != merged)
            {
                return Err(self.unequal(images));
            }
        }
        // What has several elements where others have those of the batch would have to have as many as that.
        for image in images {
            let before = rank - image.dims().len();
            let at_batch = batch.and_then(|axis| axis.checked_sub(before));
            if let Some(axis) = at_batch
                && image.batch.is_none()
                && image.dims()[axis] != 1
                && self.batch != Some(1)
            {
                return Err(self.unequal(images));
            }
        }
        Ok(Common { dims, batch, before: merged })
    }

    /// The error that values do not fit.
    pub(super) fn unequal(&self, images: &[Image]) -> Problem {
        let text = images.iter().map(|image| {
            let dims =
                image.dims().iter().enumerate().map(|(axis, size)| match (image.batch == Some(axis), size) {
                    (true, 1) => "batch".to_owned(),
                    (true, size) => format!("{size}*batch"),
                    (false, size) => size.to_string(),
                });
            dims.collect::<Vec<_>>().join("x")
        });
        Problem::broken(format!("values of {} do not fit", text.collect::<Vec<_>>().join(" and ")))
    }

    /// The view of an image in the common dimensions, its elements repeated where it has only one.
    pub(super) fn expanded(&self, image: Image, common: &Common) -> Result<Strided, Problem> {
        let before = common.dims.len() - image.dims().len();
        let own = std::iter::repeat_n((1, 0), before).chain(image.view.dims());
        let dims: Vec<(usize, usize)> = own
            .zip(&common.dims)
            .map(|((size, stride), common)| (*common, if size == 1 { 0 } else { stride }))
            .collect();
        let view = Strided::new(&dims, image.view.offset());
        view.filter(|view| view.len() as u128 <= MOST_ELEMENTS).ok_or_else(|| {
            let found = common.dims.iter().fold(1u128, |product, dim| product.saturating_mul(*dim as u128));
            Limit { what: "elements of a value", found, most: MOST_ELEMENTS }.into()
        })
    }

    /// A tensor of the file as a value that is the same for every sample: a parameter, or numbers.
    pub(super) fn constant_image(&mut self, constant: &Constant<'m>) -> Result<Image, Problem> {
        let dims = constant.dims.clone();
        let elements = constant.elements();
        if elements == 0 {
            return Err(Problem::broken("a tensor has no elements"));
        }
        let shape = match dims[..] {
            [.., last] if dims.len() > 1 => Shape::new(elements / last, 1, last),
            _ => Shape::new(elements, 1, 1),
        };
        let value = if constant.is_parameter() {
            let name = constant.name().unwrap_or_default();
            let name = self.module([Some(name), None], "parameter");
            let key = self.key(("parameter", &dims), self.builder.input());
            let first = self.builder.params().len();
            self.count(constant)?;
            let value = self.builder.parameter(&name, dims.clone(), shape)?;
            self.builder.key_params(first, key);
            self.share(first, value)
        } else {
            if elements > MOST_CONSTANT {
                let (found, most) = (elements as u128, MOST_CONSTANT as u128);
                return Err(Limit { what: "numbers of a constant", found, most }.into());
            }
            let numbers = constant.numbers().map_err(Problem::Broken)?;
            // What excludes an element from a softmax does so as the largest number, too.
            let real = |x: f32| Real::new(f64::from(x.clamp(f32::MIN, f32::MAX)));
            let numbers: Option<Arc<[Real]>> = numbers.into_iter().map(real).collect();
            let numbers = numbers.ok_or_else(|| Problem::broken("a constant is no number"))?;
            self.builder.constant(numbers, shape)?
        };
        let view =
            Strided::contiguous(&dims).ok_or_else(|| Problem::broken("a tensor of too many dimensions"))?;
        Ok(Image { value, view, batch: None, before: 1 })
    }
}

/// All elements of a value in order.
fn whole(shape: Shape) -> Strided {
    Strided::contiguous(&[shape.elements()])
        .expect("values have no more elements than can be counted")
        .merged()
}

/// The view of features, which are channels, behind other dimensions, which are pixels.
pub(super) fn tokens_view(features: usize, others: &[usize]) -> Strided {
    let dims: Vec<usize> = std::iter::once(features).chain(others.iter().copied()).collect();
    let order: Vec<usize> = (1..dims.len()).chain([0]).collect();
    Strided::contiguous(&dims).expect("as many as there are").permuted(&order)
}

/// Whether a view has every element of a value once.
pub(super) fn is_own(view: &Strided, shape: Shape) -> bool {
    view.len() == shape.elements()
        && view.offset() == 0
        && view.permuted(&storage_order(view)).merged() == whole(shape)
}

/// The dimensions of a view by their strides, the largest first: the order in which its elements lie.
pub(super) fn storage_order(view: &Strided) -> Vec<usize> {
    let mut order: Vec<usize> = (0..view.sizes().len()).collect();
    order.sort_by_key(|axis| std::cmp::Reverse(view.strides()[*axis]));
    order
}
