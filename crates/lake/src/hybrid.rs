//! Parquet's hybrid of run lengths and bit-packed numbers, as in levels and in indices of a dictionary.

use bytes::Bytes;

/// What is left of a run.
enum Run {
    /// The same number, so many times.
    Same(u32, usize),
    /// Packed numbers: how many, and the bit at which the next begins.
    Packed(usize, usize),
}

/// Reads numbers of one width, some at a time.
pub struct Hybrid {
    bytes: Bytes,
    /// The byte at which the next run begins.
    next: usize,
    width: usize,
    run: Run,
}

/// The bytes end within a run, or say something that cannot be.
#[derive(Debug)]
pub struct Broken;

impl Hybrid {
    /// Begins at the start of the bytes.
    pub fn new(bytes: Bytes, width: u8) -> Result<Self, Broken> {
        if width > 32 {
            return Err(Broken);
        }
        Ok(Self { bytes, next: 0, width: width.into(), run: Run::Same(0, 0) })
    }

    /// When the next `count` numbers are one run of the same, takes them.
    pub fn take_same(&mut self, count: usize) -> Result<Option<u32>, Broken> {
        if self.left() == 0 {
            self.begin_run()?;
        }
        match &mut self.run {
            Run::Same(number, left) if *left >= count => {
                *left -= count;
                Ok(Some(*number))
            }
            _ => Ok(None),
        }
    }

    /// Hands out the next `out.len()` numbers, each translated.
    pub fn read<T: Copy>(&mut self, out: &mut [T], mut translate: impl FnMut(u32) -> T) -> Result<(), Broken> {
        let mut done = 0;
        while done < out.len() {
            let wanted = out.len() - done;
            match &mut self.run {
                Run::Same(_, 0) | Run::Packed(0, _) => self.begin_run()?,
                Run::Same(number, left) => {
                    let count = wanted.min(*left);
                    out[done..done + count].fill(translate(*number));
                    *left -= count;
                    done += count;
                }
                Run::Packed(left, bit) => {
                    let count = wanted.min(*left);
                    unpack(&self.bytes, *bit, self.width, &mut out[done..done + count], &mut translate);
                    *left -= count;
                    *bit += count * self.width;
                    done += count;
                }
            }
        }
        Ok(())
    }

    /// Appends the places, among the next `count` numbers of one bit, of those that are 1.
    pub fn ones(&mut self, count: usize, places: &mut Vec<u32>) -> Result<(), Broken> {
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let mut done = 0;
        while done < count {
            let wanted = count - done;
            done += match &mut self.run {
                Run::Same(_, 0) | Run::Packed(0, _) => {
                    self.begin_run()?;
                    0
                }
                Run::Same(number, left) => {
                    let taken = wanted.min(*left);
                    if *number != 0 {
                        places.extend(place(done)..place(done + taken));
                    }
                    *left -= taken;
                    taken
                }
                Run::Packed(left, bit) => {
                    // As many as a word holds from any bit of its first byte on.
                    let taken = wanted.min(*left).min(56);
                    let mut ones = padded(&self.bytes, *bit / 8) >> (*bit % 8) & ((1 << taken) - 1);
                    while ones != 0 {
                        places.push(place(done) + ones.trailing_zeros());
                        ones &= ones - 1;
                    }
                    *left -= taken;
                    *bit += taken;
                    taken
                }
            };
        }
        Ok(())
    }

    fn left(&self) -> usize {
        match self.run {
            Run::Same(_, left) | Run::Packed(left, _) => left,
        }
    }

    fn begin_run(&mut self) -> Result<(), Broken> {
        let mut header = 0_u64;
        for shift in (0..).step_by(7) {
            let &byte = self.bytes.get(self.next).ok_or(Broken)?;
            self.next += 1;
            if shift > 35 {
                return Err(Broken);
            }
            header |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        let count = usize::try_from(header >> 1).map_err(|_| Broken)?;
        if header & 1 == 1 {
            let length = count.checked_mul(self.width).ok_or(Broken)?;
            let available = self.bytes.len() - self.next;
            // The last group may be cut short: what is missing is padding that nobody asks for.
            let numbers = if length <= available { count * 8 } else { available * 8 / self.width.max(1) };
            self.run = Run::Packed(numbers, self.next * 8);
            self.next += length.min(available);
        } else {
            let length = self.width.div_ceil(8);
            let bytes = self.bytes.get(self.next..self.next + length).ok_or(Broken)?;
            let number = bytes.iter().rev().fold(0_u32, |number, &byte| (number << 8) | u32::from(byte));
            self.next += length;
            self.run = Run::Same(number, count);
        }
        if self.left() == 0 && self.next >= self.bytes.len() {
            return Err(Broken);
        }
        Ok(())
    }
}

/// Numbers of at most 32 bits from a bit on.
fn unpack<T>(bytes: &[u8], mut bit: usize, width: usize, out: &mut [T], translate: &mut impl FnMut(u32) -> T) {
    if width == 0 {
        return out.fill_with(|| translate(0));
    }
    // Eight numbers that begin with a byte end with one, so that their shifts are known for each width.
    let before = (0..8).find(|count| (bit + count * width).is_multiple_of(8)).unwrap_or(0).min(out.len());
    let (first, out) = out.split_at_mut(before);
    one_by_one(bytes, bit, width, first, translate);
    bit += before * width;
    let eights = ((bytes.len() - bit / 8).saturating_sub(8) / width).min(out.len() / 8);
    let (middle, last) = out.split_at_mut(eights * 8);
    macro_rules! of_width {
        ($($known:literal)*) => {
            match width {
                $($known => by_eights::<$known, T>(&bytes[bit / 8..], middle, translate),)*
                _ => one_by_one(bytes, bit, width, middle, translate),
            }
        };
    }
    of_width!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20);
    one_by_one(bytes, bit + eights * 8 * width, width, last, translate);
}

/// Numbers from a whole byte on, eight at a time; eight more bytes follow what they take.
fn by_eights<const WIDTH: usize, T>(bytes: &[u8], out: &mut [T], translate: &mut impl FnMut(u32) -> T) {
    let mask = (1_u64 << WIDTH) - 1;
    for (place, eight) in out.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let group = &bytes[place * WIDTH..][..WIDTH + 8];
        for (number, one) in eight.iter_mut().enumerate() {
            let word = word_at(group, number * WIDTH / 8) >> (number * WIDTH % 8) & mask;
            *one = translate(u32::try_from(word).unwrap_or_default());
        }
    }
}

fn one_by_one<T>(bytes: &[u8], mut bit: usize, width: usize, out: &mut [T], translate: &mut impl FnMut(u32) -> T) {
    let mask = (1_u64 << width) - 1;
    for one in out {
        *one = translate(u32::try_from(padded(bytes, bit / 8) >> (bit % 8) & mask).unwrap_or_default());
        bit += width;
    }
}

/// The eight bytes from a place on; zeros are put for what is missing.
fn padded(bytes: &[u8], place: usize) -> u64 {
    let rest = &bytes[place.min(bytes.len())..];
    if let Some(whole) = rest.first_chunk() {
        return u64::from_le_bytes(*whole);
    }
    let mut word = [0; 8];
    word[..rest.len()].copy_from_slice(rest);
    u64::from_le_bytes(word)
}

fn word_at(bytes: &[u8], place: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[place..place + 8]);
    u64::from_le_bytes(word)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::cast_possible_truncation)]
mod tests {
    use super::*;

    /// The plainest writer: everything packed, in groups of eight.
    fn packed(numbers: &[u32], width: usize) -> Vec<u8> {
        let groups = numbers.len().div_ceil(8);
        let mut bits = vec![0_u8; groups * width];
        for (place, number) in numbers.iter().enumerate() {
            for bit in 0..width {
                if number >> bit & 1 == 1 {
                    bits[(place * width + bit) / 8] |= 1 << ((place * width + bit) % 8);
                }
            }
        }
        let mut bytes = Vec::new();
        let mut header = groups << 1 | 1;
        while header >= 0x80 {
            bytes.push((header & 0x7f) as u8 | 0x80);
            header >>= 7;
        }
        bytes.push(header as u8);
        bytes.extend(bits);
        bytes
    }

    #[test]
    fn packed_numbers_of_every_width_come_back_in_any_portions() {
        for width in 1..=32_usize {
            let mask = if width == 32 { u32::MAX } else { (1 << width) - 1 };
            let numbers: Vec<u32> = (0..1000_u32).map(|n| n.wrapping_mul(2_654_435_761) & mask).collect();
            let mut hybrid = Hybrid::new(packed(&numbers, width).into(), width as u8).unwrap();
            let mut read = Vec::new();
            for portion in [1, 7, 64, 3, 100, 325, 500] {
                let mut out = vec![0; portion];
                hybrid.read(&mut out, |number| number).unwrap();
                read.extend(out);
            }
            assert_eq!(read, numbers, "width {width}");
        }
    }

    #[test]
    fn the_places_of_ones_are_those_of_numbers_that_are_not_zero() {
        let numbers: Vec<u32> = (0..1000_u32).map(|n| n.wrapping_mul(2_654_435_761) >> 31).collect();
        // Packed ones and, after them, a run of ones and a run of zeros.
        let mut bytes = packed(&numbers, 1);
        bytes.extend([80, 1, 80, 0]);
        let mut all = Hybrid::new(bytes.clone().into(), 1).unwrap();
        let mut expected = vec![0; 1080];
        all.read(&mut expected, |number| number).unwrap();
        let mut hybrid = Hybrid::new(bytes.into(), 1).unwrap();
        let (mut done, mut read) = (0, vec![0; 1080]);
        for portion in [1, 7, 64, 3, 100, 325, 500, 20, 60] {
            let mut places = Vec::new();
            hybrid.ones(portion, &mut places).unwrap();
            places.iter().for_each(|place| read[done + *place as usize] = 1);
            done += portion;
        }
        assert_eq!(read, expected);
    }

    #[test]
    fn a_run_is_taken_at_once_and_a_cut_off_one_is_refused() {
        let mut hybrid = Hybrid::new(vec![20, 5, 6, 7].into(), 3).unwrap();
        assert_eq!(hybrid.take_same(4).unwrap(), Some(5));
        let mut out = [0; 9];
        hybrid.read(&mut out, |number| number).unwrap();
        assert_eq!(out, [5, 5, 5, 5, 5, 5, 7, 7, 7]);
        assert!(hybrid.read(&mut out, |number| number).is_err());
    }
}
