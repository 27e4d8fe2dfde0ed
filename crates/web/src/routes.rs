//! The one table of routes (路由表): everything the site answers to, by audience. Its text is a snapshot
//! (`tests/routes.rs`), so that no route comes, goes or opens by accident.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::get as plain;
use xinheng_core::staff::Permission::{
    Approve, Export, HandIn, Handle, ManageRoles, ManageStaff, OwnAccount, Plan, ReadAudit, ReadCollection, ReadPlans,
    ReadRecords, Review, SignRules, Unmask,
};

use crate::Site;
use crate::assets;
use crate::form::LARGEST_UPLOAD;
use crate::guard::{guard, nowhere};
use crate::jobs::{GIVE_UP, HAND_IN};
use crate::pages::desk::{
    classification, collection, draws as draws_desk, enterprises, inspectors, levels, notice, plans, publication,
    rules, todo, visits,
};
use crate::pages::{account, admin, draws, public};
use crate::route::Audience::{Public, Staff};
use crate::route::{Body, Route, get, post};
use crate::serve::layered;

/// All routes.
#[must_use]
#[rustfmt::skip]
pub fn routes() -> Vec<Route> {
    vec![
        // The public.
        get("/", "企业信用信息查询", Public, public::home),
        get("/search", "查找企业", Public, public::search),
        get("/enterprise/{code}", "企业公示信息", Public, public::enterprise),
        get("/bulletins", "名录公告", Public, public::bulletins),
        get("/bulletins/{list}", "名录公告", Public, public::bulletin),
        get("/ledger", "数据校验", Public, public::ledger),
        get("/items", "抽查事项清单", Public, draws::items),
        get("/draws", "公开抽查", Public, draws::list),
        get("/draws/check", "核验摇号证书", Public, public::check),
        get("/draws/{draw}", "摇号证书", Public, draws::draw),
        get("/draws/{draw}/certificate.json", "摇号证书文件", Public, draws::certificate),
        get("/draws/{draw}/names.json", "检查对象名单文件", Public, draws::names),
        get("/draws/{draw}/screen", "抽查现场", Public, draws::screen),
        get("/about", "使用说明与无障碍声明", Public, public::about),
        get("/type", "字号", Public, account::type_size),

        // Sign-in and the own account.
        get("/sign-in", "登录", Public, account::sign_in_page),
        post("/sign-in", "登录", Public, "session.sign_in", account::sign_in),
        post("/account/confirm", "再次验证口令", Staff(OwnAccount), "session.confirm", account::confirm_identity),
        post("/sign-out", "退出", Staff(OwnAccount), "session.sign_out", account::sign_out),
        get("/account", "我的账号", Staff(OwnAccount), account::account),
        get("/account/changed", "账号已更新", Staff(OwnAccount), account::changed),
        get("/account/password", "修改口令", Staff(OwnAccount), account::password_page),
        post("/account/password", "修改口令", Staff(OwnAccount), "account.password", account::change_password),
        get("/account/second-factor", "动态口令", Staff(OwnAccount), account::second_factor_page),
        post("/account/second-factor", "生成动态口令密钥", Staff(OwnAccount), "account.enrol", account::enrol),
        post("/account/second-factor/confirm", "启用动态口令", Staff(OwnAccount), "account.second_factor", account::confirm),
        post("/account/sessions/{number}/end", "结束自己的会话", Staff(OwnAccount), "session.end", account::end_session),

        // The desk.
        get("/desk", "待办", Staff(ReadRecords), todo::todo),
        get("/desk/enterprises", "企业", Staff(ReadRecords), enterprises::list),
        get("/desk/enterprises.xlsx", "导出企业名单", Staff(Export), enterprises::export).audited("enterprise.export"),
        get("/desk/enterprises/{code}", "企业全貌", Staff(ReadRecords), enterprises::profile),
        get("/desk/enterprises/{code}/notice", "等级告知书", Staff(Handle), notice::show).audited("level.tell"),
        post("/desk/enterprises/{code}/measures", "登记监管措施", Staff(Handle), "measure.record", enterprises::record_measure),
        post("/desk/enterprises/{code}/adjustment", "提出等级调整", Staff(Handle), "level.propose", enterprises::adjust),
        get("/desk/alerts", "风险预警", Staff(ReadRecords), levels::alerts),
        post("/desk/records/{seq}/answer", "答复预警", Staff(Handle), "alert.answer", enterprises::answer),
        get("/desk/records/{seq}", "记录", Staff(ReadRecords), enterprises::record),
        post("/desk/records/{seq}/unmask", "查看个人信息", Staff(Unmask), "record.unmask", enterprises::unmask),
        get("/desk/collection", "数据归集", Staff(ReadCollection), collection::list),
        post("/desk/collection", "上传文件", Staff(HandIn), HAND_IN, collection::hand_in).with_upload(),
        get("/desk/collection/jobs/{id}", "办理进度", Staff(ReadCollection), collection::job),
        post("/desk/collection/jobs/{id}", "选定数据表", Staff(HandIn), HAND_IN, collection::choose),
        get("/desk/collection/{number}", "报送批次", Staff(ReadCollection), collection::submission),
        get("/desk/collection/{number}/errors.xlsx", "下载错误表", Staff(HandIn), collection::errors).audited("collection.take_errors"),
        get("/desk/collection/{number}/receipt.json", "下载回执", Staff(ReadCollection), collection::receipt),
        get("/desk/classification", "风险分类", Staff(ReadRecords), classification::table),
        get("/desk/classification/runs/{run}", "分类变化", Staff(ReadRecords), classification::changes),
        get("/desk/classification/differences", "下发与本局等级的差异", Staff(ReadRecords), classification::differences),
        get("/desk/classification/grading", "年度风险等级评定", Staff(ReadRecords), levels::grading),
        get("/desk/classification/grading.xlsx", "导出年度评定表", Staff(Export), levels::grading_file).audited("grading.export"),
        get("/desk/publication", "公示办理", Staff(ReadCollection), publication::list),
        post("/desk/publication", "填报公示凭证", Staff(Handle), "publication.propose", publication::propose),
        get("/desk/matters", "待办审批", Staff(ReadCollection), publication::matters),
        get("/desk/matters/{number}", "审批事项", Staff(ReadCollection), publication::matter),
        post("/desk/matters/{number}/review", "审核", Staff(Review), "matter.review", publication::review),
        post("/desk/matters/{number}/approve", "审批", Staff(Approve), "matter.approve", publication::approve),
        post("/desk/matters/{number}/handle", "重新提交或撤回", Staff(Handle), "matter.handle", publication::handle),
        get("/desk/plans", "抽查计划", Staff(ReadPlans), plans::list),
        get("/desk/plans/new", "新建抽查计划", Staff(Plan), plans::new),
        post("/desk/plans/new", "提交抽查计划", Staff(Plan), "plan.propose", plans::propose),
        get("/desk/plans/{seq}", "抽查计划", Staff(ReadPlans), plans::plan),
        post("/desk/plans/{seq}/freeze", "冻结抽查名单", Staff(Plan), "draw.freeze", plans::freeze),
        get("/desk/plans/{seq}/paper", "检查任务清单", Staff(ReadPlans), plans::paper),
        get("/desk/plans/{seq}/visits/{place}", "检查任务", Staff(ReadRecords), visits::visit),
        post("/desk/plans/{seq}/visits/{place}/result", "录入检查结果", Staff(Handle), "visit.enter", visits::enter),
        post("/desk/plans/{seq}/visits/{place}/replace", "替换检查对象", Staff(Plan), "visit.replace", visits::replace),
        post("/desk/plans/{seq}/visits/{place}/team", "指派检查组", Staff(Plan), "visit.assign", visits::assign),
        get("/desk/visits", "我的检查任务", Staff(ReadRecords), visits::own),
        get("/desk/draws/{draw}", "抽查", Staff(ReadPlans), draws_desk::draw),
        post("/desk/draws/{draw}/witness", "登记见证", Staff(Plan), "draw.witness", draws_desk::witness),
        post("/desk/draws/{draw}/numbers", "录入开奖号码", Staff(Plan), "draw.enter", draws_desk::enter),
        post("/desk/draws/{draw}/void", "作废抽查", Staff(Plan), "draw.void", draws_desk::void).confirmed(),
        get("/desk/inspectors", "检查人员", Staff(ReadPlans), inspectors::list).audited("inspector.read"),
        post("/desk/inspectors/file", "导入检查人员名录", Staff(Plan), "inspector.import", inspectors::import).with_upload(),
        get("/desk/inspectors/errors.xlsx", "检查人员名录的错误表", Staff(Plan), inspectors::errors).audited("inspector.errors"),
        get("/desk/inspectors/{number}", "检查人员", Staff(ReadPlans), inspectors::one).audited("inspector.read"),
        post("/desk/inspectors/{number}", "登记检查人员", Staff(Plan), "inspector.put", inspectors::put),
        post("/desk/inspectors/{number}/remove", "移出检查人员名录", Staff(Plan), "inspector.remove", inspectors::remove),
        get("/desk/rules", "规则签署", Staff(ReadRecords), rules::list),
        post("/desk/rules/sign", "签署规则", Staff(SignRules), "rule.sign", rules::sign).confirmed(),

        // The system administrator.
        get("/admin", "启用步骤", Staff(ManageStaff), admin::setup),
        post("/admin/bureau", "填写本局名称", Staff(ManageStaff), "setting.bureau", admin::name_bureau),
        get("/admin/units", "单位", Staff(ManageStaff), admin::units),
        post("/admin/units", "添加单位", Staff(ManageStaff), "unit.add", admin::add_unit),
        post("/admin/units/{code}", "修改单位", Staff(ManageStaff), "unit.change", admin::change_unit),
        get("/admin/staff", "人员", Staff(ManageStaff), admin::staff),
        post("/admin/staff", "添加人员", Staff(ManageStaff), "staff.add", admin::add_staff),
        post("/admin/staff/file", "导入人员名册", Staff(ManageStaff), "staff.import", admin::import_staff).with_upload(),
        get("/admin/staff/errors.xlsx", "人员名册的错误表", Staff(ManageStaff), admin::staff_errors),
        post("/admin/staff/{number}/use", "停用或启用人员", Staff(ManageStaff), "staff.use", admin::set_in_use),

        // The security administrator.
        get("/admin/roles", "角色与账号", Staff(ManageRoles), admin::roles),
        post("/admin/roles/{number}", "授予角色", Staff(ManageRoles), "staff.roles", admin::grant).confirmed(),
        post("/admin/roles/{number}/unlock", "解锁账号", Staff(ManageRoles), "staff.unlock", admin::unlock).confirmed(),
        post("/admin/roles/{number}/secret", "重置口令", Staff(ManageRoles), "staff.secret", admin::reset_secret).confirmed(),
        post("/admin/roles/{number}/second-factor", "清除动态口令", Staff(ManageRoles), "staff.second_factor", admin::reset_second_factor).confirmed(),
        post("/admin/policy", "选择口令策略", Staff(ManageRoles), "setting.password_policy", admin::choose_policy).confirmed(),
        get("/admin/sessions", "在线会话", Staff(ManageRoles), admin::sessions),
        post("/admin/sessions/{number}/end", "结束会话", Staff(ManageRoles), "session.end", admin::end_session),

        // The audit administrator.
        get("/admin/audit", "审计日志", Staff(ReadAudit), admin::audit),
        get("/admin/audit.xlsx", "导出审计日志", Staff(ReadAudit), admin::export_audit).audited("audit.export"),
    ]
}

/// Events of what falls due by itself or is done on the command line alone, with their titles.
const WITHOUT_ROUTE: [(&str, &str); 6] = [
    ("demo.set_up", "建立演示数据"),
    ("draw.audit", "取出抽查的审计材料"),
    ("draw.open", "取出企业的抽查凭据"),
    ("plan.names", "公布检查了哪些企业"),
    ("setup.first_start", "首次启动"),
    (GIVE_UP, "删除没有选定数据表的文件"),
];

/// Events of the audit log, with their titles.
pub fn events() -> impl Iterator<Item = (&'static str, &'static str)> {
    let told = routes().into_iter().filter_map(|route| Some((route.declaration.event?, route.declaration.title)));
    told.chain(WITHOUT_ROUTE)
}

/// The routes, each behind the guard.
pub fn router(site: Site) -> Router {
    let mut router = Router::new();
    for Route { declaration, handler } in routes() {
        let most = if declaration.body == Body::Upload { LARGEST_UPLOAD } else { crate::form::LARGEST_FORM };
        let path = declaration.path;
        let guarded =
            handler.layer(DefaultBodyLimit::max(most)).layer(from_fn_with_state((site.clone(), declaration), guard));
        router = router.route(path, guarded);
    }
    let secure = site.options.secure;
    let router = router.route("/assets/{digest}/{name}", plain(assets::serve)).fallback(nowhere).with_state(site);
    layered(router, secure)
}
