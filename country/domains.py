"""The 31 mainland provincial domains: codes after GB/T 2260, names, population, and the area whose units they use.

All carry the zone Asia/Shanghai, Xinjiang and Tibet too: the legal time of the country is Beijing time, and the tariffs
of the operators there are published and billed in it.
"""

from msgspec import Struct

TIME_ZONE = "Asia/Shanghai"
COUNTRY = "CN"
"""Whose national spellings of numbers the sample's tiers read."""
CURRENCY = "CNY"


class Region(Struct, frozen=True):
    """One provincial domain."""

    code: str
    name: str
    chinese: str
    """Short Chinese name, as full names of places begin with it."""
    population: int
    """Thousands of people, census of 2020: weights of the sample population."""
    area: str
    """Great area, the grain at which shared units (and, on Cassandra, private ones) are laid out."""


REGIONS: tuple[Region, ...] = (
    Region("BJ", "Beijing", "北京", 21_893, "north"),
    Region("TJ", "Tianjin", "天津", 13_866, "north"),
    Region("HE", "Hebei", "河北", 74_610, "north"),
    Region("SX", "Shanxi", "山西", 34_916, "north"),
    Region("NM", "Inner Mongolia", "内蒙古", 24_049, "north"),
    Region("LN", "Liaoning", "辽宁", 42_591, "northeast"),
    Region("JL", "Jilin", "吉林", 24_073, "northeast"),
    Region("HL", "Heilongjiang", "黑龙江", 31_850, "northeast"),
    Region("SH", "Shanghai", "上海", 24_871, "east"),
    Region("JS", "Jiangsu", "江苏", 84_748, "east"),
    Region("ZJ", "Zhejiang", "浙江", 64_568, "east"),
    Region("AH", "Anhui", "安徽", 61_027, "east"),
    Region("FJ", "Fujian", "福建", 41_540, "east"),
    Region("JX", "Jiangxi", "江西", 45_189, "east"),
    Region("SD", "Shandong", "山东", 101_527, "east"),
    Region("HA", "Henan", "河南", 99_366, "central"),
    Region("HB", "Hubei", "湖北", 57_753, "central"),
    Region("HN", "Hunan", "湖南", 66_445, "central"),
    Region("GD", "Guangdong", "广东", 126_013, "central"),
    Region("GX", "Guangxi", "广西", 50_127, "central"),
    Region("HI", "Hainan", "海南", 10_081, "central"),
    Region("CQ", "Chongqing", "重庆", 32_054, "southwest"),
    Region("SC", "Sichuan", "四川", 83_675, "southwest"),
    Region("GZ", "Guizhou", "贵州", 38_562, "southwest"),
    Region("YN", "Yunnan", "云南", 47_209, "southwest"),
    Region("XZ", "Tibet", "西藏", 3_648, "southwest"),
    Region("SN", "Shaanxi", "陕西", 39_529, "northwest"),
    Region("GS", "Gansu", "甘肃", 25_020, "northwest"),
    Region("QH", "Qinghai", "青海", 5_924, "northwest"),
    Region("NX", "Ningxia", "宁夏", 7_203, "northwest"),
    Region("XJ", "Xinjiang", "新疆", 25_852, "northwest"),
)
BY_CODE: dict[str, Region] = {region.code: region for region in REGIONS}
