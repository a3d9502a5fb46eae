//! Curves as text: the losses of a run at its end, in braille dots or, where those may be missing, in stars.
//!
//! In: points in the order of their steps. Out: lines of text, the numbers of the axes beside them. Losses that fall by
//! more than a hundredfold are drawn on a logarithmic scale, and the axis says so. Points that are not finite are left out.

/// A point: a step and a loss.
pub(super) type Point = (f64, f64);

/// Rows of text.
const ROWS: usize = 10;

/// The dots of a braille cell, as bits of its character, row by row (Unicode 8.6).
const DOTS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// The curve of some points in a terminal of `width` columns; no lines when there are fewer than two points.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "places in a picture of a few hundred dots"
)]
pub(super) fn curve(points: &[Point], title: &str, width: usize, braille: bool) -> Vec<String> {
    let finite = |p: &&Point| p.0.is_finite() && p.1.is_finite();
    let points: Vec<Point> = points.iter().filter(finite).copied().collect();
    let range = |xs: &mut dyn Iterator<Item = f64>| {
        xs.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)))
    };
    let (first, last) = range(&mut points.iter().map(|p| p.0));
    let (low, high) = range(&mut points.iter().map(|p| p.1));
    let columns = width.min(80).saturating_sub(14);
    if points.len() < 2 || first >= last || columns < 10 {
        return Vec::new();
    }
    let log = low > 0.0 && high / low > 100.0;
    let scale = |y: f64| if log { y.ln() } else { y };
    let (bottom, top) = (scale(low), scale(high));
    let (across, down) = if braille { (2, 4) } else { (1, 1) };
    let (wide, deep) = (columns * across, ROWS * down);
    let mut dots = vec![vec![false; wide]; deep];
    let place = |(x, y): Point| {
        let right = (x - first) / (last - first) * (wide - 1) as f64;
        let share = if top > bottom { (scale(y) - bottom) / (top - bottom) } else { 0.5 };
        (right.round() as usize, ((1.0 - share) * (deep - 1) as f64).round() as usize)
    };
    for pair in points.windows(2) {
        let [from, to] = [pair.first(), pair.last()].map(|p| place(p.copied().unwrap_or_default()));
        let steps = from.0.abs_diff(to.0).max(from.1.abs_diff(to.1)).max(1);
        for i in 0..=steps {
            let between = |a: usize, b: usize| (a as f64 + (b as f64 - a as f64) * i as f64 / steps as f64).round();
            let (x, y) = (between(from.0, to.0) as usize, between(from.1, to.1) as usize);
            if let Some(dot) = dots.get_mut(y).and_then(|row| row.get_mut(x)) {
                *dot = true;
            }
        }
    }
    let mut lines = vec![format!("{:>11} {title}{}", "", if log { " (logarithmic)" } else { "" })];
    for (row, chunk) in dots.chunks(down).enumerate() {
        let label = match row {
            0 => number(high),
            _ if row + 1 == ROWS => number(low),
            _ => String::new(),
        };
        let cells: String = (0..columns).map(|column| cell(chunk, column * across, braille)).collect();
        lines.push(format!("{label:>11} |{cells}").trim_end().to_owned());
    }
    let (left, right) = (first.to_string(), format!("step {last}"));
    let gap = columns.saturating_sub(left.len() + right.len());
    lines.push(format!("{:>11} +{}", "", "-".repeat(columns)));
    lines.push(format!("{:>13}{left}{}{right}", "", " ".repeat(gap)));
    lines
}

/// One character of the picture.
fn cell(rows: &[Vec<bool>], column: usize, braille: bool) -> char {
    let is_set = |row: usize, column: usize| rows.get(row).and_then(|r| r.get(column)) == Some(&true);
    if !braille {
        return if is_set(0, column) { '*' } else { ' ' };
    }
    let bits = DOTS.iter().enumerate().flat_map(|(row, bits)| bits.iter().enumerate().map(move |b| (row, b)));
    let code: u32 = bits.filter(|(row, (at, _))| is_set(*row, column + at)).map(|(_, (_, bit))| bit).sum();
    if code == 0 { ' ' } else { char::from_u32(0x2800 + code).unwrap_or('*') }
}

/// Four digits that matter.
fn number(x: f64) -> String {
    let size = x.abs();
    if size != 0.0 && !(1e-3..1e6).contains(&size) { format!("{x:.3e}") } else { format!("{x:.4}") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::cast_precision_loss, reason = "tests")]
    use super::*;

    fn falling(n: usize) -> Vec<Point> {
        (0..n).map(|i| (i as f64, 1.0 - i as f64 / (n - 1) as f64)).collect()
    }

    #[test]
    fn a_line_falls_from_corner_to_corner() {
        let lines = curve(&falling(50), "loss", 34, false);
        assert_eq!(lines.len(), ROWS + 3);
        let drawn: Vec<&str> = lines.iter().map(|l| l.trim_end()).collect();
        assert_eq!(drawn.first(), Some(&"            loss"));
        assert_eq!(drawn.get(1), Some(&"     1.0000 |**"));
        assert_eq!(drawn.get(5), Some(&"            |        **"));
        assert_eq!(drawn.get(10), Some(&"     0.0000 |                  **"));
        assert_eq!(drawn.last(), Some(&"             0            step 49"));
    }

    #[test]
    fn braille_has_four_rows_and_two_columns_a_cell() {
        let lines = curve(&falling(50), "loss", 34, true);
        assert_eq!(lines.get(1).map(|l| l.trim_end()), Some("     1.0000 |⠑⢄"));
        let drawn: String = lines.concat();
        assert!(drawn.chars().all(|c| c.is_ascii() || ('\u{2801}'..='\u{28ff}').contains(&c)), "{drawn}");
    }

    #[test]
    fn a_wide_range_is_logarithmic_and_a_flat_one_is_a_line() {
        let points: Vec<Point> = (0..9).map(|i| (i as f64, 10_f64.powi(-i))).collect();
        let lines = curve(&points, "loss", 80, false);
        assert!(lines.first().is_some_and(|l| l.contains("logarithmic")));
        assert!(lines.iter().any(|l| l.contains("1.000e-8")), "{lines:?}");
        let flat = curve(&[(0.0, 2.0), (5.0, 2.0)], "loss", 80, false);
        assert_eq!(flat.iter().filter(|l| l.contains('*')).count(), 1);
    }

    #[test]
    fn what_cannot_be_drawn_is_left_out() {
        assert!(curve(&[(1.0, 2.0)], "loss", 80, true).is_empty());
        assert!(curve(&[(1.0, 2.0), (1.0, 3.0)], "loss", 80, true).is_empty());
        assert!(curve(&falling(5), "loss", 20, true).is_empty());
        let points = [(0.0, 1.0), (1.0, f64::NAN), (2.0, f64::INFINITY), (3.0, 0.5)];
        assert_eq!(curve(&points, "loss", 80, false).len(), ROWS + 3);
    }
}
