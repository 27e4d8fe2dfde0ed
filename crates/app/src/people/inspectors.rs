//! The directory of inspectors (执法检查人员名录库): kept by whoever plans inspections, one by one or from a file.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::Days;
use serde::Deserialize;
use xinheng_core::audit::Outcome;
use xinheng_core::classify::GENERAL;
use xinheng_core::credit_code::CreditCode;
use xinheng_core::inspector::{Certificate, Inspector, Leave, RecusalGround};
use xinheng_core::record::Day;
use xinheng_core::staff::Permission;
use xinheng_exchange::{Fault, ListColumn, ListRow};
use xinheng_store::Staff;

use super::roster::{LIST_SEPARATORS, give_back, read_list};
use super::staff::object;
use super::{PAGE, StaffMember};
use crate::act::Act;
use crate::words::scope_title;
use crate::{Bureau, WrongInput};

/// Most visits that a person may be said to take on in one plan; more is a slip of the pen.
const MOST_VISITS: u16 = 500;
/// Days before the end of a certificate from which it is shown in colour. Ours.
const SOON: u64 = 60;

/// An inspector as lists and forms show one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// Number of the staff member.
    pub staff: i64,
    /// 账号
    pub account: String,
    /// 姓名
    pub name: String,
    /// Code of the unit.
    pub unit: Option<String>,
    /// What the directory says.
    pub inspector: Inspector,
    /// Whether a certificate ends soon, so that it is renewed in time.
    pub ends_soon: bool,
}

/// What became of the rows of a file: `rows = accepted + known + refused`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListOutcome {
    /// Rows read.
    pub rows: u64,
    /// Entries added or changed.
    pub accepted: u64,
    /// Rows that say what is there already.
    pub known: u64,
    /// Rows given back.
    pub refused: u64,
    /// The workbook with them.
    pub errors_file: Option<PathBuf>,
}

/// What a form or a row of a file says of an inspector, as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct DirectoryText {
    /// 行政执法证号
    pub enforcement_number: String,
    /// 行政执法证有效期至
    pub enforcement_until: String,
    /// 专业证号
    #[serde(default)]
    pub professional_number: String,
    /// 专业证有效期至
    #[serde(default)]
    pub professional_until: String,
    /// 检查资格: key fields, by id or title.
    #[serde(default)]
    pub qualifications: String,
    /// 可任组长
    #[serde(default)]
    pub may_lead: String,
    /// 责任片区: towns.
    #[serde(default)]
    pub towns: String,
    /// 每批最多承担户数
    pub capacity: String,
    /// 请假: `2026-12-01至2026-12-10`, several apart by `、`.
    #[serde(default)]
    pub leave: String,
    /// 回避: `91…（近亲属）`, several apart by `、`.
    #[serde(default)]
    pub recusals: String,
}

/// What is wrong with one of its parts, named by its column.
struct Wrong {
    column: usize,
    reason: String,
    mend: String,
}

const COLUMNS: [ListColumn; 11] = [
    ListColumn { headings: &["账号", "登录名", "account"], required: true },
    ListColumn { headings: &["行政执法证号", "执法证号"], required: true },
    ListColumn { headings: &["行政执法证有效期至", "执法证有效期至"], required: true },
    ListColumn { headings: &["专业证号"], required: false },
    ListColumn { headings: &["专业证有效期至"], required: false },
    ListColumn { headings: &["检查资格", "检查领域"], required: false },
    ListColumn { headings: &["可任组长", "组长"], required: false },
    ListColumn { headings: &["责任片区", "片区"], required: false },
    ListColumn { headings: &["每批最多承担户数", "承担户数"], required: true },
    ListColumn { headings: &["请假"], required: false },
    ListColumn { headings: &["回避企业", "回避"], required: false },
];

impl DirectoryText {
    /// What is typed back for an entry.
    #[must_use]
    pub fn of(inspector: &Inspector, fields: &[(String, String)]) -> Self {
        let title = |id: &String| {
            fields.iter().find(|(known, _)| known == id).map_or_else(|| id.clone(), |(_, title)| title.clone())
        };
        let professional = inspector.professional.as_ref();
        let leave = inspector.leave.iter().map(|leave| format!("{}至{}", leave.from, leave.until));
        let recusals = inspector.recusals.iter().map(|(code, ground)| format!("{code}（{}）", ground.title()));
        Self {
            enforcement_number: inspector.enforcement.number.clone(),
            enforcement_until: inspector.enforcement.until.to_string(),
            professional_number: professional.map(|certificate| certificate.number.clone()).unwrap_or_default(),
            professional_until: professional.map(|certificate| certificate.until.to_string()).unwrap_or_default(),
            qualifications: inspector.qualifications.iter().map(title).collect::<Vec<_>>().join("、"),
            may_lead: if inspector.may_lead { "是" } else { "否" }.to_owned(),
            towns: inspector.towns.iter().cloned().collect::<Vec<_>>().join("、"),
            capacity: inspector.capacity.to_string(),
            leave: leave.collect::<Vec<_>>().join("、"),
            recusals: recusals.collect::<Vec<_>>().join("、"),
        }
    }

    fn of_row(row: &ListRow) -> Self {
        let value = |column: usize| row.values[column].clone();
        Self {
            enforcement_number: value(1),
            enforcement_until: value(2),
            professional_number: value(3),
            professional_until: value(4),
            qualifications: value(5),
            may_lead: value(6),
            towns: value(7),
            capacity: value(8),
            leave: value(9),
            recusals: value(10),
        }
    }

    fn parse(&self, fields: &[(String, String)]) -> Result<Inspector, Wrong> {
        let wrong = |column: usize, reason: String, mend: &str| Wrong { column, reason, mend: mend.to_owned() };
        let day = |column: usize, text: &str| {
            let day: Result<Day, _> = text.trim().parse();
            day.map_err(|_| wrong(column, format!("“{text}”不是日期"), "请写成 2027-06-30 的样子"))
        };
        let number = self.enforcement_number.trim();
        if number.is_empty() {
            return Err(wrong(1, "没有行政执法证号".to_owned(), "没有有效行政执法证的人员不得实施检查，请填写证号"));
        }
        let enforcement = Certificate { number: number.to_owned(), until: day(2, &self.enforcement_until)? };
        let professional = match (self.professional_number.trim(), self.professional_until.trim()) {
            ("", "") => None,
            ("", _) => return Err(wrong(3, "有有效期而没有专业证号".to_owned(), "请补填证号，或两项都留空")),
            (number, until) => Some(Certificate { number: number.to_owned(), until: day(4, until)? }),
        };
        let mut qualifications = BTreeSet::new();
        for given in parts(&self.qualifications) {
            let known = fields.iter().find(|(id, title)| id == given || title == given);
            let titles = || fields.iter().map(|(_, title)| title.as_str()).collect::<Vec<_>>().join("、");
            let (id, _) =
                known.ok_or_else(|| wrong(5, format!("没有“{given}”这个领域"), &format!("可填：{}", titles())))?;
            qualifications.insert(id.clone());
        }
        let may_lead = match self.may_lead.trim() {
            "是" | "可" | "true" | "1" => true,
            "" | "否" | "不可" | "false" | "0" => false,
            other => return Err(wrong(6, format!("“{other}”看不出能否任组长"), "请填 是 或 否")),
        };
        let capacity: u16 =
            self.capacity.trim().parse().ok().filter(|visits| *visits <= MOST_VISITS).ok_or_else(|| {
                let mend = format!("请填 0 至 {MOST_VISITS} 的整数");
                wrong(8, format!("“{}”不是户数", self.capacity), &mend)
            })?;
        let mut leave = BTreeSet::new();
        for given in parts(&self.leave) {
            let (from, until) = given
                .split_once(['至', '~'])
                .ok_or_else(|| wrong(9, format!("“{given}”不是一段日期"), "请写成 2026-12-01至2026-12-10"))?;
            let (from, until) = (day(9, from)?, day(9, until)?);
            if until < from {
                return Err(wrong(9, format!("“{given}”的止日早于起日"), "请核对两个日期"));
            }
            leave.insert(Leave { from, until });
        }
        let mut recusals = BTreeMap::new();
        for given in parts(&self.recusals) {
            let (code, ground) = given.trim_end_matches(['）', ')']).split_once(['（', '(']).unwrap_or((given, ""));
            let code: CreditCode = code
                .trim()
                .parse()
                .map_err(|_| wrong(10, format!("“{code}”不是统一社会信用代码"), "请填 18 位统一社会信用代码"))?;
            let ground = match ground.trim() {
                "" => RecusalGround::Interest,
                ground => RecusalGround::parse(ground).ok_or_else(|| {
                    let titles = RecusalGround::ALL.map(RecusalGround::title).join("、");
                    wrong(10, format!("没有“{ground}”这个回避事由"), &format!("可填：{titles}"))
                })?,
            };
            recusals.insert(code, ground);
        }
        let towns = parts(&self.towns).map(str::to_owned).collect();
        Ok(Inspector { enforcement, professional, qualifications, may_lead, towns, capacity, leave, recusals })
    }
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(LIST_SEPARATORS).map(str::trim).filter(|part| !part.is_empty())
}

impl Bureau {
    /// The directory in the order of the staff's numbers, after one.
    ///
    /// # Errors
    /// When the person may not see it or the database fails.
    pub async fn inspectors(&self, act: &Act, after: i64, limit: u64) -> anyhow::Result<Vec<DirectoryEntry>> {
        act.require(Permission::ReadPlans)?;
        let found = self.store.inspectors(after, limit.min(PAGE)).await?;
        Ok(found.into_iter().map(|found| self.entry(found)).collect())
    }

    /// The entry of one person.
    ///
    /// # Errors
    /// When the person may not see it or the database fails.
    pub async fn inspector(&self, act: &Act, staff: i64) -> anyhow::Result<Option<DirectoryEntry>> {
        act.require(Permission::ReadPlans)?;
        Ok(self.store.inspectors_among(&[staff]).await?.pop().map(|found| self.entry(found)))
    }

    /// Of so many staff after a number, those who could be in the directory and are not; with the number to go on
    /// after when there are more staff.
    ///
    /// # Errors
    /// When the person may not see it or the database fails.
    pub async fn staff_outside_directory(
        &self,
        act: &Act,
        after: i64,
        limit: u64,
    ) -> anyhow::Result<(Vec<StaffMember>, Option<i64>)> {
        act.require(Permission::ReadPlans)?;
        let staff = self.staff(None, after, limit).await?;
        let next = staff.last().filter(|_| staff.len() as u64 == limit).map(|last| last.number);
        let numbers: Vec<i64> = staff.iter().map(|person| person.number).collect();
        let listed: HashSet<i64> =
            self.store.inspectors_among(&numbers).await?.into_iter().map(|(person, _)| person.number).collect();
        let outside = staff
            .into_iter()
            .filter(|person| person.in_use && !person.duties.are_administrative() && !listed.contains(&person.number));
        Ok((outside.collect(), next))
    }

    fn entry(&self, (staff, inspector): (Staff, Inspector)) -> DirectoryEntry {
        DirectoryEntry {
            staff: staff.number,
            account: staff.account,
            name: staff.name,
            unit: staff.unit,
            ends_soon: inspector.ends_by(self.today() + Days::new(SOON)),
            inspector,
        }
    }

    /// Key fields that inspectors are qualified for: those that the rulebook has a model of, with their titles.
    #[must_use]
    pub fn key_fields(&self) -> Vec<(String, String)> {
        let today = self.today();
        let fields: BTreeSet<&str> = self.rulebook.models(today).map(|model| model.field.as_str()).collect();
        let key = fields.into_iter().filter(|field| *field != GENERAL);
        key.map(|field| (field.to_owned(), scope_title(&self.rulebook, field, today))).collect()
    }

    /// Says what the directory has of a staff member, new or changed.
    ///
    /// # Errors
    /// [`WrongInput`] with what is wrong, or when there is no such person.
    pub async fn put_inspector(&self, act: &Act, staff: i64, text: &DirectoryText) -> anyhow::Result<()> {
        act.require(Permission::Plan)?;
        let inspector =
            text.parse(&self.key_fields()).map_err(|wrong| WrongInput(format!("{}。{}", wrong.reason, wrong.mend)))?;
        let mut writing = self.store.begin().await?;
        let person = writing.staff_member(staff).await?.filter(|person| person.in_use);
        let person = person.ok_or_else(|| WrongInput("没有这个人员，或已停用".to_owned()))?;
        if person.duties.are_administrative() {
            return Err(WrongInput("三员不参加检查，请选择业务人员".to_owned()).into());
        }
        writing.put_inspectors(&[(staff, inspector)]).await?;
        writing.audit(act.line(self.now(), Outcome::Done, object(staff), &[])).await?;
        Ok(writing.commit().await?)
    }

    /// Takes a person out of the directory; draws that are frozen keep what they froze.
    ///
    /// # Errors
    /// When it is not permitted or the database fails.
    pub async fn remove_inspector(&self, act: &Act, staff: i64) -> anyhow::Result<()> {
        act.require(Permission::Plan)?;
        let mut writing = self.store.begin().await?;
        writing.remove_inspector(staff).await?;
        writing.audit(act.line(self.now(), Outcome::Done, object(staff), &[])).await?;
        Ok(writing.commit().await?)
    }

    /// Takes the directory over from a file: good rows go in, others come back in an error workbook.
    ///
    /// # Errors
    /// [`WrongInput`] for a file that cannot be read as a whole, and then nothing was changed.
    pub async fn import_inspectors(
        &self,
        act: &Act,
        path: &Path,
        errors: Option<&Path>,
    ) -> anyhow::Result<ListOutcome> {
        act.require(Permission::Plan)?;
        let file = path.to_owned();
        let (rows, headings, places) =
            tokio::task::spawn_blocking(move || read_list(&file, "执法检查人员名录", &COLUMNS))
                .await
                .context("读文件的线程意外结束")??;
        let accounts: Vec<String> = rows.iter().map(|row| row.values[0].to_ascii_lowercase()).collect();
        let mut writing = self.store.begin().await?;
        let staff = writing.staff_by_account(&accounts).await?;
        let staff: HashMap<&str, _> = staff.iter().map(|person| (person.account.as_str(), person)).collect();
        let numbers: Vec<i64> = staff.values().map(|person| person.number).collect();
        let known: HashMap<i64, Inspector> = self
            .store
            .inspectors_among(&numbers)
            .await?
            .into_iter()
            .map(|(person, entry)| (person.number, entry))
            .collect();
        let fields = self.key_fields();
        let mut outcome = ListOutcome { rows: rows.len() as u64, ..ListOutcome::default() };
        let (mut seen, mut new) = (HashSet::new(), Vec::new());
        let mut refused: Vec<(&ListRow, Fault)> = Vec::new();
        for (row, account) in rows.iter().zip(&accounts) {
            let fault = |wrong: Wrong| Fault { column: places[wrong.column], reason: wrong.reason, mend: wrong.mend };
            let person = staff.get(account.as_str()).filter(|person| person.in_use);
            let wrong =
                |reason: &str, mend: &str| Wrong { column: 0, reason: reason.to_owned(), mend: mend.to_owned() };
            let entry = match person {
                None => Err(wrong("没有这个账号，或已停用", "请先由系统管理员添加人员")),
                Some(person) if person.duties.are_administrative() => {
                    Err(wrong("三员不参加检查", "请改填业务人员的账号"))
                }
                Some(person) if !seen.insert(person.number) => Err(wrong("同一文件中账号重复", "每人一行，请合并")),
                Some(person) => DirectoryText::of_row(row).parse(&fields).map(|entry| (person.number, entry)),
            };
            match entry {
                Ok((number, entry)) if known.get(&number) == Some(&entry) => outcome.known += 1,
                Ok(entry) => new.push(entry),
                Err(wrong) => refused.push((row, fault(wrong))),
            }
        }
        outcome.accepted = new.len() as u64;
        outcome.refused = refused.len() as u64;
        outcome.errors_file = give_back(path, errors, &headings, &refused)?;
        for (number, _) in &new {
            writing.audit(act.line(self.now(), Outcome::Done, object(*number), &[])).await?;
        }
        writing.put_inspectors(&new).await?;
        writing.commit().await?;
        Ok(outcome)
    }
}
