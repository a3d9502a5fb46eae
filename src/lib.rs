//! catlearn: a language for learning systems.

pub mod source;

pub mod syntax;
