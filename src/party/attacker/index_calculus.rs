//! Logarithms modulo a prime of 64 bits by index calculus (Western & Miller 1968; Adleman 1979),
//! with small fractions in place of large numbers (Blake, Fuji-Hara, Mullin & Vanstone 1984): the
//! logarithms of small primes once for the group, then each share by those. Must not know whose
//! shares they are.

use std::sync::OnceLock;

use rand::RngExt as _;

use crate::crypto::modp64::{G, P, Q, power, times};
use crate::crypto::{Rng, stream};
use crate::limits::MAX_FRACTIONS;

/// Primes below this are the factor base.
const BOUND: u64 = 1_000;

/// The logarithms of small primes: of x the number l mod q with x^2 = g^(2 l). It turns products
/// into sums for squares and others alike.
#[derive(Clone)]
pub struct IndexCalculus {
    primes: Vec<u64>,
    /// Of each prime that is in enough relations.
    logs: Vec<Option<u64>>,
    /// Fractions that were tried, for these and for shares.
    tried: u64,
}

/// How often each prime divides a number that has no others.
type Factors = Vec<u8>;

impl IndexCalculus {
    /// The logarithms of the factor base, which serve every share of the group: as they say nothing
    /// of any share, a process computes them once.
    pub fn of_the_group() -> IndexCalculus {
        static GROUP: OnceLock<IndexCalculus> = OnceLock::new();
        GROUP.get_or_init(|| IndexCalculus::new(&mut stream(0, &["factor base of modp-64"]))).clone()
    }

    fn new(rng: &mut Rng) -> IndexCalculus {
        let is_prime = |n: &u64| (2..).take_while(|d| d * d <= *n).all(|d| !n.is_multiple_of(d));
        let primes: Vec<u64> = (2..BOUND).filter(is_prime).collect();
        let mut found = IndexCalculus { logs: Vec::new(), tried: 0, primes };
        let mut rows: Vec<Option<Vec<u64>>> = vec![None; found.primes.len()];
        for _ in 0..2 * rows.len() {
            let Some((exponent, row)) = found.relation(rng) else { break };
            insert(&mut rows, row, exponent);
        }
        found.logs = solve(&rows);
        found
    }

    /// The exponent x with g^x = share; none if the tries are used up.
    pub fn logarithm(&mut self, share: u64, rng: &mut Rng) -> Option<u64> {
        while self.tried < MAX_FRACTIONS {
            let blind = rng.random_range(1..Q);
            let Some(row) = self.factored(times(share, power(G, blind, P), P)) else { continue };
            let add = |sum: u64, (count, log): (&u64, &Option<u64>)| match (count, log) {
                (0, _) => Some(sum),
                (_, log) => Some(plus(sum, times(*count, (*log)?, Q))),
            };
            if let Some(sum) = row.iter().zip(&self.logs).try_fold(0, add) {
                return Some(minus(sum, blind));
            }
        }
        None
    }

    /// A power of g that is a fraction of small primes, and how often each is in it.
    fn relation(&mut self, rng: &mut Rng) -> Option<(u64, Vec<u64>)> {
        while self.tried < MAX_FRACTIONS {
            let exponent = rng.random_range(1..Q);
            if let Some(row) = self.factored(power(G, exponent, P)) {
                return Some((exponent, row));
            }
        }
        None
    }

    /// The exponents mod q by which a number is a product of small primes, if it is one of such.
    fn factored(&mut self, number: u64) -> Option<Vec<u64>> {
        self.tried += 1;
        let (above, below) = fraction(number);
        let (above, below) = (self.factors(above)?, self.factors(below)?);
        let exponent = |(a, b): (&u8, &u8)| minus(u64::from(*a), u64::from(*b));
        Some(above.iter().zip(&below).map(exponent).collect())
    }

    fn factors(&self, mut number: u64) -> Option<Factors> {
        let mut factors = vec![0; self.primes.len()];
        for (factor, prime) in factors.iter_mut().zip(&self.primes) {
            while number.is_multiple_of(*prime) {
                number /= prime;
                *factor += 1;
            }
        }
        (number == 1).then_some(factors)
    }
}

/// Two numbers of some 32 bits whose quotient is the number or its negative mod p: Euclid's
/// algorithm, stopped half way.
fn fraction(number: u64) -> (u64, u64) {
    let (mut r0, mut r1) = (P, number);
    let (mut t0, mut t1) = (0_u64, 1_u64);
    while r1 >> 32 > 0 {
        let quotient = r0 / r1;
        (r0, r1) = (r1, r0 % r1);
        // The signs alternate, so that the sizes add up.
        (t0, t1) = (t1, t0 + quotient * t1);
    }
    (r1.max(1), t1)
}

fn plus(a: u64, b: u64) -> u64 {
    ((u128::from(a) + u128::from(b)) % u128::from(Q)) as u64
}

fn minus(a: u64, b: u64) -> u64 {
    plus(a, Q - b % Q)
}

/// The inverse mod q, which is prime (Fermat).
fn inverse(a: u64) -> u64 {
    power(a, Q - 2, Q)
}

/// Takes a relation into rows of which the n-th has a one in its n-th place and nothing before,
/// and its right side last.
fn insert(rows: &mut [Option<Vec<u64>>], mut row: Vec<u64>, right: u64) {
    row.push(right);
    for place in 0..rows.len() {
        if row[place] == 0 {
            continue;
        }
        match &rows[place] {
            Some(pivot) => {
                let factor = Q - row[place];
                for (entry, above) in row.iter_mut().zip(pivot).skip(place) {
                    *entry = plus(*entry, times(factor, *above, Q));
                }
            }
            None => {
                let factor = inverse(row[place]);
                row.iter_mut().for_each(|entry| *entry = times(*entry, factor, Q));
                rows[place] = Some(row);
                return;
            }
        }
    }
}

/// The unknowns, the last first; none of one that hangs on another of which nothing is known.
fn solve(rows: &[Option<Vec<u64>>]) -> Vec<Option<u64>> {
    let mut logs = vec![None; rows.len()];
    for (place, row) in rows.iter().enumerate().rev() {
        let Some((right, row)) = row.as_ref().and_then(|row| row.split_last()) else { continue };
        let known = row.iter().zip(&logs).skip(place + 1).filter(|(entry, _)| **entry != 0);
        let known = known.map(|(entry, log)| Some(times(*entry, (*log)?, Q)));
        let known = known.into_iter().try_fold(0, |sum, one| Some(plus(sum, one?)));
        logs[place] = known.map(|known| minus(*right, known));
    }
    logs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::stream;

    #[test]
    fn logarithms_are_right() {
        let mut rng = stream(3, &["index calculus"]);
        let mut found = IndexCalculus::new(&mut rng);
        for _ in 0..20 {
            let exponent = rng.random_range(1..Q);
            assert_eq!(found.logarithm(power(G, exponent, P), &mut rng), Some(exponent));
        }
    }
}
