//! Word lists of the demonstration county. Everything named here is invented: the county, its towns
//! and its trades' fancy names; food categories and industries carry their official codes.

/// 行政区划代码. GB/T 2260 assigns no code that begins with 99.
pub const REGION: &str = "999901";
/// The county's name.
pub const COUNTY: &str = "新衡县";
/// The remark that every registration carries.
pub const REMARK: &str = "演示数据，由程序生成";

/// A town or subdistrict (镇、乡、街道); each has a market station of its name.
pub struct Town {
    pub name: &'static str,
    /// Short form in the names of shops.
    pub short: &'static str,
    /// Share of the county's enterprises.
    pub weight: u32,
}

const fn town(name: &'static str, short: &'static str, weight: u32) -> Town {
    Town { name, short, weight }
}

pub const TOWNS: [Town; 16] = [
    town("城关街道", "城关", 22),
    town("南浦街道", "南浦", 15),
    town("望岳街道", "望岳", 11),
    town("石桥铺镇", "石桥铺", 8),
    town("清溪镇", "清溪", 7),
    town("柳林镇", "柳林", 6),
    town("白沙洲镇", "白沙洲", 5),
    town("东岭镇", "东岭", 5),
    town("金坪镇", "金坪", 4),
    town("双河口镇", "双河口", 4),
    town("大塘镇", "大塘", 3),
    town("杨家湾镇", "杨家湾", 3),
    town("龙潭镇", "龙潭", 3),
    town("古井镇", "古井", 2),
    town("青云乡", "青云", 1),
    town("枫树坳乡", "枫树坳", 1),
];

pub const ROADS: [&str; 18] = [
    "人民路",
    "解放路",
    "建设路",
    "文化路",
    "新华街",
    "振兴路",
    "滨河路",
    "站前路",
    "学府路",
    "迎宾大道",
    "工业大道",
    "农贸街",
    "老街",
    "环城路",
    "兴业路",
    "桃园路",
    "书院路",
    "衡山路",
];

/// Premises that many firms give as their address (一址多照).
pub const SHARED_PREMISES: [(&str, usize); 3] =
    [("创业路1号众创空间A座", 0), ("电商产业园3号楼", 1), ("工业大道66号标准厂房", 3)];

pub const FANCY_FIRST: [&str; 64] = [
    "恒", "瑞", "金", "鑫", "宏", "祥", "福", "德", "华", "盛", "康", "佳", "美", "永", "兴", "广", "丰", "顺", "和",
    "泰", "嘉", "锦", "百", "润", "昌", "隆", "天", "正", "诚", "信", "安", "宝", "旺", "腾", "达", "通", "益", "惠",
    "荣", "庆", "春", "秋", "晨", "星", "云", "松", "梅", "兰", "竹", "绿", "青", "明", "亮", "新", "远", "志", "鸿",
    "聚", "茂", "富", "裕", "景", "凯", "众",
];

pub const FANCY_SECOND: [&str; 60] = [
    "源", "达", "泰", "丰", "盛", "通", "发", "和", "旺", "康", "华", "隆", "昌", "兴", "利", "顺", "佳", "诚", "信",
    "安", "祥", "辉", "洋", "海", "川", "林", "园", "香", "味", "鲜", "缘", "居", "坊", "阁", "苑", "峰", "岭", "泉",
    "溪", "湖", "乐", "宁", "平", "悦", "福", "禾", "谷", "田", "农", "家", "友", "邦", "成", "业", "创", "捷", "力",
    "腾", "景", "曜",
];

pub const SURNAMES: [&str; 60] = [
    "王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "徐", "孙", "马", "朱", "胡", "郭", "何", "高", "林",
    "罗", "郑", "梁", "谢", "宋", "唐", "许", "韩", "冯", "邓", "曹", "彭", "曾", "肖", "田", "董", "袁", "潘", "于",
    "蒋", "蔡", "余", "杜", "叶", "程", "苏", "魏", "吕", "丁", "任", "沈", "姚", "卢", "姜", "崔", "钟", "谭", "陆",
    "汪", "范", "石",
];

/// Every invented person bears one of these, so that a list of them looks as invented as it is.
pub const GENERATIONS: [&str; 5] = ["拟", "例", "演", "样", "示"];

pub const GIVEN: [&str; 48] = [
    "平", "华", "芳", "军", "英", "强", "敏", "静", "丽", "勇", "艳", "杰", "娟", "涛", "明", "超", "霞", "刚", "玲",
    "辉", "玉", "斌", "燕", "波", "红", "峰", "梅", "龙", "琴", "海", "云", "飞", "洁", "鹏", "莉", "松", "萍", "健",
    "雪", "亮", "兰", "宁", "欣", "东", "娜", "旭", "凤", "林",
];

/// What an enterprise does, as far as supervision is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// 食品生产, with the category of its licence (食品类别编号).
    FoodProduction(&'static str),
    /// 食品销售
    FoodSale,
    /// 餐饮服务
    Catering,
    /// 特种设备使用单位, with its equipment.
    EquipmentUse(&'static str),
    /// 特种设备生产单位, with what it makes.
    EquipmentProduction(&'static str),
    /// Everything else.
    General,
}

/// A trade: how it sounds in a name, its industry (GB/T 4754) and its share of the county.
pub struct Trade {
    pub word: &'static str,
    pub line: Line,
    pub industry_code: &'static str,
    pub industry: &'static str,
    /// Business scope (经营范围); for food producers the category's name.
    pub scope: &'static str,
    /// How many in a hundred are companies rather than individual businesses (个体工商户).
    pub companies: u32,
    /// Ends of the names of individual businesses.
    pub shops: &'static [&'static str],
    /// Share of the county's enterprises.
    pub weight: u32,
}

const WORKSHOPS: &[&str] = &["厂", "加工厂", "作坊"];
const SHOPS: &[&str] = &["店", "商店", "经营部", "商行"];
const KITCHENS: &[&str] = &["店", "馆", "小吃店"];
const COUNTERS: &[&str] = &["店", "服务部", "经营部"];

const fn producer(
    category: &'static str,
    word: &'static str,
    scope: &'static str,
    industry_code: &'static str,
    industry: &'static str,
    weight: u32,
) -> Trade {
    Trade {
        word,
        line: Line::FoodProduction(category),
        industry_code,
        industry,
        scope,
        companies: 82,
        shops: WORKSHOPS,
        weight,
    }
}

const fn trade(
    line: Line,
    word: &'static str,
    scope: &'static str,
    (industry_code, industry): (&'static str, &'static str),
    companies: u32,
    shops: &'static [&'static str],
    weight: u32,
) -> Trade {
    Trade { word, line, industry_code, industry, scope, companies, shops, weight }
}

use Line::{Catering, EquipmentProduction, EquipmentUse, FoodSale, General};

/// The trades; weights are in thousandths of the county, more or less.
pub const TRADES: &[Trade] = &[
    producer("0101", "面粉", "小麦粉", "1311", "稻谷加工", 3),
    producer("0102", "米业", "大米", "1311", "稻谷加工", 5),
    producer("0103", "挂面", "挂面", "1431", "米、面制品制造", 3),
    producer("0104", "粮油加工", "其他粮食加工品", "1319", "其他谷物磨制", 2),
    producer("0201", "油脂", "食用植物油", "1331", "食用植物油加工", 3),
    producer("0301", "酱油", "酱油", "1462", "酱油、食醋及类似制品制造", 1),
    producer("0305", "调味品", "调味料", "1469", "其他调味品、发酵制品制造", 2),
    producer("0401", "肉制品", "热加工熟肉制品", "1353", "肉制品及副产品加工", 3),
    producer("0403", "冷鲜食品", "预制调理肉制品", "1353", "肉制品及副产品加工", 1),
    producer("0501", "乳业", "液体乳", "1441", "液体乳制造", 1),
    producer("0601", "饮用水", "包装饮用水", "1522", "瓶（罐）装饮用水制造", 3),
    producer("0604", "饮料", "果蔬汁类及其饮料", "1523", "果菜汁及果菜汁饮料制造", 1),
    producer("0701", "方便食品", "方便面", "1439", "其他方便食品制造", 1),
    producer("0801", "饼干", "饼干", "1419", "饼干及其他焙烤食品制造", 1),
    producer("0901", "罐头食品", "畜禽水产罐头", "1451", "肉、禽类罐头制造", 1),
    producer("1101", "速冻食品", "速冻面米食品", "1432", "速冻食品制造", 2),
    producer("1201", "膨化食品", "膨化食品", "1419", "饼干及其他焙烤食品制造", 1),
    producer("1401", "茶业", "茶叶", "1530", "精制茶加工", 3),
    producer("1501", "酒业", "白酒", "1512", "白酒制造", 3),
    producer("1601", "酱菜", "酱腌菜", "1371", "蔬菜加工", 2),
    producer("1701", "蜜饯", "蜜饯", "1422", "蜜饯制作", 1),
    producer("1801", "炒货", "炒货食品及坚果制品", "1373", "水果和坚果加工", 1),
    producer("1901", "蛋品", "蛋制品", "1393", "蛋品加工", 1),
    producer("2301", "粉业", "淀粉及淀粉制品", "1391", "淀粉及淀粉制品制造", 1),
    producer("2401", "糕点", "热加工糕点", "1411", "糕点、面包制造", 4),
    producer("2402", "烘焙食品", "冷加工糕点", "1411", "糕点、面包制造", 1),
    producer("2501", "豆制品", "豆制品", "1392", "豆制品制造", 3),
    producer("2601", "蜂业", "蜂蜜", "1499", "其他未列明食品制造", 1),
    producer("2701", "生物科技", "保健食品（片剂）", "1492", "保健食品制造", 1),
    producer("3201", "食品配料", "食品添加剂", "1495", "食品及饲料添加剂制造", 1),
    trade(FoodSale, "超市", "预包装食品兼散装食品销售；日用百货零售", ("5212", "超级市场零售"), 25, &["", "店"], 45),
    trade(FoodSale, "便利", "预包装食品销售；卷烟零售", ("5213", "便利店零售"), 5, SHOPS, 70),
    trade(FoodSale, "副食", "预包装食品兼散装食品销售", ("5229", "其他食品零售"), 4, SHOPS, 50),
    trade(FoodSale, "粮油", "粮油零售；预包装食品销售", ("5221", "粮油零售"), 8, SHOPS, 20),
    trade(FoodSale, "水果", "新鲜水果零售；预包装食品销售", ("5223", "果品、蔬菜零售"), 3, SHOPS, 22),
    trade(FoodSale, "生鲜", "食用农产品零售；散装食品销售", ("5224", "肉、禽、蛋、奶及水产品零售"), 6, SHOPS, 18),
    trade(FoodSale, "母婴用品", "婴幼儿配方乳粉销售；母婴用品零售", ("5229", "其他食品零售"), 12, SHOPS, 9),
    trade(Catering, "饭", "热食类食品制售", ("6210", "正餐服务"), 5, &["庄", "店", "馆"], 38),
    trade(Catering, "面", "热食类食品制售", ("6220", "快餐服务"), 2, KITCHENS, 34),
    trade(Catering, "早餐", "热食类食品制售；自制饮品制售", ("6291", "小吃服务"), 1, KITCHENS, 26),
    trade(Catering, "火锅", "热食类食品制售；生食类食品制售", ("6210", "正餐服务"), 7, KITCHENS, 16),
    trade(Catering, "烧烤", "热食类食品制售", ("6291", "小吃服务"), 1, KITCHENS, 16),
    trade(Catering, "茶饮", "自制饮品制售", ("6239", "其他饮料及冷饮服务"), 6, &["店", "屋"], 18),
    trade(Catering, "餐饮管理", "热食类食品制售；餐饮管理", ("6210", "正餐服务"), 100, &["店"], 12),
    trade(EquipmentUse("曳引驱动乘客电梯"), "物业服务", "物业管理", ("7020", "物业管理"), 100, &["店"], 12),
    trade(EquipmentUse("曳引驱动乘客电梯"), "酒店", "住宿服务", ("6110", "旅游饭店"), 55, &[""], 10),
    trade(EquipmentUse("叉车"), "物流", "普通货物道路运输；仓储服务", ("5430", "道路货物运输"), 90, COUNTERS, 10),
    trade(EquipmentUse("桥式起重机"), "机械制造", "机械设备制造", ("3489", "其他通用零部件制造"), 96, WORKSHOPS, 9),
    trade(EquipmentUse("承压蒸汽锅炉"), "纺织", "棉纺纱加工；洗水加工", ("1711", "棉纺纱加工"), 92, WORKSHOPS, 5),
    trade(EquipmentUse("固定式压力容器"), "化工", "涂料制造；化工产品销售", ("2641", "涂料制造"), 98, WORKSHOPS, 4),
    trade(EquipmentUse("大型游乐设施"), "文化旅游", "游乐园服务", ("9020", "游乐园"), 95, COUNTERS, 2),
    trade(
        EquipmentProduction("电梯安装（含修理）"),
        "电梯工程",
        "电梯安装、改造、修理",
        ("4920", "管道和设备安装"),
        100,
        COUNTERS,
        2,
    ),
    trade(
        EquipmentProduction("移动式压力容器充装"),
        "气体",
        "气瓶充装；工业气体销售",
        ("2619", "其他基础化学原料制造"),
        100,
        COUNTERS,
        2,
    ),
    trade(General, "服装", "服装零售", ("5232", "服装零售"), 6, SHOPS, 62),
    trade(General, "五金建材", "五金产品零售；建筑材料销售", ("5283", "五金零售"), 15, SHOPS, 52),
    trade(General, "电子商务", "互联网销售（除销售需要许可的商品）", ("5292", "互联网零售"), 70, SHOPS, 36),
    trade(General, "理发", "理发服务", ("8051", "理发及美容服务"), 1, &["店", "工作室"], 30),
    trade(General, "汽车维修", "机动车修理和维护", ("8111", "汽车修理与维护"), 18, &["厂", "店", "服务部"], 26),
    trade(General, "建筑工程", "房屋建筑工程施工", ("4790", "其他房屋建筑业"), 100, COUNTERS, 32),
    trade(General, "信息科技", "软件开发；信息技术咨询服务", ("6513", "应用软件开发"), 100, COUNTERS, 28),
    trade(General, "家具", "家具零售", ("5282", "家具零售"), 14, SHOPS, 22),
    trade(General, "广告传媒", "广告设计、制作、代理", ("7259", "其他广告服务"), 75, COUNTERS, 16),
    trade(General, "农业开发", "谷物种植；蔬菜种植", ("0111", "稻谷种植"), 85, &["种植场", "养殖场"], 20),
    trade(General, "通讯器材", "通信设备零售", ("5274", "通信设备零售"), 10, SHOPS, 22),
    trade(General, "家电维修", "日用电器修理", ("8131", "家用电子产品修理"), 3, SHOPS, 18),
];
