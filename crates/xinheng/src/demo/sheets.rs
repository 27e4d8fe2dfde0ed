//! The tables that the units hand in: their columns, and how a row of each says what happened.

use chrono::{Datelike, Months, TimeDelta};
use xinheng_core::record::Day;

use super::life::{
    CHAPTERS, Event, Finding, Ground, Honour, Occurrence, Penalty, Reason, Report, Tier, province_level,
};
use super::people::Person;
use super::population::{Closure, Enterprise, Form, working_day};
use super::spelling::Cell;
use super::words::{COUNTY, Line, REGION, REMARK, TOWNS};

/// The days on which a matter has something to report.
type Told = fn(&Matter) -> [Option<Day>; 2];

/// A table as a unit fills it in.
pub struct Sheet {
    /// Name of the exchange table.
    pub table: &'static str,
    /// Standard name and Chinese heading of each column.
    pub columns: &'static [(&'static str, &'static str)],
    /// The days on which the unit has something to tell of an occurrence: a file has those of its days. None
    /// when its rows are about enterprises as such.
    pub told: Option<Told>,
    /// The cells of a row in the order of the columns, or `None` when the table says nothing of the
    /// matter.
    pub cells: fn(&Matter) -> Option<Vec<Cell>>,
}

/// What a row is made from.
pub struct Matter<'a> {
    pub enterprise: &'a Enterprise,
    /// What happened; `None` for a row about the enterprise as such.
    pub event: Option<&'a Event>,
    /// The day on which it happened.
    pub on: Day,
    /// The first day of what the file reports.
    pub since: Day,
    /// Its last day: what comes later is not in it.
    pub as_of: Day,
    /// Which of the enterprise's occurrences it is, to number documents with.
    pub place: u32,
    /// The enterprise's whole life.
    pub life: &'a [Occurrence],
}

/// Of this event, the sheet tells nothing.
const NEVER: [Option<Day>; 2] = [None, None];

impl Matter<'_> {
    /// A number that no other matter has.
    fn number(&self, prefix: &str) -> String {
        format!("{prefix}{REGION}{}{:06}{:03}", self.on.year(), self.enterprise.number, self.place)
    }

    fn code(&self) -> Cell {
        Cell::Code(self.enterprise.code)
    }

    /// Code and registration number; one row in fifty gives the number alone. Which one depends on the
    /// matter, so that it is known by the same key wherever it is handed in.
    fn keys(&self) -> [Cell; 2] {
        let code =
            if (self.enterprise.number + self.place * 17).is_multiple_of(50) { Cell::Absent } else { self.code() };
        [code, Cell::Plain(self.enterprise.registration_number.clone())]
    }

    fn name(&self) -> Cell {
        Cell::Name(self.enterprise.name.clone())
    }

    /// The day, when it is past by the time the file is made.
    fn past(&self, day: Option<Day>) -> Option<Day> {
        day.filter(|day| *day <= self.as_of)
    }

    /// The market station of the enterprise's town.
    fn station(&self) -> Cell {
        plain(format!("{COUNTY}市场监督管理局{}所", TOWNS[self.enterprise.town].short))
    }
}

fn plain(text: impl Into<String>) -> Cell {
    Cell::Plain(text.into())
}

fn sentence(text: impl Into<String>) -> Cell {
    Cell::Sentence(text.into())
}

fn flag(is: bool) -> Cell {
    Cell::Choice(if is { "是" } else { "否" })
}

fn day(day: Option<Day>) -> Cell {
    day.map_or(Cell::Absent, Cell::Day)
}

fn bureau() -> Cell {
    plain(format!("{COUNTY}市场监督管理局"))
}

fn bureau_if(present: bool) -> Cell {
    if present { bureau() } else { Cell::Absent }
}

/// 市场主体信息（含个体）: the registry's dump.
pub static MARKET_ENTITIES: Sheet = Sheet {
    table: "market_entities",
    told: None,
    columns: &[
        ("uni_social_crd_cd", "统一社会信用代码"),
        ("reg_no", "注册号"),
        ("main_identi_id", "主体身份代码"),
        ("comp_nm", "企业名称（字号名称）"),
        ("comp_type", "企业类型大类（中文）"),
        ("type_class", "登记主体类别"),
        ("reg_state", "登记状态（中文）"),
        ("reg_org", "登记机关"),
        ("legal_repre", "法定代表人(经营者姓名)"),
        ("legal_representative_identifier", "法定代表人证件号码"),
        ("telephone", "联系电话"),
        ("addr", "住所（登记、个体户经营场所）"),
        ("domdi_strict", "住所所在行政区划"),
        ("town", "所属乡镇"),
        ("est_dt", "成立日期"),
        ("appr_dt", "核准日期（登记、吊销、注销日期）"),
        ("opt_from", "经营(营业)起始日期"),
        ("opt_to", "经营(营业)截止日期"),
        ("reg_capt", "注册资本(资金数额)"),
        ("capt_kind", "币种"),
        ("indv_code", "行业代码"),
        ("indv_nm", "行业名称"),
        ("opt_scop", "经营范围"),
        ("otherinfo", "其他信息"),
    ],
    cells: |matter| {
        let enterprise = matter.enterprise;
        // A later file has only what is new or has changed.
        let standing = enterprise.standing(matter.as_of).filter(|standing| standing.approved_on >= matter.since)?;
        if !enterprise.registered_here {
            return None;
        }
        let term = (enterprise.number.is_multiple_of(5)).then(|| enterprise.established_on + Months::new(12 * 30));
        Some(vec![
            matter.code(),
            plain(&enterprise.registration_number),
            plain(&enterprise.main_identity),
            matter.name(),
            Cell::Name(enterprise.form.title().into()),
            Cell::Choice(enterprise.form.class()),
            Cell::Choice(match standing.closure {
                None => "存续（在营、开业、在册）",
                Some(Closure::Deregistered) => "注销",
                Some(Closure::Revoked) => "吊销，未注销",
            }),
            bureau(),
            plain(standing.person.name()),
            plain(standing.person.identity_number()),
            plain(standing.person.telephone()),
            plain(standing.address),
            plain(REGION),
            plain(TOWNS[enterprise.town].name),
            Cell::Day(enterprise.established_on),
            Cell::Day(standing.approved_on),
            Cell::Day(enterprise.established_on),
            Cell::LastDay(term),
            Cell::TenThousandYuan(enterprise.capital * 10_000),
            plain("人民币"),
            plain(enterprise.trade.industry_code),
            plain(enterprise.trade.industry),
            sentence(enterprise.trade.scope),
            plain(REMARK),
        ])
    },
};

/// 登记变更
pub static REGISTRATION_CHANGES: Sheet = Sheet {
    table: "registration_changes",
    told: Some(|matter| match matter.event {
        Some(Event::Changed) => [Some(matter.on), None],
        _ => NEVER,
    }),
    columns: &[
        ("uni_social_crd_cd", "统一社会信用代码"),
        ("comp_nm", "企业名称"),
        ("changed_on", "变更日期"),
        ("item", "变更事项"),
        ("before", "变更前内容"),
        ("after", "变更后内容"),
        ("authority", "登记机关"),
    ],
    cells: |matter| {
        let Some(Event::Changed) = matter.event else { return None };
        let enterprise = matter.enterprise;
        let before = enterprise.standing(matter.on - TimeDelta::days(1))?;
        let after = enterprise.standing(matter.on)?;
        let (item, before, after) = if before.person == after.person {
            ("住所变更", before.address.to_owned(), after.address.to_owned())
        } else {
            ("法定代表人变更", before.person.name(), after.person.name())
        };
        Some(vec![
            matter.code(),
            matter.name(),
            Cell::Day(matter.on),
            Cell::Choice(item),
            plain(before),
            plain(after),
            bureau(),
        ])
    },
};

/// 经营异常名录信息
pub static ABNORMAL_LIST: Sheet = Sheet {
    table: "abnormal_list",
    told: Some(|matter| match matter.event {
        Some(Event::AbnormallyListed { removed_on, .. }) => [Some(matter.on), *removed_on],
        _ => NEVER,
    }),
    columns: &[
        ("busexclist", "经营异常名录id"),
        ("uni_social_crd_cd", "统一社会信用代码"),
        ("reg_no", "营业执照注册号"),
        ("comp_nm", "企业名称"),
        ("inclu_dt", "列入日期"),
        ("inclu_reason", "列入经营异常名录原因"),
        ("decorg_cn", "作出决定机关(列入)"),
        ("remove_dt", "移出日期"),
        ("remexcpres_cn", "移出经营异常名录原因"),
        ("redecorg_cn", "作出决定机关(移出)"),
    ],
    cells: |matter| {
        let Some(Event::AbnormallyListed { ground, removed_on }) = matter.event else {
            return None;
        };
        if matter.enterprise.form == Form::SelfEmployed {
            return None;
        }
        let removed_on = matter.past(*removed_on);
        let (reason, removal) = match ground {
            Ground::AnnualReport => ("未依照规定的期限公示年度报告", "列入后补报年度报告并公示，申请移出"),
            Ground::FalseInformation => ("公示企业信息隐瞒真实情况、弄虚作假", "更正公示信息后，申请移出"),
            Ground::NoContact => ("通过登记的住所或者经营场所无法联系", "依法办理住所变更登记或重新取得联系，申请移出"),
        };
        let [code, number] = matter.keys();
        Some(vec![
            Cell::Document(entry_number(matter)),
            code,
            number,
            matter.name(),
            Cell::Day(matter.on),
            sentence(reason),
            bureau(),
            day(removed_on),
            removed_on.map_or(Cell::Absent, |_| sentence(removal)),
            bureau_if(removed_on.is_some()),
        ])
    },
};

/// The number of an entry in the list, or of an individual business's mark.
pub fn entry_number(matter: &Matter) -> String {
    matter.number(if matter.enterprise.form == Form::SelfEmployed { "BJ" } else { "YC" })
}

/// 个体经营异常标记信息
pub static ABNORMAL_MARKS: Sheet = Sheet {
    table: "self_employed_abnormal_marks",
    told: Some(|matter| match matter.event {
        Some(Event::AbnormallyListed { removed_on, .. }) => [Some(matter.on), *removed_on],
        _ => NEVER,
    }),
    columns: &[
        ("opt_unnor_markid", "经营异常标记id"),
        ("uni_social_crd_cd", "统一社会信用代码"),
        ("comp_nm", "企业名称（字号名称）"),
        ("mark_dt", "标记日期"),
        ("is_recov", "是否恢复"),
        ("recov_dt", "恢复日期"),
    ],
    cells: |matter| {
        let Some(Event::AbnormallyListed { removed_on, .. }) = matter.event else {
            return None;
        };
        if matter.enterprise.form != Form::SelfEmployed {
            return None;
        }
        let removed_on = matter.past(*removed_on);
        Some(vec![
            Cell::Document(entry_number(matter)),
            matter.code(),
            matter.name(),
            Cell::Day(matter.on),
            plain(if removed_on.is_some() { "是" } else { "否" }),
            day(removed_on),
        ])
    },
};

/// 严重违法失信企业名单信息
pub static SERIOUS_LIST: Sheet = Sheet {
    table: "serious_list",
    told: Some(|matter| match matter.event {
        Some(Event::SeriouslyListed { removed_on, .. }) => [Some(matter.on), *removed_on],
        _ => NEVER,
    }),
    columns: &[
        ("ill_comp_id", "严重违法失信企业名单id"),
        ("uni_social_crd_cd", "统一社会信用代码"),
        ("reg_no", "营业执照注册号"),
        ("comp_name", "企业名称"),
        ("abn_tm", "列入日期"),
        ("serill_rea", "列入严重违法失信企业名单原因"),
        ("decorg_org", "作出决定机关(列入)"),
        ("rem_dt", "移出日期"),
        ("rem_excpres_rea", "移出严重违法失信企业名单原因"),
        ("recorg_ogr", "作出决定机关(移出)"),
        ("dsc_adm_region", "所属区/县"),
    ],
    cells: |matter| {
        let Some(Event::SeriouslyListed { ground, removed_on }) = matter.event else {
            return None;
        };
        let removed_on = matter.past(*removed_on);
        let [code, number] = matter.keys();
        Some(vec![
            Cell::Document(serious_entry_number(matter)),
            code,
            number,
            matter.name(),
            Cell::Day(matter.on),
            sentence(format!("{}，被处以较重行政处罚", ground.title)),
            bureau(),
            day(removed_on),
            removed_on.map_or(Cell::Absent, |_| sentence("列入期满或经信用修复，移出严重违法失信名单")),
            bureau_if(removed_on.is_some()),
            plain(COUNTY),
        ])
    },
};

/// The number of an entry in the list of serious violations.
pub fn serious_entry_number(matter: &Matter) -> String {
    matter.number("YZ")
}

/// 行政许可公示信息
pub static LICENSES: Sheet = Sheet {
    table: "licenses_published",
    told: Some(|matter| match matter.event {
        Some(Event::Licensed { .. }) => [Some(matter.on), matter.enterprise.closed.map(|(closed_on, _)| closed_on)],
        _ => NEVER,
    }),
    columns: &[
        ("lic_id", "业务主键"),
        ("uni_social_crd_cd", "统一社会信用代码"),
        ("lic_no", "许可文件编号"),
        ("lic_nm", "许可文件名称"),
        ("lic_anth", "许可机关"),
        ("lic_item", "许可内容"),
        ("type", "状态"),
        ("val_from", "有效期自"),
        ("val_to", "有效期至"),
        ("field", "许可领域"),
        ("food_categories", "食品类别"),
    ],
    cells: |matter| {
        let Some(Event::Licensed { valid_until, renewed_on }) = matter.event else {
            return None;
        };
        // A register shows the licence as it stands: the latest renewal by then.
        if matter.past(*renewed_on).is_some() {
            return None;
        }
        let enterprise = matter.enterprise;
        let closed = enterprise.closed.is_some_and(|(closed_on, _)| closed_on <= matter.as_of);
        let License { name, field, .. } = license(enterprise.trade.line)?;
        let category = match enterprise.trade.line {
            Line::FoodProduction(category) => Some(category),
            _ => None,
        };
        let content = match enterprise.trade.line {
            Line::EquipmentUse(equipment) | Line::EquipmentProduction(equipment) => equipment,
            _ => enterprise.trade.scope,
        };
        Some(vec![
            plain(format!("XK{REGION}{:06}", enterprise.number)),
            matter.code(),
            Cell::Document(license_number(matter)?),
            plain(name),
            bureau(),
            sentence(content),
            plain(if closed { "注销" } else { "有效" }),
            Cell::Day(matter.on),
            Cell::LastDay(*valid_until),
            Cell::Choice(field),
            category.map_or(Cell::Absent, plain),
        ])
    },
};

/// The number of the enterprise's licence, which a renewal keeps.
pub fn license_number(matter: &Matter) -> Option<String> {
    let enterprise = matter.enterprise;
    let License { letters, .. } = license(enterprise.trade.line)?;
    Some(match enterprise.trade.line {
        Line::FoodProduction(category) => format!("{letters}1{}{REGION}{:05}", &category[..2], enterprise.number),
        _ => format!("{letters}{REGION}{:07}", enterprise.number),
    })
}

struct License {
    /// How its numbers begin.
    letters: &'static str,
    name: &'static str,
    field: &'static str,
}

fn license(line: Line) -> Option<License> {
    let (letters, name, field) = match line {
        Line::FoodProduction(category) if is_special(category) => ("SC", "食品生产许可证", "特殊食品生产"),
        Line::FoodProduction(_) => ("SC", "食品生产许可证", "食品生产"),
        Line::FoodSale => ("JY1", "食品经营许可证", "食品销售"),
        Line::Catering => ("JY2", "食品经营许可证", "餐饮服务"),
        Line::EquipmentUse(_) => ("TS", "特种设备使用登记证", "特种设备使用"),
        Line::EquipmentProduction(_) => ("TSX", "特种设备生产许可证", "特种设备生产"),
        Line::General => return None,
    };
    Some(License { letters, name, field })
}

/// Health food, medical formula, infant formula (特殊食品).
fn is_special(category: &str) -> bool {
    matches!(&category[..2], "27" | "28" | "29")
}

/// Penalties of the brigade in former years: the 29 columns of 双公示, amounts in 万元.
pub static FORMER_PENALTIES: Sheet = Sheet {
    table: "double_publicity_penalties",
    told: Some(|matter| match matter.event {
        Some(Event::Penalized(_)) => [Some(matter.on), None],
        _ => NEVER,
    }),
    columns: &[
        ("party_name", "行政相对人名称"),
        ("uni_social_crd_cd", "行政相对人代码_1（统一社会信用代码）"),
        ("reg_no", "行政相对人代码_2（工商注册号）"),
        ("legal_representative", "法定代表人"),
        ("legal_representative_identifier", "法定代表人身份证号"),
        ("document_number", "行政处罚决定书文号"),
        ("violation_type", "违法行为类型"),
        ("facts", "违法事实"),
        ("basis", "处罚依据"),
        ("penalty_types", "处罚类别"),
        ("content", "处罚内容"),
        ("fine", "罚款金额（万元）"),
        ("confiscated", "没收违法所得、没收非法财物的金额（万元）"),
        ("decided_on", "处罚决定日期"),
        ("authority", "处罚机关"),
        ("severity", "违法严重程度"),
        ("wilful", "是否故意"),
        ("production_stopped", "是否责令停产停业"),
    ],
    cells: |matter| {
        let penalty = penalty(matter, false)?;
        let offence = penalty.offence;
        let person = matter.enterprise.person(matter.on);
        let [code, number] = matter.keys();
        Some(vec![
            matter.name(),
            code,
            number,
            plain(person.name()),
            plain(person.identity_number()),
            Cell::Document(decision(matter, penalty)),
            plain(offence.title),
            sentence(format!("当事人（经营者{}）{}", person.name(), offence.title)),
            sentence(offence.basis),
            plain(penalty_types(penalty)),
            sentence(outcome(penalty)),
            Cell::TenThousandYuan(penalty.fine),
            Cell::TenThousandYuan(penalty.confiscated),
            Cell::Day(matter.on),
            bureau(),
            Cell::Choice(SEVERITIES[usize::from(offence.severity - 1)]),
            flag(penalty.is_wilful()),
            flag(penalty.stops_production()),
        ])
    },
};

/// Penalties of the brigade in recent years: 处罚决定信息, amounts in yuan.
pub static RECENT_PENALTIES: Sheet = Sheet {
    table: "penalty_decisions",
    told: Some(|matter| match matter.event {
        Some(Event::Penalized(_)) => [Some(matter.on), None],
        _ => NEVER,
    }),
    columns: &[
        ("id", "主键"),
        ("uni_social_crd_cd", "当事人统一社会信用代码"),
        ("reg_no", "当事人注册号"),
        ("case_name", "案件名称"),
        ("extend_1", "违法行为类型"),
        ("punish_type", "处罚类别"),
        ("admin_punish_doc", "行政处罚决定书文号"),
        ("punish_content", "对外公开的处罚决定书全文或摘要"),
        ("law_basis", "处罚依据"),
        ("punish_money", "罚款"),
        ("illegality_money", "没收违法所得"),
        ("punish_decide_tm", "处罚决定日期"),
        ("cf_sjly", "数据来源单位"),
        ("severity", "违法严重程度"),
        ("wilful", "是否故意"),
        ("production_stopped", "是否责令停产停业"),
    ],
    cells: |matter| {
        let penalty = penalty(matter, false)?;
        let offence = penalty.offence;
        let [code, number] = matter.keys();
        Some(vec![
            plain(matter.number("CF")),
            code,
            number,
            plain(format!("{}{}案", matter.enterprise.name, offence.title)),
            plain(offence.title),
            plain(penalty_types(penalty)),
            Cell::Document(decision(matter, penalty)),
            sentence(outcome(penalty)),
            sentence(offence.basis),
            Cell::Yuan(penalty.fine),
            Cell::Yuan(penalty.confiscated),
            Cell::Day(matter.on),
            plain("综合执法大队"),
            Cell::Choice(SEVERITIES[usize::from(offence.severity - 1)]),
            flag(penalty.is_wilful()),
            flag(penalty.stops_production()),
        ])
    },
};

/// Penalties of the market stations: 行政处罚公示信息.
pub static STATION_PENALTIES: Sheet = Sheet {
    table: "penalties_published",
    told: Some(|matter| match matter.event {
        Some(Event::Penalized(_)) => [Some(matter.on), None],
        _ => NEVER,
    }),
    columns: &[
        ("lic_id", "业务主键"),
        ("uni_social_crd_cd", "统一社会信用代码"),
        ("taxer_nm", "纳税人名称"),
        ("admin_punish_doc", "行政处罚文号"),
        ("punish_rea", "处罚原因"),
        ("punish_dt", "处罚时间"),
        ("punish_result", "处罚结果"),
        ("legal_per", "法人姓名"),
        ("legal_per_ident", "法人身份证号"),
        ("severity", "违法严重程度"),
        ("minor", "仅通报批评或较低数额罚款"),
    ],
    cells: |matter| {
        let penalty = penalty(matter, true)?;
        let person = matter.enterprise.person(matter.on);
        Some(vec![
            plain(matter.number("CF")),
            matter.code(),
            matter.name(),
            Cell::Document(decision(matter, penalty)),
            sentence(penalty.offence.title),
            Cell::Day(matter.on),
            sentence(outcome(penalty)),
            plain(person.name()),
            plain(person.identity_number()),
            Cell::Choice(SEVERITIES[usize::from(penalty.offence.severity - 1)]),
            flag(penalty.fine < 3_000),
        ])
    },
};

const SEVERITIES: [&str; 5] = ["轻微", "较轻", "一般", "较重", "严重"];

/// The penalty, if it is one of a station's, or of the brigade's.
fn penalty<'a>(matter: &Matter<'a>, station: bool) -> Option<&'a Penalty> {
    match matter.event {
        Some(Event::Penalized(penalty)) if penalty.station == station => Some(penalty),
        _ => None,
    }
}

/// The number of the decision.
pub fn decision(matter: &Matter, penalty: &Penalty) -> String {
    let station = if penalty.station { TOWNS[matter.enterprise.town].short } else { "" };
    format!("新衡市监{station}处罚〔{}〕{}号", matter.on.year(), penalty.serial)
}

fn penalty_types(penalty: &Penalty) -> String {
    let types = [
        (penalty.fine == 0, "警告"),
        (penalty.fine > 0, "罚款"),
        (penalty.confiscated > 0, "没收违法所得"),
        (penalty.stops_production(), "责令停产停业"),
    ];
    let types: Vec<&str> = types.into_iter().filter(|(applies, _)| *applies).map(|(_, name)| name).collect();
    types.join("、")
}

fn outcome(penalty: &Penalty) -> String {
    let mut parts = Vec::new();
    if penalty.fine == 0 {
        parts.push("责令改正，给予警告".to_owned());
    }
    if penalty.confiscated > 0 {
        parts.push(format!("没收违法所得{}元", penalty.confiscated));
    }
    if penalty.fine > 0 {
        parts.push(format!("罚款{}元", penalty.fine));
    }
    if penalty.stops_production() {
        parts.push("责令停产停业".to_owned());
    }
    parts.join("；")
}

/// 信用修复
pub static REPAIRS: Sheet = Sheet {
    table: "repairs",
    told: Some(|matter| match matter.event {
        Some(Event::Penalized(penalty)) => [penalty.repaired_on, None],
        _ => NEVER,
    }),
    columns: &[
        ("uni_social_crd_cd", "统一社会信用代码"),
        ("comp_nm", "企业名称"),
        ("document_number", "被修复信息的文号"),
        ("target", "修复对象"),
        ("applied_on", "申请日期"),
        ("decided_on", "修复决定日期"),
        ("decision_number", "修复决定文号"),
        ("authority", "修复决定机关"),
        ("reason", "修复理由"),
    ],
    cells: |matter| {
        let Some(Event::Penalized(penalty)) = matter.event else {
            return None;
        };
        let repaired_on = matter.past(penalty.repaired_on)?;
        Some(vec![
            matter.code(),
            matter.name(),
            Cell::Document(decision(matter, penalty)),
            Cell::Choice("行政处罚"),
            Cell::Day(repaired_on - TimeDelta::days(9)),
            Cell::Day(repaired_on),
            plain(matter.number("XF")),
            bureau(),
            sentence("已履行处罚决定确定的义务，并作出守信承诺"),
        ])
    },
};

/// Routine inspections of food producers, chapter by chapter.
pub static PRODUCTION_INSPECTIONS: Sheet = Sheet {
    table: "inspections",
    told: Some(|matter| match matter.event {
        Some(Event::Inspected { .. }) => [Some(matter.on), None],
        _ => NEVER,
    }),
    columns: &[
        ("task_number", "任务编号"),
        ("uni_social_crd_cd", "统一社会信用代码"),
        ("comp_nm", "企业名称"),
        ("inspected_on", "检查日期"),
        ("inspection_type", "检查类型"),
        ("item", "检查事项"),
        ("authority", "检查机关"),
        ("inspectors", "检查人员"),
        ("full_check", "是否全项目检查"),
        ("chapter_01", "生产者资质"),
        ("chapter_02", "生产环境条件"),
        ("chapter_03", "进货查验"),
        ("chapter_04", "生产过程控制"),
        ("chapter_05", "产品检验"),
        ("chapter_06", "贮存及交付控制"),
        ("chapter_07", "不合格食品管理和召回"),
        ("chapter_08", "标签和说明书"),
        ("chapter_09", "食品安全自查"),
        ("chapter_10", "从业人员管理"),
        ("chapter_11", "信息记录和追溯"),
        ("chapter_12", "食品安全事故处置"),
        ("special_01", "特殊食品：注册备案要求执行"),
        ("special_02", "特殊食品：质量管理体系运行"),
        ("special_03", "特殊食品：原辅料管理"),
        ("result", "检查结果"),
    ],
    cells: |matter| {
        let Line::FoodProduction(category) = matter.enterprise.trade.line else {
            return None;
        };
        let Some(Event::Inspected { reason: Reason::Routine, finding, failed }) = matter.event else {
            return None;
        };
        let share = |(failed, applicable): (&u8, u8)| plain(format!("{failed}/{applicable}"));
        let mut cells = vec![
            plain(task_number(matter)),
            matter.code(),
            matter.name(),
            Cell::Day(matter.on),
            plain("日常监督检查"),
            plain("食品生产监督检查"),
            bureau(),
            inspectors(matter),
            flag(true),
        ];
        cells.extend(failed.iter().zip(CHAPTERS).map(share));
        cells.extend(
            failed.iter().zip(CHAPTERS).take(3).map(
                |chapter| {
                    if is_special(category) { share(chapter) } else { Cell::Absent }
                },
            ),
        );
        cells.push(Cell::Choice(result(*finding)));
        Some(cells)
    },
};

/// Routine inspections of food sellers and caterers.
pub static FOOD_INSPECTIONS: Sheet = Sheet {
    table: "inspections",
    told: Some(|matter| match matter.event {
        Some(Event::Inspected { .. }) => [Some(matter.on), None],
        _ => NEVER,
    }),
    columns: INSPECTION_COLUMNS,
    cells: |matter| match matter.enterprise.trade.line {
        Line::FoodSale => inspection(matter, Reason::Routine, "日常监督检查", "食品销售监督检查"),
        Line::Catering => inspection(matter, Reason::Routine, "日常监督检查", "餐饮服务监督检查"),
        _ => None,
    },
};

/// Routine inspections of special equipment.
pub static EQUIPMENT_INSPECTIONS: Sheet = Sheet {
    table: "inspections",
    told: Some(|matter| match matter.event {
        Some(Event::Inspected { .. }) => [Some(matter.on), None],
        _ => NEVER,
    }),
    columns: INSPECTION_COLUMNS,
    cells: |matter| match matter.enterprise.trade.line {
        Line::EquipmentUse(_) => inspection(matter, Reason::Routine, "常规监督检查", "特种设备使用单位监督检查"),
        Line::EquipmentProduction(_) => inspection(matter, Reason::Routine, "证后监督检查", "特种设备生产单位监督检查"),
        _ => None,
    },
};

/// Random inspections (双随机抽查).
pub static RANDOM_INSPECTIONS: Sheet = Sheet {
    table: "inspections",
    told: Some(|matter| match matter.event {
        Some(Event::Inspected { .. }) => [Some(matter.on), None],
        _ => NEVER,
    }),
    columns: INSPECTION_COLUMNS,
    cells: |matter| inspection(matter, Reason::Random, "双随机抽查", "登记事项和公示信息检查"),
};

/// The number of the task: routine inspections of food producers have a series of their own.
pub fn task_number(matter: &Matter) -> String {
    let is_producers = matches!(matter.enterprise.trade.line, Line::FoodProduction(_));
    let is_routine = matches!(matter.event, Some(Event::Inspected { reason: Reason::Routine, .. }));
    matter.number(if is_producers && is_routine { "RC" } else { "JC" })
}

const INSPECTION_COLUMNS: &[(&str, &str)] = &[
    ("task_number", "任务编号"),
    ("uni_social_crd_cd", "统一社会信用代码"),
    ("reg_no", "注册号"),
    ("comp_nm", "企业名称"),
    ("inspected_on", "检查日期"),
    ("inspection_type", "检查类型"),
    ("item", "检查事项"),
    ("authority", "检查机关"),
    ("inspectors", "检查人员"),
    ("result", "检查结果"),
    ("violations_serious", "严重问题项数"),
    ("violations_minor", "一般问题项数"),
    ("rectification_due", "整改期限"),
];

fn inspection(matter: &Matter, wanted: Reason, kind: &str, item: &str) -> Option<Vec<Cell>> {
    let Some(Event::Inspected { reason, finding, failed }) = matter.event else {
        return None;
    };
    if *reason != wanted {
        return None;
    }
    let problems: u32 = failed.iter().map(|&weight| u32::from(weight)).sum();
    let due = (*finding == Finding::Corrected).then(|| matter.on + TimeDelta::days(15));
    let [code, number] = matter.keys();
    Some(vec![
        plain(task_number(matter)),
        code,
        number,
        matter.name(),
        Cell::Day(matter.on),
        plain(kind),
        plain(item),
        matter.station(),
        inspectors(matter),
        Cell::Choice(result(*finding)),
        plain((problems / 12).to_string()),
        plain((problems - problems / 12).to_string()),
        day(due),
    ])
}

/// Two of the county's inspectors, invented like everybody.
fn inspectors(matter: &Matter) -> Cell {
    let first = 9_000 + (matter.enterprise.number + matter.place) % 80;
    plain(format!("{}、{}", Person(first).name(), Person(first + 80).name()))
}

/// 抽查检查结果
fn result(finding: Finding) -> &'static str {
    match finding {
        Finding::Nothing => "未发现问题",
        Finding::Unpublished => "未按规定公示应当公示的信息",
        Finding::NoContact => "通过登记的住所（经营场所）无法联系",
        Finding::Corrected => "发现问题已责令改正",
        Finding::Uncooperative => "不配合检查情节严重",
        Finding::Pending => "发现问题待后续处理",
    }
}

/// 责令整改
pub static RECTIFICATIONS: Sheet = Sheet {
    table: "rectifications",
    told: Some(|matter| match matter.event {
        Some(Event::Ordered { due_on, finished_on }) => [Some(*due_on), *finished_on],
        _ => NEVER,
    }),
    columns: &[
        ("number", "整改通知书编号"),
        ("uni_social_crd_cd", "统一社会信用代码"),
        ("comp_nm", "企业名称"),
        ("ordered_on", "责令改正日期"),
        ("due_on", "整改期限"),
        ("finished_on", "完成日期"),
        ("status", "整改情况"),
        ("matter", "整改事项"),
        ("authority", "责令机关"),
    ],
    cells: |matter| {
        let Some(Event::Ordered { due_on, finished_on }) = matter.event else {
            return None;
        };
        // Before the last day nobody is late.
        matter.past(Some(*due_on))?;
        let finished_on = matter.past(*finished_on);
        let status = match finished_on {
            Some(finished_on) if finished_on <= *due_on => "按期完成",
            Some(_) => "逾期完成",
            None => "逾期未完成",
        };
        Some(vec![
            Cell::Document(matter.number("ZG")),
            matter.code(),
            matter.name(),
            Cell::Day(matter.on),
            Cell::Day(*due_on),
            day(finished_on),
            Cell::Choice(status),
            sentence("监督检查发现的问题"),
            matter.station(),
        ])
    },
};

/// 监督抽检
pub static SAMPLINGS: Sheet = Sheet {
    table: "sampling_results",
    told: Some(|matter| match matter.event {
        Some(Event::Sampled { .. }) => [Some(reported_on(matter)), None],
        _ => NEVER,
    }),
    columns: &[
        ("sample_number", "样品编号"),
        ("uni_social_crd_cd", "统一社会信用代码"),
        ("comp_nm", "企业名称"),
        ("sampled_on", "抽样日期"),
        ("product", "产品名称"),
        ("task_level", "任务级别"),
        ("result", "检验结果"),
        ("failed_item", "不合格项目"),
        ("report_number", "报告编号"),
        ("reported_on", "报告日期"),
        ("authority", "组织抽检机关"),
    ],
    cells: |matter| {
        let Some(Event::Sampled { tier, passed }) = matter.event else {
            return None;
        };
        let (level, authority) = match tier {
            Tier::National => ("国抽", "国家市场监督管理总局"),
            Tier::Province => ("省抽", "省市场监督管理局"),
            Tier::City => ("市抽", "市市场监督管理局"),
            Tier::County => ("县抽", "新衡县市场监督管理局"),
        };
        let enterprise = matter.enterprise;
        let (products, items): (&[&str], &[&str]) = match enterprise.trade.line {
            Line::FoodProduction(_) => (&[], &["菌落总数", "过氧化值", "苯甲酸", "标签"]),
            Line::Catering => {
                (&["餐碗", "自制凉菜", "油条", "火锅底料"], &["大肠菌群", "铝的残留量", "阴离子合成洗涤剂"])
            }
            _ => (&["豇豆", "鲫鱼", "韭菜", "散装糕点", "花生米"], &["农药残留", "恩诺沙星", "酸价", "黄曲霉毒素B₁"]),
        };
        let turn = (enterprise.number + matter.place) as usize;
        let product = if products.is_empty() { enterprise.trade.scope } else { products[turn % products.len()] };
        Some(vec![
            Cell::Document(matter.number("CJ")),
            matter.code(),
            matter.name(),
            Cell::Day(matter.on),
            plain(product),
            Cell::Choice(level),
            Cell::Choice(if *passed { "合格" } else { "不合格" }),
            if *passed { Cell::Absent } else { plain(items[turn % items.len()]) },
            plain(matter.number("BG")),
            Cell::Day(reported_on(matter)),
            plain(authority),
        ])
    },
};

/// The laboratory takes its time, and nothing is told before its report.
fn reported_on(matter: &Matter) -> Day {
    working_day(matter.on + TimeDelta::days(20))
}

/// 投诉举报
pub static COMPLAINTS: Sheet = Sheet {
    table: "complaints",
    told: Some(|matter| match matter.event {
        Some(Event::Complained { .. }) => [Some(matter.on), None],
        _ => NEVER,
    }),
    columns: &[
        ("number", "投诉举报编号"),
        ("uni_social_crd_cd", "统一社会信用代码"),
        ("comp_nm", "企业名称"),
        ("received_on", "登记日期"),
        ("category", "类别"),
        ("content", "内容"),
        ("complainant", "投诉举报人"),
        ("complainant_telephone", "投诉举报人电话"),
        ("verified", "是否查实"),
        ("handling_unit", "承办单位"),
    ],
    cells: |matter| {
        let Some(Event::Complained { verified }) = matter.event else {
            return None;
        };
        let complainant = Person((matter.enterprise.number + matter.place) % 400);
        let content = match matter.enterprise.trade.line {
            Line::FoodProduction(_) | Line::FoodSale => "反映购买的食品有异物或者超过保质期",
            Line::Catering => "反映用餐后身体不适",
            Line::EquipmentUse(_) | Line::EquipmentProduction(_) => "反映设备故障频繁、无人维护",
            Line::General => "反映商品质量与宣传不符",
        };
        Some(vec![
            Cell::Document(matter.number("TS")),
            matter.code(),
            matter.name(),
            Cell::Day(matter.on),
            plain(if matter.place.is_multiple_of(3) { "举报" } else { "投诉" }),
            sentence(format!("{}{content}", complainant.name())),
            plain(complainant.name()),
            plain(complainant.telephone()),
            flag(*verified),
            matter.station(),
        ])
    },
};

/// 年度报告 as they stand when the listing follows.
pub static ANNUAL_REPORTS: Sheet = Sheet {
    table: "annual_reports",
    told: Some(|matter| match matter.event {
        Some(Event::Reported { .. }) => [Some(matter.on), None],
        _ => NEVER,
    }),
    columns: &[
        ("annual_id", "年报id"),
        ("reg_no", "营业执照注册号"),
        ("uni_social_crd_cd", "统一社会信用代码"),
        ("comp_nm", "企业名称"),
        ("annual_year", "年报年度"),
        ("annual_date", "年度报告日期"),
        ("opt_stat", "营运状况"),
        ("employee_num", "从业人数"),
        ("status", "报送情况"),
        ("all_zero", "是否全零申报"),
    ],
    cells: |matter| match matter.event {
        Some(Event::Reported { year, report }) if *report != Report::Late => {
            Some(annual_report(matter, *year, *report))
        }
        _ => None,
    },
};

/// Reports handed in after the listing: rows that correct what was on record.
pub static LATE_ANNUAL_REPORTS: Sheet = Sheet {
    table: "annual_reports",
    told: Some(|matter| match matter.event {
        Some(Event::Reported { report: Report::Late, .. }) => [Some(matter.on), None],
        _ => NEVER,
    }),
    columns: &[
        ("annual_id", "年报id"),
        ("reg_no", "营业执照注册号"),
        ("uni_social_crd_cd", "统一社会信用代码"),
        ("comp_nm", "企业名称"),
        ("annual_year", "年报年度"),
        ("annual_date", "年度报告日期"),
        ("opt_stat", "营运状况"),
        ("employee_num", "从业人数"),
        ("status", "报送情况"),
        ("all_zero", "是否全零申报"),
        ("correction", "更正说明"),
    ],
    cells: |matter| match matter.event {
        Some(Event::Reported { year, report: Report::Late }) => {
            let mut cells = annual_report(matter, *year, Report::Late);
            cells.push(plain("列入经营异常名录后补报"));
            Some(cells)
        }
        _ => None,
    },
};

fn annual_report(matter: &Matter, year: i32, report: Report) -> Vec<Cell> {
    let enterprise = matter.enterprise;
    let filed = report != Report::Missing;
    let employees = match report {
        Report::AllZero => 0,
        _ if enterprise.form == Form::SelfEmployed => 1 + enterprise.number % 4,
        _ => 3 + enterprise.number % 60,
    };
    vec![
        plain(format!("NB{year}{:06}", enterprise.number)),
        plain(&enterprise.registration_number),
        matter.code(),
        matter.name(),
        plain(year.to_string()),
        Cell::Day(matter.on),
        if filed { plain("开业") } else { Cell::Absent },
        if filed { plain(employees.to_string()) } else { Cell::Absent },
        Cell::Choice(match report {
            Report::Filed | Report::AllZero => "已年报",
            Report::Missing => "未年报",
            Report::Late => "逾期补报",
        }),
        if filed { flag(report == Report::AllZero) } else { Cell::Absent },
    ]
}

/// 表彰奖励与认证
pub static HONOURS: Sheet = Sheet {
    table: "honours",
    told: Some(|matter| match matter.event {
        Some(Event::Honoured { .. }) => [Some(matter.on), None],
        _ => NEVER,
    }),
    columns: &[
        ("uni_social_crd_cd", "统一社会信用代码"),
        ("comp_nm", "企业名称"),
        ("name", "名称"),
        ("awarded_on", "授予日期"),
        ("certificate", "认证类别"),
        ("level", "级别"),
        ("valid_until", "有效期至"),
        ("authority", "授予机关"),
    ],
    cells: |matter| {
        let Some(Event::Honoured { honour }) = matter.event else {
            return None;
        };
        let (name, certificate, level, authority, years) = match honour {
            Honour::QualityAward => ("市长质量奖", "质量奖", "市级", "市人民政府", None),
            Honour::TrustedShop => ("放心消费示范单位", "其他", "县级", "新衡县市场监督管理局", Some(3)),
            Honour::Haccp => ("HACCP体系认证", "HACCP", "国家级", "演示认证有限公司", Some(3)),
        };
        Some(vec![
            matter.code(),
            matter.name(),
            plain(name),
            Cell::Day(matter.on),
            Cell::Choice(certificate),
            Cell::Choice(level),
            Cell::LastDay(years.map(|years| matter.on + Months::new(12 * years))),
            plain(authority),
        ])
    },
};

/// 关联关系: several enterprises at one address (一址多照).
pub static RELATIONS: Sheet = Sheet {
    table: "relations",
    told: None,
    columns: &[
        ("uni_social_crd_cd", "统一社会信用代码"),
        ("comp_nm", "企业名称"),
        ("relation", "关联类别"),
        ("count", "数量"),
        ("found_on", "统计日期"),
    ],
    cells: |matter| {
        let enterprise = matter.enterprise;
        if enterprise.at_address < 3 || !enterprise.open(matter.as_of) {
            return None;
        }
        Some(vec![
            matter.code(),
            matter.name(),
            Cell::Choice("一址多照"),
            plain(enterprise.at_address.to_string()),
            Cell::Day(matter.as_of),
        ])
    },
};

/// 信用风险等级: the province's, month by month, for companies only.
pub static RECEIVED_LEVELS: Sheet = Sheet {
    table: "received_levels",
    told: None,
    columns: &[
        ("uni_social_crd_cd", "统一社会信用代码"),
        ("level", "信用风险等级"),
        ("month", "月份"),
        ("edition", "版本"),
    ],
    cells: |matter| {
        let enterprise = matter.enterprise;
        let graded = matches!(enterprise.form, Form::Company | Form::SoleInvestment);
        if !graded || !enterprise.open(matter.as_of) {
            return None;
        }
        Some(vec![
            matter.code(),
            Cell::Choice(province_level(enterprise, matter.life, matter.as_of)),
            plain(matter.as_of.format("%Y-%m").to_string()),
            plain("第二版"),
        ])
    },
};
