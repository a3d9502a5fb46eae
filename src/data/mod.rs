//! Sources, encoders and splits.
