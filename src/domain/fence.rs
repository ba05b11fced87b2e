//! Untrusted text stays text.
