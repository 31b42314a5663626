//! What is known of transposed convolutions before they are run.

use swapnas_graph::grad::GradientPlan;
use swapnas_graph::{Conv, Graph, GraphBuilder, GraphError, Padding, Plan, Shape, ValueId, Want, Window};

const IMAGE: Shape = Shape::new(6, 5, 4);

fn build(conv: Conv) -> (GraphBuilder, Result<ValueId, GraphError>) {
    let mut b = GraphBuilder::new(IMAGE);
    let x = b.input();
    let y = b.conv_transpose("up", x, conv);
    (b, y)
}

fn network(conv: Conv) -> Graph {
    let (b, y) = build(conv);
    b.finish(&[y.unwrap()])
}

/// As of `nn.ConvTranspose2d(6, 8, (3, 2), stride=2, padding=1, output_padding=(1, 0), groups=2)`.
fn conv() -> Conv {
    let window = Window {
        kernel: [3, 2],
        stride: [2, 2],
        dilation: [1, 1],
        padding: Padding { top: 1, left: 1, bottom: 0, right: 1 },
    };
    Conv { groups: 2, ..Conv::new(8, window) }.with_bias()
}

#[test]
fn shapes_and_counts_are_pytorchs() {
    let graph = network(conv());
    assert_eq!(graph.shape(graph.outputs()[0]), Shape::new(8, 10, 6));
    let [weight, bias] = graph.params() else { panic!("a weight and a bias") };
    assert_eq!((weight.name.as_str(), &weight.shape[..]), ("up.weight", &[6, 4, 3, 2][..]));
    assert_eq!((bias.name.as_str(), &bias.shape[..]), ("up.bias", &[8][..]));
    // PyTorch draws both by the fan_in that `nn.init._calculate_fan_in_and_fan_out` says of the weight.
    assert_eq!([weight.fan_in, weight.fan_out, bias.fan_in], [24, 18, 24]);
    // torch.utils.flop_counter.FlopCounterMode counts 5760, two for each.
    assert_eq!(graph.macs(), 2880);
    assert_eq!(graph.flops().conv, 2880 + 480);
}

#[test]
fn what_pytorch_does_not_make_is_refused() {
    let error = |change: fn(&mut Conv)| {
        let mut conv = conv();
        change(&mut conv);
        build(conv).1.unwrap_err()
    };
    for change in [
        |conv: &mut Conv| conv.groups = 4,
        |conv: &mut Conv| conv.groups = 0,
        |conv: &mut Conv| conv.out = 7,
        |conv: &mut Conv| conv.out = 0,
    ] {
        assert!(matches!(error(change), GraphError::Channels { op: "transposed convolution", .. }));
    }
    for change in [
        |conv: &mut Conv| conv.window.padding.top = -1,
        |conv: &mut Conv| conv.window.padding.left = -1,
        |conv: &mut Conv| conv.window.padding.bottom = -2,
        |conv: &mut Conv| conv.window.padding.right = -2,
    ] {
        assert!(matches!(error(change), GraphError::Padding { .. }));
    }
    assert_eq!(
        error(|conv| conv.window.padding.left = -1).to_string(),
        "up: the transposed convolution cannot have padding 1, -1, 0, 1 (top, left, bottom, right); it takes none below \
         0, but for output padding, smaller than its stride or dilation"
    );
    for change in [
        |conv: &mut Conv| conv.window.padding = Padding::same(6),
        |conv: &mut Conv| conv.window.stride[1] = 0,
        |conv: &mut Conv| conv.window.dilation[0] = 0,
        |conv: &mut Conv| conv.window.kernel[0] = 0,
    ] {
        assert!(matches!(error(change), GraphError::WindowTooLarge { .. }));
    }
}

#[test]
fn those_that_compute_something_else_have_other_keys() {
    let mut others = vec![conv(); 7];
    others[1].window.padding.bottom = 1;
    others[2].window.padding.top = 0;
    others[3].window.stride[0] = 1;
    others[4].window.dilation[1] = 2;
    others[5].groups = 1;
    others[6].bias = false;
    let keys: Vec<_> = others.into_iter().map(|conv| network(conv).key()).collect();
    for (index, key) in keys.iter().enumerate() {
        assert!(!keys[..index].contains(key), "network {index}");
    }
    assert_eq!(network(conv()).key(), keys[0]);
}

/// A tap's weights are a lane each, in the executor and in the differentiator.
#[test]
fn lanes_of_weights_are_counted() {
    let wide = |kernel| Conv::new(64, Window { kernel: [kernel; 2], ..Window::square(1).stride(2) });
    let lanes = 6 * 64 * 16 * size_of::<f64>();
    for kernel in [1, 2] {
        let graph = network(wide(kernel));
        let plan = Plan::new(graph.clone(), &Want { signs: false, values: graph.outputs().to_vec() });
        assert!(plan.bytes_of_weights(size_of::<f64>()) >= lanes);
        let plan = GradientPlan::new(graph, &Want::default());
        assert!(plan.footprint(16, size_of::<f64>(), 1).forward() >= lanes);
    }
}
