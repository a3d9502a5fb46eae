//! Splits: which rows are for training, validation and test.
//!
//! In: a [`Split`], the number of rows, their classes and a seed. Out: one [`Parts`], or one a fold. Shares become rows by
//! largest remainder (Hamilton's method: round down, then one more to the largest fractions, ties to the earlier part).
//! Rows that lie close to each other may overlap (windows of a text): neighbours of another part are then left out.
//! Invariant: parts are disjoint and each is in file order; the same seed gives the same parts.

use crate::data::spec::{Amount, Split, SplitKind};
use crate::data::words::{count, quoted};
use crate::random::{Stream, Use};
use crate::source::{Code, Diagnostic, Diagnostics};

/// Row numbers by part, each ascending.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Parts {
    /// For training.
    pub train: Vec<usize>,
    /// For choosing among states and settings.
    pub valid: Vec<usize>,
    /// For the last word.
    pub test: Vec<usize>,
}

const NAMES: [&str; 3] = ["train", "valid", "test"];

impl Parts {
    /// Takes from the training part the rows that lie within `overlap` of a row held out.
    fn keep_apart(&mut self, overlap: usize) {
        let held = &self.test;
        self.train.retain(|row| {
            let next = held.partition_point(|other| other < row);
            let before = next.checked_sub(1).and_then(|at| held.get(at));
            [before, held.get(next)].into_iter().flatten().all(|other| other.abs_diff(*row) > overlap)
        });
    }
}

/// Whether a split may put neighbours into different parts anywhere.
fn scatters(kind: &SplitKind) -> bool {
    match kind {
        SplitKind::All => false,
        SplitKind::Parts { stratified, shuffle, .. } | SplitKind::Folds { stratified, shuffle, .. } => {
            *stratified || *shuffle
        }
    }
}

/// The class of every row, with the names of the classes.
pub(crate) struct Classes<'a> {
    pub(crate) of_row: &'a [usize],
    pub(crate) names: &'a [String],
}

/// Rows that are divided by themselves, with their class when the split is stratified.
struct Group {
    class: Option<usize>,
    rows: Vec<usize>,
}

/// Divides rows `0..rows`; one element unless the split is k-fold, in which case the row held out is in `test`.
pub(crate) fn divide(
    split: &Split,
    rows: usize,
    overlap: usize,
    classes: Option<&Classes<'_>>,
    seed: u64,
    faults: &mut Diagnostics,
) -> Option<Vec<Parts>> {
    if overlap > 0 && scatters(&split.kind) {
        faults.push(
            Diagnostic::error(
                Code::DATA_SPLIT,
                "these windows overlap, so the parts of this split would share characters",
            )
            .at(split.span, "puts neighbours into different parts")
            .note(format!("a window predicts a character that the next {} predict too", count(overlap, "window")))
            .help("use `ordered(train = 0.9, valid = 0.1)`, or a stride as long as the window"),
        );
        return None;
    }
    let mut stream = Stream::new(seed, Use::Split);
    let mut groups = |stratified: bool, shuffle: bool| {
        let mut groups = match classes {
            Some(classes) if stratified => by_class(classes, rows),
            _ => vec![Group { class: None, rows: (0..rows).collect() }],
        };
        if shuffle {
            groups.iter_mut().for_each(|group| stream.shuffle(&mut group.rows));
        }
        groups
    };
    match &split.kind {
        SplitKind::All => Some(vec![Parts { train: (0..rows).collect(), ..Parts::default() }]),
        SplitKind::Parts { amounts, stratified, shuffle } => {
            let groups = groups(*stratified, *shuffle);
            let names = classes.filter(|_| *stratified).map(|c| c.names);
            cut(split, amounts, &groups, overlap, names, faults).map(|parts| vec![parts])
        }
        SplitKind::Folds { k, stratified, shuffle } => {
            if *k > rows {
                faults.push(
                    Diagnostic::error(Code::DATA_SPLIT, format!("{k} folds of {}", count(rows, "row")))
                        .at(split.span, "needs a row a fold")
                        .help(format!("write at most `kfold({rows})`")),
                );
                return None;
            }
            let groups = groups(*stratified, *shuffle);
            let few = groups.iter().map(|g| g.rows.len()).filter(|n| n < k && *stratified).min();
            if let Some(few) = few {
                faults.push(
                    Diagnostic::warning(Code::DATA_SPLIT, format!("a class has {} for {k} folds", count(few, "row")))
                        .at(split.span, "some folds hold none of it out")
                        .help("take fewer folds, or add rows of that class"),
                );
            }
            let mut all = folds(*k, &groups, *stratified);
            all.iter_mut().filter(|_| overlap > 0).for_each(|parts| parts.keep_apart(overlap));
            if let Some(at) = all.iter().position(|parts| parts.train.is_empty()) {
                faults.push(
                    Diagnostic::error(Code::DATA_SPLIT, format!("fold {at} has no row to train on"))
                        .at(split.span, "leaves out the windows that overlap with those held out")
                        .help("use fewer folds, or a smaller window"),
                );
                return None;
            }
            Some(all)
        }
    }
}

fn by_class(classes: &Classes<'_>, rows: usize) -> Vec<Group> {
    let mut groups: Vec<Group> =
        (0..classes.names.len()).map(|class| Group { class: Some(class), rows: Vec::new() }).collect();
    for (row, class) in (0..rows).zip(classes.of_row) {
        if let Some(group) = groups.get_mut(*class) {
            group.rows.push(row);
        }
    }
    // `keep` leaves classes without rows.
    groups.retain(|group| !group.rows.is_empty());
    groups
}

fn cut(
    split: &Split,
    amounts: &[Option<Amount>; 3],
    groups: &[Group],
    overlap: usize,
    names: Option<&[String]>,
    faults: &mut Diagnostics,
) -> Option<Parts> {
    let fail = |message: String| Diagnostic::error(Code::DATA_SPLIT, message).at(split.span, "this split");
    let mut parts: [Vec<usize>; 3] = Default::default();
    let (mut unused, mut total) = (0, 0);
    // Between two parts lie the rows that overlap with both; the training part is always one of them.
    let borders = amounts.iter().skip(1).flatten().count();
    let between = overlap.saturating_mul(borders);
    for Group { class, rows: group } in groups {
        let of = match names.zip(*class).and_then(|(names, class)| names.get(class)) {
            Some(name) => format!("class {} has {}", quoted(name), count(group.len(), "row")),
            None => format!("there are {}", count(group.len(), "row")),
        };
        let sizes = match apportion(amounts, group.len().saturating_sub(between)) {
            Ok(sizes) => sizes,
            Err(asked) => {
                let apart =
                    if between > 0 { format!(" and {} between them", count(between, "row")) } else { String::new() };
                faults.push(
                    fail("the parts are larger than the data".to_owned())
                        .note(format!("the parts take {asked}{apart}, {of}"))
                        .help("make the parts smaller"),
                );
                continue;
            }
        };
        let mut rest = group.as_slice();
        for (part, size) in parts.iter_mut().zip(sizes) {
            let (taken, after) = rest.split_at_checked(size).unwrap_or((rest, &[]));
            part.extend(taken);
            rest = if taken.is_empty() { after } else { after.get(overlap..).unwrap_or_default() };
        }
        if names.is_some() && missing(amounts, &sizes).next().is_some() {
            let which: Vec<&str> = missing(amounts, &sizes).collect();
            faults.push(
                Diagnostic::warning(Code::DATA_SPLIT, format!("a class has no row in `{}`", which.join("`, `")))
                    .at(split.span, "divides each class by itself")
                    .note(of)
                    .help("give the part a larger share, or add rows of that class"),
            );
        }
        unused += rest.len();
        total += group.len();
    }
    if faults.has_errors() {
        return None;
    }
    let sizes = [0, 1, 2].map(|i: usize| parts.get(i).map_or(0, Vec::len));
    for name in missing(amounts, &sizes) {
        let message = format!("the part `{name}` has no rows");
        faults.push(
            fail(message).note(format!("there are {}", count(total, "row"))).help("give it more, or leave it off"),
        );
    }
    if matches!(amounts, [Some(Amount::Rows(1)), ..]) && names.is_none() && total > 2 {
        faults.push(
            Diagnostic::warning(Code::DATA_SPLIT, "training has a single row")
                .at(split.span, "whole numbers are rows")
                .help("write a fraction for a share, or `split = all` for every row"),
        );
    }
    if unused > 0 && amounts.iter().any(|a| matches!(a, Some(Amount::Share(_)))) {
        faults.push(
            Diagnostic::warning(Code::DATA_SPLIT, format!("{} of {total} are in no part", count(unused, "row")))
                .at(split.span, "the shares do not add up to 1")
                .help("let the shares add up to 1"),
        );
    }
    let [mut train, mut valid, mut test] = parts;
    train.sort_unstable();
    valid.sort_unstable();
    test.sort_unstable();
    (!faults.has_errors()).then_some(Parts { train, valid, test })
}

/// The parts that were asked for and got nothing; training is always asked for.
fn missing<'a>(amounts: &'a [Option<Amount>; 3], sizes: &'a [usize; 3]) -> impl Iterator<Item = &'static str> + 'a {
    let wanted = amounts.iter().enumerate().map(|(at, amount)| at == 0 || amount.is_some());
    NAMES.iter().zip(wanted).zip(sizes).filter(|((_, wanted), size)| *wanted && **size == 0).map(|((name, _), _)| *name)
}

/// Rows of each part of `n`; a training part that is not named takes the rest. The error says what was asked for.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rows are below 2^32 and quotas lie between 0 and the number of rows"
)]
fn apportion(amounts: &[Option<Amount>; 3], n: usize) -> Result<[usize; 3], String> {
    let mut sizes = [0_usize; 3];
    let mut quotas: Vec<(usize, f64)> = Vec::new();
    let mut rows = 0_usize;
    for ((at, amount), size) in amounts.iter().enumerate().zip(&mut sizes) {
        match amount {
            Some(Amount::Rows(r)) => {
                *size = *r;
                rows = rows.saturating_add(*r);
            }
            Some(Amount::Share(s)) => quotas.push((at, s * n as f64)),
            None => {}
        }
    }
    let shares: f64 = quotas.iter().map(|(_, q)| q).sum();
    // Shares such as 0.7 + 0.2 + 0.1 add up to 1 only nearly.
    let slack = 1e-9 * (n as f64).max(1.0);
    if rows > n || rows as f64 + shares > n as f64 + slack {
        return Err(count((rows as f64 + shares).ceil() as usize, "row"));
    }
    let rest = if amounts.iter().next().is_some_and(Option::is_none) { 0 } else { 3 };
    quotas.push((rest, ((n - rows) as f64 - shares).max(0.0)));
    let mut left = n - rows;
    let mut fractions: Vec<(usize, f64)> = Vec::new();
    for (at, quota) in quotas {
        let nearest = quota.round();
        let whole = if (quota - nearest).abs() < slack { nearest } else { quota.floor() };
        let whole_rows = (whole as usize).min(left);
        left -= whole_rows;
        if let Some(size) = sizes.get_mut(at) {
            *size += whole_rows;
        }
        fractions.push((at, quota - whole));
    }
    fractions.sort_by(|a, b| b.1.total_cmp(&a.1));
    for (at, _) in fractions.into_iter().cycle().take(left) {
        if let Some(size) = sizes.get_mut(at) {
            *size += 1;
        }
    }
    Ok(sizes)
}

/// Deals rows to `k` folds: classes in turn when stratified, else runs of neighbours.
fn folds(k: usize, groups: &[Group], stratified: bool) -> Vec<Parts> {
    let order: Vec<usize> = groups.iter().flat_map(|g| g.rows.iter().copied()).collect();
    let n = order.len();
    let fold_of = |position: usize| if stratified { position % k } else { position * k / n.max(1) };
    let mut folds = vec![Parts::default(); k];
    for (fold, parts) in folds.iter_mut().enumerate() {
        for (position, row) in order.iter().enumerate() {
            if fold_of(position) == fold { parts.test.push(*row) } else { parts.train.push(*row) }
        }
        parts.train.sort_unstable();
        parts.test.sort_unstable();
    }
    folds
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used, reason = "tests")]
    use super::Amount::{Rows, Share};
    use super::*;
    use crate::source::Span;

    fn run(
        kind: SplitKind,
        rows: usize,
        classes: &[usize],
        seed: u64,
    ) -> Result<(Vec<Parts>, Diagnostics), Diagnostics> {
        let names: Vec<String> = (0..=classes.iter().max().copied().unwrap_or(0)).map(|c| c.to_string()).collect();
        let classes = Classes { of_row: classes, names: &names };
        let mut faults = Diagnostics::default();
        match divide(&Split { kind, span: Span::default() }, rows, 0, Some(&classes), seed, &mut faults) {
            Some(parts) => Ok((parts, faults)),
            None => Err(faults),
        }
    }

    fn parts(amounts: [Option<Amount>; 3], stratified: bool, shuffle: bool) -> SplitKind {
        SplitKind::Parts { amounts, stratified, shuffle }
    }

    fn cover(parts: &Parts) -> Vec<usize> {
        let mut all = [parts.train.clone(), parts.valid.clone(), parts.test.clone()].concat();
        all.sort_unstable();
        all
    }

    #[test]
    fn shares_become_rows_by_largest_remainder() {
        assert_eq!(apportion(&[Some(Share(0.7)), Some(Share(0.1)), Some(Share(0.2))], 150), Ok([105, 15, 30]));
        // Quotas 2.1, 0.3, 0.6: down to 2, 0, 0, the one left goes to 0.6.
        assert_eq!(apportion(&[Some(Share(0.7)), Some(Share(0.1)), Some(Share(0.2))], 3), Ok([2, 0, 1]));
        // Equal remainders: the earlier part.
        assert_eq!(apportion(&[Some(Share(0.5)), None, Some(Share(0.5))], 5), Ok([3, 0, 2]));
        assert_eq!(apportion(&[None, None, Some(Share(0.2))], 10), Ok([8, 0, 2]));
        assert_eq!(apportion(&[Some(Rows(5)), None, Some(Share(0.2))], 10), Ok([5, 0, 2]));
        assert_eq!(apportion(&[Some(Rows(8)), Some(Rows(3)), None], 10), Err("11 rows".to_owned()));
        assert!(apportion(&[Some(Share(0.9)), None, Some(Share(0.2))], 10).is_err());
        assert!(apportion(&[Some(Rows(usize::MAX)), Some(Rows(usize::MAX)), None], 10).is_err());
    }

    #[test]
    fn sizes_never_exceed_the_rows() {
        let mut stream = Stream::new(4, Use::Laws);
        for _ in 0..5_000 {
            let (a, b) = (stream.uniform(), stream.uniform());
            let share = |s: f64| Some(Share(s.max(1e-6)));
            let n = stream.below(200) as usize;
            let sizes = apportion(&[share(a * b), share(a * (1.0 - b)), share((1.0 - a).min(0.999))], n).unwrap();
            assert_eq!(sizes.iter().sum::<usize>(), n, "{a} {b} {n}");
        }
    }

    #[test]
    fn holdout_is_disjoint_covers_and_depends_on_the_seed_only() {
        let kind = || parts([Some(Share(0.7)), Some(Share(0.1)), Some(Share(0.2))], false, true);
        let (one, faults) = run(kind(), 150, &[], 7).unwrap();
        assert!(faults.0.is_empty());
        assert_eq!(cover(&one[0]), (0..150).collect::<Vec<_>>());
        assert_eq!((one[0].train.len(), one[0].valid.len(), one[0].test.len()), (105, 15, 30));
        assert_eq!(one, run(kind(), 150, &[], 7).unwrap().0);
        assert_ne!(one, run(kind(), 150, &[], 8).unwrap().0);
    }

    #[test]
    fn stratified_keeps_the_proportions_and_file_order_without_shuffling() {
        let classes: Vec<usize> = (0..60).map(|r| usize::from(r % 3 == 0)).collect();
        let (made, _) = run(parts([Some(Share(0.75)), None, Some(Share(0.25))], true, true), 60, &classes, 1).unwrap();
        let of = |rows: &[usize], class| rows.iter().filter(|r| classes[**r] == class).count();
        assert_eq!(
            [of(&made[0].train, 0), of(&made[0].train, 1), of(&made[0].test, 0), of(&made[0].test, 1)],
            [30, 15, 10, 5]
        );
        let sorted: Vec<usize> = (0..150).map(|r| r / 50).collect();
        let (rda, _) = run(parts([Some(Rows(25)), None, Some(Rows(25))], true, false), 150, &sorted, 1).unwrap();
        let expect: Vec<usize> = (0..25).chain(50..75).chain(100..125).collect();
        assert_eq!(rda[0].train, expect);
        assert_eq!(rda[0].test, expect.iter().map(|r| r + 25).collect::<Vec<_>>());
    }

    #[test]
    fn ordered_takes_neighbours() {
        let (made, _) = run(parts([Some(Rows(4)), Some(Rows(2)), None], false, false), 10, &[], 1).unwrap();
        assert_eq!(made[0], Parts { train: vec![0, 1, 2, 3], valid: vec![4, 5], test: vec![] });
    }

    /// Every part with the sum of the rows it was asked for, the rows between two parts in neither.
    #[test]
    fn overlapping_rows_lie_in_one_part_or_in_none() {
        let divided = |kind, rows, overlap| {
            let split = Split { kind, span: Span::default() };
            let mut faults = Diagnostics::default();
            divide(&split, rows, overlap, None, 1, &mut faults).ok_or(faults)
        };
        let ordered = parts([Some(Rows(4)), Some(Rows(2)), Some(Rows(1))], false, false);
        let made = divided(ordered, 13, 3).unwrap();
        assert_eq!(made[0], Parts { train: (0..4).collect(), valid: vec![7, 8], test: vec![12] });
        let rest = divided(parts([None, Some(Rows(2)), None], false, false), 13, 3).unwrap();
        assert_eq!(rest[0], Parts { train: (0..8).collect(), valid: vec![11, 12], test: vec![] });
        let shares = divided(parts([Some(Share(0.9)), Some(Share(0.1)), None], false, false), 103, 3).unwrap();
        assert_eq!((shares[0].train.len(), shares[0].valid.clone()), (90, (93..103).collect()));
        let large = divided(parts([Some(Rows(4)), Some(Rows(2)), None], false, false), 8, 3).unwrap_err();
        assert!(large.0[0].notes[0].contains("6 rows and 3 rows between them, there are 8 rows"), "{large:?}");
        for overlap in [1, 2, 5] {
            let folds = divided(SplitKind::Folds { k: 4, stratified: false, shuffle: false }, 40, overlap).unwrap();
            assert_eq!(folds.iter().map(|f| f.test.len()).sum::<usize>(), 40);
            for fold in &folds {
                let near = |row: &usize| fold.test.iter().any(|held| held.abs_diff(*row) <= overlap);
                let expect: Vec<usize> = (0..40).filter(|row| !near(row)).collect();
                assert_eq!(fold.train, expect);
            }
        }
        let all_near = divided(SplitKind::Folds { k: 2, stratified: false, shuffle: false }, 8, 5).unwrap_err();
        assert!(all_near.0[0].message.contains("fold 0 has no row to train on"), "{all_near:?}");
        let drawn = divided(parts([Some(Rows(4)), Some(Rows(2)), None], false, true), 40, 1).unwrap_err();
        assert!(drawn.0[0].message.contains("windows overlap"), "{drawn:?}");
    }

    #[test]
    fn folds_hold_each_row_out_once() {
        let classes: Vec<usize> = (0..23).map(|r| usize::from(r >= 12)).collect();
        for stratified in [false, true] {
            let (folds, _) = run(SplitKind::Folds { k: 5, stratified, shuffle: true }, 23, &classes, 3).unwrap();
            let mut held: Vec<usize> = folds.iter().flat_map(|f| f.test.clone()).collect();
            held.sort_unstable();
            assert_eq!(held, (0..23).collect::<Vec<_>>());
            for fold in &folds {
                assert_eq!(cover(fold), (0..23).collect::<Vec<_>>());
                assert!((4..=5).contains(&fold.test.len()));
                let ones = fold.test.iter().filter(|r| classes[**r] == 1).count();
                assert!(!stratified || (2..=3).contains(&ones), "{ones}");
            }
        }
        assert!(run(SplitKind::Folds { k: 5, stratified: false, shuffle: true }, 4, &[], 3).is_err());
    }

    #[test]
    fn what_cannot_be_split_says_so_in_numbers() {
        let faults = run(parts([Some(Rows(8)), None, Some(Rows(4))], false, true), 10, &[], 1).unwrap_err();
        assert!(faults.0[0].notes[0].contains("12 rows") && faults.0[0].notes[0].contains("10 rows"), "{faults:?}");
        let faults = run(parts([Some(Share(0.99)), Some(Share(0.01)), None], false, true), 10, &[], 1).unwrap_err();
        assert!(faults.0[0].message.contains("`valid` has no rows"), "{faults:?}");
        let faults = run(parts([Some(Rows(2)), None, Some(Rows(2))], true, false), 5, &[0, 0, 0, 0, 1], 1).unwrap_err();
        assert!(faults.0[0].notes[0].contains("class `1` has 1 row"), "{faults:?}");
        let (_, warned) = run(parts([Some(Share(0.5)), None, None], false, true), 10, &[], 1).unwrap();
        assert!(warned.0[0].message.contains("5 rows of 10 are in no part"));
    }
}
