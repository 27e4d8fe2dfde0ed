//! Passwords (口令): what they must be like, how they are kept, how they are changed.
//!
//! Two policies, because two rules collide: GB/T 22239-2019 asks for complexity and regular change, OWASP ASVS
//! 5.0 (6.2.5, 6.2.10) forbids both. Chinese law wins by default; a bureau may choose otherwise. The figures are
//! ours, not the law's.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use serde::Serialize;
use tokio::sync::Semaphore;
use xinheng_core::audit::Outcome;
use xinheng_core::record::Moment;
use xinheng_core::search::typed;
use xinheng_store::Staff;
use zxcvbn::zxcvbn;

use super::attempts::Counted;
use crate::act::Act;
use crate::{Bureau, WrongInput};

/// Words of Chinese offices, a line each, beside the passwords and words that `zxcvbn` brings with it.
const LOCAL_WORDS: &str = include_str!("../../data/local_words.txt");
/// Guesses that a password must withstand, as a power of ten: at ten thousand a second, what a machine makes of a slow
/// hash (`zxcvbn`), longer than the 90 days it is used.
const FEWEST_GUESSES: f64 = 11.0;
/// Hashes at the same time, each of which takes its memory.
const AT_ONCE: usize = 4;

/// What hashing a password costs: Argon2id, one pass, one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordCost {
    /// Memory in KiB.
    pub memory: u32,
}

impl Default for PasswordCost {
    /// 46 MiB (OWASP ASVS 5.0, appendix C).
    fn default() -> Self {
        Self { memory: 46 * 1024 }
    }
}

/// 口令策略
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PasswordPolicy {
    /// 等级保护: complexity and regular change.
    #[default]
    Djbh,
    /// OWASP ASVS 5.0: length and nothing guessable.
    Asvs,
}

/// What a policy asks for.
struct Figures {
    shortest: usize,
    longest: usize,
    /// Of capitals, small letters, digits and signs.
    classes: usize,
    /// Former passwords that are not taken again.
    remembered: usize,
    /// Days after which it must be changed.
    days: Option<i64>,
    /// Days before that on which a warning begins.
    warning: i64,
}

impl PasswordPolicy {
    /// Both, in the order in which pages show them.
    pub const ALL: [Self; 2] = [Self::Djbh, Self::Asvs];

    /// As settings write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Djbh => "djbh",
            Self::Asvs => "asvs",
        }
    }

    /// What people read.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Djbh => "等级保护（复杂度要求，90 天更换）",
            Self::Asvs => "OWASP ASVS（只求长且不易猜，不强制更换）",
        }
    }

    /// By its name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.name() == name)
    }

    fn figures(self) -> Figures {
        let common = Figures { shortest: 12, longest: 128, classes: 3, remembered: 5, days: Some(90), warning: 7 };
        match self {
            Self::Djbh => common,
            Self::Asvs => Figures { classes: 1, remembered: 1, days: None, ..common },
        }
    }

    /// What a new password must be like, as the page says it.
    #[must_use]
    pub fn explanation(self) -> String {
        let Figures { shortest, longest, classes, remembered, .. } = self.figures();
        let mix = if classes > 1 {
            format!("，含大写字母、小写字母、数字、符号中的 {classes} 种")
        } else {
            String::new()
        };
        format!(
            "{shortest} 至 {longest} 个字符{mix}；不得使用常见口令、键盘顺序、年份、账号、姓名和单位名称；\
             不得与最近 {remembered} 次相同"
        )
    }

    /// Days until a password of the person's own has to be changed.
    pub(super) fn days_left(self, person: &Staff, now: Moment) -> Option<i64> {
        let set_at = person.password_set_at.filter(|_| !person.must_change)?;
        Some(self.figures().days? - (now.day_in_china() - set_at.day_in_china()).num_days())
    }

    /// Days of warning.
    pub(super) fn warning(self) -> i64 {
        self.figures().warning
    }

    /// Everything that is wrong with a new password; `words` are the person's and the bureau's, the likeliest first.
    fn faults(self, password: &str, words: &[String]) -> Vec<String> {
        let Figures { shortest, longest, classes, .. } = self.figures();
        let length = password.chars().count();
        let mut faults = Vec::new();
        if length < shortest || length > longest {
            faults.push(format!("口令有 {length} 个字符，应为 {shortest} 至 {longest} 个"));
        }
        if kinds_of_characters(password) < classes {
            faults.push(format!("应含大写字母、小写字母、数字、符号中的至少 {classes} 种"));
        }
        if guesses(password, words) < FEWEST_GUESSES {
            faults.push(
                "太容易猜到：不要由常见口令、词语、键盘顺序、日期、重复字符或账号、姓名、单位名称拼成".to_owned(),
            );
        }
        faults
    }
}

fn kinds_of_characters(password: &str) -> usize {
    let kind = |character: char| match character {
        'A'..='Z' => 0,
        'a'..='z' => 1,
        '0'..='9' => 2,
        _ => 3,
    };
    password.chars().map(kind).collect::<BTreeSet<u8>>().len()
}

/// Guesses that somebody needs who tries first what people choose, as a power of ten; `words` are tried with the very
/// first.
fn guesses(password: &str, words: &[String]) -> f64 {
    let local = LOCAL_WORDS.lines().filter(|line| !line.starts_with('#'));
    let tried_first: Vec<&str> = words.iter().map(String::as_str).chain(local).collect();
    zxcvbn(password, &tried_first).guesses_log10()
}

/// Hashes passwords, a few at a time.
pub(crate) struct Passwords {
    argon2: Argon2<'static>,
    turns: Arc<Semaphore>,
    /// What is compared with when there is no such account, so that the answer takes as long.
    nobody: OnceLock<String>,
}

impl Passwords {
    pub(crate) fn new(cost: PasswordCost) -> anyhow::Result<Self> {
        let params =
            Params::new(cost.memory, 1, 1, None).map_err(|error| anyhow::anyhow!("口令散列参数有误：{error}"))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Ok(Self { argon2, turns: Arc::new(Semaphore::new(AT_ONCE)), nobody: OnceLock::new() })
    }

    /// Runs work on its own thread when its turn comes.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(Argon2<'static>) -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let turn = Arc::clone(&self.turns).acquire_owned().await?;
        let argon2 = self.argon2.clone();
        let done = tokio::task::spawn_blocking(move || {
            let done = work(argon2);
            drop(turn);
            done
        });
        done.await.context("散列口令的线程意外结束")?
    }
}

impl Bureau {
    /// Hash of a password with a salt of its own.
    pub(crate) async fn hash_password(&self, password: &str) -> anyhow::Result<String> {
        let (password, salt) = (password.to_owned(), self.chance()?);
        self.passwords.work(move |argon2| hash(&argon2, &password, &salt[..16])).await
    }

    /// Whether it is the password of a hash; of none, it takes as long and is not.
    pub(super) async fn verify_password(&self, password: &str, kept: Option<String>) -> anyhow::Result<bool> {
        let nobody = match self.passwords.nobody.get() {
            Some(nobody) => nobody.clone(),
            None => {
                let made = self.hash_password("nobody").await?;
                self.passwords.nobody.get_or_init(|| made).clone()
            }
        };
        let password = password.to_owned();
        let is_somebody = kept.is_some();
        let kept = kept.unwrap_or(nobody);
        Ok(self.passwords.work(move |argon2| Ok(verify(&argon2, &password, &kept))).await? && is_somebody)
    }

    /// Takes a password of the actor's own choice in place of the one before. Other sessions of the person end.
    ///
    /// # Errors
    /// [`WrongInput`] with everything that is wrong with it, or when the present one is not right.
    pub async fn change_password(&self, act: &Act, present: Option<&str>, new: &str) -> anyhow::Result<()> {
        let actor = act.signed_in()?.clone();
        let settings = self.settings().await?;
        let policy = settings.password_policy;
        let gone = || WrongInput("当前账号已不存在，请重新登录".to_owned());
        let person = self.store.staff_member(None, Some(actor.staff)).await?.ok_or_else(gone)?.unaltered()?;
        let counted = Counted::new(&self.store, &act.source, &person.account);
        if let Some(kept) = &person.password {
            let locked = counted.refusal(&self.store.attempts(&counted.names()).await?, self.now());
            if let Some(refusal) = locked {
                return Err(WrongInput(refusal.to_string()).into());
            }
            if !self.verify_password(present.unwrap_or_default(), Some(kept.clone())).await? {
                let mut writing = self.store.begin().await?;
                let attempts = writing.attempts(&counted.names()).await?;
                writing.put_attempts(counted.failed(&attempts, self.now())).await?;
                writing.audit(act.line(self.now(), Outcome::Refused, format!("staff/{}", actor.staff), &[])).await?;
                writing.commit().await?;
                return Err(WrongInput("当前口令不正确，请重新填写".to_owned()).into());
            }
        }
        let mut names = vec![person.name.clone(), "信衡".to_owned()];
        names.extend(settings.bureau);
        for unit in self.store.units().await? {
            names.push(unit.name);
            names.extend(unit.other_names);
        }
        let mut words = vec![person.account.clone()];
        words.extend(names.iter().flat_map(|name| typed(name)));
        let mut faults = policy.faults(new, &words);
        let remembered = policy.figures().remembered;
        for former in person.previous.iter().take(remembered) {
            if self.verify_password(new, Some(former.clone())).await? {
                faults.push(format!("与最近 {remembered} 次用过的口令相同，请换一个"));
                break;
            }
        }
        if !faults.is_empty() {
            return Err(WrongInput(format!("{}。", faults.join("；"))).into());
        }
        let hash = self.hash_password(new).await?;
        let now = self.now();
        let mut writing = self.store.begin().await?;
        let mut changed = writing.staff_member(actor.staff).await?.ok_or_else(gone)?;
        if changed.password != person.password {
            return Err(WrongInput("口令刚刚已在别处改过，请重新登录".to_owned()).into());
        }
        changed.previous.insert(0, hash.clone());
        changed.previous.truncate(PasswordPolicy::Djbh.figures().remembered);
        changed.password = Some(hash);
        changed.password_set_at = Some(now);
        changed.secret_until = None;
        changed.must_change = false;
        writing.end_sessions(actor.staff, actor.session, now).await?;
        writing.audit(act.line(now, Outcome::Done, format!("staff/{}", actor.staff), &[])).await?;
        writing.put_staff(vec![changed]).await?;
        Ok(writing.commit().await?)
    }
}

fn hash(argon2: &Argon2<'_>, password: &str, salt: &[u8]) -> anyhow::Result<String> {
    let hash: PasswordHash = argon2
        .hash_password_with_salt(password.as_bytes(), salt)
        .map_err(|error| anyhow::anyhow!("不能散列口令：{error}"))?;
    Ok(hash.to_string())
}

fn verify(argon2: &Argon2<'_>, password: &str, kept: &str) -> bool {
    PasswordHash::new(kept).is_ok_and(|kept| argon2.verify_password(password.as_bytes(), &kept).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(policy: PasswordPolicy, password: &str) -> usize {
        let names = ["张三丰", "新衡县市场监督管理局", "城关所"].iter().flat_map(|name| typed(name));
        policy.faults(password, &std::iter::once("sysadmin".to_owned()).chain(names).collect::<Vec<_>>()).len()
    }

    #[test]
    fn a_good_password_passes_both_policies() {
        for password in ["Tian-qi7bucuo", "雨后的Nongtian#38", "k7mQ-wtLx-9dHz-pR"] {
            assert_eq!(faults(PasswordPolicy::Djbh, password), 0, "{password}");
            assert_eq!(faults(PasswordPolicy::Asvs, password), 0, "{password}");
        }
    }

    #[test]
    fn three_kinds_of_characters_are_asked_for_by_one_policy_only() {
        let long = "menqiandeshuikehen";
        assert_eq!(faults(PasswordPolicy::Asvs, long), 0);
        assert_eq!(faults(PasswordPolicy::Djbh, long), 1);
    }

    #[test]
    fn what_everybody_tries_first_is_refused_however_it_is_dressed() {
        for password in [
            "P@ssw0rd2026!!",
            "Admin@12345678",
            "Qwertyuiop123!",
            "Zhangsan@2026#",
            "1qaz@WSX3edc4rfv",
            "aaaaaaaaaaaaA1!",
            "Abc123!@#Abc123",
            "城关所@20261125Aa",
            "Woaini1314520!",
            "0987654321Aa!@",
            "Henan@2026!!!!",
            "Qixian@123456",
            "Xinheng@20261125",
            "Wangwei19900101!",
            "Scjgj@888888",
            "Changeme2026!!",
            "xinhengxian-SCJGJ2026",
            "Zhangsanfeng@88",
            "Sysadmin#2026!!",
        ] {
            assert_ne!(faults(PasswordPolicy::Djbh, password), 0, "{password}");
        }
    }

    #[test]
    fn eleven_characters_are_too_short_and_a_hundred_and_twenty_eight_not_too_long() {
        assert_eq!(faults(PasswordPolicy::Djbh, "Tian-qi7buc"), 1);
        let long: String = "Tian-qi7bucuo".chars().cycle().take(128).collect();
        assert_eq!(faults(PasswordPolicy::Djbh, &long), 0);
        assert_eq!(faults(PasswordPolicy::Djbh, &format!("{long}x")), 1);
    }

    #[test]
    fn two_long_passwords_that_differ_in_their_last_character_differ() {
        let argon2 = Passwords::new(PasswordCost { memory: 64 }).map(|passwords| passwords.argon2).expect("small cost");
        let long = "Tian-qi7bucuo-Tian-qi7bucuo-Tian-qi7bucuo-Tian-qi7bucuo-Tian-qi7";
        assert_eq!(long.len(), 64);
        let kept = hash(&argon2, long, b"0123456789abcdef").expect("hashes");
        assert!(verify(&argon2, long, &kept));
        assert!(!verify(&argon2, &format!("{}8", &long[..63]), &kept));
    }
}
