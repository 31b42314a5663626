//! Good inputs for every target, made by the project's own writers: what random changes start from.

use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use rusqlite::Connection;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use swapnas::export::{Export, Format};
use swapnas_graph::Shape;
use swapnas_metrics::Undefined;
use swapnas_metrics::{Ceiling, Saturation, Score, Scored, metrics};
use swapnas_search::{Configuration, Evaluated, ScoringOptions, SearchOptions, Sizes, Store};
use swapnas_spaces::{NetworkConfig, Space, by_name, spaces};

/// Good inputs of the target of that name.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
    let texts = |texts: &[&str]| texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    match target {
        "genotype" => {
            let text = |encoding: &str| {
                let darts = by_name("darts").expect("a space");
                let arch = darts.sample(&mut Xoshiro256PlusPlus::seed_from_u64(1));
                darts.print_as(&arch, encoding).expect("a sample can be written in all ways")
            };
            ["genotype", "naslib", "json"].map(|encoding| text(encoding).into_bytes()).to_vec()
        }
        "spaces" => architectures(&mut rng),
        "table" => texts(&[
            "\0arch,accuracy\n4321,91.5\n\"|none~0|+|none~0|none~1|+|none~0|none~1|none~2|\",10\n",
            "\0k3e1d1w16,0.5\r\n\r\nx,nan\n,3\n",
            "\x05name,arch_str,val_acc\nfirst,\"(1, 0, 2, 3, 3, 3)\",1e2\nsecond,\"a\nb\",-1\n",
            "\x36\u{feff}a;b\n",
            "\0[{\"arch\": \"a\", \"s\": {\"glue\": 1, \"x\": null}},\n {\"arch\": [1, {}], \"s\": {\"glue\": 2e1}}, 3]",
            "\x40{\"a\": {\"acc\": 1, \"name\": \"\\ud83d\\ude00\"}, \"b\": {\"acc\": 2, \"acc\": 3}}",
            "\0{\"id\": 0, \"x.y\": 1, \"x\": {\"y\": 1}, \"acc\": 9}\n{\"acc\": 1}\n",
        ]),
        "list" => texts(&[
            "4321\n\n(2, 2, 0, 4, 2, 0)\n",
            "arch,other\n\"(2, 2)\",1\n",
            "\"[1, 2]\"\n\"\"\n",
            "genotype\n21221002\n",
            "[{\"blocks\": []}, {\"blocks\": [{}]}]",
            "{\"arch\": \"a\"}\n{\"arch\": {}}\n",
            "{\"21221002\": {\"acc\": 1}, \"01221002\": {}}",
        ]),
        "benchmark" => benchmarks(),
        "latency" => texts(&["op,input,ms\nconv_3x3_s1_d1_g1_64, 3x32x32 ,0.25\nrelu,64x32x32,1e-3\n"]),
        "columns" => {
            let names: Vec<&str> = metrics::all().iter().map(|metric| metric.name).collect();
            [
                "swap,rank(snip,swap-reg:mu=3),te-nas",
                "all",
                "logrank(ntk, zen),swap-reg:mu=2.5:sigma=0.5",
                &names.join(","),
            ]
            .map(|text| text.as_bytes().to_vec())
            .to_vec()
        }
        "input_spec" => texts(&[
            "spectral:exponent=2:correlation=0.9",
            "gaussian",
            "cifar10:data_batch_1.bin",
            "images:folder",
            "npy:a:b.npy",
        ]),
        "onnx" => vec![exported()],
        "npy" => arrays(),
        "safetensors" => vec![weights()],
        "cifar10" => vec![vec![0, 255, 3, 200, 100], vec![4, 250, 9, 1, 2, 3, 4, 5, 6, 7], vec![15, 0, 1, 2]],
        "run_db" => vec![run(&[]), run(&["4321"])],
        // The bytes are choices.
        _ => (0..24).map(|place| noise(&mut rng, 24 << (place % 5))).collect(),
    }
}

fn noise(rng: &mut dyn Rng, length: usize) -> Vec<u8> {
    (0..length).map(|_| rng.random()).collect()
}

/// Small files of benchmarks, which have the forms that are read and nothing besides.
fn benchmarks() -> Vec<Vec<u8>> {
    // {"12": {"arch_str": "a", "all_results": {("cifar10", 1): {"epochs": 1, "eval_acc1es": {"ori-test@0": 91.5}}}}}
    let network = b"}\x8c\x0212}(\x8c\x08arch_str\x8c\x01a\x8c\x0ball_results}\x8c\x07cifar10K\x01\x86}(\x8c\x06epochsK\x01\
        \x8c\x0beval_acc1es}\x8c\x0aori-test@0G@V\xe0\x00\x00\x00\x00\x00susus.";
    // {"nasbench201": {"cifar10": {"config": [{"arch_str": "a"}], "ms": [numpy.float64(0.0)]}}}
    let latencies = b"}\x8c\x0bnasbench201}\x8c\x07cifar10}(\x8c\x06config]}\x8c\x08arch_str\x8c\x01asa\x8c\x02ms]\
        cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\n\x8c\x02f8\x85RC\x08\x00\x00\x00\x00\x00\x00\x00\x00\x86Raus\x73.";
    let pickle = |first: u8, program: &[u8]| [&[first, 0x80, 4], program].concat();
    // An evaluation before, halfway and after training, and the number of parameters.
    let metrics = "CgAKAAoSIQAAAAAAAOA/KQAAAAAAANA/EAc=";
    let record = format!("[\"0a\", 4, \"0100\", \"input,output\", \"{metrics}\"]");
    let mut records = vec![1];
    for _ in 0..2 {
        records.extend((record.len() as u64).to_le_bytes());
        records.extend([0; 4]);
        records.extend(record.bytes());
        records.extend([0; 4]);
    }
    crate::tables::check_sums(&mut records[1..]);
    let packed = include_bytes!("../../crates/swapnas/tests/benchmarks/nats-sss/000007.pickle.pbz2");
    // Files of PyTorch: behind three other pickles, and as the first entry of an archive, a name of ten letters.
    let before = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.";
    let header = [&b"PK\x03\x04\0\0\x08\x08"[..], &[0; 18], &[10, 0, 0, 0], b"a/data.pkl"].concat();
    let torch = |front: &[u8]| [&[0], front, b"\x80\x04", network].concat();
    let files = [torch(before), torch(&header)];
    let others = [pickle(0, network), pickle(2, latencies), records, [&[0], &packed[..]].concat()];
    others.into_iter().chain(files).collect()
}

/// Every encoding of every space, behind the byte that chooses the space.
fn architectures(rng: &mut dyn Rng) -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (place, space) in spaces().iter().enumerate() {
        for encoding in space.encodings() {
            let sampled = space.print_as(&space.sample(rng), encoding.name).unwrap_or_default();
            for text in [encoding.example.to_owned(), sampled] {
                seeds.push([&[place as u8], text.as_bytes()].concat());
            }
        }
    }
    seeds
}

/// A small network of NAS-Bench-201.
fn exported() -> Vec<u8> {
    let space = by_name("nb201").expect("a space");
    let arch = space.parse("4321").expect("an architecture");
    let network = NetworkConfig {
        input: Shape::new(3, 4, 4),
        channels: Some(1),
        cells: Some(1),
        classes: 2,
        ..space.default_network()
    };
    Export { space, arch: &arch, network, seed: 3 }.contents(Format::Onnx).expect("it can be written")
}

fn arrays() -> Vec<Vec<u8>> {
    let array = |first: u8, version: u8, kind: &str, order: &str, shape: &str, data: &[u8]| {
        let header = format!("{{'descr': '{kind}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
        let mut bytes = vec![first];
        bytes.extend(b"\x93NUMPY");
        bytes.extend([version, 0]);
        let length = (header.len() as u32).to_le_bytes();
        bytes.extend(&length[..if version == 1 { 2 } else { 4 }]);
        bytes.extend(header.bytes());
        bytes.extend(data);
        bytes
    };
    let singles: Vec<u8> = (0..18).flat_map(|i| (i as f32).to_le_bytes()).collect();
    let doubles: Vec<u8> = (0..6).flat_map(|i| f64::from(i).to_le_bytes()).collect();
    vec![
        array(8, 1, "<f4", "False", "(3, 3, 2, 1)", &singles),
        array(0, 2, ">f4", "False", "(3, 3, 2, 1)", &singles),
        array(1, 1, "<f8", "False", "(6, 1, 1, 1)", &doubles),
        array(2, 3, "|u1", "False", "(1, 2, 3, 3)", &singles[..18]),
        array(3, 1, "<f4", "True", "(1, 4, 1, 2)", &singles[..32]),
    ]
}

fn weights() -> Vec<u8> {
    let numbers: Vec<u8> = (0..6).flat_map(|i| (i as f32).to_le_bytes()).collect();
    let view =
        |kind, shape: &[usize], data| TensorView::new(kind, shape.to_vec(), data).expect("as many as that");
    let tensors = [
        ("a", view(Dtype::F32, &[2, 3], &numbers[..])),
        ("b.weight", view(Dtype::F32, &[], &numbers[..4])),
        ("c", view(Dtype::U8, &[5], &numbers[..5])),
        ("empty", view(Dtype::F32, &[0, 3], &[])),
    ];
    safetensors::serialize(tensors, None).expect("it can be written")
}

/// The database of a run that evaluated these architectures of NAS-Bench-201, in small pages.
pub(crate) fn run(archs: &[&str]) -> Vec<u8> {
    let space = by_name("nb201").expect("a space");
    let configuration = settings(space);
    let columns = configuration.columns().expect("good ones");
    let entries: Vec<Evaluated> =
        archs.iter().map(|arch| entry(space, arch, columns.metrics().len())).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::create(folder.path(), &configuration).expect("a new run");
    store.save(space, columns.metrics(), &entries).expect("it can be written");
    let archs: Vec<_> = entries.iter().map(|entry| entry.arch.clone()).collect();
    store.step(space, 0, 0, &archs).expect("it can be written");
    drop(store);
    let path = folder.path().join("run.db");
    let connection = Connection::open(&path).expect("it was just written");
    connection.pragma_update(None, "journal_mode", "DELETE").expect("nobody else has it");
    connection.execute_batch("PRAGMA page_size = 512; VACUUM").expect("nobody else has it");
    drop(connection);
    std::fs::read(&path).expect("it was just written")
}

fn entry(space: &dyn Space, arch: &str, scores: usize) -> Evaluated {
    let arch = space.parse(arch).expect("an architecture");
    let mut scores = vec![Ok(Score { mean: 100.0, std: 0.5 }); scores];
    if let Some(last) = scores.last_mut() {
        *last = Err(Undefined::Recorded("the network has no ReLU nor an activation like it".to_owned()));
    }
    let saturation = Some(Saturation { ratio: 0.25, ceiling: Ceiling::Units });
    let scored = Scored { params: 1000, macs: 2000, units: 300, scores, saturation };
    Evaluated { arch, scored, sizes: Sizes { params: 1000, macs: 2000, latency: None } }
}

fn settings(space: &dyn Space) -> Configuration {
    let network = NetworkConfig { channels: Some(2), cells: Some(1), ..space.default_network() };
    Configuration {
        space: space.name().to_owned(),
        one_cell: false,
        scoring: ScoringOptions {
            metrics: Some("swap,rank(swap,params)".to_owned()),
            repeats: Some(1),
            seed: 5,
            network: (&network).into(),
            ..ScoringOptions::default()
        },
        proxies: Default::default(),
        search: SearchOptions {
            population: 6,
            sample: 3,
            cycles: 8,
            mutations: 2,
            trained: (&network).into(),
            ..SearchOptions::default()
        },
    }
}
