//! From a step to a cheaper step of the same meaning.
