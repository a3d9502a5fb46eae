//! Update rules: from `optimiser` and `transform` to a diagram with holes for requests.

pub(super) mod inner;
pub(super) mod rule_bodies;
pub(super) mod rule_scope;
pub(super) mod rule_tangent;
pub(super) mod rules;
pub(super) mod schedules;
