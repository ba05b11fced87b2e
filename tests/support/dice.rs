//! Numbers that look random, the same for the same seed.

use jiff::Timestamp;

pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }

    pub(crate) fn chance(&mut self, one_in: u64) -> bool {
        self.below(one_in) == 0
    }
}

/// `WARDROOM_SEED`, or another one each time.
pub(crate) fn seed() -> u64 {
    let given = std::env::var("WARDROOM_SEED").ok().map(|text| text.parse().unwrap());
    given.unwrap_or_else(|| u64::from(Timestamp::now().subsec_nanosecond().unsigned_abs()))
}
