//! One entry a primitive: name, documentation, reverse rule.
