//! Random programs that check: the items of the language at random sizes, every use of a name of the right type.
//!
//! A sum, a product or an operand always begins with a wire, so that no expression is a number alone.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::programs::Writer;

/// A program without errors: definitions, then data and runs of what was defined.
pub(crate) fn program(seed: u64) -> String {
    let mut p = Typed { w: Writer::new(seed), ..Typed::default() };
    for _ in 0..3 + p.w.random.below(6) {
        p.definition();
    }
    p.composed();
    p.run();
    if p.w.random.one_in(2) {
        p.objective();
    }
    p.w.text()
}

const LAYERS: [&str; 6] = ["tanh", "relu", "sigmoid", "gelu", "silu", "softplus"];
const NUMBERS: [&str; 5] = ["0.5", "2", "1e-1", "3", "12.25"];

#[derive(Default)]
struct Typed {
    w: Writer,
    /// How many names were made.
    made: usize,
    /// Definitions R[n] -> R[n], with whether they have a setting `a`.
    pointwise: Vec<(String, bool)>,
    /// Models with the sizes that they take and give.
    models: Vec<(String, usize, usize)>,
    /// `dim`s, and types and consts of vectors, with their numbers.
    dims: Vec<(String, usize)>,
    types: Vec<(String, usize)>,
    consts: Vec<(String, usize)>,
    losses: Vec<String>,
    /// Optimisers, with whether they are written as a `step`.
    optimisers: Vec<(String, bool)>,
    transforms: Vec<String>,
    /// The wires that a body has, with their sizes; 0 is the open dimension `n`.
    wires: Vec<(String, usize)>,
}

impl Typed {
    fn name(&mut self, stem: &str) -> String {
        self.made += 1;
        format!("{stem}{}", self.made)
    }

    fn size(&mut self) -> usize {
        1 + self.w.random.below(4)
    }

    fn number(&mut self) {
        let number = self.w.random.pick(&NUMBERS);
        self.w.put(number);
    }

    /// A size in brackets: a number, a `dim`, or a sum.
    fn dim(&mut self, n: usize) {
        let named = self.dims.iter().find(|(_, k)| *k == n).map(|(name, _)| name.clone());
        match (named, self.w.random.below(4)) {
            (Some(name), 0 | 1) => {
                self.w.put(&name);
            }
            (_, 2) if n > 1 => {
                self.w.put(&format!("{} + 1", n - 1));
            }
            _ => {
                self.w.put(&n.to_string());
            }
        }
    }

    /// R[k]; R[n] where k is 0.
    fn vector(&mut self, k: usize) {
        let alias = self.types.iter().find(|(_, n)| *n == k).map(|(name, _)| name.clone());
        if let Some(alias) = alias.filter(|_| self.w.random.one_in(2)) {
            self.w.put(&alias);
            return;
        }
        self.w.put("R").touch("[");
        if k == 0 {
            self.w.put("n");
        } else {
            self.dim(k);
        }
        self.w.put("]");
    }

    fn definition(&mut self) {
        match self.w.random.below(11) {
            0 => {
                let (name, n) = (self.name("size"), self.size());
                let value = [format!("{n}"), format!("{} - 1", n + 1), format!("{} / 2", 2 * n), format!("{n} ^ 1")];
                let at = self.w.random.below(4);
                self.w.put(&format!("dim {name} = {}", value[at]));
                self.dims.push((name, n));
            }
            1 => {
                let (name, n) = (self.name("V"), self.size());
                self.w.put(&format!("type {name} ="));
                self.vector(n);
                self.types.push((name, n));
            }
            2 => {
                let (name, n) = (self.name("c"), self.size());
                self.w.put(&format!("const {name} :"));
                self.vector(n);
                self.w.put("=");
                self.list(n);
                self.consts.push((name, n));
            }
            3 | 4 => self.def(),
            5 => self.loss(),
            6 => self.prim(),
            7 => self.optimiser(),
            8 => self.transform(),
            9 => self.bits(),
            _ => self.ported(),
        }
    }

    fn list(&mut self, n: usize) {
        self.w.put("[");
        for at in 0..n {
            if at > 0 {
                self.w.put(",");
            }
            if self.w.random.one_in(3) {
                self.w.put("-");
            }
            self.number();
        }
        self.w.put("]");
    }

    fn def(&mut self) {
        let (name, setting) = (self.name("f"), self.w.random.one_in(2));
        self.w.put("def").put(&name);
        if setting {
            self.w.put("( a = 0.5 )");
        }
        self.w.put(": R").touch("[").put("n ] -> R").touch("[").put("n ] ( x )");
        self.wires = vec![("x".to_owned(), 0)];
        self.block(0, 3, |w| {
            if setting {
                w.put("a * x +");
            }
        });
        self.pointwise.push((name, setting));
    }

    fn loss(&mut self) {
        let name = self.name("l");
        self.w.put(&format!("loss {name} : ( y : R")).touch("[").put("n ] , t : R").touch("[").put("n ] ) -> R");
        self.w.touch("[").put("1 ] ( y , t ) { let e = y - t sum").touch("(").put("e * e )");
        self.w.put("+ 0 * sum").touch("(");
        self.wires = vec![("y".to_owned(), 0), ("t".to_owned(), 0), ("e".to_owned(), 0)];
        self.sum(0, 2);
        self.w.put(") }");
        self.losses.push(name);
    }

    fn prim(&mut self) {
        let name = self.name("p");
        self.w.put(&format!("prim {name} : R")).touch("[").put("n ] -> R").touch("[").put("n ] { fwd ( x ) { x * x }");
        self.w.put("rev ( x , dy ) { 2 * x * dy } }");
        self.pointwise.push((name, false));
    }

    fn optimiser(&mut self) {
        let name = self.name("o");
        self.w.put(&format!("optimiser {name} ( lr , gamma = 0.9 ) on p : R")).touch("[").put("n ]");
        if self.w.random.one_in(3) {
            self.w.put("per tensor");
        }
        let form = self.w.random.below(3);
        match form {
            0 => self.w.put("{ step { let g = request").touch("(").put("p ) p - lr * gamma * g } }"),
            1 => self.w.put("{ put ( g ) { p - lr * g + 0 * gamma } }"),
            _ => {
                self.w.put("{ state u : R").touch("[").put("n ] ~ zeros");
                if self.w.random.one_in(2) {
                    self.w.put("get { p + gamma * u }");
                }
                let end = self.w.random.pick(&["", ";"]);
                if end.is_empty() {
                    self.w.put("put ( g ) { next u = gamma * u - lr * g p + u } }")
                } else {
                    self.w.put("put ( g ) { next u = gamma * u - lr * g ; - u + p + 2 * u } }")
                }
            }
        };
        self.optimisers.push((name, form == 0));
    }

    fn transform(&mut self) {
        let name = self.name("t");
        self.w.put(&format!("transform {name} ( max = 1 ) on p : R")).touch("[").put(".. s ] per global { put ( g ) {");
        self.w.put("g * min").touch("(").put("1 , max / ( 1 + norm").touch("(").put("g ) ) ) } }");
        self.transforms.push(name);
    }

    fn bits(&mut self) {
        let name = self.name("b");
        self.w.put(&format!("def {name} : Bool")).touch("[").put("n ] -> Bool").touch("[").put("n ] ( x ) {");
        let body = self.w.random.pick(&["x xor ! x", "x & ! x | x", "if x then x else ! x", "! ( x | x ) xor x"]);
        self.w.put(body).put("}");
    }

    /// A model with ports of its own, each used.
    fn ported(&mut self) {
        let (name, a, b) = (self.name("m"), self.size(), self.size());
        let (noise, shift) = (self.w.random.one_in(3), self.w.random.one_in(2));
        self.w.put(&format!("model {name} {{ W : R")).touch("[");
        self.dim(b);
        self.w.put(",");
        self.dim(a);
        let drawn = self.w.random.pick(&["glorot", "he", "orthogonal"]);
        self.w.put("] ~").put(drawn);
        if shift {
            self.w.put(", v :");
            self.vector(b);
            self.w.put("~");
            match self.w.random.below(3) {
                0 => self.list(b),
                1 => {
                    self.w.put("normal").touch("(").put("std = 0.5 )");
                }
                _ => {
                    self.w.put("zeros");
                }
            }
        }
        if noise {
            self.w.put(", noise u :");
            self.vector(b);
            self.w.put("~ uniform");
        }
        self.w.put("} :");
        self.vector(a);
        self.w.put("->");
        self.vector(b);
        self.w.put("( x )");
        self.wires = vec![("x".to_owned(), a)];
        self.wires.extend(self.consts.clone());
        self.wires.extend(shift.then(|| ("v".to_owned(), b)));
        self.wires.extend(noise.then(|| ("u".to_owned(), b)));
        self.block(b, 3, |w| {
            w.put("W @ x +");
            if shift {
                w.put("v +");
            }
            if noise {
                w.put("0.1 * u +");
            }
        });
        if self.w.random.one_in(3) {
            self.w.put("evaluate ( x ) { W @ x }");
        }
        self.models.push((name, a, b));
    }

    /// A body that gives R[k], its value begun by `first`.
    fn block(&mut self, k: usize, most: usize, first: impl FnOnce(&mut Writer)) {
        self.w.put("{");
        for _ in 0..self.w.random.below(most) {
            let (name, of) = if k == 0 { (self.name("h"), 0) } else { (self.name("h"), self.size()) };
            let pair = self.wires.iter().find(|(_, size)| *size > 1).cloned();
            match pair.filter(|_| self.w.random.one_in(3)) {
                Some((whole, n)) => {
                    let other = self.name("h");
                    self.w
                        .put(&format!("let ( {name} , {other} ) = split"))
                        .touch("[")
                        .put(&format!("1 , {} ]", n - 1));
                    self.w.touch("(").put(&whole).put(")");
                    self.wires.extend([(name, 1), (other, n - 1)]);
                }
                None => {
                    self.w.put("let").put(&name);
                    if of > 0 && self.w.random.one_in(3) {
                        self.w.put(":");
                        self.vector(of);
                    }
                    self.w.put("=");
                    self.value(of, 2);
                    self.wires.push((name, of));
                }
            }
            if self.w.random.one_in(3) {
                self.w.put(";");
            }
        }
        let from = self.w.tokens.len();
        first(&mut self.w);
        self.sum(k, 2);
        // Without it a value that begins with a sign goes on with the statement before.
        if self.w.tokens[from].1 == "-" && !["{", ";"].contains(&self.w.tokens[from - 1].1.as_str()) {
            self.w.insert(from, ";");
        }
        self.w.put("}");
    }

    fn value(&mut self, k: usize, depth: usize) {
        if depth > 0 && self.w.random.one_in(5) {
            self.choice(k, depth - 1);
        } else {
            self.sum(k, depth);
        }
    }

    fn choice(&mut self, k: usize, depth: usize) {
        self.w.put("if");
        self.sum(k, 0);
        let sign = self.w.random.pick(&[">", "<=", "<", ">="]);
        self.w.put(sign);
        if self.w.random.one_in(2) {
            self.number();
        } else {
            self.sum(k, 0);
        }
        self.w.put("then");
        self.sum(k, depth);
        self.w.put("else");
        self.sum(k, depth);
    }

    fn sum(&mut self, k: usize, depth: usize) {
        if self.w.random.one_in(6) {
            self.w.put("-");
        }
        self.product(k, depth);
        while self.w.random.one_in(3) {
            let sign = self.w.random.pick(&["+", "-"]);
            self.w.put(sign);
            if self.w.random.one_in(4) {
                self.number();
            } else {
                self.product(k, depth);
            }
        }
    }

    fn product(&mut self, k: usize, depth: usize) {
        self.atom(k, depth);
        if self.w.random.one_in(6) {
            self.w.put("^ 2");
        }
        while self.w.random.one_in(4) {
            match self.w.random.below(4) {
                0 => {
                    self.w.put("/");
                    self.number();
                }
                1 => {
                    self.w.put("*");
                    self.number();
                }
                2 => {
                    self.w.put("⊗");
                    self.atom(k, 0);
                }
                _ => {
                    self.w.put("*");
                    self.atom(k, depth);
                }
            }
        }
    }

    /// A wire, a call, an expression in brackets.
    fn atom(&mut self, k: usize, depth: usize) {
        let named: Vec<String> = self.wires.iter().filter(|(_, s)| *s == k).map(|(n, _)| n.clone()).collect();
        if depth == 0 || self.w.random.one_in(3) {
            if let (false, at) = (named.is_empty(), self.w.random.below(named.len().max(1))) {
                self.w.put(&named[at]);
                return;
            }
            let longer = self.wires.iter().find(|(_, s)| *s > k).cloned();
            match longer.filter(|_| k > 0) {
                Some((name, _)) => {
                    self.w.put(&name).touch("[").put(&format!("0 .. {k} ]"));
                }
                None => {
                    self.w.put("ones").touch("[");
                    self.dim(k);
                    self.w.put("]");
                }
            }
            return;
        }
        match self.w.random.below(8) {
            0 => {
                self.w.put("(");
                self.choice(k, depth - 1);
                self.w.put(")");
            }
            1 | 2 => {
                self.w.put("(");
                self.value(k, depth - 1);
                self.w.put(")");
            }
            3 if !self.pointwise.is_empty() => {
                let at = self.w.random.below(self.pointwise.len());
                let (name, setting) = self.pointwise[at].clone();
                self.w.put(&name);
                if setting && self.w.random.one_in(2) {
                    self.w.touch("(").put("a =");
                    self.number();
                    self.w.put(")");
                }
                self.call(k, depth - 1);
            }
            4 => {
                self.w.put("max").touch("(");
                self.sum(k, 0);
                self.w.put(",");
                self.sum(k, depth - 1);
                self.w.put(")");
            }
            5 => {
                self.w.put("sum");
                self.call(k, depth - 1);
                self.w.put("*");
                self.atom(k, 0);
            }
            6 if k > 1 => {
                self.w.put("cat").touch("(");
                self.sum(1, depth - 1);
                self.w.put(",");
                self.sum(k - 1, 0);
                self.w.put(")");
            }
            _ => {
                let name = self.w.random.pick(&LAYERS);
                self.w.put(name);
                self.call(k, depth - 1);
            }
        }
    }

    fn call(&mut self, k: usize, depth: usize) {
        self.w.touch("(");
        self.value(k, depth);
        self.w.put(")");
    }

    /// A chain of layers.
    fn composed(&mut self) {
        let (name, a) = (self.name("m"), self.size());
        self.w.put(&format!("model {name} :"));
        self.vector(a);
        self.w.put("->");
        let b = self.size();
        self.vector(b);
        self.w.put("=");
        let mut at = a;
        for _ in 0..self.w.random.below(4) {
            at = self.layer(at);
            self.w.put(">>");
        }
        self.dense(at, b);
        self.models.push((name, a, b));
    }

    fn dense(&mut self, a: usize, b: usize) {
        self.w.put("dense").touch("[");
        if self.w.random.one_in(4) {
            self.w.put("_");
        } else {
            self.dim(a);
        }
        self.w.put(",");
        self.dim(b);
        self.w.put("]");
    }

    fn layer(&mut self, a: usize) -> usize {
        let known: Vec<(String, usize)> =
            self.models.iter().filter(|(_, from, _)| *from == a).map(|(n, _, to)| (n.clone(), *to)).collect();
        let name = self.w.random.pick(&LAYERS);
        match self.w.random.below(9) {
            0 => {
                self.w.put("residual").touch("(").put(name).put(">>");
                self.dense(a, a);
                self.w.put(")");
            }
            1 => {
                self.w.put("stack").touch("[").put("2 ]").touch("(");
                self.dense(a, a);
                self.w.put(">>").put(name).put(")");
            }
            2 => {
                self.w.put("iterate").touch("[").put("3 ]").touch("(").put(name).put(")");
            }
            3 => {
                self.w.put("dropout").touch("(").put("rate = 0.2 )");
            }
            4 => {
                self.w.put("layer_norm").touch("[");
                self.dim(a);
                self.w.put("]");
            }
            5 if a > 1 => {
                let b = self.size();
                self.w.put("( dense").touch("[").put(&format!("1 , {b} ] * dense")).touch("[");
                self.w.put(&format!("{} , 2 ] )", a - 1));
                return b + 2;
            }
            6 if !known.is_empty() => {
                let at = self.w.random.below(known.len());
                self.w.put(&known[at].0);
                return known[at].1;
            }
            7 => {
                let b = self.size();
                self.dense(a, b);
                return b;
            }
            _ => {
                self.w.put(name);
            }
        }
        a
    }

    fn rule(&mut self) {
        if self.w.random.one_in(4) {
            self.w.put("{").put("\"*.W\"").put(": gd").touch("(").put("lr = 0.1 ) , _ :");
            let _step = self.optimiser_call();
            self.w.put("}");
            return;
        }
        let step = self.optimiser_call();
        if let (false, at) = (self.transforms.is_empty() || step, self.w.random.below(self.transforms.len().max(1))) {
            let name = self.transforms[at].clone();
            self.w.put(">>").put(&name).touch("(").put("max = 2 )");
        }
    }

    /// A rule with its rate; whether it is written as a `step`, behind which no transform stands yet.
    fn optimiser_call(&mut self) -> bool {
        let own = self.optimisers.last().cloned().filter(|_| self.w.random.one_in(2));
        let library = self.w.random.pick(&["adam", "gd", "momentum", "nesterov"]);
        let (name, step) = own.unwrap_or_else(|| (library.to_owned(), false));
        self.w.put(&name).touch("(").put("lr =");
        match self.w.random.below(3) {
            0 => {
                self.w.put("cosine").touch("(").put("from = 0.1 , steps = 10 )");
            }
            1 => {
                self.w.put("warmup").touch("(").put("steps = 5 , to = 0.1 ) then cosine").touch("(");
                self.w.put("from = 0.1 , steps = 10 )");
            }
            _ => {
                self.w.put("1e-2");
            }
        }
        self.w.put(")");
        step
    }

    fn field(&mut self, text: &str) {
        self.w.put(text);
        self.comma();
    }

    fn comma(&mut self) {
        let sign = self.w.random.pick(&["", ",", ";"]);
        if !sign.is_empty() {
            self.w.put(sign);
        }
    }

    fn run(&mut self) {
        let (data, run) = (self.name("d"), self.name("r"));
        let at = self.w.random.below(self.models.len());
        let (model, a, b) = self.models[at].clone();
        self.w.put(&format!("data {data} {{ source = inline")).touch("(").put("[");
        for row in 0..4 {
            if row > 0 {
                self.w.put(",");
            }
            self.list(a + b);
        }
        self.w.put("] )");
        self.comma();
        self.w.put("input = columns").touch("(").put(&format!("0 .. {a} )"));
        if self.w.random.one_in(2) {
            self.w.put(">> standardise");
        }
        self.comma();
        self.w.put("target = columns").touch("(").put(&format!("{a} .. {} )", a + b));
        self.comma();
        self.field("split = all");
        self.w.put("}");
        self.w.put(&format!("train {run} {{ data = {data}"));
        self.comma();
        self.field(&format!("model = {model}"));
        let loss = self.losses.last().cloned().filter(|_| self.w.random.one_in(2));
        self.field(&format!("loss = {}", loss.unwrap_or_else(|| "mse".to_owned())));
        self.w.put("optimiser =");
        self.rule();
        self.comma();
        let batch = self.w.random.pick(&["batch = 2", "batch = all"]);
        self.field(batch);
        let length = self.w.random.pick(&["epochs = 3", "steps = 5"]);
        self.field(length);
        self.field("seed = 7");
        self.w.put("}");
    }

    fn objective(&mut self) {
        let (goal, run) = (self.name("q"), self.name("r"));
        self.w
            .put(&format!("model {goal} {{ z : R"))
            .touch("[")
            .put("2 ] ~ ones } : ( ) -> R")
            .touch("[")
            .put("1 ] ( ) {");
        self.w.put("dot").touch("(").put("z , z ) + 0 * sum").touch("(");
        self.wires = vec![("z".to_owned(), 2)];
        self.sum(2, 2);
        self.w.put(") }");
        self.w.put(&format!("train {run} {{ objective = {goal}"));
        self.comma();
        self.w.put("optimiser =");
        self.optimiser_call();
        self.comma();
        self.field("steps = 2");
        self.field("precision = f64");
        self.w.put("}");
    }
}
