//! The bureau of the demonstration county: its units, a person for each duty, and how they came in. All
//! through the use cases that a real bureau's administrators use.

use std::path::Path;

use anyhow::Context as _;
use rand::RngExt;
use xinheng_app::act::Act;
use xinheng_app::evidence::{ClockName, PublicationEvidence};
use xinheng_app::people::{NewStaff, OneTimeSecret, UnitChange};
use xinheng_app::sign_in::{Credentials, SignIn};
use xinheng_app::{Bureau, WrongInput};
use xinheng_core::approval::Action;
use xinheng_core::record::{Day, Seq};
use xinheng_core::staff::Role;
use xinheng_core::unit::UnitKind;

use super::county::{
    BRIGADE, CIRCULATION, CONSUMERS, CREDIT, EQUIPMENT, PRODUCTION, PROVINCE, REGISTRY, SAMPLING, STATIONS,
};
use super::population::randomness;
use super::words::{COUNTY, REGION};

/// Code, name, other names and kind of each unit.
const UNITS: [(&str, &str, &[&str], UnitKind); 12] = [
    ("XY", CREDIT, &["信用监督管理股"], UnitKind::Division),
    ("ZC", REGISTRY, &["登记注册股"], UnitKind::Division),
    ("SC", PRODUCTION, &["食品生产安全监管股"], UnitKind::Division),
    ("LT", CIRCULATION, &["食品经营股"], UnitKind::Division),
    ("CJ", SAMPLING, &[], UnitKind::Division),
    ("TS", EQUIPMENT, &["特种设备安全监察股"], UnitKind::Division),
    ("XB", CONSUMERS, &["消保股"], UnitKind::Division),
    ("JL", "局领导", &[], UnitKind::Division),
    ("JJ", "纪检监察组", &[], UnitKind::Division),
    ("ZF", BRIGADE, &["稽查大队", "执法大队"], UnitKind::Brigade),
    ("SJS", STATIONS, &["市监所"], UnitKind::Station),
    ("SJ", PROVINCE, &["省局"], UnitKind::Member),
];

/// Account, name, unit and role of each person. The names say the duty: nobody is meant.
const STAFF: [(&str, &str, &str, Role); 7] = [
    ("xinyong", "演示信用员", "XY", Role::CreditSupervisor),
    ("shenhe", "演示审核员", "XY", Role::Reviewer),
    ("shengchan", "演示生产股员", "SC", Role::Handler),
    ("zhifa", "演示执法员", "ZF", Role::Handler),
    ("fuhe", "演示执法复核员", "ZF", Role::Reviewer),
    ("juzhang", "演示局长", "JL", Role::Leader),
    ("jijian", "演示纪检员", "JJ", Role::Inspectorate),
];

/// Account, name and unit of each inspector, and the row of the directory after the account.
const INSPECTORS: [(&str, &str, &str, &str); 12] = [
    ("jc01", "演示检查员甲", "SC", "41990001,2028-06-30,,,食品生产、特殊食品,是,,20,,"),
    ("jc02", "演示检查员乙", "SC", "41990002,2027-12-31,,,食品生产、特殊食品,是,,20,,"),
    ("jc03", "演示检查员丙", "SC", "41990003,2027-03-31,,,食品生产,否,,20,,"),
    ("jc04", "演示检查员丁", "LT", "41990004,2028-06-30,,,食品生产,否,,15,,"),
    ("jc05", "演示检查员戊", "TS", "41990005,2028-06-30,特监990005,2027-09-30,,是,,15,,"),
    ("jc06", "演示检查员己", "TS", "41990006,2028-06-30,特监990006,2027-09-30,,否,,15,,"),
    ("jc07", "演示检查员庚", "ZF", "41990007,2028-06-30,,,食品生产、特殊食品,是,,20,,"),
    ("jc08", "演示检查员辛", "ZF", "41990008,2028-06-30,,,食品生产,否,,20,,"),
    ("jc09", "演示检查员壬", "SJS", "41990009,2028-06-30,,,食品生产,是,,20,,"),
    ("jc10", "演示检查员癸", "SJS", "41990010,2028-06-30,,,食品生产,否,,20,,"),
    ("jc11", "演示检查员子", "SJS", "41990011,2028-06-30,,,食品生产,否,,20,,"),
    ("jc12", "演示检查员丑", "SJS", "41990012,2028-06-30,,,食品生产,否,,10,,"),
];
/// Headings of the directory of inspectors, as a bureau hands it in.
const DIRECTORY: &str = "账号,行政执法证号,行政执法证有效期至,专业证号,专业证有效期至,检查资格,可任组长,责任片区,每批最多承担户数,请假,回避企业";

/// Accounts of those who propose and review proofs of publication.
const CREDIT_CLERK: &str = "xinyong";
const BRIGADE_CLERK: &str = "zhifa";
const REVIEWER: &str = "shenhe";
/// Clocks looked at for one to propose a proof for.
const PROPOSED_AT_MOST: u64 = 5;
/// Alerts that are answered at a time.
const ANSWERED_AT_ONCE: u64 = 100;

/// An account of the demonstration, with what opens it.
pub struct Account {
    /// 账号
    pub account: String,
    /// 角色
    pub duty: String,
    /// Its password; for the administrators a one-time secret, so that their first sign-in can be seen.
    pub password: String,
}

/// Stream of the passwords' randomness, apart from the county's own.
const STREAM: u64 = 0x5041_5353;

/// Opens the bureau: its name and its units.
pub async fn open(bureau: &Bureau) -> anyhow::Result<()> {
    let act = Act::on_command_line("demo.set_up");
    bureau.name_bureau(&act, REGION, &format!("{COUNTY}市场监督管理局（演示）")).await?;
    for (code, name, other_names, kind) in UNITS {
        let other_names: Vec<String> = other_names.iter().map(ToString::to_string).collect();
        let unit = UnitChange { name, other_names: &other_names, kind, in_use: true };
        bureau.add_unit(&act, code, &unit).await?;
    }
    Ok(())
}

/// Gives the bureau its people, who can act from then on.
pub async fn staff(bureau: &Bureau) -> anyhow::Result<()> {
    let act = Act::on_command_line("demo.set_up");
    bureau.first_start(&act).await?;
    for (account, name, unit, role) in STAFF {
        add(bureau, &act, account, name, unit, role).await?;
    }
    Ok(())
}

async fn add(bureau: &Bureau, act: &Act, account: &str, name: &str, unit: &str, role: Role) -> anyhow::Result<()> {
    bureau.add_staff(act, &NewStaff { account, name, unit, proposed: vec![role] }).await?;
    let person = bureau.staff_by_account(account).await?.context("刚添加的人员不见了")?;
    bureau.grant_roles(act, person.number, [role]).await?;
    Ok(())
}

/// Opens the accounts: the three administrators with one-time secrets, the others with passwords of today, or nobody
/// could use them.
pub async fn accounts(bureau: &Bureau, seed: u64) -> anyhow::Result<Vec<Account>> {
    let act = Act::on_command_line("demo.set_up");
    let mut accounts = Vec::new();
    for person in bureau.staff(None, 0, STAFF.len() as u64).await? {
        if person.duties.are_administrative() {
            let OneTimeSecret { account, name, secret, .. } = bureau.reset_secret(&act, person.number).await?;
            accounts.push(Account { account, duty: format!("{name}（一次性口令）"), password: secret });
        }
    }
    let mut random = randomness(seed, STREAM);
    let signing_in = STAFF.iter().map(|(account, _, _, role)| (*account, role.title()));
    for (account, duty) in signing_in.chain([(INSPECTORS[0].0, "检查人员")]) {
        let person = bureau.staff_by_account(account).await?.context("演示人员不见了")?;
        let secret = bureau.reset_secret(&act, person.number).await?;
        let password = password(|most| random.random_range(0..most));
        choose_password(bureau, account, &secret.secret, &password).await?;
        accounts.push(Account { account: account.to_owned(), duty: duty.to_owned(), password });
    }
    Ok(accounts)
}

/// Gives the bureau its inspectors, whose directory comes from a file as in a real bureau.
pub async fn inspectors(bureau: &Bureau, folder: &Path) -> anyhow::Result<()> {
    let act = Act::on_command_line("demo.set_up");
    let mut rows = format!("{DIRECTORY}\n");
    for (account, name, unit, row) in INSPECTORS {
        add(bureau, &act, account, name, unit, Role::Handler).await?;
        rows += &format!("{account},{row}\n");
    }
    let file = folder.join("执法检查人员名录.csv");
    std::fs::write(&file, rows).with_context(|| format!("写不成“{}”", file.display()))?;
    let act = bureau.act_of(CREDIT_CLERK, "inspector.import").await?;
    let outcome = bureau.import_inspectors(&act, &file, None).await?;
    anyhow::ensure!(outcome.refused == 0, "演示的检查人员名录有 {} 行没有通过", outcome.refused);
    Ok(())
}

/// Three proofs of publication (公示凭证) under way: one passed, one waiting for its review, one sent back.
/// Whoever has no open clock proposes nothing.
pub async fn propose_and_decide(bureau: &Bureau, today: Day) -> anyhow::Result<()> {
    if let Some(matter) = propose(bureau, CREDIT_CLERK, today, "GSX-0001").await? {
        review(bureau, REVIEWER, matter, Action::Review, None).await?;
    }
    if propose(bureau, BRIGADE_CLERK, today, "GSX-0002").await?.is_none() {
        // In a small county the brigade may owe nothing.
        propose(bureau, CREDIT_CLERK, today, "GSX-0002").await?;
    }
    if let Some(matter) = propose(bureau, CREDIT_CLERK, today, "GSX-0003").await? {
        review(bureau, REVIEWER, matter, Action::SendBack, Some("公示编号在国家系统上查不到，请核对后重新提交"))
            .await?;
    }
    Ok(())
}

/// The desk answers the alerts of a month; those of the last one are left for whoever looks around.
pub async fn answer_alerts(bureau: &Bureau) -> anyhow::Result<()> {
    let act = bureau.act_of(CREDIT_CLERK, "alert.answer").await?;
    loop {
        let open = bureau.open_alerts(act.signed_in()?, None, ANSWERED_AT_ONCE).await?.lines;
        if open.is_empty() {
            return Ok(());
        }
        for alert in open {
            bureau.answer_alert(&act, alert.clock.seq, "no_action", "演示：已核对记录，按计划检查").await?;
        }
    }
}

/// The most urgent of the person's clocks for which no proof is proposed yet.
async fn propose(bureau: &Bureau, account: &str, today: Day, place: &str) -> anyhow::Result<Option<Seq>> {
    let act = bureau.act_of(account, "publication.propose").await?;
    let page = bureau.open_clocks(act.signed_in()?, None, PROPOSED_AT_MOST).await?;
    for clock in page.lines.into_iter().filter(|clock| clock.ends_by_evidence && clock.started_on <= today) {
        let evidence = PublicationEvidence {
            clocks: vec![ClockName { rule: clock.rule, seq: clock.seq.0 }],
            published_on: today,
            place: place.to_owned(),
            note: None,
        };
        match bureau.propose_evidence(&act, None, &evidence).await {
            Ok(matter) => return Ok(Some(matter)),
            // It is in a matter already.
            Err(error) if error.is::<WrongInput>() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

async fn review(
    bureau: &Bureau,
    account: &str,
    matter: Seq,
    action: Action,
    opinion: Option<&str>,
) -> anyhow::Result<()> {
    let act = bureau.act_of(account, "matter.review").await?;
    bureau.decide_matter(&act, matter, action, opinion).await?;
    Ok(())
}

/// As the person does at the first sign-in.
async fn choose_password(bureau: &Bureau, account: &str, secret: &str, password: &str) -> anyhow::Result<()> {
    let act = Act { event: "session.sign_in", ..Act::on_command_line("session.sign_in") };
    let credentials = Credentials { account, password: secret, code: None };
    let SignIn::Welcome(welcome) = bureau.sign_in(&act, &credentials, "演示").await? else {
        anyhow::bail!("演示账号 {account} 的一次性口令没有被接受")
    };
    let own = Act { event: "account.password", actor: Some(welcome.session.actor.clone()), ..act };
    bureau.change_password(&own, None, password).await?;
    bureau.sign_out(&Act { event: "session.sign_out", ..own }).await
}

/// Four groups of letters and digits that nobody can guess and everybody can type.
fn password(mut choose: impl FnMut(usize) -> usize) -> String {
    const CONSONANTS: &[u8] = b"bcdfghkmnprstvwz";
    const VOWELS: &[u8] = b"aeiou";
    const DIGITS: &[u8] = b"23456789";
    let mut text = String::new();
    for group in 0..4 {
        if group > 0 {
            text.push('-');
        }
        let mut pick = |letters: &[u8]| char::from(letters[choose(letters.len())]);
        text.push(pick(CONSONANTS).to_ascii_uppercase());
        text.push(pick(VOWELS));
        text.push(pick(CONSONANTS));
        text.push(pick(DIGITS));
    }
    text
}
