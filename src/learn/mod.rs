//! From model, loss, aggregator and rule to one step.
