//! From the name of a file to its bytes or its text.
//!
//! In: a name and the [`World`]. Out: bytes as stored, or text (gzip undone by its magic bytes, byte order mark removed),
//! and a [`SourceFile`] for the run's records. Invariant: bytes that are not UTF-8 are a fault with their line.

use crate::data::source::sha256::sha256;
use crate::source::{Code, Diagnostic, Diagnostics, Span, World};
use std::io::Read;

/// The largest file after gzip is undone; offsets in a file are 32 bits.
const LIMIT: u64 = u32::MAX as u64 - 1;

/// The byte order mark, which some editors put in front of UTF-8.
const MARK: &str = "\u{feff}";

/// Which bytes a data set was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// The name as the program wrote it.
    pub name: String,
    /// The SHA-256 of the bytes as stored (of the compressed file), in hexadecimal.
    pub sha256: String,
    /// How many bytes are stored.
    pub bytes: usize,
}

/// Reads the bytes of a file as they are stored; `None` when a fault was recorded.
pub(crate) fn bytes_of(
    world: &dyn World,
    from: &str,
    name: &str,
    span: Span,
    faults: &mut Diagnostics,
) -> Option<(SourceFile, Vec<u8>)> {
    match world.data(from, name) {
        Ok(bytes) => {
            let file = SourceFile { name: name.to_owned(), sha256: sha256(&bytes), bytes: bytes.len() };
            Some((file, bytes))
        }
        Err(error) => {
            let fault = Diagnostic::error(Code::DATA_FILE, error.to_string()).at(span, "named here");
            let beside = "put the file beside the `.lens` file, or name its folder with `--data-dir`";
            let mnist = ["train", "t10k"]
                .iter()
                .flat_map(|part| ["images-idx3", "labels-idx1"].map(|what| format!("{part}-{what}-ubyte.gz")));
            let wanted = |file: &String| name.contains(file.trim_end_matches(".gz"));
            faults.push(match mnist.clone().any(|file| wanted(&file)) {
                true => fault
                    .note("MNIST is at https://storage.googleapis.com/cvdf-datasets/mnist/")
                    .note(format!("its files are {}", mnist.collect::<Vec<_>>().join(", ")))
                    .help(beside),
                false => fault.help(beside),
            });
            None
        }
    }
}

/// A file that is there and cannot be used.
pub(crate) fn unreadable(code: Code, name: &str, why: &str) -> Diagnostic {
    Diagnostic::error(code, format!("`{name}` {why}")).help("is this the file that is meant, and is it whole?")
}

/// Reads a text; `None` when a fault was recorded.
pub(crate) fn text_of(
    world: &dyn World,
    from: &str,
    name: &str,
    span: Span,
    faults: &mut Diagnostics,
) -> Option<(SourceFile, String)> {
    let (file, bytes) = bytes_of(world, from, name, span, faults)?;
    match decode(bytes) {
        Ok(text) => Some((file, text)),
        Err((code, why)) => {
            faults.push(unreadable(code, name, &why).at(span, "named here"));
            None
        }
    }
}

/// Bytes with gzip undone; the error says what the file does wrong.
pub(crate) fn plain(bytes: Vec<u8>) -> Result<Vec<u8>, (Code, String)> {
    if bytes.starts_with(&[0x1f, 0x8b]) { gunzip(&bytes) } else { Ok(bytes) }
}

/// Bytes that were handed over with gzip undone and without a byte order mark.
///
/// # Errors
/// A gzip file that is cut off or unpacks beyond the limit.
pub fn unpacked(name: &str, bytes: Vec<u8>) -> Result<Vec<u8>, Diagnostic> {
    let mut bytes = plain(bytes).map_err(|(code, why)| unreadable(code, name, &why))?;
    if bytes.starts_with(MARK.as_bytes()) {
        bytes.drain(..MARK.len());
    }
    Ok(bytes)
}

/// Bytes that were handed over as text, as [`unpacked`] gives them.
///
/// # Errors
/// A gzip file that is not whole, bytes that are not UTF-8.
pub fn unpacked_text(name: &str, bytes: Vec<u8>) -> Result<String, Diagnostic> {
    decode(bytes).map_err(|(code, why)| unreadable(code, name, &why))
}

/// Bytes as text; the error says what the file does wrong.
pub(crate) fn decode(bytes: Vec<u8>) -> Result<String, (Code, String)> {
    let bytes = plain(bytes)?;
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err((Code::DATA_FILE, "is UTF-16 text; save it as UTF-8".to_owned()));
    }
    match String::from_utf8(bytes) {
        Ok(text) => match text.strip_prefix(MARK) {
            Some(rest) => Ok(rest.to_owned()),
            None => Ok(text),
        },
        Err(error) => {
            let good = error.utf8_error().valid_up_to();
            let line = error.as_bytes().iter().take(good).filter(|b| **b == b'\n').count() + 1;
            let byte = error.as_bytes().get(good).copied().unwrap_or(0);
            Err((Code::DATA_FILE, format!("is not UTF-8 text: line {line} has the byte 0x{byte:02x}")))
        }
    }
}

fn gunzip(bytes: &[u8]) -> Result<Vec<u8>, (Code, String)> {
    let mut out = Vec::new();
    let mut rest = bytes;
    // Members one after the other; archives of fixed blocks fill up with zeros, which gzip itself passes over too.
    while rest.iter().any(|byte| *byte != 0) {
        let mut member = flate2::bufread::GzDecoder::new(rest);
        let left = (LIMIT + 1).saturating_sub(out.len() as u64);
        if let Err(error) = member.by_ref().take(left).read_to_end(&mut out) {
            return Err((Code::DATA_FILE, format!("is not a whole gzip file: {error}")));
        }
        if out.len() as u64 > LIMIT {
            return Err((Code::LIMIT, format!("has more than {LIMIT} bytes when decompressed, which is the limit")));
        }
        rest = member.into_inner();
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used, reason = "tests")]
    use super::*;
    use std::io::Write;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_marks_and_bad_bytes() {
        assert_eq!(decode(gzip(b"\xef\xbb\xbfa,b\n")).unwrap(), "a,b\n");
        assert_eq!(decode([gzip(b"1\n"), gzip(b"2\n")].concat()).unwrap(), "1\n2\n");
        assert_eq!(decode([gzip(b"1\n"), vec![0; 512]].concat()).unwrap(), "1\n");
        assert!(decode([gzip(b"1\n"), b"more".to_vec()].concat()).is_err());
        let cut = gzip(b"some text that is long enough");
        assert!(decode(cut[..cut.len() - 6].to_vec()).unwrap_err().1.contains("gzip"));
        assert!(decode(b"a\nb\xffc".to_vec()).unwrap_err().1.contains("line 2 has the byte 0xff"));
        assert!(decode(b"\xff\xfea\0".to_vec()).unwrap_err().1.contains("UTF-16"));
    }
}
