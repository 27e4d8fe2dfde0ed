//! The files that the units of the demonstration county hand in.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::rc::Rc;

use chrono::{Datelike, Months, TimeDelta};
use rand::RngExt;
use rand::seq::SliceRandom;
use xinheng_core::record::{Day, Moment};

use super::clock;
use super::life::{self, Event, Occurrence};
use super::population::{Enterprise, populate, randomness};
use super::publications::PUBLICATIONS;
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
    /// When it is handed in.
    pub handed_in: Moment,
    county: Rc<County>,
    sheet: &'static Sheet,
    /// The days of what it reports; the last is the day on which it is made.
    days: RangeInclusive<Day>,
    /// What can be in it, by place among the county's entries.
    entries: Vec<u32>,
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

    fn matter(&self, entry: Entry, days: &RangeInclusive<Day>) -> Matter<'_> {
        let life = &self.lives[entry.enterprise as usize];
        let occurrence = life.get(entry.place as usize);
        Matter {
            enterprise: &self.enterprises[entry.enterprise as usize],
            life,
            event: occurrence.map(|occurrence| &occurrence.event),
            on: occurrence.map_or(*days.end(), |occurrence| occurrence.on),
            since: *days.start(),
            as_of: *days.end(),
            place: entry.place,
        }
    }

    /// What a sheet tells, day by day, by place among the entries.
    fn told(&self, sheet: &Sheet) -> Vec<(Day, u32)> {
        let Some(days) = sheet.told else { return Vec::new() };
        let mut told: Vec<(Day, u32)> = Vec::new();
        for (place, entry) in (0..).zip(&self.entries).filter(|(_, entry)| entry.place != AS_SUCH) {
            let matter = self.matter(*entry, &(Day::MIN..=Day::MAX));
            told.extend(days(&matter).into_iter().flatten().map(|day| (day, place)));
        }
        told.sort_unstable();
        told
    }

    /// The entries that a file can have, in their order: of its days, or all enterprises as such.
    fn entries_of(&self, plan: &Plan, told: &[(Day, u32)]) -> Vec<u32> {
        if plan.sheet.told.is_none() {
            return (0..).zip(&self.enterprises).map(|(place, _)| place).collect();
        }
        let from = told.partition_point(|(day, _)| day < plan.days.start());
        let upto = told.partition_point(|(day, _)| day <= plan.days.end());
        let mut entries: Vec<u32> = told[from..upto].iter().map(|(_, place)| *place).collect();
        entries.sort_unstable();
        entries.dedup();
        entries
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
        self.entries.iter().filter_map(move |&place| {
            let entry = county.entries[place as usize];
            let matter = county.matter(entry, &self.days);
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
}

/// A file before it has a name, an order of columns and a form.
struct Plan {
    unit: &'static str,
    title: &'static str,
    sheet: &'static Sheet,
    days: RangeInclusive<Day>,
    handed_in: Day,
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

/// Months through which the county lives with its files; what was before is handed in when the books open.
pub const MONTHS: u32 = 12;
/// Months of publications that are told when the books open: older ones have no term any more.
const PUBLICATION_MONTHS: u32 = 8;
/// The hour at which files are handed in, in China.
const HOUR: i64 = 17;

/// Days of the month, besides the last, with which a period ends. Whoever owes records within a term of some
/// working days reports every ten days (旬报).
const TEN_DAYS: &[u32] = &[10, 20];
const HALF_MONTH: &[u32] = &[15];
const MONTH: &[u32] = &[];

/// The files of a county of so many enterprises with their records until that day, in the order in
/// which they are handed in. The same seed gives the same files.
#[must_use]
pub fn generate(seed: u64, enterprises: usize, until: Day) -> Vec<DemoFile> {
    let county = Rc::new(County::new(seed, enterprises, until));
    let mut plans = plans(until);
    plans.sort_by_key(|plan| plan.handed_in);
    let mut told: HashMap<*const Sheet, Vec<(Day, u32)>> = HashMap::new();
    let mut files: Vec<DemoFile> = Vec::new();
    for plan in plans {
        let told = told.entry(plan.sheet).or_insert_with(|| county.told(plan.sheet));
        let entries = county.entries_of(&plan, told);
        let moment = moment(files.last(), plan.handed_in);
        let file = plan.file(&county, files.len(), entries, moment);
        // A unit that has nothing to report hands in nothing.
        if file.rows().next().is_some() {
            files.push(file);
        }
    }
    // Somebody sends last year's inspections of food producers once more.
    if let Some(first) = files.iter().filter(|file| file.unit == PRODUCTION).nth(1) {
        let again = first.again(files.len() + 1, moment(files.last(), until));
        files.push(again);
    }
    files
}

/// When the next file of a day is handed in: a few minutes after the one before.
fn moment(before: Option<&DemoFile>, day: Day) -> Moment {
    let first = clock::at(day, HOUR, 0);
    before.map_or(first, |file| file.handed_in.minutes_later(2).max(first))
}

/// The day on which the books open: the end of a month, so that the year of levels has all records behind it.
#[must_use]
pub fn opening(until: Day) -> Day {
    let year_ago = until - Months::new(MONTHS);
    year_ago.with_day(1).expect("every month has a first day") - TimeDelta::days(1)
}

/// The periods after a day, until another, that end with these days of the month and with the last.
fn periods(after: Day, until: Day, ends: &[u32]) -> Vec<RangeInclusive<Day>> {
    let mut periods = Vec::new();
    let mut first = after + TimeDelta::days(1);
    for last in first.iter_days().take_while(|day| *day <= until) {
        let next = last + TimeDelta::days(1);
        if ends.contains(&last.day()) || next.day() == 1 || last == until {
            periods.push(first..=last);
            first = next;
        }
    }
    periods
}

/// Days by which a unit is late with its so-manieth file, now and then.
fn delay(unit: &str, nth: usize) -> TimeDelta {
    TimeDelta::days(match unit {
        STATIONS if nth % 6 == 3 => 8,
        EQUIPMENT if nth % 9 == 5 => 12,
        _ => 0,
    })
}

fn plans(until: Day) -> Vec<Plan> {
    let opening = opening(until);
    let first = life::beginning(until);
    let recent = Day::from_ymd_opt(opening.year(), 1, 1).expect("1 January exists");
    let former = first..=recent - TimeDelta::days(1);
    let recent = recent..=opening;
    let all = Day::MIN..=opening;
    let dated = |unit, title, sheet, days: RangeInclusive<Day>| {
        let handed_in = *days.end();
        Plan { unit, title, sheet, days, handed_in, undated: false }
    };
    let undated = |unit, title, sheet, days| Plan { undated: true, ..dated(unit, title, sheet, days) };

    // The books open: all that was before.
    let mut plans = vec![
        dated(REGISTRY, "市场主体信息", &sheets::MARKET_ENTITIES, all.clone()),
        undated(REGISTRY, "行政许可", &sheets::LICENSES, all),
    ];
    let inspections = [
        (PRODUCTION, "食品生产监督检查", &sheets::PRODUCTION_INSPECTIONS),
        (CIRCULATION, "食品经营监督检查", &sheets::FOOD_INSPECTIONS),
        (EQUIPMENT, "特种设备监督检查", &sheets::EQUIPMENT_INSPECTIONS),
        (CREDIT, "双随机抽查", &sheets::RANDOM_INSPECTIONS),
        (SAMPLING, "监督抽检结果", &sheets::SAMPLINGS),
        (STATIONS, "行政处罚", &sheets::STATION_PENALTIES),
    ];
    let listings = [
        (CREDIT, "经营异常名录", &sheets::ABNORMAL_LIST),
        (CREDIT, "个体经营异常标记", &sheets::ABNORMAL_MARKS),
        (CREDIT, "严重违法失信名单", &sheets::SERIOUS_LIST),
        (CREDIT, "信用修复", &sheets::REPAIRS),
    ];
    let others = [
        (CREDIT, "年度报告", &sheets::ANNUAL_REPORTS),
        (CREDIT, "补报年度报告", &sheets::LATE_ANNUAL_REPORTS),
        (CONSUMERS, "投诉举报", &sheets::COMPLAINTS),
        (CREDIT, "表彰奖励与认证", &sheets::HONOURS),
        (REGISTRY, "登记变更", &sheets::REGISTRATION_CHANGES),
    ];
    for (unit, title, sheet) in inspections {
        for days in [&former, &recent] {
            plans.push(Plan { handed_in: opening, ..dated(unit, title, sheet, days.clone()) });
        }
    }
    plans.push(Plan { handed_in: opening, ..dated(BRIGADE, "行政处罚", &sheets::FORMER_PENALTIES, former) });
    plans.push(dated(BRIGADE, "行政处罚", &sheets::RECENT_PENALTIES, recent));
    for (unit, title, sheet) in listings.into_iter().chain(others) {
        plans.push(dated(unit, title, sheet, first..=opening));
    }
    plans.extend([
        undated(STATIONS, "责令整改", &sheets::RECTIFICATIONS, first..=opening),
        dated(CREDIT, "关联关系", &sheets::RELATIONS, first..=opening),
        dated(CREDIT, "公示对账", &PUBLICATIONS, opening - Months::new(PUBLICATION_MONTHS)..=opening),
    ]);

    // Then each unit reports in its rhythm.
    let mut rhythm = |ends, plan: &dyn Fn(RangeInclusive<Day>) -> Plan| {
        for (nth, days) in periods(opening, until, ends).into_iter().enumerate() {
            let plan = plan(days);
            let handed_in = (plan.handed_in + delay(plan.unit, nth)).min(until);
            plans.push(Plan { handed_in, ..plan });
        }
    };
    rhythm(MONTH, &|days| dated(REGISTRY, "新增和变更的市场主体信息", &sheets::MARKET_ENTITIES, days));
    rhythm(TEN_DAYS, &|days| undated(REGISTRY, "行政许可", &sheets::LICENSES, days));
    rhythm(TEN_DAYS, &|days| dated(BRIGADE, "行政处罚", &sheets::RECENT_PENALTIES, days));
    for (unit, title, sheet) in inspections.into_iter().chain(listings) {
        rhythm(TEN_DAYS, &|days| dated(unit, title, sheet, days));
    }
    rhythm(MONTH, &|days| undated(STATIONS, "责令整改", &sheets::RECTIFICATIONS, days));
    for (unit, title, sheet) in others {
        rhythm(MONTH, &|days| dated(unit, title, sheet, days));
    }
    rhythm(HALF_MONTH, &|days| dated(CREDIT, "公示对账", &PUBLICATIONS, days));
    for month in periods(opening, until, MONTH).into_iter().filter(|month| is_last_of_month(*month.end())) {
        plans.push(dated(PROVINCE, "信用风险等级", &sheets::RECEIVED_LEVELS, month));
    }
    plans.extend([
        dated(CREDIT, "关联关系", &sheets::RELATIONS, opening..=until),
        // The whole register once more, to compare.
        dated(REGISTRY, "市场主体信息", &sheets::MARKET_ENTITIES, Day::MIN..=until),
        // Found on an old disk and handed in last: it changes nothing.
        Plan {
            handed_in: until,
            ..dated(REGISTRY, "市场主体信息", &sheets::MARKET_ENTITIES, Day::MIN..=until - Months::new(36))
        },
    ]);
    plans
}

fn is_last_of_month(day: Day) -> bool {
    (day + TimeDelta::days(1)).day() == 1
}

impl Plan {
    fn file(self, county: &Rc<County>, place: usize, entries: Vec<u32>, handed_in: Moment) -> DemoFile {
        let number = place + 1;
        let place = u64::try_from(place).expect("a few hundred");
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
            file_name: format!("演示-{number:03}-{}-{}-截至{as_of}.{extension}", self.unit, self.title),
            title: format!("{}（{}，截至{as_of}；演示数据，由程序生成）", self.title, self.unit),
            unit: self.unit,
            table: self.sheet.table,
            edition: self.undated.then_some(as_of),
            form,
            headings: headings.collect(),
            handed_in,
            county: Rc::clone(county),
            sheet: self.sheet,
            days: self.days,
            entries,
            order,
            stream: place,
        }
    }
}

impl DemoFile {
    /// The same file, handed in as the so-manieth.
    fn again(&self, place: usize, handed_in: Moment) -> Self {
        let (_, name) = self.file_name.split_at("演示-000".len());
        Self {
            handed_in,
            file_name: format!("演示-{place:03}{}", name.replace("-截至", "（重复报送）-截至")),
            title: self.title.clone(),
            headings: self.headings.clone(),
            county: Rc::clone(&self.county),
            days: self.days.clone(),
            entries: self.entries.clone(),
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

    /// The last day of what it reports.
    pub fn last_day(&self) -> Day {
        *self.days.end()
    }
}
