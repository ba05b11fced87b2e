//! Commands in comments.
