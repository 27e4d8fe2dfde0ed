//! Yearly grading (年度风险等级评定): for each enterprise of a key field the level at the end of the year before, the level
//! now or at the end of the year, by points and after the rules that raise and lower it. Who had a level then and has
//! none now is in the list too.

use std::path::Path;

use chrono::Datelike;
use xinheng_core::classify::{Classification, GENERAL, Graded};
use xinheng_core::credit_code::CreditCode;
use xinheng_core::history::Facts;
use xinheng_core::points::Points;
use xinheng_core::record::{Day, Seq};
use xinheng_exchange::{TableFormat, TableWriter};

use crate::act::Actor;
use crate::classify::Tools;
use crate::profile::known_at;
use crate::{Bureau, Stage, Watcher, WrongInput, words};

/// Enterprises read at a time.
const PAGE: u64 = 500;

/// A line of the list.
#[derive(Clone, Debug)]
pub struct GradingLine {
    /// Whose.
    pub code: CreditCode,
    /// 名称
    pub name: String,
    /// 乡镇
    pub town: String,
    /// Level at the end of the year before; none: not graded then.
    pub before: Option<String>,
    /// Where it stands; none: no longer graded.
    pub now: Option<GradedNow>,
}

/// Where an enterprise of the list stands.
#[derive(Clone, Debug)]
pub struct GradedNow {
    /// Total points.
    pub total: Points,
    /// Level by points alone.
    pub by_points: String,
    /// What raised or lowered it.
    pub moved_by: Vec<String>,
    /// Level.
    pub level: String,
    /// Whether the model may act.
    pub in_force: bool,
}

/// A page of the list.
#[derive(Clone, Debug)]
pub struct Grading {
    /// 名称 of the field.
    pub field_title: String,
    /// The year.
    pub year: i32,
    /// The day it is of: the end of the year, or today.
    pub as_of: Day,
    /// Lines.
    pub lines: Vec<GradingLine>,
    /// Where the next page starts.
    pub next: Option<CreditCode>,
}

impl GradedNow {
    fn new(graded: &Graded) -> Self {
        let assessment = &graded.assessment;
        let moved_by = assessment.overrides.iter().map(|applied| graded.model.overrides[applied.place].title.clone());
        Self {
            total: assessment.total,
            by_points: graded.model.levels[assessment.level_by_points].code.value.clone(),
            moved_by: moved_by.collect(),
            level: graded.level().to_owned(),
            in_force: graded.in_force,
        }
    }
}

fn of_field<'a>(classification: &'a Classification<'a>, field: &str) -> Option<&'a Graded<'a>> {
    classification.graded.iter().find(|graded| graded.model.field == field)
}

impl Bureau {
    /// Years whose list may be asked for, this year first.
    #[must_use]
    pub fn years_to_grade(&self) -> [i32; 5] {
        let year = self.today().year();
        std::array::from_fn(|back| year - i32::try_from(back).unwrap_or_default())
    }

    /// Key fields that are graded.
    #[must_use]
    pub fn graded_fields(&self) -> Vec<(String, String)> {
        let today = self.today();
        let fields = self.rulebook().models(today).map(|model| model.field.as_str()).filter(|field| *field != GENERAL);
        fields.map(|field| (field.to_owned(), words::scope_title(self.rulebook(), field, today))).collect()
    }

    /// A page of a field's list of a year.
    ///
    /// # Errors
    /// [`WrongInput`] for a field that is not graded, or a year to come.
    pub async fn grading(
        &self,
        field: &str,
        year: i32,
        after: Option<CreditCode>,
        limit: u64,
    ) -> anyhow::Result<Grading> {
        let today = self.today();
        let end_of = |year: i32| Day::from_ymd_opt(year, 12, 31);
        let (Some(end), Some(before)) = (end_of(year), year.checked_sub(1).and_then(end_of)) else {
            return Err(WrongInput(format!("没有 {year} 年，请核对年份")).into());
        };
        if before >= today {
            return Err(WrongInput(format!("{year} 年还没有到，不能评定")).into());
        }
        if !self.graded_fields().iter().any(|(known, _)| known == field) {
            return Err(WrongInput(format!("没有给“{field}”评级的模型，请从页面选择领域")).into());
        }
        let as_of = end.min(today);
        let (rows, next) = self.store().ever_graded(field, after, limit).await?;
        let codes: Vec<CreditCode> = rows.iter().map(|row| row.code).collect();
        let known_up_to = self.store().head().await?.seq;
        let mut histories = self.store().histories_for(&codes, known_up_to).await?;
        let signatures = self.signatures(Seq(i64::MAX)).await?;
        let (then, now) =
            (Tools::new(self.rulebook(), before, &signatures), Tools::new(self.rulebook(), as_of, &signatures));
        let mut lines = Vec::with_capacity(rows.len());
        for row in rows {
            let records = known_at(histories.remove(&row.code).unwrap_or_default(), known_up_to);
            let at_end = then.classifier.classify(&Facts::new(&records, before, &then.kinds));
            let at_day = now.classifier.classify(&Facts::new(&records, as_of, &now.kinds));
            let before = of_field(&at_end, field).map(|graded| graded.level().to_owned());
            let now = of_field(&at_day, field).map(GradedNow::new);
            if before.is_some() || now.is_some() {
                let (name, town) = (row.name.unwrap_or_default(), row.town.unwrap_or_default());
                lines.push(GradingLine { code: row.code, name, town, before, now });
            }
        }
        let field_title = words::scope_title(self.rulebook(), field, today);
        Ok(Grading { field_title, year, as_of, lines, next })
    }

    /// Writes a field's list of a year into a workbook; returns how many enterprises.
    ///
    /// # Errors
    /// As [`Self::grading`], and when the file cannot be written.
    pub async fn export_grading(
        &self,
        field: &str,
        year: i32,
        actor: &Actor,
        file: &Path,
        watcher: Watcher<'_>,
    ) -> anyhow::Result<u64> {
        let mut page = self.grading(field, year, None, PAGE).await?;
        let title = format!("{}{year}年度风险等级评定表（截至{}）", page.field_title, page.as_of);
        let now = words::china_time(self.now());
        let preface = words::preface(("名称", &title), actor, &now);
        let headings = [
            "统一社会信用代码",
            "企业名称",
            "所属乡镇",
            "上年末等级",
            "本年总分",
            "按分值等级",
            "升降级与直接判定",
            "本年等级",
            "等级是否生效",
        ];
        let mut table = TableWriter::create_with_preface(file, TableFormat::Xlsx, &preface, &headings, true)?;
        let mut written = 0;
        loop {
            for GradingLine { code, name, town, before, now } in &page.lines {
                let before = before.as_deref().unwrap_or("新纳入");
                match now {
                    Some(now) => table.write(&[
                        code.as_str(),
                        name,
                        town,
                        before,
                        &now.total.to_string(),
                        &now.by_points,
                        &now.moved_by.join("；"),
                        &now.level,
                        if now.in_force { "已生效" } else { "仅供试算" },
                    ])?,
                    None => table.write(&[code.as_str(), name, town, before, "", "", "", "不再分类", ""])?,
                }
                written += 1;
            }
            watcher(Stage { name: format!("导出{title}"), done: written, total: written });
            if page.next.is_none() {
                break;
            }
            page = self.grading(field, year, page.next, PAGE).await?;
        }
        table.finish()?;
        Ok(written)
    }
}
