//! Arguments that have neither name nor range: the entries of a list in a run, and what its words are applied to.

use crate::elaborate::value::{Res, fault};
use crate::source::{Code, Diagnostic};
use crate::syntax::ast::{Arg, ArgValue, Expr, ExprKind};

/// The entries of a list, or the one that stands for itself.
///
/// # Errors
/// Those of [`plain`].
pub(crate) fn listed<'p>(e: &'p Expr, what: &str) -> Res<Vec<&'p Expr>> {
    match &e.kind {
        ExprKind::List(args) => plain(args, what),
        _ => Ok(vec![e]),
    }
}

/// The expressions of arguments.
///
/// # Errors
/// E0503 at one that has a name or is a range: nothing reads it.
pub(crate) fn plain<'p>(args: &'p [Arg], what: &str) -> Res<Vec<&'p Expr>> {
    args.iter().map(|arg| arg.plain().map_or_else(|| refused(arg, what), Ok)).collect()
}

fn refused<T>(arg: &Arg, what: &str) -> Res<T> {
    let (why, help) = match (&arg.name, &arg.value) {
        (Some(name), _) => {
            (format!("`{what}` has nothing named `{}`", name.name), format!("leave `{}` off", name.name))
        }
        (None, ArgValue::Range(..)) => (format!("`{what}` takes no range"), "write each by itself".to_owned()),
        (None, ArgValue::Expr(_)) => return Err(None),
    };
    fault(Diagnostic::error(Code::TRAIN_FIELD, why).at(arg.span, "not taken here").help(help))
}
