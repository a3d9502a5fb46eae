//! PLA files as espresso and the IWLS contest write them: `.i` input bits, `.o` output bits, then a row a line.
//!
//! In: text. Out: two arrays of bits, inputs and outputs. Here a row is an example, so a cube (`-` in an input) and an
//! output that is left open are errors with their lines, whatever `.type` says. `.ilb` and `.ob` name the columns.

use crate::data::source::array::{Array, Entries};
use crate::data::table::Places;
use crate::data::words::{count, quoted};
use crate::source::{Code, Diagnostic, Diagnostics, Span};

/// What the header says.
#[derive(Default)]
struct Header {
    inputs: Option<usize>,
    outputs: Option<usize>,
    rows: Option<usize>,
    input_names: Option<Vec<String>>,
    output_names: Option<Vec<String>>,
}

/// Reads a file; `None` when a fault was recorded.
pub(crate) fn read(name: &str, text: &str, span: Span, faults: &mut Diagnostics) -> Option<[Array; 2]> {
    let fail = |message: String| Diagnostic::error(Code::DATA_FILE, message).at(span, "read here");
    let (mut header, mut bits) = (Header::default(), [Vec::new(), Vec::new()]);
    let (mut lines, mut width, mut open, mut odd) =
        (Vec::new(), Places::default(), Places::default(), Places::default());
    for (at, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or("").trim();
        let place = || format!("{name}:{}", at + 1);
        if line.starts_with('.') {
            let mut words = line.split_whitespace();
            let key = words.next().unwrap_or("");
            if matches!(key, ".e" | ".end") {
                break;
            }
            if let Err(why) = header.take(key, words) {
                faults.push(
                    fail(format!("`{name}` {why}"))
                        .note(format!("{}: {}", place(), quoted(line)))
                        .help("correct this line, or name another file"),
                );
                return None;
            }
            continue;
        }
        if line.is_empty() {
            continue;
        }
        let (Some(i), Some(o)) = (header.inputs, header.outputs) else {
            let missing = if header.inputs.is_none() { ".i" } else { ".o" };
            faults.push(
                fail(format!("`{name}` has no `{missing}` before its first row"))
                    .note(format!("{}: {}", place(), quoted(line)))
                    .help("a PLA file begins with `.i` and the number of inputs, `.o` and the number of outputs"),
            );
            return None;
        };
        let values: Vec<u8> = line.bytes().filter(|b| !b.is_ascii_whitespace() && *b != b'|').collect();
        if values.len() != i + o {
            width.add(|| format!("{} has {}", place(), count(values.len(), "value")));
            continue;
        }
        for (k, value) in values.iter().enumerate() {
            let [ins, outs] = &mut bits;
            let side = if k < i { ins } else { outs };
            match value {
                b'0' | b'1' => side.push(*value == b'1'),
                b'-' | b'~' | b'2' => {
                    let what = if k < i { format!("input {k}") } else { format!("output {}", k - i) };
                    open.add(|| format!("{}: `{}` in {what}", place(), char::from(*value)));
                }
                _ => odd.add(|| format!("{}: {}", place(), quoted(line))),
            }
        }
        lines.push(u32::try_from(at + 1).unwrap_or(u32::MAX));
    }
    let (i, o) = (header.inputs.unwrap_or(0), header.outputs.unwrap_or(0));
    let before = faults.0.len();
    if width.total > 0 {
        let what = format!("`{name}` has {} of another width than its header says", count(width.total, "row"));
        faults.push(
            width
                .note(fail(what).note(format!("`.i {i}` and `.o {o}` make {}", count(i + o, "value"))))
                .help("give every row a value an input and a value an output"),
        );
    }
    if open.total > 0 {
        let what = format!("`{name}` has {} left open", count(open.total, "value"));
        faults
            .push(open.note(fail(what)).help("a row of data has every value 0 or 1; write out what a `-` stands for"));
    }
    if odd.total > 0 {
        let what = format!("`{name}` has {} that are neither 0 nor 1", count(odd.total, "value"));
        faults.push(odd.note(fail(what)).help("outputs are 0, 1, - or ~, inputs 0, 1 or -"));
    }
    if faults.0.len() > before {
        return None;
    }
    if lines.is_empty() {
        faults.push(fail(format!("`{name}` has no rows")).help("is this the right file?"));
        return None;
    }
    if let Some(rows) = header.rows.filter(|rows| *rows != lines.len()) {
        let what = format!("`{name}` has {}, `.p` says {rows}", count(lines.len(), "row"));
        faults.push(fail(what).help("the file is cut off, or its `.p` is wrong"));
        return None;
    }
    let [ins, outs] = bits;
    let array = |width, bits, header| Array {
        name: name.to_owned(),
        rows: lines.len(),
        shape: vec![width],
        entries: Entries::Bits(bits),
        header,
        lines: lines.clone(),
    };
    Some([array(i, ins, header.input_names), array(o, outs, header.output_names)])
}

impl Header {
    /// A line that begins with a dot; the error says what it does wrong.
    fn take<'a>(&mut self, key: &str, words: impl Iterator<Item = &'a str>) -> Result<(), String> {
        let words: Vec<&str> = words.collect();
        let number = |least: usize| match words.as_slice() {
            [one] => one.parse::<usize>().ok().filter(|n| (least..1 << 24).contains(n)),
            _ => None,
        };
        let once = |slot: &mut Option<usize>, least: usize| match (number(least), &slot) {
            (None, _) => Err(format!("needs one whole number of at least {least} behind `{key}`")),
            (Some(n), Some(first)) if n != *first => Err(format!("says `{key} {first}` and `{key} {n}`")),
            (Some(n), _) => {
                *slot = Some(n);
                Ok(())
            }
        };
        let names = |slot: &mut Option<Vec<String>>, needs: Option<usize>, what: &str| {
            if let Some(needs) = needs.filter(|n| *n != words.len()) {
                return Err(format!("names {}, `{what}` says {needs}", count(words.len(), "column")));
            }
            *slot = Some(words.iter().map(|w| (*w).to_owned()).collect());
            Ok(())
        };
        match key {
            ".i" => once(&mut self.inputs, 1)?,
            ".o" => once(&mut self.outputs, 1)?,
            ".p" => once(&mut self.rows, 0)?,
            ".ilb" => names(&mut self.input_names, self.inputs, ".i")?,
            ".ob" => names(&mut self.output_names, self.outputs, ".o")?,
            ".type" => {}
            _ => return Err(format!("has a line `{key}`, which is not supported")),
        }
        let agree = |names: &Option<Vec<String>>, n: Option<usize>| match (names, n) {
            (Some(names), Some(n)) => names.len() == n,
            _ => true,
        };
        if agree(&self.input_names, self.inputs) && agree(&self.output_names, self.outputs) {
            return Ok(());
        }
        Err(format!("names another number of columns than `{key}` says"))
    }
}
