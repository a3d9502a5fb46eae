//! Items: what is checked of each, and what a model, a primitive and a run are made of.

pub(super) mod check;
pub(super) mod data_items;
pub(super) mod frozen;
pub(super) mod game;
pub(super) mod game_data;
pub(super) mod game_schedule;
pub(super) mod given;
pub(super) mod initialisers;
pub(super) mod listed;
pub(super) mod models;
pub(super) mod monitors;
pub(super) mod objective;
pub(super) mod owners;
pub(super) mod ports;
pub(super) mod prims;
pub(super) mod samples;
pub(super) mod settings;
pub(super) mod squares;
pub(super) mod train;
