"""Our working days against the packages chinesecalendar and holidays, every day of 2019 to 2026.

usage: working_days.py [FOLDER OF BUILT PROGRAMS]
"""

import datetime
import subprocess
import sys
from pathlib import Path

import chinese_calendar
import holidays

FIRST, LAST = datetime.date(2019, 1, 1), datetime.date(2026, 12, 31)


def main():
    built = Path(sys.argv[1] if len(sys.argv) > 1 else "target/debug")
    lines = subprocess.run(
        [built / "examples/working_days", "regulations"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.splitlines()
    ours = dict(line.split()[:2] for line in lines)
    china = holidays.country_holidays("CN", years=range(FIRST.year, LAST.year + 1))
    days = [FIRST + datetime.timedelta(days=number) for number in range((LAST - FIRST).days + 1)]
    working = 0
    for day in days:
        answer = ours.get(day.isoformat())
        assert answer in ("work", "off"), "{}: we say {!r}".format(day, answer)
        for name, works in (("chinesecalendar", chinese_calendar.is_workday(day)), ("holidays", china.is_working_day(day))):
            assert works == (answer == "work"), "{}: {} says {}, we say {}".format(day, name, works, answer)
        working += answer == "work"
    print("  {} 天（{} 至 {}）与 chinesecalendar、holidays 一致，其中工作日 {} 天".format(len(days), FIRST, LAST, working))


if __name__ == "__main__":
    main()
