//! A small county for tests, with the clock and the salts fixed, on either database.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use xinheng_app::collect::{ImportRequest, Outcome};
use xinheng_app::rules::{embedded, load};
use xinheng_app::{Bureau, Surroundings};
use xinheng_core::credit_code::CreditCode;
use xinheng_core::record::{Day, Moment};
use xinheng_store::testing::{FixedSalts, databases};

/// A bureau in a folder, by default a temporary one.
pub struct County {
    pub bureau: Bureau,
    folder: PathBuf,
    /// Deletes a temporary folder in the end.
    _guard: Option<TempDir>,
}

/// What [`County::fill`] put in.
pub struct Given {
    pub code: CreditCode,
}

pub fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// The moment of every act in the tests: 2026-11-24 09:00 in China.
pub fn surroundings() -> Surroundings {
    let moment = Moment::from_micros(1_795_482_000_000_000).unwrap();
    Surroundings { now: Arc::new(move || moment), salts: Arc::new(FixedSalts), ..Surroundings::real() }
}

/// Runs a test on a fresh SQLite and on a fresh PostgreSQL database.
pub async fn both(test: impl AsyncFnMut(County)) {
    both_in(surroundings, test).await;
}

/// As [`both`], in surroundings of the test's own.
pub async fn both_in(surroundings: impl Fn() -> Surroundings, mut test: impl AsyncFnMut(County)) {
    for database in databases().await {
        let folder = tempfile::tempdir().unwrap();
        let url = if database.name == "SQLite" { sqlite_url(folder.path()) } else { database.url.clone() };
        test(County::open(folder.path().to_owned(), Some(folder), &url, surroundings()).await).await;
    }
}

fn sqlite_url(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("xinheng.db").display())
}

impl County {
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = sqlite_url(folder.path());
        Self::open(folder.path().to_owned(), Some(folder), &url, surroundings()).await
    }

    /// On SQLite in a folder that somebody else keeps.
    pub async fn in_folder(folder: &Path) -> Self {
        Self::open(folder.to_owned(), None, &sqlite_url(folder), surroundings()).await
    }

    /// As [`Self::in_folder`], in surroundings of the test's own.
    pub async fn in_folder_and(folder: &Path, surroundings: Surroundings) -> Self {
        Self::open(folder.to_owned(), None, &sqlite_url(folder), surroundings).await
    }

    async fn open(folder: PathBuf, guard: Option<TempDir>, database: &str, surroundings: Surroundings) -> Self {
        let key = folder.join("xinheng.db.key");
        // The same keys in every county, so that what is derived by them can be compared.
        let keys = r#"{"encryption":"00112233445566778899aabbccddeeff","index":"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"}"#;
        if !key.exists() {
            std::fs::write(&key, keys).unwrap();
            std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        }
        let bureau = Bureau::open(database, &key, load(&embedded()).unwrap(), surroundings).await.unwrap();
        Self { bureau, folder, _guard: guard }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub async fn import(&self, path: &Path) -> anyhow::Result<Outcome> {
        self.import_as_of(path, None).await
    }

    pub async fn import_as_of(&self, path: &Path, edition: Option<Day>) -> anyhow::Result<Outcome> {
        let request = ImportRequest { edition, ..request(path) };
        self.bureau.import(&request, &|_| ()).await
    }

    /// Entities, licences and penalties, classified twice.
    pub async fn fill(&self) -> Given {
        let (headings, rows) = entities(40);
        self.import(&self.write("市场主体.csv", &gb18030(&headings, &rows))).await.unwrap();
        self.bureau.classify_touched(&|_| ()).await.unwrap().unwrap();
        let mut licences =
            String::from("统一社会信用代码,许可文件编号,许可文件名称,许可机关,许可内容,状态,有效期自,有效期至\n");
        let mut penalties = String::from("统一社会信用代码,纳税人名称,行政处罚文号,处罚原因,处罚时间,处罚结果\n");
        for (number, row) in rows.iter().enumerate() {
            licences.push_str(&format!("{},SC{number},食品生产许可证,某局,糕点,有效,2022-01-01,2027-12-31\n", row[0]));
            for year in 2023..2026 {
                penalties.push_str(&format!(
                    "{},某店,罚〔{year}〕{number}号,违法经营,{year}-0{}-11,罚款\n",
                    row[0],
                    1 + number % 9
                ));
            }
        }
        let licences = self.write("许可.csv", licences.as_bytes());
        assert_eq!(self.import_as_of(&licences, Some(day("2026-11-01"))).await.unwrap().accepted, 40);
        assert_eq!(self.import(&self.write("处罚.csv", penalties.as_bytes())).await.unwrap().accepted, 120);
        self.bureau.classify_touched(&|_| ()).await.unwrap().unwrap();
        self.bureau.classify_all(self.bureau.today(), &|_| ()).await.unwrap();
        Given { code: CreditCode::parse(&rows[0][0]).unwrap() }
    }
}

pub fn request(path: &Path) -> ImportRequest<'_> {
    ImportRequest::new(path, "注册审批股")
}

/// Market entities in the exchange shape, dirty as real ones: half of the headings Chinese and half
/// standard names, lower-case codes, mixed brackets, open ends.
pub fn entities(count: usize) -> (Vec<String>, Vec<Vec<String>>) {
    let headings = [
        "统一社会信用代码",
        "comp_nm",
        "登记状态（中文）",
        "reg_org",
        "comp_type",
        "法定代表人(经营者姓名)",
        "成立日期",
        "核准日期",
        "opt_from",
        "经营(营业)截止日期",
        "addr",
        "企业名称",
    ];
    let headings: Vec<String> =
        headings.iter().filter(|heading| **heading != "comp_nm").map(|one| (*one).to_owned()).collect();
    let rows = (0..count)
        .map(|number| {
            let code = CreditCode::compose("91999901", &format!("MA{number:06}")).unwrap().to_string();
            let code = if number % 3 == 0 { code.to_lowercase() } else { code };
            let form = if number % 2 == 0 {
                "有限责任公司(自然人投资或控股)"
            } else {
                "有限责任公司（自然人投资或控股）"
            };
            let until = if number % 2 == 0 { "2099-12-31" } else { "9999-9-9" };
            [
                &code,
                "存续",
                "杞县市场监督管理局",
                form,
                &format!("法人甲{number}"),
                "2017-7-7",
                "20250301",
                "2017/07/07",
                until,
                "某镇某街",
                &format!("测试{number}号食品有限公司"),
            ]
            .iter()
            .map(|cell| (*cell).to_owned())
            .collect()
        })
        .collect();
    (headings, rows)
}

/// The rows as a CSV file in GB18030.
pub fn gb18030(headings: &[String], rows: &[Vec<String>]) -> Vec<u8> {
    let mut text = headings.join(",");
    for row in rows {
        text.push('\n');
        text.push_str(&row.join(","));
    }
    text.push('\n');
    encoding_rs::GB18030.encode(&text).0.into_owned()
}
