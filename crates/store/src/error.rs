//! What can go wrong, said to the person at the keyboard.

use xinheng_core::record::Seq;

/// An error of the store. Its text says where, what, and how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address of the database has another form.
    #[error("数据库地址“{0}”无法识别：应为 sqlite:文件路径，或 postgres://用户:密码@主机/库名")]
    Address(String),
    /// The database cannot be opened.
    #[error("打不开数据库 {place}：{reason}。请检查路径或主机、端口、库名是否正确，以及当前用户有无读写权限")]
    Open {
        /// File, or host and database; never the password.
        place: String,
        /// What the driver says.
        reason: String,
    },
    /// The tables cannot be made or brought up to date.
    #[error("数据库 {place} 的表结构无法升级：{reason}。若它由更新版本的信衡建立，请改用该版本")]
    Migrate {
        /// File, or host and database.
        place: String,
        /// What the driver says.
        reason: String,
    },
    /// Another process holds the writing lock, or the server has gone.
    #[error("等待数据库超时：另一进程正在写入，或与数据库的连接已断开。请稍后重试；本次未改动任何数据")]
    Busy,
    /// Any other failure of the database.
    #[error("数据库操作失败：{0}。本次改动已全部撤销，请排除原因（如磁盘已满、连接中断）后重试")]
    Database(String),
    /// An earlier step of the same transaction failed, so that it cannot be committed.
    #[error("此前有一步写入未能完成，本次改动已全部撤销。请先排除那一步的错误再重试")]
    Broken,
    /// The form that the audit line names was carried out before.
    #[error("这张表单已经提交过一次，没有重复办理")]
    CarriedOut,
    /// The key file cannot be read or made.
    #[error("密钥文件 {path}：{reason}")]
    KeyFile {
        /// Its path.
        path: String,
        /// What is wrong and how to mend it.
        reason: String,
    },
    /// The newest record does not bear this key's mark.
    #[error(
        "密钥与数据库不符：台账第{0}条的校验码不是用这份密钥算出的。\
         请换用建立此数据库时的密钥文件；若确认密钥无误，请运行 xinheng ledger verify 查找被改动的记录"
    )]
    WrongKey(Seq),
    /// The system gives no random bytes.
    #[error("操作系统未能提供随机数：{0}。请检查 /dev/urandom 是否可用")]
    Randomness(String),
    /// A stored row that cannot be read.
    #[error("台账第{seq}条的{column}列无法读取，可能被改动过。请运行 xinheng ledger verify，并用备份恢复")]
    Damaged {
        /// Which record.
        seq: Seq,
        /// Which column.
        column: &'static str,
    },
    /// A stored row outside the ledger that cannot be read.
    #[error("数据库表 {table} 有一行无法读取，可能被改动过。请运行 xinheng ledger rebuild 重建")]
    DamagedProjection {
        /// Which table.
        table: &'static str,
    },
    /// A line of the audit log that cannot be read, or was not written with this key.
    #[error("审计日志第{0}条与写入时不同，或密钥不是写入时的那一份。请运行 xinheng ledger verify，并用备份恢复")]
    DamagedAudit(Seq),
    /// A row about people that cannot be read.
    #[error("数据库表 {table} 有一行无法读取，可能被改动过。请用备份恢复")]
    DamagedPeople {
        /// Which table.
        table: &'static str,
    },
    /// A staff row that was not written with the bureau's key.
    #[error("账号“{0}”的数据被绕过本系统改动过，已拒绝使用。请核查数据库的访问记录，并用备份恢复")]
    AlteredStaff(String),
    /// Writing an export.
    #[error("写出文件失败：{0}。请检查磁盘空间和写权限")]
    Write(#[from] std::io::Error),
    /// A version of the rulebook that is already stored with other content.
    #[error("规则库版本 {0} 已存在且内容不同：版本号由内容算出，二者应一致。请检查规则库文件是否在读取途中被改动")]
    RulebookDiffers(String),
}

/// Result of the store.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::PoolTimedOut => Self::Busy,
            // SQLITE_BUSY and its extended codes; lock_not_available of PostgreSQL.
            sqlx::Error::Database(inner) if matches!(inner.code().as_deref(), Some("5" | "261" | "517" | "55P03")) => {
                Self::Busy
            }
            _ => Self::Database(error.to_string()),
        }
    }
}

impl From<sea_orm::DbErr> for StoreError {
    fn from(error: sea_orm::DbErr) -> Self {
        use sea_orm::{DbErr, RuntimeErr};
        match error {
            DbErr::Conn(RuntimeErr::SqlxError(inner))
            | DbErr::Exec(RuntimeErr::SqlxError(inner))
            | DbErr::Query(RuntimeErr::SqlxError(inner)) => match std::sync::Arc::try_unwrap(inner) {
                Ok(inner) => inner.into(),
                Err(inner) => Self::Database(inner.to_string()),
            },
            DbErr::ConnectionAcquire(_) => Self::Busy,
            other => Self::Database(other.to_string()),
        }
    }
}
