//! Probe.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, dead_code, unreachable_pub, reason = "tests")]
use catlearn::elaborate::Program;
use catlearn::source::MemoryWorld;
#[path = "../src/cli/render.rs"]
mod render;
#[test]
fn examples_elaborate() {
    let list = std::env::var("PROBE").unwrap_or("examples/iris.lens examples/three_points.lens".into());
    for f in list.split_whitespace() {
        println!("=== {f}");
        let text = std::fs::read_to_string(f).unwrap();
        let style = render::Style { color: false, width: 120 };
        let t0 = std::time::Instant::now();
        let p = match Program::parse(&text, f, &MemoryWorld::default()) {
            Ok(p) => p,
            Err((d, s)) => {
                println!("{}", render::render(&d, &s, style));
                continue;
            }
        };
        let said = p.check();
        println!("{}", render::render(&said, p.sources(), style));
        println!("{:?}", t0.elapsed());
        for i in p.items() {
            println!("{} {} {:?} {:?} {:?}", i.word, i.name, i.ty, i.parameters, i.operations);
        }
        if said.has_errors() {
            continue;
        }
        for t in p.trainings() {
            let t = p.training(&t).unwrap();
            let s = catlearn::learn::step(&t).unwrap();
            println!(
                "{} {} {} {:?}",
                t.name,
                t.objective.work(),
                s.diagram.work(),
                t.params.iter().map(|p| format!("{}: {}", p.path, p.leaf)).collect::<Vec<_>>()
            );
        }
    }
}
