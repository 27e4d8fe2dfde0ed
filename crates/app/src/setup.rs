//! Setting up (启用): from an empty folder to a working bureau. The first start makes the three separated
//! administrators and nobody else; what remains to be done, and by whom, is told as data.

use serde::Serialize;
use xinheng_core::audit::Outcome;
use xinheng_core::record::{Seq, Value};
use xinheng_core::rulebook::Status;
use xinheng_core::staff::{Duties, Permission, Role};
use xinheng_store::{SIGNATURE, Staff};

use crate::act::Act;
use crate::people::{OneTimeSecret, PAGE};
use crate::sign_in::PasswordPolicy;
use crate::{Bureau, WrongInput};

/// The accounts that the first start makes.
const ADMINISTRATORS: [(&str, Role); 3] = [
    ("sysadmin", Role::SystemAdministrator),
    ("secadmin", Role::SecurityAdministrator),
    ("auditadmin", Role::AuditAdministrator),
];

/// Digits of a region code (GB/T 2260).
const REGION_DIGITS: usize = 6;
/// The longest name of a bureau or unit.
pub(crate) const LONGEST_NAME: usize = 60;

/// What the bureau has set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// 行政区划代码
    pub region: Option<String>,
    /// 本局名称
    pub bureau: Option<String>,
    /// 口令策略
    pub password_policy: PasswordPolicy,
}

/// Names under which settings are kept.
mod setting {
    pub(super) const REGION: &str = "region";
    pub(super) const BUREAU: &str = "bureau";
    pub(super) const PASSWORD_POLICY: &str = "password_policy";
}

/// What has to be done before the bureau can work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// 填写行政区划和本局名称
    Bureau,
    /// 建立单位
    Units,
    /// 添加工作人员
    Staff,
    /// 授予角色
    Roles,
    /// 签署规则
    Rules,
    /// 首次导入数据
    FirstImport,
}

impl Step {
    /// What people read.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Bureau => "填写行政区划和本局名称",
            Self::Units => "建立单位",
            Self::Staff => "添加工作人员",
            Self::Roles => "授予角色",
            Self::Rules => "签署规则",
            Self::FirstImport => "首次导入数据",
        }
    }

    /// Who does it.
    #[must_use]
    pub fn role(self) -> Role {
        match self {
            Self::Bureau | Self::Units | Self::Staff => Role::SystemAdministrator,
            Self::Roles => Role::SecurityAdministrator,
            Self::Rules => Role::Leader,
            Self::FirstImport => Role::CreditSupervisor,
        }
    }
}

/// How far a step is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Which.
    pub step: Step,
    /// Whether nothing remains to be done.
    pub done: bool,
    /// What there is, such as `已建 12 个单位`.
    pub state: String,
}

impl Bureau {
    /// What the bureau has set.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settings(&self) -> anyhow::Result<Settings> {
        let mut kept = self.store.settings().await?;
        let policy = kept.get(setting::PASSWORD_POLICY).and_then(|name| PasswordPolicy::parse(name));
        Ok(Settings {
            region: kept.remove(setting::REGION),
            bureau: kept.remove(setting::BUREAU),
            password_policy: policy.unwrap_or_default(),
        })
    }

    /// Says which bureau this is.
    ///
    /// # Errors
    /// [`WrongInput`] for no region code or no name.
    pub async fn name_bureau(&self, act: &Act, region: &str, bureau: &str) -> anyhow::Result<()> {
        act.require(Permission::ManageStaff)?;
        let (region, bureau) = (region.trim(), bureau.trim());
        if region.len() != REGION_DIGITS || !region.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(WrongInput("行政区划代码应为 6 位数字，例如 410122。请按 GB/T 2260 填写".to_owned()).into());
        }
        if bureau.is_empty() || bureau.chars().count() > LONGEST_NAME {
            return Err(WrongInput(format!("本局名称应为 1 至 {LONGEST_NAME} 个字，请填写全称")).into());
        }
        let mut writing = self.store.begin().await?;
        writing.put_setting(setting::REGION, region).await?;
        writing.put_setting(setting::BUREAU, bureau).await?;
        let detail = [("region", Value::from(region)), ("bureau", Value::from(bureau))];
        writing.audit(act.line(self.now(), Outcome::Done, "setting/bureau", &detail)).await?;
        Ok(writing.commit().await?)
    }

    /// Chooses what passwords must be like from now on.
    ///
    /// # Errors
    /// When it is not the security administrator's act, or the database fails.
    pub async fn choose_password_policy(&self, act: &Act, policy: PasswordPolicy) -> anyhow::Result<()> {
        act.require(Permission::ManageRoles)?;
        let mut writing = self.store.begin().await?;
        writing.put_setting(setting::PASSWORD_POLICY, policy.name()).await?;
        let detail = [("policy", Value::from(policy.name()))];
        writing.audit(act.line(self.now(), Outcome::Done, "setting/password_policy", &detail)).await?;
        Ok(writing.commit().await?)
    }

    /// Whether the first start has been made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_set_up(&self) -> anyhow::Result<bool> {
        Ok(!self.store.staff(None, 0, 1).await?.is_empty())
    }

    /// Makes the three administrators, each with a one-time secret that is told here and never again.
    ///
    /// # Errors
    /// [`WrongInput`] when it was done before.
    pub async fn first_start(&self, act: &Act) -> anyhow::Result<[OneTimeSecret; 3]> {
        let now = self.now();
        let mut secrets = Vec::with_capacity(ADMINISTRATORS.len());
        let mut staff = Vec::with_capacity(ADMINISTRATORS.len());
        for (number, (account, role)) in (1..).zip(ADMINISTRATORS) {
            let name = role.title().to_owned();
            let mut person =
                Staff { duties: Duties::new([role])?, ..Staff::new(number, account.to_owned(), name, None) };
            secrets.push(self.give_secret(&mut person, now).await?);
            staff.push(person);
        }
        let mut writing = self.store.begin().await?;
        if writing.next_staff_number().await? != 1 {
            let refusal = "本系统已完成首次启动，三个管理员账号已经建立。忘记口令的，请由安全管理员重置，\
                           或在服务器上运行 xinheng admin user reset";
            return Err(WrongInput(refusal.to_owned()).into());
        }
        for person in &staff {
            let detail = [("account", Value::from(person.account.as_str()))];
            writing.audit(act.line(now, Outcome::Done, format!("staff/{}", person.number), &detail)).await?;
        }
        writing.put_staff(staff).await?;
        writing.commit().await?;
        secrets.try_into().map_err(|_| anyhow::anyhow!("三个管理员没有全部建立"))
    }

    /// What has been done of setting up, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn setup_steps(&self) -> anyhow::Result<Vec<Progress>> {
        let settings = self.settings().await?;
        let units = self.store.units().await?.iter().filter(|unit| unit.in_use).count();
        let others = self.store.staff(None, 0, PAGE).await?;
        let others: Vec<&Staff> =
            others.iter().filter(|person| person.in_use && !person.duties.are_administrative()).collect();
        let working = others.iter().filter(|person| person.duties.roles().next().is_some()).count();
        let (signed, defaults) = self.rules_to_sign().await?;
        let imported = self.store.has_import(SIGNATURE).await?;
        let named = settings.region.as_ref().zip(settings.bureau.as_ref());
        let counted =
            |count: usize, what: &str| format!("{}{count} {what}", if count == 0 { "尚无，" } else { "已有 " });
        let progress = |step, done, state| Progress { step, done, state };
        Ok(vec![
            progress(
                Step::Bureau,
                named.is_some(),
                named.map_or_else(|| "尚未填写".to_owned(), |(region, bureau)| format!("{bureau}（{region}）")),
            ),
            progress(Step::Units, units > 0, counted(units, "个单位")),
            progress(Step::Staff, !others.is_empty(), counted(others.len(), "人")),
            progress(Step::Roles, working > 0, counted(working, "人有业务角色")),
            progress(Step::Rules, signed == defaults, format!("{defaults} 条缺省规则中已签署 {signed} 条")),
            progress(Step::FirstImport, imported, if imported { "已导入" } else { "尚未导入" }.to_owned()),
        ])
    }

    /// How many of the defaults that act only once signed are, and how many there are.
    async fn rules_to_sign(&self) -> anyhow::Result<(usize, usize)> {
        let today = self.today();
        let signatures = self.signatures(Seq(i64::MAX)).await?;
        let acts_once_signed = |rule: &str| rule.starts_with("models/") || rule.starts_with("combinations/");
        let defaults: Vec<_> = self
            .rulebook
            .rules()
            .filter(|line| {
                line.head.in_force(today) && line.head.status == Status::Default && acts_once_signed(&line.id)
            })
            .collect();
        let signed = defaults.iter().filter(|line| signatures.act(&self.rulebook, &line.id, today)).count();
        Ok((signed, defaults.len()))
    }
}
