//! What a file is: one pass over its bytes gives its digest and, for text, its encoding. The content
//! decides, never the name.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use encoding_rs::{Decoder, DecoderResult, Encoding, GB18030, UTF_8};
use sha2::{Digest, Sha256};

use crate::fault::FileError;

/// What a file's content is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Content {
    /// Text in an encoding, after a mark of so many bytes.
    Text { encoding: &'static Encoding, mark: usize },
    /// Like [`Content::Text`], and its first character opens a JSON object.
    JsonLines { encoding: &'static Encoding, mark: usize },
    /// A zip container: a workbook, perhaps.
    Zip,
    /// A compound file: an old workbook, an encrypted one, perhaps.
    CompoundFile,
}

/// Digest and content of a file.
pub(crate) struct Prepass {
    pub(crate) digest: [u8; 32],
    pub(crate) content: Content,
}

/// First bytes of what people hand in by mistake, what it is, and what to do.
const NOT_TABLES: [(&[u8], &str, &str); 10] = [
    (b"%PDF", "PDF文档", "向提供方索取Excel或CSV原表"),
    (b"\x89PNG", "图片", "向提供方索取Excel或CSV原表"),
    (b"\xff\xd8\xff", "图片", "向提供方索取Excel或CSV原表"),
    (b"Rar!", "压缩包", "解压后导入其中的表格"),
    (b"7z\xbc\xaf", "压缩包", "解压后导入其中的表格"),
    (b"\x1f\x8b", "压缩包", "解压后导入其中的表格"),
    (b"SQLite format 3", "数据库", "从中导出CSV后再导入"),
    (b"{\\rtf", "Word文档", "把其中的表格另存为.xlsx后再导入"),
    (b"<", "网页或XML", "用Excel或WPS打开后另存为.xlsx再导入"),
    (b"[", "JSON数组", "改为每行一个JSON对象（JSON Lines）"),
];

/// Valid characters beyond ASCII after which a text is UTF-8 with an error rather than GB18030.
const SURELY_UTF_8: usize = 32;

/// Reads the whole file once (a text that is not UTF-8 twice) and leaves it at its beginning.
pub(crate) fn prepass(file: &mut File) -> Result<Prepass, FileError> {
    let mut head = Vec::with_capacity(4096);
    file.by_ref().take(4096).read_to_end(&mut head)?;
    file.seek(SeekFrom::Start(0))?;
    if head.is_empty() {
        return Err(FileError::Empty);
    }
    let content = match head.as_slice() {
        [b'P', b'K', 3 | 5 | 7, ..] => Content::Zip,
        [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, ..] => Content::CompoundFile,
        _ => return text(file, &head),
    };
    let mut digest = Sha256::new();
    chunks(file, |chunk| digest.update(chunk))?;
    Ok(Prepass { digest: digest.finalize().into(), content })
}

fn text(file: &mut File, head: &[u8]) -> Result<Prepass, FileError> {
    let (marked, mark) = Encoding::for_bom(head).map_or((None, 0), |(encoding, mark)| (Some(encoding), mark));
    let visible = head[mark..].trim_ascii_start();
    if let Some((_, what, mend)) = NOT_TABLES.iter().find(|(magic, ..)| visible.starts_with(magic)) {
        return Err(FileError::NotATable { what, mend });
    }
    if marked.is_none() && head.contains(&0) {
        return Err(FileError::NotATable {
            what: "程序或其他二进制文件", mend: "从原系统导出Excel或CSV后再导入"
        });
    }
    let mut digest = Sha256::new();
    let mut first = Check::new(marked.unwrap_or(UTF_8));
    chunks(file, |chunk| {
        digest.update(chunk);
        first.feed(chunk, false);
    })?;
    first.feed(&[], true);
    let encoding = match (first.wrong, marked) {
        (None, _) => first.decoder.encoding(),
        (Some(line), Some(_)) => return Err(FileError::Encoding { line }),
        (Some(line), None) if first.beyond_ascii >= SURELY_UTF_8 => return Err(FileError::Encoding { line }),
        (Some(line), None) => {
            let mut second = Check::new(GB18030);
            chunks(file, |chunk| second.feed(chunk, false))?;
            second.feed(&[], true);
            match second.wrong {
                None => GB18030,
                Some(other) => return Err(FileError::Encoding { line: line.max(other) }),
            }
        }
    };
    if first.wrong.is_none() && !first.visible {
        return Err(FileError::Empty);
    }
    let start = encoding.decode_without_bom_handling(&head[mark..]).0;
    let opens_object = start.trim_start().starts_with('{');
    Ok(Prepass {
        digest: digest.finalize().into(),
        content: if opens_object { Content::JsonLines { encoding, mark } } else { Content::Text { encoding, mark } },
    })
}

/// Feeds the file from its beginning, then rewinds it.
fn chunks(file: &mut File, mut feed: impl FnMut(&[u8])) -> Result<(), FileError> {
    let mut buffer = vec![0; 256 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => feed(&buffer[..read]),
        }
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(())
}

/// Whether a text is valid in an encoding, and if not, on which line it first is not.
struct Check {
    decoder: Decoder,
    scratch: Vec<u8>,
    line: i64,
    beyond_ascii: usize,
    visible: bool,
    wrong: Option<i64>,
}

impl Check {
    fn new(encoding: &'static Encoding) -> Self {
        Self {
            decoder: encoding.new_decoder_with_bom_removal(),
            scratch: vec![0; 64 << 10],
            line: 1,
            beyond_ascii: 0,
            visible: false,
            wrong: None,
        }
    }

    fn feed(&mut self, mut chunk: &[u8], last: bool) {
        while self.wrong.is_none() {
            let (result, read, written) =
                self.decoder.decode_to_utf8_without_replacement(chunk, &mut self.scratch, last);
            let decoded = &self.scratch[..written];
            self.line += i64::try_from(memchr::memchr_iter(b'\n', decoded).count()).expect("at most its length");
            if self.beyond_ascii < SURELY_UTF_8 {
                // First bytes of characters of several bytes.
                self.beyond_ascii += decoded.iter().filter(|byte| **byte >= 0xc0).count();
            }
            self.visible = self.visible || decoded.iter().any(|byte| !byte.is_ascii_whitespace());
            chunk = &chunk[read..];
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => self.wrong = Some(self.line),
            }
        }
    }
}
