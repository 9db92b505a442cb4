//! Vaudenay's attack on CBC (EUROCRYPT 2002): whoever answers whether the padding of a ciphertext
//! is right decrypts for whoever asks often enough. Only what is asked and what follows from
//! the answers; must not know whom she asks, nor any key.

use rand::Rng as _;

use crate::crypto::Rng;

/// Bytes of a block.
pub const BLOCK: usize = 16;

type Block = [u8; BLOCK];

/// The decryption of one ciphertext, block by block from the first and in each block byte by byte
/// from the last.
pub struct Decryption {
    /// The IV and the blocks.
    blocks: Vec<Block>,
    rng: Rng,
    /// The text so far, in whole blocks.
    text: Vec<u8>,
    /// Of the block at hand what the cipher makes of it, as far as it is known from the back.
    inner: Block,
    known: usize,
    /// What stands in the IV's place: random bytes, but for those that are known or guessed.
    mask: Block,
    guess: u8,
    confirms: bool,
}

/// A way to decrypt by asking whether paddings are right: what is asked, and what follows from the
/// answers.
pub trait Procedure: Send {
    /// A ciphertext that says nothing of the one at hand, and whose padding is hardly ever right.
    fn nonsense(&mut self) -> Vec<u8>;
    /// What to ask: whether the padding of this is right.
    fn query(&mut self) -> Vec<u8>;
    /// What follows from the answer to the query.
    fn answer(&mut self, is_right: bool) -> Progress;
    /// How much is known, of how much.
    fn found(&self) -> (u32, u32);
    /// Of what, in words.
    fn unit(&self) -> &'static str;
    /// The text without its padding; `None` if not all of it is known, or it has none.
    fn text(&self) -> Option<&[u8]>;
}

/// What follows from an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// There is more to ask.
    Ask,
    /// The text is known.
    Done,
    /// No guess was right: the answers tell nothing.
    Lost,
}

impl Decryption {
    /// That of IV ‖ ciphertext; `None` if it is no whole number of blocks.
    pub fn of(sealed: &[u8], rng: Rng) -> Option<Decryption> {
        let (blocks, rest) = sealed.as_chunks::<BLOCK>();
        if blocks.len() < 2 || !rest.is_empty() {
            return None;
        }
        let mut all = Decryption {
            blocks: blocks.to_vec(),
            rng,
            text: Vec::new(),
            inner: [0; BLOCK],
            known: 0,
            mask: [0; BLOCK],
            guess: 0,
            confirms: false,
        };
        all.rng.fill_bytes(&mut all.mask);
        Some(all)
    }

    /// How many bytes the text has, padding included.
    fn text_len(&self) -> usize {
        (self.blocks.len() - 1) * BLOCK
    }

    /// The number of the block at hand; the IV is 0.
    fn block(&self) -> usize {
        1 + self.text.len() / BLOCK
    }

    fn learn(&mut self) -> Progress {
        let (at, padding) = (BLOCK - 1 - self.known, self.known as u8 + 1);
        self.inner[at] = self.guess ^ padding;
        self.known += 1;
        (self.guess, self.confirms) = (0, false);
        if self.known < BLOCK {
            return Progress::Ask;
        }
        let before = self.blocks[self.block() - 1];
        self.text.extend(self.inner.iter().zip(before).map(|(inner, before)| inner ^ before));
        self.known = 0;
        self.rng.fill_bytes(&mut self.mask);
        if self.text.len() < self.text_len() { Progress::Ask } else { Progress::Done }
    }
}

impl Procedure for Decryption {
    fn nonsense(&mut self) -> Vec<u8> {
        let mut mask = [0; BLOCK];
        self.rng.fill_bytes(&mut mask);
        [mask, self.blocks[1]].concat()
    }

    fn query(&mut self) -> Vec<u8> {
        let (at, padding) = (BLOCK - 1 - self.known, self.known as u8 + 1);
        let mut mask = self.mask;
        mask[at] = self.guess;
        let known = mask[at + 1..].iter_mut().zip(&self.inner[at + 1..]);
        known.for_each(|(mask, inner)| *mask = inner ^ padding);
        if self.confirms {
            // A padding of one byte does not depend on the byte before; a longer one does.
            mask[at - 1] ^= 1;
        }
        [mask, self.blocks[self.block()]].concat()
    }

    fn answer(&mut self, is_right: bool) -> Progress {
        match (is_right, self.known) {
            (true, 0) if !self.confirms => {
                self.confirms = true;
                Progress::Ask
            }
            (true, _) => self.learn(),
            (false, _) => {
                self.confirms = false;
                match self.guess.checked_add(1) {
                    Some(next) => {
                        self.guess = next;
                        Progress::Ask
                    }
                    None => Progress::Lost,
                }
            }
        }
    }

    fn found(&self) -> (u32, u32) {
        ((self.text.len() + self.known) as u32, self.text_len() as u32)
    }

    fn unit(&self) -> &'static str {
        "bytes of its text"
    }

    fn text(&self) -> Option<&[u8]> {
        let padding = usize::from(*self.text.last()?);
        let is_whole = self.text.len() == self.text_len() && (1..=BLOCK).contains(&padding);
        let (text, padded) = self.text.split_at(self.text.len() - padding.min(BLOCK));
        (is_whole && padded.iter().all(|byte| usize::from(*byte) == padding)).then_some(text)
    }
}
