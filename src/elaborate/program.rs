//! An elaborated program: what the later stages read of it.
//!
//! A [`Program`] keeps the definitions and elaborates items on demand: each into diagrams with named ports and plain
//! data beside them. Nothing here knows numbers of a run.

use crate::data::DataSpec;
use crate::diagram::{Diagram, Init};
use crate::elaborate::items::check;
use crate::elaborate::items::game;
use crate::elaborate::items::monitors::{Monitor, OnViolation};
use crate::elaborate::items::samples;
use crate::elaborate::items::train;
use crate::elaborate::scope::names::{DefId, Definitions, item_name, item_word, nearest};
use crate::elaborate::scope::{cycles, imports, lint, lost};
use crate::object::{Leaf, Tangent};
use crate::source::{Code, Diagnostic, Diagnostics, SourceMap, Span, World};
use crate::syntax::ast::{Field, Ident, ItemKind};
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex};

/// Parsed and named definitions with what was said about them.
#[derive(Debug)]
pub struct Program {
    pub(crate) defs: Definitions,
    pub(crate) main: usize,
    pub(crate) said: Diagnostics,
    /// What a check found the items to need: a list of them need not elaborate all again.
    numbers: Mutex<FxHashMap<DefId, Option<Numbers>>>,
}

/// How many numbers the parameters of an item are, and how many operations it takes.
pub(crate) type Numbers = (usize, usize);

/// A parameter or noise port of a model.
#[derive(Clone, PartialEq, Debug)]
pub struct Parameter {
    /// Its path: `mlp.0.W`.
    pub path: Arc<str>,
    /// Its type.
    pub leaf: Leaf,
    /// How it is drawn.
    pub init: Init,
}

/// A map of the program as a diagram: inputs, parameters and noise in, outputs out.
#[derive(Clone, Debug)]
pub struct Model {
    /// Its name.
    pub name: Arc<str>,
    /// Ports of role `Input`, `Param` and `Noise`.
    pub diagram: Diagram,
    /// Its parameters, in the order of the ports of role `Param`.
    pub params: Vec<Parameter>,
    /// Its noise, in the order of the ports of role `Noise`.
    pub noise: Vec<Parameter>,
}

/// How a state begins.
#[derive(Clone, PartialEq, Debug)]
pub enum StateInit {
    /// Drawn.
    Draw(Init),
    /// As the parameter leaf of that number.
    Param(usize),
}

/// A state of an update rule.
#[derive(Clone, PartialEq, Debug)]
pub struct StatePort {
    /// Its path: `quad.x.u`.
    pub path: Arc<str>,
    /// Its type.
    pub leaf: Leaf,
    /// How it begins.
    pub init: StateInit,
}

/// An update rule over the leaves of a program, requests still holes.
///
/// Ports: the parameters (`Param`), the clock (`Clock`), the states (`State`) in the order of `states`, the rule's noise
/// (`RuleNoise`). Outputs: the
/// next parameters, the next states, the points of each hole (hole by hole, leaf by leaf), and, if `evaluates`, the
/// parameters to evaluate at.
#[derive(Clone, Debug)]
pub struct RuleDiagram {
    /// The rule with `request` nodes.
    pub diagram: Diagram,
    /// The parameter leaves.
    pub leaves: Vec<(Arc<str>, Leaf)>,
    /// What a request is.
    pub tangent: Tangent,
    /// Its states.
    pub states: Vec<StatePort>,
    /// Noise drawn anew for each step, in the order of the ports of role `RuleNoise`.
    pub noise: Vec<Parameter>,
    /// How many requests are made in a step, at least one.
    pub holes: usize,
    /// Whether the last outputs are the parameters to evaluate at.
    pub evaluates: bool,
}

/// How requests meet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Aggregator {
    /// The sum over the batch divided by its size.
    Mean,
    /// The sum over the batch.
    Sum,
    /// The exclusive or over the batch: requests are bits.
    Xor,
    /// The exact sum over the batch: requests are whole numbers.
    Votes,
}

impl Aggregator {
    /// What requests over a tangent meet in when the program names nothing.
    #[must_use]
    pub fn over(tangent: Tangent) -> Aggregator {
        match tangent {
            Tangent::Real => Aggregator::Mean,
            Tangent::Parity => Aggregator::Xor,
            Tangent::Votes => Aggregator::Votes,
        }
    }

    /// Whether requests over a tangent can meet in it.
    #[must_use]
    pub fn fits(self, tangent: Tangent) -> bool {
        match self {
            Aggregator::Mean | Aggregator::Sum => tangent == Tangent::Real,
            Aggregator::Xor => tangent == Tangent::Parity,
            Aggregator::Votes => tangent == Tangent::Votes,
        }
    }

    /// The same for a run without examples, where there is one request: the mean of one is itself.
    #[must_use]
    pub fn of_one(self) -> Aggregator {
        if self == Aggregator::Sum { Aggregator::Mean } else { self }
    }
}

/// What the aggregator takes as its rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rows {
    /// The request of each loss for each example.
    Requests,
    /// The request of each loss for the mean of the batch.
    Losses,
}

/// Which numbers a run computes with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Precision {
    /// 32 bits.
    F32,
    /// 64 bits.
    F64,
}

/// How many examples make a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BatchSize {
    /// That many; the last may be shorter.
    Rows(usize),
    /// All examples at once.
    All,
    /// That many examples whose loss is not zero, in order; the others are passed over.
    Active(usize),
}

/// How long a run is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Length {
    /// That many passes over the training examples.
    Epochs(usize),
    /// That many updates.
    Steps(usize),
}

/// A number computed on a part of the data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Metric {
    /// The share of examples whose largest output is the label's; ties to the lower class. One logit: positive above 0.
    Accuracy,
    /// The share of examples whose outputs all equal the target; for classes the accuracy.
    ExactMatch,
    /// Counts of true class by predicted class.
    ConfusionMatrix,
    /// exp of the mean cross-entropy of the target under softmax of the outputs, a place of a sequence counting as one.
    Perplexity,
    /// 1 - the sum of squared errors / the sum of squared distances of the target from its mean, the mean over outputs.
    R2,
    /// The share of examples whose label is among the k largest outputs; ties to the lower class.
    TopKAccuracy(usize),
}

impl Metric {
    /// Its key in results and in `select`.
    #[must_use]
    pub fn key(self) -> Arc<str> {
        match self {
            Metric::Accuracy => "accuracy".into(),
            Metric::ExactMatch => "exact_match".into(),
            Metric::ConfusionMatrix => "confusion_matrix".into(),
            Metric::Perplexity => "perplexity".into(),
            Metric::R2 => "r2".into(),
            Metric::TopKAccuracy(k) => format!("top_{k}_accuracy").into(),
        }
    }
}

/// Which state of a run is kept as the result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Select {
    /// The last one.
    Last,
    /// The one that was best; the later of equals.
    Best {
        /// `valid`, `train` or `test`.
        part: Arc<str>,
        /// Which of its numbers; the loss when absent.
        metric: Option<Metric>,
    },
}

/// The settings of a training run, defaults filled in.
#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    /// How many examples make a step.
    pub batch: BatchSize,
    /// How long it is.
    pub length: Length,
    /// The seed, if the program names one.
    pub seed: Option<u64>,
    /// 32 or 64 bits.
    pub precision: Precision,
    /// Whether examples are put into a random order each epoch.
    pub shuffle: bool,
    /// The order of examples, if the program fixes it: batches of rows.
    pub order: Option<Vec<Vec<usize>>>,
    /// What is reported.
    pub metrics: Vec<Metric>,
    /// Which state is the result.
    pub select: Select,
    /// How requests meet.
    pub aggregator: Aggregator,
    /// What it takes as its rows.
    pub rows: Rows,
    /// What is claimed of the run.
    pub monitors: Vec<Monitor>,
    /// What happens when a claim turns out false.
    pub on_violation: OnViolation,
    /// How often the validation part is looked at, in steps; once an epoch when absent.
    pub validate: Option<usize>,
}

impl Settings {
    /// How the requests of a batch meet: where rows are losses, each is the mean of its batch.
    #[must_use]
    pub fn over_batch(&self) -> Aggregator {
        match (self.aggregator, self.rows) {
            (Aggregator::Sum, Rows::Losses) => Aggregator::Mean,
            (how, _) => how,
        }
    }
}

/// A part of the data.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Part {
    /// What is trained on.
    Train,
    /// What is held out to choose.
    Valid,
    /// What is held out to the end.
    Test,
}

impl Part {
    /// All of them.
    pub const ALL: [Part; 3] = [Part::Train, Part::Valid, Part::Test];

    /// Its name in the language.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Part::Train => "train",
            Part::Valid => "valid",
            Part::Test => "test",
        }
    }
}

/// One that learns: an objective, and a rule over the parameters that it owns.
#[derive(Clone, Debug)]
pub struct Player {
    /// The port it owns; in a `train` the run's name.
    pub name: Arc<str>,
    /// Where that stands.
    pub span: Span,
    /// Parameters, inputs, targets, noise -> the loss of one example, `R[1]`; of several losses each behind it.
    pub objective: Diagram,
    /// Like `objective`, outside training.
    pub evaluate: Diagram,
    /// Noise of one example in `evaluate`; ports of one path are one draw.
    pub evaluate_noise: Vec<Parameter>,
    /// Whether its rule gets the negative of the requests.
    pub maximises: bool,
    /// The examples it reads.
    pub part: Part,
    /// The update rule over the parameters it owns: some of the run's, in their order.
    pub rule: RuleDiagram,
}

/// Turns in a row that are alike: players that all move at one old state, each turn on a batch of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Turns {
    /// Their numbers among the players of the run.
    pub players: Vec<usize>,
    /// How many turns.
    pub times: usize,
}

/// A training run: everything that `learn` makes a step of. A `train` is a game with one player.
#[derive(Clone, Debug)]
pub struct Training {
    /// Its name.
    pub name: Arc<str>,
    /// Where its name stands.
    pub span: Span,
    /// What each of several losses is called, in a game by its player; nothing where there is one.
    pub losses: Vec<Arc<str>>,
    /// The parameters of all players.
    pub params: Vec<Parameter>,
    /// Noise of one example; ports of one path are one draw.
    pub noise: Vec<Parameter>,
    /// The first player, the only one of a `train`.
    pub player: Player,
    /// The other players of a game.
    pub others: Vec<Player>,
    /// The turns that make one step of the run.
    pub cycle: Vec<Turns>,
    /// Parameters, inputs -> predictions, outside training; absent for an objective without a model.
    pub predict: Option<Model>,
    /// The rest.
    pub settings: Settings,
    /// The data set, if there is one, and the name of the file that describes it.
    pub data: Option<(DataSpec, String)>,
    /// Where the data field stands.
    pub data_span: Span,
    /// Every setting with its value, as text, for the run folder.
    pub resolved: Vec<(String, String)>,
    /// What was said of it that does not stop it.
    pub warnings: Diagnostics,
}

impl Training {
    /// Whether examples are put into a random order: as the run says, else as its data says.
    #[must_use]
    pub fn shuffles(&self, data: bool) -> bool {
        if self.resolved.iter().any(|(key, _)| key == "shuffle") { self.settings.shuffle } else { data }
    }

    /// All players, the first first.
    pub fn players(&self) -> impl Iterator<Item = &Player> {
        std::iter::once(&self.player).chain(&self.others)
    }

    /// The states of all rules; one that begins as a parameter names it among those of the run.
    #[must_use]
    pub fn states(&self) -> Vec<StatePort> {
        let of = |player: &Player, state: &StatePort| {
            let among = |leaf: usize| {
                let path = player.rule.leaves.get(leaf).map(|(path, _)| path);
                self.params.iter().position(|p| Some(&p.path) == path)
            };
            let init = match &state.init {
                StateInit::Param(leaf) => StateInit::Param(among(*leaf).unwrap_or(self.params.len())),
                drawn => drawn.clone(),
            };
            StatePort { init, ..state.clone() }
        };
        self.players().flat_map(|p| p.rule.states.iter().map(move |s| of(p, s))).collect()
    }
}

/// A line about an item of a program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ItemInfo {
    /// `model`, `train`, ..
    pub word: &'static str,
    /// Its name.
    pub name: Arc<str>,
    /// Where its name stands.
    pub span: Span,
    /// Its type as written, if it has one; of a game who plays for what.
    pub ty: Option<String>,
    /// How many numbers its parameters are, if that is known.
    pub parameters: Option<usize>,
    /// How many operations one evaluation takes, if that is known: nodes of its diagram.
    pub operations: Option<usize>,
}

impl Program {
    /// Parses a text with its imports; names are resolved, types are checked by [`Program::check`].
    ///
    /// # Errors
    /// All messages when a text does not parse, an import cannot be read, a name is defined twice, or definitions need
    /// each other in a circle.
    ///
    /// ```
    /// use catlearn::elaborate::Program;
    /// use catlearn::source::MemoryWorld;
    /// let text = "model double : R[n] -> R[n] (x) { x + x }";
    /// let program = Program::parse(text, "double.lens", &MemoryWorld::default()).map_err(|(d, _)| d)?;
    /// assert!(program.check().0.is_empty());
    /// # Ok::<(), catlearn::source::Diagnostics>(())
    /// ```
    pub fn parse(text: &str, name: &str, world: &dyn World) -> Result<Program, (Diagnostics, SourceMap)> {
        let mut said = Diagnostics::default();
        let files = imports::load(text, name, world, &mut said);
        let prelude = (0..files.main).collect();
        let defs = Definitions::new(files.sources, files.files, prelude, &mut said);
        let mut defs = defs;
        defs.read_constants(world);
        defs.circular = cycles::check(&defs, &mut said);
        for file in defs.files.iter().skip(files.main) {
            file.tree.items.iter().for_each(|i| lint::item(i, &mut said));
        }
        let program = Program { defs, main: files.main, said, numbers: Mutex::default() };
        if program.said.has_errors() {
            // The rest of the file is checked too.
            let mut all = program.check();
            lost::excuse(&program.defs, &program.said, &mut all);
            return Err((all, program.defs.sources));
        }
        Ok(program)
    }

    /// The files of the program, for rendering messages.
    #[must_use]
    pub fn sources(&self) -> &SourceMap {
        &self.defs.sources
    }

    /// Every message about the program, errors and warnings, by place.
    #[must_use]
    pub fn check(&self) -> Diagnostics {
        let mut said = self.said.clone();
        check::all(self, &mut said);
        said.sort();
        said
    }

    /// Keeps what an item was found to need.
    pub(crate) fn measured(&self, id: DefId, numbers: Option<Numbers>) {
        if let Ok(mut all) = self.numbers.lock() {
            all.insert(id, numbers);
        }
    }

    /// What a check found an item to need, if there was one.
    pub(crate) fn measure(&self, id: DefId) -> Option<Option<Numbers>> {
        self.numbers.lock().ok()?.get(&id).copied()
    }

    /// A line for each item of the main file, in order.
    #[must_use]
    pub fn items(&self) -> Vec<ItemInfo> {
        check::items(self)
    }

    /// The names of the training runs of the main file, games among them, in order.
    #[must_use]
    pub fn trainings(&self) -> Vec<Arc<str>> {
        let items = self.defs.files.get(self.main).map(|f| f.tree.items.as_slice()).unwrap_or_default();
        let runs = items.iter().filter(|i| matches!(i.kind, ItemKind::Train(_) | ItemKind::Game(_)));
        runs.filter_map(|i| item_name(i).map(|n| n.name.clone())).collect()
    }

    /// A training run by name.
    ///
    /// # Errors
    /// All messages when there is no such run or it does not check.
    pub fn training(&self, name: &str) -> Result<Training, Diagnostics> {
        self.training_with(name, &[])
    }

    /// A training run with some fields replaced.
    ///
    /// # Errors
    /// All messages when there is no such run or it does not check.
    pub fn training_with(&self, name: &str, overrides: &[Field]) -> Result<Training, Diagnostics> {
        let found = self.defs.resolve_run(self.main, name);
        match found.and_then(|id| Some((id, self.defs.item(id)?))) {
            Some((id, item)) => match &item.kind {
                ItemKind::Train(record) => train::training(&self.defs, id.file, record, overrides),
                ItemKind::Game(item) => game::game(&self.defs, id.file, item, overrides),
                _ => Err(Diagnostic::error(
                    Code::WRONG_KIND,
                    format!("`{name}` is {}, not a training run", item_word(item)),
                )
                .at(item.span, "not a run")
                .help("name an item `train name { .. }`")
                .into()),
            },
            None => {
                let names = self.defs.visible_runs(self.main, None);
                let near = nearest(name, names.iter().map(|n| &**n)).map(str::to_owned);
                let d =
                    Diagnostic::error(Code::UNKNOWN_NAME, format!("there is no training run `{name}` in this file"));
                Err(match near {
                    Some(near) => d.help(format!("did you mean `{near}`?")),
                    None => d.help(format!("it has {}", self.trainings().join(", "))),
                }
                .into())
            }
        }
    }

    /// A map without open dimensions as a diagram; its inputs are as its type says.
    ///
    /// # Errors
    /// All messages when there is no such map or it does not check.
    pub fn model(&self, name: &str) -> Result<Model, Diagnostics> {
        check::model(self, name)
    }

    /// Every map and primitive of the user's files at sample dimensions, for the laws.
    #[must_use]
    pub fn samples(&self) -> Vec<samples::Sample> {
        samples::samples(self)
    }

    /// Every optimiser declared per coordinate, over one leaf and over the same leaf cut in two.
    #[must_use]
    pub fn coordinate_rules(&self) -> Vec<(Ident, RuleDiagram, RuleDiagram)> {
        samples::coordinate_rules(self)
    }

    /// Parses `key = value` pairs, as given on a command line, into fields of a run.
    ///
    /// # Errors
    /// The messages of the parser, or of a key or value that is none.
    pub fn overrides(&mut self, pairs: &[String]) -> Result<Vec<Field>, (Diagnostics, SourceMap)> {
        let mut fields = Vec::new();
        for pair in pairs {
            let text = format!("train overrides {{ {pair} }}");
            let id = self.defs.sources.add("--set", text.as_str());
            let (tree, said) = crate::syntax::parse(id, &text);
            let parsed: Vec<Field> = tree
                .items
                .into_iter()
                .filter_map(|i| if let ItemKind::Train(r) = i.kind { Some(r.fields) } else { None })
                .flatten()
                .collect();
            if said.has_errors() || parsed.len() != 1 {
                let mut said = said;
                if !said.has_errors() {
                    said.push(
                        Diagnostic::error(Code::TRAIN_FIELD, format!("`{pair}` is not `key = value`"))
                            .help("for example --set epochs=10"),
                    );
                }
                return Err((said, self.defs.sources.clone()));
            }
            fields.extend(parsed);
        }
        Ok(fields)
    }
}
