//! What is written while a run goes on: progress, `metrics.jsonl`, checkpoints.

use super::folder::Folder;
use super::progress::Progress;
use super::resume::keep_time;
use super::terminal::note;
use super::{End, Shared};
use catlearn::run::{Checkpoint, Float, Kept, Learner, Metrics, Observer, Report, Since};
use catlearn::source::{Code, Diagnostic};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Set by Ctrl-C.
pub(super) static STOP: AtomicBool = AtomicBool::new(false);

/// How often checkpoints are written while a run goes on.
const SAVE_EVERY: Duration = Duration::from_secs(10);

/// Writes what happens in a run.
pub(super) struct Writing<'a> {
    pub(super) shared: &'a Shared,
    pub(super) folder: &'a Folder,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) epochs: usize,
    pub(super) total: usize,
    pub(super) began: Instant,
    /// Seconds that earlier parts of the run took.
    pub(super) before: f64,
    pub(super) saved: Instant,
    pub(super) progress: Progress,
    /// For tests of `--resume`: stop after that many updates.
    pub(super) stop_at: Option<usize>,
    pub(super) steps: usize,
    /// The losses since the last report.
    pub(super) since: Since,
    /// What the monitors have seen.
    pub(super) watch: String,
}

/// Metrics as a JSON object.
pub(super) fn metrics_json(m: &Metrics) -> Value {
    let mut object: serde_json::Map<String, Value> =
        m.numbers().into_iter().map(|(key, value)| (key.to_string(), json!(value))).collect();
    if let Some(c) = &m.confusion {
        object.insert("confusion_matrix".into(), json!(c));
    }
    Value::Object(object)
}

/// A number with its name as people are told it.
pub(super) fn told(key: &str, value: f64) -> String {
    let name = key.strip_prefix("loss.").map_or_else(|| key.replace('_', " "), str::to_owned);
    format!("{name} {}", amount(key, value))
}

/// A number as people are told it: shares in percent.
pub(super) fn amount(key: &str, value: f64) -> String {
    let share = !key.starts_with("loss") && (key.ends_with("accuracy") || key == "exact_match");
    if share { format!("{:.2} %", 100.0 * value) } else { format!("{value:.6}") }
}

impl Writing<'_> {
    /// Writes the checkpoints: the best state first, since the last one says which it is.
    pub(super) fn save<T: Float>(
        &mut self,
        learner: &Learner<T>,
        best: Option<&Kept<T>>,
        seconds: f64,
    ) -> Result<(), End> {
        let leaves = (learner.param_leaves(), learner.state_leaves());
        let write = |name: &str, tensors, step: usize, score: Option<f64>| {
            let mut metadata = self.metadata.clone();
            metadata.extend(learner.standing());
            metadata.insert("step".into(), step.to_string());
            metadata.insert("since_bits".into(), self.since.loss.0.to_bits().to_string());
            metadata.insert("since_steps".into(), self.since.loss.1.to_string());
            if !self.since.losses.is_empty() {
                let of = |what: &dyn Fn(&(f64, usize)) -> String| -> String {
                    self.since.losses.iter().map(what).collect::<Vec<_>>().join(" ")
                };
                metadata.insert("since_losses_bits".into(), of(&|(sum, _)| sum.to_bits().to_string()));
                metadata.insert("since_losses_steps".into(), of(&|(_, steps)| steps.to_string()));
            }
            if score.is_some() {
                // The best state is never within the cycle of a game.
                metadata.remove("turn");
            } else if learner.turn() > 0 {
                let (loss, each) = learner.met();
                let bits: Vec<String> = std::iter::once(&loss).chain(each).map(|l| l.to_bits().to_string()).collect();
                metadata.insert("met_bits".into(), bits.join(" "));
            }
            if !self.watch.is_empty() {
                metadata.insert("watch".into(), self.watch.clone());
            }
            match score {
                Some(score) => metadata.insert("score_bits".into(), score.to_bits().to_string()),
                None => metadata.insert("best_step".into(), best.map_or("none".to_owned(), |b| b.step.to_string())),
            };
            match Checkpoint::save(leaves, tensors, &metadata) {
                Ok(bytes) => self.folder.write(name, &bytes, self.shared),
                Err(e) => {
                    super::terminal::complain(self.shared, Diagnostic::error(Code::RUN_CHECKPOINT, e.to_string()));
                    Err(End::Fault)
                }
            }
        };
        if let Some(b) = best {
            write("checkpoint/best.safetensors", (b.params.as_slice(), b.states.as_slice()), b.step, Some(b.score))?;
        }
        write("checkpoint/last.safetensors", (learner.params(), learner.states()), learner.updates(), None)?;
        keep_time(self.folder, learner.updates(), seconds, self.shared)?;
        self.saved = Instant::now();
        Ok(())
    }

    fn show(&self, report: &Report, names: &[Arc<str>]) {
        let every = (self.epochs / 20).max(1);
        // A live line tells what the lines between would.
        let between = self.progress.is_live() || !report.epoch.is_multiple_of(every);
        if report.step < self.total && between {
            return;
        }
        let mut line = format!("epoch {:>4}  step {:>7}  loss {:.6}", report.epoch, report.step, report.train_loss);
        for (name, loss) in names.iter().zip(&report.train_losses) {
            line.push_str(&format!("  {name} {loss:.6}"));
        }
        if let Some(v) = &report.valid {
            for (key, value) in v.numbers() {
                line.push_str(&format!("  valid {}", told(&key, value)));
            }
        }
        note(self.shared, &line);
    }
}

impl<T: Float> Observer<T> for Writing<'_> {
    fn report(&mut self, report: &Report, learner: &Learner<T>, best: Option<&Kept<T>>) -> Result<(), Diagnostic> {
        let broken = |_: End| Diagnostic::error(Code::RUN_FOLDER, "the run folder cannot be written");
        let wall = self.before + self.began.elapsed().as_secs_f64();
        let mut line = json!({
            "step": report.step, "epoch": report.epoch, "split": "train", "loss": report.train_loss, "wall_s": wall,
        });
        if let Value::Object(line) = &mut line {
            let each = learner.loss_names().iter().zip(&report.train_losses);
            line.extend(each.map(|(name, loss)| (format!("loss.{name}"), json!(loss))));
        }
        self.folder.append("metrics.jsonl", &line.to_string(), self.shared).map_err(broken)?;
        if let Some(v) = &report.valid {
            let mut line = json!({"step": report.step, "epoch": report.epoch, "split": "valid"});
            if let (Value::Object(all), Value::Object(more)) = (&mut line, metrics_json(v)) {
                all.extend(more.into_iter().filter(|(k, _)| k != "confusion_matrix"));
                all.insert("wall_s".into(), json!(wall));
            }
            self.folder.append("metrics.jsonl", &line.to_string(), self.shared).map_err(broken)?;
        }
        self.watch.clone_from(&report.watch);
        if let Some(v) = &report.valid {
            self.progress.validated(v.loss);
        }
        self.show(report, learner.loss_names());
        if self.saved.elapsed() >= SAVE_EVERY {
            self.save(learner, best, wall).map_err(broken)?;
        }
        Ok(())
    }

    fn stepped(&mut self, step: usize, loss: f64) {
        self.progress.stepped(step, loss);
    }

    fn interrupted(&mut self) -> bool {
        let due = self.stop_at.is_some_and(|n| self.steps >= n);
        self.steps += 1;
        due || STOP.load(Ordering::Relaxed)
    }
}
