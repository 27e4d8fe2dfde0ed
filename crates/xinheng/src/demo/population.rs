//! The county's enterprises: who they are, where, since when, and how careless.

use std::collections::{HashMap, HashSet};

use chrono::{Datelike, TimeDelta};
use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use xinheng_core::credit_code::CreditCode;
use xinheng_core::record::Day;

use super::people::{CANARIES, Person};
use super::words::{COUNTY, FANCY_FIRST, FANCY_SECOND, REGION, ROADS, SHARED_PREMISES, TOWNS, TRADES, Trade};

/// An enterprise of the county.
pub struct Enterprise {
    /// Its number; also the stream of randomness its records come from.
    pub number: u32,
    pub code: CreditCode,
    pub registration_number: String,
    pub main_identity: String,
    pub name: String,
    pub trade: &'static Trade,
    pub form: Form,
    pub town: usize,
    /// 注册资本, in 万元.
    pub capital: u32,
    pub established_on: Day,
    /// What the register said from which day on; the first is the establishment.
    versions: Vec<Version>,
    /// 注销, 吊销
    pub closed: Option<(Day, Closure)>,
    /// Hidden quality, 0 to 999: how likely each visit, sample and deadline goes wrong.
    pub carelessness: u32,
    /// How many enterprises, itself among them, have its address.
    pub at_address: u32,
    /// Whether it is in the county's register at all; others are registered elsewhere, and their
    /// records wait.
    pub registered_here: bool,
}

/// Form of business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Company,
    SoleInvestment,
    Cooperative,
    SelfEmployed,
}

/// How an enterprise ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closure {
    Deregistered,
    Revoked,
}

#[derive(Clone)]
struct Version {
    approved_on: Day,
    person: Person,
    address: String,
}

/// What the register says of an enterprise on a day.
pub struct Standing<'a> {
    pub approved_on: Day,
    pub person: Person,
    pub address: &'a str,
    pub closure: Option<Closure>,
}

impl Form {
    /// 类型, in the register's words.
    pub fn title(self) -> &'static str {
        match self {
            Self::Company => "有限责任公司(自然人投资或控股)",
            Self::SoleInvestment => "个人独资企业",
            Self::Cooperative => "农民专业合作社",
            Self::SelfEmployed => "个体工商户",
        }
    }

    /// 登记主体类别
    pub fn class(self) -> &'static str {
        match self {
            Self::Company | Self::SoleInvestment => "企业",
            Self::Cooperative => "农民专业合作社",
            Self::SelfEmployed => "个体工商户",
        }
    }

    /// First two characters of the credit code: registering department and type.
    fn prefix(self) -> &'static str {
        match self {
            Self::Company | Self::SoleInvestment => "91",
            Self::SelfEmployed => "92",
            Self::Cooperative => "93",
        }
    }
}

impl Enterprise {
    /// What the register says on that day; `None` before the establishment.
    pub fn standing(&self, day: Day) -> Option<Standing<'_>> {
        let version = self.versions.iter().rev().find(|version| version.approved_on <= day)?;
        let closed = self.closed.filter(|(closed_on, _)| *closed_on <= day);
        Some(Standing {
            approved_on: closed.map_or(version.approved_on, |(closed_on, _)| closed_on),
            person: version.person,
            address: &version.address,
            closure: closed.map(|(_, closure)| closure),
        })
    }

    /// The days on which its registration changed.
    pub fn changes(&self) -> impl Iterator<Item = Day> + '_ {
        self.versions[1..].iter().map(|version| version.approved_on)
    }

    /// Its present address.
    fn address(&self) -> &str {
        &self.versions[self.versions.len() - 1].address
    }

    /// The person behind it on that day.
    pub fn person(&self, day: Day) -> Person {
        self.standing(day).map_or(self.versions[0].person, |standing| standing.person)
    }

    /// Whether it is open on that day.
    pub fn open(&self, day: Day) -> bool {
        self.established_on <= day && self.closed.is_none_or(|(closed_on, _)| day < closed_on)
    }

    /// Its last day in the county's records.
    pub fn last_day(&self, until: Day) -> Day {
        self.closed.map_or(until, |(closed_on, _)| closed_on)
    }
}

/// A source of randomness of its own for each number, so that what happens to one enterprise does not
/// depend on the others.
pub fn randomness(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(stream);
    random
}

/// The first working day from that day on. Weekends and the great holidays, roughly.
pub fn working_day(mut day: Day) -> Day {
    while day.weekday().number_from_monday() > 5
        || matches!((day.month(), day.day()), (1, 1 | 26..) | (2, 1..=8) | (5, 1..=5) | (10, 1..=7))
    {
        day += TimeDelta::days(1);
    }
    day
}

/// Stream of the population itself; enterprises have the streams of their numbers.
const POPULATION: u64 = u64::MAX;
/// How far back registrations go.
const REGISTER_DAYS: i64 = 20 * 365;

/// Makes the enterprises, the same for the same seed.
pub fn populate(seed: u64, count: usize, until: Day) -> Vec<Enterprise> {
    let mut random = randomness(seed, POPULATION);
    let trades = WeightedIndex::new(TRADES.iter().map(|trade| trade.weight)).expect("weights are positive");
    let towns = WeightedIndex::new(TOWNS.iter().map(|town| town.weight)).expect("weights are positive");
    let mut names = HashSet::with_capacity(count);
    let mut enterprises: Vec<Enterprise> = (0..count)
        .map(|place| {
            let number = u32::try_from(place).expect("a county has fewer than 2^32 enterprises");
            let trade = &TRADES[trades.sample(&mut random)];
            let town = towns.sample(&mut random);
            enterprise(&mut random, &mut names, number, trade, town, count, until)
        })
        .collect();
    let mut at_address: HashMap<String, u32> = HashMap::new();
    for enterprise in &enterprises {
        *at_address.entry(enterprise.address().to_owned()).or_default() += 1;
    }
    for enterprise in &mut enterprises {
        enterprise.at_address = at_address[enterprise.address()];
    }
    enterprises
}

fn enterprise(
    random: &mut ChaCha8Rng,
    names: &mut HashSet<String>,
    number: u32,
    trade: &'static Trade,
    town: usize,
    count: usize,
    until: Day,
) -> Enterprise {
    let form = form(random, trade);
    // Young enterprises are many: the square of a uniform number leans towards zero.
    let youth = i64::from(random.random_range(0..1000u32).pow(2));
    let established_on = working_day(until - TimeDelta::days(30 + REGISTER_DAYS * youth / 1_000_000));
    let person = person(random, number, count);
    let address = address(random, number, town);
    let name = loop {
        let name = name(random, trade, form, town);
        if names.insert(name.clone()) {
            break name;
        }
    };
    // The cube leans further: most are careful, a few are not.
    let carelessness =
        u32::try_from(u64::from(random.random_range(0..1000u32)).pow(3) / 1_000_000).expect("below 1000");
    let closed = closure(random, form, carelessness, established_on, until);
    let mut versions = vec![Version { approved_on: established_on, person, address }];
    change(random, &mut versions, number, town, closed.map_or(until, |(day, _)| day));
    Enterprise {
        number,
        code: code(form, number, established_on),
        registration_number: format!("{REGION}{}{number:08}", if form == Form::SelfEmployed { 6 } else { 0 }),
        main_identity: format!("{REGION}{:010}", u64::from(number) * 37 + 1_000_003),
        name,
        trade,
        form,
        town,
        capital: match form {
            Form::SelfEmployed => random.random_range(1..20),
            _ => *[10, 50, 100, 200, 500, 1000, 3000].choose(random).expect("not empty"),
        },
        established_on,
        versions,
        closed,
        carelessness,
        at_address: 1,
        // The canaries have to be in the register.
        registered_here: number_of_canary(number, count).is_some() || !random.random_ratio(6, 1000),
    }
}

fn form(random: &mut ChaCha8Rng, trade: &Trade) -> Form {
    if !random.random_ratio(trade.companies, 100) {
        return Form::SelfEmployed;
    }
    match (trade.industry_code, random.random_range(0..10)) {
        ("0111", 0..6) => Form::Cooperative,
        (_, 0) if trade.companies < 100 => Form::SoleInvestment,
        _ => Form::Company,
    }
}

/// Which canary the enterprise belongs to: they stand evenly in the county.
fn number_of_canary(number: u32, count: usize) -> Option<u32> {
    let step = u32::try_from(count / CANARIES.len()).expect("a county has fewer than 2^32 enterprises").max(1);
    (number.is_multiple_of(step) && (number / step) < u32::try_from(CANARIES.len()).expect("a few"))
        .then_some(number / step)
}

/// Most enterprises have a person of their own; a few share one (一人多照).
fn person(random: &mut ChaCha8Rng, number: u32, count: usize) -> Person {
    let canaries = u32::try_from(CANARIES.len()).expect("a few");
    if let Some(canary) = number_of_canary(number, count) {
        return Person(canary);
    }
    let shared = random.random_ratio(4, 100).then(|| random.random_range(0..=number / 8) * 8);
    Person(canaries + shared.unwrap_or(number))
}

fn address(random: &mut ChaCha8Rng, number: u32, town: usize) -> String {
    if random.random_ratio(2, 100) {
        let (premises, town) = SHARED_PREMISES.choose(random).expect("not empty");
        return format!("{COUNTY}{}{premises}", TOWNS[*town].name);
    }
    let road = ROADS.choose(random).expect("not empty");
    let house = random.random_range(1..400);
    if random.random_ratio(1, 5) {
        format!("{COUNTY}{}{road}{house}号附{}号", TOWNS[town].name, 1 + number % 9)
    } else {
        format!("{COUNTY}{}{road}{house}号", TOWNS[town].name)
    }
}

fn name(random: &mut ChaCha8Rng, trade: &Trade, form: Form, town: usize) -> String {
    let first = FANCY_FIRST.choose(random).expect("not empty");
    let second = FANCY_SECOND.choose(random).expect("not empty");
    let fancy = if first == second { format!("{first}{first}") } else { format!("{first}{second}") };
    let word = trade.word;
    match form {
        Form::Company => format!("{COUNTY}{fancy}{word}有限公司"),
        Form::SoleInvestment => format!("{COUNTY}{fancy}{word}厂（个人独资）"),
        Form::Cooperative => format!("{COUNTY}{fancy}{word}专业合作社"),
        Form::SelfEmployed => {
            let shop = trade.shops.choose(random).expect("not empty");
            format!("{COUNTY}{}{fancy}{word}{shop}", TOWNS[town].short)
        }
    }
}

/// Codes begin with the unassigned region, so that no invented violation meets a real firm. Those
/// from before the unified code (2015-10-01) carry an old organisation code of digits.
fn code(form: Form, number: u32, established_on: Day) -> CreditCode {
    let prefix = format!("{}{REGION}", form.prefix());
    // The factors share none with the number of codes, so that no two enterprises get the same.
    let organisation = if established_on.year() >= 2016 {
        let mut rest = u64::from(number) * 48_611_723 % 30_u64.pow(6);
        let mut letters = String::from("MA");
        for _ in 0..6 {
            letters.push(char::from(b"0123456789ABCDEFGHJKLMNPQRTUWX"[usize::try_from(rest % 30).expect("below 30")]));
            rest /= 30;
        }
        letters
    } else {
        format!("{:08}", u64::from(number) * 48_611_723 % 100_000_000)
    };
    CreditCode::compose(&prefix, &organisation).expect("its parts have the form of a code")
}

fn closure(
    random: &mut ChaCha8Rng,
    form: Form,
    carelessness: u32,
    established_on: Day,
    until: Day,
) -> Option<(Day, Closure)> {
    let age = (until - established_on).num_days();
    let rate = if form == Form::SelfEmployed { 16 } else { 9 };
    if age < 400 || !random.random_ratio(rate, 100) {
        return None;
    }
    let closed_on = working_day(established_on + TimeDelta::days(random.random_range(200..age - 14)));
    let revoked = form != Form::SelfEmployed && random.random_range(0..2000) < carelessness;
    Some((closed_on, if revoked { Closure::Revoked } else { Closure::Deregistered }))
}

/// Some move, some are sold.
fn change(random: &mut ChaCha8Rng, versions: &mut Vec<Version>, number: u32, town: usize, last_day: Day) {
    let established_on = versions[0].approved_on;
    let days = (last_day - established_on).num_days();
    if days < 200 || !random.random_ratio(22, 100) {
        return;
    }
    let approved_on = working_day(established_on + TimeDelta::days(random.random_range(90..days - 30)));
    let mut version = versions[0].clone();
    version.approved_on = approved_on;
    if random.random_ratio(1, 2) && version.person.0 as usize >= CANARIES.len() {
        version.person = Person(version.person.0 + 7);
    } else {
        version.address = address(random, number, town);
    }
    versions.push(version);
}

#[cfg(test)]
mod tests {
    use super::super::words::Line;
    use super::*;

    fn day() -> Day {
        Day::from_ymd_opt(2026, 11, 20).expect("a day")
    }

    /// First two digits of the region codes of GB/T 2260.
    const PROVINCES: [&str; 34] = [
        "11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37", "41", "42", "43",
        "44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "71", "81", "82",
    ];

    #[test]
    fn codes_are_valid_unique_and_in_no_assigned_region() {
        let county = populate(1, 20_000, day());
        let codes: HashSet<CreditCode> = county.iter().map(|enterprise| enterprise.code).collect();
        assert_eq!(codes.len(), county.len());
        for enterprise in &county {
            assert_eq!(enterprise.code.as_str().parse(), Ok(enterprise.code));
            assert!(enterprise.code.organisation_check_holds());
            assert!(!PROVINCES.contains(&&enterprise.code.region()[..2]));
        }
    }

    #[test]
    fn no_two_enterprises_have_the_same_name() {
        let county = populate(2, 20_000, day());
        let names: HashSet<&str> = county.iter().map(|enterprise| enterprise.name.as_str()).collect();
        assert_eq!(names.len(), county.len());
    }

    #[test]
    fn the_register_knows_an_enterprise_from_its_establishment_on() {
        for enterprise in populate(3, 2_000, day()) {
            assert!(enterprise.standing(enterprise.established_on - TimeDelta::days(1)).is_none());
            let standing = enterprise.standing(day()).expect("established before");
            assert!(enterprise.established_on <= standing.approved_on && standing.approved_on <= day());
            assert!(enterprise.versions.is_sorted_by_key(|version| version.approved_on));
            assert_eq!(standing.closure.is_none(), enterprise.open(day()));
        }
    }

    #[test]
    fn the_county_looks_like_one() {
        let county = populate(4, 5_000, day());
        let share = |test: &dyn Fn(&Enterprise) -> bool| county.iter().filter(|enterprise| test(enterprise)).count();
        let producers = share(&|enterprise| matches!(enterprise.trade.line, Line::FoodProduction(_)));
        assert!((150..450).contains(&producers), "{producers} food producers");
        let self_employed = share(&|enterprise| enterprise.form == Form::SelfEmployed);
        assert!((2_500..4_000).contains(&self_employed), "{self_employed} individual businesses");
        let careless = share(&|enterprise| enterprise.carelessness > 700);
        assert!((300..800).contains(&careless), "{careless} careless ones");
        let closed = share(&|enterprise| enterprise.closed.is_some());
        assert!((300..1_000).contains(&closed), "{closed} closed");
    }
}
