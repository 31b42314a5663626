//! Views of images: what may be read and written, and that nothing else can be.

use std::panic::{AssertUnwindSafe, catch_unwind};

use swapnas_lanes::kernels::dense::{self, DenseWeights};
use swapnas_lanes::kernels::depthwise;
use swapnas_lanes::kernels::pool::{self, Pool};
use swapnas_lanes::kernels::window::Window;
use swapnas_lanes::{Lane, Layout, Level, Planes, PlanesMut};

use crate::support::geometries;

/// Whether something panics.
fn panics<T>(run: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(run)).is_err()
}

/// Two channels of 3 x 4 with a halo of 1, numbered through.
fn numbered() -> (Vec<usize>, Layout) {
    let layout = Layout::new(2, 3, 4, 1);
    ((0..layout.lanes()).collect(), layout)
}

#[test]
fn rows_lie_one_after_the_other() {
    let (lanes, layout) = numbered();
    let planes = Planes::new(&lanes, layout);
    assert_eq!(planes.row(0, -1, -1..5), [0, 1, 2, 3, 4, 5]);
    assert_eq!(planes.row(0, 0, 0..4), [7, 8, 9, 10]);
    assert_eq!(planes.row(1, 3, 3..5), [58, 59]);
    assert_eq!(planes.channels(1..2).row(0, -1, -1..0), [30]);
    assert_eq!(planes.row(1, 3, 5..5), []);
}

#[test]
fn nothing_else_can_be_read() {
    let (lanes, layout) = numbered();
    let planes = Planes::new(&lanes, layout);
    assert!(panics(|| planes.row(2, 0, 0..4)), "channel");
    assert!(panics(|| planes.row(0, -2, 0..4)), "row above");
    assert!(panics(|| planes.row(0, 4, 0..4)), "row below");
    assert!(panics(|| planes.row(0, 0, -2..4)), "column to the left");
    assert!(panics(|| planes.row(0, 0, 0..6)), "column to the right");
    assert!(panics(|| planes.row(0, 0, 7..7)), "no columns, but outside");
    assert!(panics(|| planes.row(0, 0, -2..-2)), "no columns, but outside");
    assert!(panics(|| planes.channels(1..3)), "channels");
    assert!(panics(|| planes.channels(1..2).row(1, 0, 0..4)), "channel of the part");
    assert!(panics(|| Planes::new(&lanes[1..], layout)), "too few lanes");
    let countless = Layout { channels: 1 << 40, rows: 1 << 40, ..layout };
    assert!(panics(|| Planes::new(&lanes, countless)), "more lanes than can be counted");
}

#[test]
fn bands_can_be_written_by_different_threads() {
    let (mut lanes, layout) = numbered();
    let (top, bottom) = PlanesMut::new(&mut lanes, layout).split_at_row(1);
    std::thread::scope(|scope| {
        for (mut band, rows) in [(top, -1..1), (bottom, 1..4)] {
            scope.spawn(move || {
                for channel in 0..2 {
                    for row in rows.clone() {
                        band.row(channel, row, -1..5).fill((1000 + row) as usize);
                    }
                }
            });
        }
    });
    let planes = Planes::new(&lanes, layout);
    for row in -1..4isize {
        assert_eq!(planes.row(1, row, -1..5), [(1000 + row) as usize; 6]);
    }
}

#[test]
fn bands_keep_to_their_rows() {
    let (mut lanes, layout) = numbered();
    let (mut top, mut bottom) = PlanesMut::new(&mut lanes, layout).split_at_row(1);
    assert!(panics(|| top.row(0, 1, 0..4)[0]));
    assert!(panics(|| bottom.row(0, 0, 0..4)[0]));
    assert!(panics(|| bottom.as_planes().row(0, 0, 0..4)[0]));
    assert!(panics(|| top.reborrow().channels(0..1).row(0, 1, 0..4)[0]));
    let (mut none, mut all) = bottom.split_at_row(-5);
    assert!(panics(|| none.row(0, 1, 0..4)[0]));
    assert_eq!(all.row(0, 1, 0..1), [13]);
}

#[test]
fn halos_are_filled_and_nothing_else() {
    for (height, width) in [(3, 4), (2, 3), (5, 6), (3, 9), (0, 0)] {
        let (before, layout) = numbered();
        let mut lanes = before.clone();
        let (mut top, mut bottom) = PlanesMut::new(&mut lanes, layout).split_at_row(1);
        top.fill_halo(height, width, 777);
        bottom.fill_halo(height, width, 777);
        let (before, after) = (Planes::new(&before, layout), Planes::new(&lanes, layout));
        for row in layout.row_range() {
            for column in layout.column_range() {
                let inside = (0..height as isize).contains(&row) && (0..width as isize).contains(&column);
                for channel in 0..2 {
                    let expected = if inside { before.row(channel, row, column..column + 1)[0] } else { 777 };
                    assert_eq!(after.row(channel, row, column..column + 1)[0], expected);
                }
            }
        }
    }
}

#[test]
fn windows_know_what_they_look_at() {
    for geometry in geometries() {
        let [rows, columns] = geometry.outputs;
        let taps: Vec<_> = (0..rows)
            .flat_map(|row| (0..columns).map(move |column| [row, column]))
            .flat_map(|[row, column]| geometry.taps(row, column))
            .collect();
        for axis in [0, 1] {
            let places = || taps.iter().map(|tap| tap[axis]);
            let reach = geometry.window.reach(axis, &(0..geometry.outputs[axis]));
            assert_eq!(Some(reach.start), places().min());
            assert_eq!(Some(reach.end - 1), places().max());
            let output = geometry.outputs[axis] - 1;
            let inside: Vec<_> = geometry
                .taps(if axis == 0 { output } else { 0 }, if axis == 1 { output } else { 0 })
                .into_iter()
                .filter(|tap| (0..geometry.size[axis] as isize).contains(&tap[axis]))
                .collect();
            let across = geometry.window.kernel[1 - axis];
            assert_eq!(geometry.window.taps_inside(axis, output, geometry.size[axis]), inside.len() / across);
        }
        assert_eq!(geometry.window.reach(0, &(2..2)), 0..0);
    }
}

/// The kernels that read by pointers check first that the window stays within what is stored.
#[test]
fn windows_cannot_leave_what_is_stored() {
    let layout = Layout::new(1, 4, 4, 1);
    let lanes = vec![Lane::splat(1.0f32); layout.lanes()];
    let out_layout = Layout::new(1, 6, 6, 0);
    let mut weights = DenseWeights::new();
    weights.pack(1, 1, 9, &[1.0; 9], None);
    let run =
        |which: usize, planes: Planes<'_, Lane>, window: &Window, rows: std::ops::Range<usize>, width| {
            let (level, mut out) = (Level::best(), vec![Lane::ZERO; out_layout.lanes()]);
            let out = PlanesMut::new(&mut out, out_layout);
            match which {
                0 => dense::convolve(level, planes, window, &weights, rows, width, out),
                1 => depthwise::convolve(level, planes, window, &[1.0; 9], rows, width, out),
                2 => {
                    let (mut point, mut between) = (DenseWeights::new(), Vec::new());
                    point.pack(1, 1, 1, &[1.0], None);
                    let between = &mut between;
                    depthwise::convolve_separable(
                        level, planes, window, &[1.0; 9], &point, rows, width, between, out,
                    );
                }
                _ => pool::pool(level, planes, window, Pool::Max, rows, width, out),
            }
        };
    let same = Window { kernel: [3, 3], stride: [1, 1], dilation: [1, 1], origin: [-1, -1] };
    let windows = [
        (Window { origin: [-2, -1], ..same }, "above"),
        (Window { origin: [-1, -2], ..same }, "to the left"),
        (Window { origin: [0, -1], ..same }, "below"),
        (Window { origin: [-1, 0], ..same }, "to the right"),
        (Window { stride: [2, 1], ..same }, "with strides over rows"),
        (Window { stride: [1, 2], ..same }, "with strides over columns"),
        (Window { dilation: [2, 1], ..same }, "with dilated rows"),
        (Window { dilation: [1, 2], ..same }, "with dilated columns"),
        // Offsets that wrap around to something small.
        (Window { dilation: [(usize::MAX >> 1) + 2, 1], ..same }, "with absurd dilation"),
        (Window { dilation: [1, usize::MAX], ..same }, "with absurd dilation"),
    ];
    let planes = Planes::new(&lanes, layout);
    for which in 0..4 {
        run(which, planes, &same, 0..4, 4);
        for (window, how) in &windows {
            assert!(panics(|| run(which, planes, window, 0..4, 4)), "kernel {which} {how}");
        }
        assert!(panics(|| run(which, planes, &same, 1..5, 4)), "kernel {which}, a row too many");
        assert!(panics(|| run(which, planes, &same, 0..4, 5)), "kernel {which}, a column too many");
        let mut lanes = lanes.clone();
        let (band, _) = PlanesMut::new(&mut lanes, layout).split_at_row(3);
        run(which, band.as_planes(), &same, 0..2, 4);
        assert!(panics(|| run(which, band.as_planes(), &same, 0..3, 4)), "kernel {which}, another's row");
    }
}

#[test]
fn whole_images_without_a_halo_are_slices() {
    let layout = Layout::new(3, 2, 4, 0);
    let mut lanes: Vec<usize> = (0..layout.lanes()).collect();
    let planes = Planes::new(&lanes, layout);
    assert_eq!(planes.as_lanes(2, 4), Some(&lanes[..]));
    assert_eq!(planes.channels(1..3).as_lanes(2, 4), Some(&lanes[8..]));
    assert_eq!(planes.as_lanes(4, 2), None, "of other rows and columns");
    let (numbered, halo) = numbered();
    assert_eq!(Planes::new(&numbered, halo).as_lanes(3, 4), None, "with a halo");

    let mut planes = PlanesMut::new(&mut lanes, layout).channels(1..2);
    planes.as_lanes(2, 4).expect("whole").fill(0);
    assert_eq!(planes.as_planes().as_lanes(2, 4), Some(&[0; 8][..]));
    let (mut above, below) = planes.split_at_row(1);
    assert_eq!(above.as_lanes(2, 4), None, "a part of the rows");
    assert_eq!(below.as_planes().as_lanes(2, 4), None, "a part of the rows");
    assert_eq!((lanes[7], lanes[8], lanes[15], lanes[16]), (7, 0, 0, 16));
}
