//! The bureau of the demonstration county: its units, a person for each duty, and how they came in. All
//! through the use cases that a real bureau's administrators use.

use anyhow::Context as _;
use rand::RngExt;
use xinheng_app::Bureau;
use xinheng_app::act::Act;
use xinheng_app::people::{NewStaff, OneTimeSecret, UnitChange};
use xinheng_app::sign_in::{Credentials, SignIn};
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

/// Sets the bureau up; returns its accounts.
pub async fn set_up(bureau: &Bureau, seed: u64) -> anyhow::Result<Vec<Account>> {
    let act = Act::on_command_line("demo.set_up");
    let administrators = bureau.first_start(&act).await?;
    bureau.name_bureau(&act, REGION, &format!("{COUNTY}市场监督管理局（演示）")).await?;
    for (code, name, other_names, kind) in UNITS {
        let other_names: Vec<String> = other_names.iter().map(ToString::to_string).collect();
        let unit = UnitChange { name, other_names: &other_names, kind, in_use: true };
        bureau.add_unit(&act, code, &unit).await?;
    }
    let mut accounts: Vec<Account> = administrators
        .into_iter()
        .map(|OneTimeSecret { account, name, secret, .. }| Account {
            account,
            duty: format!("{name}（一次性口令）"),
            password: secret,
        })
        .collect();
    let mut random = randomness(seed, STREAM);
    for (account, name, unit, role) in STAFF {
        let new = NewStaff { account, name, unit, proposed: vec![role] };
        let secret = bureau.add_staff(&act, &new).await?;
        let person = bureau.staff_by_account(account).await?.context("刚添加的人员不见了")?;
        bureau.grant_roles(&act, person.number, [role]).await?;
        let password = password(|most| random.random_range(0..most));
        choose_password(bureau, account, &secret.secret, &password).await?;
        accounts.push(Account { account: account.to_owned(), duty: role.title().to_owned(), password });
    }
    Ok(accounts)
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
