//! Why a run stops: what the numbers, and not the program's types, are at fault for.
//!
//! Nodes are told by their place in the diagram that was run; [`crate::diagram::Diagram::origins`] says where that is
//! in the source.

/// Why a diagram could not be run to its end.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RunFault {
    /// Too many or too few tensors.
    #[error("the diagram has {needs} ports and was given {given} tensors")]
    Ports {
        /// How many ports there are.
        needs: usize,
        /// How many tensors were given.
        given: usize,
    },
    /// A tensor of another type than its port.
    #[error("port `{path}` is {needs} and was given {given}")]
    Port {
        /// The port's path.
        path: String,
        /// Its type at this batch size.
        needs: String,
        /// What was given.
        given: String,
    },
    /// Entries that do not fill a shape.
    #[error("{given} entries for {needs}")]
    Entries {
        /// The type to be filled.
        needs: String,
        /// How many entries were given.
        given: usize,
    },
    /// A label outside its range.
    #[error("label {value} is not below {bound}")]
    OutOfRange {
        /// The node that reads it (a port's own node when it came from outside).
        node: u32,
        /// The label.
        value: i64,
        /// How many labels there are.
        bound: usize,
    },
    /// A linear system without a solution, or with many.
    #[error("a singular matrix cannot be solved for")]
    Singular {
        /// The node.
        node: u32,
    },
    /// A tensor with more entries than any memory holds.
    #[error("a tensor of {leaf} is too large")]
    TooLarge {
        /// The node that makes it.
        node: u32,
        /// Its type.
        leaf: String,
    },
    /// A hole that has not been filled.
    #[error("a request has not been filled")]
    Request {
        /// The node.
        node: u32,
    },
    /// A fault inside a primitive's own diagram.
    #[error("in `{name}`: {fault}")]
    Inside {
        /// The node that calls it.
        node: u32,
        /// The primitive's name.
        name: String,
        /// What happened there.
        fault: Box<RunFault>,
    },
    /// Values that do not fit their operation; a typed diagram has none.
    #[error("the values do not fit the operation")]
    Misfit {
        /// The node.
        node: u32,
    },
}
