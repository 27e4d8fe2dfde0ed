//! The files that the units of the demonstration county hand in.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::rc::Rc;

use chrono::{Datelike, Months, TimeDelta};
use rand::RngExt;
use rand::seq::SliceRandom;
use xinheng_core::record::Day;

use super::life::{self, Event, Occurrence};
use super::population::{Enterprise, populate, randomness};
use super::sheets::{self, Matter, Sheet};
use super::spelling::{Defect, Writer};

/// How a file is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// CSV in UTF-8 with a byte order mark.
    CsvUtf8,
    /// CSV in GB18030.
    CsvGb18030,
    /// Excel, with a title above the header row.
    Xlsx,
}

/// A file of the demonstration county. Its rows are made when they are asked for.
pub struct DemoFile {
    /// Name of the file, with the mark 演示.
    pub file_name: String,
    /// What stands above the header row of a workbook.
    pub title: String,
    /// The unit that hands it in.
    pub unit: &'static str,
    /// Table that it is of.
    pub table: &'static str,
    /// The day of which a register's rows are, when they do not say so themselves.
    pub edition: Option<Day>,
    /// How it is kept.
    pub form: Form,
    /// What its columns are called, in its own order and language.
    pub headings: Vec<&'static str>,
    county: Rc<County>,
    sheet: &'static Sheet,
    /// The days of what it reports; the last is the day on which it is made.
    days: RangeInclusive<Day>,
    /// Places of the sheet's columns, in the file's order.
    order: Vec<usize>,
    /// Which rows are wrong differs from file to file; a file handed in twice is the same both times.
    stream: u64,
}

/// A row of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoRow {
    /// As it stands in the file.
    pub cells: Vec<String>,
    /// What is wrong with it, if it has to come back.
    pub defect: Option<Defect>,
    /// Whether the enterprise is not in the county's register, so that the record waits.
    pub waiting: bool,
}

/// The county with everything that happened in it.
struct County {
    seed: u64,
    enterprises: Vec<Enterprise>,
    /// By number of the enterprise.
    lives: Vec<Vec<Occurrence>>,
    /// What can be in a file: the enterprises as such, then their occurrences, day by day.
    entries: Vec<Entry>,
}

/// A row to be made: whose, and about which occurrence of the life.
#[derive(Clone, Copy)]
struct Entry {
    enterprise: u32,
    /// [`AS_SUCH`] for a row about the enterprise as such.
    place: u32,
}

const AS_SUCH: u32 = u32::MAX;

/// Streams of randomness: the spelling of a row depends on what it reports, so that the same record is
/// spelled alike wherever it is handed in; whether a row is wrong depends on the file.
const SPELLINGS: u64 = 1 << 62;
const FILES: u64 = 1 << 63;

/// How many rows in a thousand are wrong.
const WRONG_ROWS: u32 = 10;

impl County {
    fn new(seed: u64, enterprises: usize, until: Day) -> Self {
        let enterprises = populate(seed, enterprises, until);
        let mut lives: Vec<Vec<Occurrence>> =
            enterprises.iter().map(|enterprise| life::live(seed, enterprise, until)).collect();
        number_penalties(&enterprises, &mut lives);
        let mut dated: Vec<(Day, Entry)> = Vec::new();
        for (enterprise, life) in (0..).zip(&lives) {
            for (place, occurrence) in (0..).zip(life) {
                dated.push((occurrence.on, Entry { enterprise, place }));
            }
        }
        dated.sort_by_key(|(day, _)| *day);
        let as_such = enterprises.iter().map(|enterprise| Entry { enterprise: enterprise.number, place: AS_SUCH });
        let entries = as_such.chain(dated.into_iter().map(|(_, entry)| entry)).collect();
        Self { seed, enterprises, lives, entries }
    }
}

/// Numbers the decisions of each authority within the year, in the order of their days.
fn number_penalties(enterprises: &[Enterprise], lives: &mut [Vec<Occurrence>]) {
    let mut penalties: Vec<(Day, Option<usize>, &mut u32)> = Vec::new();
    for (enterprise, life) in enterprises.iter().zip(lives) {
        for occurrence in life {
            if let Event::Penalized(penalty) = &mut occurrence.event {
                let station = penalty.station.then_some(enterprise.town);
                penalties.push((occurrence.on, station, &mut penalty.serial));
            }
        }
    }
    penalties.sort_by_key(|(day, _, _)| *day);
    let mut last: HashMap<(i32, Option<usize>), u32> = HashMap::new();
    for (day, authority, serial) in penalties {
        let number = last.entry((day.year(), authority)).or_default();
        *number += 1;
        *serial = *number;
    }
}

impl DemoFile {
    /// The rows from the first to the last, the same every time.
    pub fn rows(&self) -> impl Iterator<Item = DemoRow> + '_ {
        let mut wrong = randomness(self.county.seed, FILES | self.stream);
        let county = &self.county;
        county.entries.iter().filter_map(move |entry| {
            let matter = self.matter(*entry)?;
            let cells = (self.sheet.cells)(&matter)?;
            let stream = SPELLINGS | u64::from(entry.enterprise) << 20 | u64::from(entry.place) & 0xf_ffff;
            let mut random = randomness(county.seed, stream);
            let (mut row, defect) = Writer::new(&mut random).row(&cells, wrong.random_ratio(WRONG_ROWS, 1000));
            Some(DemoRow {
                cells: self.order.iter().map(|&place| std::mem::take(&mut row[place])).collect(),
                defect,
                waiting: !matter.enterprise.registered_here,
            })
        })
    }

    fn matter(&self, entry: Entry) -> Option<Matter<'_>> {
        let enterprise = &self.county.enterprises[entry.enterprise as usize];
        let life = &self.county.lives[entry.enterprise as usize];
        let occurrence = life.get(entry.place as usize);
        let as_of = *self.days.end();
        let on = occurrence.map_or(as_of, |occurrence| occurrence.on);
        self.days.contains(&on).then_some(Matter {
            enterprise,
            life,
            event: occurrence.map(|occurrence| &occurrence.event),
            on,
            as_of,
            place: entry.place,
        })
    }
}

/// A file before it has a name, an order of columns and a form.
struct Plan {
    unit: &'static str,
    title: &'static str,
    sheet: &'static Sheet,
    days: RangeInclusive<Day>,
    /// Whether the import has to be told the day.
    undated: bool,
}

pub(super) const REGISTRY: &str = "注册审批股";
pub(super) const CREDIT: &str = "信用监管股";
pub(super) const PRODUCTION: &str = "食品生产股";
pub(super) const CIRCULATION: &str = "食品流通股";
pub(super) const SAMPLING: &str = "食品抽检股";
pub(super) const EQUIPMENT: &str = "特种设备股";
pub(super) const BRIGADE: &str = "综合执法大队";
pub(super) const STATIONS: &str = "市场监督管理所";
pub(super) const CONSUMERS: &str = "消费者权益保护股";
pub(super) const PROVINCE: &str = "省市场监督管理局";

/// Months of levels that the province has sent.
const LEVELS_MONTHS: u32 = 12;

/// The files of a county of so many enterprises with their records until that day, in the order in
/// which they are handed in. The same seed gives the same files.
#[must_use]
pub fn generate(seed: u64, enterprises: usize, until: Day) -> Vec<DemoFile> {
    let county = Rc::new(County::new(seed, enterprises, until));
    let mut files: Vec<DemoFile> =
        plans(until).into_iter().zip(0..).map(|(plan, place)| plan.file(&county, place)).collect();
    // Somebody sends last year's inspections of food producers once more.
    if let Some(first) = files.iter().rposition(|file| file.unit == PRODUCTION) {
        let again = files[first].again(files.len() + 1);
        files.push(again);
    }
    files
}

fn plans(until: Day) -> Vec<Plan> {
    let first = life::beginning(until);
    let year_begins = |year: i32| Day::from_ymd_opt(year, 1, 1).expect("1 January exists");
    let recent = year_begins(until.year() - 1);
    let this_year = year_begins(until.year());
    let former = first..=recent - TimeDelta::days(1);
    let last_year = recent..=this_year - TimeDelta::days(1);
    let this_year = this_year..=until;
    let whole = |until: Day| first..=until;
    let dated = |unit, title, sheet, days| Plan { unit, title, sheet, days, undated: false };
    let mut plans = vec![
        dated(REGISTRY, "市场主体信息", &sheets::MARKET_ENTITIES, whole(until - Months::new(18))),
        dated(CREDIT, "经营异常名录", &sheets::ABNORMAL_LIST, whole(*last_year.end())),
        dated(CREDIT, "个体经营异常标记", &sheets::ABNORMAL_MARKS, whole(*last_year.end())),
        Plan { undated: true, ..dated(REGISTRY, "行政许可", &sheets::LICENSES, Day::MIN..=*last_year.end()) },
    ];
    for (unit, title, sheet) in [
        (PRODUCTION, "食品生产监督检查", &sheets::PRODUCTION_INSPECTIONS),
        (CIRCULATION, "食品经营监督检查", &sheets::FOOD_INSPECTIONS),
        (EQUIPMENT, "特种设备监督检查", &sheets::EQUIPMENT_INSPECTIONS),
        (CREDIT, "双随机抽查", &sheets::RANDOM_INSPECTIONS),
        (SAMPLING, "监督抽检结果", &sheets::SAMPLINGS),
        (STATIONS, "行政处罚", &sheets::STATION_PENALTIES),
        (CREDIT, "年度报告", &sheets::ANNUAL_REPORTS),
    ] {
        for days in [&former, &last_year, &this_year] {
            plans.push(dated(unit, title, sheet, days.clone()));
        }
    }
    plans.extend([
        dated(BRIGADE, "行政处罚", &sheets::FORMER_PENALTIES, former.clone()),
        dated(BRIGADE, "行政处罚", &sheets::RECENT_PENALTIES, last_year),
        dated(BRIGADE, "行政处罚", &sheets::RECENT_PENALTIES, this_year),
        dated(CREDIT, "补报年度报告", &sheets::LATE_ANNUAL_REPORTS, whole(until)),
        Plan { undated: true, ..dated(STATIONS, "责令整改", &sheets::RECTIFICATIONS, whole(until)) },
        dated(CONSUMERS, "投诉举报", &sheets::COMPLAINTS, whole(until)),
        dated(CREDIT, "严重违法失信名单", &sheets::SERIOUS_LIST, whole(until)),
        dated(CREDIT, "信用修复", &sheets::REPAIRS, whole(until)),
        dated(CREDIT, "表彰奖励与认证", &sheets::HONOURS, whole(until)),
        dated(CREDIT, "关联关系", &sheets::RELATIONS, whole(until)),
        dated(REGISTRY, "登记变更", &sheets::REGISTRATION_CHANGES, whole(until)),
        dated(CREDIT, "经营异常名录", &sheets::ABNORMAL_LIST, whole(until)),
        dated(CREDIT, "个体经营异常标记", &sheets::ABNORMAL_MARKS, whole(until)),
        Plan { undated: true, ..dated(REGISTRY, "行政许可", &sheets::LICENSES, Day::MIN..=until) },
    ]);
    let this_month = until.with_day(1).expect("every month has a first day");
    for back in (0..LEVELS_MONTHS).rev() {
        let last_day = this_month - Months::new(back) - TimeDelta::days(1);
        plans.push(dated(PROVINCE, "信用风险等级", &sheets::RECEIVED_LEVELS, first..=last_day));
    }
    plans.extend([
        dated(REGISTRY, "市场主体信息", &sheets::MARKET_ENTITIES, whole(until)),
        // Found on an old disk and handed in last: it changes nothing.
        dated(REGISTRY, "市场主体信息", &sheets::MARKET_ENTITIES, whole(until - Months::new(36))),
    ]);
    plans
}

impl Plan {
    fn file(self, county: &Rc<County>, place: u64) -> DemoFile {
        let columns = self.sheet.columns;
        let mut random = randomness(county.seed, FILES | place << 32);
        let mut order: Vec<usize> = (0..columns.len()).collect();
        order.shuffle(&mut random);
        let standard_names = random.random_ratio(1, 3);
        let headings = order.iter().map(|&column| {
            let (name, title) = columns[column];
            if standard_names { name } else { title }
        });
        let form = [Form::CsvUtf8, Form::CsvGb18030, Form::Xlsx][usize::try_from(place % 3).expect("below 3")];
        let as_of = *self.days.end();
        let extension = if form == Form::Xlsx { "xlsx" } else { "csv" };
        DemoFile {
            file_name: format!("演示-{:02}-{}-{}-截至{as_of}.{extension}", place + 1, self.unit, self.title),
            title: format!("{}（{}，截至{as_of}；演示数据，由程序生成）", self.title, self.unit),
            unit: self.unit,
            table: self.sheet.table,
            edition: self.undated.then_some(as_of),
            form,
            headings: headings.collect(),
            county: Rc::clone(county),
            sheet: self.sheet,
            days: self.days,
            order,
            stream: place,
        }
    }
}

impl DemoFile {
    /// The same file, handed in as the so-manieth.
    fn again(&self, place: usize) -> Self {
        let (_, name) = self.file_name.split_at("演示-00".len());
        Self {
            file_name: format!("演示-{place:02}{}", name.replace("-截至", "（重复报送）-截至")),
            title: self.title.clone(),
            headings: self.headings.clone(),
            county: Rc::clone(&self.county),
            days: self.days.clone(),
            order: self.order.clone(),
            ..*self
        }
    }
}

/// What tests know beyond the file itself.
#[cfg(test)]
impl DemoFile {
    /// Standard names of the columns, in the file's order.
    pub fn columns(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.order.iter().map(|&place| self.sheet.columns[place].0)
    }
}
