//! NPY files: what `numpy.save` writes, versions 1 to 3.
//!
//! In: bytes (gzip undone). Out: an [`Array`] whose rows are the first dimension; entries in Fortran order are put into C
//! order. The header is `\x93NUMPY`, two bytes of version, its length, and a Python dictionary with `descr`,
//! `fortran_order` and `shape` (NEP 1). Invariant: a header that says more or fewer entries than there are bytes is an
//! error with both numbers; whole numbers that a double has not exactly are an error.

use crate::data::source::array::{Array, Entries};
use crate::data::source::idx::Fault;

const CUT: &str = "the file is cut off or has been changed; save it again";
const SAVE: &str = "save plain numbers: `numpy.save(\"a.npy\", x.astype(\"f4\"))`, or `\"u1\"` for bytes";

/// Reads a whole file.
pub(crate) fn read(name: &str, bytes: &[u8]) -> Result<Array, Fault> {
    let Some(rest) = bytes.strip_prefix(b"\x93NUMPY") else {
        if bytes.starts_with(b"PK\x03\x04") {
            return Err(("is an archive of several arrays (.npz)".to_owned(), Some("save each with `numpy.save`")));
        }
        let shown: Vec<String> = bytes.iter().take(6).map(|b| format!("0x{b:02x}")).collect();
        let what = format!("is not an NPY file: it begins with {}", shown.join(" "));
        return Err((what, Some("an NPY file is what `numpy.save` writes")));
    };
    let cut = || ("ends in its header".to_owned(), Some(CUT));
    let (length, rest) = match rest {
        [1, _, a, b, rest @ ..] => (usize::from(u16::from_le_bytes([*a, *b])), rest),
        [2 | 3, _, a, b, c, d, rest @ ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, rest),
        [major @ (0 | 4..), minor, ..] => {
            let why = format!("has the NPY version {major}.{minor}, which there is not");
            return Err((why, Some("versions are 1.0, 2.0 and 3.0")));
        }
        _ => return Err(cut()),
    };
    let (header, body) = rest.split_at_checked(length).ok_or_else(cut)?;
    let header = String::from_utf8_lossy(header);
    let Header { descr, fortran, shape } = Header::parse(&header).ok_or_else(|| {
        let shown: String = header.trim().chars().take(80).collect();
        (format!("has a header that cannot be read: `{shown}`"), Some(CUT))
    })?;
    let kind = Kind::of(&descr)?;
    let says = shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ");
    let (rows, inner) = match shape.as_slice() {
        [] => return Err(("is a single number".to_owned(), Some("its first dimension counts the examples"))),
        [rows] => (*rows, vec![1]),
        [rows, inner @ ..] => (*rows, inner.to_vec()),
    };
    let count = shape.iter().try_fold(1_usize, |n, d| n.checked_mul(*d));
    match count {
        Some(0) => return Err((format!("says {says} entries, which is none"), Some("is this the right file?"))),
        Some(n) if n.checked_mul(kind.size) == Some(body.len()) => {}
        _ => {
            let unit = if kind.size == 1 { String::new() } else { format!(" of {} bytes", kind.size) };
            return Err((format!("says {says} entries{unit} and has {} bytes of them", body.len()), Some(CUT)));
        }
    }
    let places = if fortran && shape.len() > 1 { c_order(&shape) } else { Vec::new() };
    let entries = match (kind.letter, kind.size) {
        ('u', 1) => Entries::Bytes(placed(body.to_vec(), &places)),
        ('b', 1) => match body.iter().find(|b| **b > 1) {
            Some(odd) => return Err((format!("has a bool of value {odd}"), Some(CUT))),
            None => Entries::Bits(placed(body.iter().map(|b| *b == 1).collect(), &places)),
        },
        _ => Entries::Numbers(placed(kind.numbers(body)?, &places)),
    };
    Ok(Array::new(name, rows, inner, entries))
}

/// For each entry in C order its place in Fortran order, where the first index runs fastest.
fn c_order(shape: &[usize]) -> Vec<usize> {
    let mut places = vec![0];
    let mut stride = 1;
    for n in shape {
        places = places.iter().flat_map(|at| (0..*n).map(move |i| at + i * stride)).collect();
        stride *= n;
    }
    places
}

/// Entries in the order of their places; as they are when there are none.
fn placed<T: Copy>(entries: Vec<T>, places: &[usize]) -> Vec<T> {
    if places.is_empty() { entries } else { places.iter().filter_map(|at| entries.get(*at).copied()).collect() }
}

/// What the dictionary says.
struct Header {
    descr: String,
    fortran: bool,
    shape: Vec<usize>,
}

impl Header {
    fn parse(text: &str) -> Option<Header> {
        let field = |key: &str| {
            let at = [format!("'{key}'"), format!("\"{key}\"")].iter().find_map(|quoted| text.find(quoted.as_str()))?;
            Some(text.get(at + key.len() + 2..)?.trim_start().strip_prefix(':')?.trim_start())
        };
        let descr = field("descr")?;
        let descr = match descr.chars().next()? {
            // A list names the fields of a record.
            '[' => "[".to_owned(),
            quote @ ('\'' | '"') => descr.get(1..)?.split(quote).next()?.to_owned(),
            _ => return None,
        };
        let order = field("fortran_order")?;
        let fortran = order.starts_with("True");
        if !fortran && !order.starts_with("False") {
            return None;
        }
        let shape = field("shape")?.strip_prefix('(')?.split(')').next()?;
        let dims = shape.split(',').map(str::trim).filter(|d| !d.is_empty());
        let shape: Option<Vec<usize>> = dims.map(|d| d.trim_end_matches('L').parse().ok()).collect();
        Some(Header { descr, fortran, shape: shape? })
    }
}

/// The type of the entries.
struct Kind {
    letter: char,
    size: usize,
    big: bool,
}

impl Kind {
    fn of(descr: &str) -> Result<Kind, Fault> {
        let (big, rest) = match descr.chars().next() {
            Some(order @ ('<' | '>' | '|' | '=')) => (order == '>', descr.get(1..).unwrap_or_default()),
            _ => (false, descr),
        };
        let mut parts = rest.chars();
        let letter = parts.next().unwrap_or(' ');
        let size = parts.as_str().parse().unwrap_or(0);
        match (letter, size) {
            ('f', 4 | 8) | ('i' | 'u', 1 | 2 | 4 | 8) | ('b', 1) => Ok(Kind { letter, size, big }),
            ('O', _) => Err(("holds Python objects (pickled), which are never read".to_owned(), Some(SAVE))),
            _ => {
                let what = match letter {
                    'U' | 'S' | 'a' => "texts",
                    'c' => "complex numbers",
                    'M' | 'm' => "dates",
                    'V' | '[' => "records",
                    'f' => "floats of another size than 4 or 8 bytes",
                    _ => "entries of an unknown type",
                };
                let shown = if descr == "[" { String::new() } else { format!(" (`{descr}`)") };
                Err((format!("holds {what}{shown}"), Some(SAVE)))
            }
        }
    }

    /// The entries as finite numbers.
    fn numbers(&self, body: &[u8]) -> Result<Vec<f64>, Fault> {
        let count = body.len() / self.size;
        let mut numbers = Vec::with_capacity(count);
        for (at, entry) in body.chunks_exact(self.size).enumerate() {
            let number = self.number(entry).ok_or_else(|| {
                let why = format!("has a whole number beyond 2^53, entry {at} of {count}");
                (why, Some("a double has such numbers no more exactly; scale them first"))
            })?;
            if !number.is_finite() {
                return Err((format!("has a value that is not finite, entry {at} of {count}"), None));
            }
            numbers.push(number);
        }
        Ok(numbers)
    }

    /// One entry; nothing when a double does not have it exactly.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "within 2^53, and cut to its size")]
    fn number(&self, entry: &[u8]) -> Option<f64> {
        let mut bits = 0_u64;
        for at in 0..self.size {
            let byte = entry.get(if self.big { at } else { self.size - 1 - at })?;
            bits = bits << 8 | u64::from(*byte);
        }
        let exact = |magnitude: u64| magnitude <= 1 << 53;
        match (self.letter, self.size) {
            ('f', 4) => Some(f64::from(f32::from_bits(bits as u32))),
            ('f', _) => Some(f64::from_bits(bits)),
            ('i', size) => {
                // The highest bit of the entry is its sign.
                let unused = 64 - 8 * size;
                let whole = (bits << unused).cast_signed() >> unused;
                exact(whole.unsigned_abs()).then_some(whole as f64)
            }
            _ => exact(bits).then_some(bits as f64),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used, reason = "tests")]
    use super::*;

    /// What `numpy.lib.format.write_array` writes.
    fn file(version: u8, descr: &str, order: &str, shape: &str, body: &[u8]) -> Vec<u8> {
        let mut header = format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}");
        let fixed = if version == 1 { 10 } else { 12 };
        while (fixed + header.len() + 1) % 64 != 0 {
            header.push(' ');
        }
        header.push('\n');
        let mut bytes = b"\x93NUMPY".to_vec();
        bytes.extend([version, 0]);
        match version {
            1 => bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes()),
            _ => bytes.extend(u32::try_from(header.len()).unwrap().to_le_bytes()),
        }
        bytes.extend(header.as_bytes());
        bytes.extend(body);
        bytes
    }

    fn said(bytes: &[u8]) -> String {
        read("t", bytes).unwrap_err().0
    }

    #[test]
    fn every_type_of_both_orders_is_read_in_every_version() {
        let first = |descr: &str, body: &[u8]| {
            let all = [1, 2, 3].map(|version| {
                let array = read("t", &file(version, &format!("'{descr}'"), "False", "(1,)", body)).unwrap();
                array.number(0, 0).unwrap()
            });
            assert!(all.iter().all(|x| x.to_bits() == all[0].to_bits()));
            all[0]
        };
        for x in [0.0, -1.5, 1e-300, f64::MAX] {
            assert_eq!(first("<f8", &x.to_le_bytes()).to_bits(), x.to_bits());
            assert_eq!(first(">f8", &x.to_be_bytes()).to_bits(), x.to_bits());
        }
        assert_eq!(
            (first("<f4", &0.1_f32.to_le_bytes()), first(">f4", &0.1_f32.to_be_bytes())),
            (f64::from(0.1_f32), f64::from(0.1_f32))
        );
        assert_eq!((first("<i2", &(-2_i16).to_le_bytes()), first(">i2", &(-2_i16).to_be_bytes())), (-2.0, -2.0));
        assert_eq!(
            (first("<i4", &i32::MIN.to_le_bytes()), first(">u4", &u32::MAX.to_be_bytes())),
            (f64::from(i32::MIN), f64::from(u32::MAX))
        );
        assert_eq!((first("<i8", &(-5_i64).to_le_bytes()), first(">u8", &7_u64.to_be_bytes())), (-5.0, 7.0));
        assert_eq!((first("|i1", &[0xff]), first("|u1", &[0xff]), first("|b1", &[1])), (-1.0, 255.0, 1.0));
    }

    #[test]
    fn fortran_order_is_put_right() {
        // numpy.asfortranarray(numpy.arange(24, dtype="u1").reshape(2, 3, 4)).ravel("K")
        let body: Vec<u8> =
            (0..4).flat_map(|k| (0..3).flat_map(move |j| (0..2).map(move |i| 12 * i + 4 * j + k))).collect();
        let array = read("t", &file(1, "'|u1'", "True", "(2, 3, 4)", &body)).unwrap();
        assert_eq!((array.rows, array.shape.as_slice()), (2, &[3, 4][..]));
        assert_eq!(array.entries, Entries::Bytes((0..24).collect()));
        let bits = read("t", &file(1, "'|b1'", "True", "(2, 2)", &[0, 1, 0, 0])).unwrap();
        assert_eq!(bits.entries, Entries::Bits(vec![false, false, true, false]));
    }

    #[test]
    fn what_is_wrong_is_said_in_numbers() {
        assert_eq!(said(b"PK\x03\x04..."), "is an archive of several arrays (.npz)");
        assert_eq!(said(b"1,2\n"), "is not an NPY file: it begins with 0x31 0x2c 0x32 0x0a");
        assert_eq!(said(b"\x93NUMPY\x01"), "ends in its header");
        assert_eq!(said(b"\x93NUMPY\x07\x00.."), "has the NPY version 7.0, which there is not");
        assert_eq!(
            said(&file(1, "'<f4'", "False", "(2, 3)", &[0; 23])),
            "says 2 x 3 entries of 4 bytes and has 23 bytes of them"
        );
        assert_eq!(said(&file(1, "'|u1'", "False", "(0, 3)", &[])), "says 0 x 3 entries, which is none");
        assert_eq!(said(&file(1, "'<f4'", "False", "()", &[0; 4])), "is a single number");
        assert!(said(&file(1, "'|O'", "False", "(1,)", &[])).contains("Python objects (pickled)"));
        assert_eq!(said(&file(1, "'<U3'", "False", "(1,)", &[0; 12])), "holds texts (`<U3`)");
        assert_eq!(said(&file(1, "'<c8'", "False", "(1,)", &[0; 8])), "holds complex numbers (`<c8`)");
        assert_eq!(said(&file(1, "[('a', '<f4')]", "False", "(1,)", &[0; 4])), "holds records");
        assert_eq!(
            said(&file(1, "'<f2'", "False", "(1,)", &[0; 2])),
            "holds floats of another size than 4 or 8 bytes (`<f2`)"
        );
        assert!(
            said(&file(1, "'<f4'", "None", "(1,)", &[0; 4])).starts_with("has a header that cannot be read: `{'descr'")
        );
        assert_eq!(
            said(&file(1, "'<f8'", "False", "(1,)", &f64::NAN.to_le_bytes())),
            "has a value that is not finite, entry 0 of 1"
        );
        assert_eq!(
            said(&file(1, "'<i8'", "False", "(1,)", &i64::MIN.to_le_bytes())),
            "has a whole number beyond 2^53, entry 0 of 1"
        );
        assert_eq!(said(&file(1, "'|b1'", "False", "(2,)", &[1, 2])), "has a bool of value 2");
        assert!(said(&file(1, "'|u1'", "False", "(99999999999, 99999999999)", &[1])).contains("has 1 bytes of them"));
    }
}
