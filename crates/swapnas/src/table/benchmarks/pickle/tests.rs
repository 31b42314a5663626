use super::numpy::Dtype;
use super::*;

fn pickle(mut bytes: &[u8]) -> Result<Pickle, PickleError> {
    Pickle::read(&mut Source::new(&mut bytes, 1 << 30), &mut |_| Taken::Not)
}

/// What is in a pickle, as Python would write it, but for what is shown only once.
fn shown(bytes: &[u8]) -> String {
    fn show(item: Item<'_>, depth: usize) -> String {
        let all = |items: Vec<String>| items.join(", ");
        match item.value() {
            _ if depth > 4 => "...".to_owned(),
            Value::List(_) => format!("[{}]", all(item.items().map(|item| show(item, depth + 1)).collect())),
            Value::Dict(_) => {
                let entry = |(key, value)| format!("{}: {}", show(key, depth + 1), show(value, depth + 1));
                format!("{{{}}}", all(item.entries().map(entry).collect()))
            }
            Value::Array(_) => format!("array{:?}", item.numbers()),
            Value::Text(text) => format!("{text:?}"),
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => format!("{number:?}"),
            other => format!("{other:?}"),
        }
    }
    match pickle(bytes) {
        Ok(pickle) => show(pickle.root().expect("read to its end"), 0),
        Err(error) => error.to_string(),
    }
}

#[test]
fn data_of_all_protocols_is_read() {
    // pickle.dumps({"a": [1, 2.5, None, True], "b": (b"\x01", -300, 10**6)}, protocol) for 2, 4 and 5
    let second = b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01]q\x02(K\x01G@\x04\x00\x00\x00\x00\x00\x00N\x88eX\x01\x00\x00\x00bq\x03c_codecs\nencode\nq\x04X\x01\x00\x00\x00\x01q\x05X\x06\x00\x00\x00latin1q\x06\x86q\x07Rq\x08J\xd4\xfe\xff\xffJ@B\x0f\x00\x87q\tu.";
    let fourth = b"\x80\x04\x95/\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01a\x94]\x94(K\x01G@\x04\x00\x00\x00\x00\x00\x00N\x88e\x8c\x01b\x94C\x01\x01\x94J\xd4\xfe\xff\xffJ@B\x0f\x00\x87\x94u.";
    insta::assert_snapshot!(shown(second), @r#"{"a": [1, 2.5, None, Bool(true)], "b": [Bytes([1]), -300, 1000000]}"#);
    assert_eq!(shown(fourth), shown(second));
    insta::assert_snapshot!(shown(b"(lp0\nI1\naF2.5\naI01\naL7L\naVx\na."), @r#"[1, 2.5, Bool(true), 7, "x"]"#);
    insta::assert_snapshot!(shown(b"\x80\x02(\x8a\x01\xff\x8a\x02\x00\x80\x8a\x00\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01t."), @"[-1, -32768, 0, Opaque]");
}

/// `os.system("echo")` is called by whoever reads this with Python.
#[test]
fn nothing_is_called() {
    insta::assert_snapshot!(shown(b"\x80\x03cos\nsystem\nX\x04\x00\x00\x00echo\x85R."), @"Opaque");
    insta::assert_snapshot!(shown(b"cos\nsystem\n(Vecho\ntR."), @"Opaque");
    insta::assert_snapshot!(shown(b"(ios\nsystem\n."), @"Opaque");
    insta::assert_snapshot!(shown(b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04echo\x85R."), @"Opaque");
}

#[test]
fn what_is_damaged_is_told_with_its_place() {
    for (bytes, said) in [
        (&b""[..], "it ends too early (at byte 0)"),
        (b"\x80\x04", "it ends too early (at byte 2)"),
        (b"\x80\x04\xff", "the instruction 0xff is none (at byte 3)"),
        (b"\x80\x04.", "an instruction takes more from the stack than is there (at byte 3)"),
        (b"]K\x01(a.", "an instruction takes more from the stack than is there (at byte 5)"),
        (b"h\x05.", "number 5 was never kept (at byte 2)"),
        (b"X\x02\x00\x00\x00\xff\xff.", "a text is not valid UTF-8 (at byte 7)"),
        (b"\x8e\xff\xff\xff\xff\xff\xff\xff\xff.", "it ends too early (at byte 9)"),
        (b"Ix\n.", "a number cannot be read (at byte 3)"),
        (b"K\x01K\x02a.", "an instruction finds something else than it works on (at byte 5)"),
        (b"}(K\x02u.", "an instruction takes more from the stack than is there (at byte 5)"),
        (
            b"S'x'\n.",
            "the instruction 0x53 is for older pickles than are read; write it with protocol 2 or later (at byte 1)",
        ),
    ] {
        assert_eq!(shown(bytes), said, "{bytes:?}");
    }
}

#[test]
fn what_refers_to_itself_or_is_deep_takes_no_time() {
    // A list that holds itself.
    assert_eq!(shown(b"]\x94h\x00a."), "[[[[[...]]]]]");
    let deep = [&b"]"[..], &b"]".repeat(1 << 20), &b"a".repeat(1 << 20), b"."].concat();
    assert!(shown(&deep).starts_with("[[[[[..."));
    // Lists of the same lists: as many items as there are atoms, if they were counted one by one.
    let mut wide = b"]".to_vec();
    for level in 0..60u8 {
        wide.extend([b'q', level, b']', b'(']);
        wide.extend([b'h', level].repeat(30));
        wide.push(b'e');
    }
    wide.push(b'.');
    let pickle = pickle(&wide).unwrap();
    fn count(item: Item<'_>) -> usize {
        1 + item.items().map(count).sum::<usize>()
    }
    assert!(count(pickle.root().unwrap()) < 2 * FREE_STEPS && pickle.values.is_exhausted());
    let many = [&b"]".repeat(MOST_VALUES + 1)[..], b"."].concat();
    assert_eq!(shown(&many), format!("it holds more than 4194304 values (at byte {})", MOST_VALUES + 1));
    let kept = [&b"]"[..], &b"\x94".repeat(MOST_VALUES + 2)].concat();
    assert!(shown(&kept).starts_with("it holds more than"));
}

#[test]
fn numbers_of_numpy_are_read_in_any_order_of_bytes() {
    let number = |name: &str, bytes: &[u8]| Dtype::of(name).unwrap().numbers(bytes).next().unwrap().number();
    assert_eq!(number("<f8", &1.5f64.to_le_bytes()), 1.5);
    assert_eq!(number(">f4", &1.5f32.to_be_bytes()), 1.5);
    assert_eq!(number("f2", &[0x00, 0xbe]), -1.5);
    assert_eq!(number("f2", &[1, 0]), 2f64.powi(-24));
    assert_eq!(number("i2", &(-3i16).to_le_bytes()), -3.0);
    assert_eq!(number(">i8", &(-3i64).to_be_bytes()), -3.0);
    assert_eq!(number("|u1", &[200]), 200.0);
    assert_eq!(number("u8", &u64::MAX.to_le_bytes()), u64::MAX as f64);
    assert_eq!(number("|b1", &[1]), 1.0);
    assert_eq!((Dtype::of("O"), Dtype::of("<U5"), Dtype::of("f16")), (None, None, None));
}

/// A dictionary of dictionaries `{0: {"same": "text", "own": [7, ..]}}`, each of which has the first one's texts.
fn networks(count: usize, own: usize) -> Vec<u8> {
    let mut bytes = b"\x80\x04}\x94(".to_vec();
    for place in 0..count {
        bytes.extend([b'J']);
        bytes.extend((place as u32).to_le_bytes());
        bytes.extend(b"}\x94(");
        match place {
            0 => bytes.extend(b"\x8c\x04same\x94\x8c\x04text\x94"),
            _ => bytes.extend(b"h\x02h\x03"),
        }
        bytes.extend(b"\x8c\x03own]\x94(");
        bytes.extend(b"K\x07".repeat(own));
        bytes.extend(b"eu");
    }
    bytes.extend(b"u.");
    bytes
}

fn is_network(item: Item<'_>) -> bool {
    item.get("own").is_some()
}

#[test]
fn networks_are_handed_over_one_by_one_and_forgotten() {
    // Far more values than there may be at a time.
    let bytes = networks(100, MOST_VALUES / 20);
    let mut reader = &bytes[..];
    let mut found = 0;
    let pickle = Pickle::read(&mut Source::new(&mut reader, 1 << 20), &mut |item| {
        if !is_network(item) {
            return Taken::Not;
        }
        assert_eq!(item.get("same").and_then(Item::text), Some("text"));
        assert_eq!(item.get("own").map(|own| own.items().count()), Some(MOST_VALUES / 20));
        found += 1;
        Taken::Whole
    })
    .unwrap();
    let left = pickle.root().unwrap().entries().map(|(place, network)| (place.integer(), network.kind()));
    assert_eq!(left.last(), Some((Some(99), "an object")));
    assert_eq!(found, 100);
}

#[test]
fn nothing_is_read_behind_the_last_network_that_is_wanted() {
    let bytes = networks(5, 3);
    let mut reader = &bytes[..bytes.len() - 30];
    let mut found = 0;
    let pickle = Pickle::read(&mut Source::new(&mut reader, 1 << 20), &mut |item| {
        found += usize::from(is_network(item));
        if found == 2 { Taken::Last } else { Taken::Not }
    });
    assert!(pickle.unwrap().root().is_none());
}

#[test]
fn what_went_with_a_network_is_lost_and_told_when_it_is_looked_at() {
    // The list of the first network, which was kept as number 4, is in the second as well.
    let second = b"K\x01}\x94(h\x02h\x03\x8c\x03ownK\x07\x8c\x04listh\x04uu.";
    let first = networks(1, 1);
    let bytes = [&first[..first.len() - 2], second].concat();
    let mut lost = Vec::new();
    let mut reader = &bytes[..];
    Pickle::read(&mut Source::new(&mut reader, 1 << 20), &mut |item| {
        if !is_network(item) {
            return Taken::Not;
        }
        let before = item.take_lost();
        let list = item.get("list").map(Item::kind);
        lost.push((before, list, item.take_lost(), item.take_lost()));
        Taken::Whole
    })
    .unwrap();
    assert_eq!(lost, [(false, None, false, false), (false, Some("an object"), true, false)]);
}

#[test]
fn so_many_bytes_are_read_without_a_network_and_no_more() {
    let error = |mut bytes: &[u8]| {
        let mut hand_over = |item: Item<'_>| if is_network(item) { Taken::Whole } else { Taken::Not };
        let read = Pickle::read(&mut Source::new(&mut bytes, 1 << 20), &mut hand_over);
        read.map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(error(&networks(3, 1 << 18)), Ok(()));
    insta::assert_snapshot!(error(&networks(3, 1 << 19)).unwrap_err(), @"it holds more than 1 MB (at byte 1048576)");
    let line = [&b"\x80\x04c"[..], &[b'a'; 2 << 20]].concat();
    insta::assert_snapshot!(error(&line).unwrap_err(), @"it holds more than 1 MB (at byte 3)");
    insta::assert_snapshot!(error(&line[..1000]).unwrap_err(), @"it ends too early (at byte 3)");
}
