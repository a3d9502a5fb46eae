//! The IR: hash-consed string diagrams.
