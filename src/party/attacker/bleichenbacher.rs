//! Bleichenbacher's attack on PKCS#1 v1.5 (CRYPTO 1998): whoever answers whether a text of RSA
//! begins with 00 02 decrypts for whoever asks often enough. Only what is asked and what follows
//! from the answers; must not know whom she asks, nor any private key.

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, NonZero, Odd, U1024, U3072};
use rand::Rng as _;

use super::padding::{Procedure, Progress};
use crate::crypto::{PublicKeyEncryption, Rng, rsa_numbers};
use crate::limits::MAX_INTERVALS;

/// Bytes of the modulus.
const LEN: usize = 128;

/// Room for a product of three numbers below the modulus.
type Wide = U3072;

/// The decryption of one ciphertext: the text lies in one of the intervals.
pub struct Bleichenbacher {
    ciphertext: BoxedMontyForm,
    params: BoxedMontyParams,
    exponent: BoxedUint,
    rng: Rng,
    modulus: NonZero<Wide>,
    /// 2 B and 3 B, with B = 2^(8 (k - 2)): texts that begin with 00 02 lie from 2 B on below 3 B.
    from: Wide,
    to: Wide,
    intervals: Vec<(Wide, Wide)>,
    /// By what the text is multiplied in the question at hand.
    factor: Wide,
    /// Where one interval is left: how often the modulus goes into the product, and the last factor
    /// for that.
    within: Option<(Wide, Wide)>,
    text: Option<Vec<u8>>,
    /// Whether any answer was right yet.
    has_begun: bool,
}

impl Bleichenbacher {
    /// That of a ciphertext to this public key; `None` if the key has not 1,024 bits or the
    /// ciphertext not as many.
    pub fn of(suite: PublicKeyEncryption, public: &[u8], sealed: &[u8], rng: Rng) -> Option<Bleichenbacher> {
        let (modulus, exponent) = rsa_numbers(suite, public).ok()?;
        if modulus.len() != LEN || sealed.len() != LEN {
            return None;
        }
        let number = |bytes: &[u8]| BoxedUint::from_be_slice(bytes, 8 * LEN as u32).ok();
        let params = BoxedMontyParams::new_vartime(Odd::new(number(&modulus)?).into_option()?);
        let ciphertext = BoxedMontyForm::new(number(sealed)?, &params);
        let exponent = BoxedUint::from_be_slice_vartime(&exponent);
        let modulus = U1024::from_be_slice(&modulus);
        let b = Wide::ONE.shl_vartime(8 * (LEN as u32 - 2));
        let (from, to) = (b.shl_vartime(1), b.wrapping_add(&b.shl_vartime(1)));
        let modulus = NonZero::new(modulus.resize()).into_option()?;
        let last = to.wrapping_sub(&Wide::ONE);
        let mut all = Bleichenbacher {
            ciphertext,
            params,
            exponent,
            rng,
            modulus,
            from,
            to,
            intervals: vec![(from, last)],
            factor: Wide::ZERO,
            within: None,
            text: None,
            has_begun: false,
        };
        // A smaller one cannot take the text round the modulus and back.
        all.factor = ceil(&all.modulus, &to)?;
        Some(all)
    }

    /// The next factor to ask about.
    fn next(&mut self) -> Option<()> {
        if !self.has_begun || self.intervals.len() > 1 {
            self.factor = self.factor.wrapping_add(&Wide::ONE);
            return Some(());
        }
        let (low, high) = *self.intervals.first()?;
        let (mut times, last) = match self.within.take() {
            Some((times, last)) => {
                self.factor = self.factor.wrapping_add(&Wide::ONE);
                (times, last)
            }
            None => {
                let least = high.wrapping_mul(&self.factor).wrapping_sub(&self.from).shl_vartime(1);
                let times = ceil(&least, &self.modulus)?;
                let (first, last) = self.factors(&times, &low, &high)?;
                self.factor = first;
                (times, last)
            }
        };
        let mut last = last;
        while self.factor > last {
            times = times.wrapping_add(&Wide::ONE);
            let (first, upto) = self.factors(&times, &low, &high)?;
            (self.factor, last) = (first, upto);
        }
        self.within = Some((times, last));
        Some(())
    }

    /// The first and the last factor by which a text in the interval can come to lie right, so many
    /// times round the modulus.
    fn factors(&self, times: &Wide, low: &Wide, high: &Wide) -> Option<(Wide, Wide)> {
        let round = times.wrapping_mul(&*self.modulus);
        let first = ceil(&self.from.wrapping_add(&round), high)?;
        let last = floor(&self.to.wrapping_sub(&Wide::ONE).wrapping_add(&round), low)?;
        Some((first, last))
    }

    /// The intervals that are left, now that the factor is known to be right.
    fn narrow(&mut self) -> Option<()> {
        self.has_begun = true;
        let one = Wide::ONE;
        let mut left: Vec<(Wide, Wide)> = Vec::new();
        for (low, high) in &self.intervals {
            let product = low.wrapping_mul(&self.factor).wrapping_add(&one);
            // Where it would be negative the modulus went round no times.
            let least = if product > self.to { product.wrapping_sub(&self.to) } else { Wide::ZERO };
            let mut times = ceil(&least, &self.modulus)?;
            let most = floor(&high.wrapping_mul(&self.factor).wrapping_sub(&self.from), &self.modulus)?;
            while times <= most {
                let round = times.wrapping_mul(&*self.modulus);
                let from = ceil(&self.from.wrapping_add(&round), &self.factor)?;
                let to = floor(&self.to.wrapping_sub(&one).wrapping_add(&round), &self.factor)?;
                let (from, to) = (from.max(*low), to.min(*high));
                if from <= to {
                    left.push((from, to));
                }
                if left.len() > MAX_INTERVALS {
                    return None;
                }
                times = times.wrapping_add(&one);
            }
        }
        left.sort_unstable();
        left.dedup();
        self.intervals = left;
        self.within = None;
        (!self.intervals.is_empty()).then_some(())
    }

    /// The text, where one number is left.
    fn read(&mut self) -> Progress {
        let [(low, high)] = self.intervals[..] else { return Progress::Ask };
        if low != high {
            return Progress::Ask;
        }
        let bytes = low.resize::<{ U1024::LIMBS }>().to_be_bytes();
        let padded = &bytes.as_ref()[2..];
        let end = padded.iter().position(|byte| *byte == 0);
        self.text = end.map(|end| padded[end + 1..].to_vec());
        if self.text.is_some() { Progress::Done } else { Progress::Lost }
    }
}

impl Procedure for Bleichenbacher {
    fn nonsense(&mut self) -> Vec<u8> {
        let mut bytes = vec![0; LEN];
        self.rng.fill_bytes(&mut bytes);
        // Below the modulus, whose first bit is one.
        bytes[0] &= 0x7f;
        bytes
    }

    fn query(&mut self) -> Vec<u8> {
        let factor = self.factor.resize::<{ U1024::LIMBS }>();
        let factor = BoxedMontyForm::new(BoxedUint::from(factor), &self.params);
        let power = factor.pow_bounded_exp(&self.exponent, self.exponent.bits_vartime());
        self.ciphertext.mul(&power).retrieve().to_be_bytes().to_vec()
    }

    fn answer(&mut self, is_right: bool) -> Progress {
        if is_right {
            match self.narrow().map(|()| self.read()) {
                Some(Progress::Ask) => {}
                Some(done) => return done,
                None => return Progress::Lost,
            }
        }
        match self.next() {
            Some(()) => Progress::Ask,
            None => Progress::Lost,
        }
    }

    fn found(&self) -> (u32, u32) {
        let width =
            self.intervals.iter().map(|(low, high)| high.wrapping_sub(low).bits_vartime()).sum::<u32>();
        let open = width.div_ceil(8).min(LEN as u32 - 2);
        (LEN as u32 - 2 - open, LEN as u32 - 2)
    }

    fn unit(&self) -> &'static str {
        "bytes of its padded text"
    }

    fn text(&self) -> Option<&[u8]> {
        self.text.as_deref()
    }
}

fn floor(number: &Wide, by: &Wide) -> Option<Wide> {
    let by = NonZero::new(*by).into_option()?;
    Some(number.wrapping_div_vartime(&by))
}

fn ceil(number: &Wide, by: &Wide) -> Option<Wide> {
    let divisor = NonZero::new(*by).into_option()?;
    let (quotient, rest) = number.div_rem_vartime(&divisor);
    Some(if rest == Wide::ZERO { quotient } else { quotient.wrapping_add(&Wide::ONE) })
}
