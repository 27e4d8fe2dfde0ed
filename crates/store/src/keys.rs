//! The bureau's keys (密钥), kept in a file outside the database, and what is done with them:
//! SM4-GCM for personal values, HMAC-SM3 to find a value again and to mark a row.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

use aes_gcm::AesGcm;
use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sm3::Sm3;
use sm4::Sm4;
use xinheng_core::collect::{Content, Identity};
use xinheng_core::record::RecordId;

use crate::error::{Result, StoreError};

/// The keys of a database. Nothing shows them; the file is their only copy.
#[derive(Clone)]
pub struct Keys {
    cipher: AesGcm<Sm4, U12>,
    index: Hmac<Sm3>,
}

/// The key file.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    /// SM4 key for personal values.
    #[serde(with = "hex::serde")]
    encryption: [u8; 16],
    /// HMAC-SM3 key for indexes and marks.
    #[serde(with = "hex::serde")]
    index: [u8; 32],
}

impl Keys {
    /// Reads the key file, or makes it with random keys (mode 0600) when there is none.
    ///
    /// # Errors
    /// When it cannot be read or made, has another form, or other users may read it.
    pub fn load_or_create(path: &Path) -> Result<Self> {
        let refuse = |reason: String| StoreError::KeyFile { path: path.display().to_string(), reason };
        if !path.exists() {
            create(path).map_err(|error| refuse(format!("无法建立（{error}）。请检查所在文件夹是否存在、可否写入")))?;
        }
        let text = fs::read(path).map_err(|error| refuse(format!("无法读取（{error}）。请检查其权限")))?;
        refuse_if_shared(path).map_err(refuse)?;
        let file: KeyFile = serde_json::from_slice(&text).map_err(|_| {
            refuse(
                "内容不是密钥：应为 JSON，含 encryption（32位十六进制）和 index（64位十六进制）。请用备份恢复".into(),
            )
        })?;
        Ok(Self::new(&file.encryption, &file.index))
    }

    /// From the key bytes themselves.
    pub(crate) fn new(encryption: &[u8; 16], index: &[u8; 32]) -> Self {
        Self {
            cipher: AesGcm::new(encryption.into()),
            index: <Hmac<Sm3> as KeyInit>::new_from_slice(index).expect("HMAC takes keys of any length"),
        }
    }

    /// Encrypts a personal value with its salt. The field's name is bound in, so that a value cannot
    /// be passed off as another field's.
    pub(crate) fn encrypt(&self, field: &str, nonce: &[u8; 12], clear: &[u8]) -> Vec<u8> {
        let payload = Payload { msg: clear, aad: field.as_bytes() };
        self.cipher.encrypt(nonce.into(), payload).expect("a cell is far shorter than the 64 GiB that GCM can take")
    }

    /// Decrypts; `None` when anything has been changed or the key is another one.
    pub(crate) fn decrypt(&self, field: &str, nonce: &[u8], ciphertext: &[u8]) -> Option<Vec<u8>> {
        let nonce: &[u8; 12] = nonce.try_into().ok()?;
        let payload = Payload { msg: ciphertext, aad: field.as_bytes() };
        self.cipher.decrypt(nonce.into(), payload).ok()
    }

    /// Encrypts bytes for a purpose, with a fresh nonce before them.
    pub(crate) fn seal(&self, purpose: &str, clear: &[u8]) -> Result<Vec<u8>> {
        let nonce: [u8; 12] = random()?;
        Ok([nonce.as_slice(), &self.encrypt(purpose, &nonce, clear)].concat())
    }

    /// Decrypts what [`Self::seal`] made; `None` when anything has been changed or the key is another one.
    pub(crate) fn unseal(&self, purpose: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, ciphertext) = sealed.split_first_chunk::<12>()?;
        self.decrypt(purpose, nonce, ciphertext)
    }

    /// Keyed index of a personal value: HMAC-SM3(index key, field ‖ 0x00 ‖ value).
    pub(crate) fn lookup(&self, field: &str, value: &str) -> [u8; 32] {
        self.mac(&[field.as_bytes(), &[0], value.as_bytes()])
    }

    /// Mark of a ledger row: covers what the chain's hash does not, and shows that the row was
    /// written with this key. HMAC-SM3(index key, 0x00 ‖ id ‖ 0x00 ‖ identity ‖ content), first half;
    /// no field's name begins with 0x00, so it never equals an index.
    pub(crate) fn mark(&self, id: RecordId, digests: Option<(Identity, Content)>) -> [u8; 16] {
        let id = id.to_string();
        let whole = match digests {
            Some((identity, content)) => self.mac(&[&[0], id.as_bytes(), &[0], &identity.0, &content.0]),
            None => self.mac(&[&[0], id.as_bytes(), &[0]]),
        };
        whole[..16].try_into().expect("half of 32 bytes")
    }

    /// Tag of bytes for a purpose: HMAC-SM3(index key, 0x01 ‖ purpose ‖ 0x00 ‖ bytes). No field's name begins
    /// with 0x01, so it never equals an index or a mark.
    pub(crate) fn tag(&self, purpose: &str, bytes: &[u8]) -> [u8; 32] {
        self.mac(&[&[1], purpose.as_bytes(), &[0], bytes])
    }

    /// Whether it is the tag, in the same time for any answer.
    pub(crate) fn is_tag(&self, purpose: &str, bytes: &[u8], tag: &[u8]) -> bool {
        let mut mac = self.index.clone();
        for part in [&[1][..], purpose.as_bytes(), &[0], bytes] {
            mac.update(part);
        }
        mac.verify_slice(tag).is_ok()
    }

    fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.index.clone();
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

/// Random bytes of the operating system.
///
/// # Errors
/// When it gives none.
pub fn random<const LENGTH: usize>() -> Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::Randomness(error.to_string()))?;
    Ok(bytes)
}

/// Writes a new key file beside its place and links it there, so that two processes that start at
/// once end up with one and the same file, complete.
fn create(path: &Path) -> std::io::Result<()> {
    let file = KeyFile {
        encryption: random().map_err(std::io::Error::other)?,
        index: random().map_err(std::io::Error::other)?,
    };
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    let draft = Path::new(&name);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(draft).and_then(|mut target| write_whole(&mut target, &file)).and_then(|()| {
        match fs::hard_link(draft, path) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    });
    fs::remove_file(draft)?;
    written
}

fn write_whole(target: &mut File, file: &KeyFile) -> std::io::Result<()> {
    serde_json::to_writer_pretty(&mut *target, file)?;
    target.write_all(b"\n")?;
    target.sync_all()
}

#[cfg(unix)]
fn refuse_if_shared(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).map_err(|error| format!("无法读取（{error}）"))?.permissions().mode();
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(format!("其他用户可以读取（权限 {:o}）。请执行 chmod 600", mode & 0o777))
    }
}

#[cfg(not(unix))]
fn refuse_if_shared(_path: &Path) -> Result<(), String> {
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_key_file_is_made_once_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("xinheng.db.key");
        let first = Keys::load_or_create(&path).unwrap();
        let again = Keys::load_or_create(&path).unwrap();
        assert_eq!(first.lookup("name", "某甲"), again.lookup("name", "某甲"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
        let other = Keys::load_or_create(&folder.path().join("other.key")).unwrap();
        assert_ne!(first.lookup("name", "某甲"), other.lookup("name", "某甲"));
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_that_others_may_read_is_refused_with_the_mend() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        Keys::load_or_create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let message = Keys::load_or_create(&path).err().unwrap().to_string();
        assert!(message.contains("chmod 600"), "{message}");
    }

    #[test]
    fn a_broken_key_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        Keys::load_or_create(&path).unwrap();
        fs::write(&path, "{}").unwrap();
        let message = Keys::load_or_create(&path).err().unwrap().to_string();
        assert!(message.contains("内容不是密钥"), "{message}");
        let missing = Keys::load_or_create(&folder.path().join("missing/key")).err().unwrap().to_string();
        assert!(missing.contains("无法建立"), "{missing}");
    }

    #[test]
    fn a_value_opens_only_under_its_own_field_and_key() {
        let keys = Keys::new(&[1; 16], &[2; 32]);
        let sealed = keys.encrypt("legal_representative", &[3; 12], "某甲".as_bytes());
        assert_eq!(keys.decrypt("legal_representative", &[3; 12], &sealed).as_deref(), Some("某甲".as_bytes()));
        assert_eq!(keys.decrypt("party_name", &[3; 12], &sealed), None);
        assert_eq!(Keys::new(&[9; 16], &[2; 32]).decrypt("legal_representative", &[3; 12], &sealed), None);
    }

    /// RFC 8998, appendix A.1: SM4-GCM.
    #[test]
    fn sm4_gcm_agrees_with_the_published_vector() {
        let key = hex::decode("0123456789ABCDEFFEDCBA9876543210").unwrap();
        let cipher = AesGcm::<Sm4, U12>::new_from_slice(&key).unwrap();
        let nonce: [u8; 12] = hex::decode("00001234567800000000ABCD").unwrap().try_into().unwrap();
        let clear = hex::decode(
            "AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBBCCCCCCCCCCCCCCCCDDDDDDDDDDDDDDDD\
             EEEEEEEEEEEEEEEEFFFFFFFFFFFFFFFFEEEEEEEEEEEEEEEEAAAAAAAAAAAAAAAA",
        )
        .unwrap();
        let aad = hex::decode("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2").unwrap();
        let sealed = cipher.encrypt((&nonce).into(), Payload { msg: &clear, aad: &aad }).unwrap();
        assert_eq!(
            hex::encode_upper(sealed),
            "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735\
             D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D\
             83DE3541E4C2B58177E065A9BF7B62EC"
        );
    }
}
