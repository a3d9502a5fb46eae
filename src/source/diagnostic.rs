//! One shape for everything that is said to a user: code, message, places, help.
//!
//! ```
//! use catlearn::source::{Code, Diagnostic, Span};
//! let d = Diagnostic::error(Code::COMPOSE, "these two maps do not compose")
//!     .at(Span::default(), "needs R[12]")
//!     .also(Span::default(), "gives R[16]")
//!     .help("make both 16 or both 12");
//! assert_eq!(d.code.to_string(), "E0301");
//! ```

use super::codes::Code;
use super::text::Span;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// The program still runs.
    Warning,
    /// It does not.
    Error,
}

/// A place with a word about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is to be seen there; may be empty.
    pub text: String,
    /// Whether this is the place of the fault, or one that explains it.
    pub primary: bool,
}

/// A message with its code, places and suggestions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// The row of the table of codes; `catlearn explain` has its page.
    pub code: Code,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub message: String,
    /// Where: at least one of them primary, unless the fault has no place in a file.
    pub labels: Vec<Label>,
    /// More facts, numbers included.
    pub notes: Vec<String>,
    /// What to do, one suggestion.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error without places yet.
    #[must_use]
    pub fn error(code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity: Severity::Error,
            message: message.into(),
            labels: Vec::new(),
            notes: Vec::new(),
            help: None,
        }
    }

    /// A warning without places yet.
    #[must_use]
    pub fn warning(code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, message) }
    }

    /// Adds the place of the fault.
    #[must_use]
    pub fn at(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { span, text: text.into(), primary: true });
        self
    }

    /// Adds a place that explains the fault.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { span, text: text.into(), primary: false });
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Diagnostic {
        self.notes.push(text.into());
        self
    }

    /// Sets the suggestion.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Diagnostic {
        self.help = Some(text.into());
        self
    }

    /// Where the fault is: the first primary label, else the first label.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        self.labels.iter().find(|l| l.primary).or(self.labels.first()).map(|l| l.span)
    }

    /// The places of the fault; all places when none is primary.
    fn places(&self) -> Vec<Span> {
        let marked = self.labels.iter().any(|l| l.primary);
        self.labels.iter().filter(|l| l.primary || !marked).map(|l| l.span).collect()
    }

    /// Whether this stops the program.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// The messages of one run over a program, in the order in which they were found.
#[derive(Clone, PartialEq, Eq, Debug, Default, thiserror::Error)]
#[error("{}", .0.iter().map(|d| format!("{}: {}", d.code, d.message)).collect::<Vec<_>>().join("; "))]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Adds one message, unless one that says the same of the same places stands there already.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let same = |d: &Diagnostic| {
            d.code == diagnostic.code && d.message == diagnostic.message && d.places() == diagnostic.places()
        };
        if !self.0.iter().any(same) {
            self.0.push(diagnostic);
        }
    }

    /// Whether any of them is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(Diagnostic::is_error)
    }

    /// Sorts by file and place, keeping the order of equals.
    pub fn sort(&mut self) {
        self.0.sort_by_key(Diagnostic::span);
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(one: Diagnostic) -> Diagnostics {
        Diagnostics(vec![one])
    }
}
