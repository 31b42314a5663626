//! Products of two matrices of samples, and elements in another order.

use swapnas_lanes::kernels::arrange;
use swapnas_lanes::kernels::product::Product;
use swapnas_lanes::kernels::rows::WriteMode;
use swapnas_lanes::{Lane, Level, SAMPLES, Strided};

use crate::support::{Noise, Number, at_every_level};

at_every_level!(products_are_sums_of_products, elements_are_moved_and_added_back);

fn lanes<E: Number>(numbers: &[[f64; SAMPLES]]) -> Vec<Lane<E>> {
    numbers.iter().map(|lane| Lane(lane.map(E::from_f64))).collect()
}

fn noise(seed: u64, count: usize) -> Vec<[f64; SAMPLES]> {
    let mut noise = Noise::new(seed);
    (0..count).map(|_| noise.lane()).collect()
}

/// Rows, terms and columns around the tiles of 6 x 4, 3 x 4 and 1 x 1, and blocks of 64 terms and 48 rows.
const SIZES: [[usize; 3]; 12] = [
    [1, 1, 1],
    [2, 3, 3],
    [3, 1, 4],
    [5, 2, 5],
    [6, 4, 4],
    [7, 5, 9],
    [12, 3, 8],
    [14, 2, 31],
    [4, 7, 33],
    [9, 0, 2],
    [53, 66, 5],
    [2, 130, 1],
];

fn products_are_sums_of_products<E: Number>(level: Level) {
    for (case, [rows, terms, columns]) in SIZES.into_iter().enumerate() {
        let view = |dims: [usize; 3]| Strided::contiguous(&dims).expect("a small view");
        // Two pairs of matrices: as they lie, transposed, and with the second factor of both the same.
        let shared = Strided::new(&[(2, 0), (terms, columns), (columns, 1)], 0).expect("a small view");
        let products = [
            Product {
                a: view([2, rows, terms]),
                b: view([2, terms, columns]),
                out: view([2, rows, columns]),
            },
            Product {
                a: view([2, terms, rows]).permuted(&[0, 2, 1]),
                b: view([columns, 2, terms]).permuted(&[1, 2, 0]),
                out: view([columns, rows, 2]).permuted(&[2, 1, 0]),
            },
            Product { a: view([2, rows, terms]), b: shared, out: view([2, rows, columns]) },
        ];
        for product in products {
            assert!(product.fits());
            assert_eq!(product.macs(), (2 * rows * terms * columns) as u64);
            let seed = case as u64;
            let (a, b) = (noise(seed, 2 * rows * terms), noise(seed + 50, 2 * terms * columns));
            let before = noise(seed + 90, 2 * rows * columns);
            let places = |view: &Strided| view.places().collect::<Vec<_>>();
            let [of_a, of_b, of_out] = [&product.a, &product.b, &product.out].map(places);
            for into in [WriteMode::Overwrite, WriteMode::Sum] {
                let run = |level: Level| {
                    let mut out = lanes::<E>(&before);
                    product.run(level, &lanes(&a), &lanes(&b), into, &mut out);
                    out
                };
                let found = run(level);
                assert_eq!(found, run(Level::PORTABLE), "{product:?}");
                for (index, place) in of_out.iter().enumerate() {
                    let (matrix, i, j) = (index / (rows * columns), index / columns % rows, index % columns);
                    for sample in 0..SAMPLES {
                        let x = |k: usize| a[of_a[(matrix * rows + i) * terms + k]][sample];
                        let y = |k: usize| b[of_b[(matrix * terms + k) * columns + j]][sample];
                        let start = if into == WriteMode::Sum { before[*place][sample] } else { 0.0 };
                        let exact = (0..terms).fold(start, |sum, k| sum + x(k) * y(k));
                        let error = (found[*place].0[sample].to_f64() - exact).abs();
                        assert!(
                            error <= (terms + 2) as f64 * (terms + 1) as f64 * E::ROUNDOFF,
                            "{product:?}"
                        );
                    }
                }
            }
        }
    }
}

/// Gradients of factors that several matrices share are summed up.
#[test]
fn the_way_back_sums_what_was_shared() {
    let product = Product {
        a: Strided::contiguous(&[3, 2, 4]).expect("a small view"),
        b: Strided::new(&[(3, 0), (4, 5), (5, 1)], 0).expect("a small view"),
        out: Strided::contiguous(&[3, 2, 5]).expect("a small view"),
    };
    let (a, gradient) = (lanes::<f64>(&noise(1, 24)), lanes::<f64>(&noise(2, 30)));
    let mut back = vec![Lane::ZERO; 20];
    product.back_to_b().run(Level::best(), &a, &gradient, WriteMode::Sum, &mut back);
    for (place, back) in back.iter().enumerate() {
        let (k, j) = (place / 5, place % 5);
        for sample in 0..SAMPLES {
            let rows = (0..6).map(|row| a[row * 4 + k].0[sample] * gradient[row * 5 + j].0[sample]);
            assert!((back.0[sample] - rows.sum::<f64>()).abs() < 1e-14);
        }
    }
}

#[test]
fn matrices_that_do_not_fit_are_not_multiplied() {
    let view = |dims: [usize; 2]| Strided::contiguous(&dims).expect("a small view");
    let product = |a, b, out| Product { a: view(a), b: view(b), out: view(out) };
    assert!(product([2, 3], [3, 4], [2, 4]).fits());
    for other in [
        product([2, 3], [2, 4], [2, 4]),
        product([2, 3], [3, 4], [3, 4]),
        product([2, 3], [3, 4], [2, 3]),
        Product {
            a: Strided::contiguous(&[2, 2, 3]).expect("a small view"),
            ..product([2, 3], [3, 4], [2, 4])
        },
    ] {
        assert!(!other.fits(), "{other:?}");
    }
}

fn elements_are_moved_and_added_back<E: Number>(level: Level) {
    let cube = Strided::contiguous(&[3, 4, 5]).expect("a small view");
    let views = [
        cube,
        cube.permuted(&[2, 0, 1]),
        cube.part(1, 1, 2, 2).permuted(&[1, 0, 2]),
        Strided::new(&[(2, 0), (60, 1), (2, 0)], 0).expect("a small view"),
        Strided::new(&[], 7).expect("a small view"),
    ];
    let from = lanes::<E>(&noise(3, 60));
    for view in views {
        let mut out = vec![Lane::ZERO; view.len()];
        arrange::gather(&from, &view, &mut out);
        let mut back = from.clone();
        arrange::scatter(level, &out, &view, &mut back);
        let mut expected = from.clone();
        for (place, out) in view.places().zip(&out) {
            assert_eq!(*out, from[place], "{view:?}");
            expected[place] = expected[place] + from[place];
        }
        assert_eq!(back, expected, "{view:?}");
    }
}
