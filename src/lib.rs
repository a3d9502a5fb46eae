//! catlearn: a language for learning systems.

pub mod source;

pub mod random;

pub mod object;

pub mod diagram;

pub mod prim;

pub mod syntax;

pub mod data;

pub mod elaborate;

pub mod reverse;

pub mod learn;

pub mod compile;

pub mod run;

pub mod laws;
