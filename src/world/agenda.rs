//! What is due when, in the order in which it happens. Must not know what that is.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::iter::Peekable;
use std::vec::IntoIter;

use crate::time::SimTime;

/// What is due when.
pub struct Agenda<T> {
    /// What was set to happen from the beginning, in its order: thousands of requests, of which
    /// the heap need not know. It comes before what has come up for the same time.
    set: Peekable<IntoIter<(SimTime, T)>>,
    /// What has come up since.
    heap: BinaryHeap<Entry<T>>,
    sequence: u64,
}

impl<T> Agenda<T> {
    /// With what is set to happen, in the order of its times.
    pub fn of(set: Vec<(SimTime, T)>) -> Agenda<T> {
        Agenda { set: set.into_iter().peekable(), heap: BinaryHeap::new(), sequence: 0 }
    }

    /// Adds what has come up, and by which event.
    pub fn add(&mut self, at: SimTime, cause: Option<u64>, due: T) {
        self.sequence += 1;
        self.heap.push(Entry { at, sequence: self.sequence, cause, due });
    }

    /// When what is due next is due.
    pub fn due(&mut self) -> Option<SimTime> {
        let set = self.set.peek().map(|(at, _)| *at);
        let came_up = self.heap.peek().map(|entry| entry.at);
        set.into_iter().chain(came_up).min()
    }

    /// What is due next, when and why.
    pub fn next(&mut self) -> Option<(SimTime, Option<u64>, T)> {
        let is_set = match (self.set.peek(), self.heap.peek()) {
            (Some((set_at, _)), Some(came_up)) => *set_at <= came_up.at,
            (set, _) => set.is_some(),
        };
        match is_set {
            true => self.set.next().map(|(at, due)| (at, None, due)),
            false => self.heap.pop().map(|Entry { at, cause, due, .. }| (at, cause, due)),
        }
    }
}

struct Entry<T> {
    at: SimTime,
    sequence: u64,
    cause: Option<u64>,
    due: T,
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    /// The earliest is the greatest: the heap hands out its maximum.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.sequence).cmp(&(self.at, self.sequence))
    }
}
