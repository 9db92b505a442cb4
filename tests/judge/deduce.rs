//! What the attacker can compute from what she holds: Dolev and Yao's rules, with shares and
//! sums.

use std::collections::BTreeSet;

use super::file::MALLORY;
use super::term::{Field, Value};

/// Everything she holds, opened as far as it can be.
#[derive(Clone, Debug, Default)]
pub struct Holdings {
    known: BTreeSet<Value>,
    /// Sums that she holds, what she knows of them taken off: an echelon of independent ones.
    sums: Vec<BTreeSet<Value>>,
    is_insider: bool,
    has_every_long_term_key: bool,
}

impl Holdings {
    pub fn new(
        held: impl IntoIterator<Item = Value>,
        is_insider: bool,
        has_every_long_term_key: bool,
    ) -> Self {
        let known = held.into_iter().collect();
        let mut holdings = Holdings { known, sums: Vec::new(), is_insider, has_every_long_term_key };
        while holdings.open_more() {}
        holdings
    }

    fn open_more(&mut self) -> bool {
        self.sums = self.reduced();
        let mut more: Vec<Value> =
            self.sums.iter().filter(|s| s.len() == 1).filter_map(|s| s.first().cloned()).collect();
        for value in &self.known {
            match value {
                Value::Cipher { key, body, .. } if self.opens(key) => {
                    more.extend(body.iter().map(|f: &Field| f.value.clone()));
                }
                Value::Plus(base, _) => more.push((**base).clone()),
                _ => {}
            }
        }
        let before = self.known.len();
        self.known.extend(more);
        self.known.len() > before
    }

    fn opens(&self, key: &Value) -> bool {
        match key {
            Value::Public(owner) => self.can(&Value::Private(owner.clone())),
            other => self.can(other),
        }
    }

    fn reduced(&self) -> Vec<BTreeSet<Value>> {
        let mut rows: Vec<BTreeSet<Value>> = Vec::new();
        for value in self.known.iter().filter(|v| matches!(v, Value::Xor(_))) {
            let row = value.summands().into_iter().filter(|v| !self.can_without_sums(v)).collect();
            insert(&mut rows, row);
        }
        rows
    }

    /// Whether she can compute it.
    pub fn can(&self, value: &Value) -> bool {
        if self.can_without_sums(value) {
            return true;
        }
        let mut row: BTreeSet<Value> =
            value.summands().into_iter().filter(|v| !self.can_without_sums(v)).collect();
        for basis in &self.sums {
            reduce(&mut row, basis);
        }
        row.is_empty()
    }

    fn can_without_sums(&self, value: &Value) -> bool {
        if self.known.contains(value) {
            return true;
        }
        let all = |body: &[Field]| body.iter().all(|f| self.can(&f.value));
        match value {
            Value::Name(_) | Value::Text(_) | Value::Zero => true,
            Value::Public(of) => matches!(**of, Value::Name(_)) || self.can(of),
            Value::Fresh(..) | Value::Time(_) | Value::Cipher { .. } => false,
            Value::Shared(x, y) => {
                self.has_every_long_term_key || self.is_insider && (x == MALLORY || y == MALLORY)
            }
            Value::Private(of) => match &**of {
                Value::Name(party) => self.has_every_long_term_key || self.is_insider && party == MALLORY,
                pair => self.can(pair),
            },
            Value::Share(exponents) => self.power(exponents),
            Value::Signature { by, body, .. } => self.can(&Value::Private(by.clone())) && all(body),
            Value::Code { body, .. } | Value::Hash(body) | Value::Derived(body) => all(body),
            Value::Plus(base, _) => self.can(base),
            Value::Xor(set) => set.iter().all(|v| self.can_without_sums(v)),
        }
    }

    fn power(&self, exponents: &[Value]) -> bool {
        if exponents.is_empty() || self.known.contains(&Value::Share(exponents.to_vec())) {
            return true;
        }
        (0..exponents.len()).any(|at| {
            let mut rest = exponents.to_vec();
            let exponent = rest.remove(at);
            self.can(&exponent) && self.power(&rest)
        })
    }
}

fn reduce(row: &mut BTreeSet<Value>, basis: &BTreeSet<Value>) {
    if basis.first().is_some_and(|pivot| row.contains(pivot)) {
        *row = row.symmetric_difference(basis).cloned().collect();
    }
}

/// Adds a sum to an echelon in which each row's first summand stands in no other row.
fn insert(rows: &mut Vec<BTreeSet<Value>>, mut row: BTreeSet<Value>) {
    for basis in rows.iter() {
        reduce(&mut row, basis);
    }
    if row.is_empty() {
        return;
    }
    for basis in rows.iter_mut() {
        reduce(basis, &row);
    }
    rows.push(row);
}
