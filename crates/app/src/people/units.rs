//! Units (单位).

use xinheng_core::audit::Outcome;
use xinheng_core::record::Value;
use xinheng_core::staff::Permission;
use xinheng_core::unit::UnitKind;
use xinheng_store::Unit;

use crate::act::Act;
use crate::setup::LONGEST_NAME;
use crate::{Bureau, WrongInput};

/// The longest code of a unit.
const LONGEST_CODE: usize = 20;

/// What a unit is to be like.
#[derive(Clone, Debug)]
pub struct UnitChange<'a> {
    /// 名称
    pub name: &'a str,
    /// Former and short names, by which files name it too.
    pub other_names: &'a [String],
    /// 股室、所、大队、成员单位
    pub kind: UnitKind,
    /// Whether people can belong to it and hand in for it.
    pub in_use: bool,
}

impl Bureau {
    /// All units, in the order of their codes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn units(&self) -> anyhow::Result<Vec<Unit>> {
        Ok(self.store.units().await?)
    }

    /// The code of the unit that a file or a person calls so; the words themselves when no unit is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unit_called(&self, given: &str) -> anyhow::Result<String> {
        let given = given.trim();
        let unit = self.units().await?.into_iter().find(|unit| is_called(unit, given));
        Ok(unit.map_or_else(|| given.to_owned(), |unit| unit.code))
    }

    /// Adds a unit.
    ///
    /// # Errors
    /// [`WrongInput`] when its code or one of its names is taken or has another form.
    pub async fn add_unit(&self, act: &Act, code: &str, unit: &UnitChange<'_>) -> anyhow::Result<Unit> {
        self.put_unit(act, code.trim(), unit, true).await
    }

    /// Changes a unit; records go on naming it by its code.
    ///
    /// # Errors
    /// [`WrongInput`] when there is none, or one of its names is taken.
    pub async fn change_unit(&self, act: &Act, code: &str, unit: &UnitChange<'_>) -> anyhow::Result<Unit> {
        self.put_unit(act, code.trim(), unit, false).await
    }

    async fn put_unit(&self, act: &Act, code: &str, change: &UnitChange<'_>, new: bool) -> anyhow::Result<Unit> {
        act.require(Permission::ManageStaff)?;
        let unit = checked(code, change)?;
        let mut writing = self.store.begin().await?;
        let units = writing.units().await?;
        let taken = |name: &str| units.iter().find(|other| other.code != code && is_called(other, name));
        let known = units.iter().any(|other| other.code == code);
        if new && known {
            return Err(WrongInput(format!("单位代码“{code}”已被使用，请换一个代码")).into());
        }
        if !new && !known {
            return Err(WrongInput(format!("没有代码为“{code}”的单位，请刷新单位列表后重试")).into());
        }
        for name in std::iter::once(&unit.code).chain([&unit.name]).chain(&unit.other_names) {
            if let Some(other) = taken(name) {
                return Err(WrongInput(format!(
                    "“{name}”已是单位“{}”（{}）的代码或名称，请换一个，或先改掉那个单位的名称",
                    other.name, other.code
                ))
                .into());
            }
        }
        writing.put_units(std::slice::from_ref(&unit)).await?;
        let detail = [
            ("name", Value::from(unit.name.as_str())),
            ("other_names", Value::from(unit.other_names.join("、"))),
            ("kind", Value::from(unit.kind.to_string())),
            ("in_use", Value::Flag(unit.in_use)),
        ];
        writing.audit(act.line(self.now(), Outcome::Done, format!("unit/{code}"), &detail)).await?;
        writing.commit().await?;
        Ok(unit)
    }
}

/// Whether a file or form that says this means the unit.
pub(super) fn is_called(unit: &Unit, given: &str) -> bool {
    unit.code == given || unit.name == given || unit.other_names.iter().any(|name| name == given)
}

fn checked(code: &str, change: &UnitChange<'_>) -> Result<Unit, WrongInput> {
    let plain = |character: char| character.is_ascii_alphanumeric() || character == '_' || character == '-';
    if code.is_empty() || code.len() > LONGEST_CODE || !code.chars().all(plain) {
        return Err(WrongInput(format!("单位代码“{code}”应为 1 至 {LONGEST_CODE} 位字母、数字、“-”或“_”，例如 5101")));
    }
    let names = std::iter::once(change.name).chain(change.other_names.iter().map(String::as_str)).map(str::trim);
    let names: Vec<String> = names.filter(|name| !name.is_empty()).map(str::to_owned).collect();
    if change.name.trim().is_empty() {
        return Err(WrongInput("请填写单位名称".to_owned()));
    }
    if let Some(long) = names.iter().find(|name| name.chars().count() > LONGEST_NAME) {
        return Err(WrongInput(format!("名称“{long}”超过 {LONGEST_NAME} 个字，请缩短")));
    }
    let mut names = names.into_iter();
    let name = names.next().unwrap_or_default();
    let mut other_names: Vec<String> = names.filter(|other| *other != name).collect();
    other_names.sort_unstable();
    other_names.dedup();
    Ok(Unit { code: code.to_owned(), name, other_names, kind: change.kind, in_use: change.in_use })
}
