//! `encoders.json`: the encoders as a run fitted them, so that its folder suffices to predict.
//!
//! In: the encoders of input and target. Out: JSON, and the same encoders again, bit for bit. Where a folder has none
//! that can be read, the encoders are fitted again on the data of the run.

use catlearn::data::{Base, ColumnType, Encoder, FittedStep, Ids, Labels};
use catlearn::source::Span;
use serde_json::{Map, Value, json};

/// The file in the run folder (or in that of a fold).
pub(in crate::cli) const ENCODERS: &str = "encoders.json";

/// The encoders of a run.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Encoders {
    pub(in crate::cli) input: Encoder,
    pub(in crate::cli) target: Option<Encoder>,
}

impl Encoders {
    /// What is written.
    pub(in crate::cli) fn to_json(&self) -> Value {
        json!({"input": written(&self.input), "target": self.target.as_ref().map(written)})
    }

    /// What was written; nothing when it is not of that form. `spans` are where the program has the two encodings.
    pub(in crate::cli) fn of_json(bytes: &[u8], spans: (Span, Span)) -> Option<Encoders> {
        let value: Value = serde_json::from_slice(bytes).ok()?;
        let target = match value.get("target")? {
            Value::Null => None,
            target => Some(read(target, spans.1)?),
        };
        Some(Encoders { input: read(value.get("input")?, spans.0)?, target })
    }
}

fn written(encoder: &Encoder) -> Value {
    let steps: Vec<Value> = encoder.steps.iter().map(written_step).collect();
    let base = match encoder.column_type.base {
        Base::Real => json!("R"),
        Base::Bool => json!("Bool"),
        Base::Fin(n) => json!(n),
    };
    json!({
        "columns": encoder.columns, "source_width": encoder.source_width, "source_names": encoder.source_names,
        "steps": steps, "shape": encoder.column_type.shape, "base": base,
    })
}

fn written_step(step: &FittedStep) -> Value {
    let names = |labels: &Labels| labels.names().to_vec();
    let characters = |ids: &Ids| ids.vocabulary.as_ref().map(|all| all.iter().collect::<String>());
    match step {
        FittedStep::Standardise { mean, deviation } => json!({"standardise": [mean, deviation]}),
        FittedStep::MinMax { low, high } => json!({"minmax": [low, high]}),
        FittedStep::Scale(by) => json!({"scale": by}),
        FittedStep::OneHot(k, labels) => json!({"onehot": k, "labels": names(labels)}),
        FittedStep::Class(k, labels) => json!({"class": k, "labels": names(labels)}),
        FittedStep::Threshold(cuts) => json!({"threshold": cuts}),
        FittedStep::Bits => json!({"bits": null}),
        FittedStep::Thermometer(cuts) => json!({"thermometer": cuts}),
        FittedStep::Categories(all) => json!({"categories": all.iter().map(names).collect::<Vec<_>>()}),
        FittedStep::Ids(ids) => json!({"ids": ids.bound, "vocabulary": characters(ids)}),
        FittedStep::OneHotIds(ids) => json!({"onehot_ids": ids.bound, "vocabulary": characters(ids)}),
    }
}

fn read(value: &Value, span: Span) -> Option<Encoder> {
    let base = match value.get("base")? {
        Value::String(base) if base == "R" => Base::Real,
        Value::String(base) if base == "Bool" => Base::Bool,
        n => Base::Fin(whole(n)?),
    };
    let source_names = match value.get("source_names")? {
        Value::Null => None,
        names => Some(texts(names)?),
    };
    Some(Encoder {
        columns: wholes(value.get("columns")?)?,
        source_width: whole(value.get("source_width")?)?,
        source_names,
        steps: value.get("steps")?.as_array()?.iter().map(|s| read_step(s.as_object()?)).collect::<Option<_>>()?,
        column_type: ColumnType { shape: wholes(value.get("shape")?)?, base },
        span,
    })
}

fn read_step(step: &Map<String, Value>) -> Option<FittedStep> {
    let labels = || Some(Labels::fit(texts(step.get("labels")?)?));
    let pair = |v: &Value| Some((numbers(v.get(0)?)?, numbers(v.get(1)?)?));
    let ids = |bound: &Value| {
        let vocabulary: Option<Vec<char>> = match step.get("vocabulary")? {
            Value::Null => None,
            text => Some(text.as_str()?.chars().collect()),
        };
        let bound = whole(bound)?;
        let fits = vocabulary.as_ref().is_none_or(|all| all.len() == bound);
        fits.then_some(Ids { bound, vocabulary: vocabulary.map(Into::into) })
    };
    let (word, value) = step.iter().find(|(word, _)| !matches!(word.as_str(), "labels" | "vocabulary"))?;
    Some(match word.as_str() {
        "standardise" => pair(value).map(|(mean, deviation)| FittedStep::Standardise { mean, deviation })?,
        "minmax" => pair(value).map(|(low, high)| FittedStep::MinMax { low, high })?,
        "scale" => FittedStep::Scale(value.as_f64()?),
        "onehot" => FittedStep::OneHot(whole(value)?, labels()?),
        "class" => FittedStep::Class(whole(value)?, labels()?),
        "threshold" => FittedStep::Threshold(numbers(value)?),
        "ids" => FittedStep::Ids(ids(value)?),
        "onehot_ids" => FittedStep::OneHotIds(ids(value)?),
        "bits" => FittedStep::Bits,
        "thermometer" => FittedStep::Thermometer(value.as_array()?.iter().map(numbers).collect::<Option<_>>()?),
        "categories" => {
            let all = value.as_array()?.iter().map(|names| texts(names).map(Labels::fit));
            FittedStep::Categories(all.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

fn whole(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|n| usize::try_from(n).ok())
}

fn wholes(value: &Value) -> Option<Vec<usize>> {
    value.as_array()?.iter().map(whole).collect()
}

fn numbers(value: &Value) -> Option<Vec<f64>> {
    value.as_array()?.iter().map(Value::as_f64).collect()
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|v| v.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use catlearn::random::{Stream, Use};

    fn encoder(steps: Vec<FittedStep>, base: Base) -> Encoder {
        let names = Some(vec!["a".to_owned(), "b \"c\"".to_owned()]);
        let column_type = ColumnType { shape: vec![2, 3], base };
        Encoder { columns: vec![1, 0], source_width: 5, source_names: names, steps, column_type, span: Span::default() }
    }

    #[test]
    fn encoders_come_back_as_they_were() {
        let mut stream = Stream::new(1, Use::Laws);
        for _ in 0..200 {
            // Numbers of every size: each must come back with the same bits.
            let mut any = || f64::from_bits((stream.below(1 << 32) << 32) | stream.below(1 << 32));
            let mut some = || (0..7).map(|_| any()).filter(|x| x.is_finite()).collect::<Vec<f64>>();
            let all = [
                FittedStep::Standardise { mean: some(), deviation: some() },
                FittedStep::MinMax { low: some(), high: some() },
                FittedStep::Scale(some().first().copied().unwrap_or(0.1)),
                FittedStep::Threshold(some()),
                FittedStep::Thermometer(vec![some(), some()]),
            ];
            let before =
                Encoders { input: encoder(all.to_vec(), Base::Real), target: Some(encoder(Vec::new(), Base::Bool)) };
            let text = before.to_json().to_string();
            let after = Encoders::of_json(text.as_bytes(), Default::default()).unwrap();
            assert_eq!((before.input, before.target), (after.input, after.target));
        }
    }

    #[test]
    fn labels_keep_their_order_and_their_numbers() {
        let sets = [vec!["b", "a", "ä"], vec!["10", "9", "-0", "9.0"], vec!["3", "1"], vec!["x", "1"], vec![]];
        for names in sets {
            let labels = [Labels::fit(&names), Labels::fit(&names).with_classes(5)];
            for labels in labels {
                let steps = vec![
                    FittedStep::OneHot(5, labels.clone()),
                    FittedStep::Class(5, labels.clone()),
                    FittedStep::Bits,
                    FittedStep::Categories(vec![labels.clone(), labels]),
                ];
                let before = Encoders { input: encoder(steps, Base::Fin(5)), target: None };
                let text = before.to_json().to_string();
                let after = Encoders::of_json(text.as_bytes(), Default::default()).unwrap();
                assert_eq!(before.input, after.input);
            }
        }
    }

    #[test]
    fn characters_keep_their_numbers() {
        let vocabulary: Vec<char> = "\n \"'az\u{e4}\u{1f600}\u{0}".chars().collect();
        let characters = Ids { bound: vocabulary.len(), vocabulary: Some(vocabulary.into()) };
        let numbers = Ids { bound: 7, vocabulary: None };
        for ids in [characters, numbers] {
            let steps = vec![FittedStep::Ids(ids.clone()), FittedStep::OneHotIds(ids)];
            let before = Encoders { input: encoder(steps, Base::Fin(9)), target: None };
            let text = before.to_json().to_string();
            assert_eq!(before.input, Encoders::of_json(text.as_bytes(), Default::default()).unwrap().input);
            let torn = text.replace("\"ids\":9", "\"ids\":8");
            assert!(torn == text || Encoders::of_json(torn.as_bytes(), Default::default()).is_none());
        }
    }

    #[test]
    fn what_is_no_encoder_is_none() {
        for text in ["", "{}", "[1]", "{\"input\":{},\"target\":null}", "{\"input\":{\"columns\":[-1]},\"target\":3}"] {
            assert!(Encoders::of_json(text.as_bytes(), Default::default()).is_none(), "{text}");
        }
    }
}
