//! A list of staff (人员名册) from an Excel or CSV file: good rows go in, bad ones come back in an error
//! workbook that can be mended and handed in again.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;
use xinheng_core::staff::{Permission, Role};
use xinheng_exchange::{ErrorWorkbook, Fault, List, ListColumn, ListRow};
use xinheng_store::{Staff, Unit};

use super::OneTimeSecret;
use super::staff::{NewStaff, checked};
use crate::act::Act;
use crate::collect::{errors_path, wrong_file};
use crate::{Bureau, WrongInput};

/// People of the longest file.
const MOST_PEOPLE: usize = 1_000;
/// Its columns: account, name, unit, roles.
const COLUMNS: [ListColumn; 4] = [
    ListColumn { headings: &["账号", "登录名", "用户名", "account"], required: true },
    ListColumn { headings: &["姓名", "name"], required: true },
    ListColumn { headings: &["单位", "部门", "所属单位", "unit"], required: true },
    ListColumn { headings: &["角色", "拟任角色", "roles"], required: false },
];

/// A file of staff.
#[derive(Clone, Copy, Debug)]
pub struct StaffFile<'a> {
    /// The file.
    pub path: &'a Path,
    /// Where the error workbook goes; beside the file when not said.
    pub errors: Option<&'a Path>,
}

/// What became of its rows: `rows = added + known + refused`.
#[derive(Debug, Default, Serialize)]
pub struct StaffOutcome {
    /// The file.
    pub file: String,
    /// Rows read.
    pub rows: u64,
    /// People added, each with the secret that is told here and never again.
    pub added: Vec<OneTimeSecret>,
    /// Rows that name people who are there already.
    pub known: u64,
    /// Rows given back.
    pub refused: u64,
    /// The workbook with them.
    pub errors_file: Option<PathBuf>,
}

impl fmt::Display for StaffOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, rows, added, known, refused, errors_file } = self;
        writeln!(f, "{file}：共 {rows} 行，新增 {} 人，已有 {known}，退回 {refused}", added.len())?;
        if let Some(errors) = errors_file {
            writeln!(f, "  退回的行见 {}，改好后可直接再次导入", errors.display())?;
        }
        Ok(())
    }
}

impl Bureau {
    /// Adds the people of a file, without roles; those it names are noted as asked for.
    ///
    /// # Errors
    /// [`WrongInput`] for a file that cannot be read as a whole, and then nobody was added.
    pub async fn import_staff(&self, act: &Act, file: &StaffFile<'_>) -> anyhow::Result<StaffOutcome> {
        act.require(Permission::ManageStaff)?;
        let path = file.path.to_owned();
        let (rows, headings, places) = tokio::task::spawn_blocking(move || read_list(&path, "人员名册", &COLUMNS))
            .await
            .context("读文件的线程意外结束")??;
        let units = self.store.units().await?;
        let present = self.accounts_present(&rows).await?;

        let mut outcome = StaffOutcome {
            file: file.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            rows: rows.len() as u64,
            ..StaffOutcome::default()
        };
        let mut seen = HashSet::new();
        let (mut new, mut refused) = (Vec::new(), Vec::new());
        for row in &rows {
            match decide(row, &places, &units, &present, &mut seen) {
                Ok(None) => outcome.known += 1,
                Ok(Some(person)) => new.push(person),
                Err(fault) => refused.push((row, fault)),
            }
        }
        outcome.refused = refused.len() as u64;
        outcome.errors_file = give_back(file.path, file.errors, &headings, &refused)?;
        let now = self.now();
        for person in &mut new {
            outcome.added.push(self.give_secret(person, now).await?);
        }
        if !new.is_empty() {
            self.insert_staff(act, new).await?;
        }
        Ok(outcome)
    }

    async fn accounts_present(&self, rows: &[ListRow]) -> anyhow::Result<HashMap<String, Staff>> {
        let accounts: Vec<String> = rows.iter().map(account).collect();
        let staff = self.store.begin().await?.staff_by_account(&accounts).await?;
        Ok(staff.into_iter().map(|person| (person.account.clone(), person)).collect())
    }
}

/// Between the parts of a cell that holds several.
pub(super) const LIST_SEPARATORS: [char; 7] = ['、', '，', ',', ';', '；', '/', ' '];

/// Rows, headings as given, and where each column of the list stands.
pub(super) type Read = (Vec<ListRow>, Vec<String>, Vec<Option<usize>>);

/// Gives rows back in an error workbook, beside the file when it is not said where; none when all went in.
pub(super) fn give_back(
    file: &Path,
    errors: Option<&Path>,
    headings: &[String],
    refused: &[(&ListRow, Fault)],
) -> anyhow::Result<Option<PathBuf>> {
    if refused.is_empty() {
        return Ok(None);
    }
    let errors = errors.map_or_else(|| errors_path(file), Path::to_owned);
    let mut workbook = ErrorWorkbook::create(&errors, headings)?;
    for (row, fault) in refused {
        workbook.write(row.line, &row.cells, std::slice::from_ref(fault))?;
    }
    workbook.finish()?;
    Ok(Some(errors))
}

/// Reads a list about people as a whole.
pub(super) fn read_list(path: &Path, title: &str, columns: &[ListColumn]) -> anyhow::Result<Read> {
    let mut list = List::open(path, title, columns).map_err(|error| wrong_file(path, &error))?;
    let headings = list.headings().to_vec();
    let places = (0..columns.len()).map(|column| list.place(column)).collect();
    let rows: Result<Vec<ListRow>, _> = list.by_ref().take(MOST_PEOPLE + 1).collect();
    let rows = rows.map_err(|error| wrong_file(path, &error))?;
    if rows.is_empty() {
        return Err(WrongInput(format!("{}：只有表头，没有人员", path.display())).into());
    }
    if rows.len() > MOST_PEOPLE {
        return Err(WrongInput(format!("{}：超过 {MOST_PEOPLE} 人，请拆成几个文件", path.display())).into());
    }
    Ok((rows, headings, places))
}

fn account(row: &ListRow) -> String {
    row.values[0].to_ascii_lowercase()
}

/// Whether a row brings a new person, one who is known, or nobody.
fn decide(
    row: &ListRow,
    places: &[Option<usize>],
    units: &[Unit],
    present: &HashMap<String, Staff>,
    seen: &mut HashSet<String>,
) -> Result<Option<Staff>, Fault> {
    let [_, name, unit, roles] = &row.values[..] else { unreachable!("a list gives each of its columns") };
    let fault =
        |column: usize, reason: &str, mend: String| Fault { column: places[column], reason: reason.to_owned(), mend };
    let mut proposed = Vec::new();
    for given in roles.split(LIST_SEPARATORS).filter(|given| !given.is_empty()) {
        let known = || Role::ALL.map(Role::title).join("、");
        let role = Role::parse(given);
        proposed.push(role.ok_or_else(|| fault(3, "没有这个角色", format!("可填：{}；也可留空", known())))?);
    }
    let new = NewStaff { account: &row.values[0], name, unit, proposed };
    let person = checked(&new, units).map_err(|wrong| fault(wrong.column, &wrong.reason, wrong.mend))?;
    if !seen.insert(person.account.clone()) {
        return Err(fault(0, "同一文件中账号重复", "每人一个账号，请改用另一个".to_owned()));
    }
    match present.get(&person.account) {
        None => Ok(Some(person)),
        Some(known) if known.name == person.name && known.unit == person.unit => Ok(None),
        Some(_) => Err(fault(
            0,
            "账号已被使用，姓名或单位与登记的不同",
            "新人请换一个账号；姓名或单位有变的，请在“人员”中修改".to_owned(),
        )),
    }
}
