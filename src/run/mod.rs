//! The reference machine and the run loop.
