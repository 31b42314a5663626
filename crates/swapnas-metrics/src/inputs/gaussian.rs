//! White noise.

use rand::RngExt;
use rand_distr::StandardNormal;
use rayon::prelude::*;
use swapnas_graph::Shape;

use super::{Images, InputError, image_rng};

/// Every value is drawn from N(0, 1).
pub(super) fn draw(shape: Shape, count: usize, seed: u64) -> Result<Images, InputError> {
    let mut images = Images::zeros(shape, count)?;
    images.each_mut().enumerate().for_each(|(index, image)| {
        let mut rng = image_rng("gaussian", seed, index);
        image.fill_with(|| rng.sample(StandardNormal));
    });
    Ok(images)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_depends_on_its_number_and_the_seed_only() {
        let shape = Shape::new(2, 5, 7);
        let many = draw(shape, 9, 3).unwrap();
        let few = draw(shape, 4, 3).unwrap();
        assert_eq!(many.data[..few.data.len()], few.data);
        assert_ne!(many.image(0), many.image(1));
        assert_ne!(draw(shape, 4, 4).unwrap(), few);
    }

    #[test]
    fn values_are_standard_normal() {
        let images = draw(Shape::new(3, 64, 64), 16, 1).unwrap();
        let n = images.data.len() as f64;
        let moment = |k| images.data.iter().map(|&x| f64::from(x).powi(k)).sum::<f64>() / n;
        // Standard errors of the mean, variance and fourth moment: 1, 1.4 and 10 times 1/sqrt(n).
        assert!(moment(1).abs() < 5.0 / n.sqrt());
        assert!((moment(2) - 1.0).abs() < 7.0 / n.sqrt());
        assert!((moment(4) - 3.0).abs() < 50.0 / n.sqrt());
    }
}
