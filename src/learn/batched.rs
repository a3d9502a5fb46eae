//! A diagram of one example as a diagram of a batch.

use crate::diagram::{Builder, Diagram, Role, TypeFault, Wire, batch};
use crate::object::Dim;

/// The diagram over a batch: ports of role `Input`, `Target` and `Noise` and all outputs get a leading batch axis,
/// parameters do not.
///
/// # Errors
/// [`TypeFault`] when an operation has no batch rule; a program that checks never gives it.
pub fn batched(d: &Diagram) -> Result<Diagram, TypeFault> {
    let mut b = Builder::new();
    let mut args: Vec<(Wire, bool)> = Vec::new();
    for port in d.ports() {
        let over = matches!(port.role, Role::Input | Role::Target | Role::Noise);
        let leaf = if over { port.leaf.under(Dim::BATCH) } else { port.leaf.clone() };
        args.push((b.port(port.path.clone(), port.role, leaf), over));
    }
    let mut outs = Vec::new();
    for (wire, over) in batch(&mut b, d, &args, Dim::BATCH, d.outs())? {
        outs.push(if over { wire } else { b.repeat(wire, Dim::BATCH)? });
    }
    Ok(b.finish(&outs))
}
