//! Sums over examples of scatters into tables become one scatter, over whole numbers and bits, with the same values;
//! so a step of a table layer never makes a table an example.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use catlearn::compile::{largest_tensor, simplify};
use catlearn::diagram::{Builder, Diagram, LeadAxis, Op, Role, Wire};
use catlearn::elaborate::Program;
use catlearn::learn::step;
use catlearn::object::{Base, Dim, Leaf};
use catlearn::random::{Stream, Use};
use catlearn::run::{Tensor, evaluate};
use catlearn::source::MemoryWorld;
use smallvec::SmallVec;

const B: Dim = Dim::BATCH;

/// Values for the ports: bits, labels, and whole numbers from -4 to 4.
fn inputs(d: &Diagram, batch: usize, s: &mut Stream) -> Vec<Tensor<f64>> {
    let entry = |s: &mut Stream, base: Base| match base {
        Base::Fin(n) => s.below(u64::from(n)) as f64,
        Base::Bool => s.below(2) as f64,
        _ => s.below(9) as f64 - 4.0,
    };
    let of = |s: &mut Stream, leaf: &Leaf| (0..leaf.size(batch)).map(|_| entry(s, leaf.base)).collect::<Vec<f64>>();
    d.ports().iter().map(|p| Tensor::from_f64(&p.leaf, batch, &of(s, &p.leaf)).unwrap()).collect()
}

/// The simplified diagram, after a check that it computes exactly the same on random inputs.
fn checked(d: &Diagram) -> Diagram {
    let simple = simplify(d);
    let mut s = Stream::new(3, Use::Laws);
    for batch in [5, 1, 2, 5, 7] {
        let x = inputs(d, batch, &mut s);
        let (want, got) = (evaluate(d, &x, batch).unwrap(), evaluate(&simple, &x, batch).unwrap());
        for (w, g) in want.iter().zip(&got) {
            assert_eq!(w.to_f64(), g.to_f64(), "{d}\n{simple}");
        }
    }
    assert_eq!(simplify(&simple).nodes(), simple.nodes(), "a fixed point");
    simple
}

fn port(b: &mut Builder, name: &str, base: Base, dims: &[Dim]) -> Wire {
    b.port(name, Role::Input, Leaf::new(base, &[]).with_dims(dims.iter().copied()))
}

/// A scatter over leading axes of the batch and of 2, of one kind, with its operands' axes.
fn scatter(b: &mut Builder, base: Base, lookup: bool, lead: [LeadAxis; 2], name: &str) -> Wire {
    let index: Vec<Dim> = [B, Dim::lit(2)].into_iter().zip(lead).filter(|(_, l)| l.index).map(|(d, _)| d).collect();
    let whole = |last: u64| vec![B, Dim::lit(2), Dim::lit(last)];
    let lead = SmallVec::from_slice(&lead);
    let (op, dy, index) = if lookup {
        let address = [index, vec![Dim::lit(3)]].concat();
        (Op::LookupDagger { lead }, whole(1), port(b, &format!("{name}.x"), Base::Bool, &address))
    } else {
        let places = [index, vec![Dim::lit(4)]].concat();
        let op = Op::GatherDagger { lead, rows: Dim::lit(5) };
        (op, whole(4), port(b, &format!("{name}.i"), Base::Fin(5), &places))
    };
    let dy = port(b, &format!("{name}.dy"), base, &dy);
    b.op(op, &[dy, index]).unwrap()
}

#[test]
fn a_sum_of_scatters_is_one_scatter() {
    let axis = |table, index| LeadAxis { table, index };
    for base in [Base::Int, Base::Bool] {
        for lookup in [true, false] {
            for index in [true, false] {
                for inner in [axis(true, true), axis(true, false), axis(false, true)] {
                    let mut b = Builder::new();
                    let all = scatter(&mut b, base, lookup, [axis(true, index), inner], "one");
                    let sum = b.sum_axis(all, 0).unwrap();
                    let d = checked(&b.finish(&[sum]));
                    // what is scattered may be summed first, a table an example is never made
                    assert!(largest_tensor(&d, 32) < 32 * 5, "{d}");
                }
            }
        }
    }
}

#[test]
fn a_table_used_twice_is_a_sum_of_scatters() {
    let axis = LeadAxis { table: true, index: true };
    for base in [Base::Int, Base::Bool] {
        let mut b = Builder::new();
        let one = scatter(&mut b, base, true, [axis, axis], "one");
        let two = scatter(&mut b, base, true, [axis, axis], "two");
        let other = port(&mut b, "other", base, &[B, Dim::lit(2), Dim::lit(8)]);
        let all = b.add(one, two).unwrap();
        let all = b.add(all, other).unwrap();
        let sum = b.sum_axis(all, 0).unwrap();
        assert_eq!(largest_tensor(&checked(&b.finish(&[sum])), 32), 16);
    }
}

#[test]
fn what_others_read_stays() {
    let axis = LeadAxis { table: true, index: true };
    let mut b = Builder::new();
    let all = scatter(&mut b, Base::Int, true, [axis, axis], "one");
    let (sum, inner) = (b.sum_axis(all, 0).unwrap(), b.sum_axis(all, 1).unwrap());
    let d = b.finish(&[all, sum, inner]);
    let scatters = checked(&d).nodes().iter().filter(|n| matches!(n.op, Op::LookupDagger { .. })).count();
    assert_eq!(scatters, 1);
    // an axis of the table's own is no axis of examples
    let mut b = Builder::new();
    let all = scatter(&mut b, Base::Int, true, [axis, axis], "one");
    let sum = b.sum_axis(all, 2).unwrap();
    checked(&b.finish(&[sum]));
}

/// `lut_layer[16, 32, 4]` has 512 bits and, at a batch of 32, 1024 outputs and 4096 address bits.
#[test]
fn a_step_of_a_table_layer_makes_no_table_an_example() {
    let text = "import std.bool\nmodel m : Bool[16] -> Bool[32] = lut_layer[16, 32, 4]\n\
                model twice : Bool[16] -> Bool[16] = lut_layer[16, 64, 4] >> lut_layer[64, 16, 4]\n\
                data d { source = truth_table(16, cat(x, x)) }\ndata e { source = truth_table(16, x) }\n\
                train one { data = d, model = m, loss = count_error, optimiser = counter, batch = 32, epochs = 1 }\n\
                train two { data = d, model = m, loss = xor_error, optimiser = rda, batch = 32, epochs = 1 }\n\
                train deep { data = e, model = twice, loss = count_error, optimiser = counter, batch = 32, epochs = 1 }\n";
    let program =
        Program::parse(text, "tables.lens", &MemoryWorld::default()).unwrap_or_else(|(said, _)| panic!("{said}"));
    for (name, outputs, table) in [("one", 32, 512), ("two", 32, 512), ("deep", 64, 1024)] {
        let made = step(&program.training(name).unwrap_or_else(|said| panic!("{said}"))).unwrap().diagram;
        let (raw, now) = (largest_tensor(&made, 32), largest_tensor(&checked(&made), 32));
        assert!(raw >= 32 * table, "{name}: {raw}");
        let address_bits = 32 * outputs * 4;
        assert!(now <= table + address_bits, "{name}: {now} of {raw}");
    }
}
