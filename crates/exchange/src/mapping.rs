//! From a line to drafts of records: the table's mapping, resolved once against a file's columns.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use chrono::Months;
use xinheng_core::credit_code::CreditCode;
use xinheng_core::record::{Draft, EnterpriseKeys, OTHER_COLUMNS, Payload, Personal, Text, Value};
use xinheng_core::rulebook::kind::{Kind, Nature};
use xinheng_core::rulebook::table::{RecordMapping, Table};

use crate::cells::Cells;
use crate::fault::{Fault, FileError};
use crate::header::{Match, Role};
use crate::source::Forms;
use crate::value::{self, Day, FIRST_DAY, Given, Reader, Refusal, filled, folded, prose};

/// Where a field's value comes from.
enum Origin {
    Column(usize),
    /// The cell before the table's replacements.
    AsGiven(usize),
    Constant(Given),
}

struct FieldPlan {
    name: Text,
    origin: Origin,
    reader: Reader,
    required: bool,
    personal: bool,
    /// Needed even in a row that only withdraws a record.
    identifies: bool,
}

impl FieldPlan {
    /// The column it is read from; none for a constant.
    fn column(&self) -> Option<usize> {
        match self.origin {
            Origin::Column(column) | Origin::AsGiven(column) => Some(column),
            Origin::Constant(_) => None,
        }
    }
}

struct RecordPlan {
    kind: Text,
    nature: Nature,
    when: Option<usize>,
    fields: Vec<FieldPlan>,
    /// Places among `fields`.
    occurred_on: Option<usize>,
    version: Option<usize>,
    document_number: Option<usize>,
    ends_on: Option<usize>,
}

#[derive(Default)]
struct KeyColumns {
    credit_code: Option<usize>,
    main_identity: Option<usize>,
    registration_number: Option<usize>,
    name: Option<usize>,
    /// Column and prefix.
    generated: Option<(usize, String)>,
}

/// A table's mapping, resolved against a file's columns.
pub(crate) struct Mapping {
    width: usize,
    /// Whether a line of another width is damaged (text files) or only untidy (workbooks).
    fixed_width: bool,
    /// By column: values replaced before they are read.
    replaced: Vec<Option<HashMap<String, String>>>,
    keys: KeyColumns,
    deleted: Option<(usize, Vec<String>)>,
    correction: Option<usize>,
    others: Vec<(usize, String)>,
    records: Vec<RecordPlan>,
    /// Titles of the columns of which one must be filled for a line to bring a record.
    brought_by: String,
    edition: Option<Day>,
    today: Day,
}

/// A table against a file's columns.
struct Resolved<'a> {
    table: &'a Table,
    forms: &'a Forms<'a>,
    /// Place in the table → place in the file.
    places: HashMap<usize, usize>,
}

impl<'a> Resolved<'a> {
    fn new(table: &'a Table, forms: &'a Forms<'a>, roles: &[Role]) -> Self {
        let places = roles.iter().enumerate().filter_map(|(place, role)| match role {
            Role::Known(column) => Some((*column, place)),
            _ => None,
        });
        Self { table, forms, places: places.collect() }
    }

    fn wrong(&self, problem: String) -> FileError {
        FileError::Rules { table: self.table.rule.id.value.clone(), problem }
    }

    /// Place of a column of the table, and where it stands in the file, if it does.
    fn column(&self, name: &str) -> Result<(usize, Option<usize>), FileError> {
        let column = self.table.columns.iter().position(|column| column.name.value == name);
        let column = column.ok_or_else(|| self.wrong(format!("没有列“{name}”")))?;
        Ok((column, self.places.get(&column).copied()))
    }

    fn title(&self, name: &str) -> String {
        self.table.column(name).map_or_else(|| name.to_owned(), |column| column.title.clone())
    }

    fn kind(&self, mapping: &RecordMapping) -> Result<&'a Kind, FileError> {
        let id = &mapping.kind.value;
        self.forms.kind(id).ok_or_else(|| self.wrong(format!("没有记录种类“{id}”")))
    }

    /// Whether the file can bring this record at all.
    fn is_brought(&self, mapping: &RecordMapping) -> Result<bool, FileError> {
        match &mapping.when {
            Some(when) => Ok(self.column(when)?.1.is_some()),
            None => Ok(true),
        }
    }

    /// Titles of the columns without which no line is complete and which the file lacks.
    fn missing(&self) -> Result<Vec<String>, FileError> {
        let mut missing = Vec::new();
        let enterprise = &self.table.enterprise;
        let keys: Vec<&String> =
            [&enterprise.credit_code, &enterprise.main_identity, &enterprise.registration_number, &enterprise.name]
                .into_iter()
                .flatten()
                .chain(enterprise.generated.as_ref().map(|generated| &generated.from))
                .collect();
        let mut identified = false;
        for key in &keys {
            identified |= self.column(key)?.1.is_some();
        }
        if !identified {
            let titles: Vec<String> = keys.iter().map(|key| self.title(key)).collect();
            missing.push(titles.join("或"));
        }
        let mut brought = false;
        for mapping in &self.table.records {
            if !self.is_brought(mapping)? {
                continue;
            }
            brought = true;
            let kind = self.kind(mapping)?;
            for field in &kind.fields {
                let name = &field.name.value;
                let needed = field.required || kind.nature == Nature::Event && kind.occurred_on.as_ref() == Some(name);
                if !needed || mapping.constants.contains_key(name) {
                    continue;
                }
                let column = mapping
                    .fields
                    .get(name)
                    .ok_or_else(|| self.wrong(format!("记录种类“{}”的必填项“{name}”没有对应的列", kind.rule.title)))?;
                if self.column(column)?.1.is_none() {
                    missing.push(self.title(column));
                }
            }
        }
        if !brought {
            let titles = self.table.records.iter().filter_map(|mapping| mapping.when.as_deref());
            missing.push(titles.map(|when| self.title(when)).collect::<Vec<_>>().join("或"));
        }
        missing.sort_unstable();
        missing.dedup();
        Ok(missing)
    }

    fn record(&self, mapping: &RecordMapping, edition: Option<Day>) -> Result<RecordPlan, FileError> {
        let kind = self.kind(mapping)?;
        let mut fields = Vec::new();
        for name in mapping.fields.keys().chain(mapping.as_given.keys()).chain(mapping.constants.keys()) {
            if kind.field(name).is_none() {
                return Err(self.wrong(format!("记录种类“{}”没有“{name}”这一项", kind.rule.title)));
            }
        }
        for field in &kind.fields {
            let name = &field.name.value;
            let month = kind.nature == Nature::State && kind.version.as_ref() == Some(name);
            let (origin, unit) = if let Some(constant) = mapping.constants.get(name) {
                let given = Reader::new(field, Default::default(), month).read(constant);
                let given = given.ok().flatten();
                let given = given.ok_or_else(|| self.wrong(format!("“{name}”的固定值不是这一项的有效取值")))?;
                (Origin::Constant(given), Default::default())
            } else if let Some(column) = mapping.fields.get(name) {
                match self.column(column)? {
                    (column, Some(place)) => (Origin::Column(place), self.table.columns[column].unit),
                    (_, None) => continue,
                }
            } else if let Some(column) = mapping.as_given.get(name) {
                match self.column(column)? {
                    (column, Some(place)) => (Origin::AsGiven(place), self.table.columns[column].unit),
                    (_, None) => continue,
                }
            } else {
                continue;
            };
            fields.push(FieldPlan {
                name: name.as_str().into(),
                origin,
                reader: Reader::new(field, unit, month),
                required: field.required || kind.nature == Nature::Event && kind.occurred_on.as_ref() == Some(name),
                personal: field.personal,
                identifies: kind.identity.contains(name) || kind.occurred_on.as_ref() == Some(name),
            });
        }
        let place = |name: Option<&String>| {
            let name = name?;
            fields.iter().position(|field| field.name == *name)
        };
        let plan = RecordPlan {
            kind: kind.rule.id.value.as_str().into(),
            nature: kind.nature,
            when: match &mapping.when {
                Some(when) => self.column(when)?.1,
                None => None,
            },
            occurred_on: place(kind.occurred_on.as_ref()),
            version: place(kind.version.as_ref()),
            document_number: place(kind.document_number.as_ref()),
            ends_on: place(kind.ends.as_ref().and_then(|ends| ends.on.as_ref())),
            fields,
        };
        let dated = match plan.nature {
            Nature::State => plan.version.is_some(),
            Nature::Event => plan.occurred_on.is_some(),
        };
        if !dated && edition.is_none() {
            return Err(FileError::EditionNeeded { kind: kind.rule.title.clone() });
        }
        Ok(plan)
    }
}

/// Whether a file with these columns lacks none that the table needs.
pub(crate) fn is_complete(table: &Table, forms: &Forms<'_>, roles: &[Role]) -> bool {
    Resolved::new(table, forms, roles).missing().is_ok_and(|missing| missing.is_empty())
}

impl Mapping {
    pub(crate) fn new(
        table: &Table,
        forms: &Forms<'_>,
        header: &Match,
        fixed_width: bool,
        edition: Option<Day>,
    ) -> Result<Self, FileError> {
        let resolved = Resolved::new(table, forms, &header.roles);
        let missing = resolved.missing()?;
        if !missing.is_empty() {
            return Err(FileError::MissingColumns { table: table.rule.title.clone(), columns: missing });
        }
        let place = |name: &Option<String>| match name {
            Some(name) => Ok(resolved.column(name)?.1),
            None => Ok::<_, FileError>(None),
        };
        let enterprise = &table.enterprise;
        let generated = match &enterprise.generated {
            Some(generated) => resolved.column(&generated.from)?.1.map(|from| (from, generated.prefix.clone())),
            None => None,
        };
        let deleted = match &table.delete_flag {
            Some(flag) => resolved
                .column(&flag.column)?
                .1
                .map(|column| (column, flag.values.iter().map(|value| folded(value)).collect())),
            None => None,
        };
        let mut records = Vec::new();
        let mut brought_by = Vec::new();
        for mapping in &table.records {
            if resolved.is_brought(mapping)? {
                records.push(resolved.record(mapping, edition)?);
                brought_by.extend(mapping.when.as_deref().map(|when| resolved.title(when)));
            }
        }
        let roles = || header.roles.iter().enumerate();
        let replaced = roles().map(|(_, role)| match role {
            Role::Known(column) if !table.columns[*column].values.is_empty() => {
                let values = table.columns[*column].values.iter();
                Some(values.map(|(given, meant)| (given.trim().to_owned(), meant.clone())).collect())
            }
            _ => None,
        });
        let others = roles().filter(|(_, role)| **role == Role::Other).map(|(place, _)| {
            let heading = &header.headings[place];
            (place, if heading.is_empty() { nameless(place) } else { heading.clone() })
        });
        Ok(Self {
            width: header.headings.len(),
            fixed_width,
            replaced: replaced.collect(),
            keys: KeyColumns {
                credit_code: place(&enterprise.credit_code)?,
                main_identity: place(&enterprise.main_identity)?,
                registration_number: place(&enterprise.registration_number)?,
                name: place(&enterprise.name)?,
                generated,
            },
            deleted,
            correction: roles().find(|(_, role)| **role == Role::Correction).map(|(place, _)| place),
            others: others.collect(),
            records,
            brought_by: brought_by.join("或"),
            edition,
            today: forms.today,
        })
    }

    /// The drafts that a line brings, or everything that is wrong with it.
    pub(crate) fn drafts(&self, line: i64, cells: &Cells) -> Result<Vec<Draft>, Vec<Fault>> {
        let mut faults = Vec::new();
        self.check_width(cells, &mut faults);
        let keys = self.enterprise(cells, &mut faults);
        let withdrawn = self.deleted.as_ref().is_some_and(|(column, values)| {
            self.cell(cells, *column).is_some_and(|flag| values.contains(&folded(flag)))
        });
        let correction = self.correction.and_then(|column| self.cell(cells, column)).map(prose);
        let mut drafts = Vec::with_capacity(self.records.len());
        let mut brought = false;
        for record in &self.records {
            if let Some(when) = record.when {
                let event = self.cell(cells, when);
                if event.is_none_or(value::means_no_end) {
                    continue;
                }
            }
            brought = true;
            if let Some(draft) = self.draft(record, cells, withdrawn, &mut faults) {
                let part = i16::try_from(drafts.len()).expect("a table brings a handful of records");
                drafts.push(Draft { line, part, keys: keys.clone(), correction: correction.clone(), ..draft });
            }
        }
        if !brought {
            faults.push(Fault::of_line("该行没有带来任何记录", format!("请填写{}，或删去该行", self.brought_by)));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        if let (Some(first), Some(others)) = (drafts.first_mut(), self.kept_aside(cells)) {
            first.personal.insert(OTHER_COLUMNS.to_owned(), Personal::new(others));
        }
        Ok(drafts)
    }

    /// The cell's content after the table's replacements.
    fn cell<'a>(&'a self, cells: &'a Cells, column: usize) -> Option<&'a str> {
        let given = cells.get(column);
        filled(match &self.replaced[column] {
            Some(meant) => meant.get(given.trim()).map_or(given, String::as_str),
            None => given,
        })
    }

    fn check_width(&self, cells: &Cells, faults: &mut Vec<Fault>) {
        if !self.fixed_width || cells.len() == self.width {
            return;
        }
        let surplus = (self.width..cells.len()).any(|column| filled(cells.get(column)).is_some());
        if cells.len() < self.width {
            faults.push(Fault::of_line(
                format!("该行只有{}列，表头有{}列，可能被内容中的换行拆开", cells.len(), self.width),
                "请把内容中的换行删去，或给该单元格加上英文双引号",
            ));
        } else if surplus {
            faults.push(Fault::of_line(
                format!("该行有{}列，表头只有{}列，可能内容中有分隔符", cells.len(), self.width),
                "请给含有逗号、分号或制表符的单元格加上英文双引号",
            ));
        }
    }

    fn enterprise(&self, cells: &Cells, faults: &mut Vec<Fault>) -> EnterpriseKeys {
        let before = faults.len();
        let mut read = |column: Option<usize>, read: fn(&str) -> Result<Text, Refusal>| {
            let column = column?;
            let cell = self.cell(cells, column)?;
            taken(value::sound(cell).and_then(|()| read(cell)), column, faults)
        };
        let mut keys = EnterpriseKeys {
            credit_code: None,
            main_identity: read(self.keys.main_identity, value::code),
            registration_number: read(self.keys.registration_number, value::code),
            name: read(self.keys.name, |name| Ok(prose(name))),
        };
        if let Some(column) = self.keys.credit_code
            && let Some(cell) = self.cell(cells, column)
        {
            keys.credit_code = taken(value::credit_code(cell), column, faults);
        }
        if let (None, Some((column, prefix))) = (keys.credit_code, &self.keys.generated)
            && let Some(cell) = self.cell(cells, *column)
        {
            keys.credit_code = taken(generated_code(cell, prefix), *column, faults);
        }
        if keys == EnterpriseKeys::default() && faults.len() == before {
            let first = [self.keys.credit_code, self.keys.main_identity, self.keys.registration_number, self.keys.name];
            faults.push(Fault {
                column: first.into_iter().flatten().next(),
                reason: "看不出是哪家企业".into(),
                mend: "请填写统一社会信用代码".into(),
            });
        }
        keys
    }

    fn draft(&self, record: &RecordPlan, cells: &Cells, withdrawn: bool, faults: &mut Vec<Fault>) -> Option<Draft> {
        let before = faults.len();
        let mut payload = Payload::default();
        let mut personal = BTreeMap::new();
        let mut document_number = None;
        let (mut occurred_on, mut version, mut ends_on) = (None, None, None);
        for (place, field) in record.fields.iter().enumerate() {
            let latest = self.latest(record, place);
            let given = match self.field(field, cells, withdrawn, latest) {
                Ok(Some(given)) => given,
                Ok(None) => continue,
                Err(fault) => {
                    faults.push(fault);
                    continue;
                }
            };
            if let Given::Day(day) = given {
                let is = |dated: Option<usize>| (dated == Some(place)).then_some(day);
                occurred_on = occurred_on.or(is(record.occurred_on));
                version = version.or(is(record.version));
                ends_on = ends_on.or(is(record.ends_on));
            }
            if field.personal {
                let clear = Value::from(given).to_string();
                personal.insert(field.name.to_string(), Personal::new(clear));
                continue;
            }
            if let (Given::Text(number), true) = (&given, record.document_number == Some(place)) {
                document_number = Some(number.to_string());
            }
            payload.insert(field.name.clone(), given.into());
        }
        if faults.len() > before {
            return None;
        }
        let at = |place: Option<usize>, reason: &str, mend: &str| Fault {
            column: place.and_then(|place| record.fields[place].column()),
            reason: reason.into(),
            mend: mend.into(),
        };
        if let (Some(begin), Some(end)) = (occurred_on, ends_on)
            && end < begin
        {
            faults.push(at(record.ends_on, "截止日期早于起始日期", "请核对这两个日期，没有期限的留空"));
            return None;
        }
        let dated = match record.nature {
            // A register's row is what held on the edition's day, whenever it was last changed.
            Nature::State => self.edition.or(version).map(|version| (occurred_on.unwrap_or(version), Some(version))),
            Nature::Event => occurred_on.or(self.edition).map(|day| (day, None)),
        };
        let Some((occurred_on, version)) = dated else {
            faults.push(at(
                record.version.or(record.occurred_on),
                "看不出数据是哪一天的",
                "请填写日期，或在导入时用 --edition 说明数据截至哪一天",
            ));
            return None;
        };
        Some(Draft {
            line: 0,
            part: 0,
            kind: record.kind.clone(),
            keys: EnterpriseKeys::default(),
            occurred_on,
            document_number,
            version,
            withdrawn,
            correction: None,
            payload,
            personal,
        })
    }

    /// The last day that a field can be of, when it is the day of the record. What is registered today may
    /// begin within a year: a renewed licence does when the old one ends.
    fn latest(&self, record: &RecordPlan, place: usize) -> Option<Day> {
        if record.version == Some(place) {
            Some(self.today)
        } else if record.occurred_on == Some(place) {
            match record.nature {
                Nature::Event => Some(self.today),
                Nature::State => self.today.checked_add_months(Months::new(12)),
            }
        } else {
            None
        }
    }

    /// The value of a field, or what is wrong with it.
    fn field(
        &self,
        field: &FieldPlan,
        cells: &Cells,
        withdrawn: bool,
        latest: Option<Day>,
    ) -> Result<Option<Given>, Fault> {
        let (column, cell) = match &field.origin {
            Origin::Constant(given) => return Ok(Some(given.clone())),
            Origin::Column(column) => (*column, self.cell(cells, *column)),
            Origin::AsGiven(column) => (*column, filled(cells.get(*column))),
        };
        let given = match cell {
            Some(cell) => field.reader.read(cell).map_err(|refusal| refusal.at(column))?,
            None => None,
        };
        match given {
            None if field.required && (field.identifies || !withdrawn) => {
                Err(Refusal { reason: "必填而没有填".into(), mend: "请填写".into() }.at(column))
            }
            Some(Given::Day(day)) => match self.impossible(day, latest, field.personal) {
                Some(refusal) => Err(refusal.at(column)),
                None => Ok(given),
            },
            _ => Ok(given),
        }
    }

    /// Why a field cannot be of that day. A natural person may be born long ago.
    fn impossible(&self, day: Day, latest: Option<Day>, personal: bool) -> Option<Refusal> {
        let reason = if day < FIRST_DAY && !personal {
            "日期早于1949年10月1日"
        } else if latest.is_some_and(|latest| day > latest) {
            "日期晚于今天，还没有发生"
        } else {
            return None;
        };
        Some(Refusal { reason: reason.into(), mend: "请核对年份和月日".into() })
    }

    /// What the line says in columns that the table does not know.
    fn kept_aside(&self, cells: &Cells) -> Option<String> {
        let named = self.others.iter().map(|(column, heading)| (*column, Cow::Borrowed(heading.as_str())));
        let surplus = (self.width..cells.len()).map(|column| (column, Cow::Owned(nameless(column))));
        let others: BTreeMap<Cow<'_, str>, &str> =
            named.chain(surplus).filter_map(|(column, heading)| Some((heading, filled(cells.get(column))?))).collect();
        (!others.is_empty()).then(|| serde_json::to_string(&others).expect("a map of texts"))
    }
}

impl Refusal {
    fn at(self, column: usize) -> Fault {
        Fault { column: Some(column), reason: self.reason, mend: self.mend }
    }
}

fn taken<T>(read: Result<T, Refusal>, column: usize, faults: &mut Vec<Fault>) -> Option<T> {
    read.map_err(|refusal| faults.push(refusal.at(column))).ok()
}

/// What a column without a heading is called.
fn nameless(place: usize) -> String {
    format!("第{}列", place + 1)
}

/// A valid code for data that has none.
fn generated_code(cell: &str, prefix: &str) -> Result<CreditCode, Refusal> {
    let own = value::code(cell)?;
    CreditCode::compose(prefix, &format!("{own:0>8}")).map_err(|error| Refusal {
        reason: error.to_string(),
        mend: "用来生成代码的列应为至多8位数字或大写字母".into(),
    })
}
