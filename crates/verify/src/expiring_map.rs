//! A bounded map whose entries expire.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

/// Each entry expires at its own time. When the map is full, the older half is dropped at once; so inserting never scans
/// the map.
#[derive(Debug)]
pub(crate) struct ExpiringMap<K, V> {
    young: HashMap<K, (V, Duration)>,
    old: HashMap<K, (V, Duration)>,
    half: usize,
}

impl<K: Eq + Hash, V: Clone> ExpiringMap<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            half: capacity / 2,
        }
    }

    /// The last value inserted for this key, until it expires.
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
    fn an_entry_expires_at_its_time() {
        let mut map = ExpiringMap::new(10);
        map.insert("a", 1, Duration::from_secs(5));
        assert_eq!(map.get(&"a", Duration::from_secs(4)), Some(1));
        assert_eq!(map.get(&"a", Duration::from_secs(5)), None);
    }

    #[test]
    fn it_stays_within_its_capacity_and_drops_the_older_half() {
        let mut map = ExpiringMap::new(10);
        for n in 0..1000 {
            map.insert(n, n, NEVER);
            assert!(map.young.len() + map.old.len() <= 10);
            assert_eq!(map.get(&n, Duration::ZERO), Some(n));
            assert!(n < 4 || map.get(&(n - 4), Duration::ZERO).is_some());
        }
        assert_eq!(map.get(&0, Duration::ZERO), None);
    }

    #[test]
    fn the_last_value_of_a_key_is_returned() {
        let mut map = ExpiringMap::new(2);
        map.insert("a", 1, NEVER);
        map.insert("a", 2, NEVER);
        assert_eq!(map.get(&"a", Duration::ZERO), Some(2));
    }
}
