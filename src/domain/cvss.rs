//! CVSS vectors and scores.
