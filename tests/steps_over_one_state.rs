//! Several steps over one `S * P`: SPIDER's refresh and recursion share the state, and on exact gradients SPIDER is
//! gradient descent (OPTIMISERS.md 2.4).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use catlearn::elaborate::{Aggregator, Program};
use catlearn::learn::{gradient, steps};
use catlearn::object::Tangent;
use catlearn::source::MemoryWorld;
use support::{near, run};

#[test]
fn spider_on_exact_gradients_is_gradient_descent() {
    let text = "optimiser refresh(lr) on p : R[n] {\n    state v : R[n] ~ zeros\n    state previous : R[n] ~ p\n\
                put (g) { next v = g  next previous = p  p - lr * g }\n}\n\
                optimiser recursion(lr) on p : R[n] {\n    state v : R[n] ~ zeros\n    state previous : R[n] ~ p\n\
                get (p, previous)\n    put (g, h) { next v = v + g - h  next previous = p  p - lr * v }\n}\n\
                model quad {a: R[2] ~ [1, -2], b: R[1] ~ [0.5]} : () -> R[1] () { 0.5 * dot(a, a) + dot(b, b) * dot(b, b) }\n\
                train one { objective = quad, optimiser = refresh(lr = 0.1), steps = 1 }\n\
                train two { objective = quad, optimiser = recursion(lr = 0.1), steps = 1 }\n\
                train plain { objective = quad, optimiser = gd(lr = 0.1), steps = 1 }\n";
    let program =
        Program::parse(text, "spider.lens", &MemoryWorld::default()).unwrap_or_else(|(said, _)| panic!("{said}"));
    let of = |name: &str| program.training(name).unwrap_or_else(|said| panic!("{said}"));
    let (one, two, plain) = (of("one"), of("two"), of("plain"));
    let g = gradient(&one.player.objective, Tangent::Real).unwrap();
    let made = steps(&g, &[one.player.rule.clone(), two.player.rule, plain.player.rule], Aggregator::Mean).unwrap();
    assert_eq!(made.len(), 3);
    // All have the same ports and outputs: one S * P.
    for step in &made {
        assert_eq!((step.states, step.params), (4, 2));
        assert_eq!(step.diagram.ports(), made[0].diagram.ports());
        assert_eq!(step.diagram.out_leaves(), made[0].diagram.out_leaves());
    }
    let start = vec![vec![0.0; 2], vec![1.0, -2.0], vec![0.0], vec![0.5], vec![1.0, -2.0], vec![0.5], vec![0.0]];
    let (mut spider, mut descent) = (start.clone(), start);
    for k in 0..25 {
        let next = |state: &[Vec<f64>], which: usize| {
            let mut out = run(&made[which].diagram, state, 1);
            out.pop();
            out.push(vec![f64::from(k)]);
            out
        };
        spider = next(&spider, usize::from(k % 10 != 0));
        descent = next(&descent, 2);
        assert!(near(&spider[4..6], &descent[4..6], 1e-12), "step {k}");
    }
    // What gradient descent does not know is passed on untouched.
    assert_eq!(descent[0], vec![0.0; 2]);
}
