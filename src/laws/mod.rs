//! The laws that the theory promises, on any program.
