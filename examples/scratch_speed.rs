use catlearn::diagram::*;
use catlearn::object::*;
use catlearn::run::*;
use std::time::Instant;
fn main() {
    let mut b = Builder::new();
    let x = b.port("x", Role::Input, Leaf::real(&[4]).under(Dim::BATCH));
    let w = b.port("w", Role::Param, Leaf::real(&[16, 4]));
    let mut h = b.einsum("bi,oi->bo", &[x, w], &[], 1.0).unwrap();
    for k in 0..19 {
        let s = b.map(if k % 2 == 0 { Function::Tanh } else { Function::Sigmoid }, &[h]).unwrap();
        let t = b.scale(s, 1.5 + k as f64).unwrap();
        h = b.add(t, h).unwrap();
    }
    let g = b.einsum("bo,bi->oi", &[h, x], &[], 0.01).unwrap();
    let o = b.add(w, g).unwrap();
    let d = b.finish(&[o]);
    println!("work {}", d.work());
    for batch in [1usize, 8] {
        let mut m = Machine::<f32>::new(&d);
        let x = Tensor::real(&[batch, 4], vec![0.1; 4 * batch]).unwrap();
        let mut w = Tensor::real(&[16, 4], vec![0.01; 64]).unwrap();
        let t = Instant::now();
        for _ in 0..60000 {
            let _w2 = m.run(&[x.clone(), w.clone()], batch).unwrap().pop().unwrap();
            w = _w2;
            if t.elapsed().as_secs() > 20 {
                break;
            }
        }
        println!("60000 steps batch {batch}: {:?}", t.elapsed());
    }
    for (spec, da, db) in
        [("ab,bc->ac", [64u64, 32], [32u64, 64]), ("ab,cb->ac", [64, 32], [64, 32]), ("ba,bc->ac", [32, 64], [32, 64])]
    {
        let mut b = Builder::new();
        let x = b.port("x", Role::Input, Leaf::real(&da));
        let y = b.port("y", Role::Input, Leaf::real(&db));
        let z = b.einsum(spec, &[x, y], &[], 1.0).unwrap();
        let mut m = Machine::<f32>::new(&b.finish(&[z]));
        let i = [
            Tensor::real(&[da[0] as usize, da[1] as usize], vec![1.0; 2048]).unwrap(),
            Tensor::real(&[db[0] as usize, db[1] as usize], vec![1.0; 2048]).unwrap(),
        ];
        m.run(&i, 1).unwrap();
        let t = Instant::now();
        for _ in 0..1000 {
            m.run(&i, 1).unwrap();
        }
        println!("{spec}: {:?}", t.elapsed() / 1000);
    }
}
