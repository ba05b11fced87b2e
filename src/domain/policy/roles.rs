//! Who may use which command. The built-in rule is a floor: the policy can ask for more, never for less.

use super::{Policy, RoleSetting};
use crate::domain::facts::Role;

/// Where a person must have the role that a command asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// On the tracker.
    Tracker,
    /// On the repository that publishes the advisory.
    Advisories,
}

/// A command's built-in rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandRole {
    /// The command's word; `cve set` and `cve request` are two commands.
    pub word: &'static str,
    /// The least role that may use it.
    pub at_least: Role,
    /// Where that role must be held.
    pub on: Place,
}

const fn write(word: &'static str) -> CommandRole {
    CommandRole { word, at_least: Role::Write, on: Place::Tracker }
}

/// What GitHub cannot take back asks for an admin of the repository that it happens to.
const fn admin(word: &'static str) -> CommandRole {
    CommandRole { word, at_least: Role::Admin, on: Place::Advisories }
}

/// Every command with its rule. The policy may name commands that this version does not have yet.
pub const COMMANDS: [CommandRole; 24] = [
    write("help"),
    write("adopt"),
    write("pause"),
    write("resume"),
    write("na"),
    write("severity"),
    write("cvss"),
    write("close"),
    write("merge"),
    write("draft"),
    write("link"),
    write("sync"),
    write("cve set"),
    write("told"),
    write("snooze"),
    write("assign"),
    write("exploited"),
    write("embargo"),
    write("followups"),
    admin("accept"),
    admin("reject"),
    admin("cve request"),
    admin("publish"),
    admin("approve"),
];

/// Every role, lowest first.
pub(super) const ROLES: [Role; 6] = [Role::None, Role::Read, Role::Triage, Role::Write, Role::Maintain, Role::Admin];

/// The role as the policy writes it.
pub(super) fn role_word(role: Role) -> &'static str {
    match role {
        Role::None => "none",
        Role::Read => "read",
        Role::Triage => "triage",
        Role::Write => "write",
        Role::Maintain => "maintain",
        Role::Admin => "admin",
    }
}

/// Who may use a command under a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The least role.
    pub at_least: Role,
    /// Where that role must be held.
    pub on: Place,
    /// Only these logins, where the policy names some. They need the role as well.
    pub logins: Option<Vec<String>>,
}

impl Rule {
    /// Whether a person of this login, who holds `role` in [`Rule::on`] now, may use the command.
    pub fn allows(&self, login: &str, role: Role) -> bool {
        let named =
            self.logins.as_ref().is_none_or(|logins| logins.iter().any(|known| known.eq_ignore_ascii_case(login)));
        named && role >= self.at_least
    }
}

/// Wardroom's own rule for a command.
pub(super) fn built_in(word: &str) -> Option<CommandRole> {
    COMMANDS.into_iter().find(|command| command.word == word)
}

impl Policy {
    /// The rule for a command's word. A word that no command has asks for an admin of the advisories' repository.
    pub fn required_role(&self, word: &str) -> Rule {
        let built_in = built_in(word).unwrap_or(admin(""));
        let (at_least, logins) = match self.roles.get(word) {
            None => (built_in.at_least, None),
            // The policy was checked when it was read; the floor holds for one that was made in code, too.
            Some(RoleSetting::AtLeast(role)) => (built_in.at_least.max(*role), None),
            Some(RoleSetting::Logins(logins)) => (built_in.at_least, Some(logins.clone())),
        };
        Rule { at_least, on: built_in.on, logins }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(word: &str, setting: RoleSetting) -> Policy {
        Policy { roles: [(word.to_owned(), setting)].into(), ..Policy::default() }
    }

    #[test]
    fn the_loops_commands_ask_for_write_on_the_tracker() {
        for word in ["help", "adopt", "pause", "resume", "na", "severity", "cvss", "close", "merge"] {
            let rule = Policy::default().required_role(word);
            assert_eq!((rule.at_least, rule.on), (Role::Write, Place::Tracker), "{word}");
            assert!(!rule.allows("ada", Role::Triage) && rule.allows("ada", Role::Maintain));
        }
    }

    #[test]
    fn what_cannot_be_taken_back_asks_for_an_admin_of_the_advisories() {
        for word in ["accept", "reject", "cve request", "publish", "approve"] {
            let rule = Policy::default().required_role(word);
            assert_eq!((rule.at_least, rule.on), (Role::Admin, Place::Advisories), "{word}");
            assert!(!rule.allows("ada", Role::Maintain) && rule.allows("ada", Role::Admin));
        }
        assert_eq!(Policy::default().required_role("cve set").at_least, Role::Write);
    }

    #[test]
    fn every_command_of_this_version_has_a_rule() {
        for command in crate::domain::command::ALL {
            assert!(built_in(command.word).is_some(), "{}", command.word);
        }
    }

    #[test]
    fn an_unknown_word_asks_for_the_most() {
        assert_eq!(Policy::default().required_role("cve").at_least, Role::Admin);
    }

    #[test]
    fn a_policy_narrows_by_role_or_by_login() {
        let rule = policy("close", RoleSetting::AtLeast(Role::Admin)).required_role("close");
        assert!(!rule.allows("ada", Role::Maintain) && rule.allows("ada", Role::Admin));

        let rule = policy("close", RoleSetting::Logins(vec!["Ada".into()])).required_role("close");
        assert!(rule.allows("ada", Role::Write));
        assert!(!rule.allows("ada", Role::Triage), "a login still needs the role");
        assert!(!rule.allows("bob", Role::Admin), "a role does not replace the login");

        let nobody = policy("publish", RoleSetting::Logins(Vec::new())).required_role("publish");
        assert!(!nobody.allows("ada", Role::Admin));
    }

    #[test]
    fn no_policy_widens() {
        let rule = policy("publish", RoleSetting::AtLeast(Role::Read)).required_role("publish");
        assert_eq!(rule.at_least, Role::Admin);
    }
}
