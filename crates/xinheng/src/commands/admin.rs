//! `xinheng admin`: for whoever runs the machine, above all to bring back in who is locked out.

use serde_json::json;
use xinheng_app::act::Act;
use xinheng_app::people::{NewStaff, OneTimeSecret, StaffMember, UnitChange};
use xinheng_app::{Bureau, WrongInput};
use xinheng_core::staff::Role;

use super::{Ending, open};
use crate::arguments::{Admin, Options, Unit, User};
use crate::output::{print_json, say_line};

/// People read at a time.
const PAGE: u64 = 500;

pub async fn run(options: &Options, command: &Admin) -> anyhow::Result<Ending> {
    let bureau = open(options).await?;
    match command {
        Admin::User(command) => user(&bureau, options.json, command).await?,
        Admin::Unit(command) => unit(&bureau, options.json, command).await?,
    }
    Ok(Ending::Done)
}

async fn user(bureau: &Bureau, json: bool, command: &User) -> anyhow::Result<()> {
    match command {
        User::List => {
            let mut after = 0;
            loop {
                let page = bureau.staff(None, after, PAGE).await?;
                page.iter().try_for_each(|person| show(person, json))?;
                match page.last() {
                    Some(last) => after = last.number,
                    None => return Ok(()),
                }
            }
        }
        User::Add { account, name, unit } => {
            let new = NewStaff { account, name, unit, proposed: Vec::new() };
            hand_out(&bureau.add_staff(&Act::on_command_line("staff.add"), &new).await?, json)
        }
        User::Role { account, roles } => {
            let person = known(bureau, account).await?;
            bureau.grant_roles(&Act::on_command_line("staff.roles"), person.number, roles.iter().copied()).await?;
            show(&known(bureau, account).await?, json)
        }
        User::Reset { account, second_factor } => {
            let person = known(bureau, account).await?;
            if *second_factor {
                bureau.reset_second_factor(&Act::on_command_line("staff.second_factor"), person.number).await?;
            }
            hand_out(&bureau.reset_secret(&Act::on_command_line("staff.secret"), person.number).await?, json)
        }
    }
}

async fn unit(bureau: &Bureau, json: bool, command: &Unit) -> anyhow::Result<()> {
    let units = match command {
        Unit::List => bureau.units().await?,
        Unit::Add { code, name, kind, also } => {
            let change = UnitChange { name, other_names: also, kind: *kind, in_use: true };
            vec![bureau.add_unit(&Act::on_command_line("unit.add"), code, &change).await?]
        }
    };
    for unit in units {
        if json {
            let kind = unit.kind.to_string();
            print_json(&json!({
                "code": unit.code, "name": unit.name, "other_names": unit.other_names, "kind": kind, "in_use": unit.in_use,
            }))?;
        } else {
            let state = if unit.in_use { "在用" } else { "停用" };
            say_line(format_args!(
                "{}\t{}\t{}\t{state}\t{}",
                unit.code,
                unit.name,
                unit.kind.title(),
                unit.other_names.join("、")
            ))?;
        }
    }
    Ok(())
}

async fn known(bureau: &Bureau, account: &str) -> anyhow::Result<StaffMember> {
    let person = bureau.staff_by_account(account).await?;
    Ok(person.ok_or_else(|| WrongInput(format!("没有账号“{account}”。用 xinheng admin user list 查看全部账号")))?)
}

fn show(person: &StaffMember, json: bool) -> anyhow::Result<()> {
    let unit = person.unit.as_deref().unwrap_or_default();
    if json {
        let roles: Vec<String> = person.duties.roles().map(|role| role.to_string()).collect();
        return print_json(&json!({
            "number": person.number, "account": person.account, "name": person.name, "unit": unit, "roles": roles,
            "in_use": person.in_use, "intact": person.intact,
        }));
    }
    let roles: Vec<&str> = person.duties.roles().map(Role::title).collect();
    let state = match (person.intact, person.in_use, person.locked_until) {
        (false, ..) => "数据被改动",
        (_, false, _) => "停用",
        (_, _, Some(_)) => "锁定",
        _ => "在用",
    };
    say_line(format_args!("{}\t{}\t{unit}\t{}\t{state}", person.account, person.name, roles.join("、")))
}

fn hand_out(secret: &OneTimeSecret, json: bool) -> anyhow::Result<()> {
    if json {
        return print_json(secret);
    }
    say_line(format_args!("{}（{}）的一次性口令：{}", secret.account, secret.name, secret.secret))?;
    say_line("只显示这一次；72 小时内用它登录一次，随即改为自己的口令")
}
