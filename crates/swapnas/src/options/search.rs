use swapnas_search::AlgorithmKind;

use super::{SearchOptions, Takes, put, put_count, put_some, shown};

type Row = super::Row<SearchOptions>;

/// The options of a search besides those of scoring.
pub static SEARCH: &[Row] = &[
    Row::new(
        "algorithm",
        "NAME",
        Takes::Name(|| AlgorithmKind::ALL.map(AlgorithmKind::name).to_vec()),
        "How to search: swap-nas, aging, random, exhaustive or nsga2",
    )
    .kept(
        |options, text| put(&mut options.algorithm, text),
        |options| shown((options.algorithm != AlgorithmKind::Own).then_some(options.algorithm)),
    ),
    Row::new(
        "population",
        "N",
        Takes::Number { least: 1, most: 1_000_000 },
        "Architectures that the algorithm works on",
    )
    .kept(|options, text| put(&mut options.population, text), |options| Some(options.population.to_string())),
    Row::new(
        "sample",
        "N",
        Takes::Number { least: 1, most: 1_000_000 },
        "Architectures drawn from the population in each cycle",
    )
    .kept(|options, text| put(&mut options.sample, text), |options| Some(options.sample.to_string())),
    Row::new("cycles", "N", Takes::Number { least: 0, most: 100_000_000 }, "Cycles")
        .kept(|options, text| put(&mut options.cycles, text), |options| Some(options.cycles.to_string())),
    Row::new(
        "mutations",
        "N",
        Takes::Number { least: 1, most: 100_000 },
        "Mutants scored in each cycle; other algorithms make as many evaluations in all",
    )
    .kept(|options, text| put(&mut options.mutations, text), |options| Some(options.mutations.to_string())),
    Row::new(
        "second-objective",
        "NAME",
        Takes::Name(|| vec!["params", "macs", "latency"]),
        "What the front of the report, and nsga2, weigh the score against: params, macs or latency, of the \
         network to be trained",
    )
    .kept(|options, text| put(&mut options.second, text), |options| Some(options.second.to_string())),
    Row::new(
        "target-params",
        "N",
        Takes::Count,
        "The size that the network to be trained should have, such as 3.3M: sets mu and sigma of swap-reg",
    )
    .kept(|options, text| put_count(&mut options.target_params, text), |options| shown(options.target_params)),
    Row::new("min-params", "N", Takes::Count, "Fewest parameters of the network to be trained, such as 2.5M").kept(
        |options, text| put_count(&mut options.limits.min_params, text),
        // No network has fewer parameters than none.
        |options| shown(options.limits.min_params.filter(|least| *least > 0)),
    ),
    Row::new("max-params", "N", Takes::Count, "Most parameters of the network to be trained").kept(
        |options, text| put_count(&mut options.limits.max_params, text),
        |options| shown(options.limits.max_params),
    ),
    Row::new(
        "max-macs",
        "N",
        Takes::Count,
        "Most multiply-accumulates of the network to be trained, such as 600M",
    )
    .kept(
        |options, text| put_count(&mut options.limits.max_macs, text),
        |options| shown(options.limits.max_macs),
    ),
    Row::new(
        "max-latency",
        "MS",
        Takes::Positive,
        "Most milliseconds of the network to be trained, by the latency table",
    )
    .kept(
        |options, text| put_some(&mut options.limits.max_latency, text),
        |options| shown(options.limits.max_latency),
    ),
    Row::new("latency-table", "FILE", Takes::File, "CSV file with the columns op, input and ms"),
    Row::new(
        "final-channels",
        "N",
        Takes::Number { least: 1, most: 2048 },
        "Channels of the network to be trained [default: 36 for darts, else the benchmark's]",
    )
    .kept(|options, text| put_some(&mut options.trained.channels, text), |options| shown(options.trained.channels)),
    Row::new(
        "final-cells",
        "N",
        Takes::Number { least: 1, most: 256 },
        "Cells of the network to be trained [default: 20 for darts, else the benchmark's]",
    )
    .kept(|options, text| put_some(&mut options.trained.cells, text), |options| shown(options.trained.cells)),
    Row::new(
        "final-size",
        "SHAPE",
        Takes::Size,
        "Shape of the images of the network to be trained, CHANNELSxHEIGHTxWIDTH, or only their height and width as one \
         number [default: --size, else the space's own]",
    )
    .kept(|options, text| put_some(&mut options.trained.size, text), |options| shown(options.trained.size)),
];
