//! The grammar, compiled from `grammar/lens.pest`.
//!
//! In: one item of text. Out: pest's pairs, or a position and the rules that were tried there. Invariant: nothing
//! outside `syntax` sees a pest type.
#![allow(missing_docs, reason = "the derive writes one undocumented variant a rule")]

use pest_derive::Parser;

/// The generated parser.
#[derive(Parser)]
#[grammar = "grammar/lens.pest"]
pub(super) struct Lens;

/// The signs and keywords that the tree does not keep.
pub(super) fn is_sign(rule: Rule) -> bool {
    use Rule::{
        arrow_sign, b_close, b_open, caret, colon, comma, eq, kw_as, kw_const, kw_data, kw_dim, kw_else, kw_evaluate,
        kw_fwd, kw_game, kw_get, kw_if, kw_import, kw_let, kw_next, kw_noise, kw_on, kw_optimiser, kw_params, kw_per,
        kw_player, kw_prim, kw_put, kw_rev, kw_state, kw_step, kw_then, kw_train, kw_transform, kw_type, kw_with,
        p_close, p_open, s_close, s_open, semi, seq, tensor, tilde,
    };
    matches!(
        rule,
        arrow_sign
            | b_close
            | b_open
            | caret
            | colon
            | comma
            | eq
            | kw_as
            | kw_const
            | kw_data
            | kw_dim
            | kw_else
            | kw_evaluate
            | kw_fwd
            | kw_game
            | kw_get
            | kw_if
            | kw_import
            | kw_let
            | kw_next
            | kw_noise
            | kw_on
            | kw_optimiser
            | kw_params
            | kw_per
            | kw_player
            | kw_prim
            | kw_put
            | kw_rev
            | kw_state
            | kw_step
            | kw_then
            | kw_train
            | kw_transform
            | kw_type
            | kw_with
            | p_close
            | p_open
            | s_close
            | s_open
            | semi
            | seq
            | tensor
            | tilde
    )
}
