//! Elaborates and steps the first examples.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
use catlearn::elaborate::Program;
use catlearn::source::MemoryWorld;
#[test]
fn examples_elaborate() {
    for f in ["examples/iris.lens", "examples/three_points.lens"] {
        let text = std::fs::read_to_string(f).unwrap();
        let p = Program::parse(&text, f, &MemoryWorld::default()).unwrap_or_else(|(d, s)| panic!("{:#?}", d.0.iter().map(|x| (x.to_owned(), x.span().map(|y| s.locate(y)))).collect::<Vec<_>>()));
        let said = p.check();
        println!("{:#?}", said.0.iter().map(|x| (x.to_owned(), x.span().map(|y| p.sources().locate(y)))).collect::<Vec<_>>());
        assert!(!said.has_errors());
        for t in p.trainings() {
            let t = p.training(&t).unwrap();
            let s = catlearn::learn::step(&t).unwrap();
            println!("{} {} {}", t.name, t.objective.work(), s.diagram.work());
        }
    }
}
