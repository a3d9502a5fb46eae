//! Simplified diagrams compute what the originals do, and the rewrites that matter happen.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use catlearn::compile::{largest_tensor, simplify};
use catlearn::data::load;
use catlearn::diagram::{AffineIndex, Builder, Diagram, Function, LeadAxis, Op, PrimDef, Reverses, Role, Wire};
use catlearn::elaborate::Program;
use catlearn::learn::batched;
use catlearn::object::{Base, Dim, Leaf};
use catlearn::random::{Stream, Use};
use catlearn::run::{Learner, Tensor, evaluate, evaluate_bits};
use catlearn::source::{MemoryWorld, Span};
use smallvec::smallvec;
use std::sync::Arc;
use support::terms::random;

const B: Dim = Dim::BATCH;

fn inputs(d: &Diagram, batch: usize, s: &mut Stream) -> Vec<Tensor<f64>> {
    let of = |s: &mut Stream, leaf: &Leaf| match leaf.base {
        Base::Fin(n) => (0..leaf.size(batch)).map(|_| s.below(u64::from(n)) as f64).collect(),
        _ => (0..leaf.size(batch)).map(|_| s.normal()).collect::<Vec<f64>>(),
    };
    d.ports().iter().map(|p| Tensor::from_f64(&p.leaf, batch, &of(s, &p.leaf)).unwrap()).collect()
}

/// The simplified diagram, after a check that it computes the same at two batch sizes.
fn checked(d: &Diagram) -> Diagram {
    let simple = simplify(d);
    assert_eq!(simple.ports(), d.ports());
    assert_eq!(simple.out_leaves(), d.out_leaves());
    for batch in [5, 1] {
        let x = inputs(d, batch, &mut Stream::new(11, Use::Laws));
        let (want, got) = (evaluate(d, &x, batch).unwrap(), evaluate(&simple, &x, batch).unwrap());
        for (w, g) in want.iter().zip(&got) {
            let (w, g) = (w.to_f64(), g.to_f64());
            let size = w.iter().fold(1.0_f64, |m, x| m.max(x.abs()));
            assert_eq!(w.len(), g.len());
            assert!(w.iter().zip(&g).all(|(w, g)| (w - g).abs() <= 1e-12 * size), "{w:?} {g:?}");
        }
    }
    let again = simplify(&simple);
    assert_eq!(again.nodes(), simple.nodes(), "a fixed point");
    simple
}

/// The operations that the outputs depend on, ports left out.
fn shown(d: &Diagram) -> Vec<String> {
    let live = d.cone(d.outs());
    let made = d.nodes().iter().zip(&live).filter(|(n, l)| **l && !matches!(n.op, Op::Input(_)));
    made.map(|(n, _)| match &n.op {
        Op::Einsum(spec) if spec.scale() == 1.0 => spec.to_string(),
        Op::Einsum(spec) => format!("{} {spec}", spec.scale()),
        op => op.name().to_string(),
    })
    .collect()
}

fn real(b: &mut Builder, name: &str, dims: &[Dim]) -> Wire {
    b.port(name, Role::Input, Leaf::number().with_dims(dims.iter().copied()))
}

fn lit(n: u64) -> Dim {
    Dim::lit(n)
}

#[test]
fn a_sum_of_outer_products_is_one_matrix_product() {
    let mut b = Builder::new();
    let (x, dy) = (real(&mut b, "x", &[B, lit(7)]), real(&mut b, "dy", &[B, lit(5)]));
    let outer = b.einsum("bm,bn->bmn", &[x, dy], &[], 2.0).unwrap();
    let sum = b.einsum("bmn->mn", &[outer], &[], 0.5).unwrap();
    let d = checked(&b.finish(&[sum]));
    assert_eq!(shown(&d), ["ab,ac->bc"]);
    assert_eq!(largest_tensor(&d, 32), 35);
}

#[test]
fn a_mean_of_outer_products_is_one_matrix_product() {
    let mut b = Builder::new();
    let (x, dy) = (real(&mut b, "x", &[B, lit(7)]), real(&mut b, "dy", &[B, lit(5)]));
    let outer = b.einsum("bm,bn->bmn", &[x, dy], &[], 1.0).unwrap();
    let n = b.op(Op::Extent(B), &[]).unwrap();
    let n = b.map(Function::Recip, &[n]).unwrap();
    let mean = b.einsum("bmn,o->mn", &[outer, n], &[], 1.0).unwrap();
    assert_eq!(largest_tensor(&checked(&b.finish(&[mean])), 32), 35);
}

#[test]
fn the_request_of_a_bias_is_a_plain_sum() {
    let mut b = Builder::new();
    let (dy, w) = (real(&mut b, "dy", &[B, lit(5)]), real(&mut b, "w", &[lit(3), lit(5)]));
    let dz = b.einsum("bn,mn->bm", &[dy, w], &[], 1.0).unwrap();
    let per_example = b.einsum("bm->bm", &[dz], &[], 3.0).unwrap();
    let bias = b.einsum("bm->m", &[per_example], &[], 1.0).unwrap();
    // summing dy first is cheaper than the matrix product
    assert_eq!(shown(&checked(&b.finish(&[bias]))), ["3 ab,cb->c"]);
}

#[test]
fn tied_weights_are_two_matrix_products() {
    let mut b = Builder::new();
    let (x, u) = (real(&mut b, "x", &[B, lit(7)]), real(&mut b, "u", &[B, lit(5)]));
    let (h, v) = (real(&mut b, "h", &[B, lit(5)]), real(&mut b, "v", &[B, lit(7)]));
    let first = b.einsum("bm,bn->bmn", &[x, u], &[], 1.0).unwrap();
    let second = b.einsum("bn,bm->bnm", &[h, v], &[], 1.0).unwrap();
    let second = b.einsum("bnm->bmn", &[second], &[], 1.0).unwrap();
    let sum = b.add(first, second).unwrap();
    let sum = b.einsum("bmn->mn", &[sum], &[], 1.0).unwrap();
    let d = checked(&b.finish(&[sum]));
    let mut ops = shown(&d);
    ops.sort();
    assert_eq!(ops, ["ab,ac->bc", "ab,ac->cb", "add"]);
}

#[test]
fn convolution_windows_lose_their_batch() {
    let mut b = Builder::new();
    let (x, dy) = (real(&mut b, "x", &[B, lit(6), lit(6)]), real(&mut b, "dy", &[B, lit(3), lit(4), lit(4)]));
    let map = Arc::new(AffineIndex::windows(&[6, 6], &[3, 3], &[1, 1], &[0, 0], &[4, 4]));
    let windows = b.op(Op::Index(map.clone()), &[x]).unwrap();
    let request = b.einsum("bijkl,bcij->bckl", &[windows, dy], &[], 1.0).unwrap();
    let weights = b.einsum("bckl->ckl", &[request], &[], 1.0).unwrap();
    // the dagger of the windows, when their sum over the batch is asked for
    let back = b.op(Op::IndexDagger(map), &[windows]).unwrap();
    let back = b.einsum("bij->ij", &[back], &[], 0.25).unwrap();
    let d = checked(&b.finish(&[weights, back]));
    let live = d.cone(d.outs());
    let dagger = d.nodes().iter().zip(&live).find(|(n, l)| **l && matches!(n.op, Op::IndexDagger(_))).unwrap().0;
    assert_eq!(dagger.outs[0], Leaf::real(&[6, 6]));
    assert!(shown(&d).contains(&"abcde,afbc->fde".to_string()), "{:?}", shown(&d));
}

#[test]
fn sums_go_through_reshapes_joins_and_pads() {
    let mut b = Builder::new();
    let (x, dy) = (real(&mut b, "x", &[B, lit(6)]), real(&mut b, "dy", &[B, lit(4)]));
    let outer = b.einsum("bm,bn->bmn", &[x, dy], &[], 1.0).unwrap();
    let flat = b.reshape(outer, &[lit(6), lit(4)], &[lit(24)]).unwrap();
    let padded = b.op(Op::Index(Arc::new(AffineIndex::pad(&[24], &[1], &[2]))), &[flat]).unwrap();
    let joined = b.op(Op::Concat { core: 1 }, &[padded, x]).unwrap();
    let sum = b.einsum("bm->m", &[joined], &[], 1.0).unwrap();
    assert_eq!(largest_tensor(&checked(&b.finish(&[sum])), 32), 33);
}

#[test]
fn a_sum_of_scatters_is_one_scatter() {
    let mut b = Builder::new();
    let dy = real(&mut b, "dy", &[B, lit(3), lit(2)]);
    let index = b.port("i", Role::Input, Leaf::new(Base::Fin(9), &[3]).under(B));
    let both = LeadAxis { table: true, index: true };
    let each = b.op(Op::GatherDagger { lead: smallvec![both], rows: lit(9) }, &[dy, index]).unwrap();
    let sum = b.einsum("brt->rt", &[each], &[], 2.0).unwrap();
    // an index that the examples share: what is scattered is summed first
    let shared = b.port("j", Role::Input, Leaf::new(Base::Fin(9), &[3]));
    let tables = LeadAxis { table: true, index: false };
    let all = b.op(Op::GatherDagger { lead: smallvec![tables], rows: lit(9) }, &[dy, shared]).unwrap();
    let all = b.einsum("brt->rt", &[all], &[], 1.0).unwrap();
    assert_eq!(largest_tensor(&checked(&b.finish(&[sum, all])), 32), 18);
}

#[test]
fn broadcasts_fills_and_transposes_are_never_made() {
    let mut b = Builder::new();
    let (x, w) = (real(&mut b, "x", &[B, lit(8)]), real(&mut b, "w", &[lit(8), lit(8)]));
    let half = b.fill(&[lit(8), lit(8)], 0.5).unwrap();
    let scaled = b.map(Function::Mul, &[w, half]).unwrap();
    let turned = b.einsum("ab->ba", &[scaled], &[], 1.0).unwrap();
    let y = b.einsum("bi,io->bo", &[x, turned], &[], 1.0).unwrap();
    let ones = b.fill(&[B, lit(8)], 1.0).unwrap();
    let y = b.map(Function::Gate, &[ones, y]).unwrap();
    assert_eq!(shown(&checked(&b.finish(&[y]))), ["0.5 ab,cb->ac"]);

    // a letter summed over nothing is a factor: batch dimensions by their extent
    let mut b = Builder::new();
    let w = real(&mut b, "w", &[lit(4)]);
    let many = b.einsum("w->bwk", &[w], &[('b', B), ('k', lit(3))], 1.0).unwrap();
    let sum = b.einsum("bwk->w", &[many], &[], 1.0).unwrap();
    let d = checked(&b.finish(&[sum]));
    assert_eq!(shown(&d), ["extent", "3 a,b->a"]);
}

#[test]
fn squared_norms_of_requests_are_gramians() {
    let mut b = Builder::new();
    let (x, dy) = (real(&mut b, "x", &[B, lit(40)]), real(&mut b, "dy", &[B, lit(30)]));
    let outer = b.einsum("bm,bn->bmn", &[x, dy], &[], 1.0).unwrap();
    let gramian = b.einsum("bmn,cmn->bc", &[outer, outer], &[], 1.0).unwrap();
    let norms = b.einsum("bmn,bmn->b", &[outer, outer], &[], 1.0).unwrap();
    let d = checked(&b.finish(&[gramian, norms]));
    assert!(largest_tensor(&d, 32) <= 32 * 32, "{:?}", shown(&d));
}

#[test]
fn calls_are_opened() {
    let mut b = Builder::new();
    let x = real(&mut b, "x", &[lit(4)]);
    let y = b.map(Function::Exp, &[x]).unwrap();
    let z = b.scale(y, 2.0).unwrap();
    let fwd = b.finish(&[y, z]);
    let rev = fwd.clone();
    let prim = PrimDef { name: "twice".into(), fwd, rev: Reverses::real(rev), span: Span::default(), fingerprint: 1 };
    let mut b = Builder::new();
    let x = real(&mut b, "x", &[lit(4)]);
    let outs = b.call(Op::Call(Arc::new(prim)), &[x]).unwrap();
    let y = b.scale(outs[1], 3.0).unwrap();
    assert_eq!(shown(&checked(&b.finish(&[y]))), ["exp", "6 a->a"]);
}

/// The gradient of a batched two-layer perceptron, put together by hand as batching after R puts it.
fn perceptron(b: &mut Builder, inputs: u64, hidden: u64, outputs: u64) -> Vec<Wire> {
    let (n, h, o) = (lit(inputs), lit(hidden), lit(outputs));
    let (w1, b1) = (real(b, "w1", &[h, n]), real(b, "b1", &[h]));
    let (w2, b2) = (real(b, "w2", &[o, h]), real(b, "b2", &[o]));
    let (x, t) = (real(b, "x", &[B, n]), real(b, "t", &[B, o]));
    let layer = |b: &mut Builder, w: Wire, bias: Wire, x: Wire| {
        let z = b.einsum("bi,oi->bo", &[x, w], &[], 1.0).unwrap();
        let bias = b.einsum("o->bo", &[bias], &[('b', B)], 1.0).unwrap();
        b.add(z, bias).unwrap()
    };
    let z1 = layer(b, w1, b1, x);
    let a1 = b.map(Function::Tanh, &[z1]).unwrap();
    let z2 = layer(b, w2, b2, a1);
    let error = b.sub(z2, t).unwrap();
    let dz2 = b.scale(error, 2.0).unwrap();
    let da1 = b.einsum("bo,oi->bi", &[dz2, w2], &[], 1.0).unwrap();
    let square = b.map(Function::Mul, &[a1, a1]).unwrap();
    let one = b.fill(&[B, h], 1.0).unwrap();
    let slope = b.sub(one, square).unwrap();
    let dz1 = b.map(Function::Gate, &[da1, slope]).unwrap();
    let mut outs = Vec::new();
    for (dz, x) in [(dz1, x), (dz2, a1)] {
        let request = b.einsum("bo,bi->boi", &[dz, x], &[], 1.0).unwrap();
        let request = b.einsum("boi->oi", &[request], &[], 1.0).unwrap();
        outs.push(request);
        outs.push(b.einsum("bo->o", &[dz], &[], 1.0).unwrap());
    }
    outs
}

#[test]
fn no_value_of_a_gradient_outgrows_parameters_and_activations() {
    let mut b = Builder::new();
    let outs = perceptron(&mut b, 20, 16, 4);
    let d = b.finish(&outs);
    let simple = checked(&d);
    assert_eq!(largest_tensor(&d, 32), 32 * 16 * 20);
    assert!(largest_tensor(&simple, 32) <= 32 * 20, "{:?}", shown(&simple));
    // the broadcast biases stay, for they are added; nothing else is left to save
    assert!(simple.work() <= d.work() - 2, "{} {}", simple.work(), d.work());
}

#[test]
fn random_diagrams_keep_their_meaning() {
    let mut s = Stream::new(5, Use::Laws);
    for _ in 0..1000 {
        checked(&random(&mut s, true));
    }
}

/// One example's diagram batched, and summed over the batch: factors of the batch size and all.
#[test]
fn random_batches_keep_their_meaning() {
    let mut s = Stream::new(6, Use::Laws);
    for _ in 0..1000 {
        let (mut b, outs) = Builder::resume(batched(&random(&mut s, false)).unwrap());
        let mut sums: Vec<Wire> = Vec::new();
        for w in &outs {
            // over the batch alone, or over an axis of the example too
            let axes: &[usize] = if b.dims(*w).len() > 2 && s.below(2) == 0 { &[0, 1] } else { &[0] };
            sums.push(b.sum_axes(*w, axes).unwrap());
        }
        // what is summed is read by others too, or not
        checked(&b.clone().finish(&[sums.clone(), outs].concat()));
        checked(&b.finish(&sums));
    }
}

/// A wire repeated over the batch and summed over it and more is that many times the sum: through a sum, a join and a
/// reshape.
#[test]
fn a_factor_of_the_batch_is_kept_on_the_way_inwards() {
    let builds: [fn(&mut Builder) -> Wire; 3] = [
        |b| {
            let (p, q) = (real(b, "p", &[lit(4), lit(4)]), real(b, "q", &[lit(4), lit(4)]));
            b.add(p, q).unwrap()
        },
        |b| {
            let (p, q) = (real(b, "p", &[lit(4), lit(2)]), real(b, "q", &[lit(4), lit(2)]));
            b.op(Op::Concat { core: 1 }, &[p, q]).unwrap()
        },
        |b| {
            let p = real(b, "p", &[lit(4), lit(2), lit(2)]);
            b.reshape(p, &[lit(2), lit(2)], &[lit(4)]).unwrap()
        },
    ];
    for build in builds {
        let mut b = Builder::new();
        let x = build(&mut b);
        let many = b.einsum("ij->bij", &[x], &[('b', B)], 1.0).unwrap();
        let sum = b.einsum("bij->j", &[many], &[], 1.0).unwrap();
        let d = checked(&b.finish(&[sum]));
        let ones: Vec<Tensor<f64>> =
            d.ports().iter().map(|p| Tensor::from_f64(&p.leaf, 5, &vec![1.0; p.leaf.size(5)]).unwrap()).collect();
        let each = if shown(&d).iter().any(|op| op == "add") { 40.0 } else { 20.0 };
        assert_eq!(evaluate(&d, &ones, 5).unwrap()[0].to_f64(), [each; 4], "{d}");
    }
}

/// A parameter spread over a vector that three terms read: its request over rows of zeros is 32, however many there are.
#[test]
fn a_step_over_all_rows_is_a_step_over_one() {
    let run = |batch: &str| -> Vec<Vec<f64>> {
        let zeros = "[0, 0, 0, 0, 0, 0, 0, 0]";
        let text = format!(
            "model m {{q: R[1] ~ [0.5], M: R[4, 4] ~ ones, N: R[4, 4] ~ ones}} : R[4] -> R[4] (x) {{\n\
             let z = q + zeros[4]\n x * z + M @ z + N @ z\n}}\n\
             loss l : (y: R[4], t: R[4]) -> R[1] (y, t) {{ sum(y - t) }}\n\
             data d {{ source = inline([{zeros}, {zeros}, {zeros}, {zeros}]), input = columns(0..4), \
             target = columns(4..8), split = all, shuffle = false }}\n\
             train t {{ data = d, model = m, loss = l, optimiser = gd(lr = 0.01), batch = {batch}, epochs = 1, precision = f64 }}\n"
        );
        let program =
            Program::parse(&text, "rows.lens", &MemoryWorld::default()).unwrap_or_else(|(said, _)| panic!("{said}"));
        let training = program.training("t").unwrap_or_else(|said| panic!("{said}"));
        let (spec, from) = training.data.clone().unwrap();
        let data =
            load(&spec, &from, &MemoryWorld::default(), 0, &evaluate_bits).unwrap_or_else(|said| panic!("{said}"));
        let mut learner: Learner<f64> = Learner::new(&training, Some(&data), 0).unwrap_or_else(|said| panic!("{said}"));
        let rows: Vec<usize> = if batch == "all" { (0..4).collect() } else { vec![0] };
        let mut trace = Vec::new();
        for _ in 0..3 {
            trace.extend(learner.watch(&rows).unwrap().requests.iter().map(Tensor::to_f64));
            learner.step(&rows).unwrap();
            trace.extend(learner.params().iter().map(Tensor::to_f64));
        }
        trace
    };
    let (all, one) = (run("all"), run("1"));
    assert_eq!(all[0], [32.0]);
    assert!(support::near(&all, &one, 1e-12), "{all:?} {one:?}");
}

#[test]
fn long_diagrams_take_linear_time() {
    // a residual network of many layers, and a parameter used in all of them: its requests are one long sum
    let mut b = Builder::new();
    let (mut x, w) = (real(&mut b, "x", &[B, lit(4)]), real(&mut b, "w", &[lit(4), lit(4)]));
    let mut total: Option<Wire> = None;
    for _ in 0..2_500 {
        let y = b.einsum("bi,oi->bo", &[x, w], &[], 0.1).unwrap();
        let y = b.map(Function::Tanh, &[y]).unwrap();
        let z = b.scale(y, 0.5).unwrap();
        let next = b.add(x, z).unwrap();
        let request = b.einsum("bi,bo->boi", &[x, y], &[], 1.0).unwrap();
        total = Some(match total {
            Some(sum) => b.add(sum, request).unwrap(),
            None => request,
        });
        x = next;
    }
    let sum = b.einsum("boi->oi", &[total.unwrap()], &[], 1.0).unwrap();
    let d = b.finish(&[x, sum]);
    let simple = checked(&d);
    assert_eq!(largest_tensor(&simple, 32), 32 * 4);
    assert!(simple.work() <= d.work());
}
