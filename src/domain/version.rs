//! Version ranges as people write them in "Affects versions".

use std::cmp::Ordering;

/// Checks that a line reads as a range: `0.11.0 to 0.15.5`, `>= 0.11.0, < 0.15.6`, `0.15.x`, `all versions`, one
/// version, or several of these parted by commas or "and".
///
/// # Errors
/// In words for the person who wrote it: what does not read, or that the range holds nothing.
pub fn check_range(text: &str) -> Result<(), String> {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    if matches!(lower.as_str(), "all" | "all versions" | "*" | "none") {
        return Ok(());
    }
    for word in [" to ", " through ", " - ", " – ", ".."] {
        if let Some((from, to)) = text.split_once(word)
            && !text.contains(['<', '>', '='])
        {
            let (from, to) = (version(from)?, version(to)?);
            return match order(&from, &to) {
                Ordering::Greater => Err("the range ends before it begins, so nothing is in it".to_owned()),
                _ => Ok(()),
            };
        }
    }
    let mut lowest: Option<(Vec<String>, bool)> = None;
    let mut highest: Option<(Vec<String>, bool)> = None;
    for part in text.split(',').flat_map(|part| part.split(" and ")).map(str::trim) {
        if part.is_empty() {
            return Err("there is a comma with nothing beside it".to_owned());
        }
        let words = ["<=", ">=", "<", ">", "=", "before ", "up to ", "from ", "since ", "after "];
        let lower = part.to_ascii_lowercase();
        let operator = words.iter().find(|word| lower.starts_with(**word));
        let Some(operator) = operator else {
            version(part.trim_end_matches(" and later").trim_end_matches(" and earlier"))?;
            continue;
        };
        let bound = version(part.get(operator.len()..).unwrap_or_default())?;
        match *operator {
            ">=" | "from " | "since " => lowest = Some((bound, true)),
            ">" | "after " => lowest = Some((bound, false)),
            "<=" | "up to " => highest = Some((bound, true)),
            "<" | "before " => highest = Some((bound, false)),
            _ => {}
        }
    }
    if let (Some((low, low_in)), Some((high, high_in))) = (&lowest, &highest) {
        let empty = match order(low, high) {
            Ordering::Greater => true,
            Ordering::Equal => !(*low_in && *high_in),
            Ordering::Less => false,
        };
        if empty {
            return Err("the range ends before it begins, so nothing is in it".to_owned());
        }
    }
    Ok(())
}

/// A version's parts. `v` in front is allowed, letters behind (`1.2.0-rc.1`, `0.15.x`) too.
fn version(text: &str) -> Result<Vec<String>, String> {
    let text = text.trim().trim_matches('`').trim();
    let bare = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | '_' | '~' | ':' | '*');
    if !bare.starts_with(|c: char| c.is_ascii_digit()) || !bare.chars().all(allowed) || bare.len() > 64 {
        return Err("that does not read as a version range; write for example `0.11.0 to 0.15.5` or \
                    `>= 0.11.0, < 0.15.6`"
            .to_owned());
    }
    let core = bare.split('+').next().unwrap_or(bare);
    Ok(core.split(['.', '-', '_', '~', ':']).map(str::to_owned).collect())
}

/// Compares part by part, numbers as numbers. A wildcard part is equal to anything, so it never makes a range empty. A
/// version that goes on with letters (`1.0-rc.1`) comes before the one that ends there.
fn order(a: &[String], b: &[String]) -> Ordering {
    let longest = a.len().max(b.len());
    for index in 0..longest {
        let (left, right) = (a.get(index).map(String::as_str), b.get(index).map(String::as_str));
        let wild = |part: Option<&str>| matches!(part, Some("x" | "X" | "*"));
        if wild(left) || wild(right) {
            return Ordering::Less;
        }
        let number = |part: Option<&str>| part.map_or(Some(0), |part| part.parse::<u64>().ok());
        let ordering = match (number(left), number(right)) {
            (Some(left), Some(right)) => left.cmp(&right),
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (None, None) => left.cmp(&right),
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
    Ordering::Equal
}

#[cfg(test)]
mod tests {
    use super::check_range;

    #[test]
    fn people_write_ranges_in_many_ways() {
        for good in [
            "0.11.0 to 0.15.5",
            "v0.11.0 - v0.15.5",
            ">= 0.11.0, < 0.15.6",
            "< 1.0",
            "before 2.1",
            "0.15.x",
            "0.15.0 to 0.15.x",
            "all versions",
            "1.2.3",
            "1.0.0-rc.1 to 1.0.0",
            "1.9 to 1.10",
            ">= 1.0 and <= 1.0",
        ] {
            assert_eq!(check_range(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn empty_and_unreadable_ranges_are_named() {
        for bad in ["1.4.0 to 1.2.0", ">= 2.0, < 2.0", "1.10 to 1.9", "some of them", "", "1.0,", "> ", "éé to 1"] {
            assert!(check_range(bad).is_err(), "{bad}");
        }
    }
}
