//! The reverse derivative functor.
