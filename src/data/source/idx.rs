//! IDX files: the format of MNIST.
//!
//! In: bytes (gzip undone). Out: an [`Array`] whose rows are the first dimension. The header is two zero bytes, a type, the
//! number of dimensions, and each dimension as four bytes, the highest first; the entries follow in the same order.
//! Invariant: a header that says more or fewer entries than there are bytes is an error with both numbers.

use crate::data::source::array::{Array, Entries};

/// What is wrong with a file: the message (after its name) and what to do.
pub(crate) type Fault = (String, Option<&'static str>);

const CUT: &str = "the file is cut off or has been changed; get it again";

/// Reads a whole file.
pub(crate) fn read(name: &str, bytes: Vec<u8>) -> Result<Array, Fault> {
    let (kind, rank) = match bytes.get(..4) {
        Some([0, 0, kind, rank]) => (*kind, usize::from(*rank)),
        Some(magic) => {
            let shown: Vec<String> = magic.iter().map(|b| format!("0x{b:02x}")).collect();
            let what = format!("is not an IDX file: it begins with {}", shown.join(" "));
            return Err((what, Some("an IDX file begins with two zero bytes, a type and the number of dimensions")));
        }
        None => return Err((format!("is not an IDX file: it has {} bytes", bytes.len()), Some(CUT))),
    };
    let size = match kind {
        0x08 | 0x09 => 1,
        0x0b => 2,
        0x0c | 0x0d => 4,
        0x0e => 8,
        _ => {
            let help = "types are 0x08 (u8), 0x09 (i8), 0x0b (i16), 0x0c (i32), 0x0d (f32), 0x0e (f64)";
            return Err((format!("has the IDX type 0x{kind:02x}, which there is not"), Some(help)));
        }
    };
    if rank == 0 {
        return Err(("has no dimensions".to_owned(), Some("its first dimension counts the examples")));
    }
    let header = 4 + 4 * rank;
    let Some(dims) = bytes.get(4..header) else {
        let why = format!("ends in its header: {rank} dimensions need {header} bytes, it has {}", bytes.len());
        return Err((why, Some(CUT)));
    };
    let dims: Vec<usize> = dims.chunks_exact(4).map(|d| whole(d) as usize).collect();
    let says = dims.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ");
    let count = dims.iter().try_fold(1_usize, |n, d| n.checked_mul(*d));
    let there = bytes.len() - header;
    let count = match count {
        Some(0) => return Err((format!("says {says} entries, which is none"), Some("is this the right file?"))),
        Some(n) if n.checked_mul(size) == Some(there) => n,
        Some(n) => {
            let unit = if size == 1 { String::new() } else { format!(" of {size} bytes") };
            return Err((format!("says {says} = {n} entries{unit} and has {there} bytes of them"), Some(CUT)));
        }
        None => return Err((format!("says {says} entries and has {there} bytes of them"), Some(CUT))),
    };
    let (rows, shape) = match dims.as_slice() {
        [rows] => (*rows, vec![1]),
        [rows, shape @ ..] => (*rows, shape.to_vec()),
        [] => (count, vec![1]),
    };
    let body = bytes.get(header..).unwrap_or_default();
    let entries = match kind {
        0x08 => {
            let mut bytes = bytes;
            bytes.drain(..header);
            Entries::Bytes(bytes)
        }
        0x09 => numbers(body, 1, |b| f64::from(b.first().map_or(0, |b| b.cast_signed()))),
        0x0b => numbers(body, 2, |b| f64::from(i16::from_be_bytes(b.try_into().unwrap_or_default()))),
        0x0c => numbers(body, 4, |b| f64::from(whole(b).cast_signed())),
        0x0d => numbers(body, 4, |b| f64::from(f32::from_bits(whole(b)))),
        _ => numbers(body, 8, |b| f64::from_be_bytes(b.try_into().unwrap_or_default())),
    };
    if let Entries::Numbers(all) = &entries
        && let Some(at) = all.iter().position(|x| !x.is_finite())
    {
        return Err((format!("has a value that is not finite, entry {at} of {count}"), None));
    }
    Ok(Array::new(name, rows, shape, entries))
}

fn whole(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes.try_into().unwrap_or_default())
}

fn numbers(body: &[u8], size: usize, number: impl Fn(&[u8]) -> f64) -> Entries {
    Entries::Numbers(body.chunks_exact(size).map(number).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used, reason = "tests")]
    use super::*;

    fn file(kind: u8, dims: &[u32], body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, kind, u8::try_from(dims.len()).unwrap()];
        dims.iter().for_each(|d| bytes.extend(d.to_be_bytes()));
        bytes.extend(body);
        bytes
    }

    fn said(bytes: Vec<u8>) -> String {
        read("t", bytes).unwrap_err().0
    }

    #[test]
    fn every_type_is_read() {
        let images = read("t", file(8, &[2, 1, 2], &[0, 1, 254, 255])).unwrap();
        assert_eq!((images.rows, images.shape.as_slice()), (2, &[1, 2][..]));
        assert_eq!(images.entries, Entries::Bytes(vec![0, 1, 254, 255]));
        let of = |kind, body: &[u8]| match read("t", file(kind, &[1], body)).unwrap().entries {
            Entries::Numbers(v) => v[0],
            other => panic!("{other:?}"),
        };
        assert_eq!(of(9, &[0xff]), -1.0);
        assert_eq!(of(0x0b, &(-300_i16).to_be_bytes()), -300.0);
        assert_eq!(of(0x0c, &(-70_000_i32).to_be_bytes()), -70_000.0);
        assert_eq!(of(0x0d, &1.5_f32.to_be_bytes()), 1.5);
        assert_eq!(of(0x0e, &0.1_f64.to_be_bytes()), 0.1);
    }

    #[test]
    fn what_is_wrong_is_said_in_numbers() {
        assert_eq!(said(vec![0, 0]), "is not an IDX file: it has 2 bytes");
        assert_eq!(said(b"PK\x03\x04".to_vec()), "is not an IDX file: it begins with 0x50 0x4b 0x03 0x04");
        assert_eq!(said(file(7, &[1], &[0])), "has the IDX type 0x07, which there is not");
        assert_eq!(said(file(8, &[], &[])), "has no dimensions");
        assert_eq!(said(file(8, &[2], &[])[..7].to_vec()), "ends in its header: 1 dimensions need 8 bytes, it has 7");
        assert_eq!(said(file(8, &[2, 3], &[0; 5])), "says 2 x 3 = 6 entries and has 5 bytes of them");
        assert_eq!(said(file(0x0b, &[2], &[0; 6])), "says 2 = 2 entries of 2 bytes and has 6 bytes of them");
        assert_eq!(said(file(8, &[0, 28, 28], &[])), "says 0 x 28 x 28 entries, which is none");
        assert!(said(file(8, &[u32::MAX; 3], &[0])).contains("has 1 bytes of them"));
        assert!(said(file(0x0d, &[2], &[0, 0, 0, 0, 0x7f, 0x80, 0, 0])).contains("not finite, entry 1 of 2"));
    }
}
