use std::sync::Arc;

use bytes::{Buf, Bytes};
use flash_core::clock::Timestamp;
use flash_core::ids::JobId;

/// What is needed to deliver the result of a job from another process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    /// The worker that took the job, as the queue knows it.
    pub(crate) worker: Arc<str>,
    pub(crate) job: JobId,
    /// From then on the queue does not want it any more.
    pub(crate) give_up: Timestamp,
    /// Whether it ends a stream.
    pub(crate) is_stream: bool,
    /// Whether the job succeeded.
    pub(crate) is_result: bool,
    /// What is posted.
    pub(crate) body: Bytes,
}

/// A record on the disk: its length and its checksum (each four bytes), then a kind, a number and what belongs to it.
const HEAD: usize = 8;
const KEPT: u8 = 1;
const DELIVERED: u8 = 2;
/// No record is longer: a queue takes no result over 20 MB.
const LONGEST: usize = 64 << 20;

const IS_STREAM: u8 = 1;
const IS_RESULT: u8 = 2;

impl Kept {
    /// How many bytes its record has, about.
    pub(super) fn size(&self) -> u64 {
        (HEAD + 64 + self.body.len()) as u64
    }

    /// Writes everything but the body, which follows.
    pub(super) fn write_head(&self, number: u64, buffer: &mut Vec<u8>) {
        let start = buffer.len();
        buffer.extend_from_slice(&[0; HEAD]);
        buffer.push(KEPT);
        buffer.extend_from_slice(&number.to_le_bytes());
        buffer.extend_from_slice(&self.give_up.as_millis().to_le_bytes());
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        buffer.push(flag(self.is_stream, IS_STREAM) | flag(self.is_result, IS_RESULT));
        for text in [&*self.worker, self.job.as_str()] {
            buffer.extend_from_slice(&(text.len() as u32).to_le_bytes());
            buffer.extend_from_slice(text.as_bytes());
        }
        seal(buffer, start, &self.body);
    }

    fn read(mut payload: Bytes) -> Option<Self> {
        let give_up = Timestamp::from_millis(payload.try_get_u64_le().ok()?);
        let flags = payload.try_get_u8().ok()?;
        let mut text = || {
            let length = payload.try_get_u32_le().ok()? as usize;
            if length > payload.len() {
                return None;
            }
            String::from_utf8(payload.split_to(length).to_vec()).ok()
        };
        let (worker, job) = (text()?.into(), text()?.into());
        Some(Self {
            worker,
            job,
            give_up,
            is_stream: flags & IS_STREAM != 0,
            is_result: flags & IS_RESULT != 0,
            body: payload,
        })
    }
}

/// Writes that the result with this number has been delivered.
pub(super) fn write_delivered(number: u64, buffer: &mut Vec<u8>) {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; HEAD]);
    buffer.push(DELIVERED);
    buffer.extend_from_slice(&number.to_le_bytes());
    seal(buffer, start, &[]);
}

/// Fills in length and checksum of the record that begins at `start` and ends with `rest`.
fn seal(buffer: &mut [u8], start: usize, rest: &[u8]) {
    let (head, payload) = buffer[start..].split_at_mut(HEAD);
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(payload);
    checksum.update(rest);
    // A record over 4 GiB is refused before it comes here.
    head[..4].copy_from_slice(&((payload.len() + rest.len()) as u32).to_le_bytes());
    head[4..].copy_from_slice(&checksum.finalize().to_le_bytes());
}

/// The results in a file that have not been delivered, the oldest first, and how many records could not be read. The
/// last record is often half-written, because its process died over it.
pub(super) fn read_all(mut file: Bytes) -> (Vec<Kept>, usize) {
    let mut kept: Vec<(u64, Kept)> = Vec::new();
    let mut broken = 0;
    while !file.is_empty() {
        let (Ok(length), Ok(checksum)) = (file.try_get_u32_le(), file.try_get_u32_le()) else {
            broken += 1;
            break;
        };
        let length = length as usize;
        if length > LONGEST || length > file.len() {
            // From here on nothing says where the next one begins.
            broken += 1;
            break;
        }
        let mut payload = file.split_to(length);
        if crc32fast::hash(&payload) != checksum {
            broken += 1;
            continue;
        }
        match (payload.try_get_u8(), payload.try_get_u64_le()) {
            (Ok(KEPT), Ok(number)) => match Kept::read(payload) {
                Some(one) => kept.push((number, one)),
                None => broken += 1,
            },
            (Ok(DELIVERED), Ok(number)) => kept.retain(|(known, _)| *known != number),
            _ => broken += 1,
        }
    }
    (kept.into_iter().map(|(_, kept)| kept).collect(), broken)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn kept(job: &str, body: &str) -> Kept {
        Kept {
            worker: "pod-1".into(),
            job: job.into(),
            give_up: Timestamp::from_millis(1_767_225_600_000),
            is_stream: job.len() > 2,
            is_result: true,
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    fn written(records: &[(u64, &Kept)]) -> Vec<u8> {
        let mut buffer = Vec::new();
        for (number, kept) in records {
            kept.write_head(*number, &mut buffer);
            buffer.extend_from_slice(&kept.body);
        }
        buffer
    }

    #[test]
    fn what_was_written_is_read_without_what_was_delivered() {
        let (a, b, c) = (kept("j1", r#"{"output":"ä"}"#), kept("", ""), kept("long-id", "x"));
        let mut file = written(&[(1, &a), (2, &b), (3, &c)]);
        write_delivered(2, &mut file);
        assert_eq!(read_all(file.into()), (vec![a, c], 0));
        assert_eq!(read_all(Bytes::new()), (vec![], 0));
    }

    #[test]
    fn every_half_written_file_gives_its_whole_records() {
        let (a, b) = (kept("j1", "first"), kept("j2", "second"));
        let (one, all) = (written(&[(1, &a)]), written(&[(1, &a), (2, &b)]));
        for end in 0..all.len() {
            let (found, broken) = read_all(all[..end].to_vec().into());
            let expected = if end < one.len() { vec![] } else { vec![a.clone()] };
            assert_eq!(found, expected, "{end}");
            assert_eq!(broken, usize::from(end != 0 && end != one.len()), "{end}");
        }
    }

    #[test]
    fn no_changed_byte_goes_unnoticed() {
        let (a, b) = (kept("j1", "first"), kept("j2", "second"));
        let all = written(&[(1, &a), (2, &b)]);
        for index in 0..all.len() {
            let mut damaged = all.clone();
            damaged[index] ^= 0x55;
            let (found, broken) = read_all(damaged.into());
            assert!(broken > 0, "{index}");
            assert!(found.iter().all(|kept| *kept == a || *kept == b), "{index}: {found:?}");
        }
    }
}
