//! The second factor (动态口令, TOTP, RFC 6238): the three administrators have one, others may.

use anyhow::Context as _;
use totp_rs::{Builder, Totp};
use xinheng_core::audit::Outcome;
use xinheng_core::record::Moment;
use xinheng_store::{SecondFactor, Staff};

use crate::act::Act;
use crate::{Bureau, WrongInput};

/// Bytes of a secret, as RFC 4226 recommends.
const SECRET_BYTES: usize = 20;

/// A second factor to be set up on a telephone. Shown once; the database keeps the secret encrypted.
#[derive(Clone)]
pub struct Enrolment {
    /// The secret in base32, to be typed where no camera can be used.
    pub secret: String,
    /// `otpauth://…`, for a picture code.
    pub uri: String,
}

impl Bureau {
    /// Makes a secret for the actor's second factor, to be confirmed by a code from it.
    ///
    /// # Errors
    /// [`WrongInput`] when one is in use: only the security administrator takes it back.
    pub async fn enrol_second_factor(&self, act: &Act) -> anyhow::Result<Enrolment> {
        let actor = act.signed_in()?;
        let secret = self.chance()?[..SECRET_BYTES].to_vec();
        let issuer = self.settings().await?.bureau.unwrap_or_else(|| "信衡".to_owned()).replace(':', "：");
        let totp = Builder::new()
            .with_secret(secret.clone())
            .with_issuer(Some(issuer))
            .with_account_name(actor.account.clone())
            .build()
            .context("不能生成动态口令")?;
        let mut writing = self.store.begin().await?;
        let mut person = writing.staff_member(actor.staff).await?.context("当前账号已不存在")?;
        if person.second_factor.as_ref().is_some_and(|factor| factor.confirmed) {
            return Err(WrongInput("动态口令已在使用。更换手机的，请安全管理员先重置".to_owned()).into());
        }
        person.second_factor = Some(SecondFactor { secret, confirmed: false, last_step: 0 });
        writing.audit(act.line(self.now(), Outcome::Done, format!("staff/{}", actor.staff), &[])).await?;
        writing.put_staff(vec![person]).await?;
        writing.commit().await?;
        Ok(Enrolment {
            secret: totp.secret().to_base32(), uri: totp.to_url().context("不能生成动态口令地址")?
        })
    }

    /// Confirms the second factor by a code; from now on sign-in asks for one.
    ///
    /// # Errors
    /// [`WrongInput`] when the code is not of this moment.
    pub async fn confirm_second_factor(&self, act: &Act, code: &str) -> anyhow::Result<()> {
        let actor = act.signed_in()?;
        let mut writing = self.store.begin().await?;
        let mut person = writing.staff_member(actor.staff).await?.context("当前账号已不存在")?;
        let now = self.now();
        let Some(factor) = person.second_factor.as_mut().filter(|factor| !factor.confirmed) else {
            return Err(WrongInput("没有待确认的动态口令，请先扫描新的二维码".to_owned()).into());
        };
        let Some(step) = step(factor, code, now) else {
            return Err(WrongInput("动态码不正确。请核对手机时间是否准确，填写当前显示的 6 位数字".to_owned()).into());
        };
        factor.confirmed = true;
        factor.last_step = step;
        writing.audit(act.line(now, Outcome::Done, format!("staff/{}", actor.staff), &[])).await?;
        writing.put_staff(vec![person]).await?;
        Ok(writing.commit().await?)
    }
}

/// Takes a code, which is used up by it. Who has confirmed no second factor needs none.
pub(super) fn take(person: &mut Staff, code: Option<&str>, now: Moment) -> bool {
    let Some(factor) = person.second_factor.as_mut().filter(|factor| factor.confirmed) else { return true };
    let Some(step) = code.and_then(|code| step(factor, code, now)) else { return false };
    factor.last_step = step;
    true
}

/// The time step of a code that is right now and was not used.
fn step(factor: &SecondFactor, code: &str, now: Moment) -> Option<i64> {
    let totp: Totp = Builder::new().with_secret(factor.secret.clone()).build().ok()?;
    let digits: String = code.chars().filter(|character| !character.is_whitespace()).collect();
    let seconds = u64::try_from(now.micros() / 1_000_000).ok()?;
    let step = i64::try_from(totp.check(&digits, seconds)?).ok()?;
    (step > factor.last_step).then_some(step)
}
