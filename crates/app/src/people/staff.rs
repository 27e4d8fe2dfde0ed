//! Staff (工作人员): added without roles by one administrator, given them by another.

use std::collections::HashMap;

use xinheng_core::audit::Outcome;
use xinheng_core::record::{Moment, Value};
use xinheng_core::staff::{Duties, Permission, Role};
use xinheng_store::{Staff, Unit, Writing};

use super::units::is_called;
use super::{OneTimeSecret, PAGE};
use crate::act::{Act, Actor};
use crate::setup::LONGEST_NAME;
use crate::sign_in::attempt_of;
use crate::{Bureau, WrongInput};

/// Hours for which a one-time secret is good.
const SECRET_HOURS: i64 = 72;
/// Characters of a one-time secret: five bits each, no letter that looks like a digit.
const SECRET_LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const SECRET_LENGTH: usize = 20;
/// Characters between two dashes.
const SECRET_GROUP: usize = 5;
/// Shortest and longest account.
const ACCOUNT: std::ops::RangeInclusive<usize> = 3..=32;

/// A person to be added.
#[derive(Clone, Debug)]
pub struct NewStaff<'a> {
    /// 账号
    pub account: &'a str,
    /// 姓名
    pub name: &'a str,
    /// Code or any name of the unit.
    pub unit: &'a str,
    /// Roles asked for, to be granted by the security administrator.
    pub proposed: Vec<Role>,
}

/// A staff member as lists show one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaffMember {
    /// Number.
    pub number: i64,
    /// 账号
    pub account: String,
    /// 姓名
    pub name: String,
    /// Code of the unit.
    pub unit: Option<String>,
    /// Roles granted.
    pub duties: Duties,
    /// Roles asked for and not granted yet.
    pub proposed: Vec<Role>,
    /// Whether the person may sign in.
    pub in_use: bool,
    /// Whether a password of one's own has been chosen.
    pub has_password: bool,
    /// Whether a second factor was confirmed.
    pub has_second_factor: bool,
    /// Until when failed sign-ins keep the account locked.
    pub locked_until: Option<Moment>,
    /// False when the row was altered behind the system's back: sign-in is refused.
    pub intact: bool,
}

impl Bureau {
    /// Staff in the order of their numbers, after one, of a unit or of all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn staff(&self, unit: Option<&str>, after: i64, limit: u64) -> anyhow::Result<Vec<StaffMember>> {
        let staff = self.store.staff(unit, after, limit.min(PAGE)).await?;
        self.members(staff).await
    }

    /// A staff member by number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn staff_member(&self, number: i64) -> anyhow::Result<Option<StaffMember>> {
        let person = self.store.staff_member(None, Some(number)).await?;
        Ok(self.members(person.into_iter().collect()).await?.pop())
    }

    /// A staff member by account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn staff_by_account(&self, account: &str) -> anyhow::Result<Option<StaffMember>> {
        let person = self.store.staff_member(Some(account), None).await?;
        Ok(self.members(person.into_iter().collect()).await?.pop())
    }

    /// An act of a person of the bureau on the command line, by whoever holds the database and its keys.
    ///
    /// # Errors
    /// [`WrongInput`] when there is no such account in use.
    pub async fn act_of(&self, account: &str, event: &'static str) -> anyhow::Result<Act> {
        let person = self.staff_by_account(account).await?.filter(|person| person.in_use);
        let person = person.ok_or_else(|| WrongInput(format!("没有在用的账号“{account}”")))?;
        let unit = person.unit.unwrap_or_default();
        let named = self.store.units().await?.into_iter().find(|one| one.code == unit);
        let actor = Actor {
            staff: person.number,
            account: person.account,
            name: person.name,
            unit_name: named.map(|unit| unit.name).unwrap_or_default(),
            unit,
            duties: person.duties,
            session: None,
        };
        Ok(Act { actor: Some(actor), ..Act::on_command_line(event) })
    }

    /// The names of some staff, by number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn staff_names(&self, numbers: &[i64]) -> anyhow::Result<HashMap<i64, String>> {
        Ok(self.store.staff_names(numbers).await?)
    }

    async fn members(&self, staff: Vec<Staff>) -> anyhow::Result<Vec<StaffMember>> {
        let now = self.now();
        let names: Vec<String> = staff.iter().map(|person| attempt_of(&self.store, &person.account)).collect();
        let attempts = self.store.attempts(&names).await?;
        let locked = |name: &str| attempts.iter().find(|attempt| attempt.name == name)?.locked_until;
        let member = |(person, name): (Staff, String)| StaffMember {
            locked_until: locked(&name).filter(|until| *until > now),
            number: person.number,
            account: person.account,
            name: person.name,
            unit: person.unit,
            duties: person.duties,
            proposed: person.proposed,
            in_use: person.in_use,
            has_password: person.password.is_some() && !person.must_change,
            has_second_factor: person.second_factor.is_some_and(|factor| factor.confirmed),
            intact: person.intact,
        };
        Ok(staff.into_iter().zip(names).map(member).collect())
    }

    /// Adds a person, without roles.
    ///
    /// # Errors
    /// [`WrongInput`] when the account is taken or something has another form.
    pub async fn add_staff(&self, act: &Act, new: &NewStaff<'_>) -> anyhow::Result<OneTimeSecret> {
        act.require(Permission::ManageStaff)?;
        let units = self.store.units().await?;
        let mut person =
            checked(new, &units).map_err(|fault| WrongInput(format!("{}。{}", fault.reason, fault.mend)))?;
        let secret = self.give_secret(&mut person, self.now()).await?;
        self.insert_staff(act, vec![person]).await?;
        Ok(secret)
    }

    /// Puts in new people, in one transaction with their audit lines.
    pub(super) async fn insert_staff(&self, act: &Act, mut staff: Vec<Staff>) -> anyhow::Result<()> {
        let mut writing = self.store.begin().await?;
        let accounts: Vec<String> = staff.iter().map(|person| person.account.clone()).collect();
        if let Some(taken) = writing.staff_by_account(&accounts).await?.first() {
            return Err(WrongInput(format!("账号“{}”已被使用，请换一个账号", taken.account)).into());
        }
        let first = writing.next_staff_number().await?;
        for (number, person) in (first..).zip(&mut staff) {
            person.number = number;
            let detail = [
                ("account", Value::from(person.account.as_str())),
                ("unit", Value::from(person.unit.clone().unwrap_or_default())),
                ("proposed", Value::from(titles(person.proposed.iter().copied()))),
            ];
            writing.audit(act.line(self.now(), Outcome::Done, object(number), &detail)).await?;
        }
        writing.put_staff(staff).await?;
        Ok(writing.commit().await?)
    }

    /// Changes a person's name, unit and the roles asked for.
    ///
    /// # Errors
    /// [`WrongInput`] when there is no such person or unit.
    pub async fn change_staff(
        &self,
        act: &Act,
        number: i64,
        name: &str,
        unit: &str,
        proposed: &[Role],
    ) -> anyhow::Result<()> {
        let units = self.store.units().await?;
        let (writing, mut person) = self.begin_on(act, Permission::ManageStaff, number).await?;
        let change = NewStaff { account: &person.account, name, unit, proposed: proposed.to_vec() };
        // The three administrators of the first start may go without a unit.
        let unitless = unit.trim().is_empty() && person.unit.is_none();
        let checked = if unitless {
            checked_name(name).map(|name| (name, None))
        } else {
            checked(&change, &units).map(|checked| (checked.name, checked.unit))
        };
        (person.name, person.unit) =
            checked.map_err(|fault| WrongInput(format!("{}。{}", fault.reason, fault.mend)))?;
        person.proposed = proposed.to_vec();
        let detail = [
            ("unit", Value::from(person.unit.clone().unwrap_or_default())),
            ("proposed", Value::from(titles(proposed.iter().copied()))),
        ];
        self.finish_on(act, writing, person, &detail).await
    }

    /// Takes a person out of use, which ends their sessions at once, or back into use.
    ///
    /// # Errors
    /// [`WrongInput`] for oneself, and for the last one who holds an administrator's role.
    pub async fn set_staff_in_use(&self, act: &Act, number: i64, in_use: bool) -> anyhow::Result<()> {
        refuse_self(act, number, "停用或启用")?;
        let (mut writing, mut person) = self.begin_on(act, Permission::ManageStaff, number).await?;
        if !in_use {
            keep_one(&mut writing, &person).await?;
            writing.end_sessions(number, None, self.now()).await?;
        }
        person.in_use = in_use;
        self.finish_on(act, writing, person, &[("in_use", Value::Flag(in_use))]).await
    }

    /// Says which roles a person holds from now on. Open sessions end, so that the next one has the new duties.
    ///
    /// # Errors
    /// [`WrongInput`] for oneself, when the roles exclude each other, and when an administrator's role would be
    /// left without anybody.
    pub async fn grant_roles(
        &self,
        act: &Act,
        number: i64,
        roles: impl IntoIterator<Item = Role>,
    ) -> anyhow::Result<()> {
        refuse_self(act, number, "调整角色")?;
        let duties = Duties::new(roles).map_err(|refusal| WrongInput(refusal.to_string()))?;
        let (mut writing, mut person) = self.begin_on(act, Permission::ManageRoles, number).await?;
        if person.duties != duties {
            keep_one(&mut writing, &person).await?;
            writing.end_sessions(number, None, self.now()).await?;
        }
        let detail =
            [("before", Value::from(titles(person.duties.roles()))), ("after", Value::from(titles(duties.roles())))];
        person.duties = duties;
        person.proposed = Vec::new();
        self.finish_on(act, writing, person, &detail).await
    }

    /// Lets a person sign in again whom failed attempts have locked out.
    ///
    /// # Errors
    /// [`WrongInput`] when there is no such person.
    pub async fn unlock(&self, act: &Act, number: i64) -> anyhow::Result<()> {
        let (mut writing, person) = self.begin_on(act, Permission::ManageRoles, number).await?;
        writing.clear_attempts(&[attempt_of(&self.store, &person.account)]).await?;
        self.finish_on(act, writing, person, &[]).await
    }

    /// Gives a person a new one-time secret in place of the password; their sessions end.
    ///
    /// # Errors
    /// [`WrongInput`] for oneself: one's own password is changed with the old one.
    pub async fn reset_secret(&self, act: &Act, number: i64) -> anyhow::Result<OneTimeSecret> {
        act.require(Permission::ManageRoles)?;
        refuse_self(act, number, "重置口令")?;
        // Hashed before the transaction begins, for others wait while it lasts.
        let missing = || WrongInput(format!("没有编号为 {number} 的人员，请刷新人员列表后重试"));
        let mut fresh = self.store.staff_member(None, Some(number)).await?.ok_or_else(missing)?.unaltered()?;
        let secret = self.give_secret(&mut fresh, self.now()).await?;
        let (mut writing, mut person) = self.begin_on(act, Permission::ManageRoles, number).await?;
        person.password = fresh.password;
        person.password_set_at = fresh.password_set_at;
        person.secret_until = fresh.secret_until;
        person.must_change = true;
        writing.end_sessions(number, None, self.now()).await?;
        writing.clear_attempts(&[attempt_of(&self.store, &person.account)]).await?;
        self.finish_on(act, writing, person, &[]).await?;
        Ok(secret)
    }

    /// Forgets a person's second factor, so that a new one is enrolled at the next sign-in.
    ///
    /// # Errors
    /// [`WrongInput`] for oneself.
    pub async fn reset_second_factor(&self, act: &Act, number: i64) -> anyhow::Result<()> {
        refuse_self(act, number, "重置动态口令")?;
        let (mut writing, mut person) = self.begin_on(act, Permission::ManageRoles, number).await?;
        person.second_factor = None;
        writing.end_sessions(number, None, self.now()).await?;
        self.finish_on(act, writing, person, &[]).await
    }

    /// A transaction on one person.
    async fn begin_on(&self, act: &Act, permission: Permission, number: i64) -> anyhow::Result<(Writing, Staff)> {
        act.require(permission)?;
        let mut writing = self.store.begin().await?;
        let person = writing.staff_member(number).await?;
        let person = person.ok_or_else(|| WrongInput(format!("没有编号为 {number} 的人员，请刷新人员列表后重试")))?;
        Ok((writing, person))
    }

    async fn finish_on(
        &self,
        act: &Act,
        mut writing: Writing,
        person: Staff,
        detail: &[(&str, Value)],
    ) -> anyhow::Result<()> {
        writing.audit(act.line(self.now(), Outcome::Done, object(person.number), detail)).await?;
        writing.put_staff(vec![person]).await?;
        Ok(writing.commit().await?)
    }

    /// Makes a one-time secret for a person, whose hash takes the password's place.
    pub(crate) async fn give_secret(&self, person: &mut Staff, now: Moment) -> anyhow::Result<OneTimeSecret> {
        let letters: Vec<char> = self
            .chance()?
            .iter()
            .take(SECRET_LENGTH)
            .map(|byte| char::from(SECRET_LETTERS[usize::from(*byte) % SECRET_LETTERS.len()]))
            .collect();
        let groups: Vec<String> = letters.chunks(SECRET_GROUP).map(|group| group.iter().collect()).collect();
        let secret = groups.join("-");
        let valid_until = now.minutes_later(SECRET_HOURS * 60);
        person.password = Some(self.hash_password(&secret).await?);
        person.password_set_at = Some(now);
        person.secret_until = Some(valid_until);
        person.must_change = true;
        Ok(OneTimeSecret { account: person.account.clone(), name: person.name.clone(), secret, valid_until })
    }
}

/// What is wrong with a new person: which of account, name, unit and roles, and how to mend it.
pub(super) struct StaffFault {
    pub(super) column: usize,
    pub(super) reason: String,
    pub(super) mend: String,
}

/// A person as given, when everything about them fits. Has no number and no secret yet.
pub(super) fn checked(new: &NewStaff<'_>, units: &[Unit]) -> Result<Staff, StaffFault> {
    let account = new.account.trim().to_ascii_lowercase();
    let plain = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    let begins = account.chars().next().is_some_and(|first| first.is_ascii_alphabetic());
    if !ACCOUNT.contains(&account.len()) || !begins || !account.chars().all(plain) {
        return Err(StaffFault {
            column: 0,
            reason: "账号不合要求".to_owned(),
            mend: "请用 3 至 32 位字母、数字、“.”“-”“_”，以字母开头，例如 zhangsan".to_owned(),
        });
    }
    let name = checked_name(new.name)?;
    let unit = units.iter().find(|unit| unit.in_use && is_called(unit, new.unit.trim())).ok_or_else(|| StaffFault {
        column: 2,
        reason: "没有这个单位，或它已停用".to_owned(),
        mend: "请填写单位列表中的代码或名称；新单位请先在“单位”中建立".to_owned(),
    })?;
    Duties::new(new.proposed.iter().copied()).map_err(|refusal| StaffFault {
        column: 3,
        reason: refusal.to_string(),
        mend: "请只填一个管理员角色，或只填业务角色".to_owned(),
    })?;
    let unit = Some(unit.code.clone());
    Ok(Staff { proposed: new.proposed.clone(), ..Staff::new(0, account, name, unit) })
}

fn checked_name(name: &str) -> Result<String, StaffFault> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(StaffFault {
            column: 1,
            reason: "姓名是空的或太长".to_owned(),
            mend: format!("请填写 1 至 {LONGEST_NAME} 个字的姓名"),
        });
    }
    Ok(name.to_owned())
}

/// A person as the audit log names them.
pub(super) fn object(number: i64) -> String {
    format!("staff/{number}")
}

fn titles(roles: impl Iterator<Item = Role>) -> String {
    roles.map(Role::title).collect::<Vec<_>>().join("、")
}

fn refuse_self(act: &Act, number: i64, what: &str) -> Result<(), WrongInput> {
    if act.is_by(number) {
        return Err(WrongInput(format!("不能为自己{what}，请由另一位管理员操作")));
    }
    Ok(())
}

/// Somebody must go on holding each administrator's role: without, nobody could ever grant it again.
async fn keep_one(writing: &mut Writing, person: &Staff) -> anyhow::Result<()> {
    for role in person.duties.roles().filter(|role| role.is_administrator()) {
        let others = writing.holders(role).await?;
        if person.in_use && others.iter().all(|other| other.number == person.number) {
            let refusal = format!("“{}”只有这一人在用，请先让另一人担任，再停用或调整", role.title());
            return Err(WrongInput(refusal).into());
        }
    }
    Ok(())
}
