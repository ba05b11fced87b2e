//! A vector's base metrics in words, as an advisory explains them.

use super::metrics::{Metric, V3, V4};
use super::{Severity, Vector};

impl Vector {
    /// The base metrics in the order of the standard: what each is about, and its value in a word.
    pub fn base_metrics(&self) -> Vec<(&'static str, &'static str)> {
        let text = self.to_string();
        let table: &[Metric] = if self.version() == "4.0" { V4 } else { V3 };
        let base = table.iter().filter(|metric| metric.base);
        base.filter_map(|metric| {
            let value = text.split('/').find_map(|part| part.strip_prefix(metric.name)?.strip_prefix(':'))?;
            Some((metric.meaning, word(metric.name, value)))
        })
        .collect()
    }

    /// What an attacker needs, in sentences.
    pub fn prerequisites(&self) -> String {
        let reach = match self.attack_vector() {
            "Network" => "It can be attacked over the network.",
            "Adjacent" => "The attacker must be on the same network.",
            "Local" => "The attacker must be on the machine, or run something there.",
            _ => "The attacker must be able to touch the machine.",
        };
        let value =
            |meaning: &str| self.base_metrics().into_iter().find(|(of, _)| *of == meaning).map(|(_, word)| word);
        let account = match value("privileges required") {
            Some("none") => "No account is needed.",
            Some("low") => "An ordinary account is needed.",
            _ => "An account with high privileges is needed.",
        };
        let other = match value("user interaction") {
            Some("none") => "Nobody else has to do anything.",
            _ => "Another person has to take part, for example by opening a message.",
        };
        format!("{reach} {account} {other}")
    }
}

/// A value in a word. The letters mean the same in 3.x and 4.0 but for user interaction's.
fn word(metric: &str, value: &str) -> &'static str {
    match (metric, value) {
        ("AV", "N") => "network",
        ("AV", "A") => "adjacent network",
        ("AV", "L") => "local",
        ("AV", _) => "physical",
        ("UI", "R") => "required",
        ("UI", "P") => "passive",
        ("UI", "A") => "active",
        ("S", "U") => "unchanged",
        ("S", _) => "changed",
        ("AT", "P") => "present",
        (_, "N") => Severity::None.word(),
        (_, "L") => Severity::Low.word(),
        _ => Severity::High.word(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_base_metric_has_its_words() {
        let metrics = |text: &str| Vector::parse(text).unwrap().base_metrics();
        let three = metrics("CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:C/C:H/I:L/A:N");
        assert_eq!(
            three,
            [
                ("attack vector", "network"),
                ("attack complexity", "low"),
                ("privileges required", "low"),
                ("user interaction", "required"),
                ("scope", "changed"),
                ("confidentiality", "high"),
                ("integrity", "low"),
                ("availability", "none"),
            ]
        );
        let four = metrics("CVSS:4.0/AV:A/AC:H/AT:P/PR:N/UI:A/VC:H/VI:N/VA:L/SC:N/SI:N/SA:N/E:P");
        assert_eq!(four.len(), 11, "the optional ones are left out");
        assert_eq!(four[2], ("attack requirements", "present"));
        assert_eq!(four[4], ("user interaction", "active"));
    }

    #[test]
    fn what_an_attacker_needs_is_said_in_sentences() {
        let vector = Vector::parse("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H").unwrap();
        assert_eq!(
            vector.prerequisites(),
            "It can be attacked over the network. No account is needed. Nobody else has to do anything."
        );
    }
}
