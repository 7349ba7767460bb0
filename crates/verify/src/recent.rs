//! What was learnt lately, up to a number.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

/// A map that forgets: each entry at its time, and when it is full, the older half at once. So it never looks through
/// itself, and never grows.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    young: HashMap<K, (V, Duration)>,
    old: HashMap<K, (V, Duration)>,
    half: usize,
}

impl<K: Eq + Hash, V: Clone> Recent<K, V> {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            half: most / 2,
        }
    }

    /// What was inserted, until its time.
    pub(crate) fn get(&self, key: &K, now: Duration) -> Option<V> {
        let found = self.young.get(key).or_else(|| self.old.get(key));
        let (value, until) = found?;
        (now < *until).then(|| value.clone())
    }

    pub(crate) fn insert(&mut self, key: K, value: V, until: Duration) {
        if self.young.len() >= self.half {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, (value, until));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: Duration = Duration::MAX;

    #[test]
    fn an_entry_ends_at_its_time() {
        let mut recent = Recent::new(10);
        recent.insert("a", 1, Duration::from_secs(5));
        assert_eq!(recent.get(&"a", Duration::from_secs(4)), Some(1));
        assert_eq!(recent.get(&"a", Duration::from_secs(5)), None);
    }

    #[test]
    fn it_never_grows_and_forgets_the_older_half() {
        let mut recent = Recent::new(10);
        for n in 0..1000 {
            recent.insert(n, n, NEVER);
            assert!(recent.young.len() + recent.old.len() <= 10);
            assert_eq!(recent.get(&n, Duration::ZERO), Some(n));
            assert!(n < 4 || recent.get(&(n - 4), Duration::ZERO).is_some());
        }
        assert_eq!(recent.get(&0, Duration::ZERO), None);
    }

    #[test]
    fn what_was_learnt_last_counts() {
        let mut recent = Recent::new(2);
        recent.insert("a", 1, NEVER);
        recent.insert("a", 2, NEVER);
        assert_eq!(recent.get(&"a", Duration::ZERO), Some(2));
    }
}
