#!/usr/bin/env python3
"""Makes the worked examples of this folder from docs/draw.md: python3 make.py. All enterprises are fictional.

`make.py --random COUNT` prints that many random certificates, one a line, to compare programs on.
"""

import itertools
import json
import random
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parents[1] / "tools"))
from verify_draw import H, certificate_hash, freeze_hash, lines, list_hash, names_hash, ranking, sm3  # noqa: E402

LOTTERY = {
    "source": "双色球",
    "format": "双色球 {issue} {six red balls ascending, two digits} + {blue ball}",
    "due": "2026-11-24T21:30:00+08:00",
}
DRAWN = "双色球 2026130 03 08 11 19 27 31 + 05"
DESIGN = {
    "1": ["91110000600037341L", "91110108551385082Q", "914403001922038216"],
    "2": ["9144030071526726XG", "91440300708461136T", "91330100799655058B", "91350100M000100Y43"],
}


def hmac(key, text):
    """HMAC-SM3 (blocks of 64 bytes) for keys of 32 bytes."""
    block = key + bytes(32)
    inner = sm3(bytes(byte ^ 0x36 for byte in block) + text.encode("utf-8"))
    return sm3(bytes(byte ^ 0x5C for byte in block) + inner)


def credit_code(body):
    """The 17 characters with their check character (GB 32100-2015)."""
    characters = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    total = sum(characters.index(one) * pow(3, place, 31) for place, one in enumerate(body))
    return body + characters[-total % 31]


# ── Matching ───────────────────────────────────────────────────────────────────────────────────

class Inspector:
    def __init__(self, id, qualifications, capacity, recusals=()):
        self.id, self.capacity = id, capacity
        self.qualifications, self.recusals = sorted(qualifications), sorted(recusals)
        self.leads = "lead" in self.qualifications

    def line(self):
        return self.id, ",".join(self.qualifications), self.capacity, ",".join(self.recusals)


def full_matching(visits, inspectors, capacity):
    """Whether all visits can have their teams: a flow of two units into each visit.

    Edges: source → inspector (what capacity is left); inspector → visit (1) when qualified to lead, else inspector → the
    visit's side entrance (1) → visit (1); visit → sink (2); none where recused. Unit edges keep the two persons apart,
    the side entrance lets in one who cannot lead, so two units hold one who can. Capacities are whole, so a maximal
    flow in whole units exists and the test is exact.
    """
    residual = {}

    def edge(start, end, room):
        residual.setdefault(start, {})[end] = room
        residual.setdefault(end, {}).setdefault(start, 0)

    for inspector in inspectors:
        edge("source", inspector, capacity[inspector.id])
    for visit in visits:
        edge(visit, "sink", 2)
        edge((visit, "side"), visit, 1)
        for inspector in inspectors:
            if visit not in inspector.recusals:
                edge(inspector, visit if inspector.leads else (visit, "side"), 1)

    def augment(node, seen):
        if node == "sink":
            return True
        seen.add(node)
        for end, room in residual.get(node, {}).items():
            if room and end not in seen and augment(end, seen):
                residual[node][end] -= 1
                residual[end][node] += 1
                return True
        return False

    return all(augment("source", set()) for _ in range(2 * len(visits)))


def enough_for_any_outcome(strata, quotas, inspectors):
    """Whether a full matching exists whatever is drawn, by the cuts of that flow: for every set of inspectors taken away,
    what the worst outcome then lacks must be within their capacities. Exact, and only for small directories."""
    for present in itertools.product((False, True), repeat=len(inspectors)):
        there = [inspector for inspector, is_there in zip(inspectors, present) if is_there]
        away = sum(inspector.capacity for inspector, is_there in zip(inspectors, present) if not is_there)

        def lacks(visit):
            able = [inspector for inspector in there if visit not in inspector.recusals]
            leads = sum(inspector.leads for inspector in able)
            return 2 - min(2, leads + min(1, len(able) - leads))

        worst = sum(sum(sorted(map(lacks, strata[one]), reverse=True)[:quotas[one]]) for one in strata)
        if worst > away:
            return False
    return True


def teams(seed, picks, inspectors):
    """The visits in order, each with its ticket, the order of the inspectors, and its team."""
    visits = sorted((H("XD1 ticket", seed, stratum, bytes.fromhex(blind)), int(stratum), blind) for stratum, blind in picks)
    capacity = {inspector.id: inspector.capacity for inspector in inspectors}
    for place, (ticket, stratum, blind) in enumerate(visits):
        rest = [later for _, _, later in visits[place + 1:]]
        order = sorted(inspectors, key=lambda one: (H("XD1 inspector", seed, bytes.fromhex(blind), one.id), one.id.encode()))
        able = [one for one in order if capacity[one.id] and blind not in one.recusals]
        eligible = [(lead, second) for lead in able if lead.leads for second in able if second is not lead]

        def leaves_a_full_matching(team):
            left = {id: room - (id in (team[0].id, team[1].id)) for id, room in capacity.items()}
            return full_matching(rest, inspectors, left)

        lead, second = next(filter(leaves_a_full_matching, eligible))
        capacity[lead.id] -= 1
        capacity[second.id] -= 1
        yield {
            "ticket": ticket.hex(), "stratum": str(stratum), "blind": blind, "order": [one.id for one in order],
            "lead": lead.id, "second": second.id, "passed_over": eligible.index((lead, second)),
        }


# ── Draws ──────────────────────────────────────────────────────────────────────────────────────

class Draw:
    """A draw with everything that the auditor sees."""

    def __init__(self, key, secret, nonce, strata, quotas, recusals=None, staff=(), **members):
        """`strata` maps each label to credit codes; `recusals` an inspector's id to credit codes."""
        self.key, self.secret, self.nonce = key, secret, nonce
        # The numbers of the design's example are given, not derived.
        order = sorted(strata, key=lambda label: label if label in DESIGN else hmac(key, "XD1 stratum" + label))
        self.numbers = {label: str(number) for number, label in enumerate(order, start=1)}
        self.enterprises = {}
        for label, codes in strata.items():
            for code in codes:
                salt = hmac(key, code)
                blind = H("XD1 candidate", salt, code).hex()
                self.enterprises[blind] = {
                    "stratum": self.numbers[label], "blind": blind, "credit_code": code, "label": label, "salt": salt.hex(),
                }
        self.pairs = sorted((one["stratum"], blind) for blind, one in self.enterprises.items())
        self.pairs.sort(key="\t".join)
        blinds = {one["credit_code"]: blind for blind, one in self.enterprises.items()}
        self.inspectors = [
            Inspector(id, qualifications, capacity, [blinds[code] for code in (recusals or {}).get(id, [])])
            for id, qualifications, capacity in sorted(staff)
        ]
        self.quotas = {self.numbers[label]: quota for label, quota in quotas.items()}
        self.certificate = {
            "protocol": "XD1", "state": "frozen", "draw": "2026-0001", "plan": "2026-P-01", "follows": None,
            "frozen_at": "2026-11-24T09:00:00+08:00",
            "candidates": [{"stratum": stratum, "blind": blind} for stratum, blind in self.pairs],
            "strata": [
                {"stratum": number, "candidates": len(strata[label]), "quota": quotas[label]}
                for label, number in self.numbers.items()
            ],
            "list_hash": list_hash(self.pairs).hex(),
            "secret_commitment": H("XD1 secret", secret).hex(),
            "key_commitment": H("XD1 key", key).hex(),
            "entropy": dict(LOTTERY),
            "inspectors_hash": H("XD1 inspectors", nonce, lines(one.line() for one in self.inspectors)).hex(),
            "witness": {"where": "county government portal", "at": "2026-11-24T10:00:00+08:00"},
        }
        self.certificate.update(members)
        self.certificate["freeze_hash"] = freeze_hash(self.certificate, list_hash(self.pairs)).hex()

    def seal(self, value=DRAWN, at="2026-11-24T22:00:00+08:00"):
        frozen = bytes.fromhex(self.certificate["freeze_hash"])
        seed = H("XD1 seed", frozen, self.secret, value)
        self.ranked = ranking(seed, self.pairs)
        picks = [
            (one["stratum"], blind)
            for one in self.certificate["strata"] for blind in self.ranked[one["stratum"]][:one["quota"]]
        ]
        self.names = sorted(self.enterprises[blind]["credit_code"] for _, blind in picks)
        self.visits = list(teams(seed, picks, self.inspectors)) if self.inspectors else []
        self.matches = lines(
            (visit["blind"], visit[role], role) for visit in self.visits for role in ("lead", "second")
        )
        self.certificate["entropy"]["value"] = value
        self.certificate.update(
            state="sealed", secret=self.secret.hex(), seed=seed.hex(), sealed_at=at,
            picks=[{"stratum": stratum, "blind": blind} for stratum, blind in picks],
            names_hash=names_hash(self.nonce, self.names).hex(),
            matches_hash=H("XD1 matches", self.nonce, self.matches).hex(),
        )
        self.certificate["certificate_hash"] = certificate_hash(self.certificate, frozen, seed, picks).hex()
        return self

    def replace(self, stratum, removed, reason, at):
        """Removes one that stands; the next of its stratum comes."""
        done = self.certificate.setdefault("replacements", [])
        gone = self.quotas[stratum] + sum(one["stratum"] == stratum for one in done)
        taken = self.ranked[stratum][gone]
        done.append({"stratum": stratum, "removed": removed, "taken": taken, "reason": reason, "at": at})
        return self

    def void(self, reason):
        self.certificate.update(state="void", secret=self.secret.hex(), void_reason=reason)
        return self

    def auditor(self):
        """What only the auditor sees."""
        return {
            "draw": self.certificate["draw"], "draw_key": self.key.hex(), "nonce": self.nonce.hex(),
            "strata": [{"stratum": number, "label": label} for label, number in self.numbers.items()],
            "enterprises": [self.enterprises[blind] for _, blind in self.pairs],
            "inspectors": [
                {"id": one.id, "qualifications": one.qualifications, "capacity": one.capacity, "recusals": one.recusals}
                for one in self.inspectors
            ],
            "inspector_lines": lines(one.line() for one in self.inspectors),
            "enough_for_any_outcome": enough_for_any_outcome(
                {number: [blind for stratum, blind in self.pairs if stratum == number] for number in self.quotas},
                self.quotas, self.inspectors,
            ),
            "visits": self.visits,
            "match_lines": self.matches,
        }


# ── The examples ───────────────────────────────────────────────────────────────────────────────

def codes(first, count):
    return [credit_code("91999901MA{:07}".format(number)) for number in range(first, first + count)]


def keys(name):
    """Key, secret and nonce of an example, for anyone to derive again."""
    return H("XD1 example", name, "key"), H("XD1 example", name, "secret"), H("XD1 example", name, "nonce")


def design():
    """The draw of the design's examples."""
    fixed = [bytes(range(start, start + 32)) for start in (0, 32, 64)]
    return Draw(*fixed, DESIGN, {"1": 1, "2": 2})


def three_strata():
    """After a void draw: three strata, two replacements in one of them, the second of one that was itself taken."""
    draw = Draw(
        *keys("three strata"),
        {"food_production/C": codes(1, 6), "food_production/D": codes(11, 3), "special_equipment/B": codes(21, 9)},
        {"food_production/C": 2, "food_production/D": 2, "special_equipment/B": 3},
        draw="2026-0003", plan="2026-P-01", follows="2026-0002",
        witness={"where": "示例县人民政府门户网站“公示公告”栏", "at": "2026-11-24T10:00:00+08:00"},
        ledger={"seq": 20471, "hash": H("XD1 example", "three strata", "ledger").hex()},
    ).seal()
    stratum = draw.numbers["special_equipment/B"]
    draw.replace(stratum, draw.ranked[stratum][1], "已注销", "2026-11-26T10:00:00+08:00")
    return draw.replace(stratum, draw.certificate["replacements"][0]["taken"], "已迁出本县", "2026-11-27T15:20:00+08:00")


def eleven_strata():
    """Lines sorted by bytes put stratum 10 before stratum 2; strata and picks are in the order of the numbers."""
    labels = ["item_{:02}/B".format(number) for number in range(1, 12)]
    strata = {label: codes(100 + 10 * place, 2 + place % 3) for place, label in enumerate(labels)}
    return Draw(*keys("eleven strata"), strata, dict.fromkeys(labels, 1), draw="2026-0011").seal()


def matched():
    """Capacities barely suffice: two visits pass over the inspectors who would come first. (The 187 is a key, found by
    trial, for which they do.)"""
    strata = {"food_production/C": codes(1001, 5), "food_production/D": codes(1011, 3), "special_equipment/B": codes(1021, 4)}
    return Draw(
        *keys("matched 187"), strata, {"food_production/C": 2, "food_production/D": 1, "special_equipment/B": 2},
        recusals={"J02": [strata["food_production/C"][0], strata["special_equipment/B"][3]], "J05": strata["food_production/D"][:1]},
        staff=[
            ("J01", ["food", "lead"], 2), ("J02", ["lead", "special_equipment"], 2), ("J03", ["food", "lead"], 2),
            ("J04", ["food"], 2), ("J05", [], 2), ("J06", ["special_equipment"], 1),
        ],
        draw="2026-0012",
    ).seal()


def written(name, value):
    (FOLDER / name).write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def examples():
    """The files of this folder: name and content."""
    sealed = design().seal()
    yield "frozen.json", design().certificate
    yield "sealed.json", sealed.certificate
    removed = sealed.ranked["2"][0]
    yield "replaced.json", design().seal().replace("2", removed, "moved away", "2026-11-26T10:00:00+08:00").certificate
    yield "void.json", design().void("not sealed by the deadline").certificate
    yield "three-strata.json", three_strata().certificate
    yield "eleven-strata.json", eleven_strata().certificate
    draw = matched()
    yield "matched.json", draw.certificate
    yield "matched.names.json", {"nonce": draw.nonce.hex(), "names": draw.names}
    yield "matched.auditor.json", draw.auditor()


def random_draw(chance, candidates=40):
    """A draw of any state and shape; every sixth has more than nine strata."""
    labels = ["stratum {}".format(number) for number in range(chance.choice([1, 2, 3, 4, 5, chance.randrange(10, 14)]))]
    strata = {}
    for place, label in enumerate(labels):
        strata[label] = codes(1000 * place, chance.randrange(2, max(3, candidates // len(labels))))
    text = lambda: "".join(chance.choices("甲乙丙丁 aZ0“”\"\\/<&>🍜é", k=chance.randrange(1, 12)))  # noqa: E731
    draw = Draw(
        *(chance.randbytes(32) for _ in range(3)), strata,
        {label: chance.randrange(1, len(strata[label])) for label in labels},
        draw=text() + "-draw", plan=text(), follows=chance.choice([None, text()]),
        frozen_at="2026-{:02}-{:02}T{:02}:00:59+08:00".format(chance.randrange(1, 11), chance.randrange(1, 29), chance.randrange(24)),
        witness={"where": text(), "at": "2026-11-24T{:02}:00:00+08:00".format(chance.randrange(21))},
        inspectors_hash=chance.randbytes(32).hex(),
    )
    state = chance.choice(["frozen", "sealed", "sealed", "sealed", "void"])
    if state == "sealed":
        draw.seal("双色球 2026{:03} 03 08 11 19 27 31 + {:02}".format(chance.randrange(1, 150), chance.randrange(1, 17)))
        for stratum, ranked in draw.ranked.items():
            standing = ranked[:draw.quotas[stratum]]
            for taken in ranked[draw.quotas[stratum]:][:chance.choice([0, 0, 1, 3])]:
                draw.replace(stratum, standing.pop(chance.randrange(len(standing))), text(), "2026-12-01T09:00:00+08:00")
                standing.append(taken)
    elif state == "void":
        draw.void(text())
    return draw


def main():
    if sys.argv[1:2] == ["--random"]:
        chance = random.Random(20261124)
        for _ in range(int(sys.argv[2])):
            print(json.dumps(random_draw(chance).certificate, ensure_ascii=chance.random() < 0.5))
    else:
        for name, value in examples():
            written(name, value)


if __name__ == "__main__":
    main()
