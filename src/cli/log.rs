//! The log on standard error. Standard output is kept for results.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{FilterFn, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::Usage;
use super::checklist::Format;
use super::config::{self, Env};

/// What a command logs where nobody asks for more.
pub const QUIET: &str = "warn";

/// What a server logs where nobody asks for more or less.
pub const TOLD: &str = "warn,wardroom=info";

/// Starts the log: what `WARDROOM_LOG` asks for (`info`, `wardroom=debug,warn`, …), else this default.
///
/// # Errors
/// A [`Usage`] error if `WARDROOM_LOG` cannot be read.
pub fn start(default: &str, format: Format, env: Env<'_>) -> Result<(), Usage> {
    let filter = filter(&config::var(env, "WARDROOM_LOG").unwrap_or_else(|| default.to_owned()))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    // A file or a journal shows colours as noise.
    let log = log.with_ansi(io::stderr().is_terminal());
    // Where a caller of the library has a log of its own, that one stays.
    let _already_started = match format {
        Format::Text => log.finish().with(our_words()).try_init(),
        Format::Json => log.json().finish().with(our_words()).try_init(),
    };
    Ok(())
}

fn filter(asked: &str) -> Result<EnvFilter, Usage> {
    EnvFilter::try_new(asked).map_err(|error| {
        Usage(format!("WARDROOM_LOG cannot be read: {error}. It is like info, debug, or wardroom=debug,warn"))
    })
}

/// The client library says of a call what Wardroom says itself in fewer words, and with addresses in it.
fn our_words() -> FilterFn {
    filter_fn(|line| line.target() != "octocrab" && !line.target().starts_with("octocrab::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_cannot_be_read_is_said() {
        for good in [QUIET, TOLD, "debug", "wardroom=debug,warn", "off"] {
            assert!(filter(good).is_ok(), "{good}");
        }
        for bad in ["wardroom=loud", "wardroom=debug=warn", "[unfinished"] {
            assert!(filter(bad).unwrap_err().0.starts_with("WARDROOM_LOG cannot be read: "), "{bad}");
        }
    }
}
