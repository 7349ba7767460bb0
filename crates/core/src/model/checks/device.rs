//! Lifetimes, and the device grant.

use std::time::Duration;

use super::problem::{Problem, Problems, at};

/// RFC 6749 section 4.1.2: "A maximum authorization code lifetime of 10 minutes is RECOMMENDED."
const MAX_CODE_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// The lifetimes of what a client does not set itself.
#[derive(Clone, Copy, Debug)]
pub struct LifetimesSpec {
    pub access: Duration,
    pub id: Duration,
    pub code: Duration,
    pub refresh_idle: Duration,
    pub refresh_absolute: Duration,
    pub session_idle: Duration,
    pub session_absolute: Duration,
}

#[derive(Clone, Copy, Debug)]
pub struct DeviceSpec {
    pub lifetime: Duration,
    pub interval: Duration,
}

impl LifetimesSpec {
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        for (key, duration) in [
            ("access", self.access),
            ("id", self.id),
            ("code", self.code),
            ("refresh_idle", self.refresh_idle),
            ("refresh_absolute", self.refresh_absolute),
            ("session_idle", self.session_idle),
            ("session_absolute", self.session_absolute),
        ] {
            problems.positive(key, Some(duration));
        }
        if self.code > MAX_CODE_LIFETIME {
            problems.add(at("code"), "is longer than 10m");
        }
        if self.refresh_idle > self.refresh_absolute {
            problems.add(at("refresh_idle"), "is longer than refresh_absolute");
        }
        if self.session_idle > self.session_absolute {
            problems.add(at("session_idle"), "is longer than session_absolute");
        }
        problems.into_vec()
    }
}

impl DeviceSpec {
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.positive("lifetime", Some(self.lifetime));
        problems.positive("interval", Some(self.interval));
        if self.interval >= self.lifetime {
            problems.add(at("interval"), "is not shorter than the lifetime");
        }
        problems.into_vec()
    }
}
