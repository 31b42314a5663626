//! Work divided into blocks of samples and bands of rows, on one thread or several.

use std::ops::Range;

use rayon::prelude::*;
use swapnas_lanes::{Element, Lane, Layout, PlanesMut};

/// Room for what a job reads and passes from kernel to kernel, kept from job to job.
#[derive(Debug)]
pub(super) struct Scratch<E> {
    pub a: Vec<Lane<E>>,
    pub b: Vec<Lane<E>>,
    pub c: Vec<Lane<E>>,
    pub d: Vec<Lane<E>>,
    pub e: Vec<Lane<E>>,
    pub f: Vec<Lane<E>>,
}

impl<E> Default for Scratch<E> {
    fn default() -> Self {
        let [a, b, c, d, e, f] = [const { Vec::new() }; 6];
        Scratch { a, b, c, d, e, f }
    }
}

/// An image in scratch memory, its numbers whatever was there before.
pub(super) fn room<E: Element>(scratch: &mut Vec<Lane<E>>, layout: Layout) -> PlanesMut<'_, Lane<E>> {
    if scratch.len() < layout.lanes() {
        scratch.resize(layout.lanes(), Lane::ZERO);
    }
    PlanesMut::new(scratch, layout)
}

/// How many results of jobs are there at a time. What a job returns may be as large as the weights of a layer.
pub(super) fn at_once(threads: usize) -> usize {
    4 * threads
}

/// Does all jobs, on all threads of the current pool if `parallel`, and hands their results to
/// `collect` in the order of the jobs.
pub(super) fn run<E: Element, J: Send, R: Send>(
    parallel: bool,
    jobs: Vec<J>,
    scratch: &mut Scratch<E>,
    run: impl Fn(J, &mut Scratch<E>) -> R + Sync,
    mut collect: impl FnMut(usize, R),
) {
    if parallel && jobs.len() > 1 {
        let mut jobs = jobs.into_iter();
        let mut index = 0;
        while jobs.len() > 0 {
            let some: Vec<J> = jobs.by_ref().take(at_once(rayon::current_num_threads())).collect();
            let some = some.into_par_iter().map_init(Scratch::default, |scratch, job| run(job, scratch));
            for result in some.collect::<Vec<R>>() {
                collect(index, result);
                index += 1;
            }
        }
    } else {
        for (index, job) in jobs.into_iter().enumerate() {
            collect(index, run(job, scratch));
        }
    }
}

/// The rows of an image divided among bands.
pub(super) fn split<'a, E: Element>(
    planes: PlanesMut<'a, Lane<E>>,
    bands: &[Range<usize>],
) -> Vec<PlanesMut<'a, Lane<E>>> {
    let mut parts = Vec::with_capacity(bands.len());
    let mut rest = planes;
    for band in bands {
        let (part, others) = rest.split_at_row(band.end as isize);
        parts.push(part);
        rest = others;
    }
    parts
}
