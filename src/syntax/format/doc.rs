//! Documents: a layout with its choices still open (Wadler, "A prettier printer", with the comments of Prettier).
//!
//! In: the pieces that `layout` puts together. Out: a [`Doc`] for `print`. A [`Kind::Group`] stands on one line if it
//! fits and breaks all its own lines if not. Invariant: `hard` is true where the document cannot stand on one line.

/// A layout.
#[derive(Debug)]
pub(super) struct Doc<'t> {
    /// What it is.
    pub(super) kind: Kind<'t>,
    /// Whether it holds a line break that is always made.
    pub(super) hard: bool,
}

/// The pieces of a layout.
#[derive(Debug)]
pub(super) enum Kind<'t> {
    /// A token.
    Text(&'t str),
    /// A token that never begins a line: it goes before the comment that ends the line.
    Hug(&'t str),
    /// A blank, dropped at the end of a line.
    Space,
    /// A blank when flat, a new line when broken.
    Line,
    /// Nothing when flat, a new line when broken.
    SoftLine,
    /// A new line.
    Hard,
    /// A new line with an empty one above it.
    Blank,
    /// A hugging token that is only there when the group is broken.
    IfBroken(&'t str),
    /// A comment behind a token, on its line.
    Trailing(&'t str),
    /// A comment on a line of its own.
    Own(&'t str),
    /// One after the other.
    Concat(Vec<Doc<'t>>),
    /// On one line if it fits.
    Group(Vec<Doc<'t>>),
    /// Lines inside are indented by one step more.
    Indent(Vec<Doc<'t>>),
}

impl<'t> Doc<'t> {
    /// A piece without parts.
    pub(super) fn new(kind: Kind<'t>) -> Doc<'t> {
        let hard = matches!(kind, Kind::Hard | Kind::Blank | Kind::Own(_));
        Doc { kind, hard }
    }

    /// A token.
    pub(super) fn text(text: &'t str) -> Doc<'t> {
        Doc::new(Kind::Text(text))
    }

    /// A token that never begins a line.
    pub(super) fn hug(text: &'t str) -> Doc<'t> {
        Doc::new(Kind::Hug(text))
    }

    /// One after the other.
    pub(super) fn concat(parts: Vec<Doc<'t>>) -> Doc<'t> {
        let hard = parts.iter().any(|p| p.hard);
        Doc { kind: Kind::Concat(parts), hard }
    }

    /// On one line if it fits.
    pub(super) fn group(parts: Vec<Doc<'t>>) -> Doc<'t> {
        let hard = parts.iter().any(|p| p.hard);
        Doc { kind: Kind::Group(parts), hard }
    }

    /// Indented by one step more.
    pub(super) fn indent(parts: Vec<Doc<'t>>) -> Doc<'t> {
        let hard = parts.iter().any(|p| p.hard);
        Doc { kind: Kind::Indent(parts), hard }
    }

    /// The columns that it takes on one line; nothing if it cannot stand on one.
    pub(super) fn flat_width(&self) -> Option<usize> {
        if self.hard {
            return None;
        }
        let (mut width, mut space, mut comment) = (0, 0, false);
        let mut open = vec![self];
        while let Some(doc) = open.pop() {
            match &doc.kind {
                Kind::Text(_) if comment => return None,
                Kind::Text(text) | Kind::Hug(text) => {
                    width += space + text.chars().count();
                    space = 0;
                }
                Kind::Space | Kind::Line => space = 1,
                Kind::Trailing(_) => comment = true,
                Kind::Concat(parts) | Kind::Group(parts) | Kind::Indent(parts) => open.extend(parts.iter().rev()),
                Kind::SoftLine | Kind::IfBroken(_) | Kind::Hard | Kind::Blank | Kind::Own(_) => {}
            }
        }
        Some(width)
    }

    /// The same on one line: its soft lines are gone.
    pub(super) fn flat(self) -> Doc<'t> {
        let all = |parts: Vec<Doc<'t>>| parts.into_iter().map(Doc::flat).collect();
        match self.kind {
            Kind::Line => Doc::new(Kind::Space),
            Kind::SoftLine | Kind::IfBroken(_) => Doc::concat(Vec::new()),
            Kind::Concat(parts) | Kind::Group(parts) | Kind::Indent(parts) => Doc::concat(all(parts)),
            kind => Doc { kind, hard: self.hard },
        }
    }
}
