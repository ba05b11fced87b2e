//! The metrics of CVSS 3.x and 4.0 with the values they may have.
//!
//! From FIRST: CVSS 3.1, section 6, table 15; CVSS 4.0, section 7, table 23. Version 3.0 has the metrics of 3.1.

/// One metric.
pub(super) struct Metric {
    /// Its letters.
    pub(super) name: &'static str,
    /// What it is about.
    pub(super) meaning: &'static str,
    /// The values it may have.
    pub(super) values: &'static [&'static str],
    /// Whether every vector must have it.
    pub(super) base: bool,
}

const fn base(name: &'static str, meaning: &'static str, values: &'static [&'static str]) -> Metric {
    Metric { name, meaning, values, base: true }
}

const fn optional(name: &'static str, meaning: &'static str, values: &'static [&'static str]) -> Metric {
    Metric { name, meaning, values, base: false }
}

/// CVSS 3.0 and 3.1.
pub(super) const V3: &[Metric] = &[
    base("AV", "attack vector", &["N", "A", "L", "P"]),
    base("AC", "attack complexity", &["L", "H"]),
    base("PR", "privileges required", &["N", "L", "H"]),
    base("UI", "user interaction", &["N", "R"]),
    base("S", "scope", &["U", "C"]),
    base("C", "confidentiality", &["N", "L", "H"]),
    base("I", "integrity", &["N", "L", "H"]),
    base("A", "availability", &["N", "L", "H"]),
    optional("E", "exploit code maturity", &["X", "H", "F", "P", "U"]),
    optional("RL", "remediation level", &["X", "U", "W", "T", "O"]),
    optional("RC", "report confidence", &["X", "C", "R", "U"]),
    optional("CR", "confidentiality requirement", &["X", "H", "M", "L"]),
    optional("IR", "integrity requirement", &["X", "H", "M", "L"]),
    optional("AR", "availability requirement", &["X", "H", "M", "L"]),
    optional("MAV", "modified attack vector", &["X", "N", "A", "L", "P"]),
    optional("MAC", "modified attack complexity", &["X", "L", "H"]),
    optional("MPR", "modified privileges required", &["X", "N", "L", "H"]),
    optional("MUI", "modified user interaction", &["X", "N", "R"]),
    optional("MS", "modified scope", &["X", "U", "C"]),
    optional("MC", "modified confidentiality", &["X", "N", "L", "H"]),
    optional("MI", "modified integrity", &["X", "N", "L", "H"]),
    optional("MA", "modified availability", &["X", "N", "L", "H"]),
];

/// CVSS 4.0.
pub(super) const V4: &[Metric] = &[
    base("AV", "attack vector", &["N", "A", "L", "P"]),
    base("AC", "attack complexity", &["L", "H"]),
    base("AT", "attack requirements", &["N", "P"]),
    base("PR", "privileges required", &["N", "L", "H"]),
    base("UI", "user interaction", &["N", "P", "A"]),
    base("VC", "confidentiality of the vulnerable system", &["H", "L", "N"]),
    base("VI", "integrity of the vulnerable system", &["H", "L", "N"]),
    base("VA", "availability of the vulnerable system", &["H", "L", "N"]),
    base("SC", "confidentiality of subsequent systems", &["H", "L", "N"]),
    base("SI", "integrity of subsequent systems", &["H", "L", "N"]),
    base("SA", "availability of subsequent systems", &["H", "L", "N"]),
    optional("E", "exploit maturity", &["X", "A", "P", "U"]),
    optional("CR", "confidentiality requirement", &["X", "H", "M", "L"]),
    optional("IR", "integrity requirement", &["X", "H", "M", "L"]),
    optional("AR", "availability requirement", &["X", "H", "M", "L"]),
    optional("MAV", "modified attack vector", &["X", "N", "A", "L", "P"]),
    optional("MAC", "modified attack complexity", &["X", "L", "H"]),
    optional("MAT", "modified attack requirements", &["X", "N", "P"]),
    optional("MPR", "modified privileges required", &["X", "N", "L", "H"]),
    optional("MUI", "modified user interaction", &["X", "N", "P", "A"]),
    optional("MVC", "modified confidentiality of the vulnerable system", &["X", "H", "L", "N"]),
    optional("MVI", "modified integrity of the vulnerable system", &["X", "H", "L", "N"]),
    optional("MVA", "modified availability of the vulnerable system", &["X", "H", "L", "N"]),
    optional("MSC", "modified confidentiality of subsequent systems", &["X", "H", "L", "N"]),
    optional("MSI", "modified integrity of subsequent systems", &["X", "S", "H", "L", "N"]),
    optional("MSA", "modified availability of subsequent systems", &["X", "S", "H", "L", "N"]),
    optional("S", "safety", &["X", "N", "P"]),
    optional("AU", "automatable", &["X", "N", "Y"]),
    optional("R", "recovery", &["X", "A", "U", "I"]),
    optional("V", "value density", &["X", "D", "C"]),
    optional("RE", "response effort", &["X", "L", "M", "H"]),
    optional("U", "provider urgency", &["X", "Clear", "Green", "Amber", "Red"]),
];

/// Where a metric exists that the vector's own version lacks, as the end of a sentence.
pub(super) fn elsewhere(name: &str) -> &'static str {
    let within = |table: &[Metric]| table.iter().any(|metric| metric.name.eq_ignore_ascii_case(name));
    match (within(V3), within(V4)) {
        (true, false) => "; it belongs to CVSS 3.1",
        (false, true) => "; it belongs to CVSS 4.0",
        _ => "",
    }
}
